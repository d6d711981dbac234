"""lht.toml: which objects a project syncs, and the types of its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lht.config.files import line_of, parse_toml, place, read_text
from lht.config.suggest import did_you_mean
from lht.errors import ConfigError, LhtError
from lht.mapping.types import parse_type
from lht.model.sync import DeletePolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lht.model.table import ColumnType

FILE = "lht.toml"
_VERSION = 1
_TOP_KEYS = ("version", "sync", "types")
_SYNC_KEYS = (
    "object", "table", "schema", "where", "fields", "exclude", "deletes", "sync_field", "cursor", "full_every",
    "refresh_formulas_every",
)  # fmt: skip
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d+)\s*([mhdw])")


@dataclass(frozen=True, slots=True)
class SyncEntry:
    """One `[[sync]]`; what it leaves out is None or empty, so that a flag or default may fill it."""

    object: str
    table: str | None = None
    schema: str | None = None
    where: str | None = None
    fields: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    deletes: DeletePolicy | None = None
    sync_field: str | None = None
    cursor: str | None = None
    full_every: timedelta | None = None
    refresh_formulas_every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """The file's contents; one that is not there is empty, with `path` None."""

    path: Path | None = None
    syncs: tuple[SyncEntry, ...] = ()
    types: Mapping[str, ColumnType] = field(default_factory=dict)


def load_project(cwd: Path) -> Project:
    """Reads lht.toml of the working directory; every mistake names its line."""
    path = cwd / FILE
    text = read_text(path)
    if text is None:
        return Project()
    return _Reader(path, text).read()


@dataclass(frozen=True, slots=True)
class _Reader:
    path: Path
    text: str

    def read(self) -> Project:
        body = parse_toml(self.text, self.path)
        self._known(body, _TOP_KEYS, None)
        if body.get("version", _VERSION) != _VERSION:
            raise self._error(
                None, "version", f"version {body['version']} is not known", hint="This LHT reads 1."
            )
        entries = body.get("sync", [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self._error(
                "sync", None, "sync is not a list of tables", hint="Write [[sync]], with two brackets."
            )
        types = body.get("types", {})
        if not isinstance(types, dict):
            raise self._error(None, "types", "types is not a table", hint="Write [types].")
        syncs = tuple(self._sync(entry, index) for index, entry in enumerate(entries))
        return Project(self.path, syncs, self._types(types))

    def _sync(self, entry: dict[str, Any], index: int) -> SyncEntry:
        self._known(entry, _SYNC_KEYS, "sync", index)
        if not entry.get("object"):
            raise self._error(
                "sync", None, "[[sync]] names no object", index=index, hint='Add object = "Account".'
            )
        text = {key: self._text(entry, key, index) for key in _SYNC_KEYS[:4]}
        return SyncEntry(
            object=text["object"] or "",
            table=text["table"],
            schema=text["schema"],
            where=text["where"],
            fields=self._names(entry, "fields", index),
            exclude=self._names(entry, "exclude", index),
            deletes=self._deletes(entry, index),
            sync_field=self._text(entry, "sync_field", index),
            cursor=self._text(entry, "cursor", index),
            full_every=self._duration(entry, "full_every", index),
            refresh_formulas_every=self._duration(entry, "refresh_formulas_every", index),
        )

    def _types(self, table: dict[str, Any]) -> dict[str, ColumnType]:
        types: dict[str, ColumnType] = {}
        for name, spelled in _flattened(table):
            try:
                types[name] = parse_type(str(spelled))
            except LhtError as error:
                raise self._error("types", name, f"{name}: {error.message}", hint=error.hint) from error
        return types

    def _text(self, entry: dict[str, Any], key: str, index: int) -> str | None:
        value = entry.get(key)
        if value is not None and not isinstance(value, str):
            raise self._error("sync", key, f"{key} is not a text", index=index, hint=f'Write {key} = "…".')
        return value or None

    def _names(self, entry: dict[str, Any], key: str, index: int) -> tuple[str, ...]:
        value = entry.get(key, [])
        if isinstance(value, str):
            value = [name.strip() for name in value.split(",") if name.strip()]
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise self._error(
                "sync", key, f"{key} is not a list of names", index=index, hint=f'Write {key} = ["Id"].'
            )
        return tuple(value)

    def _deletes(self, entry: dict[str, Any], index: int) -> DeletePolicy | None:
        value = self._text(entry, "deletes", index)
        if value is None:
            return None
        try:
            return DeletePolicy(value.lower())
        except ValueError:
            hint = did_you_mean(value, [policy.value for policy in DeletePolicy])
            raise self._error(
                "sync", "deletes", f"deletes cannot be '{value}'", index=index, hint=hint
            ) from None

    def _duration(self, entry: dict[str, Any], key: str, index: int) -> timedelta | None:
        value = entry.get(key)
        if value is None:
            return None
        match = _DURATION.fullmatch(str(value).strip().lower())
        if not match or not int(match[1]):
            hint = f'Write {key} = "12h" or "7d" (m, h, d, w).'
            raise self._error("sync", key, f"{key} is no length of time", index=index, hint=hint)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})

    def _known(self, table: dict[str, Any], known: Iterable[str], name: str | None, index: int = 0) -> None:
        for key in table:
            if key not in known:
                where = f" in [[{name}]]" if name else ""
                raise self._error(
                    name, key, f"unknown key '{key}'{where}", index=index, hint=did_you_mean(key, known)
                )

    def _error(
        self, table: str | None, key: str | None, what: str, *, index: int = 0, hint: str = ""
    ) -> ConfigError:
        line = line_of(self.text, table, key, index=index) or line_of(self.text, key or table, None)
        return ConfigError(f"{place(self.path, line)}: {what.rstrip('.')}.", hint=hint)


def _flattened(table: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """Keys with their values; `Account.Field__c` unquoted is a table within a table to TOML."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", spelled) for inner, spelled in value.items())
        else:
            yield key, value
