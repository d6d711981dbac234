"""Rows and results in DuckDB; it knows no Salesforce rule."""
