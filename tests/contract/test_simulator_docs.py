"""Every call that the pages of the local org show is made as it is written there, in its order."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from string import Template

from lht.testing import simulator
from lht.testing.caller import Caller

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"
ADMIN_PAGE = PAGE.with_name("simulator-admin.md")
ROW = re.compile(r"\| `(GET|PUT|POST|PATCH|DELETE) (/simulator/\S+)` \|([^|]*)\|")


def documented_calls() -> list[tuple[str, str, list[str]]]:
    rows = ROW.findall(ADMIN_PAGE.read_text(encoding="utf-8"))
    return [(method, path, re.findall(r"`(\{.*?\})`", bodies)) for method, path, bodies in rows]


def test_admin_calls_do_what_the_page_says(api: Caller) -> None:
    account = api.create("Account", Name="A")
    calls = documented_calls()
    refused = []
    for method, path, bodies in calls:
        where = (
            path.replace("/X/", "/Account/")
            .replace("/fields/F", "/fields/Score__c")
            .replace("_rules/R", "_rules/Rule")
            .replace("/Score__c/rename_value", "/Rating/rename_value")
        )
        if where == "/simulator/reset":
            continue
        if "undelete" in where:
            gone = api.create("Account", Name="gone")
            api.call("DELETE", f"/sobjects/Account/{gone}")
            account = gone
        if "merge" in where:
            account = api.create("Account", Name="master")
            bodies = [body.replace("001M…", api.create("Account", Name="loser")) for body in bodies]  # noqa: PLW2901 - as sent
        if "/T" in where:
            change = {"action": "create", "object": "Account", "fields": {"Name": "late"}}
            where = where.replace("/T", f"/{api.org.admin.open_transaction(change)['id']}")
        for body in bodies or [""]:
            sent = body.replace("001…", account).encode() or None
            answer = api.raw(method, where, sent)
            if answer.status not in (200, 201) or not isinstance(answer.json(), dict):
                refused.append((method, where, body, answer.text))
            if body:
                json.loads(body)
        api.login()

    assert refused == []
    assert {path for _, path, _ in calls} >= {"/simulator/reset", "/simulator/faults", "/simulator/undelete"}


NAMES = {"/jobs/query": "JOB", "/jobs/ingest": "LOAD"}
"""What the page calls the ids of the jobs that it makes."""


def test_calls_by_hand_are_answered(api: Caller) -> None:
    known = {"URL": api.org.url, "CLIENT_ID": api.org.client_id, "CLIENT_SECRET": api.org.client_secret}
    before, _, after = PAGE.read_text(encoding="utf-8").partition("## Logging in\n")
    page = before + after.partition("\n## ")[2]  # how to log in has a test of its own
    page += ADMIN_PAGE.read_text(encoding="utf-8")
    shown = re.findall(r"^\$ curl (.*)$", page, re.MULTILINE)
    refused, called = [], set()
    for line in shown:
        method, url, headers, data = curl(line, known)
        if url.endswith(("/resultPages", "/results?maxRecords=1000")):
            api.wait(known["JOB"])
        if url.endswith("/failedResults"):
            api.wait(known["LOAD"], kind="ingest")
        answer = api.raw(method, url, data.encode() if data else None, headers)
        refused += [(line, answer.text)] if answer.status >= 400 else []
        called.add(
            (method, url.replace(known.get("JOB", "no job yet"), "ID").split("?")[0].partition("/v66.0")[2])
        )
        found = answer.json() if method == "POST" else {}
        known |= {"TOKEN": found["access_token"]} if "access_token" in found else {}
        known |= (
            {NAMES.get(url.rpartition("/v66.0")[2], "ID"): found["id"]} if "/data/" in url and found else {}
        )

    assert refused == []
    assert called >= {
        ("POST", "/jobs/query"), ("GET", "/jobs/query"), ("GET", "/jobs/query/ID"), ("DELETE", "/jobs/query/ID"),
        ("GET", "/jobs/query/ID/results"), ("GET", "/jobs/query/ID/resultPages"), ("GET", "/limits"),
        ("GET", "/limits/recordCount"), ("GET", "/query"), ("POST", "/sobjects/Account"),
    }  # fmt: skip


def curl(line: str, known: dict[str, str]) -> tuple[str, str, dict[str, str], str]:
    """Reads the few options of curl that the page uses: method, path with its query, headers, body."""
    words = iter(shlex.split(Template(line).substitute(known)))
    method, url, headers, data = "", "", {}, ""
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word in ("-d", "--data-binary"):
            data = next(words).replace("@accounts.csv", "ExternalId__c,Name\nk1,A\n")
        else:
            url = word.removeprefix(known["URL"])
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if data else {}
    return method or ("POST" if data else "GET"), url, kind | headers, data


def test_the_schema_file_of_the_page_works_and_all_types_and_objects_are_named(tmp_path: Path) -> None:
    from lht.simulator.org.schemas.schema_file import FIELD_TYPES

    page = PAGE.read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "schema.toml").write_text(example, encoding="utf-8")
    with simulator(schema=tmp_path / "schema.toml") as org:
        caller = Caller(org).login()
        caller.create("Invoice__c", Amount__c=1.5, Account__c=caller.create("Account", Name="A"))
        names = [entry["name"] for entry in caller.get("/sobjects").json()["sobjects"]]
        soql = "SELECT Name, Status__c, Account__r.Tier__c FROM Invoice__c"
        rows = caller.read_csv(soql).rows[1:]

    assert rows == [["I-0000001", "Draft", "silver"]]
    assert [name for name in names if name not in page] == []
    assert [name for name in FIELD_TYPES if f"`{name}`" not in page] == []


def test_the_rules_of_the_page_refuse_what_it_says(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml rules\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "schema.toml").write_text(example, encoding="utf-8")
    deal = {"Name": "d", "StageName": "Closed Won", "CloseDate": "2026-01-01"}
    with simulator(schema=tmp_path / "schema.toml") as org:
        caller = Caller(org).login()
        caller.create("Contact", LastName="Ann", Email="a@x.org")
        won = caller.call("POST", "/sobjects/Opportunity", deal)
        twin = caller.call("POST", "/sobjects/Contact", {"LastName": "ann", "Email": "a@x.org"})

    (error,) = won.json()
    assert (error["errorCode"], error["message"], error["fields"]) == (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A won deal needs an amount.", ["Amount"],
    )  # fmt: skip
    assert twin.json()[0]["errorCode"] == "DUPLICATES_DETECTED"


def test_the_page_names_every_admin_resource_and_setting(api: Caller) -> None:
    from lht.simulator.server.app import ADMIN

    page = ADMIN_PAGE.read_text(encoding="utf-8")
    written = {(method, path) for method, path, _ in documented_calls()}
    real = {
        (
            method,
            path.replace("{object}", "X").replace("{field}", "F").replace("{rule}", "R").replace("{id}", "T"),
        )
        for path, methods in ADMIN.items()
        for method in methods
    }

    assert real <= written
    assert [name for name in api.org.admin.settings() if f"`{name}`" not in page] == []


def test_an_account_that_goes_takes_along_what_the_page_says(api: Caller) -> None:
    parent = api.create("Account", Name="P")
    child = api.create("Account", Name="C", ParentId=parent)
    api.create("Contact", LastName="c", AccountId=parent)
    api.create("Opportunity", Name="o", AccountId=parent, StageName="Prospecting", CloseDate="2026-01-01")
    api.create("Task", Subject="t", WhatId=parent)
    api.call("DELETE", f"/sobjects/Account/{parent}")
    soql = f"SELECT ParentId, Parent.Name FROM Account WHERE Id = '{child}'"
    binned = api.get("/query", q=soql).json()["records"][0]
    api.org.admin.undelete([parent])
    restored = api.get("/query", q=soql).json()["records"][0]
    api.call("DELETE", f"/sobjects/Account/{parent}")
    api.org.admin.purge("Account")
    left = {
        name: api.get("/query", q=f"SELECT COUNT() FROM {name}").json()["totalSize"]
        for name in ("Contact", "Opportunity", "Task", "AccountShare")
    }

    assert (binned["ParentId"], binned["Parent"]) == (None, None)
    assert (restored["ParentId"], restored["Parent"]["Name"]) == (parent, "P")
    assert left == {"Contact": 0, "Opportunity": 0, "Task": 0, "AccountShare": 1}
