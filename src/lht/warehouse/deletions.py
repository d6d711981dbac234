"""SQL for deletions that no staged row tells: absence from a complete read, and lists of deleted Ids. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.model.sync import DeletePolicy
from lht.warehouse.merging import marked, staged_live
from lht.warehouse.statements import Statement, quote, quote_table

if TYPE_CHECKING:
    from lht.warehouse.merge_spec import Deletions, MergeSpec


def count_live(spec: MergeSpec) -> Statement:
    """Counts target rows that are not marked deleted."""
    return Statement(f"SELECT count(*) AS live FROM {quote_table(spec.target)} WHERE NOT {marked(spec)}")


def _absent(spec: MergeSpec) -> str:
    key, staging = quote(spec.key_column), quote_table(spec.staging)
    absent = f"{key} NOT IN\n  (SELECT {key} FROM {staging} WHERE {key} IS NOT NULL)"
    if spec.id_column and spec.id_column != spec.key_column:
        # A deleted record that had the key once does not stand for the one that the table holds.
        same = " AND ".join(f"s.{name} = t.{name}" for name in (key, quote(spec.id_column)))
        absent = f"NOT EXISTS\n  (SELECT 1 AS found FROM {staging} AS s WHERE {same})"
    return (
        f"SELECT {key} AS k, CAST(NULL AS DATETIME) AS deleted_at FROM {quote_table(spec.target)} AS t\n"
        f"WHERE NOT {marked(spec)} AND {absent}"
    )


def delete_moved(spec: MergeSpec, id_column: str) -> Statement:
    """Removes rows under the old key of records that the merge has put under another: a record has one row."""
    key, own_id, target = quote(spec.key_column), quote(id_column), quote_table(spec.target)
    order = f"{quote(spec.stamp_column)} DESC NULLS LAST, {key}" if spec.stamp_column else key
    newest = (
        f"SELECT {own_id}, {key} FROM {quote_table(spec.staging)} WHERE {key} IS NOT NULL\n"
        f"  QUALIFY row_number() OVER (PARTITION BY {own_id} ORDER BY {order}) = 1"
    )
    return Statement(
        f"MERGE INTO {target} AS t\nUSING (\n"
        f"  SELECT n.{own_id} AS i, n.{key} AS k FROM (\n  {newest}\n  ) AS n\n"
        f"  JOIN {target} AS h ON h.{own_id} = n.{own_id} AND h.{key} = n.{key}\n"
        f") AS s\nON t.{own_id} = s.i AND t.{key} <> s.k\nWHEN MATCHED THEN DELETE"
    )


def count_absent(spec: MergeSpec) -> Statement:
    """Counts live target rows whose key is not staged."""
    return Statement(f"SELECT count(*) AS absent FROM (\n{_absent(spec)}\n) AS a")


def delete_absent(spec: MergeSpec) -> Statement:
    """Marks or removes live target rows whose key is not staged."""
    return _delete_rows(
        spec, spec.key_column, f"SELECT DISTINCT k, deleted_at FROM (\n{_absent(spec)}\n) AS a"
    )


def _named(spec: MergeSpec, deletions: Deletions) -> str:
    """Ids of live target rows that were deleted, and not changed since."""
    own_id, at = quote(spec.id_column or spec.key_column), quote(deletions.deleted_at_column)
    named = f"SELECT {quote(deletions.id_column)} AS k, max({at}) AS deleted_at\n    FROM {quote_table(deletions.staging)} GROUP BY 1"
    newer = (
        f" AND NOT coalesce(d.deleted_at < t.{quote(spec.stamp_column)}, FALSE)" if spec.stamp_column else ""
    )
    alive = ""
    if deletions.live_rows:
        staged = f"SELECT {own_id} FROM {quote_table(deletions.live_rows)} WHERE {own_id} IS NOT NULL"
        alive = f" AND d.k NOT IN ({staged} AND {staged_live(spec)})"
    return (
        f"SELECT d.k AS k, max(d.deleted_at) AS deleted_at\nFROM (\n    {named}\n) AS d\n"
        f"JOIN (SELECT * FROM {quote_table(spec.target)} WHERE NOT {marked(spec)}) AS t ON t.{own_id} = d.k\n"
        f"WHERE TRUE{newer}{alive}\nGROUP BY d.k"
    )


def count_named(spec: MergeSpec, deletions: Deletions) -> Statement:
    """Counts live target rows that `deletions` names."""
    return Statement(f"SELECT count(*) AS named FROM (\n{_named(spec, deletions)}\n) AS n")


def delete_named(spec: MergeSpec, deletions: Deletions) -> Statement:
    """Marks or removes live target rows that `deletions` names."""
    return _delete_rows(spec, spec.id_column or spec.key_column, _named(spec, deletions))


def _delete_rows(spec: MergeSpec, match_column: str, keys: str) -> Statement:
    if spec.policy is DeletePolicy.REMOVE:
        return Statement(f"{_into(spec, match_column, keys)}WHEN MATCHED THEN DELETE")
    marks = (
        "SELECT n.k AS k, coalesce(n.deleted_at, CAST(? AS DATETIME)) AS deleted_at, CAST(? AS VARCHAR) AS run_id,\n"
        f"  CAST(? AS DATETIME) AS synced_at\nFROM (\n{keys}\n) AS n"
    )
    sets = f"{quote(spec.deleted_column)} = TRUE, " if spec.deleted_column else ""
    system = spec.system
    return Statement(
        f"{_into(spec, match_column, marks)}WHEN MATCHED AND NOT {marked(spec, 't.')} THEN UPDATE SET {sets}"
        f"{quote(system.deleted_at)} = s.deleted_at, {quote(system.run_id)} = s.run_id,\n"
        f"  {quote(system.synced_at)} = s.synced_at",
        (spec.synced_at, spec.run_id, spec.synced_at),
    )


def _into(spec: MergeSpec, match_column: str, keys: str) -> str:
    return f"MERGE INTO {quote_table(spec.target)} AS t\nUSING (\n{keys}\n) AS s\nON t.{quote(match_column)} = s.k\n"
