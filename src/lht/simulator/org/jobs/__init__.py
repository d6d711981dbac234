"""Bulk API 2.0 query jobs and the pages of their results."""
