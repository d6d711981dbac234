"""What people and programs read of runs that write to Salesforce: plans, refusals, results. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from lht.cli.answer import Answer, Block, Item, Table, document, harmless, number
from lht.cli.exits import Exit
from lht.model.retl import Mistake, Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lht.errors import PlanRefusedError
    from lht.model.retl import RetlPlan, RetlResult

MANY = 40
"""Values longer than this are cut in tables; documents have them whole."""
NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})
VISIBLE = str.maketrans({"\n": "↵", "\r": "␍", "\t": "⇥"})
COUNTS = (
    "run_id", "operation", "object", "rows_selected", "rows_unchanged", "rows_sent", "rows_succeeded", "rows_failed",
    "rows_unprocessed", "rows_unknown", "rows_created", "rows_conflicting",
)  # fmt: skip
NOUNS = {
    Operation.INSERT: "insert",
    Operation.UPDATE: "update",
    Operation.UPSERT: "upsert",
    Operation.DELETE: "deletion",
    Operation.UNDELETE: "undeletion",
}

REPAIRS = {"retl_retry": "retry", "retl_undo": "undo"}


# ---- plans


def plan(found: RetlPlan, words: Sequence[str]) -> Answer:
    """What a run would do. `words` is the command; without its `--dry_run` it is the real one."""
    command = command_line(word for word in words if word != "--dry_run")
    blocks = [
        *told(found, _repair(found.object, words)),
        "",
        "Nothing was sent, and nothing was changed. To do it:",
        f"  {command}",
    ]
    return Answer({"plan": plan_document(found), "command": command}, blocks)


def _repair(sobject: str, words: Sequence[str]) -> str:
    """What repairs another run is called by that run."""
    repair = REPAIRS.get(words[0]) if words else None
    return f"{sobject}: {repair} of run {words[words.index('--run_id') + 1]}" if repair else ""


def question(found: RetlPlan, words: Sequence[str], org: str) -> str:
    """What somebody is asked to agree to."""
    what = _repair(found.object, words) or f"{found.object}: {NOUNS[found.operation]}"
    return f"{org}, {what}: {number(found.rows_to_send)} record{'' if found.rows_to_send == 1 else 's'}."


def plan_document(found: RetlPlan) -> dict[str, Any]:
    """A plan as JSON tells it: of each column what it is, not all that describe knows of its field."""
    whole: dict[str, Any] = document(found)
    whole["columns"] = [
        {
            "column": column.column,
            "field": column.header,
            "type": column.field.type,
            "changes": column.target,
            "is_key": column.is_key,
        }
        for column in found.columns
    ]
    return whole


def told(found: RetlPlan, title: str = "") -> Iterator[Block]:
    """A plan as text."""
    by = f" by {found.match_field}" if found.match_field else ""
    yield title or f"{found.object}: {NOUNS[found.operation]}{by}"
    yield ""
    yield from _lines(_plan_counts(found))
    yield ""
    yield f"  fields  {_fields(found)}"
    if found.parts or found.api_calls:
        yield f"  cost    {_cost(found)}"
    if found.resumes:
        yield f"  resumes {found.resumes}: it has not ended, and goes on with the rows recorded then"
    for warning in found.warnings:
        yield f"  warning {shown(warning, 500)}"
    if found.differences:
        yield ""
        yield differences(found)


def _plan_counts(found: RetlPlan) -> Iterator[tuple[str, int | None, str]]:
    yield "rows selected", found.rows_selected, ""
    yield "unchanged", found.rows_unchanged or None, "not sent"
    yield "to be sent", found.rows_to_send, ""
    yield "  would create", found.rows_to_create, ""
    yield "  would change", found.rows_to_change, ""
    yield "  would leave as it is", found.rows_to_leave, ""
    yield "  would delete", found.rows_to_delete, ""
    yield "  would undelete", found.rows_to_undelete or None, "taken out of the Recycle Bin"
    yield "  not in the org", found.rows_not_found or None, "these will fail"
    yield "  conflicting", found.rows_conflicting, "changed in Salesforce since: not sent"


def _lines(counts: Iterable[tuple[str, int | None, str]]) -> Iterator[str]:
    for name, count, remark in counts:
        if count is not None:
            note = f"  ({remark})" if remark and count else ""
            yield f"  {name:<22}{number(count):>12}{note}"


def _fields(found: RetlPlan) -> str:
    pairs = [
        column.header
        if column.column.lower() == column.header.lower()
        else f"{column.column} -> {column.header}"
        for column in found.columns
    ]
    return shown(", ".join(pairs), 2_000)


def _cost(found: RetlPlan) -> str:
    jobs = f"{number(found.parts)} job{'' if found.parts == 1 else 's'}" if found.parts else "no job"
    return f"{jobs}, about {number(found.api_calls)} API calls"


def differences(found: RetlPlan) -> Table:
    """Values that would change."""
    numbers = {column.target for column in found.columns if column.field.type in NUMBERS}
    rows = [
        (shown(d.key), d.field, *(_value(value, is_number=d.field in numbers) for value in (d.old, d.new)))
        for d in found.differences
    ]
    return Table(("RECORD", "FIELD", "IN SALESFORCE", "WOULD BE"), rows, "The first differences:")


def _value(value: str | None, *, is_number: bool) -> str:
    """A value as people compare it: Salesforce tells whole numbers with a decimal."""
    return shown(value.removesuffix(".0") if is_number and value else value)


# ---- refusals


def refused(error: PlanRefusedError) -> list[Block]:
    """Everything that is wrong with a plan."""
    found = [mistake for mistake in error.mistakes if isinstance(mistake, Mistake)]
    kinds = len(found)
    title = "Error: the plan is refused, and nothing was sent. " + (
        "One thing is wrong:" if kinds == 1 else f"{kinds} things are wrong:"
    )
    return [title, *mistakes(found)]


def mistakes(found: Sequence[Mistake]) -> Iterator[Block]:
    """Mistakes, each with an example and its way out."""
    width = len(str(len(found)))
    for place, mistake in enumerate(found, start=1):
        example = f"Such as {mistake.example}" if mistake.example else ""
        told = [shown(text, 500) for text in (mistake.message, example, mistake.way_out) if text]
        yield ""
        yield Item(f"{place:>{width}}.", told)


# ---- results


def result(found: RetlResult, words: Sequence[str], *, rows_table: str) -> Answer:
    """What a run did, which `words` asked for. `rows_table` is where every row's fate stands."""
    blocks = [*outcome(found, words), *_next(found, rows_table)]
    notes = [f"warning: {shown(warning, 500)}" for warning in found.warnings]
    return Answer(result_document(found), blocks, notes, Exit.DONE if found.is_whole else Exit.ROWS_FAILED)


def result_document(found: RetlResult) -> dict[str, Any]:
    """A result as JSON tells it."""
    whole: dict[str, Any] = {name: getattr(found, name) for name in COUNTS}
    whole["jobs"] = document(found.jobs)
    whole["errors"] = [{"class": e.error_class, "rows": e.rows, "example": e.example} for e in found.errors]
    whole["seconds"] = found.seconds
    return whole | {"warnings": list(found.warnings), "resumed": found.resumed, "of_run": found.of_run}


def outcome(found: RetlResult, words: Sequence[str] = ()) -> Iterator[Block]:
    """A result as text."""
    what = _repair(found.object, words) or f"{found.object}: {found.operation}"
    run = f"resumed run {found.run_id}" if found.resumed else f"run {found.run_id}"
    yield f"{what}, {found.seconds:.1f} s"
    yield f"  {run}"
    yield ""
    yield from _lines(_result_counts(found))
    if found.errors:
        rows = [(e.error_class, number(e.rows), shown(e.example, 200)) for e in found.errors]
        yield ""
        yield Table(("CLASS", "ROWS", "FOR EXAMPLE"), rows, numeric=frozenset({"ROWS"}))


def _result_counts(found: RetlResult) -> Iterator[tuple[str, int | None, str]]:
    yield "rows selected", found.rows_selected, ""
    yield "unchanged", found.rows_unchanged or None, "not sent"
    yield "conflicting", found.rows_conflicting or None, "not sent"
    jobs = (
        f"in {number(len(found.jobs))} job{'' if len(found.jobs) == 1 else 's'}" if found.jobs else "by calls"
    )
    yield "sent", found.rows_sent, jobs
    created = f"{number(found.rows_created)} created" if found.rows_created else ""
    yield "  succeeded", found.rows_succeeded if found.rows_sent else None, created
    yield "  failed", found.rows_failed or None, ""
    yield "  unprocessed", found.rows_unprocessed or None, "Salesforce did not come to them"
    yield (
        "  unknown",
        found.rows_unknown or None,
        "Salesforce no longer tells; not sent again",
    )


def _next(found: RetlResult, rows_table: str) -> Iterator[str]:
    if not found.is_whole:
        yield ""
        yield "Why, row by row:"
        yield f"  SELECT row_number, match_key, outcome, class, message FROM {rows_table}"
        yield f"  WHERE run_id = '{found.run_id}' AND outcome <> 'succeeded'"
    if found.rows_failed or found.rows_unprocessed:
        yield "Send them again, with the values that the query gives then:"
        yield f"  lht retl_retry --run_id {found.run_id}"
    if found.rows_succeeded:
        if found.is_whole:
            yield ""
        yield f"See what an undo would put back{'' if found.is_whole else ' of the others'}:"
        yield f"  lht retl_undo --run_id {found.run_id} --dry_run"


# ---- words


def command_line(words: Iterable[str]) -> str:
    """A command as a shell takes it."""
    return shlex.join(["lht", *words])


def shown(value: str | None, most: int = MANY) -> str:
    """A value on one line, cut, and with nothing in it that a terminal would obey."""
    if value is None:
        return "(empty)"
    text = harmless(value.translate(VISIBLE))
    return text if len(text) <= most else f"{text[:most]}…"
