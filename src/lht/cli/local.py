"""Commands that need no Salesforce account: the local org, and the tour."""

from __future__ import annotations

from lht.cli.answer import Answer
from lht.cli.screen import Screen


def start(screen: Screen) -> Answer:
    """Start a local Salesforce org."""
    return Answer({})


def demo(screen: Screen) -> Answer:
    """Take the five-minute tour."""
    return Answer({})
