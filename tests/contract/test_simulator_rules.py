"""Salesforce's rules for records, and their admin resources, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY_S = 86_400


@pytest.fixture(scope="module")
def running() -> Iterator[Caller]:
    with simulator() as org:
        yield Caller(org).login()


@pytest.fixture
def api(running: Caller) -> Caller:
    """A caller of an org that is as new for every test."""
    running.org.admin.reset()
    return running


def rows(api: Caller, soql: str, path: str = "/queryAll") -> list[list[Any]]:
    found = api.get(path, q=soql).json()["records"]
    return [[value for key, value in row.items() if key != "attributes"] for row in found]


def test_the_recycle_bin_empties_itself_by_the_clock_of_the_org(api: Caller) -> None:
    admin = api.org.admin
    account = api.create("Account", Name="A")
    api.call("DELETE", f"/sobjects/Account/{account}")
    admin.advance_clock(15 * DAY_S)
    api.login()
    lingering = rows(api, "SELECT Id FROM Account")
    admin.advance_clock(DAY_S)
    api.login()

    assert lingering == [[account]]
    assert rows(api, "SELECT Id FROM Account") == []


def test_an_emptied_bin_is_seen_by_query_all_only(api: Caller) -> None:
    account = api.create("Account", Name="A")
    api.call("DELETE", f"/sobjects/Account/{account}")
    count = api.org.admin.empty_bin("Account", [account])

    assert (count, rows(api, "SELECT Id FROM Account")) == (1, [[account]])
    assert rows(api, "SELECT Id FROM Account", "/query") == []
