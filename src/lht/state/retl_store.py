"""Reads and writes what reverse ETL remembers: intents, parts, the outbox, results, images, what was pushed."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from importlib.metadata import version
from itertools import count
from typing import TYPE_CHECKING

from lht.errors import (
    LhtError,
    MissingTableError,
    Recovery,
    RetlError,
    RunLockedError,
    StatementError,
    WarehouseUnreachableError,
)
from lht.model.retl import Operation, Outcome, PartStatus
from lht.model.run import RunRecord
from lht.model.table import Column
from lht.state import retl_rows, retl_statements, rows, statements, tables
from lht.state.names import state_names
from lht.state.store import State
from lht.warehouse.streams import Stream, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lht.model.retl import Intent, Part, RetlResult
    from lht.model.sync import Watermark
    from lht.model.table import TableName
    from lht.state.statements import Guard
    from lht.state.tables import StateTable
    from lht.warehouse.port import Warehouse
    from lht.warehouse.statements import Statement
    from lht.warehouse.streams import Batches

ATTEMPTS = 3
"""Of a transaction that met a conflict; each is all or nothing."""
UNDO = "retl_undo"
"""The command whose runs make what was pushed forgotten."""


class RetlState:
    """LHT's tables for runs that write to Salesforce, through one connection; it belongs to one thread.

    Streams have the tables' column names in small letters, in any order. Columns that a stream leaves out are
    filled where the state knows them: the run, its org and object, the times. `sent` is a JSON list and `source` a
    JSON object, as text. A result that is a stream must be read to its end before the next call.

    With `held_by`, the token of the run's lock, nothing is written once that lock is gone: RunLockedError.
    """

    def __init__(
        self, warehouse: Warehouse, *, schema: str | None = None, held_by: str | None = None
    ) -> None:
        self._warehouse = warehouse
        self._schema = schema
        self._held_by = held_by
        self._names = state_names(warehouse, schema)
        self._state = State(warehouse, schema=schema)
        self._known: dict[str, Intent] = {}
        self._stagings = count(1)

    def guarded(self, held_by: str) -> RetlState:
        """The same tables, written only while the lock of that token is there."""
        return RetlState(self._warehouse, schema=self._schema, held_by=held_by)

    def ensure(self) -> None:
        """Creates or upgrades the tables, outside transactions; StateVersionError if they are a newer LHT's."""
        self._state.ensure()
        try:
            self._warehouse.query(retl_statements.probe(self._names))
        except StatementError:  # a table is missing, or a column that this LHT has added
            self._state.create(tables.RETL)

    def place(self, org_id: str, object_name: str) -> TableName:
        """The name under which the lock on an object of an org is held, and its runs are recorded."""
        return retl_rows.org_table(self._names.catalog, org_id, object_name)

    # ---- intents

    def open_intents(self, org_id: str, object_name: str) -> list[Intent]:
        """Runs of an object that have not ended, oldest first."""
        return self._intents({"org_id": org_id, "object": object_name})

    def unfinished(self) -> list[Intent]:
        """Runs of all orgs and objects that have not ended, oldest first."""
        return self._intents({})

    def _intents(self, among: rows.Row) -> list[Intent]:
        found = self._latest(tables.INTENTS, among, {"status": "open"}, ["started_at", "saved"])
        return [retl_rows.intent_from(row) for row in found]

    def intent(self, run_id: str) -> Intent | None:
        """A run as it was decided, and whether it has ended; None if there is no such run."""
        found = self._latest(tables.INTENTS, {"run_id": run_id}, {}, ["saved"])
        return retl_rows.intent_from(found[0]) if found else None

    def runs_of(self, run_id: str) -> list[Intent]:
        """Retries and undos of a run, oldest first."""
        found = self._latest(tables.INTENTS, {"of_run": run_id}, {}, ["started_at", "saved"])
        return [retl_rows.intent_from(row) for row in found]

    def begin(
        self, intent: Intent, parts: Sequence[Part], outbox: Batches, results: Batches | None = None
    ) -> None:
        """Commits a run's rows to send, its parts and its intent, together.

        `results` are of rows that the run was to write, and that it will not send: they count as in conflict.
        """
        self._known[intent.run_id] = intent
        row = retl_rows.intent_row(intent, version("lht"))
        last = statements.append(self._names, tables.INTENTS, row, self._guard)
        landed = retl_statements.said(self._names, tables.INTENTS, {"run_id": intent.run_id})
        writing = retl_statements.append_parts(self._names, parts)
        with contextlib.ExitStack() as stack:
            copy = stack.enter_context(self._copied(tables.OUTBOX, outbox, intent.run_id))
            if results is None:
                self._commit(lambda: self._write_rows(copy, parts, writing), last, landed)
                return
            record = stack.enter_context(self._copied(tables.ROW_RESULTS, results, intent.run_id))

            def write() -> None:
                record()
                self._write_rows(copy, parts, writing)

            self._commit(write, last, landed)

    # ---- parts and the outbox

    def add_parts(self, run_id: str, parts: Sequence[Part], outbox: Batches) -> None:
        """Commits more parts of a run, with their rows to send."""
        *others, end = parts
        last = retl_statements.append_part(self._names, end, self._guard)
        landed = retl_statements.said_part(self._names, end)
        writing = retl_statements.append_parts(self._names, others)
        with self._copied(tables.OUTBOX, outbox, run_id) as copy:
            self._commit(lambda: self._write_rows(copy, parts, writing), last, landed)

    def _write_rows(
        self, copy: Callable[[], int], parts: Sequence[Part], writing: Sequence[Statement]
    ) -> None:
        self._check_count(copy(), sum(part.rows for part in parts))
        self._run(writing)

    def _check_count(self, recorded: int, expected: int) -> None:
        if recorded != expected:
            raise RetlError(
                f"{recorded} rows would be recorded where {expected} are to be sent; nothing was recorded or sent.",
                hint="Run the same command again.",
            )

    def parts(self, run_id: str) -> list[Part]:
        """A run's parts as they stand now, in order."""
        return [
            retl_rows.part_from(row) for row in self._latest(tables.PARTS, {"run_id": run_id}, {}, ["part"])
        ]

    def save_part(self, part: Part) -> None:
        """Commits how far a part has come. A connection that is lost is opened anew: to say it twice does no harm."""
        saying = retl_statements.append_part(self._names, part, self._guard)
        try:
            self._write_last(saying)
        except WarehouseUnreachableError:
            self._warehouse.reconnect()
            self._write_last(saying)

    def outbox(self, run_id: str, part: int | None = None) -> Batches:
        """The rows that a run, or one part of it, sends; in no order."""
        return self._read(tables.OUTBOX, retl_statements.outbox(self._names, run_id, part))

    # ---- results, images

    def settle(
        self, part: Part, results: Batches, pushed: Batches | None = None, *, has_unknown: bool = False
    ) -> None:
        """Commits what became of a part's rows, what records hold since, and that the part is settled, together.

        Of `pushed` (`match_key`, `sent`) only rows count whose result, found by `match_key`, is a success. What was
        pushed is forgotten for records that were deleted, or changed by an undo: their results tell `sf_id`. With
        `has_unknown` it is also forgotten for rows that may have been written: to say more would be a guess.
        """
        end = replace(part, status=PartStatus.SETTLED)
        last = retl_statements.append_part(self._names, end, self._guard)
        constants = self._constants(part.run_id) | {
            "part": part.number,
            "attempt": part.attempt,
            "operation": str(part.operation),
            "job_id": part.job_id,
        }
        with contextlib.ExitStack() as stack:
            found, columns = stack.enter_context(self._staged(tables.ROW_RESULTS, results, part.run_id))
            writing = [
                retl_statements.copy_staged(self._names, tables.ROW_RESULTS, found, columns, constants)
            ]
            if pushed is not None:
                held, names = stack.enter_context(self._staged(tables.PUSHED, pushed, part.run_id))
                writing.append(retl_statements.add_pushed(self._names, held, found, names, constants))
            intent = self._intent(part.run_id)
            if part.operation is Operation.DELETE or intent.command == UNDO:
                writing.append(retl_statements.forget_pushed(self._names, found, intent, Outcome.SUCCEEDED))
            if has_unknown:
                writing.append(retl_statements.forget_pushed(self._names, found, intent, Outcome.UNKNOWN))
                writing.append(retl_statements.forget_keys(self._names, found, intent))
            self._commit(lambda: self._run(writing), last, retl_statements.said_part(self._names, end))

    def save_results(self, run_id: str, results: Batches) -> None:
        """Commits what became of rows that are not, or no more, of a part."""
        self._save(tables.ROW_RESULTS, run_id, results)

    def row_results(self, run_id: str) -> Batches:
        """What became of each row of a run, by its last attempt; in no order."""
        asking = retl_statements.newest_of_rows(
            self._names, tables.ROW_RESULTS, run_id, retl_statements.LAST_RESULT
        )
        return self._read(tables.ROW_RESULTS, asking)

    def save_images(self, run_id: str, images: Batches) -> None:
        """Commits what records held before they are written; of two images of one row the later counts."""
        self._save(tables.BEFORE_IMAGES, run_id, images)

    def images(self, run_id: str) -> Batches:
        """What each row's record held before a run wrote it; in no order."""
        asking = retl_statements.newest_of_rows(
            self._names, tables.BEFORE_IMAGES, run_id, retl_statements.LAST_IMAGE
        )
        return self._read(tables.BEFORE_IMAGES, asking)

    def _save(self, table: StateTable, run_id: str, batches: Batches) -> None:
        """One INSERT. Where its answer was lost the caller begins again: the later of two versions counts.

        A process that lost its lock writes nothing: what it read may be what another has written since.
        """
        constants = self._constants(run_id)
        with self._staged(table, batches, run_id) as (staging, columns):
            self._write_last(
                retl_statements.copy_staged(
                    self._names, table, staging, columns, constants, guard=self._guard
                )
            )

    # ---- what was pushed

    def pushed(
        self, org_id: str, object_name: str, match_field: str | None, headers: Sequence[str]
    ) -> Batches:
        """What was last written with these columns: `match_key`, `record_id` and `sent`.

        Left out are records of which it was since forgotten, or of which one of these fields was written otherwise.
        """
        asked = retl_statements.pushed_headers(self._names, org_id, object_name)
        known = [str(text) for (text,) in self._warehouse.query(asked)]
        others = retl_rows.overlapping(headers, match_field, known)
        key = {
            "org_id": org_id,
            "object": object_name,
            "match_field": match_field,
            "headers": json.dumps(list(headers)),
        }
        asking = retl_statements.pushed(self._names, key, others)
        columns = [column for column in tables.PUSHED.columns if column.name in _PUSHED]
        return typed(self._warehouse.read(asking), columns)

    def forget_pushed(self, run_id: str, results: Batches) -> None:
        """Forgets what was pushed to the records that succeeded in `results` (`sf_id`, `outcome`)."""
        with self._staged(tables.ROW_RESULTS, results, run_id) as (staging, _):
            self._warehouse.execute(
                retl_statements.forget_pushed(self._names, staging, self._intent(run_id), Outcome.SUCCEEDED)
            )

    def synced_tables(self, org_id: str, object_name: str) -> list[Watermark]:
        """Where the tables stand that an object is synced into, the newest last."""
        now = {"org_id": org_id, "object": object_name, "status": "current"}
        found = self._latest(tables.WATERMARKS, {}, now, ["saved"])
        return [rows.watermark_from(row, self._names.catalog) for row in found]

    # ---- the end

    def counts(self, run_id: str) -> RetlResult:
        """What became of a run's rows, counted in the state: one statement, and one for its parts."""
        counted = self._warehouse.query(retl_statements.count_results(self._names, run_id))
        return retl_rows.result_of(self._intent(run_id), counted, self.parts(run_id))

    def finish(self, intent: Intent, result: RetlResult | None, *, abandoned: bool = False) -> None:
        """Commits that a run has ended, and the record of it that `lht runs` shows."""
        ended = replace(intent, status="abandoned" if abandoned else "done")
        self._known[intent.run_id] = ended
        row = retl_rows.intent_row(ended, version("lht"))
        table = self.place(intent.org_id, intent.object)
        record = RunRecord(
            run_id=intent.run_id,
            org_id=intent.org_id,
            object=intent.object,
            table=table,
            command=intent.command,
            status=_status(result, abandoned=abandoned),
            started_at=intent.started_at,
            ended_at=self._warehouse.now(),
            lht_version=version("lht"),
            result=result,
        )
        writing = [statements.append(self._names, tables.INTENTS, row)]
        last = statements.append(
            self._names, tables.RUNS, rows.run_row(record, self._names.catalog), self._guard
        )
        landed = retl_statements.said(
            self._names, tables.INTENTS, {"run_id": intent.run_id, "status": ended.status}
        )
        self._commit(lambda: self._run(writing), last, landed)

    def prune(self, before: object, *, dry_run: bool = False) -> dict[str, int]:
        """Removes the row-level records of runs that began before a moment and have ended; tells how many, by table.

        What was pushed and how runs ended stays. `dry_run` only counts.
        """
        try:
            if dry_run:
                return {table.name: self._count_old(table, before) for table in _PRUNED}
            with self._warehouse.transaction():
                return {
                    table.name: self._warehouse.execute(
                        retl_statements.remove_old(self._names, table, before, counts=False)
                    )
                    for table in _PRUNED
                }
        except MissingTableError:
            return dict.fromkeys((table.name for table in _PRUNED), 0)

    def _count_old(self, table: StateTable, before: object) -> int:
        asking = retl_statements.remove_old(self._names, table, before, counts=True)
        ((found,),) = self._warehouse.query(asking)
        return int(str(found))

    def check_held(self) -> None:
        """Raises RunLockedError if another process may have taken this run over."""
        if self._held_by and not self._warehouse.query(statements.lock_held(self._names, self._held_by)):
            raise _lost()

    # ---- inside

    @property
    def _guard(self) -> Guard:
        if self._held_by is None:
            return statements.ALWAYS
        return statements.while_held(self._names, self._held_by)

    def _intent(self, run_id: str) -> Intent:
        if run_id not in self._known:
            found = self.intent(run_id)
            if found is None:
                raise RetlError(f"LHT knows no run {run_id}.", hint="See 'lht runs'.", run_id=run_id)
            self._known[run_id] = found
        return self._known[run_id]

    def _constants(self, run_id: str) -> rows.Row:
        """What the state knows of each row of a run."""
        intent = self._intent(run_id)
        return {
            "run_id": run_id,
            "org_id": intent.org_id,
            "object": intent.object,
            "operation": str(intent.operation),
            "match_field": intent.match_field,
            "headers": json.dumps(list(intent.headers)),
        }

    @contextlib.contextmanager
    def _staged(
        self, table: StateTable, batches: Batches, run_id: str
    ) -> Iterator[tuple[TableName, tuple[str, ...]]]:
        """Stages a stream; gives the staging table, which is dropped in the end, and its columns."""
        types = {column.name: column.type for column in table.columns}
        stream = Stream(batches)
        columns = [Column(self._names.stored(name), types[name]) for name in stream.names]
        name = f"_lht_retl_{run_id}_{table.name}_{next(self._stagings)}".replace("-", "_")
        staging = self._warehouse.stage(columns, stream, name)
        try:
            yield staging, stream.names
        finally:
            with contextlib.suppress(LhtError):  # what went wrong first is what counts
                self._warehouse.drop_table(staging)

    @contextlib.contextmanager
    def _copied(self, table: StateTable, batches: Batches, run_id: str) -> Iterator[Callable[[], int]]:
        """Stages a stream; gives what copies it into its table and tells how many rows that were."""
        constants = self._constants(run_id)
        with self._staged(table, batches, run_id) as (staging, columns):
            copying = retl_statements.copy_staged(self._names, table, staging, columns, constants)
            yield lambda: self._warehouse.execute(copying)

    def _commit(self, write: Callable[[], object], last: Statement, landed: Statement) -> None:
        """Runs one transaction. `last` says that the rest is there; `landed` finds it where COMMIT's answer was lost."""
        for tries_left in reversed(range(ATTEMPTS)):
            try:
                with self._warehouse.transaction():
                    write()
                    self._write_last(last)
            except WarehouseUnreachableError:
                self._warehouse.reconnect()
                if not self._warehouse.query(landed):
                    raise
            except StatementError as error:
                if error.recovery is not Recovery.RETRY or not tries_left:
                    raise
                self._warehouse.make_room()
                continue
            return

    def _write_last(self, statement: Statement) -> None:
        if not self._warehouse.execute(statement):
            raise _lost()

    def _run(self, writing: Sequence[Statement]) -> None:
        for statement in writing:
            self._warehouse.execute(statement)

    def _read(self, table: StateTable, asking: Statement) -> Batches:
        return typed(self._warehouse.read(asking), table.columns)

    def _latest(
        self, table: StateTable, among: rows.Row, now: rows.Row, order: Sequence[str]
    ) -> list[rows.Row]:
        """The latest versions of things; nothing where no run has ever written to Salesforce."""
        try:
            found = self._warehouse.query(retl_statements.latest_where(self._names, table, among, now, order))
        except MissingTableError:
            return []
        columns = [column.name for column in table.columns]
        return [dict(zip(columns, row, strict=True)) for row in found]


_PUSHED = {"match_key", "record_id", "sent"}
_PRUNED = (tables.OUTBOX, tables.ROW_RESULTS, tables.BEFORE_IMAGES)


def _lost() -> RunLockedError:
    return RunLockedError(
        "This run lost its lock on the object that it writes, and recorded nothing more.",
        hint="Its process was asleep for too long; run the same command again: it goes on where it stopped.",
    )


def _status(result: RetlResult | None, *, abandoned: bool) -> str:
    if abandoned:
        return "interrupted"
    return "done" if result is None or result.is_whole else "failed"
