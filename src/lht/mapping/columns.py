"""An object's fields as a table's columns: which are read, and how they are named, typed and commented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lht.errors import ConfigError, NameCollisionError, UnknownFieldError
from lht.mapping.names import column_name, nearest, unknown_field
from lht.mapping.types import TEXT, column_type, default_type, find_override, is_known, why_unreadable
from lht.model.table import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lht.model.salesforce import Field, SObject
    from lht.model.table import Capabilities, ColumnType

RESERVED_PREFIX: Final = "_lht_"
STAMPS: Final = ("SystemModstamp", "LastModifiedDate")


@dataclass(frozen=True, slots=True)
class _Choice:
    """What the user asked for, in the org's own spelling; `wanted` None: all that is readable."""

    wanted: frozenset[str] | None
    unwanted: frozenset[str]
    required: frozenset[str]


def columns_for(
    sobject: SObject,
    *,
    fields: Sequence[str] = (),
    exclude: Sequence[str] = (),
    overrides: Mapping[str, ColumnType],
    capabilities: Capabilities,
    always: Sequence[str] = (),
    related: Mapping[str, Field] | None = None,
) -> tuple[tuple[Column, ...], dict[str, str]]:
    """Gives the columns to read, in describe's order, and the fields that are not read, each with the reason.

    `fields` may hold dotted paths (`Owner.Name`): these come last, as text unless `related` tells the field at
    the path's end. `Id`, `IsDeleted`, the stamp and `always` are read in any case. Names are matched in any
    letter case and come back in the org's.
    """
    choice = _choose(sobject, fields, exclude, always)
    read, excluded = _split(sobject, choice)
    columns = [_column(field, sobject.name, overrides, capabilities) for field in read]
    columns += [
        _path_column(path, sobject.name, overrides, capabilities, related or {})
        for path in _paths(sobject, fields, exclude)
    ]
    _refuse_collisions(sobject.name, columns)
    return tuple(columns), excluded


def unknown_type_warnings(sobject: SObject, columns: Iterable[Column]) -> tuple[str, ...]:
    """Gives a sentence for each column whose field has a type that LHT does not know."""
    fields = [sobject.find(column.field) for column in columns if column.field]
    return tuple(
        f"{sobject.name}.{field.name} has the type {field.type!r}, which LHT does not know; it is read as text."
        for field in fields
        if field is not None and not is_known(field)
    )


def _choose(
    sobject: SObject, fields: Sequence[str], exclude: Sequence[str], always: Sequence[str]
) -> _Choice:
    wanted = frozenset(_known(sobject, name).name for name in fields if "." not in name)
    for name in sorted(wanted):
        _refuse_unreadable(sobject, name)
    return _Choice(
        wanted=wanted if fields else None,
        unwanted=frozenset(_known(sobject, name).name for name in exclude if "." not in name),
        required=_required(sobject, always),
    )


def _required(sobject: SObject, names: Sequence[str]) -> frozenset[str]:
    asked = {_known(sobject, name).name for name in names}
    own = {field.name for name in ("Id", "IsDeleted") if (field := sobject.find(name))}
    stamp = [field.name for name in STAMPS if (field := sobject.find(name))][:1]
    return frozenset(asked | own | set(stamp))


def _known(sobject: SObject, name: str) -> Field:
    field = sobject.find(name)
    if field is None:
        raise unknown_field(sobject, name)
    return field


def _refuse_unreadable(sobject: SObject, name: str) -> None:
    reason = why_unreadable(_known(sobject, name))
    if reason:
        raise ConfigError(
            f"{sobject.name}.{name} cannot be read: it is {reason}.", hint="Leave it out of --fields."
        )


def _split(sobject: SObject, choice: _Choice) -> tuple[list[Field], dict[str, str]]:
    read: list[Field] = []
    excluded: dict[str, str] = {}
    for field in sobject.fields:
        reason = _why_not(field, choice)
        if reason:
            excluded[field.name] = reason
        else:
            read.append(field)
    return read, excluded


def _why_not(field: Field, choice: _Choice) -> str | None:
    reason = why_unreadable(field)
    if reason or field.name in choice.required:
        return reason
    if field.name in choice.unwanted:
        return "excluded by --exclude"
    if choice.wanted is not None and field.name not in choice.wanted:
        return "not among --fields"
    return None


def _paths(sobject: SObject, fields: Sequence[str], exclude: Sequence[str]) -> list[str]:
    unwanted = {name.lower() for name in exclude}
    asked = (_canonical_path(sobject, name) for name in fields if "." in name)
    unique = {path.lower(): path for path in asked}
    return [path for folded, path in unique.items() if folded not in unwanted]


def _canonical_path(sobject: SObject, path: str) -> str:
    """Checks the first step only: what lies behind it is another object's describe."""
    first, _, rest = path.partition(".")
    names = [field.relationship_name for field in sobject.fields if field.relationship_name]
    for name in names:
        if name.lower() == first.lower() and rest:
            return f"{name}.{rest}"
    raise UnknownFieldError(
        f"{sobject.name} has no relationship {first!r} (asked for as {path!r}).",
        hint=nearest(first, names),
        object=sobject.name,
        field=path,
    )


def _column(
    field: Field, object_name: str, overrides: Mapping[str, ColumnType], capabilities: Capabilities
) -> Column:
    return Column(
        name=column_name(field.name, capabilities),
        type=column_type(field, object_name, overrides),
        field=field.name,
        comment=_comment(field),
        calculated=field.calculated,
    )


def _path_column(
    path: str,
    object_name: str,
    overrides: Mapping[str, ColumnType],
    capabilities: Capabilities,
    related: Mapping[str, Field],
) -> Column:
    end = {key.lower(): field for key, field in related.items()}.get(path.lower())
    return Column(
        name=column_name(path, capabilities),
        type=find_override(path, object_name, overrides) or (default_type(end) if end else TEXT),
        field=path,
        comment=_comment(end) if end else "",
    )


def _comment(field: Field) -> str:
    return ": ".join(part for part in (field.label, field.help_text) if part)


def _refuse_collisions(object_name: str, columns: Iterable[Column]) -> None:
    """Compares without letter case: DuckDB does, and Snowflake's names are folded."""
    seen: dict[str, Column] = {}
    for column in columns:
        folded = column.name.lower()
        if folded.startswith(RESERVED_PREFIX):
            raise NameCollisionError(
                f"{object_name}.{column.field} would become {column.name}: names that start with "
                f"{RESERVED_PREFIX} are LHT's own.",
                hint=f"Leave it out with --exclude {column.field}.",
            )
        other = seen.setdefault(folded, column)
        if other is not column:
            raise NameCollisionError(
                f"{object_name}.{other.field} and {object_name}.{column.field} would both become {column.name}.",
                hint=f"Leave one out, for example with --exclude {column.field}.",
            )
