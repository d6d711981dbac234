"""An org made from saved describes, from the command line: started and synced like any other."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Shell


def save(folder: Path) -> dict[str, Any]:
    """Saves a describe of Account that lacks a field and has one more, in the form that `sf` prints."""
    with simulator() as org:
        body: dict[str, Any] = Caller(org).login().get("/sobjects/Account/describe").json()
    more = next(field for field in body["fields"] if field["name"] == "AnnualRevenue")
    body["fields"] = [field for field in body["fields"] if field["name"] != "Fax"]
    body["fields"].append(
        more | {"name": "Fee__c", "label": "Fee", "custom": True, "nillable": False, "scale": 2}
    )
    folder.mkdir()
    (folder / "Account.json").write_text(json.dumps({"status": 0, "result": body}), encoding="utf-8")
    return body


@pytest.mark.parametrize("option", ["--from_describe", "--from-describe"])
def test_the_command_serves_an_org_like_the_saved_one_and_it_is_synced(bare: Shell, option: str) -> None:
    body = save(bare.folder / "describes")
    argv = [sys.executable, "-m", "lht", "simulator", "start", "--port", "0", option, "describes"]
    argv += ["--records", "40", "--write_config", "."]
    with subprocess.Popen(argv, cwd=bare.folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() not in {"ready", ""}:
            pass
        codes = [bare("login").code]
        synced = bare("sync", "--sobject", "Account", "--table", "T", "--db_connect", "myconnection", "-q")
        process.terminate()
    with duckdb.connect(str(bare.folder / "lake.duckdb")) as lake:
        columns = {str(row[0]) for row in lake.execute("DESCRIBE T").fetchall()}
        rows = lake.execute("SELECT count(*), count(Fee__c) FROM T").fetchone()

    assert [*codes, synced.code, process.returncode] == [0, 0, 0]
    assert rows == (40, 40)
    assert {field["name"] for field in body["fields"] if field["type"] != "address"} <= columns
    assert "Fax" not in columns
