"""What is asked of a run that writes to Salesforce: the query, the options, the match field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.app import reverse
from lht.errors import ConfigError, RowsFailedError
from lht.model.retl import Nulls, Operation, RetlResult

if TYPE_CHECKING:
    from pathlib import Path

SELECT = "SELECT 1 AS Id"


def ask(operation: str, match_field: str | None = None, **options: Any) -> Any:
    return reverse.request_for(
        operation, "Account", (SELECT, "q.sql"), match_field=match_field, options=options
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_query_is_a_path_or_the_text_itself(folder: Path) -> None:
    (folder / "q.sql").write_text(f"\ufeff{SELECT}", encoding="utf-8")
    (folder / "my query").write_text(SELECT, encoding="utf-8")

    assert reverse.read_query("q.sql") == (SELECT, "q.sql")
    assert reverse.read_query(folder / "q.sql") == (SELECT, str(folder / "q.sql"))
    assert reverse.read_query("my query") == (SELECT, "my query")
    assert reverse.read_query(SELECT) == (SELECT, "the query")
    assert reverse.read_query(f"{SELECT}\n-- of all.sql") == (f"{SELECT}\n-- of all.sql", "the query")
    assert reverse.read_query("x" * 5000 + " y")[1] == "the query"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("nowhere.sql", "nowhere.sql"),
        ("NOWHERE.SQL", "NOWHERE.SQL"),
        (" \n", "empty"),
        (";", "empty"),
        ("empty.sql", "empty.sql is empty"),
        ("latin.sql", "not UTF-8"),
        ("folder.sql", "folder.sql"),
    ],
)
def test_a_query_that_cannot_be_read_is_told_by_its_name(folder: Path, query: str, told: str) -> None:
    (folder / "empty.sql").touch()
    (folder / "latin.sql").write_bytes("SELECT 'é'".encode("latin-1"))
    (folder / "folder.sql").mkdir()

    with pytest.raises(ConfigError, match=told):
        reverse.read_query(query)


def test_sql_in_place_of_a_file_is_recognised(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        reverse.read_query("SELECT Id\nFROM T", must_be_file=True)

    assert "--sql" in caught.value.hint


def test_each_operation_knows_how_it_finds_records() -> None:
    assert ask("insert").match_field is None
    assert ask("update").match_field == ask("delete", "id").match_field == "Id"
    assert ask("upsert", "Key__c").match_field == "Key__c"
    for operation, field in (("insert", "Id"), ("update", "Key__c"), ("delete", "Name"), ("upsert", None)):
        with pytest.raises(ConfigError):
            ask(operation, field)
    with pytest.raises(ConfigError, match="merge"):
        ask("merge")


def test_options_are_checked_by_name_value_and_use() -> None:
    wanted = ask("upsert", "Key__c", nulls="clear", compare_org=True, mapping={"A": "B"}).options
    assert (wanted.nulls, wanted.only_changed, wanted.mapping) == (Nulls.CLEAR, True, {"A": "B"})
    for operation, given, told in (
        ("insert", {"only_changd": True}, "only_changed"),
        ("insert", {"only_changed": True}, "no meaning for insert"),
        ("delete", {"nulls": "clear"}, "no meaning for delete"),
        ("insert", {"undo": False}, "no meaning for insert"),
        ("insert", {"recreate": True}, "an undo"),
        ("update", {"baseline": "T"}, "if_unchanged_since_sync"),
        ("update", {"nulls": "drop"}, "ignore or clear"),
        ("update", {"batch_size": 0}, "1 or more"),
        ("update", {"api_budget": 101.0}, "percentage"),
    ):
        with pytest.raises(ConfigError) as caught:
            ask(operation, **given)
        assert told in str(caught.value)


def test_rows_that_were_not_written_are_raised_with_the_result() -> None:
    whole = RetlResult("r1", Operation.UPDATE, "Account", rows_selected=2, rows_sent=2, rows_succeeded=2)
    part = RetlResult(
        "r1", "update", "Account", rows_selected=3, rows_sent=2, rows_failed=2, rows_conflicting=1
    )

    reverse.raise_failures(whole)
    with pytest.raises(RowsFailedError, match="of 3 rows 2 failed, 1 were left alone as conflicts") as caught:
        reverse.raise_failures(part)

    assert caught.value.result is part
    assert "r1" in caught.value.hint
