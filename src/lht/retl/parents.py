"""Parents that rows name, and that the org does not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.errors import ApiError
from lht.model.retl import Mistake, Operation
from lht.retl.fetch import Wanted, fetch
from lht.retl.json_rows import NULL_MARK
from lht.retl.normal import key_sql
from lht.sfdc import rest
from lht.warehouse.statements import quote_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lht.model.retl import SentColumn
    from lht.model.salesforce import Field, SObject
    from lht.retl.run import RetlRun

_FOUND = "parents_found"


def unknown_parents(run: RetlRun, columns: Sequence[SentColumn]) -> tuple[Mistake, ...]:
    """Finds the parents that the org does not have, that are deleted, that the login cannot see, or that several are.

    Salesforce would refuse each such row by itself.
    """
    if run.request.operation is Operation.DELETE:
        return ()
    found: list[Mistake] = []
    for number, column in enumerate(columns, start=1):
        lookup = _lookup(run, column, f"c{number}")
        if lookup and run.work.count("encoded", lookup.is_given):
            found += _mistakes(run, lookup)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Lookup:
    """A column that names parents: `text` is its value, `by` the parents' field that has it."""

    column: SentColumn
    link: Field
    text: str
    by: Field

    @property
    def is_given(self) -> str:
        return f"{self.text} IS NOT NULL AND {self.text} <> {quote_text(NULL_MARK)}"

    @property
    def key(self) -> str:
        return key_sql(self.text, self.by)

    @property
    def objects(self) -> tuple[str, ...]:
        return (self.column.parent,) if self.column.parent else self.link.reference_to


def _lookup(run: RetlRun, column: SentColumn, text: str) -> _Lookup | None:
    link = run.sobject.find(column.target)
    if link is None or link.type != "reference" or not (column.parent or link.reference_to):
        return None
    return _Lookup(column, link, text, column.field)


def _mistakes(run: RetlRun, lookup: _Lookup) -> Iterator[Mistake]:
    run.work.execute(f"CREATE OR REPLACE TABLE {_FOUND} (k VARCHAR)")
    try:
        for parent in _parents(run, lookup):
            _find(run, lookup, parent)
    except ApiError as error:
        # A login that may write a lookup need not be allowed to read its object: then Salesforce alone can tell.
        run.tell("warning", f"the parents in {lookup.column.column} were not looked up: {error.message}")
        return
    missing = f"{lookup.is_given} AND {lookup.key} NOT IN (SELECT k FROM {_FOUND})"
    several = f"{lookup.key} IN (SELECT k FROM {_FOUND} GROUP BY k HAVING count(*) > 1)"
    if mistake := _mistake(run, lookup, missing, is_missing=True):
        yield mistake
    if mistake := _mistake(run, lookup, several, is_missing=False):
        yield mistake


def _parents(run: RetlRun, lookup: _Lookup) -> Iterator[SObject]:
    """The objects whose records the values may be; where several may, the first letters of the Ids tell."""
    if len(lookup.objects) == 1:
        yield rest.describe(run.org, lookup.objects[0])
        return
    allowed = {name.lower() for name in lookup.objects}
    asked = run.work.query(f"SELECT DISTINCT left({lookup.text}, 3) FROM encoded WHERE {lookup.is_given}")
    by_prefix = rest.objects_by_prefix(run.org)
    names = {by_prefix.get(prefix, "") for (prefix,) in asked}
    for name in sorted(name for name in names if name.lower() in allowed):
        yield rest.describe(run.org, name)


def _find(run: RetlRun, lookup: _Lookup, parent: SObject) -> None:
    """Adds the keys that records of one object have, once for each record."""
    by = lookup.by if lookup.column.parent else parent.by_name["id"]
    condition = lookup.is_given
    if by.name == "Id" and parent.key_prefix:
        condition += f" AND left({lookup.text}, 3) = {quote_text(parent.key_prefix)}"
    keys = f"SELECT any_value({lookup.text}) FROM encoded WHERE {condition} GROUP BY {lookup.key}"
    records = fetch(run, Wanted(parent, by, {}, keys, "parent_records"))
    run.work.execute(
        f"INSERT INTO {_FOUND} SELECT CAST({key_sql(records.column(by.name), by)} AS VARCHAR) FROM {records.table} AS f"
    )
    run.work.execute(f"DROP TABLE {records.table}")


def _mistake(run: RetlRun, lookup: _Lookup, condition: str, *, is_missing: bool) -> Mistake | None:
    (found,) = run.work.query(
        f"SELECT count(*), count(DISTINCT {lookup.key}), min_by(row_number, row_number), "
        f"min_by({lookup.text}, row_number) FROM encoded WHERE {condition}"
    )
    rows, parents, row, value = found
    if not rows:
        return None
    parent = " or ".join(lookup.objects[:3]) + (" or another" if len(lookup.objects) > 3 else "")  # noqa: PLR2004
    what = f"{parent} with this {lookup.by.name if lookup.column.parent else 'Id'}"
    return Mistake(
        code="UNKNOWN_PARENT" if is_missing else "AMBIGUOUS_PARENT",
        message=_missing(lookup, rows, parents, what) if is_missing else _several(lookup, rows, what),
        rows=rows,
        column=lookup.column.column,
        field=lookup.link.name,
        example=f"row {row}: {value}",
        way_out=_way_out(run, lookup, parent, is_missing=is_missing),
    )


def _missing(lookup: _Lookup, rows: int, parents: int, what: str) -> str:
    name = f"1 row names a parent in {lookup.column.column}"
    if rows > 1:
        name = f"{rows} rows name {parents} parent{'' if parents == 1 else 's'} in {lookup.column.column}"
    return f"{name} that the org does not have, or that this login cannot see: there is no live {what}."


def _several(lookup: _Lookup, rows: int, what: str) -> str:
    name = "1 row names" if rows == 1 else f"{rows} rows name"
    return f"{name} a parent in {lookup.column.column} that is not one: several have the {what}."


def _way_out(run: RetlRun, lookup: _Lookup, parent: str, *, is_missing: bool) -> str:
    if not is_missing:
        return f"Name the parents by Id, in a column {lookup.link.name}, or make the records of {parent} distinct."
    if run.sobject.name in lookup.objects:
        return "Leave these rows out. Parents that the same query would create must be sent before, by a run of their own."
    return f"Create the records of {parent} first, or leave these rows out of the query."
