"""Warehouse rows into Salesforce: a query is planned, its rows recorded, sent part by part, and each accounted for.

`engine` leads through a run; `columns`, `encode`, `normal` and `classes` decide without I/O; `work` is the run's own
DuckDB database, in which the others check, compare and cut rows. No row passes through Python objects but in pages
of at most 2,000, as REST gives and takes them.
"""
