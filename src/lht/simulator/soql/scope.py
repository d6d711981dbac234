"""Names to columns: resolves field paths against the catalog and collects the joins that they need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from lht.simulator.org.schemas.schema import COMPOUND_TYPES, FieldSchema, ObjectSchema
from lht.simulator.soql.compiled import KIND
from lht.simulator.soql.faults import fault, malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.simulator.soql.compiled import Compiled
    from lht.simulator.soql.tree import Path, Query

MAX_LEVELS = 5
MAX_RELATIONSHIPS = 55
_SEE_DESCRIBE = "Please reference your WSDL or the describe call for the appropriate names."
_NAME_FIELDS = (
    FieldSchema("Id", "id", length=18),
    FieldSchema("Name", "string", length=255),
    FieldSchema("Type", "picklist", length=40),
    *(
        FieldSchema(name, "string", length=80)
        for name in (
            "FirstName",
            "MiddleName",
            "LastName",
            "Suffix",
            "Username",
            "Alias",
            "NameOrAlias",
            "Title",
        )
    ),
    FieldSchema("Email", "email", length=80),
    FieldSchema("Phone", "phone", length=40),
    FieldSchema("IsActive", "boolean", nillable=False),
    *(FieldSchema(name, "datetime", groupable=False) for name in ("LastViewedDate", "LastReferencedDate")),
    *(
        FieldSchema(f"{name}Id", "reference", length=18, reference_to=(name,), relationship_name=name)
        for name in ("Profile", "UserRole")
    ),
)
NAME_OBJECT = ObjectSchema("Name", "Name", "Names", None, _NAME_FIELDS, createable=False)
"""What a polymorphic parent is to SOQL: the fields that all its kinds share."""
_SQL_TYPES = {"boolean": "BOOLEAN", "datetime": "TIMESTAMP"}


class Catalog(Protocol):
    """Where a query finds its objects."""

    def object(self, name: str) -> ObjectSchema | None:
        """Gives the visible object of that name in any letter case."""

    def children(self, parent: ObjectSchema) -> Iterator[tuple[ObjectSchema, FieldSchema]]:
        """Gives the references that point at an object with the objects that hold them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A resolved value: its SQL, describe's type word, its canonical path and its field, if it is one.

    A child sub-query is the column of its parents' Ids; `children` is what it selects.
    """

    sql: str
    type: str
    path: tuple[str, ...]
    field: FieldSchema | None
    children: Compiled | None = None

    @property
    def through_parent(self) -> bool:
        return len(self.path) > 1


@dataclass(slots=True)
class Table:
    """One joined table: the row itself (empty path) or a parent reached over `path`."""

    alias: str
    path: tuple[str, ...]
    schema: ObjectSchema
    kinds: tuple[ObjectSchema, ...]
    key: str = ""
    used: set[str] = field(default_factory=lambda: {"Id"})

    @property
    def polymorphic(self) -> bool:
        return self.schema is NAME_OBJECT


class Scope:
    """The tables of one query. Asking for a path adds the joins that it needs."""

    def __init__(self, base: ObjectSchema, query: Query, catalog: Catalog) -> None:
        self._catalog = catalog
        self._text = query.text
        self._own_names = {base.name.lower()} | ({query.alias.lower()} if query.alias else set())
        self._aliases: dict[str, tuple[str, ...]] = {}
        self._tables: dict[tuple[str, ...], Table] = {(): Table("t0", (), base, (base,))}
        for source in query.sources:
            self._add_source(source.path, source.alias)

    @property
    def base(self) -> Table:
        return self._tables[()]

    def tables(self) -> Iterator[Table]:
        """Gives the tables joined so far, the base first."""
        yield from self._tables.values()

    def table(self, path: tuple[str, ...]) -> Table:
        return self._tables[path]

    def is_own(self, name: str) -> bool:
        """Whether a name is that of the object or its alias."""
        return name.lower() in self._own_names

    def resolve(self, path: Path, origin: Table | None = None) -> Column:
        """Gives the column that a path names; raises the fault that tells which part is unknown.

        A path begins at the object, or with an alias; or at `origin`.
        """
        return self.column(*self._find(path, origin))

    def location(self, path: Path) -> tuple[str, str] | None:
        """Gives latitude and longitude of an address or a location, or None if the path names neither."""
        table, found = self._find(path, None)
        parts = _parts(table, found) if _is_compound(found) else {}
        return (parts["latitude"], parts["longitude"]) if {"latitude", "longitude"} <= set(parts) else None

    def branch(self, path: Path, kind: ObjectSchema | None) -> Table:
        """Gives the table of those parents over a polymorphic relationship that are of one kind, or of any."""
        names = self._unaliased(path)
        child = self._walk(self.base, names[:-1], path)
        reference = self._reference(child, names[-1], path)
        canonical = (*child.path, f"{reference.relationship_name}{KIND}{kind.name if kind else ''}")
        if len(reference.reference_to) == 1 or (kind and kind.name not in reference.reference_to):
            raise self._no_branch(reference, kind, path)
        if canonical not in self._tables:
            kinds = (kind,) if kind else self._kinds(reference)
            key = self.column(child, reference).sql
            alias = f"t{len(self._tables)}"
            self._add(Table(alias, canonical, kind or NAME_OBJECT, kinds, key))
        return self._tables[canonical]

    def _find(self, path: Path, origin: Table | None) -> tuple[Table, FieldSchema]:
        names = path.names if origin else self._unaliased(path)
        if len(names) - 1 > MAX_LEVELS:
            raise malformed(
                f"A field path may not hold more than {MAX_LEVELS} relationships.", self._text, path.at
            )
        table = self._walk(origin or self.base, names[:-1], path)
        found = table.schema.find(names[-1])
        if found is None:
            raise self._no_column(names[-1], table.schema, path)
        return table, found

    def _walk(self, table: Table, names: tuple[str, ...], path: Path) -> Table:
        for name in names:
            table = self._parent(table, name, path)
        return table

    def _unaliased(self, path: Path) -> tuple[str, ...]:
        first, *others = path.names
        if not others:
            return path.names
        if self.is_own(first):
            return tuple(others)
        return (*self._aliases.get(first.lower(), (first,)), *others)

    def _add_source(self, path: Path, alias: str | None) -> None:
        """`FROM Contact c, c.Account a`: a name for a parent; children cannot be joined like that."""
        names = self._unaliased(path)
        table = self.base
        for name in names:
            if len(path.names) == 1 or not any(_is_called(f, name) for f in table.schema.by_name.values()):
                raise no_child(names[-1], self._text, path.at)
            table = self._parent(table, name, path)
        if alias:
            self._aliases[alias.lower()] = names

    def column(self, table: Table, found: FieldSchema) -> Column:
        """Gives a table's field as a column."""
        table.used.add(found.name)
        sql = _compound(table, found) if _is_compound(found) else f"{table.alias}.{quoted(found.name)}"
        return Column(sql, found.type.lower(), (*table.path, found.name), found)

    @property
    def formulas(self) -> int:
        """How many formulas the query has asked for so far; the same one over two relationships counts twice."""
        return sum(f.formula is not None and f.name in t.used for t in self.tables() for f in t.schema.fields)

    def from_sql(self) -> str:
        """Writes the FROM clause; every path must have been resolved before."""
        first, *others = self._tables.values()
        joins = (
            f"LEFT JOIN {_relation(t)} AS {t.alias} ON {t.alias}.{quoted('Id')} = {t.key}"
            + ("" if t.polymorphic else f" AND {t.alias}._hidden IS NOT TRUE")
            for t in others
        )
        return " ".join([f"FROM {_relation(first)} AS {first.alias}", *joins])

    def _parent(self, table: Table, name: str, path: Path) -> Table:
        reference = self._reference(table, name, path)
        canonical = (*table.path, str(reference.relationship_name))
        if canonical not in self._tables:
            self._add(self._joined(table, reference, canonical, name, path))
        return self._tables[canonical]

    def _reference(self, table: Table, name: str, path: Path) -> FieldSchema:
        reference = next((f for f in table.schema.by_name.values() if _is_called(f, name)), None)
        if reference is None:
            raise self._no_relationship(name, path)
        return reference

    def _add(self, table: Table) -> None:
        if len(self._tables) > MAX_RELATIONSHIPS:
            raise malformed(f"SOQL statements cannot query more than {MAX_RELATIONSHIPS} relationships.")
        self._tables[table.path] = table

    def _kinds(self, reference: FieldSchema) -> tuple[ObjectSchema, ...]:
        return tuple(k for k in map(self._catalog.object, reference.reference_to) if k is not None)

    def _joined(
        self, child: Table, reference: FieldSchema, canonical: tuple[str, ...], name: str, path: Path
    ) -> Table:
        kinds = self._kinds(reference)
        polymorphic = len(reference.reference_to) > 1
        if not kinds and not polymorphic:
            raise self._no_relationship(name, path)
        key = self.column(child, reference).sql
        return Table(f"t{len(self._tables)}", canonical, NAME_OBJECT if polymorphic else kinds[0], kinds, key)

    def _no_column(self, name: str, schema: ObjectSchema, path: Path) -> Exception:
        return fault(
            "INVALID_FIELD",
            f"No such column '{name}' on entity '{schema.name}'. If you are attempting to use a custom field, be sure "
            f"to append the '__c' after the custom field name. {_SEE_DESCRIBE}",
            self._text,
            path.at,
        )

    def _no_branch(self, reference: FieldSchema, kind: ObjectSchema | None, path: Path) -> Exception:
        name = reference.relationship_name
        if len(reference.reference_to) == 1:
            return malformed(
                f"TYPEOF can only be used with a polymorphic relationship, not with '{name}'",
                self._text,
                path.at,
            )
        what = kind.name if kind else ""
        return fault(
            "INVALID_TYPE",
            f"'{what}' is not a type that relationship '{name}' refers to",
            self._text,
            path.at,
        )

    def _no_relationship(self, name: str, path: Path) -> Exception:
        return fault(
            "INVALID_FIELD",
            f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
            f"relationship, be sure to append the '__r' after the custom relationship name. {_SEE_DESCRIBE}",
            self._text,
            path.at,
        )


def no_object(name: str, text: str, at: int) -> Exception:
    """The answer to an object that is not there, or not visible."""
    return fault(
        "INVALID_TYPE",
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append "
        f"the '__c' after the entity name. {_SEE_DESCRIBE}",
        text,
        at,
    )


def no_child(name: str, text: str, at: int) -> Exception:
    """The answer to a relationship that is not there, or has no name, where records and their children are named."""
    return fault(
        "INVALID_TYPE",
        f"Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a custom "
        f"relationship, be sure to append the '__r' after the custom relationship name. {_SEE_DESCRIBE}",
        text,
        at,
    )


def quoted(name: str) -> str:
    """Quotes an identifier for DuckDB."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def string(text: str) -> str:
    """Quotes a string constant for DuckDB."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _is_called(reference: FieldSchema, relationship: str) -> bool:
    return (
        bool(reference.reference_to) and (reference.relationship_name or "").lower() == relationship.lower()
    )


def _is_compound(found: FieldSchema) -> bool:
    return found.type.lower() in COMPOUND_TYPES


def _relation(table: Table) -> str:
    """A table as the FROM clause sees it: formulas are columns, a polymorphic parent is the union of its kinds."""
    if table.polymorphic:
        return f"({' UNION ALL '.join(_kind(k, table.used) for k in table.kinds) or _nobody(table.used)})"
    formulas = [f for f in table.schema.fields if f.formula is not None and f.name in table.used]
    if not formulas:
        return quoted(table.schema.name)
    # Inside the sub-select a formula sees the columns of its own table only, so its names cannot be ambiguous.
    columns = ", ".join(f"({f.formula}) AS {quoted(f.name)}" for f in formulas)
    return f"(SELECT *, {columns} FROM {quoted(table.schema.name)})"


def _kind(schema: ObjectSchema, used: set[str]) -> str:
    wanted = [f for f in _NAME_FIELDS if f.name in used]
    columns = (f"{_kind_value(schema, f)} AS {quoted(f.name)}" for f in wanted)
    return f"SELECT {', '.join(columns)} FROM {quoted(schema.name)} WHERE _hidden IS NOT TRUE"


def _kind_value(schema: ObjectSchema, wanted: FieldSchema) -> str:
    if wanted.name == "Type":
        return string(schema.name)
    short = "Alias" if schema.find("Alias") else "Name"
    found = schema.find(short if wanted.name == "NameOrAlias" else wanted.name)
    if found is None or found.type.lower() in COMPOUND_TYPES:
        return _null(wanted)
    return f"({found.formula})" if found.formula else quoted(found.name)


def _nobody(used: set[str]) -> str:
    columns = (f"{_null(f)} AS {quoted(f.name)}" for f in _NAME_FIELDS if f.name in used)
    return f"SELECT {', '.join(columns)} WHERE false"


def _null(wanted: FieldSchema) -> str:
    return f"CAST(NULL AS {_SQL_TYPES.get(wanted.type, 'VARCHAR')})"


def _compound(table: Table, found: FieldSchema) -> str:
    """An address or location as a struct of its parts, null where all of them are null."""
    columns = _parts(table, found)
    if not columns:
        return "NULL"
    struct = ", ".join(f"{quoted(name)} := {sql}" for name, sql in sorted(columns.items()))
    return f"CASE WHEN COALESCE({', '.join(f'CAST({c} AS VARCHAR)' for c in columns.values())}) IS NOT NULL THEN struct_pack({struct}) END"


def _parts(table: Table, found: FieldSchema) -> dict[str, str]:
    parts = [f for f in table.schema.by_name.values() if f.compound_field_name == found.name]
    table.used.update(f.name for f in parts)
    return {_part_name(found, f): f"{table.alias}.{quoted(f.name)}" for f in parts}


def _part_name(compound: FieldSchema, part: FieldSchema) -> str:
    if compound.type.lower() == "location":
        return "latitude" if "latitude" in part.name.lower() else "longitude"
    stem = compound.name.removesuffix("Address")
    name = part.name.removeprefix(stem)
    return name[:1].lower() + name[1:]
