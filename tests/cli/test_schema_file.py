"""A local org with objects of one's own, from the command line: started, synced, refused."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from conftest import Shell

FILE = """\
[objects.Invoice__c]
label = "Invoice"

[[objects.Invoice__c.fields]]
name = "Amount__c"
type = "currency"
precision = 16
scale = 2

[[objects.Invoice__c.fields]]
name = "Account__c"
type = "reference"
reference_to = "Account"
"""


def test_a_new_object_is_synced_with_what_changes_and_goes(bare: Shell) -> None:
    path = bare.folder / "schema.toml"
    path.write_text(FILE, encoding="utf-8")
    argv = ("sync", "--sobject", "Invoice__c", "--table", "invoices", "--db_connect", "myconnection", "-q")
    with simulator(schema=path) as org:
        bare.log_in(org)
        rest = Caller(org).login()
        account = rest.create("Account", Name="A")
        first, second = (rest.create("Invoice__c", Amount__c=n + 0.25, Account__c=account) for n in (1, 2))
        codes = [bare(*argv).code]
        org.admin.advance_clock(3600)
        rest.login()
        rest.call("PATCH", f"/sobjects/Invoice__c/{first}", {"Amount__c": 9})
        rest.call("DELETE", f"/sobjects/Invoice__c/{second}")
        codes.append(bare(*argv).code)
    with duckdb.connect(str(bare.folder / "lake.duckdb")) as lake:
        rows = lake.execute(
            "SELECT Id, Amount__c, Account__c, _lht_deleted_at IS NOT NULL FROM invoices"
        ).fetchall()
        kind = lake.execute("SELECT typeof(Amount__c) FROM invoices").fetchone()

    assert codes == [0, 0]
    assert sorted((row[0], float(row[1]), *row[2:]) for row in rows) == [
        (first, 9.0, account, False), (second, 2.25, account, True),
    ]  # fmt: skip
    assert kind == ("DECIMAL(38,2)",)


def test_the_command_serves_the_objects_of_the_file(bare: Shell) -> None:
    (bare.folder / "schema.toml").write_text(FILE, encoding="utf-8")
    argv = [sys.executable, "-m", "lht", "simulator", "start", "--port", "0", "--schema", "schema.toml"]
    argv += ["--write_config", "."]
    with subprocess.Popen(argv, cwd=bare.folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() not in {"ready", ""}:
            pass
        codes = [bare("login").code]
        listed = bare("objects", "--like", "Invoice", "--json")
        process.terminate()

    assert [*codes, listed.code, process.returncode] == [0, 0, 0]
    assert "Invoice__c" in listed.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FILE.replace("currency", "money"), ("Invoice__c", "Amount__c", "'money'", "currency")),
        (FILE.replace('"Account"', '"Acount"'), ("Invoice__c", "Account__c", "'Acount'", "Account,")),
        ("[", ("not TOML",)),
        (None, ("cannot read",)),
    ],
)
def test_a_wrong_file_is_told_by_name_and_nothing_starts(
    text: str | None, words: tuple[str, ...], bare: Shell
) -> None:
    if text:
        (bare.folder / "schema.toml").write_text(text, encoding="utf-8")

    outcome = bare.process("simulator", "start", "--port", "0", "--path", "org", "--schema", "schema.toml")
    told = " ".join(outcome.err.split())

    assert (outcome.code, outcome.out) == (3, "")
    assert [word for word in ("schema.toml", *words) if word not in told] == []
    assert "Traceback" not in told
    assert not (bare.folder / "org").exists()
