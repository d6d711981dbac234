"""What a run wrote, compared with what it found and with what is there now: SQL for the work database. Pure.

| table | one row is |
| --- | --- |
| `was_sent`, `was_result`, `was_image` | a row of the run: what it sent, what became of it, what its record held before |
| `written` | a row that may have changed a record: `row_number`, `kind`, `record_id`, `sent` |
| `held` | what its record holds now, beside the columns of the run |
| `judged` | `written` and `held` together: the fields to be put back, and those that somebody changed since |
| `bin` | a deleted record that can still be found: `record_id`, `is_deleted` |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lht.model.retl import Operation, Outcome
from lht.retl.normal import IDS, NULL_MARK, NUMBERS, WHOLE, key_sql, normal_sql
from lht.warehouse.statements import quote, quote_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.retl import SentColumn
    from lht.model.salesforce import Field

UPDATED, CREATED, DELETED, BACK, UNKNOWN = "updated", "created", "deleted", "back", "unknown"
"""The kinds of `written`. BACK: a record that an undo took out of the Recycle Bin. UNKNOWN: nobody can tell."""

WRITTEN: Final = f"""CREATE OR REPLACE TABLE written AS
WITH facts AS (
  SELECT r.row_number, s.operation, r.outcome, coalesce(r.created, FALSE) AS created, s.sent,
    coalesce(r.sf_id, i.record_id, s.record_id) AS record_id, i.row_number IS NOT NULL AS has_image
  FROM was_result AS r
  JOIN (SELECT * FROM was_sent QUALIFY row_number() OVER (PARTITION BY row_number ORDER BY attempt DESC) = 1) AS s
    USING (row_number)
  LEFT JOIN was_image AS i USING (row_number)
  WHERE r.outcome IN ('{Outcome.SUCCEEDED}', '{Outcome.UNKNOWN}')
    OR (r.outcome = '{Outcome.CONFLICTING}' AND i.row_number IS NOT NULL)
)
SELECT row_number, record_id, sent, has_image, CASE
  WHEN operation IN ('{Operation.UPDATE}', '{Operation.UPSERT}') AND NOT created AND has_image THEN '{UPDATED}'
  WHEN operation = '{Operation.DELETE}' AND has_image THEN '{DELETED}'
  WHEN outcome = '{Outcome.UNKNOWN}' OR record_id IS NULL THEN '{UNKNOWN}'
  WHEN operation = '{Operation.DELETE}' THEN '{DELETED}'
  WHEN operation = '{Operation.UNDELETE}' THEN '{BACK}'
  WHEN operation = '{Operation.INSERT}' OR created THEN '{CREATED}'
  ELSE '{UPDATED}' END AS kind
FROM facts"""
"""Rows that failed changed nothing. A row of unknown fate that has an image is judged by what its record holds now.

So is one in conflict that has an image: it was found when a run went on, which may have written it before.
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """A field that is put back: the column of the run that wrote it, counted from 1, and the undo's column for it."""

    place: int
    column: SentColumn
    field: Field


def judged(columns: Sequence[SentColumn], restored: Sequence[Restored]) -> list[str]:
    """Says for each row whose record is there what is to be put back, and which fields were changed since.

    A field is put back if it still holds what the run wrote, and held something else before. One that holds what it
    held before is put back already. A few columns at a time: the forms of many are more than memory holds at once.
    """
    written = [(place, column) for place, column in enumerate(columns, 1) if column.header.lower() != "id"]
    groups = [written[first : first + _AT_ONCE] for first in range(0, len(written), _AT_ONCE)]
    statements = [_judged_some(number, group, restored) for number, group in enumerate(groups)]
    joins = "".join(f" JOIN judged_{number} AS g{number} USING (row_number)" for number in range(len(groups)))
    lists = ", ".join(
        f"{_concatenated(name, len(groups))} AS {name}" for name in ("changed", "lost", "others")
    )
    olds = "".join(f", old{one.place}" for one in restored)
    whole = (
        f"CREATE OR REPLACE TABLE judged AS SELECT row_number, kind, w.record_id, has_image, {lists}{olds} "
        f"FROM written AS w SEMI JOIN held AS h USING (row_number){joins}"
    )
    dropped = [f"DROP TABLE judged_{number}" for number in range(len(groups))]
    return [*statements, whole, *dropped]


_AT_ONCE: Final = 8


def _concatenated(name: str, groups: int) -> str:
    return " || ".join([f"g{number}.{name}" for number in range(groups)] or ["CAST([] AS VARCHAR[])"])


def _judged_some(number: int, written: Sequence[tuple[int, SentColumn]], restored: Sequence[Restored]) -> str:
    places = {place for place, _ in written}
    some = [one for one in restored if one.place in places]
    facts = [fact for place, column in written for fact in _column_facts(place, column)]
    facts += [fact for one in some for fact in _image_facts(one)]
    olds = "".join(
        f", CASE WHEN {_is_to_restore(one)} THEN before{one.place} END AS old{one.place}" for one in some
    )
    changed = _listed([(one.column.target, _is_changed(one)) for one in some])
    lost = _listed([(one.column.target, _is_lost(one)) for one in some])
    others = _listed([(column.target, f"sent{place} AND NOT ({_holds(place)})") for place, column in written])
    return (
        f"CREATE OR REPLACE TABLE judged_{number} AS WITH facts AS MATERIALIZED (\n"
        f"SELECT {', '.join(['w.row_number', 'w.has_image', *facts])}\n"
        "FROM written AS w JOIN held AS h USING (row_number) LEFT JOIN was_image AS i USING (row_number))\n"
        f"SELECT row_number, {changed} AS changed, {lost} AS lost, {others} AS others{olds}\n"
        "FROM facts"
    )


def _column_facts(place: int, column: SentColumn) -> list[str]:
    """A key of a parent, or of the record, is held as the record spells it, whatever the spelling that found it."""
    form = key_sql if column.parent or column.is_key else _normal
    return [
        f"w.sent[{place}] IS NOT NULL AS sent{place}",
        f"{form(f'w.sent[{place}]', column.field)} AS ours{place}",
        f"{form(f'h.h{place}', column.field)} AS theirs{place}",
    ]


def _image_facts(one: Restored) -> list[str]:
    place = one.place
    known = f"coalesce(json_exists(CAST(i.image AS JSON), {_path(one.field)}), FALSE)"
    facts = [
        f"w.kind = '{UPDATED}' AND w.sent[{place}] IS NOT NULL AS updated{place}",
        f"{known} AS known{place}",
        f"{_exact(image_text('i', one.field), one.field)} AS was{place}",
        f"coalesce({image_text('i', one.field)}, '{NULL_MARK}') AS before{place}",
    ]
    if _needs_image(one):
        facts.append(f"{_exact(image_text('h', one.field), one.field)} AS now{place}")
    return facts


def _holds(place: int) -> str:
    return f"ours{place} IS NOT DISTINCT FROM theirs{place}"


def _is_back(one: Restored) -> str:
    """What is held by a relationship is the parent's key; of any other column it is what an image would tell."""
    now = f"now{one.place}" if _needs_image(one) else f"theirs{one.place}"
    return f"was{one.place} IS NOT DISTINCT FROM {now}"


def _needs_image(one: Restored) -> bool:
    return one.column.parent is not None or one.field.type in NUMBERS


def _exact(text: str, field: Field) -> str:
    """The form in which two values that Salesforce told are compared: an org may keep more digits than the scale says."""
    if field.type in NUMBERS - WHOLE:
        return f"CAST(TRY_CAST({text} AS DOUBLE) AS VARCHAR)"
    return _normal(text, field)


def _is_to_restore(one: Restored) -> str:
    return f"updated{one.place} AND known{one.place} AND {_holds(one.place)} AND NOT ({_is_back(one)})"


def _is_changed(one: Restored) -> str:
    return f"updated{one.place} AND known{one.place} AND NOT ({_holds(one.place)}) AND NOT ({_is_back(one)})"


def _is_lost(one: Restored) -> str:
    return f"updated{one.place} AND has_image AND NOT known{one.place}"


def _normal(text: str, field: Field) -> str:
    """Ids are sent, and come, in one form already, and the form of what might be one is long."""
    return f"nullif({text}, '{NULL_MARK}')" if field.type in IDS else normal_sql(text, field)


def image_text(alias: str, field: Field) -> str:
    """A field's text in an image."""
    return f"(CAST({alias}.image AS JSON) ->> {_path(field)})"


def _path(field: Field) -> str:
    return quote_text("$." + quote(field.name))


def _listed(named: Sequence[tuple[str, str]]) -> str:
    """The names of which a condition is true."""
    found = ", ".join(f"CASE WHEN {condition} THEN {quote_text(name)} END" for name, condition in named)
    return f"list_filter(CAST([{found}] AS VARCHAR[]), lambda n: n IS NOT NULL)"


# ---- what is sent


def encoded(count: int, placed: dict[int, int], recreated: Sequence[tuple[int, Field]]) -> list[str]:
    """Makes `encoded`: what puts the rows back, in `count` columns, the first of which is the Id.

    `placed` tells of a column of the run which column here it is put back by; `recreated` are the columns of a record
    that is made anew.
    """
    names = [f"c{place}" for place in range(2, count + 1)]
    olds = {f"c{here}": f"j.old{place}" for place, here in placed.items()}
    images = {f"c{here}": image_text("i", field) for here, field in recreated}
    some = " OR ".join(f"{old} IS NOT NULL" for old in olds.values()) or "FALSE"
    made = "".join(f", c{n} VARCHAR" for n in range(1, count + 1))
    shape = (
        f"row_number BIGINT, match_key VARCHAR, record_id VARCHAR, operation VARCHAR, source VARCHAR{made}"
    )
    return [
        f"CREATE OR REPLACE TABLE encoded ({shape})",
        _insert(Operation.UPDATE, "j", names, olds, f"judged AS j WHERE j.kind = '{UPDATED}' AND ({some})"),
        _insert(
            Operation.DELETE,
            "j",
            names,
            {},
            f"judged AS j WHERE j.kind = '{BACK}' OR (j.kind = '{CREATED}' AND len(j.others) = 0)",
        ),
        _insert(
            Operation.UNDELETE,
            "w",
            names,
            {},
            f"written AS w JOIN bin AS b USING (record_id) WHERE w.kind = '{DELETED}' AND b.is_deleted",
        ),
        _insert(Operation.INSERT, "w", names, images, f"{_GONE} AND w.has_image") if images else "SELECT 1",
    ]


_GONE: Final = (
    "written AS w LEFT JOIN was_image AS i USING (row_number) "
    f"WHERE w.kind = '{DELETED}' AND w.record_id NOT IN (SELECT record_id FROM bin)"
)


def _insert(
    operation: Operation, alias: str, names: Sequence[str], values: dict[str, str], source: str
) -> str:
    is_new = operation is Operation.INSERT
    own_id = "CAST(NULL AS VARCHAR)" if is_new else f"{alias}.record_id"
    texts = "".join(f", {values.get(name, 'NULL')}" for name in names)
    told = f"CAST(json_object('record', {alias}.record_id) AS VARCHAR)"
    return (
        f"INSERT INTO encoded SELECT {alias}.row_number, {alias}.record_id, {own_id}, '{operation}', {told}, "
        f"{own_id}{texts} FROM {source}"
    )


# ---- what is left as it is


def left(*, recreates: bool) -> str:
    """Makes `left_rows`, shaped as results: rows that are not put back, each with the reason."""
    gone = "w.record_id NOT IN (SELECT record_id FROM bin)"
    not_in_bin = f"{gone} AND NOT w.has_image" if recreates else gone
    way = "and nothing is kept of what it held" if recreates else "and --recreate was not given"
    reasons = [
        (
            "CHANGED_SINCE",
            f"j.kind = '{UPDATED}' AND len(j.changed) > 0",
            "array_to_string(j.changed, ', ') || ' changed since the run.'",
        ),
        (
            "CHANGED_SINCE",
            f"j.kind = '{CREATED}' AND len(j.others) > 0",
            "array_to_string(j.others, ', ') || ' changed since the run: the record is not deleted.'",
        ),
        (
            "NO_IMAGE",
            f"j.kind = '{UPDATED}' AND len(j.lost) > 0",
            "array_to_string(j.lost, ', ') || ' is not kept.'",
        ),
        (
            "NO_IMAGE",
            f"w.kind = '{UPDATED}' AND NOT w.has_image",
            "'What the record held before is not kept (--no_undo).'",
        ),
        (
            "NOT_FOUND",
            f"w.kind = '{UPDATED}' AND h.row_number IS NULL",
            "'The record was deleted since, or this login cannot see it.'",
        ),
        ("NOT_IN_BIN", f"w.kind = '{DELETED}' AND {not_in_bin}", f"'It is not in the Recycle Bin, {way}.'"),
        (UNKNOWN.upper(), f"w.kind = '{UNKNOWN}'", "'What the run did to this row is not known.'"),
    ]
    error_class = " ".join(f"WHEN {condition} THEN '{name}'" for name, condition, _ in reasons)
    message = " ".join(f"WHEN {condition} THEN {told}" for _, condition, told in reasons)
    fields = "array_to_string(CASE WHEN len(j.changed) > 0 THEN j.changed ELSE j.others END, ',')"
    return (
        "CREATE OR REPLACE TABLE left_rows AS SELECT * FROM (SELECT w.row_number, w.record_id AS match_key, "
        f"w.record_id AS sf_id, '{Outcome.CONFLICTING}' AS outcome, FALSE AS created, "
        f"CASE {error_class} END AS class, CASE {message} END AS message, {fields} AS fields, "
        "CAST(0 AS BIGINT) AS part, CAST(0 AS BIGINT) AS attempt\n"
        "FROM written AS w LEFT JOIN held AS h USING (row_number) LEFT JOIN judged AS j USING (row_number)\n"
        "WHERE w.row_number NOT IN (SELECT row_number FROM encoded)) AS l WHERE l.class IS NOT NULL"
    )
