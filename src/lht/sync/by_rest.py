"""Stages the answer of a REST query: for few rows, and for objects that Bulk refuses."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from lht.errors import IncompleteExtractError
from lht.records.rest_rows import stream_rest
from lht.sfdc import rest
from lht.sync.question import NOTHING, Extract, Question, incomplete, stage_all, staging_name
from lht.warehouse import merge, statements
from lht.warehouse.merge_spec import Marks

if TYPE_CHECKING:
    from datetime import datetime

    from lht.sync.run import Run

LONGEST_URL = 16_000


def fits_url(run: Run, question: Question) -> bool:
    """Whether the query can be asked with one GET."""
    size = rest.query_url_bytes(run.org, question.soql, include_deleted=question.include_deleted)
    return size < LONGEST_URL


def by_rest(run: Run, question: Question, cap: datetime | None) -> Extract:
    """Stages the answer page by page; asks once more where the counts differ."""
    run.tell("reading", question.object, "by REST")
    try:
        return _answer(run, question, cap)
    except IncompleteExtractError as error:
        run.tell("warning", question.object, f"{error.message} The query is asked once more.")
    return _answer(run, question, cap)


def _answer(run: Run, question: Question, cap: datetime | None) -> Extract:
    """Stages all columns at once, or in parts, joined by Id, where the query is too long for a URL."""
    now = run.org_time()
    read_until = min(now, cap) if cap else now
    parts = split_columns(run, question)
    if len(parts) == 1:
        return _part(run, question, read_until)
    staged: list[Extract] = []
    try:
        staged.extend(_part(run, part, read_until) for part in parts)
        return _joined(run, question, parts, staged)
    finally:
        for extract in staged:
            run.warehouse.drop_table(extract.table)


def _part(run: Run, question: Question, read_until: datetime) -> Extract:
    pages = iter(rest.query_pages(run.org, question.soql, include_deleted=question.include_deleted))
    first = next(pages)
    if question.may_be_nothing and not first["records"] and not first.get("totalSize"):
        return Extract(None, NOTHING, read_until)
    stream = stream_rest(chain([first], pages), question.columns, object_name=question.object)
    staging, facts = stage_all(run, question, stream)
    return Extract(staging, facts, read_until, dict(stream.rounded))


def split_columns(run: Run, question: Question) -> list[Question]:
    """Halves the columns until each query fits into a URL; every part has the Id."""
    others = [column for column in question.columns if column.field != "Id"]
    if fits_url(run, question) or len(others) < 2:  # noqa: PLR2004 - two halves
        return [question]
    id_column = next(column for column in question.columns if column.field == "Id")
    middle = len(others) // 2
    halves = (
        replace(
            question,
            purpose=f"{question.purpose}_{n}",
            columns=(id_column, *columns),
            marks=Marks(id_column.name),
            may_be_nothing=False,
        )
        for n, columns in enumerate((others[:middle], others[middle:]))
    )
    return [part for half in halves for part in split_columns(run, half)]


def _joined(run: Run, question: Question, parts: list[Question], staged: list[Extract]) -> Extract:
    """Joins the parts; a record that came or went between two of them makes the counts differ."""
    id_column = parts[0].columns[0].name
    columns = [[column.name for column in part.columns[n > 0 :]] for n, part in enumerate(parts)]
    tables = [extract.table for extract in staged]
    target = replace(tables[0], name=staging_name(run, question))
    run.warehouse.execute(
        statements.join_staged(
            target, list(zip(tables, columns, strict=True)), id_column, run.warehouse.dialect
        )
    )
    facts = merge.staged_facts(run.warehouse, target, question.marks)
    if any(part.rows != facts.staged for part in staged):
        run.warehouse.drop_table(target)
        raise incomplete(question, expected=max(part.rows for part in staged), got=facts.staged)
    rounded = {name: count for part in staged for name, count in part.rounded.items()}
    return Extract(target, facts, staged[0].read_until, rounded)
