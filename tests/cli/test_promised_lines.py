"""The command lines that the guide promises, word for word, as processes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import duckdb

import lht
from lht.salesforce import retl
from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from conftest import Shell

WHERE = "--username me@example.com --db_connect myconnection"
LINES = [
    "login",
    f"create --sobject Account --table MY_ACCOUNTS {WHERE}",
    f"sync --sobject Account --table MY_ACCOUNTS --sync_field Id {WHERE}",
    f'sync --sobject Account --table MY_ACCOUNTS --sync_field Id --lastmodifieddate "2024-01-01 00:00:00" {WHERE}',
    f"sync --sobject Account --table MY_ACCOUNTS --sync_field Id --batch_size 5000 {WHERE}",
    f"query --bapi20 --sobject Account {WHERE}",
]


def test_the_guides_lines_work_as_they_stand(shell: Shell) -> None:
    outcomes = [shell.process(*shlex.split(line)) for line in LINES]
    job_id = outcomes[-1].out.split()[1]
    status = shell.process(*shlex.split(f"bulk_status --job_id {job_id} --username me@example.com"))
    shell.process("bulk_status", "--job_id", job_id, "--wait")
    written = Caller(shell.org).login().load("Contact", "insert", f"LastName\nA\n{'x' * 300}\n")["id"]
    results = shell.process(
        *shlex.split(
            f"bulk_results --job_id {job_id} --sobject Account --schema raw --table MY_TABLE {WHERE}"
        )
    )

    errors = shell.process(
        *shlex.split(f"results --job_id {written} --schema raw --table SYNC_ERRORS {WHERE}")
    )

    done = [*outcomes, status, results, errors]
    assert [(o.code, o.err if o.code else "") for o in done] == [(0, "")] * 9
    assert job_id.startswith("750")
    with duckdb.connect(str(shell.folder / "lake.duckdb")) as lake:
        ((live,),) = lake.execute("SELECT count(*) FROM MY_ACCOUNTS WHERE NOT IsDeleted").fetchall()
        ((loaded,),) = lake.execute("SELECT count(*) FROM raw.MY_TABLE").fetchall()
        codes = lake.execute("SELECT error_code FROM raw.SYNC_ERRORS ORDER BY 1").fetchall()
    assert live == loaded > 0
    assert codes == [("STRING_TOO_LONG",), (None,)]
    assert "STRING_TOO_LONG" in errors.out


def test_the_lines_that_write_work_as_they_stand(bare: Shell) -> None:
    query = bare.folder / "path" / "to" / "query.sql"
    query.parent.mkdir(parents=True)
    query.write_text("SELECT 'key-1' AS ExternalId, 'Aurora' AS Name")
    with simulator() as org:
        bare.log_in(org)
        written = bare.process(
            *shlex.split(
                "retl_upsert --sobject Account --query path/to/query.sql --field ExternalId"
                " --username me@example.com --db_connect myconnection"
            )
        )
        with lht.connect_org() as opened, duckdb.connect("session.duckdb") as session:
            access_info = {"access_token": opened.login.access_token, "instance_url": org.url}
            (bare.folder / "query.sql").write_text("SELECT 'key-1' AS ExternalId, 'Borealis' AS Name")
            result = retl.upsert(session, access_info, "Account", "query.sql", "ExternalId")
            found = opened.request("GET", "query", params={"q": "SELECT Id, Name FROM Account"}).json()[
                "records"
            ]
        query.write_text(f"SELECT '{found[0]['Id']}' AS Id")
        deleted = bare.process(
            *shlex.split(
                "retl_delete --sobject Account --query path/to/query.sql --field Id"
                " --username me@example.com --db_connect myconnection"
            )
        )

    assert [(o.code, o.err if o.code else "") for o in (written, deleted)] == [(0, "")] * 2
    assert [record["Name"] for record in found] == ["Borealis"]
    assert (result.rows_succeeded, result.rows_created) == (1, 0)
