"""Each command's answer, as people and as programs read it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest

from lht.testing.caller import Caller

if TYPE_CHECKING:
    from conftest import Shell
    from lht.testing import StandInDatabase

RESULT_KEYS = {
    "object", "table", "mode", "rows_read", "rows_inserted", "rows_updated", "rows_unchanged", "rows_deleted",
    "rows_deleted_unseen", "rows_duplicate", "rows_ignored", "rows_in_table", "rows_rounded", "watermark",
    "covered_from", "job_id", "api_calls", "columns_added", "columns_vanished", "seconds", "error",
}  # fmt: skip


def rows_of(shell: Shell, sql: str) -> list[Any]:
    with duckdb.connect(str(shell.folder / "lake.duckdb")) as lake:
        return lake.execute(sql).fetchall()


def test_init_writes_a_configuration_once(bare: Shell) -> None:
    first, second = bare("init", "--json"), bare("init")

    assert first.code == 0
    assert first.json["created"] is True
    assert (bare.folder / ".snowflake" / "connections.toml").exists()
    assert second.code == 3


def test_what_to_do_with_a_file_that_is_all_comments_is_told(bare: Shell) -> None:
    nothing = bare("connections").out
    bare("init")

    assert "Start with: lht init" in nothing
    assert "connections.toml has no connection yet: fill in one" in bare("connections").out


def test_connections_are_listed_and_tried(shell: Shell) -> None:
    listed, tried = shell("connections", "--json").json, shell("connections", "--test", "--json")

    assert {c["name"]: c["kind"] for c in listed["connections"]} == {
        "salesforce_sandbox": "app",
        "myconnection": "duckdb",
        "me@example.com": "login",
    }
    assert tried.code == 0
    assert {c["name"]: c["ok"] for c in tried.json["connections"]} == {
        "salesforce_sandbox": None,
        "myconnection": True,
        "me@example.com": True,
    }
    assert "myconnection" in shell("connections").out


def test_a_connection_that_fails_its_test_is_told(shell: Shell) -> None:
    (shell.folder / "lake.duckdb").write_text("this is no database")

    outcome = shell("connections", "--test")

    assert outcome.code == 7
    assert "no" in outcome.out


def test_objects_are_found_by_a_part_of_their_name(shell: Shell) -> None:
    found = shell("objects", "--like", "oppo", "--json").json["objects"]

    names = [o["name"] for o in found]
    assert "Opportunity" in names
    assert [name for name in names if "oppo" not in name.lower()] == []
    assert "Opportunity" in shell("objects").out
    assert shell("objects", "--like", "no such").out == "No object matches.\n"


def test_describe_tells_columns_and_reasons(shell: Shell) -> None:
    fields = {f["name"]: f for f in shell("describe", "account", "--json").json["fields"]}

    assert fields["Id"]["column_type"] == "varchar(18)"
    assert fields["BillingAddress"]["column"] is None
    assert "compound" in fields["BillingAddress"]["reason"]
    assert "compound" in shell("describe", "Account").out


def test_create_creates_once_and_then_compares(shell: Shell) -> None:
    argv = ("create", "--sobject", "Contact", "--table", "PEOPLE", "--schema", "crm")
    planned, made, again = shell(*argv, "--dry_run"), shell(*argv, "--json"), shell(*argv, "--json")
    rows_of(shell, "ALTER TABLE crm.PEOPLE DROP COLUMN Email")
    differing = shell(*argv, "--json")

    assert planned.code == 0
    assert "nothing was changed" in planned.out
    assert made.json["created"] is True
    assert {"name": "Email", "type": "varchar", "field": "Email"} in made.json["columns"]
    assert again.code == 0
    assert again.json["created"] is False
    assert differing.code == 8
    assert differing.json["differences"] == ["Email is missing: it would be varchar."]


def test_create_makes_a_view_of_the_live_rows(shell: Shell) -> None:
    argv = ("create", "--sobject", "Contact", "--table", "PEOPLE", "--live_view")
    planned, made, again = shell(*argv, "--dry_run"), shell(*argv), shell(*argv, "--json")

    assert "lake.main.PEOPLE_live would show the rows that are not deleted." in planned.out
    assert "lake.main.PEOPLE_live shows the rows that are not deleted." in made.out
    assert again.json["live_view"] == "lake.main.PEOPLE_live"
    ((comment,),) = rows_of(shell, "SELECT comment FROM duckdb_views() WHERE view_name = 'PEOPLE_live'")
    assert comment.startswith("Rows of PEOPLE that are not deleted in Salesforce. Made by LHT")


@pytest.mark.parametrize(
    "option", [("--transient",), ("--cluster_by", "(Id)"), ("--retention_days", "1")], ids=lambda o: o[0]
)
def test_options_of_snowflake_are_refused_elsewhere(shell: Shell, option: tuple[str, ...]) -> None:
    outcome = shell("create", "--sobject", "Contact", "--table", "PEOPLE", *option)

    assert outcome.code == 7
    assert "duckdb has no transient or clustered tables" in outcome.err
    assert not (shell.folder / "lake.duckdb").exists()


def test_create_has_snowflakes_options(shell: Shell, lht_snowflake: StandInDatabase) -> None:
    lht_snowflake.write_connection(shell.folder / ".snowflake", "sf")
    argv = ("create", "--sobject", "Contact", "--table", "PEOPLE", "--db_connect", "sf", "--transient")
    argv += ("--cluster-by", "(CREATEDDATE, OWNERID)", "--retention-days", "1", "--live-view")
    planned, made = shell(*argv, "--dry_run"), shell(*argv, "--json")
    differing = shell(*argv[:-2], "0")
    wrong = shell(*argv[:-2], "2")

    view = f"{lht_snowflake.name}.PUBLIC.PEOPLE_LIVE"
    assert planned.out.splitlines()[-5:-1] == [
        "TRANSIENT",
        "CLUSTER BY (CREATEDDATE, OWNERID)",
        "DATA_RETENTION_TIME_IN_DAYS = 1",
        f"{view} would show the rows that are not deleted.",
    ]
    asked = ("created", "transient", "cluster_by", "retention_days", "live_view")
    assert [made.json[key] for key in asked] == [True, True, "(CREATEDDATE, OWNERID)", 1, view]
    assert differing.code == 8
    assert "SET DATA_RETENTION_TIME_IN_DAYS = 0;" in differing.out
    assert wrong.code == 3
    assert "0 or 1 days" in wrong.err


def test_sync_counts_and_json_keys(shell: Shell) -> None:
    first = shell("sync", "--sobject", "Account", "--table", "A", "--json").json
    second = shell("sync", "--sobject", "Account", "--table", "A", "--json").json

    (one,), (two,) = first["objects"], second["objects"]
    assert set(one) >= RESULT_KEYS
    assert one["mode"] == "full"
    assert two["mode"] == "incremental"
    assert one["rows_read"] == one["rows_in_table"] == two["rows_in_table"] == 120
    assert one["watermark"].endswith("Z")


def test_dry_run_prints_the_plan_and_changes_nothing(shell: Shell) -> None:
    plan = shell("sync", "--sobject", "Account", "--table", "A", "--dry_run")
    document = shell("sync", "--sobject", "Account", "--table", "A", "--dry_run", "--json").json

    assert "creates  the table" in plan.out
    assert "SELECT Id" in plan.out
    assert document["plans"][0]["mode"] == "full"
    assert rows_of(shell, "SELECT * FROM duckdb_tables() WHERE schema_name = 'main'") == []


def test_sync_of_the_project_file(shell: Shell) -> None:
    (shell.folder / "lht.toml").write_text(
        'version = 1\n[[sync]]\nobject = "Account"\ntable = "A"\nfields = ["Id", "Name"]\nfull_every = "1h"\n'
        '[[sync]]\nobject = "Contact"\n'
    )
    first, second = shell("sync", "--json").json, shell("sync", "--json").json

    assert [(o["object"], o["mode"]) for o in first["objects"]] == [("Account", "full"), ("Contact", "full")]
    assert [o["mode"] for o in second["objects"]] == ["incremental", "incremental"]
    assert "Phone" not in {name for (name,) in rows_of(shell, "SELECT column_name FROM (DESCRIBE A)")}


def test_sync_without_objects_says_what_to_type(shell: Shell) -> None:
    outcome = shell("sync")

    assert outcome.code == 3
    assert "--sobject" in outcome.err


def test_sync_of_all_objects_tells_what_it_skips(shell: Shell) -> None:
    outcome = shell("sync", "--all", "--table_prefix", "sf_", "--dry_run")

    assert outcome.code == 0
    assert "sf_Account" in outcome.out
    assert "skipped AccountShare: it is not replicateable" in outcome.err


def test_the_default_warehouse_is_named(shell: Shell) -> None:
    path = shell.folder / ".snowflake" / "connections.toml"
    path.write_text(path.read_text().partition("[myconnection]")[0])

    assert "lht.duckdb" in shell("runs").err


def test_what_a_snowflake_connection_lacks_is_told_before_anything_is_sent(shell: Shell) -> None:
    path = shell.folder / ".snowflake" / "connections.toml"
    path.write_text(path.read_text() + '[snow]\naccount = "x"\n')

    outcome = shell("runs", "--db_connect", "snow")

    assert outcome.code == 3
    assert "'snow'" in outcome.err
    assert 'Add below [snow]: user = "…"' in outcome.err


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_bulk_query_into_a_file(shell: Shell, ending: str) -> None:
    outcome = shell(
        "query",
        "--bapi20",
        "--sobject",
        "Account",
        "--fields",
        "Id,Name",
        "--output",
        f"a.{ending}",
        "--json",
    )

    assert outcome.code == 0
    path = shell.folder / f"a.{ending}"
    if ending == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            header, *records = csv.reader(file)
    else:
        table = pq.read_table(path)
        header, records = table.column_names, table.to_pylist()
    assert header == ["Id", "Name"]
    assert outcome.json["rows"] == len(records) > 0
    assert shell("query", "--bapi20", "--sobject", "Account", "--output", "a.xlsx").code == 3


def test_bulk_results_replace_and_append(shell: Shell) -> None:
    job = shell(
        "query", "--bapi20", "--sobject", "Contact", "--fields", "Id,Account.Name", "--wait", "--json"
    ).json
    argv = ("bulk_results", "--job_id", job["job_id"], "--sobject", "contact", "--table", "C", "--json")
    first, again, more = shell(*argv).json, shell(*argv).json, shell(*argv, "--append").json

    assert first["rows_loaded"] == first["rows_in_table"] == again["rows_in_table"] == job["rows"]
    assert more["rows_in_table"] == 2 * job["rows"]
    assert ("Account_Name",) in rows_of(shell, "SELECT column_name FROM (DESCRIBE C)")
    assert shell(*argv[:4], "Account", "--table", "C").code == 3


def test_results_tell_what_became_of_a_jobs_rows_on_snowflake(
    shell: Shell, lht_snowflake: StandInDatabase
) -> None:
    lht_snowflake.write_connection(shell.folder / ".snowflake", "myconnection2")
    api = Caller(shell.org).login()
    job = api.load("Contact", "insert", f"LastName\nresults\n{'x' * 300}\n")["id"]
    where = "--username me@example.com --db_connect myconnection2"
    line = f"results --job_id {job} --schema raw --table SYNC_ERRORS {where}"
    loaded, again = shell(*line.split(), "--json"), shell(*line.split())

    assert (loaded.code, again.code) == (0, 0)
    document = loaded.json
    (error,) = document.pop("errors")
    assert (error["class"], error["rows"]) == ("STRING_TOO_LONG", 1)
    assert document == {
        "job_id": job,
        "table": f"{lht_snowflake.name}.RAW.SYNC_ERRORS",
        "rows_loaded": 2,
        "rows_in_table": 2,
    }
    assert "It now has 2 rows." in again.out


def test_results_of_a_query_and_of_a_job_that_has_not_ended_are_refused(shell: Shell) -> None:
    api = Caller(shell.org).login()
    made = api.call("POST", "/jobs/ingest", {"object": "Contact", "operation": "insert"}).json()["id"]
    query = shell("query", "--bapi20", "--sobject", "Contact", "--wait", "--json").json["job_id"]
    unended, wrong = (shell("results", "--job_id", job, "--table", "E", "--json") for job in (made, query))

    assert (unended.code, wrong.code) == (6, 3)
    assert "--wait" in unended.json["error"]["hint"]
    assert f"lht bulk_results --job_id {query} --sobject Contact" in wrong.json["error"]["hint"]


def test_bulk_results_make_the_next_sync_full(shell: Shell) -> None:
    shell("sync", "--sobject", "Account", "--table", "A")
    job = shell("query", "--bapi20", "--sobject", "Account", "--wait", "--json").json
    shell("bulk_results", "--job_id", job["job_id"], "--sobject", "Account", "--table", "A")

    (after,) = shell("sync", "--sobject", "Account", "--table", "A", "--json").json["objects"]

    assert after["mode"] == "full"


def test_a_job_that_is_not_complete_has_no_results(shell: Shell) -> None:
    assert shell.org is not None
    shell.org.admin.change_settings(job_delay_s=60)
    try:
        job_id = shell("query", "--bapi20", "--sobject", "Account", "--json").json["job_id"]
        outcome = shell("bulk_results", "--job_id", job_id, "--sobject", "Account", "--table", "A")
        status = shell("bulk_status", "--job_id", job_id, "--json")
        aborted = shell("jobs", "--abort", job_id, "--state", "aborted", "--json").json["jobs"]
    finally:
        shell.org.admin.change_settings(job_delay_s=0)

    assert outcome.code == 6
    assert "--wait" in outcome.err
    assert status.code == 0
    assert status.json["state"] in {"UploadComplete", "InProgress"}
    assert job_id in {job["id"] for job in aborted}
    assert shell("bulk_status", "--job_id", job_id, "--wait").code == 6
    assert shell("jobs", "--delete", job_id).code == 0
    assert shell("bulk_status", "--job_id", job_id).code == 6


def test_rest_queries_as_table_csv_and_json(shell: Shell) -> None:
    argv = ("query", "--soql", "SELECT Name, Owner.Name FROM Account LIMIT 2")
    table, as_csv, as_json = shell(*argv), shell(*argv, "--format", "csv"), shell(*argv, "--json")

    assert table.out.splitlines()[0].split() == ["Name", "Owner.Name"]
    assert as_csv.out.splitlines()[0] == "Name,Owner.Name"
    assert as_json.json["total"] == 2
    assert [set(r) for r in as_json.json["records"]] == [{"Name", "Owner.Name"}] * 2
    assert "of" in shell("query", "--sobject", "Account", "--limit", "1").err


def test_runs_and_reset(shell: Shell) -> None:
    assert shell("runs").out == "No runs yet.\n"
    run_id = shell("sync", "--sobject", "Account", "--table", "A", "--json").json["run_id"]

    (only,) = shell("runs", "--json").json["runs"]
    assert only["run_id"] == run_id
    assert only["status"] == "done"
    assert only["result"]["rows_in_table"] == 120
    assert run_id in shell("runs").out
    assert shell("reset", "--table", "A", "--json").json["known"] is True
    assert "remembered nothing" in shell("reset", "--table", "B").out
    (after,) = shell("sync", "--sobject", "Account", "--table", "A", "--json").json["objects"]
    assert after["mode"] == "full"


def test_logout_forgets(shell: Shell) -> None:
    assert shell("logout").code == 0
    assert shell("objects").code == 4


def test_another_folder_by_option(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shell.folder.parent)

    assert shell("-C", "project", "objects").code == 0


def test_quiet_says_nothing_but_errors(shell: Shell) -> None:
    assert shell("sync", "--sobject", "Account", "-q").err == ""
    assert "Acount" in shell("sync", "--sobject", "Acount", "-q").err


def test_an_object_that_is_named_twice_is_synced_once(shell: Shell) -> None:
    outcome = shell("sync", "--sobject", "User", "--sobject", "Contact", "--sobject", "user", "--json")

    assert [item["object"] for item in outcome.json["objects"]] == ["User", "Contact"]


def test_looking_back_makes_no_file(bare: Shell) -> None:
    runs = bare("runs", "--db_connect", "duckdb:///none.duckdb", "--json")
    reset = bare("reset", "--table", "T", "--db_connect", "duckdb:///none.duckdb")

    assert runs.json == {"runs": []}
    assert reset.code == 3
    assert "none.duckdb does not exist" in reset.err
    assert not (bare.folder / "none.duckdb").exists()


def test_a_url_without_a_file_keeps_nothing_by_accident(shell: Shell) -> None:
    outcome = shell("sync", "--sobject", "User", "--db_connect", "duckdb:///")

    assert outcome.code == 3
    assert "names no file" in outcome.err


def test_a_job_that_is_to_be_deleted_must_be_there(shell: Shell) -> None:
    outcome = shell("jobs", "--delete", "750000000000000AAA")

    assert outcome.code == 6
    assert "no Bulk API 2.0 job 750000000000000AAA" in outcome.err


def test_runs_that_write_to_salesforce_are_listed_and_their_rows_pruned(shell: Shell) -> None:
    from datetime import UTC, datetime

    import pyarrow as pa

    from lht.model.retl import ErrorClass, Intent, Operation, Part, PartStatus, RetlResult
    from lht.state.retl_store import RetlState
    from lht.warehouse.duckdb import open_duckdb

    intent = Intent(
        "run-a", "00D", "Account", "retl_update", Operation.UPDATE, "Id", ("Id",), ("Id",), "f", "SELECT 1", "{}",
        1, 0, datetime(2020, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    part = Part("run-a", 1, 1, Operation.UPDATE, PartStatus.PLANNED, 1, 10)
    errors = (ErrorClass("REQUIRED_FIELD_MISSING", 1, "Required fields are missing"),)
    result = RetlResult("run-a", "update", "Account", 1, rows_sent=1, rows_failed=1, errors=errors)
    with open_duckdb(str(shell.folder / "lake.duckdb")) as lake:
        state = RetlState(lake)
        state.ensure()
        state.begin(intent, [part], pa.table({"part": [1], "row_number": [1], "sent": ['["x"]']}).to_reader())
    interrupted = shell("runs")
    with open_duckdb(str(shell.folder / "lake.duckdb")) as lake:
        RetlState(lake).finish(intent, result)

    assert "goes on where it stopped" in interrupted.out
    assert "REQUIRED_FIELD_MISSING: 1 rows" in shell("runs").out
    (run,) = shell("runs", "--json").json["runs"]
    assert (run["status"], run["command"], run["result"]["rows_failed"]) == ("failed", "retl_update", 1)
    assert "1 rows would be removed" in shell("prune", "--older_than", "90d", "--dry_run").out
    assert shell("prune", "--older_than", "90", "--json").json["outbox_rows"] == 1
    assert rows_of(shell, "SELECT * FROM lht.outbox") == []
    assert shell("prune", "--older_than", "soon").code == 2
