"""Fixtures and contract suites for the tests of others."""
