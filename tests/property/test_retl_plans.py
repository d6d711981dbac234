"""Rows checked, compared and cut as a plan does it: all mistakes at once, only what changes, no row lost."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from retl_rows import THING, Rows, describe, open_rows

from lht.errors import PlanRefusedError
from lht.model.retl import Nulls, Operation, RetlOptions, RetlRequest
from lht.retl import checks, diff, parts
from lht.retl.columns import match_columns
from lht.retl.query import bare_query, check_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.retl.columns import Matched

UPSERT, UPDATE, INSERT, DELETE = Operation.UPSERT, Operation.UPDATE, Operation.INSERT, Operation.DELETE
A_THING = "a01000000000001AAA"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    with open_rows(tmp_path_factory.mktemp("work")) as rows:
        yield rows


@pytest.fixture
def rows(opened: Rows) -> Rows:
    for table in ("source", "encoded", "held", "pushed", "outbox"):
        opened.run.work.execute(f"DROP TABLE IF EXISTS {table}")
    return opened


def match(names: str, operation: Operation, match_field: str | None = None, **options: Any) -> Matched:
    request = RetlRequest(operation, "Thing__c", "", match_field, options=RetlOptions(**options))
    return match_columns(THING, names.split(), request, describe)


def codes(matched: Matched) -> list[str]:
    return [mistake.code for mistake in matched.mistakes]


# --- the query


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 AS a",
        "-- why\nselect a from b; -- the end",
        "WITH x AS (SELECT 1 AS a) SELECT * FROM x UNION ALL SELECT 2;",
        "(SELECT 1)",
        "WITH x AS (SELECT 1 AS a) SELECT a FROM x WHERE a ???",
        "SELECT 'a;b' AS update_text, \"DELETE\" FROM t /* ; */",
    ],
)
def test_what_only_reads_is_let_through(text: str) -> None:
    for dialect in ("duckdb", "snowflake"):
        check_query(text, dialect=dialect)
        assert not bare_query(text, dialect=dialect).endswith(";")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("-- nothing", "empty"),
        ("DELETE FROM t", "begins with DELETE"),
        ("SELECT 1; DROP TABLE t", "several statements (a semicolon in line 1)"),
        ("WITH x AS (DELETE FROM t RETURNING id) SELECT * FROM x", "does more than read"),
        ("WITH x AS (SELECT 1) DELETE FROM t", "does more than read"),
        ("SELECT 1 INTO t", "does more than read"),
        ("SELECT 'open", "cannot be read"),
        ("CALL p()", "begins with CALL"),
    ],
)
def test_what_does_more_is_refused(text: str, said: str) -> None:
    with pytest.raises(PlanRefusedError) as caught:
        check_query(text, dialect="duckdb")
    assert said in caught.value.message


# --- the columns


def test_columns_are_fields_in_any_letter_case_and_without_what_custom_ones_end_in() -> None:
    matched = match("KEY NAME text__C sky", UPSERT, "key")

    assert [column.header for column in matched.columns] == ["Key__c", "Name", "Text__c", "Sky__c"]
    assert [column.is_key for column in matched.columns] == [True, False, False, False]
    assert matched.mistakes == ()
    assert "KEY as Key__c, sky as Sky__c" in matched.warnings[0]


def test_relationships_name_the_type_exactly_where_there_are_several() -> None:
    plain = match("Id Parent.Key__c User:Owner.Username", UPDATE)
    needless = match("Id Thing__c:Parent.Key__c", UPDATE)
    underscored = match("ID PARENT_KEY__C", UPDATE)
    missing = match("Id Owner.Username Parent.Text__c Parent.Parent.Key__c Nobody.Key__c", UPDATE)
    by_id = match("Id Parent.Id", UPDATE)

    assert [c.header for c in plain.columns] == ["Id", "Parent.Key__c", "User:Owner.Username"]
    assert [(c.target, c.parent) for c in plain.columns[1:]] == [
        ("ParentId", "Thing__c"),
        ("OwnerId", "User"),
    ]
    assert needless.columns[1].header == underscored.columns[1].header == "Parent.Key__c"
    assert by_id.columns[1].header == "ParentId"
    assert codes(missing)[:4] == [
        "AMBIGUOUS_RELATIONSHIP",
        "BAD_RELATIONSHIP",
        "BAD_RELATIONSHIP",
        "UNKNOWN_RELATIONSHIP",
    ]


def test_all_mistakes_of_the_columns_come_at_once() -> None:
    matched = match("Nmae Sum__c CreatedDate Place__c Text Text__c", INSERT, mapping={"x": "Name"})

    assert codes(matched) == [
        "UNKNOWN_COLUMN", "UNKNOWN_FIELD", "SAME_FIELD", "READ_ONLY", "READ_ONLY", "UNSUPPORTED_TYPE",
        "REQUIRED_FIELD_MISSING",
    ]  # fmt: skip
    assert "Did you mean Name" in matched.mistakes[1].way_out
    assert "is a formula" in matched.mistakes[3].message


@pytest.mark.parametrize(
    ("operation", "match_field", "names", "expected"),
    [
        (UPDATE, None, "Name", ["NO_MATCH_COLUMN"]),
        (UPDATE, "Key", "Id Name", ["BAD_MATCH_FIELD"]),
        (UPDATE, None, "Id", ["NOTHING_TO_WRITE"]),
        (UPSERT, None, "Key Name", ["NO_MATCH_FIELD"]),
        (UPSERT, "Text", "Text Name", ["BAD_MATCH_FIELD"]),
        (UPSERT, "Kye", "Key Name", ["UNKNOWN_FIELD"]),
        (UPSERT, "Id", "Id Name", []),
        (UPDATE, None, "Id Once__c", ["READ_ONLY"]),
        (INSERT, None, "Id Name", ["READ_ONLY"]),
        (DELETE, "Id", "Id Whatever", []),
        (DELETE, None, "Name", ["NO_MATCH_COLUMN"]),
    ],
)
def test_each_operation_wants_its_key(
    operation: Operation, match_field: str | None, names: str, expected: list[str]
) -> None:
    assert codes(match(names, operation, match_field)) == expected


def test_a_result_key_is_a_column_that_new_rows_fill(rows: Rows) -> None:
    asked = rows.asked(INSERT, result_key="Text")
    asked.lay("SELECT 'a' AS name UNION ALL SELECT 'b'")

    assert asked.texts("c2") == ["run1:1", "run1:2"]
    assert codes(match("Name", INSERT, result_key="Once__c")) == ["BAD_RESULT_KEY"]


# --- the rows


def test_all_mistakes_of_the_rows_come_at_once_with_count_example_and_way_out(rows: Rows) -> None:
    asked = rows.asked(UPSERT, "Key")
    matched = asked.lay(
        """SELECT * FROM (VALUES
        ('k1', 'ok', 'good', 'Rare;heavy', 1.5::DOUBLE, '1', 'a@b.c', NULL, '2024-01-01'),
        ('K1 ', repeat('x', 256), 'Bad', 'Rare;Odd', 'nan', '1.5', 'no', '#N/A', '1066-10-14'),
        (NULL, repeat('x', 300), 'So ''SO''', '', '1e17', 'one', NULL, ' ', '2024-02-30'),
        (' ', '', '', NULL, 'inf', '1234567890', '', chr(0), '')
        ) AS t(key, text, mood, traits, ratio, count__c, email, long, found)"""
    )
    found = {(m.code, m.field): m for m in asked.mistakes(matched)}

    assert {known: mistake.rows for known, mistake in found.items()} == {
        ("NOT_A_NUMBER", "Ratio__c"): 2,
        ("TOO_MANY_DIGITS", "Ratio__c"): 1,
        ("NOT_WHOLE", "Count__c"): 1,
        ("WRONG_TYPE", "Count__c"): 1,
        ("TOO_MANY_DIGITS", "Count__c"): 1,
        ("BAD_EMAIL", "Email__c"): 1,
        ("NULL_MARK", "Long__c"): 1,
        ("NUL_CHARACTER", "Long__c"): 1,
        ("OUT_OF_RANGE", "Found__c"): 1,
        ("WRONG_TYPE", "Found__c"): 1,
        ("EMPTY_KEY", "Key__c"): 2,
        ("TOO_LONG", "Text__c"): 2,
        ("BAD_PICKLIST_VALUE", "Mood__c"): 1,
        ("BAD_PICKLIST_VALUE", "Traits__c"): 1,
        ("DUPLICATE_KEY", "Key__c"): 2,
    }
    too_long = found["TOO_LONG", "Text__c"]
    assert (
        too_long.message
        == "2 rows have a text in text that is longer than the 255 characters of Thing__c.Text__c."
    )
    assert too_long.example.startswith("row 2: 'xxxx")
    assert len(too_long.example) < 60
    assert all(mistake.way_out for mistake in found.values())


def test_ids_are_known_by_their_shape_and_object(rows: Rows) -> None:
    asked = rows.asked(UPDATE)
    matched = asked.lay(
        f"""SELECT unnest(['{A_THING}', '{A_THING[:15]}', 'x', '001000000000001AAA', lower('a01D000000IRt5wIAD')]) AS id,
        'n' AS name"""
    )

    assert asked.codes(matched) == {"MALFORMED_ID": 1, "WRONG_OBJECT": 1, "DUPLICATE_KEY": 2}
    assert asked.texts() == [A_THING, A_THING, None, "001000000000001AAA", "a01D000000IRt5wIAD"]


def test_what_is_empty_leaves_a_field_alone_or_empties_it(rows: Rows) -> None:
    select = f"SELECT '{A_THING}' AS id, NULL AS name, '' AS text, NULL AS checked, NULL::DATE AS found, '#N/A' AS long"
    ignoring = rows.asked(UPDATE)
    ignoring.lay(select.replace("'#N/A'", "'x'"))
    assert [ignoring.texts(f"c{n}") for n in range(2, 7)] == [[None], [None], [None], [None], ["x"]]

    clearing = rows.asked(UPDATE, nulls=Nulls.CLEAR)
    matched = clearing.lay(select)
    assert [clearing.texts(f"c{n}") for n in range(2, 7)] == [[None], ["#N/A"], [None], ["#N/A"], ["#N/A"]]
    assert clearing.codes(matched) == {"CANNOT_BE_EMPTY": 1}


def test_lists_and_bytes_are_refused_and_what_is_cut_off_is_said(rows: Rows) -> None:
    asked = rows.asked(UPDATE)
    matched = asked.lay(
        f"SELECT '{A_THING}' AS id, [1] AS text, 'x'::BLOB AS long, true AS ratio, "
        "TIMESTAMP '2024-01-01 10:00:00.123456' AS seen, TIMESTAMP '2024-01-01 10:00:00' AS found"
    )

    found = asked.mistakes(matched)
    assert [(m.code, m.field) for m in found] == [
        ("UNSUPPORTED_TYPE", "Text__c"), ("UNSUPPORTED_TYPE", "Long__c"), ("WRONG_TYPE", "Ratio__c"),
    ]  # fmt: skip
    assert checks.find_warnings(asked.run, matched) == (
        "Seen__c loses digits beyond milliseconds in 1 row.",
        "Found__c loses the time of day in 1 row.",
    )


def test_deletes_are_counted(rows: Rows) -> None:
    select = "SELECT 'a0100000000000' || i AS id FROM range(1, 4) AS t(i)"

    asked = rows.asked(DELETE, max_deletes=2)
    assert asked.codes(asked.lay(select)) == {"TOO_MANY_DELETES": 3}
    sure = rows.asked(DELETE, max_deletes=2, yes=True)
    assert sure.codes(sure.lay(select)) == {}


def test_rows_without_an_id_are_new_records_only_where_that_was_asked(rows: Rows) -> None:
    select = f"SELECT unnest(['{A_THING}', NULL]) AS id, 'n' AS name"

    asked = rows.asked(UPSERT, "Id")
    assert asked.codes(asked.lay(select)) == {"EMPTY_KEY": 1}
    inserting = rows.asked(UPSERT, "Id", insert_missing=True)
    assert inserting.codes(inserting.lay(select)) == {}
    assert inserting.texts("operation") == ["upsert", "insert"]


# --- what changes


def test_only_what_salesforce_would_tell_apart_is_a_change(rows: Rows) -> None:
    asked = rows.asked(UPSERT, "Key", nulls=Nulls.CLEAR)
    matched = asked.lay(
        """SELECT * FROM (VALUES
        ('k1', ' Ann@X.org ', 1.005, 'blue', 'Heavy;rare', TIMESTAMP '2024-01-01 10:00:00.9', 'p1', NULL),
        ('k2', 'b@x.org', 2.0, 'Grey', 'Rare', NULL, NULL, 'kept'),
        ('k3', 'c@x.org', 3.0, 'Grey', 'Rare', NULL, NULL, 'Now'),
        ('k4', 'd@x.org', 4.0, 'Grey', 'Rare', NULL, NULL, 'new')
        ) AS t(key, email, ratio, sky, traits, seen, "Parent.Key__c", long)"""
    )
    asked.run.work.execute(
        """CREATE OR REPLACE TABLE held AS SELECT * FROM (VALUES
        (1, 'x', 'K1', 'ann@x.org', '1.01', 'Blue', 'Rare;Heavy', '2024-01-01T10:00:00.000+0000', 'P1', NULL),
        (2, 'x', 'k2', 'b@x.org', '2.0E0', 'Grey', 'Rare', NULL, NULL, 'kept'),
        (3, 'x', 'k3', 'c@x.org', '3', 'Grey', 'Rare', NULL, NULL, 'now'),
        (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
        ) AS t(row_number, record_id, h1, h2, h3, h4, h5, h6, h7, h8)"""
    )
    (only,) = diff.first_differences(asked.run, matched.columns)

    assert (only.row, only.key, only.field, only.old, only.new) == (3, "k3", "Long__c", "now", "Now")
    assert diff.drop_unchanged(asked.run, matched.columns, "held") == 2
    assert asked.texts("match_key") == ["k3", "k4"]


def test_against_what_was_written_a_field_not_written_before_is_a_change(rows: Rows) -> None:
    asked = rows.asked(UPSERT, "Key", nulls=Nulls.CLEAR)
    matched = asked.lay("SELECT unnest(['a', 'B ', 'c']) AS key, unnest(['1', NULL, NULL]) AS text")
    asked.run.work.execute(
        "CREATE OR REPLACE TABLE pushed AS SELECT * FROM (VALUES ('a', ['a', '1']), ('b', ['b', '#N/A']), ('c', ['c', NULL])) "
        "AS t(match_key, sent)"
    )

    assert diff.drop_unchanged(asked.run, matched.columns, "pushed") == 2
    assert asked.texts("match_key") == ["c"]


# --- parts


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(
    texts=st.lists(
        st.none() | st.sampled_from(['"', 'a"b,c', "é" * 9, "x" * 40, "line\nline"]), min_size=1, max_size=60
    ),
    max_rows=st.integers(1, 70),
    max_bytes=st.integers(130, 4000),  # the largest row takes 122 bytes with the header, and is never cut
)
def test_no_row_is_lost_doubled_or_in_too_large_a_part(
    opened: Rows,
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str | None],
    max_rows: int,
    max_bytes: int,
) -> None:
    asked, work = opened.asked(UPSERT, "Id", insert_missing=True), opened.run.work
    listed = ", ".join("NULL" if text is None else f"'{text}'" for text in texts)
    matched = asked.lay(
        f"SELECT CASE WHEN i % 5 > 0 THEN 'a01' || lpad(i::VARCHAR, 12, '0') END AS id, t AS text, 'a01' || lpad((i % 3)::VARCHAR, "
        f"12, '0') AS parentid, 'n' AS name FROM (SELECT unnest([{listed}]) AS t, generate_subscripts([{listed}], 1) AS i)"
    )
    work.execute("DROP TABLE IF EXISTS outbox")
    cut = parts.cut(asked.run, matched.columns, max_rows=max_rows, max_bytes=max_bytes)

    assert work.query("SELECT row_number FROM outbox ORDER BY 1") == [(n,) for n in range(1, len(texts) + 1)]
    assert [part.number for part in cut] == list(range(1, len(cut) + 1))
    folder = tmp_path_factory.mktemp("parts")
    for part in cut:
        assert part.rows <= max_rows
        assert work.value(f"SELECT count(DISTINCT operation) FROM outbox WHERE part = {part.number}") == 1
        size, read = written(work, matched, part.number, folder)
        assert size <= part.bytes <= max_bytes
        assert [row[2] for row in read] == sorted(row[2] for row in read)


def written(work: Any, matched: Matched, part: int, folder: Path) -> tuple[int, list[list[str]]]:
    cells = ", ".join(f'sent[{n}] AS "{c.header}"' for n, c in enumerate(matched.columns, start=1))
    path = folder / f"{part}.csv"
    sql = f"SELECT {cells} FROM outbox WHERE part = {part} ORDER BY {parts.order_sql(matched.columns)}"
    size = work.write_csv(sql, path)
    with path.open(encoding="utf-8", newline="") as lines:
        return size, list(csv.reader(lines))[1:]
