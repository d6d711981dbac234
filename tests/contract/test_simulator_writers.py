"""Many callers who write sets of records at once: nothing is lost or written twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lht.testing.caller import Caller

WRITERS, TURNS, MANY = 8, 3, 40
COLLECTION = "/composite/sobjects"
COUNT = "SELECT COUNT() FROM Account"


def record(**fields: object) -> dict[str, Any]:
    return {"attributes": {"type": "Account"}, **fields}


def saved(answer: Any) -> list[str]:
    assert answer.status == 200, answer.text
    assert [one for one in answer.json() if not one["success"]] == []
    return [one["id"] for one in answer.json()]


def write(api: Caller, writer: int) -> list[str]:
    """Makes records, changes all of them, deletes half, and gives those that stay."""
    kept: list[str] = []
    for turn in range(TURNS):
        new = [record(Name="new", ExternalId__c=f"{writer} {turn} {place}") for place in range(MANY)]
        made = saved(api.call("POST", COLLECTION, {"records": new}))
        changed = [record(Id=record_id, Name=f"by {writer}") for record_id in made]
        saved(api.call("PATCH", COLLECTION, {"records": changed, "allOrNone": True}))
        saved(api.call("DELETE", f"{COLLECTION}?ids={','.join(made[::2])}"))
        kept += made[1::2]
    return kept


def test_writers_do_not_lose_each_others_records(api: Caller) -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        kept = list(pool.map(lambda writer: write(api, writer), range(WRITERS)))
    found = api.get("/query", q="SELECT Id, Name FROM Account").json()["records"]
    history = api.get("/query", q="SELECT COUNT() FROM AccountHistory WHERE Field = 'Name'").json()
    shares = api.get("/query", q="SELECT COUNT() FROM AccountShare").json()["totalSize"]

    expected = {record_id: f"by {writer}" for writer, ids in enumerate(kept) for record_id in ids}
    assert {row["Id"]: row["Name"] for row in found} == expected
    assert shares == len(expected) == WRITERS * TURNS * MANY // 2
    assert history["totalSize"] == len(expected)


def test_one_value_of_a_unique_field_is_given_once_however_many_ask(api: Caller) -> None:
    def ask(_writer: int) -> list[dict[str, Any]]:
        records = [record(Name="n", ExternalId__c=f"key {place}") for place in range(MANY)]
        found: list[dict[str, Any]] = api.call("POST", COLLECTION, {"records": records}).json()
        return found

    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(pool.map(ask, range(WRITERS)))

    codes = [error["statusCode"] for answer in answers for one in answer for error in one["errors"]]
    assert codes == ["DUPLICATE_VALUE"] * (WRITERS - 1) * MANY
    assert api.get("/query", q=COUNT).json()["totalSize"] == MANY
