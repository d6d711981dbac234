"""Merging step by step, on any warehouse: look at the staged rows, count, then change, and compare the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.warehouse.port import Warehouse
    from lht.warehouse.statements import Deletions, KeyProblems, MergeCounts, MergeSpec


def prepare(warehouse: Warehouse, spec: MergeSpec) -> MergeSpec:
    """Looks up `has_duplicates` and `target_is_empty`; call it before the others, under the table's lock."""
    raise NotImplementedError


def key_problems(warehouse: Warehouse, spec: MergeSpec) -> KeyProblems:
    """Counts live rows whose key is empty or shared; a merge must not go on if there are any."""
    raise NotImplementedError


def classify(warehouse: Warehouse, spec: MergeSpec) -> MergeCounts:
    """Counts what `merge` would do; SyncError if the target holds a key twice."""
    raise NotImplementedError


def merge(warehouse: Warehouse, spec: MergeSpec, counts: MergeCounts) -> None:
    """Merges inside the caller's transaction; IncompleteExtractError if it changed other than `counts.changed` rows."""
    raise NotImplementedError


def fill(warehouse: Warehouse, spec: MergeSpec) -> int:
    """Updates only the staged columns of rows that exist (backfill, formulas); gives the rows changed."""
    raise NotImplementedError


def live_count(warehouse: Warehouse, spec: MergeSpec) -> int:
    """Counts the target's rows that are not marked deleted (the valve's whole)."""
    raise NotImplementedError


def absent_count(warehouse: Warehouse, spec: MergeSpec) -> int:
    """Counts live target rows whose key was not staged (the valve's part)."""
    raise NotImplementedError


def delete_absent(warehouse: Warehouse, spec: MergeSpec) -> int:
    """Marks or removes live target rows whose key was not staged; 0 under the policy keep."""
    raise NotImplementedError


def deletions_count(warehouse: Warehouse, spec: MergeSpec, deletions: Deletions) -> int:
    """Counts what `delete_named` would change."""
    raise NotImplementedError


def delete_named(warehouse: Warehouse, spec: MergeSpec, deletions: Deletions) -> int:
    """Marks or removes live target rows that `deletions` names, unless their stamp is newer; 0 under keep."""
    raise NotImplementedError
