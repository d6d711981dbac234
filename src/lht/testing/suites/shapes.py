"""The part of the warehouse suite about names, schemas, tables and columns."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lht.errors import ConfigError, LhtError, StatementError
from lht.model.table import Column, ColumnKind, ColumnType, TableName
from lht.testing.suites.rows import TEXT, WHOLE, insert_row, rows_of, stored_column, stream_of, table_with
from lht.warehouse.statements import Statement, quote, quote_table

if TYPE_CHECKING:
    from lht.warehouse.port import Warehouse

NARROW = ColumnType(ColumnKind.DECIMAL, precision=10, scale=2)
WIDE = ColumnType(ColumnKind.DECIMAL, precision=18, scale=2)
ODD_NAMES = {
    "reserved": "select",
    "another_reserved": "TABLE",
    "lower_case": "lower case",
    "unicode": "GRÜN ☃ 数",
    "digits_first": "2nd",
    "apostrophe": "it's",
    "percent": "100%_sure?",
    "longest": "L" * 255,
}
ODDER_NAMES = {"dotted": "a.b", "quoted": 'say "hi"', "backslash": "back\\slash", "astral": "😀"}
COMMENTS = ('It\'s "quoted"', "two\nlines", "C:\\new\\table", "Größe 😀", "'; DROP TABLE T; --")


class ShapesSuite:
    """What a warehouse does with names, schemas, tables and columns."""

    def test_it_says_what_it_is(self, warehouse: Warehouse) -> None:
        assert warehouse.capabilities.name == warehouse.dialect.name
        assert warehouse.description.startswith(warehouse.capabilities.name)

    def test_a_table_that_is_missing_has_no_columns(self, warehouse: Warehouse) -> None:
        assert warehouse.columns(warehouse.table_name("NO_SUCH_SCHEMA.T")) is None
        assert warehouse.columns(warehouse.table_name("NO_SUCH_TABLE")) is None

    def test_a_missing_table_is_told_by_its_name(self, warehouse: Warehouse) -> None:
        with pytest.raises(StatementError, match=r"(?i)NO_SUCH_TABLE"):
            warehouse.row_count(warehouse.table_name("NO_SUCH_TABLE"))

    def test_a_schema_may_be_created_again(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, [Column("A", TEXT)], ("kept",))

        warehouse.create_schema(table)

        assert rows_of(warehouse, table) == [("kept",)]

    def test_several_threads_may_create_the_same_schema(self, warehouse: Warehouse) -> None:
        forks = [warehouse.fork() for _ in range(4)]
        tables = [warehouse.table_name(f"LHT_SUITE_SHARED.T{n}") for n in range(len(forks))]

        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda fork, table: fork.create_schema(table), forks, tables))
        for fork, table in zip(forks, tables, strict=True):
            fork.create_table(table, [Column("A", TEXT)])
            fork.close()

        assert [warehouse.row_count(table) for table in tables] == [0] * len(tables)

    def test_a_table_that_exists_is_not_created_again(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, [Column("A", TEXT)], ("kept",))

        with pytest.raises(LhtError):
            warehouse.create_table(table, [Column("B", WHOLE)])

        assert rows_of(warehouse, table) == [("kept",)]

    def test_a_table_that_cannot_be_made_whole_is_not_made(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, [Column("A", TEXT)], name="LHT_SUITE.OTHER")
        broken = replace(table, name="BROKEN")

        with pytest.raises(StatementError):
            warehouse.create_table(broken, [Column("A", TEXT, comment="c"), Column("A", TEXT)])

        assert warehouse.columns(broken) is None

    def test_a_dropped_table_is_gone_and_may_be_dropped_again(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, [Column("A", TEXT)])

        for _ in range(2):
            warehouse.drop_table(table)

        assert warehouse.columns(table) is None

    def test_columns_are_told_in_order_with_their_types(self, warehouse: Warehouse) -> None:
        columns = [
            Column("Z", TEXT),
            Column("A", WIDE),
            *(Column(f"C_{k.name}", _type(k)) for k in ColumnKind),
        ]

        table = table_with(warehouse, columns)

        assert [(c.name, c.type) for c in warehouse.columns(table) or ()] == [
            (c.name, _told(warehouse, c.type)) for c in columns
        ]

    def test_a_text_length_is_told_where_the_warehouse_keeps_one(self, warehouse: Warehouse) -> None:
        limited = ColumnType(ColumnKind.TEXT, length=80)

        table = table_with(warehouse, [Column("A", limited)])

        (column,) = warehouse.columns(table) or ()
        assert column.type == (limited if warehouse.capabilities.has_text_length else TEXT)

    @pytest.mark.parametrize("comment", COMMENTS)
    def test_comments_are_kept_as_they_are(self, warehouse: Warehouse, comment: str) -> None:
        table = warehouse.table_name("LHT_SUITE.T")
        warehouse.create_schema(table)
        warehouse.create_table(table, [Column("A", TEXT, comment=comment)], comment=comment)
        warehouse.add_columns(table, [Column("B", WHOLE, comment=comment)])

        kept = [column.comment for column in warehouse.columns(table) or ()]
        assert kept == ([comment] * 2 if warehouse.capabilities.has_column_comments else ["", ""])

    def test_added_columns_are_empty_and_those_there_stay(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, [Column("A", TEXT)], ("1",), ("2",))

        warehouse.add_columns(table, [Column("B", WHOLE), Column("A", WHOLE)])

        assert rows_of(warehouse, table) == [("1", None), ("2", None)]

    def test_a_decimal_column_is_widened_with_its_values(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, [Column("A", TEXT), Column("B", NARROW)], ("1", 12))

        warehouse.alter_type(table, "B", WIDE)

        assert [c.type for c in warehouse.columns(table) or ()] == [TEXT, WIDE]
        assert rows_of(warehouse, table) == [("1", 12)]

    def test_a_renamed_column_keeps_its_values(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, [Column("A", TEXT), Column("B", TEXT)], ("1", "x"))

        warehouse.rename_column(table, "B", "B__lht_old")

        assert [c.name for c in warehouse.columns(table) or ()] == ["A", "B__lht_old"]
        assert rows_of(warehouse, table) == [("1", "x")]

    @pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES.keys())
    def test_odd_names_of_tables_and_columns_are_only_names(self, warehouse: Warehouse, name: str) -> None:
        use_odd_name(warehouse, name)

    def test_names_without_quotes_fold_and_names_in_quotes_stay(self, warehouse: Warehouse) -> None:
        own = warehouse.table_name("anchor")
        folded = str.upper if warehouse.capabilities.folds_upper else str

        assert warehouse.table_name("my_Table") == replace(own, name=folded("my_Table"))
        assert warehouse.table_name('"my_Table"') == replace(own, name="my_Table")
        assert warehouse.table_name("raw.T") == replace(own, schema=folded("raw"), name="T")
        assert warehouse.table_name("T", "raw") == replace(own, schema=folded("raw"), name="T")
        assert warehouse.table_name("s.T", "raw") == replace(own, schema=folded("s"), name="T")
        assert warehouse.table_name('d."s.x".T') == TableName(folded("d"), "s.x", "T")
        assert warehouse.table_name("T", "d.s") == TableName(folded("d"), folded("s"), "T")

    @pytest.mark.parametrize(
        ("table", "schema"), [("", None), ("a..b", None), ("a.b.c.d", None), ("T", "a.b.c"), ('"', None)]
    )
    def test_what_is_no_name_is_refused(self, warehouse: Warehouse, table: str, schema: str | None) -> None:
        with pytest.raises(ConfigError):
            warehouse.table_name(table, schema)

    def test_fields_have_the_columns_that_people_expect(self, warehouse: Warehouse) -> None:
        column = stored_column(warehouse, "Owner.Name")
        table = table_with(warehouse, [column], ("x",))

        unquoted = Statement(f"SELECT owner_name FROM {quote_table(table)}")
        assert warehouse.query(unquoted) == [("x",)]


def use_odd_name(warehouse: Warehouse, name: str) -> None:
    """Does everything with a table and a column of that name."""
    column = Column(name, TEXT)
    anchor = table_with(warehouse, [Column("A", TEXT)], name="LHT_SUITE.ANCHOR")
    table = replace(anchor, name=name)
    warehouse.create_table(table, [column], comment=name)
    warehouse.add_columns(table, [Column("EXTRA", TEXT)])
    warehouse.execute(insert_row(table, {name: "x", "EXTRA": name}))
    staging = warehouse.stage([column], stream_of([column], [("s",)]), "odd_names")

    assert [c.name for c in warehouse.columns(table) or ()] == [name, "EXTRA"]
    assert rows_of(warehouse, table) == [("x", name)]
    assert warehouse.query(Statement(f"SELECT {quote(name)} FROM {quote_table(staging)}")) == [("s",)]
    warehouse.rename_column(table, name, "PLAIN")
    warehouse.drop_table(table)
    warehouse.drop_table(staging)
    assert warehouse.columns(table) is None


def _type(kind: ColumnKind) -> ColumnType:
    if kind is ColumnKind.DECIMAL:
        return ColumnType(kind, precision=38, scale=18)
    return ColumnType(kind)


def _told(warehouse: Warehouse, column_type: ColumnType) -> ColumnType:
    """A kind that the warehouse lacks is told as the nearest."""
    if column_type.kind is ColumnKind.VARIANT and not warehouse.capabilities.has_variant:
        return TEXT
    return column_type
