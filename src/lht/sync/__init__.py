"""Salesforce objects into warehouse tables; sees the warehouse port, never an adapter.

`plan`, `drift` and `window` decide without I/O; `engine` reads what they need, and `extract` and `load` carry
out what they answered.
"""
