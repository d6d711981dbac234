"""Results of the smaller verbs; their fields are the keys of `--json`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CreatedColumn:
    """A column as `create` and `describe` report it."""

    name: str
    type: str
    field: str | None


@dataclass(frozen=True, slots=True)
class CreateResult:
    """What `create` did: `differences` tells how an existing table differs, one sentence each."""

    table: str
    created: bool
    columns: tuple[CreatedColumn, ...]
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What `bulk_results` loaded."""

    job_id: str
    table: str
    rows_loaded: int
    rows_in_table: int
    errors: tuple[str, ...] = ()
