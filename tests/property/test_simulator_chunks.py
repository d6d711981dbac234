"""Chunks of a job that read ahead for each other leave the org as chunks that read for themselves, whoever else writes."""

from __future__ import annotations

import random
from contextlib import closing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.org.jobs.ingest_header import columns
from lht.simulator.org.jobs.ingest_order import IngestOrder
from lht.simulator.org.jobs.ingest_rows import ChunkWriter
from lht.simulator.org.org import Org
from lht.simulator.org.writes.ahead import Ahead
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    Pair = tuple[Org, Org]
    Chunks = list[list[list[str]]]
    Other = tuple[str, str, str, dict[str, object]]

CHUNKS, SIZE, JOBS = 9, 4, 12
API = 66.0
TABLES = (
    "_bin", "_cleared", "_counters", "_deleted_log", "_spellings", "Account", "AccountHistory", "AccountShare", "Campaign",
    "CampaignMember", "Case", "CaseHistory", "Contact", "ContactHistory", "Opportunity", "OpportunityContactRole",
    "OpportunityFieldHistory", "OpportunityHistory", "OpportunityLineItem", "OpportunityShare", "Task",
)  # fmt: skip
HEADERS = {
    "Account": ("Name", "ExternalId__c", "Industry", "Parent.ExternalId__c", "OwnerId"),
    "Contact": ("LastName", "Account.ExternalId__c", "ReportsToId", "Email"),
    "Opportunity": ("Name", "StageName", "CloseDate", "AccountId", "CampaignId", "ContactId"),
    "Case": ("Subject", "Status", "AccountId", "ContactId"),
    "OpportunityContactRole": ("OpportunityId", "ContactId", "IsPrimary"),
    "Task": ("Subject", "WhatId", "ActivityDate", "Status"),
}


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two orgs that are the same, and stand still."""
    with closing(Org.open(records=30, seed=3)) as first, closing(Org.open(records=30, seed=3)) as second:
        for org in (first, second):
            org.clock.freeze(datetime(2030, 1, 1, tzinfo=UTC))
            org.settings.change({"hard_delete": True})
        yield first, second


class Lot:
    """Draws jobs, and what others write meanwhile, from the rows of an org."""

    def __init__(self, seed: int, org: Org) -> None:
        self.random = random.Random(seed)
        self.org = org

    def ids(self, name: str) -> list[str]:
        found = self.org.db.rows(f"SELECT Id FROM {quoted(name)} ORDER BY _seq")
        return [str(row[0]) for row in [*found[:25], *found[-15:]]]

    def value(self, field: str) -> str:
        if field.endswith("ExternalId__c"):
            return f"{self.random.choice('kK')}{self.random.randrange(30)}"
        if field.endswith("Id"):
            name = {"What": "Account", "ReportsTo": "Contact", "Owner": "User"}.get(field[:-2], field[:-2])
            return self.random.choice([*(self.ids(name) if name != field else []), ""])
        words = {"CloseDate": "2030-03-01", "ActivityDate": "2029-01-01", "IsPrimary": "true"}
        words |= {"Status": "New", "StageName": self.random.choice(["Prospecting", "Closed Won"])}
        return words.get(field) or self.random.choice(["Acme", "ACME", "ß", "İ", "", "#N/A"])

    def job(self) -> tuple[IngestOrder, list[str], Chunks]:
        name = self.random.choice([*HEADERS, "Account", "Account", "Contact"])
        verb = self.random.choice(["insert", "update", "upsert", "delete", "delete", "hardDelete"])
        key = None if verb != "upsert" else "ExternalId__c" if name == "Account" else "Id"
        body = {"object": name, "operation": verb} | ({"externalIdFieldName": key} if key else {})
        order = IngestOrder.read(body, self.org.catalog, self.org.settings, API)
        fields = [] if order.removes else [*HEADERS[name]]
        header = fields if verb == "insert" or key == "ExternalId__c" else ["Id", *fields]
        known = self.ids(name)
        draw = lambda field: self.random.choice(known) if field == "Id" and known else self.value(field)  # noqa: E731
        rows = [[draw(field) for field in header] for _ in range(CHUNKS * SIZE)]
        return order, header or ["Id"], [rows[start : start + SIZE] for start in range(0, len(rows), SIZE)]

    def other(self, name: str, header: list[str], row: list[str]) -> Other:
        """Draws what somebody else does to what a row of the job names."""
        verb = self.random.choice(["create", "update", "delete", "undelete", "nothing", "nothing"])
        named = dict(zip(header, row, strict=True))
        key = next((value for field, value in named.items() if field.endswith("ExternalId__c") and value), "")
        if key or name == "Account":
            record_id = named.get("Id") or self.random.choice(self.ids("Account"))
            return (
                verb,
                "Account",
                record_id,
                {"Name": "x", "ExternalId__c": key.swapcase() or self.value("ExternalId__c")},
            )
        record_id = named.get("Id") or self.random.choice(self.ids(name))
        return (
            verb,
            name,
            record_id,
            {field: self.value(field) for field in HEADERS[name] if "." not in field},
        )


def write(org: Org, verb: str, name: str, record_id: str, body: dict[str, object]) -> None:
    """Does what somebody else wants."""
    with suppress(ApiFault):
        if verb == "create":
            org.records.create(name, body)
        elif verb == "update":
            org.records.update(name, record_id, body)
        elif verb == "delete":
            org.records.delete(name, record_id)
        elif verb == "undelete":
            org.records.undelete(record_id)


def carry_out(
    org: Org, order: IngestOrder, header: list[str], chunks: Chunks, others: list[Other], *, apart: bool
) -> list[str]:
    """Carries out the chunks, each followed by what somebody else does; gives the outcomes as text."""
    found, ahead = list[str](), Ahead(org.db)
    schema = org.catalog.need(order.object_name)
    waiting = chunks[::-1]
    for other in others:
        if apart:
            ahead.close()
            ahead = Ahead(org.db)
        writer = ChunkWriter(org.records, order, columns(org.catalog, schema, order, header), ahead)
        found += [repr(one) for one in writer.write(waiting[-1:] if apart else waiting)]
        waiting.pop()
        write(org, *other)
    ahead.close()
    return found


def test_reading_ahead_changes_nothing(pair: Pair) -> None:
    lot = Lot(5, pair[0])
    for _ in range(JOBS):
        order, header, chunks = lot.job()
        others = [
            lot.other(order.object_name, header, lot.random.choice(lot.random.choice(chunks))) for _ in chunks
        ]

        assert carry_out(pair[0], order, header, chunks, others, apart=True) == carry_out(
            pair[1], order, header, chunks, others, apart=False
        ), (order, others)
        for name in TABLES:
            sql = f"SELECT * FROM {quoted(name)} ORDER BY ALL"
            assert pair[0].db.rows(sql) == pair[1].db.rows(sql), (name, order)


def test_a_record_that_went_in_an_earlier_chunk_is_left_as_it_went() -> None:
    with closing(Org.open()) as org:
        head = org.records.create("Contact", {"LastName": "head"})
        stays, goes = (
            org.records.create("Contact", {"LastName": name, "ReportsToId": head})
            for name in ("stays", "goes")
        )
        order = IngestOrder.read({"object": "Contact", "operation": "delete"}, org.catalog, org.settings, API)
        carry_out(org, order, ["Id"], [[[goes]], [[head]]], [("nothing", "", "", {})] * 2, apart=False)
        found = dict(org.db.rows('SELECT "Id", "ReportsToId" FROM "Contact"'))

    assert found == {head: None, stays: None, goes: head}
