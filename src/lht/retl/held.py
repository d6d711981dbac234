"""What Salesforce holds for the rows of a run: read just before it is compared or overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.errors import PlanRefusedError
from lht.mapping.types import why_unreadable
from lht.model.retl import Operation
from lht.retl.fetch import Fetched, Wanted, fetch
from lht.retl.normal import key_sql
from lht.retl.words import counted
from lht.sfdc import rest
from lht.warehouse.statements import quote_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.retl import RetlRequest, SentColumn
    from lht.model.salesforce import Field, SObject
    from lht.retl.run import RetlRun

STAMPS = ("SystemModstamp", "LastModifiedDate")
_MASKED = "encryptedstring"
"""Such a text comes masked unless the user has a permission: put back, the mask would overwrite it."""


def read_held(
    run: RetlRun, columns: Sequence[SentColumn], rows: str, *, operation: Operation | None = None
) -> None:
    """Fills `held` for the rows of a relation that has `row_number`, `match_key` and `record_id`.

    A row whose record does not exist, is deleted or cannot be seen has none, and neither has one whose key several
    records have: those are told, and stand in `held_several` (`row_number`, `match_key`, `records`). `operation` is that of the
    rows where it is not the request's: it decides what `image` holds.
    """
    key = match_field(run.request, run.sobject)
    _ask(run, key, rows)
    reading = _Reading(run, columns, key, operation or run.request.operation)
    found = fetch(run, reading.wanted())
    joins = "".join(reading.follow(column, found) for column in columns if ":" in column.header)
    run.work.execute(
        f"CREATE OR REPLACE TABLE held_all AS SELECT a.row_number, {found.column('Id')} AS record_id, "
        f"{reading.stamp(found)} AS modstamp, {reading.held(found)}{reading.image(found)} AS image "
        f"FROM held_asked AS a JOIN {found.table} AS f ON {key_sql(found.column(key.name), key)} = a.k{joins}"
    )
    _tell_several(run, key)
    run.work.execute(
        "CREATE OR REPLACE TABLE held AS SELECT * FROM held_all WHERE row_number NOT IN (SELECT row_number FROM held_several)"
    )
    for table in ("held_all", "held_asked", found.table):
        run.work.execute(f"DROP TABLE {table}")


def match_field(request: RetlRequest, sobject: SObject) -> Field:
    """The field that finds the records."""
    name = request.match_field or "Id"
    found = sobject.find(name)
    if found is None:
        raise PlanRefusedError(
            f"{sobject.name} has no field {name!r}, or the login may not see it.",
            hint=f"Check --field: 'lht describe {sobject.name}' lists the fields.",
        )
    return found


def is_by_id(request: RetlRequest) -> bool:
    """Whether rows name their records by Id."""
    return (request.match_field or "Id").lower() == "id"


def touched_fields(
    sobject: SObject, operation: Operation, columns: Sequence[SentColumn]
) -> tuple[Field, ...]:
    """The fields whose values an operation changes and that can be read; a deletion takes all that can be set."""
    if operation is Operation.DELETE:
        fields = [field for field in sobject.fields if field.createable or field.updateable]
    else:
        names = dict.fromkeys(column.target.lower() for column in columns if column.target.lower() != "id")
        fields = [field for name in names if (field := sobject.find(name))]
    return tuple(field for field in fields if not why_unreadable(field) and field.type != _MASKED)


def _ask(run: RetlRun, key: Field, rows: str) -> None:
    """Makes `held_asked`, the rows' keys as Salesforce compares them: worked out once, as that form is long SQL."""
    asked = "coalesce(record_id, match_key)" if is_by_id(run.request) else "match_key"
    run.work.execute(
        f"CREATE OR REPLACE TABLE held_keys AS SELECT row_number, match_key, {asked} AS asked FROM {rows}"
    )
    run.work.execute(
        f"CREATE OR REPLACE TABLE held_asked AS SELECT *, {key_sql('asked', key)} AS k FROM held_keys WHERE asked <> ''"
    )
    run.work.execute("DROP TABLE held_keys")


@dataclass(frozen=True, slots=True)
class _Reading:
    """Which fields are read for which columns, and how the answer becomes `held`."""

    run: RetlRun
    columns: Sequence[SentColumn]
    key: Field
    operation: Operation

    def wanted(self) -> Wanted:
        # An Id is asked for in the form that it is compared in: one that lost its letters' case is whole again.
        asked = "DISTINCT k" if self.key.name == "Id" else "any_value(asked)"
        keys = f"SELECT {asked} FROM held_asked WHERE k IS NOT NULL{'' if asked[0] == 'D' else ' GROUP BY k'}"
        sobject = self.run.sobject
        fields = {field.name: field for field in self._touched()}
        fields |= {stamp.name: stamp for stamp in [self._stamp()] if stamp}
        fields |= {column.header: column.field for column in self.columns if self._is_path(column)}
        fields |= {
            field.name: field for column in self.columns if (field := sobject.find(column.target))
        }  # masked ones too: they are compared, though not kept
        readable = {path: field for path, field in fields.items() if not why_unreadable(field)}
        return Wanted(sobject, self.key, readable, keys, "held_records")

    def held(self, found: Fetched) -> str:
        texts = (self._text(n, column, found) for n, column in enumerate(self.columns, start=1))
        return "".join(f"{text} AS h{n}, " for n, text in enumerate(texts, start=1))

    def image(self, found: Fetched) -> str:
        pairs = ", ".join(
            f"{quote_text(field.name)}, {found.column(field.name)}" for field in self._touched()
        )
        return f"CAST(json_object({pairs}) AS VARCHAR)"

    def stamp(self, found: Fetched) -> str:
        stamp = self._stamp()
        return found.column(stamp.name) if stamp else "CAST(NULL AS VARCHAR)"

    def follow(self, column: SentColumn, found: Fetched) -> str:
        """Reads the key of the parents of one type: SOQL has few fields of a parent that may be of several types."""
        number = self.columns.index(column) + 1
        parent = rest.describe(self.run.org, str(column.parent))
        lookup = found.column(column.target)
        keys = (
            f"SELECT DISTINCT {lookup} FROM {found.table} AS f "
            f"WHERE left({lookup}, 3) = {quote_text(parent.key_prefix or '')}"
        )
        own_id = parent.by_name["id"]
        parents = fetch(
            self.run, Wanted(parent, own_id, {column.field.name: column.field}, keys, f"parents_{number}")
        )
        alias = f"q{number}"
        return f" LEFT JOIN {parents.table} AS {alias} ON {parents.column('Id', alias)} = {lookup}"

    def _text(self, number: int, column: SentColumn, found: Fetched) -> str:
        if ":" in column.header:
            # The parent may be of another type: its Id is no key, and so differs from every key.
            names = ("Id",) if column.field.name == "Id" else ("Id", column.field.name)
            parents = Fetched(f"parents_{number}", names)
            key, own_id = (parents.column(name, f"q{number}") for name in (column.field.name, "Id"))
            return f"CASE WHEN {own_id} IS NULL THEN {found.column(column.target)} ELSE {key} END"
        path = column.header if self._is_path(column) else column.target
        is_read = path.lower() in map(str.lower, found.paths)
        return found.column(path) if is_read else "CAST(NULL AS VARCHAR)"

    def _touched(self) -> tuple[Field, ...]:
        return touched_fields(self.run.sobject, self.operation, self.columns)

    def _stamp(self) -> Field | None:
        return next((field for name in STAMPS if (field := self.run.sobject.find(name))), None)

    @staticmethod
    def _is_path(column: SentColumn) -> bool:
        return column.parent is not None and ":" not in column.header and "." in column.header


def _tell_several(run: RetlRun, key: Field) -> None:
    """Salesforce refuses a key that several records have, so nothing it holds is taken for the row's."""
    run.work.execute(
        "CREATE OR REPLACE TABLE held_several AS SELECT h.row_number, any_value(a.match_key) AS match_key, "
        "count(*) AS records FROM held_all AS h JOIN held_asked AS a USING (row_number) GROUP BY 1 HAVING count(*) > 1"
    )
    number = run.work.count("held_several")
    if number:
        ((row, text, records),) = run.work.query(
            "SELECT row_number, match_key, records FROM held_several ORDER BY 1 LIMIT 1"
        )
        run.tell(
            "warning",
            f"several records have the {key.name} of {counted(number, 'row')}, such as row {row}: "
            f"{records:,} records have {text!r}. Salesforce will refuse that.",
        )
