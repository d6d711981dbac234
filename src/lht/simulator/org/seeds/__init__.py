"""Seeded records, made inside DuckDB."""
