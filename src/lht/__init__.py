"""LHT keeps a Salesforce org and a data warehouse in step, both ways."""

from __future__ import annotations

__version__ = "4.0.0"
