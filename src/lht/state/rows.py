"""Values of the model as rows of the state tables, and back. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lht.errors import RowsFailedError
from lht.model.retl import RetlResult
from lht.model.run import Holder, JobRecord, Owner, RunRecord, SchemaChange
from lht.model.sync import ErrorReport, ObjectResult, Watermark
from lht.model.table import TableName
from lht.state import retl_rows
from lht.state.tables import COUNTS

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]

# Words that SQL reserves, and names that read better in a table.
_WATERMARK_COLUMNS = {
    "key": "key_field",
    "cursor": "cursor_field",
    "where": "where_clause",
    "fields": "fields_json",
}
_JOB_COLUMNS = {"columns": "columns_json"}
_CHANGE_COLUMNS = {"column": "column_name"}


def _fields(value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}  # type: ignore[attr-defined]  # slots=True


def _to_row(value: object, names: Mapping[str, str], own_catalog: str) -> Row:
    row = {names.get(name, name): found for name, found in _fields(value).items()}
    table = row.pop("table")
    return row | table_row(table, own_catalog)


def _from_row(row: Row, names: Mapping[str, str], own_catalog: str) -> Row:
    plain = {column: name for name, column in names.items()}
    values = {plain.get(name, name): _aware(value) for name, value in row.items()}
    parts = [values.pop(f"table_{part}") for part in ("catalog", "schema", "name")]
    values.pop("saved", None)
    return {**values, "table": TableName(parts[0] or own_catalog, parts[1], parts[2])}


def table_row(table: TableName, own_catalog: str) -> Row:
    """A table's name as the columns that key most tables."""
    catalog = "" if table.catalog == own_catalog else table.catalog
    return {"table_catalog": catalog, "table_schema": table.schema, "table_name": table.name}


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def watermark_row(watermark: Watermark, own_catalog: str) -> Row:
    """A watermark as a row."""
    row = _to_row(watermark, _WATERMARK_COLUMNS, own_catalog)
    return row | {"fields_json": json.dumps(watermark.fields), "status": "current"}


def watermark_from(row: Row, own_catalog: str) -> Watermark:
    """A row as a watermark."""
    values = _from_row(row, _WATERMARK_COLUMNS, own_catalog)
    del values["status"]
    return Watermark(**values | {"fields": tuple(json.loads(values["fields"]))})


def job_row(job: JobRecord, own_catalog: str) -> Row:
    """A job as a row."""
    return _to_row(job, _JOB_COLUMNS, own_catalog)


def job_from(row: Row, own_catalog: str) -> JobRecord:
    """A row as a job."""
    return JobRecord(**_from_row(row, _JOB_COLUMNS, own_catalog))


def change_row(change: SchemaChange, own_catalog: str) -> Row:
    """A schema change as a row."""
    return _to_row(change, _CHANGE_COLUMNS, own_catalog)


def change_from(row: Row, own_catalog: str) -> SchemaChange:
    """A row as a schema change."""
    return SchemaChange(**_from_row(row, _CHANGE_COLUMNS, own_catalog))


def holder_row(holder: Holder, own_catalog: str) -> Row:
    """A lock as a row."""
    row = _to_row(holder, {}, own_catalog)
    return row | asdict(row.pop("owner"))


def holder_from(row: Row, own_catalog: str) -> Holder:
    """A row as a lock; an older LHT's says less of the run."""
    values = _from_row(row, {}, own_catalog)
    owner = Owner(*(values.pop(name) for name in ("token", "host", "boot_id", "pid")))
    return Holder(owner, **values)


_RUN_FIELDS = ("run_id", "org_id", "object", "command", "status", "started_at", "ended_at", "lht_version")


def run_row(run: RunRecord, own_catalog: str) -> Row:
    """A run with its counts as columns for queries, and the whole result as JSON to be read back."""
    row = {name: getattr(run, name) for name in _RUN_FIELDS} | table_row(run.table, own_catalog)
    if run.ended_at is not None:
        row["seconds"] = (run.ended_at - run.started_at).total_seconds()
    if run.result is None:
        return row
    if isinstance(run.result, RetlResult):
        return row | _retl_columns(run.result)
    result, error = run.result, run.result.error
    shown = ("mode", "job_id", "watermark", "seconds", *COUNTS.split())
    row |= {name: getattr(result, name) for name in shown}
    row["mode"] = str(result.mode)  # a driver may not know what to bind an enum as
    row |= {"error_code": error.code if error else None, "error_message": error.message if error else None}
    return {**row, "result": result_json(result)}


def _retl_columns(result: RetlResult) -> Row:
    """The result of a run that wrote to Salesforce; of the counts that have columns it has two."""
    row = {
        "seconds": result.seconds,
        "rows_read": result.rows_selected,
        "rows_unchanged": result.rows_unchanged,
        "result": retl_rows.result_json(result),
    }
    if result.is_whole:
        return row
    missed = result.rows_sent - result.rows_succeeded + result.rows_conflicting
    return {**row, "error_code": RowsFailedError.code, "error_message": f"{missed} rows were not written."}


def run_from(row: Row, own_catalog: str) -> RunRecord:
    """A row as a run."""
    wanted = {name: row[name] for name in (*_RUN_FIELDS, "table_catalog", "table_schema", "table_name")}
    values = _from_row(wanted, {}, own_catalog)
    read = retl_rows.result_from if row["command"].startswith("retl_") else result_from
    return RunRecord(**values, result=read(row["result"]) if row["result"] else None)


def result_json(result: ObjectResult) -> str:
    """A result as JSON, its times in ISO form."""
    plain = asdict(replace(result, rows_rounded=dict(result.rows_rounded)))
    return json.dumps(plain, default=lambda moment: moment.isoformat(), sort_keys=True)


def result_from(text: str) -> ObjectResult:
    """Reads a result back; keys that this LHT does not know are left out."""
    known = ObjectResult.__dataclass_fields__
    values = {name: value for name, value in json.loads(text).items() if name in known}
    for name in ("watermark", "covered_from"):
        values[name] = datetime.fromisoformat(values[name]) if values.get(name) else None
    for name in ("columns_added", "columns_vanished", "warnings"):
        values[name] = tuple(values.get(name, ()))
    error = values.get("error")
    return ObjectResult(**{**values, "error": ErrorReport(**error) if error else None})
