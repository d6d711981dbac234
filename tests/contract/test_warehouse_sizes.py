"""Many rows through the warehouse port: in flat memory where that can be measured."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from lht.model.table import Column, ColumnKind, ColumnType
from lht.testing.suites.rows import Stream, schema_of
from lht.warehouse.snowflake.connect import open_snowflake
from lht.warehouse.statements import Statement, quote_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.testing import StandInDatabase

KINDS = (
    ColumnType(ColumnKind.INTEGER),
    ColumnType(ColumnKind.TEXT),
    ColumnType(ColumnKind.DECIMAL, precision=18, scale=2),
    ColumnType(ColumnKind.TIMESTAMP),
    ColumnType(ColumnKind.BOOLEAN),
)
COLUMNS = tuple(Column(f"C{n:02}", KINDS[n % len(KINDS)]) for n in range(20))
FEW, MANY, MILLION, BATCH = 10_000, 100_000, 1_000_000, 10_000
PADDING = "…" * 40
MORE_MB = 300
"""What a hundred times as many rows may take beyond the few: buffers of a fixed size, not the rows' 700 MB."""


def rows(count: int) -> Stream:
    """Rows of 20 columns, made batch by batch."""

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, count, BATCH):
            numbers = pa.array(range(start, min(start + BATCH, count)), pa.int64())
            made = {
                ColumnKind.INTEGER: numbers.cast(pa.decimal128(38, 0)),
                ColumnKind.TEXT: pc.binary_join_element_wise("name ", numbers.cast(pa.string()), PADDING, ""),
                ColumnKind.DECIMAL: pc.divide(numbers.cast(pa.float64()), 4.0).cast(pa.decimal128(18, 2)),
                ColumnKind.TIMESTAMP: pc.multiply(numbers, 1_000_000).cast(pa.timestamp("us")),
                ColumnKind.BOOLEAN: pc.equal(pc.bit_wise_and(numbers, 1), 1),
            }
            yield pa.RecordBatch.from_arrays([made[c.type.kind] for c in COLUMNS], schema=schema_of(COLUMNS))

    return Stream(pa.RecordBatchReader.from_batches(schema_of(COLUMNS), batches()))


def test_100_000_rows_of_20_columns_go_to_snowflake_and_come_back(
    lht_snowflake: StandInDatabase, tmp_path: Path
) -> None:
    with open_snowflake(lht_snowflake.options, name="stand-in", work_dir=tmp_path) as warehouse:
        staging = warehouse.stage(COLUMNS, rows(MANY), "many")
        name = quote_table(staging)
        sums = "count(*), sum(C00), min(C01), max(C02), max(C03), count(DISTINCT C01)"
        reader = warehouse.read(Statement(f"SELECT * FROM {name}"))
        read = sum(batch.num_rows for batch in reader)
        ((count, total, first, most, latest, texts),) = warehouse.query(
            Statement(f"SELECT {sums} FROM {name}")
        )

    assert (read, count, texts, total) == (MANY, MANY, MANY, sum(range(MANY)))
    assert (first, most) == (f"name 0{PADDING}", Decimal(MANY - 1) / 4)
    assert latest == datetime.fromtimestamp(MANY - 1, UTC).replace(tzinfo=None)


SCRIPT = """
import json, resource, sys
from test_warehouse_sizes import COLUMNS, rows
from lht.warehouse.duckdb import open_duckdb
from lht.warehouse.statements import Statement, quote_table

with open_duckdb(sys.argv[1]) as warehouse:
    staging = warehouse.stage(COLUMNS, rows(int(sys.argv[2])), "many")
    table = warehouse.table_name("T")
    warehouse.create_table(table, COLUMNS)
    with warehouse.transaction():
        warehouse.execute(Statement(f"INSERT INTO {quote_table(table)} SELECT * FROM {quote_table(staging)}"))
    warehouse.drop_table(staging)
    read = sum(batch.num_rows for batch in warehouse.read(Statement(f"SELECT * FROM {quote_table(table)}")))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"read": read, "peak_mb": peak}))
"""


def measured(file: Path, count: int) -> dict[str, float]:
    """Runs the same in a process of its own: the rows that came back, and the most memory that it held."""
    script = file.with_suffix(".py")
    script.write_text(f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n{SCRIPT}")
    ended = subprocess.run(
        [sys.executable, script, str(file), str(count)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    told: dict[str, float] = json.loads(ended.stdout)
    return told


def test_a_million_rows_take_little_more_memory_than_a_few_on_duckdb(tmp_path: Path) -> None:
    few, million = measured(tmp_path / "few.db", FEW), measured(tmp_path / "many.db", MILLION)

    assert (few["read"], million["read"]) == (FEW, MILLION)
    assert million["peak_mb"] < few["peak_mb"] + MORE_MB
