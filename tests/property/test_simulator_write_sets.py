"""Many records written by one request leave the org as they do one by one, and each meets the same answer."""

from __future__ import annotations

import json
import random
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Pair = tuple[Caller, Caller]
    Record = dict[str, Any]

COLLECTION = "/composite/sobjects"
MOST, ROUNDS = 12, 25
READ = (
    "Account", "AccountHistory", "AccountShare", "Campaign", "CampaignMember", "CampaignMemberStatus", "Case",
    "CaseHistory", "Contact", "ContactHistory", "Lead", "Opportunity", "OpportunityContactRole",
    "OpportunityFieldHistory", "OpportunityHistory", "OpportunityLineItem", "OpportunityShare", "PricebookEntry",
    "Product2", "Specimen__c", "Task",
)  # fmt: skip
WORDS = ("Acme", "ACME", "Ümlaut", "İ", "ß", "SS", "")
KEYS = ("k1", "K1", "k2", "K2 ", "ß", "İx", "i̇X")


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two callers of orgs that are the same, and stand still."""
    with ExitStack() as orgs:
        found = [orgs.enter_context(simulator(records=30, seed=3)) for _ in range(2)]
        for org in found:
            org.admin.set_clock("2030-01-01T00:00:00Z", frozen=True)
        yield Caller(found[0]).login(), Caller(found[1]).login()


@pytest.fixture(scope="module")
def pool(pair: Pair) -> dict[str, list[str]]:
    """Ids of records by object, those that are gone too."""
    soql = "SELECT Id FROM {} ORDER BY Id"
    users = ("User", "Pricebook2")
    return {
        name: [row["Id"] for row in pair[0].get("/queryAll", q=soql.format(name)).json()["records"]]
        for name in (*READ, *users)
    }


class Lot:
    """Draws records, sensible and not."""

    def __init__(self, seed: int, pool: dict[str, list[str]]) -> None:
        self.random = random.Random(seed)
        self.pool = pool

    def ref(self, *names: str) -> str | None:
        name = self.random.choice([*names, names[0]])
        near = self.pool[name][:15] + self.pool[name][-10:]
        return self.random.choice([*near, near[0], near[0], None, "001gK0000000zzzAAA"] if near else [None])

    def word(self, words: tuple[str, ...] = WORDS) -> str:
        return self.random.choice(words)

    def number(self) -> object:
        return self.random.choice([1, 2.5, 100, "7", None, "many"])

    def record(self) -> Record:
        name = self.random.choice(list(SHAPES))
        shape = SHAPES[name](self)
        kept = {key: value for key, value in shape.items() if self.random.random() < 0.8}
        return {"attributes": {"type": name}, **kept}

    def records(self) -> list[Record]:
        drawn = [self.record() for _ in range(self.random.randint(1, MOST))]
        return sorted(drawn, key=lambda record: str(record["attributes"]["type"]))

    def ids(self, name: str, count: int) -> list[str]:
        known = self.pool[name]
        chosen = [*known[:20], *known[-20:]]
        return self.random.sample(sorted(set(chosen)), min(count, len(set(chosen))))


SHAPES: dict[str, Callable[[Lot], Record]] = {
    "Account": lambda lot: {
        "Name": lot.word(), "ParentId": lot.ref("Account"), "ExternalId__c": lot.word(KEYS), "Industry": "Energy",
        "OwnerId": lot.ref("User"), "AnnualRevenue": lot.number(),
    },
    "Contact": lambda lot: {
        "LastName": lot.word(), "Phone": lot.word(), "AccountId": lot.ref("Account", "Contact"),
        "ReportsToId": lot.ref("Contact"), "OwnerId": lot.ref("User"),
    },
    "Opportunity": lambda lot: {
        "Name": lot.word(), "StageName": lot.word(("Prospecting", "Closed Won", "Qualification")),
        "CloseDate": "2030-03-01", "Amount": lot.number(), "AccountId": lot.ref("Account"),
        "CampaignId": lot.ref("Campaign"), "ContactId": lot.ref("Contact"), "OwnerId": lot.ref("User"),
    },
    "Case": lambda lot: {
        "Subject": lot.word(), "Status": lot.word(("New", "Closed")), "ContactId": lot.ref("Contact"),
        "AccountId": lot.ref("Account"), "Priority": lot.word(("High", "Low")),
    },
    "Task": lambda lot: {
        "Subject": lot.word(), "WhatId": lot.ref("Account", "Opportunity"), "WhoId": lot.ref("Contact"),
        "ActivityDate": lot.word(("2029-01-01", "2029-12-01", "2028-05-05")), "Status": "Completed",
    },
    "CampaignMember": lambda lot: {
        "CampaignId": lot.ref("Campaign"), "ContactId": lot.ref("Contact"), "Status": lot.word(("Sent", "Responded")),
    },
    "OpportunityContactRole": lambda lot: {
        "OpportunityId": lot.ref("Opportunity"), "ContactId": lot.ref("Contact"), "IsPrimary": True,
    },
    "OpportunityLineItem": lambda lot: {
        "OpportunityId": lot.ref("Opportunity"), "PricebookEntryId": lot.ref("PricebookEntry"), "Quantity": lot.number(),
        "UnitPrice": lot.number(),
    },
    "Product2": lambda lot: {"Name": lot.word(), "ProductCode": lot.word()},
    "PricebookEntry": lambda lot: {
        "Product2Id": lot.ref("Product2"), "Pricebook2Id": lot.ref("Pricebook2"), "UnitPrice": lot.number(),
        "IsActive": True,
    },
}  # fmt: skip


def one_by_one(api: Caller, method: str, records: list[Record], path: str = COLLECTION) -> list[Record]:
    return [one for record in records for one in at_once(api, method, [record], path)]


def at_once(api: Caller, method: str, records: list[Record], path: str = COLLECTION) -> list[Record]:
    """Gives the results, without the place in the body at which a value stands: that differs."""
    answer = api.call(method, path, {"records": records})
    assert answer.status == 200, answer.text
    found: list[Record] = json.loads(re.sub(r" at \[line:\d+, column:\d+\]", "", answer.text))
    return found


def deleted(api: Caller, ids: list[str]) -> list[Record]:
    answer = api.call("DELETE", f"{COLLECTION}?ids={','.join(ids)}")
    assert answer.status == 200, answer.text
    found: list[Record] = answer.json()
    return found


def rows(api: Caller, name: str) -> list[Record]:
    told = api.get(f"/sobjects/{name}/describe").json()["fields"]
    fields = ", ".join(field["name"] for field in told if field["type"] not in {"address", "location"})
    answer = api.get("/queryAll", q=f"SELECT {fields} FROM {name} ORDER BY Id")
    found: list[Record] = answer.json()["records"]
    return found


def check_same(pair: Pair) -> None:
    for name in READ:
        assert rows(pair[0], name) == rows(pair[1], name), name


def test_new_records(pair: Pair, pool: dict[str, list[str]]) -> None:
    lot = Lot(1, pool)
    for _ in range(ROUNDS):
        records = lot.records()
        single = one_by_one(pair[0], "POST", records)

        assert single == at_once(pair[1], "POST", records), records
        for record, made in zip(records, single, strict=True):
            pool[record["attributes"]["type"]] += [made["id"]] if made["success"] else []
    check_same(pair)


def test_changed_records(pair: Pair, pool: dict[str, list[str]]) -> None:
    lot = Lot(2, pool)
    for _ in range(ROUNDS):
        records = lot.records()
        for name in SHAPES:
            same = [record for record in records if record["attributes"]["type"] == name]
            for record, record_id in zip(same, lot.ids(name, len(same)), strict=False):
                record["Id"] = record_id

        assert one_by_one(pair[0], "PATCH", records) == at_once(pair[1], "PATCH", records), records
    check_same(pair)


def test_upserted_records(pair: Pair, pool: dict[str, list[str]]) -> None:
    lot = Lot(3, pool)
    for _ in range(ROUNDS):
        keys = lot.random.sample([f"key {number}" for number in range(9)], 5)
        records = [
            {"attributes": {"type": "Account"}, **SHAPES["Account"](lot), "ExternalId__c": key}
            for key in keys
        ]
        path = f"{COLLECTION}/Account/ExternalId__c"

        assert one_by_one(pair[0], "PATCH", records, path) == at_once(pair[1], "PATCH", records, path)
    check_same(pair)


def test_deleted_records(pair: Pair, pool: dict[str, list[str]]) -> None:
    lot = Lot(4, pool)
    for _ in range(ROUNDS):
        ids = [one for name in lot.random.sample(list(SHAPES), 3) for one in lot.ids(name, 4)]
        ids += lot.random.sample(ids, 2)
        single = [one for record_id in ids for one in deleted(pair[0], [record_id])]

        assert single == deleted(pair[1], ids), ids
    check_same(pair)
