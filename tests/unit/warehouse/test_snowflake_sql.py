"""Every statement that LHT can make for Snowflake, parsed by another parser and kept where people can read it.

The snapshots are the files of `snowflake_sql/`: one statement a block, under what it is made for.
Nothing here runs: what the statements do is shown where they run.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlglot
from sqlglot import exp

import lht
from lht.model.retl import Intent, Operation, Outcome, Part, PartStatus
from lht.model.sync import DeletePolicy
from lht.model.table import Column, ColumnKind, ColumnType, TableName, TableOptions
from lht.state import retl_statements as sql_of_retl
from lht.state import statements as sql_of_state
from lht.state.names import Names
from lht.state.standing import standing_statement
from lht.state.tables import (
    BEFORE_IMAGES,
    INTENTS,
    META,
    OUTBOX,
    PARTS,
    PUSHED,
    ROW_RESULTS,
    RUNS,
    system_columns,
)
from lht.warehouse import deletions, live, merging, statements
from lht.warehouse.merge_spec import Deletions, MergeSpec
from lht.warehouse.snowflake import staging
from lht.warehouse.snowflake.dialect import CAPABILITIES, DIALECT
from lht.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


FILES = Path(__file__).parent / "snowflake_sql"
PACKAGE = Path(lht.__file__).parent
TEXT, BOOLEAN = ColumnType(ColumnKind.TEXT), ColumnType(ColumnKind.BOOLEAN)
TIMESTAMP, MONEY = ColumnType(ColumnKind.TIMESTAMP), ColumnType(ColumnKind.DECIMAL, precision=38, scale=2)
VARIANT = ColumnType(ColumnKind.VARIANT)
TABLE = TableName("LAKE", "CRM", "MY_ACCOUNTS")
ODD = TableName("my lake", "s.x", 'O"dd')
STAGING, MORE, IDS = (TableName("LAKE", "LHT", name) for name in ("RUN1_ROWS", "RUN1_MORE", "RUN1_IDS"))
COMMENTED = (
    Column("ID", ColumnType(ColumnKind.TEXT, length=18), comment="Account ID"),
    Column("NAME", TEXT, comment="Name: the customer's, as in C:\\new\\\nor so\\"),
    Column("AMOUNT", MONEY),
)
AT = datetime(2025, 2, 1, 12, tzinfo=UTC)
TYPES = {"ID": TEXT, "KEY__C": TEXT, "NAME": TEXT, "SYSTEMMODSTAMP": TIMESTAMP, "ISDELETED": BOOLEAN}
BY_ID = MergeSpec(
    target=TABLE,
    staging=STAGING,
    key_column="ID",
    columns=tuple(TYPES),
    stamp_column="SYSTEMMODSTAMP",
    deleted_column="ISDELETED",
    id_column="ID",
    policy=DeletePolicy.MARK,
    run_id="run1",
    synced_at=AT,
    system=system_columns(CAPABILITIES),
    compared=merging.compared_expressions(tuple(TYPES), TYPES, TYPES, DIALECT),
)
SPECS = {
    "by Id, deletions marked, Ids may be repeated": BY_ID,
    "by Id, deletions marked, no Id repeated": replace(BY_ID, has_duplicates=False),
    "by Id, deletions remove rows": replace(BY_ID, policy=DeletePolicy.REMOVE, has_duplicates=False),
    "by Id, deletions ignored": replace(BY_ID, policy=DeletePolicy.KEEP, has_duplicates=False),
    "by another key": replace(BY_ID, key_column="KEY__C"),
    "older stamps count, too": replace(BY_ID, trusts_stamps=False, has_duplicates=False),
    "no stamp, no deletions": replace(
        BY_ID, columns=("ID", "NAME"), stamp_column=None, deleted_column=None, compared=()
    ),
    "only some columns of rows that exist": replace(
        BY_ID, columns=("ID", "NAME"), stamp_column=None, deleted_column=None, fills=True, compared=()
    ),
    "a text that has a collation": replace(
        BY_ID,
        has_duplicates=False,
        compared=merging.compared_expressions(
            tuple(TYPES), {"name": TEXT}, {"name": ColumnType(ColumnKind.TEXT, is_collated=True)}, DIALECT
        ),
    ),
    "names that need their quotes": replace(
        BY_ID, target=ODD, key_column='k"ey', columns=("ID", 'k"ey', "select", "ISDELETED", "SYSTEMMODSTAMP")
    ),
}
PART = Part("run1", 1, 1, Operation.UPDATE, PartStatus.SETTLED, 5, 50)
INTENT = Intent(
    "run1", "00D", "Account", "retl_update", Operation.UPDATE, "Id", ("Id",), ("Id",), "f", "SELECT 1", "{}", 5, 0, AT
)  # fmt: skip
DELETED = Deletions(IDS, "ID", "DELETED_AT")

Case = tuple[str, Statement]


def of_tables() -> Iterator[Case]:
    yield "create_schema", statements.create_schema(TABLE)
    yield (
        "create_table",
        statements.create_table(TABLE, COMMENTED, DIALECT, comment="Account from Salesforce"),
    )
    options = TableOptions(transient=True, cluster_by="(CREATEDDATE, OWNERID)", retention_days=0)
    yield "create_table: options", statements.create_table(TABLE, COMMENTED, DIALECT, options=options)
    yield "create_table: odd names", statements.create_table(ODD, [Column('a "b"', VARIANT)], DIALECT)
    yield "create_scratch", statements.create_scratch(STAGING, COMMENTED, DIALECT)
    for column in COMMENTED[1:]:
        yield f"add_column: {column.name}", statements.add_column(TABLE, column, DIALECT)
    yield "alter_type: text", statements.alter_type(TABLE, "NAME", replace(TEXT, length=80), DIALECT)
    yield "alter_type: text of any length", statements.alter_type(TABLE, "NAME", TEXT, DIALECT)
    yield "alter_type: more digits", statements.alter_type(TABLE, "AMOUNT", MONEY, DIALECT)
    yield "rename_column", statements.rename_column(TABLE, "AMOUNT", "AMOUNT__LHT_OLD")
    for kind, new in (("number", MONEY), ("text", TEXT), ("variant", VARIANT), ("timestamp", TIMESTAMP)):
        column = Column("AMOUNT__LHT_NEW", new)
        converted = statements.convert_absent(
            TABLE, STAGING, "ID", old=Column("AMOUNT", MONEY), new=column, dialect=DIALECT
        )
        yield f"convert_absent: to {kind}", converted
    for kind in (ColumnKind.DATE, ColumnKind.TIMESTAMP, ColumnKind.TIME):
        old, new = Column("DUE", ColumnType(kind)), Column("DUE__LHT_NEW", TEXT)
        yield (
            f"convert_absent: {kind.value} to text",
            statements.convert_absent(TABLE, STAGING, "ID", old=old, new=new, dialect=DIALECT),
        )
    yield "drop_table", statements.drop_table(TABLE)
    assert statements.comments(TABLE, COMMENTED, DIALECT, "they stand in the statements above") == []
    columns = (*COMMENTED, Column("ISDELETED", BOOLEAN), Column("AMOUNT__LHT_OLD", MONEY))
    query = live.query_of(TABLE, columns, CAPABILITIES, system_columns(CAPABILITIES))
    for replaces in (False, True):
        for made in statements.create_view(TABLE, query, "LHT's\\", DIALECT, replaces=replaces):
            yield f"create_view: replaces={replaces}", made
    yield "view_comment", statements.view_comment(TABLE, DIALECT)
    yield "table_options", statements.table_options(TABLE, DIALECT)


def of_rows() -> Iterator[Case]:
    yield "count_rows", statements.count_rows(TABLE)
    yield "count_equal", statements.count_equal(TABLE, "_LHT_RUN_ID", "run1")
    yield "newest", statements.newest(TABLE, "SYSTEMMODSTAMP")
    yield "delete_all", statements.delete_all(TABLE)
    yield "delete_equal", statements.delete_equal(TABLE, "JOB_ID", "750")
    yield "insert_from", statements.insert_from(TABLE, STAGING, ["ID", "NAME"], {"_LHT_RUN_ID": "run1"})
    parts = [(STAGING, ["ID", "NAME"]), (MORE, ["AMOUNT"]), (IDS, ["odd name"])]
    yield "join_staged", statements.join_staged(TableName("LAKE", "LHT", "ALL"), parts, "ID", DIALECT)
    yield "scratch_from", statements.scratch_from(STAGING, "SELECT 1 AS one", DIALECT)


def of_merges() -> Iterator[Case]:
    for told, spec in SPECS.items():
        for make in (
            merging.target_has_rows,
            merging.repeated_keys,
            merging.count_changes,
            merging.count_source,
            merging.insert_all,
            merging.merge,
            merging.delete_changed,
        ):
            yield f"{make.__name__}: {told}", make(spec)
        yield f"staged_facts: {told}", merging.staged_facts(spec.staging, spec.marks)
        if spec.fills:
            yield f"fill: {told}", merging.fill(spec)
        yield f"create_changes: {told}", merging.create_changes(spec, DIALECT)
        yield f"keep_values: {told}", merging.keep_values(spec, ["MINE"], DIALECT)
        yield f"insert_changed: {told}", merging.insert_changed(spec, [])
        yield f"insert_changed with kept values: {told}", merging.insert_changed(spec, ["MINE"])
        yield f"taken_keys: {told}", merging.taken_keys(spec, [], None)
    by_key = SPECS["by another key"]
    yield "taken_keys: deletions and all Ids are known", merging.taken_keys(by_key, [IDS], MORE)


def of_deletions() -> Iterator[Case]:
    for told, spec in SPECS.items():
        yield f"count_live: {told}", deletions.count_live(spec)
        yield f"count_absent: {told}", deletions.count_absent(spec)
        yield f"count_named: {told}", deletions.count_named(spec, DELETED)
        if spec.policy is not DeletePolicy.KEEP:
            yield f"delete_absent: {told}", deletions.delete_absent(spec)
            yield f"delete_named: {told}", deletions.delete_named(spec, DELETED)
            yield (
                f"delete_named, but for rows that live: {told}",
                deletions.delete_named(spec, replace(DELETED, live_rows=STAGING)),
            )
        if spec.id_column and spec.key_column != spec.id_column:
            yield f"delete_moved: {told}", deletions.delete_moved(spec, spec.id_column)


def of_staging() -> Iterator[Case]:
    columns = [*COMMENTED, Column("DETAIL", VARIANT)]
    yield "copy_into", staging.copy_into(STAGING, '@"LAKE"."LHT"."LHT_STAGE"/run1/run1_rows/')
    yield "count_bad_json", staging.count_bad_json(STAGING, "DETAIL")
    yield "parse_variants", staging.parse_variants(STAGING, MORE, columns)


def of_state() -> Iterator[Case]:
    names = Names(TableName("LAKE", "LHT", "META"), DIALECT, folds_upper=True)
    yield "standing: of a table that exists", standing_statement(names, TABLE, counts_rows=True)
    yield "standing: of a table to be created", standing_statement(names, TABLE, counts_rows=False)
    run = {"run_id": "run1", "status": "done"}
    said = sql_of_state.said(names, run)
    yield "newest_version", sql_of_state.newest_version(names)
    yield "append", sql_of_state.append(names, META, {"lht_version": "1", "saved_at": AT})
    yield (
        "append while held",
        sql_of_state.append(names, META, {"lht_version": "1"}, sql_of_state.while_held(names, "token")),
    )
    yield "append unless said", sql_of_state.append(names, RUNS, run, sql_of_state.unless(said))
    yield "said", said
    yield "latest_rows", sql_of_state.latest_rows(names, RUNS, {}, "started_at", 50)
    yield "add_lock", sql_of_state.add_lock(names, {"token": "token", "acquired_at": AT})
    yield "remove_lock", sql_of_state.remove_lock(names, "token")
    yield "beat", sql_of_state.beat(names, "token")
    yield "locks", sql_of_state.locks(names, sql_of_state.is_under_way(names), ())


def of_retl() -> Iterator[Case]:
    names = Names(TableName("LAKE", "LHT", "META"), DIALECT, folds_upper=True)
    sql, rows, held = sql_of_retl, {"run_id": "run1"}, sql_of_state.while_held(names, "token")
    yield "probe", sql.probe(names)
    sent = ["part", "row_number", "sent"]
    yield "copy_staged: without numbers", sql.copy_staged(names, OUTBOX, STAGING, sent, rows)
    yield (
        "copy_staged: times are the clock's",
        sql.copy_staged(names, BEFORE_IMAGES, STAGING, ["image"], rows),
    )
    yield "copy_staged: numbered", sql.copy_staged(names, PUSHED, STAGING, ["match_key", "sent"], rows)
    yield "add_pushed", sql.add_pushed(names, MORE, STAGING, ["match_key", "sent"], {**rows, "org_id": "00D"})
    images = sql.copy_staged(names, BEFORE_IMAGES, STAGING, ["image"], rows, guard=held)
    yield "copy_staged: while held", images
    yield "forget_pushed", sql.forget_pushed(names, STAGING, INTENT, Outcome.SUCCEEDED)
    yield "forget_keys", sql.forget_keys(names, STAGING, INTENT)
    for made in sql.append_parts(names, [PART, replace(PART, number=2)]):
        yield "append_parts", made
    yield "append_part: while held", sql.append_part(names, PART, held)
    for counts in (False, True):
        yield f"remove_old: counts={counts}", sql.remove_old(names, OUTBOX, AT, counts=counts)
    latest = sql.latest_where(names, INTENTS, {"org_id": "00D"}, {"status": "open"}, ["started_at", "saved"])
    yield "latest_where", latest
    open_now = sql.latest_where(names, INTENTS, {}, {"status": "open"}, ["started_at", "saved"])
    yield "latest_where: of all", open_now
    yield "latest_where: anything", sql.latest_where(names, PARTS, {}, {}, ["part"])
    yield "outbox", sql.outbox(names, "run1", None)
    yield "outbox: one part", sql.outbox(names, "run1", 2)
    yield "newest_of_rows", sql.newest_of_rows(names, ROW_RESULTS, "run1", sql.LAST_RESULT)
    yield "count_results", sql.count_results(names, "run1")
    yield "pushed_headers", sql.pushed_headers(names, "00D", "Account")
    key = {"org_id": "00D", "object": "Account", "match_field": "Id", "headers": '["Id"]'}
    yield "pushed", sql.pushed(names, key, [])
    yield "pushed: others write the same fields", sql.pushed(names, key, ['["Id"]', '["Id", "Name"]'])
    yield "said", sql.said(names, INTENTS, {"run_id": "run1", "status": "done"})
    yield "said_part", sql.said_part(names, PART)


GROUPS: dict[str, Callable[[], Iterator[Case]]] = {
    "tables": of_tables,
    "rows": of_rows,
    "merges": of_merges,
    "deletions": of_deletions,
    "staging": of_staging,
    "state": of_state,
    "retl": of_retl,
}


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Callable[[str, str], str]:
    """Gives the text of a snapshot; writes it first where pytest runs with --snapshot-update."""

    def read(name: str, told: str) -> str:
        file = FILES / f"{name}.sql"
        if request.config.option.update_snapshots:
            file.write_text(told, encoding="utf-8")
        return file.read_text(encoding="utf-8")

    return read


def parsed(sql: str) -> exp.Expression:
    """Parses as Snowflake would, strictly; `exp.Command` is what the parser keeps without understanding it."""
    (tree,) = sqlglot.parse(sql, dialect="snowflake", error_level=sqlglot.ErrorLevel.RAISE)
    assert tree is not None
    assert tree.find(exp.Command) is None, sql
    kinds = {found.this for found in tree.find_all(exp.DataType)}
    assert exp.DataType.Type.TIMESTAMP not in kinds, f"what TIMESTAMP means depends on the session: {sql}"
    return tree


@pytest.mark.parametrize("group", GROUPS)
def test_each_statement_is_sql_that_another_parser_understands(
    group: str, kept: Callable[[str, str], str]
) -> None:
    cases = list(GROUPS[group]())
    for _, statement in cases:
        tree = parsed(statement.sql)
        assert len(list(tree.find_all(exp.Placeholder))) == len(statement.params), statement.sql

    told = "\n".join(f"-- {heading}\n{statement.sql};\n" for heading, statement in cases)
    assert told == kept(group, told)


def test_no_snapshot_is_left_over() -> None:
    assert {file.stem for file in FILES.iterdir()} == set(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_no_two_statements_have_the_same_heading(group: str) -> None:
    headings = [heading for heading, _ in GROUPS[group]()]

    assert sorted({h for h in headings if headings.count(h) > 1}) == []


# A new statement does not escape


def builders() -> set[tuple[str, str]]:
    """Files and names of functions and methods that say they give statements, wherever they are."""
    return {
        (str(path), node.name)
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] not in {"simulator", "testing"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and gives(node)
    }


def gives(function: ast.FunctionDef) -> bool:
    return (
        function.returns is not None
        and "Statement" in ast.unparse(function.returns).replace("[", " ").replace("]", " ").split()
    )


def test_every_function_that_makes_statements_is_called_here() -> None:
    called: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            called.add((frame.f_code.co_filename, frame.f_code.co_name))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for group in GROUPS.values():
            list(group())
    finally:
        sys.setprofile(before)

    assert len(builders()) > 30
    assert builders() - called == set()
