"""The stand-in's quicker rewriting of statements gives what the slow one gives."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SNAPSHOTS = Path(__file__).parents[1] / "unit" / "warehouse" / "snowflake_sql"
OTHERS = [
    "SELECT CURRENT_VERSION() AS V, TO_DATE('2024-01-01') AS D, OBJECT_CONSTRUCT('a', 1):a::VARCHAR AS O",
    "SELECT A, SUM(B) AS S, ARRAY_AGG(C) WITHIN GROUP (ORDER BY C) AS L FROM T WHERE B > 1 GROUP BY A",
    "SELECT $1 AS A FROM VALUES (1), (2)",
    "SHOW SCHEMAS LIKE 'X' IN DATABASE D",
    "DESCRIBE TABLE T",
    "CREATE TABLE T (A NUMBER(38,0), B VARCHAR(3) COMMENT 'b', C TIMESTAMP_NTZ) COMMENT = 'c'",
    "SELECT REGEXP_REPLACE(A, 'b', 'c') AS R, DATEADD(day, 1, B) AS D, TRY_PARSE_JSON(C) AS J FROM T",
]


def statements() -> list[str]:
    texts = [text for path in sorted(SNAPSHOTS.glob("*.sql")) for text in path.read_text().split(";\n")]
    return [*OTHERS, *texts]


@pytest.fixture
def cursor() -> Iterator[Any]:
    from fakesnow.instance import FakeSnow

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        connection = FakeSnow().connect("D", "PUBLIC")
        yield connection.cursor()
        connection.close()


def test_statements_are_rewritten_the_same(cursor: Any) -> None:
    from lht.testing.stand_in import speed

    usual = [rewritten(cursor, sql) for sql in statements()]
    speed.walk_once()
    try:
        quick = [rewritten(cursor, sql) for sql in statements()]
    finally:
        speed.walk_as_ever()

    assert quick == usual
    assert sum(told != "" for told in quick) > len(OTHERS)


def rewritten(cursor: Any, sql: str) -> str:
    """DuckDB's statement for a statement of Snowflake's; nothing for what fakesnow's parser refuses."""
    from fakesnow.dialect import parse_one
    from snowflake.connector.errors import Error

    try:
        tree = parse_one(sql)
    except Error:
        return ""
    return "; ".join(
        str(cursor._transform(part, []).sql("duckdb")) for part in cursor._transform_explode(tree)
    )
