"""Values of reverse ETL as rows of the state tables, and back. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING, Any

from lht.model.retl import ErrorClass, Intent, Operation, Outcome, Part, PartStatus, RetlJob, RetlResult
from lht.model.table import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lht.state.rows import Row

OUTBOX = "outbox"
"""What the count of all rows to send is called among the counts by outcome."""
_INTENT_LISTS = ("headers", "targets")
_PART_COLUMNS = {"number": "part", "rows": "row_count", "bytes": "byte_count"}
_PART_FIELDS = {column: name for name, column in _PART_COLUMNS.items()}


def org_table(own_catalog: str, org_id: str, object_name: str) -> TableName:
    """What an object of an org is called where a table's name is asked for: in locks and in run records."""
    return TableName(own_catalog, "salesforce", f"{org_id}.{object_name}")


def intent_row(intent: Intent, lht_version: str) -> Row:
    """An intent as a row."""
    row: Row = {name: getattr(intent, name) for name in Intent.__slots__}
    for name in _INTENT_LISTS:
        row[name] = json.dumps(row[name])
    # A driver may not know what to bind an enum as.
    return row | {"operation": str(intent.operation), "lht_version": lht_version}


def intent_from(row: Row) -> Intent:
    """A row as an intent."""
    values = {name: row[name] for name in Intent.__slots__}
    for name in _INTENT_LISTS:
        values[name] = tuple(json.loads(values[name]))
    for name in ("rows_selected", "rows_unchanged"):
        values[name] = int(values[name])
    values["operation"] = Operation(values["operation"])
    return Intent(**values | {"started_at": values["started_at"].replace(tzinfo=UTC)})


def part_row(part: Part) -> Row:
    """A part as a row."""
    row = {_PART_COLUMNS.get(name, name): getattr(part, name) for name in Part.__slots__}
    return row | {"operation": str(part.operation), "status": str(part.status)}


def part_from(row: Row) -> Part:
    """A row as a part."""
    values: dict[str, Any] = {_PART_FIELDS.get(name, name): value for name, value in row.items()}
    values.pop("saved", None)
    for name in ("number", "attempt", "rows", "bytes"):
        values[name] = int(values[name])
    return Part(
        **values | {"operation": Operation(values["operation"]), "status": PartStatus(values["status"])}
    )


def result_json(result: RetlResult) -> str:
    """A result as JSON."""
    return json.dumps(asdict(result), sort_keys=True)


def result_from(text: str) -> RetlResult:
    """Reads a result back; keys that this LHT does not know are left out."""
    known = RetlResult.__dataclass_fields__
    values = {name: value for name, value in json.loads(text).items() if name in known}
    values["jobs"] = tuple(RetlJob(**job) for job in values.get("jobs", ()))
    values["errors"] = tuple(ErrorClass(**error) for error in values.get("errors", ()))
    return RetlResult(**values | {"warnings": tuple(values.get("warnings", ()))})


def result_of(intent: Intent, counted: Iterable[Sequence[Any]], parts: Iterable[Part]) -> RetlResult:
    """Makes a result of the counts by outcome, whether created, and class of error, each with an example.

    The rows sent are counted by themselves, in the outbox.
    """
    rows = dict.fromkeys((OUTBOX, *Outcome), 0)
    created, errors = 0, []
    for outcome, was_created, error_class, found, example in counted:
        rows[outcome] += int(found)
        created += int(found) if was_created and outcome == Outcome.SUCCEEDED else 0
        if outcome not in (OUTBOX, Outcome.SUCCEEDED):
            errors.append(ErrorClass(error_class or outcome.upper(), int(found), example or ""))
    return RetlResult(
        run_id=intent.run_id,
        operation=str(intent.operation),
        object=intent.object,
        rows_selected=intent.rows_selected,
        rows_unchanged=intent.rows_unchanged,
        rows_sent=rows[OUTBOX],
        rows_succeeded=rows[Outcome.SUCCEEDED],
        rows_failed=rows[Outcome.FAILED],
        rows_unprocessed=rows[Outcome.UNPROCESSED],
        rows_unknown=rows[Outcome.UNKNOWN],
        rows_created=created,
        rows_conflicting=rows[Outcome.CONFLICTING],
        jobs=tuple(RetlJob(part.job_id, part.rows, part.job_state or "") for part in parts if part.job_id),
        errors=_merged(errors),
        of_run=intent.of_run,
    )


def _merged(errors: Iterable[ErrorClass]) -> tuple[ErrorClass, ...]:
    """One entry a class, the most frequent first."""
    found: dict[str, ErrorClass] = {}
    for error in errors:
        before = found.get(error.error_class)
        rows = error.rows + (before.rows if before else 0)
        example = (before.example if before else "") or error.example
        found[error.error_class] = ErrorClass(error.error_class, rows, example)
    return tuple(sorted(found.values(), key=lambda one: (-one.rows, one.error_class)))


def target_of(header: str) -> str:
    """The field that a column of a CSV changes: `Account.Key__c` changes AccountId, `A__r.Key__c` changes A__c."""
    relation, dot, _ = header.rpartition(":")[2].partition(".")
    if not dot:
        return relation.lower()
    return (f"{relation[:-3]}__c" if relation.endswith("__r") else f"{relation}Id").lower()


def overlapping(headers: Sequence[str], match_field: str | None, others: Iterable[str]) -> list[str]:
    """Of other lists of headers, as JSON, those that write a field that `headers` write, too."""
    key = (match_field or "").lower()
    mine = {target_of(header) for header in headers} - {key}
    return [text for text in others if mine & {target_of(header) for header in json.loads(text)}]
