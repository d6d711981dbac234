"""Salesforce objects into warehouse tables; sees the warehouse port, never an adapter."""
