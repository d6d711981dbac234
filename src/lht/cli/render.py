"""From results to what people and programs read. Pure but for `job_progress` and `warn`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lht.cli.answer import Answer, Block, Table, as_json, day_and_time, document, number
from lht.cli.exits import Exit, exit_of, exit_of_code
from lht.model.retl import RetlResult
from lht.model.sync import ObjectResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from lht.cli.screen import Screen
    from lht.model.operations import (
        ConnectionInfo,
        CreateResult,
        LoadResult,
        ObjectDescription,
        PruneResult,
        QueryJob,
        QueryRows,
    )
    from lht.model.run import RunRecord
    from lht.model.salesforce import BulkJob, ObjectSummary
    from lht.model.sync import SyncPlan, SyncResult

MANY = 200
"""Cells longer than this are cut in tables; documents and files have them whole."""


def warn(screen: Screen, warnings: Iterable[str]) -> None:
    """Tells what is wrong with files, but not wrong enough to stop."""
    for warning in warnings:
        screen.note(f"warning: {warning}")


@contextmanager
def job_progress(screen: Screen) -> Iterator[Callable[[BulkJob], None]]:
    """Shows a job's states while it is followed."""
    from lht.model.sync import SyncEvent  # noqa: PLC0415 - `lht --help` needs no model

    with screen.progress() as on_event:
        yield lambda job: on_event(
            SyncEvent("waiting", job.object, f"job {job.id} {job.state.value}", done=job.records)
        )


def connections(
    found: Sequence[ConnectionInfo], directory: Path, *, tested: bool, default: str | None = None
) -> Answer:
    """Apps, logins and warehouses; where some fail their test, the first gives the exit code."""
    blocks: list[Block] = [_tested_table(found) if tested else _connection_table(found)] if found else []
    failed = [(info.name, info.test) for info in found if info.test and not info.test.ok]
    blocks += [f"{info.name}: {info.test.fix}" for info in found if info.test and info.test.fix]
    if default:
        blocks.append(f"Commands without --db_connect use {default}.")
    blocks.append(f"From {directory}." if found else _nothing_yet(directory / "connections.toml"))
    code = exit_of_code(failed[0][1].code) if failed else Exit.DONE
    return Answer({"connections": found}, blocks, exit=code)


def _nothing_yet(file: Path) -> str:
    if file.exists():
        return f"{file} has no connection yet: fill in one of its examples, and take the # away."
    return f"Nothing is configured in {file.parent}. Start with: lht init"


def _connection_table(found: Sequence[ConnectionInfo]) -> Table:
    rows = [(info.name, info.kind, info.flow, info.detail) for info in found]
    return Table(("NAME", "KIND", "FLOW", "WHERE"), rows)


def _tested_table(found: Sequence[ConnectionInfo]) -> Table:
    rows = [
        (info.name, info.kind, "yes" if test.ok else "no", f"{test.seconds:.1f}", test.finding)
        if (test := info.test)
        else (info.name, info.kind, "-", "", "tried by: lht login")
        for info in found
    ]
    headings = ("NAME", "KIND", "OK", "SECONDS", "FINDING")
    return Table(headings, rows, numeric=frozenset({"SECONDS"}))


def objects(found: Sequence[ObjectSummary]) -> Answer:
    """The org's objects."""
    rows = [(o.name, o.label, _mark(o.queryable), _mark(o.replicateable), _mark(o.custom)) for o in found]
    table = Table(
        ("NAME", "LABEL", "QUERYABLE", "REPLICATEABLE", "CUSTOM"), rows, optional=("CUSTOM", "LABEL")
    )
    return Answer({"objects": found}, [table] if rows else ["No object matches."])


def description(found: ObjectDescription) -> Answer:
    """An object's fields beside their columns."""
    rows = [(f.name, f.type, f.label, f.column or "-", f.column_type or f.reason) for f in found.fields]
    title = f"{found.object} ({found.label}), {len(rows)} fields"
    return Answer(
        found, [Table(("FIELD", "TYPE", "LABEL", "COLUMN", "COLUMN TYPE"), rows, title, optional=("LABEL",))]
    )


def created(result: CreateResult, *, dry_run: bool) -> Answer:
    """A new table, or how an existing one differs."""
    if result.differences:
        lines = [f"{result.table} exists and differs:", *(f"  {line}" for line in result.differences)]
        return Answer(result, lines, exit=Exit.DATA)
    size = f"{len(result.columns)} columns"
    view = [f"{result.live_view} shows the rows that are not deleted."] if result.live_view else []
    if result.created:
        return Answer(result, [f"Created {result.table} with {size}.", *view])
    table = Table(("COLUMN", "TYPE", "FIELD"), [(c.name, c.type, c.field or "") for c in result.columns])
    if dry_run:
        lines = [*_options(result), f"{result.table} would have {size}; nothing was changed."]
        return Answer(result, [table, *lines])
    return Answer(result, [f"{result.table} exists and has all {size}.", *view])


def _options(result: CreateResult) -> Iterator[str]:
    if result.transient:
        yield "TRANSIENT"
    if result.cluster_by:
        yield f"CLUSTER BY {result.cluster_by}"
    if result.retention_days is not None:
        yield f"DATA_RETENTION_TIME_IN_DAYS = {result.retention_days}"
    if result.live_view:
        yield f"{result.live_view} would show the rows that are not deleted."


def plans(found: Sequence[SyncPlan]) -> Answer:
    """What a sync would do, table by table."""
    blocks = [block for plan in found for block in _plan(plan)]
    return Answer({"plans": [_plan_document(plan) for plan in found]}, [*blocks, "Nothing was changed."])


def _plan_document(plan: SyncPlan) -> dict[str, Any]:
    whole: dict[str, Any] = document(plan)
    return whole


def _plan(plan: SyncPlan) -> Iterator[Block]:
    drift = plan.drift
    yield f"{plan.object} -> {plan.table}: {plan.mode.value} sync ({plan.reason})"
    yield f"  reads    {plan.soql}"
    if plan.creates_table:
        yield f"  creates  the table, with {len(plan.columns)} columns"
    for what, names in (
        ("adds", [] if plan.creates_table else [c.name for c in drift.added]),
        ("widens", [f"{c.column} from {c.old} to {c.new}" for c in (*drift.widened, *drift.exchanged)]),
        ("refuses", [f"{c.column}: {c.old} cannot become {c.new}" for c in drift.incompatible]),
        ("keeps", [f"{name} (gone from the object)" for name in drift.vanished]),
        ("fills", [c.name for c in plan.backfill]),
    ):
        if names:
            yield f"  {what:<8} {', '.join(names)}"
    yield f"  deletes  {plan.deletes.value}"
    for name, reason in plan.excluded.items():
        yield f"  skips    {name}: {reason}"
    for warning in plan.warnings:
        yield f"  warning  {warning}"


def synced(result: SyncResult) -> Answer:
    """What a run did; the first failed object gives the exit code."""
    failures = result.failures
    has_rows = any(outcome.error is None for outcome in result.objects)
    blocks: list[Block] = [_sync_table(result.objects)] if has_rows else []
    blocks += [line for outcome in result.objects for line in _told(outcome)]
    whole = {"run_id": result.run_id, "objects": [_outcome_document(o) for o in result.objects]}
    notes = [f"{o.object}: {warning}" for o in result.objects for warning in o.warnings]
    return Answer(whole, blocks, notes, exit_of(type(failures[0])) if failures else Exit.DONE)


def _sync_table(outcomes: Sequence[ObjectResult]) -> Table:
    headings = (
        "OBJECT",
        "TABLE",
        "MODE",
        "READ",
        "INSERTED",
        "UPDATED",
        "DELETED",
        "UNCHANGED",
        "IN TABLE",
        "SECONDS",
    )
    rows = [
        (
            o.object,
            o.table,
            o.mode if o.error is None else "failed",
            number(o.rows_read),
            number(o.rows_inserted),
            number(o.rows_updated),
            number(o.rows_deleted + o.rows_deleted_unseen),
            number(o.rows_unchanged),
            number(o.rows_in_table),
            f"{o.seconds:.1f}",
        )
        for o in outcomes
    ]
    optional = ("SECONDS", "UNCHANGED", "TABLE", "MODE")
    return Table(headings, rows, numeric=frozenset(headings[3:]), optional=optional)


def _told(outcome: ObjectResult) -> Iterator[str]:
    """The sentences that a row of numbers cannot say."""
    if outcome.columns_added:
        yield f"{outcome.object}: new columns {', '.join(outcome.columns_added)}"
    if outcome.columns_vanished:
        yield f"{outcome.object}: no longer in the org, old values kept: {', '.join(outcome.columns_vanished)}"
    for column, count in outcome.rows_rounded.items():
        yield f"{outcome.object}: {number(count)} values of {column} had more decimals than its type and were rounded"
    if outcome.covered_from:
        yield f"{outcome.object}: holds what changed since {day_and_time(outcome.covered_from)}, not what is older"


def _outcome_document(outcome: ObjectResult) -> dict[str, Any]:
    whole: dict[str, Any] = document(outcome)
    if outcome.error:
        whole["error"]["exit"] = int(exit_of_code(outcome.error.code))
    return whole


def submitted(job: QueryJob) -> Answer:
    """A Bulk query job, and what to type next."""
    short = {"job_id": job.job_id, "state": job.state, "object": job.object}
    if job.output:
        whole = {**short, "output": job.output, "rows": job.rows}
        return Answer(whole, [f"Wrote {number(job.rows)} rows to {job.output}."])
    return Answer(
        short if job.rows is None else {**short, "rows": job.rows},
        [
            f"job_id: {job.job_id}",
            f"state:  {job.state}",
            "Next:",
            f"  lht bulk_status --job_id {job.job_id} --wait",
            f"  lht bulk_results --job_id {job.job_id} --sobject {job.object} --table MY_TABLE",
        ],
    )


def rows(found: QueryRows, row_format: str) -> Answer:
    """A REST query's rows as table, csv or json."""
    records = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    whole = {"total": found.total, "records": records}
    more = found.total - len(found.rows)
    notes = (
        [f"{number(len(found.rows))} of {number(found.total)} rows; more with --limit or --bapi20."]
        if more
        else []
    )
    if not found.rows:
        return Answer(whole, [f"{number(found.total)} rows."], exit=Exit.DONE)
    match row_format:
        case "csv":
            return Answer(whole, notes=notes, raw=_as_csv(found))
        case "json":
            return Answer(whole, notes=notes, raw=as_json(whole))
        case _:
            cells = [[_cell(value) for value in row] for row in found.rows]
            return Answer(whole, [Table(found.columns, cells)], notes)


def _as_csv(found: QueryRows) -> str:
    import csv  # noqa: PLC0415
    import io  # noqa: PLC0415

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(found.columns)
    writer.writerows([_plain(value) for value in row] for row in found.rows)
    return text.getvalue()


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def _cell(value: object) -> str:
    text = " ".join(str(_plain(value)).split())
    return text if len(text) <= MANY else f"{text[:MANY]}…"


def job(found: BulkJob, code: Exit = Exit.DONE) -> Answer:
    """One job; the document is Salesforce's own resource."""
    lines = [
        f"job_id:    {found.id}",
        f"state:     {found.state.value}",
        f"operation: {found.operation}",
        f"object:    {found.object}",
        f"records:   {number(found.records)}",
    ]
    if found.error_message:
        lines.append(f"error:     {found.error_message}")
    return Answer(found.resource or found, lines, exit=code)


def jobs(found: Sequence[BulkJob], notes: Sequence[str]) -> Answer:
    """The org's jobs."""
    cells = [
        (j.id, j.operation, j.object, j.state.value, _job_records(j), day_and_time(j.created)) for j in found
    ]
    headings = ("JOB", "OPERATION", "OBJECT", "STATE", "RECORDS", "CREATED (UTC)")
    table = Table(headings, cells, numeric=frozenset({"RECORDS"}), optional=("OPERATION", "CREATED (UTC)"))
    whole = {"jobs": [j.resource or j for j in found]}
    return Answer(whole, [table] if cells else ["No jobs."], notes)


def _job_records(job: BulkJob) -> str:
    """Salesforce's list tells no counts; 0 would be a lie."""
    told = job.resource is None or "numberRecordsProcessed" in job.resource
    return number(job.records) if told else ""


def loaded(result: LoadResult) -> Answer:
    """Rows that came from a job into a table."""
    return Answer(
        result,
        [
            f"Loaded {number(result.rows_loaded)} rows into {result.table}.",
            f"It now has {number(result.rows_in_table)} rows.",
        ],
    )


def results(result: LoadResult) -> Answer:
    """What became of an ingest job's rows, loaded into a table."""
    errors = [{"class": e.error_class, "rows": e.rows, "example": e.example} for e in result.errors]
    blocks: list[Block] = list(loaded(result).blocks)
    if errors:
        rows = [(e.error_class, number(e.rows), e.example) for e in result.errors]
        blocks.append(Table(("ERROR", "ROWS", "EXAMPLE"), rows, numeric=frozenset({"ROWS"})))
    told = {"job_id": result.job_id, "table": result.table, "rows_loaded": result.rows_loaded}
    return Answer(told | {"rows_in_table": result.rows_in_table, "errors": errors}, blocks)


def runs(found: Sequence[RunRecord]) -> Answer:
    """Past runs."""
    headings = ("RUN", "OBJECT", "TABLE", "STATUS", "MODE", "READ", "IN TABLE", "STARTED (UTC)", "SECONDS")
    table = Table(
        headings,
        [_run_cells(r) for r in found],
        numeric=frozenset({"READ", "IN TABLE", "SECONDS"}),
        optional=("SECONDS", "STARTED (UTC)", "MODE", "READ", "TABLE"),
    )
    blocks: list[Block] = [table] if found else ["No runs yet."]
    blocks += [f"{r.run_id} {r.object}: {told}" for r in found if (told := _what_is_wrong(r))]
    return Answer({"runs": [_run_document(r) for r in found]}, blocks)


def _what_is_wrong(record: RunRecord) -> str:
    """What a run failed with, or what may be typed to end it."""
    result = record.result
    if record.is_resumable:
        return f"it has not ended; the same {record.command} command goes on where it stopped."
    if isinstance(result, RetlResult):
        return "; ".join(f"{one.error_class}: {number(one.rows)} rows" for one in result.errors)
    return result.error.message if result and result.error else ""


def _run_cells(record: RunRecord) -> tuple[str, ...]:
    result = record.result
    counts = _run_counts(result)
    took = result.seconds if result else None
    if took is None and record.ended_at:
        took = (record.ended_at - record.started_at).total_seconds()
    seconds = "" if took is None else f"{took:.1f}"
    started = day_and_time(record.started_at)
    table = "" if record.command.startswith("retl_") else str(record.table)
    return (record.run_id, record.object, table, record.status, *counts, started, seconds)


def _run_counts(result: ObjectResult | RetlResult | None) -> tuple[str, str, str]:
    """Mode, rows read, and rows in the table: for a run that wrote to Salesforce, the operation and the rows of the query."""
    if result is None:
        return "", "", ""
    if isinstance(result, RetlResult):
        return result.operation, number(result.rows_selected), ""
    return result.mode, number(result.rows_read), number(result.rows_in_table)


def _run_document(record: RunRecord) -> dict[str, Any]:
    whole: dict[str, Any] = document(record)
    if isinstance(record.result, ObjectResult):
        whole["result"] = _outcome_document(record.result)
    return whole


def pruned(result: PruneResult) -> Answer:
    """Row-level records that are gone, or would be."""
    verb = "would be removed" if result.dry_run else "removed"
    told = f"{number(result.rows)} rows {verb} of runs that began before {result.before:%Y-%m-%d %H:%M} UTC: "
    told += (
        f"{number(result.outbox_rows)} of the outbox, {number(result.row_results_rows)} results, "
        f"{number(result.before_images_rows)} images."
    )
    return Answer(result, [told])


def _mark(value: bool) -> str:
    return "yes" if value else ""
