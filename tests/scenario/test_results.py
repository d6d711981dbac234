"""What became of an ingest job's rows, whoever made the job, in a table of many jobs' rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.app.results import load_results, loader
from lht.errors import BulkJobError, ConfigError
from lht.model.retl import ErrorClass
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from world import World

    from lht.model.operations import LoadResult

COLUMNS = "outcome, sf_created, error_code, error_message, error_fields, name, Site, ExternalId__c"
WIDTH = "Number of fields in header is different from the row. header = 2 row = 1"
MISSING = "Required fields are missing: [Name]"
ROWS = {
    ("failed", None, "INVALID_FIELD", WIDTH, None, None, None, None),
    ("failed", None, "REQUIRED_FIELD_MISSING", MISSING, "Name", None, "s", None),
    ("succeeded", True, None, None, None, "A", 'x\n"y"', None),
    ("succeeded", True, None, None, None, "K", None, "k1"),
}


def load(world: World, job_id: str, table: str = "SYNC_ERRORS", **options: Any) -> LoadResult:
    warehouse = world.lake.warehouse()
    world.runs += 1
    into = loader(warehouse, warehouse.table_name(table), f"run{world.runs:04}")
    return load_results(world.org, into, job_id, work_dir=world.spool_dir, sleep=lambda _s: None, **options)


def test_the_rows_of_jobs_gather_in_one_table_once_each(world: World) -> None:
    api = Caller(world.local).login()
    first = api.load("Account", "insert", 'name,"Site"\nA,"x\n""y"""\n,s\nB\n')
    second = api.load("Account", "upsert", "ExternalId__c,NAME\nk1,K\n", externalIdFieldName="ExternalId__c")

    loaded = [load(world, job["id"]) for job in (first, second, first)]

    assert [(r.rows_loaded, r.rows_in_table) for r in loaded] == [(3, 3), (1, 4), (3, 4)]
    assert set(world.rows(f"SELECT {COLUMNS} FROM SYNC_ERRORS")) == ROWS
    ids = world.rows("SELECT job_id, sf_id FROM SYNC_ERRORS WHERE outcome = 'succeeded' ORDER BY name")
    assert [row[0] for row in ids] == [first["id"], second["id"]]
    assert {row[1][:3] for row in ids} == {"001"}
    assert loaded[0].errors == (
        ErrorClass("INVALID_FIELD", 1, WIDTH),
        ErrorClass("REQUIRED_FIELD_MISSING", 1, MISSING),
    )
    assert loaded[1].errors == ()


def test_rows_of_a_job_that_failed_say_why_and_names_that_are_taken_get_a_number(world: World) -> None:
    job = (
        Caller(world.local)
        .login()
        .load("Account", "insert", "Name,Outcome,Parent.Foo__c,Parent_Foo__c\nA,b,c,d\n")
    )

    loaded = load(world, job["id"])

    assert world.rows(
        "SELECT outcome, error_code, Name, outcome_2, Parent_Foo__c, Parent_Foo__c_2 FROM SYNC_ERRORS"
    ) == [("unprocessed", "InvalidBatch", "A", "b", "c", "d")]
    assert [(e.error_class, e.rows) for e in loaded.errors] == [("InvalidBatch", 1)]


def test_what_cannot_be_loaded_is_told(world: World) -> None:
    api = Caller(world.local).login()
    query = api.finished_job("SELECT Id FROM Account")["id"]
    ended = api.load("Account", "insert", "Name\nA\n")["id"]
    fresh = api.call("POST", "/jobs/ingest", {"object": "Account", "operation": "insert"}).json()["id"]
    world.sync()
    world.execute("CREATE TABLE MINE (a INT)")

    with pytest.raises(ConfigError, match=f"lht bulk_results --job_id {query} --sobject Account"):
        load(world, query)
    with pytest.raises(BulkJobError, match=r"is Open: .* Add --wait"):
        load(world, fresh)
    with pytest.raises(ConfigError, match="kept by sync"):
        load(world, ended, "Account")
    with pytest.raises(ConfigError, match="holds no results"):
        load(world, ended, "MINE")
