"""An object with a field of every type, and a run over rows that tests lay down: no org is asked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from dataclasses import field as field_of
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from lht.model.retl import Operation, RetlOptions, RetlRequest
from lht.model.salesforce import Field, SObject
from lht.retl import checks, columns, encode
from lht.retl.run import RetlRun
from lht.retl.work import Work
from lht.warehouse.duckdb import open_duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lht.model.retl import Mistake
    from lht.retl.columns import Matched
    from lht.state.retl_store import RetlState
    from lht.warehouse.port import Warehouse


def field(name: str, kind: str, **facts: Any) -> Field:
    return Field(name, kind, **{"createable": True, "updateable": True, **facts})


FIELDS = (
    Field("Id", "id", length=18, id_lookup=True, nillable=False, defaulted_on_create=True),
    field("Name", "string", length=80, nillable=False),
    field("Text__c", "string", length=255),
    field("Long__c", "textarea", length=32_768),
    field("Email__c", "email", length=80),
    field("Mood__c", "picklist", length=255, restricted_picklist=True, picklist_values=("Good", "So 'so'")),
    field("Sky__c", "picklist", length=255, picklist_values=("Blue", "Grey")),
    field("Traits__c", "multipicklist", length=4099, restricted_picklist=True, picklist_values=("Rare", "Heavy")),
    field("Checked__c", "boolean", nillable=False, defaulted_on_create=True),
    field("Count__c", "int", digits=9),
    field("Ratio__c", "double", precision=18, scale=2),
    field("Share__c", "percent", precision=5, scale=2),
    field("Found__c", "date"),
    field("Seen__c", "datetime"),
    field("Opens__c", "time"),
    field("Key__c", "string", length=40, external_id=True, unique=True),
    field("Exact__c", "string", length=40, external_id=True, case_sensitive=True),
    field("Number__c", "double", precision=18, external_id=True),
    field("OwnerId", "reference", length=18, relationship_name="Owner", reference_to=("Group", "User"), defaulted_on_create=True),
    field("ParentId", "reference", length=18, relationship_name="Parent", reference_to=("Thing__c",)),
    Field("Sum__c", "double", precision=18, scale=2, calculated=True),
    Field("CreatedDate", "datetime"),
    field("Once__c", "string", length=20, updateable=False),
    field("Place__c", "location"),
)  # fmt: skip
THING = SObject("Thing__c", "Thing", FIELDS, key_prefix="a01")


def describe(name: str) -> SObject:
    others = {"User": ("Username",), "Group": ("DeveloperName",)}
    if name in others:
        keys = [field(key, "string", length=80, id_lookup=True) for key in others[name]]
        return SObject(name, name, (FIELDS[0], *keys))
    return THING


@dataclass(frozen=True)
class Rows:
    """A run whose `source` is what a test says."""

    run: RetlRun = field_of(repr=False)

    def asked(self, operation: Operation, match_field: str | None = None, **options: Any) -> Rows:
        request = RetlRequest(operation, "Thing__c", "", match_field, options=RetlOptions(**options))
        return Rows(replace(self.run, request=request))

    def lay(self, select: str) -> Matched:
        """Makes `source` of a SELECT and encodes it."""
        self.run.work.execute(
            f"CREATE OR REPLACE TABLE source AS SELECT row_number() OVER () AS row_number, * FROM ({select})"
        )
        return self._encoded()

    def put(self, name: str, values: Sequence[Any], arrow: pa.DataType, duckdb_type: str) -> Matched:
        """Makes `source` of one column of values, of a type of DuckDB's."""
        numbers = pa.array(range(1, len(values) + 1), pa.int64())
        table = pa.table({"row_number": numbers, name: pa.array(values, arrow)})
        self.run.work.load(
            "source", table.to_reader(), f'row_number, CAST("{name}" AS {duckdb_type}) AS "{name}"'
        )
        return self._encoded()

    def _encoded(self) -> Matched:
        described = self.run.work.query("SELECT column_name FROM (DESCRIBE source)")
        names = [str(name) for (name,) in described if name != "row_number"]
        matched = columns.match_columns(THING, names, self.run.request, describe)
        if matched.columns:
            encode.encode_rows(self.run, matched.columns)
        return matched

    def texts(self, name: str = "c1") -> list[str | None]:
        return [text for (text,) in self.run.work.query(f"SELECT {name} FROM encoded ORDER BY row_number")]

    def mistakes(self, matched: Matched) -> tuple[Mistake, ...]:
        return (*matched.mistakes, *(checks.find_mistakes(self.run, matched) if matched.columns else ()))

    def codes(self, matched: Matched) -> dict[str, int]:
        return {mistake.code: mistake.rows for mistake in self.mistakes(matched)}


@contextmanager
def open_rows(folder: Path) -> Iterator[Rows]:
    with Work(folder) as work, open_duckdb(":memory:") as warehouse:
        yield Rows(
            RetlRun(
                run_id="run1",
                org=cast("Any", None),
                warehouse=cast("Warehouse", warehouse),
                state=cast("RetlState", None),
                work=work,
                request=RetlRequest(Operation.UPDATE, "Thing__c", ""),
                sobject=THING,
                now=lambda: datetime.now(UTC),
                sleep=lambda _seconds: None,
                on_event=lambda _event: None,
            )
        )
