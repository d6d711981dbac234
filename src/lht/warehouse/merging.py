"""The SQL of a merge: text with bound values, no I/O.

It is two steps. `create_changes` compares staged rows with the target and writes what becomes of each key into a
narrow scratch table; `merge` (or, for many rows, `delete_changed` and `insert_changed`) carries that out. So the
counts that are reported and the changes that are made come from one comparison. The forms are those that DuckDB
and Snowflake both understand: a subquery as the source of MERGE, bare names where columns are assigned, DATETIME,
which has no zone in either (what TIMESTAMP means in Snowflake is a setting of the session).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.model.sync import DeletePolicy
from lht.model.table import ColumnKind
from lht.warehouse.statements import (
    Dialect,
    Statement,
    listed,
    quote,
    quote_table,
    quote_text,
    scratch_from,
    type_sql,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lht.model.table import ColumnType, TableName
    from lht.warehouse.merge_spec import Marks, MergeSpec


# What becomes of a staged row. The first four change the target.
INSERT, UPDATE, MARK, REMOVE = "insert", "update", "mark", "remove"
MARK_NEW, UNCHANGED, IGNORED = "mark_new", "unchanged", "ignored"


def staged_facts(staging: TableName, marks: Marks) -> Statement:
    """Asks for `StagedFacts`, in the order of its fields."""
    key, own_id = quote(marks.key), _optional(marks.id)
    gone = f"coalesce({quote(marks.deleted)}, FALSE)" if marks.deleted else "FALSE"
    newest = f"max({quote(marks.stamp)})" if marks.stamp else "NULL"
    keyless = f"CASE WHEN {key} IS NULL AND NOT {gone} THEN"
    return Statement(
        f"SELECT count(*) AS staged, count({key}) AS keyed, count(DISTINCT {key}) AS distinct_keys,\n"
        f"  count(CASE WHEN {key} IS NOT NULL AND {gone} THEN 1 END) AS gone,\n"
        f"  count({keyless} 1 END) AS keyless, min({keyless} {own_id} END) AS example, {newest} AS newest\n"
        f"FROM {quote_table(staging)}"
    )


def target_has_rows(spec: MergeSpec) -> Statement:
    """Gives a row if the target has one."""
    return Statement(f"SELECT 1 AS found FROM {quote_table(spec.target)} LIMIT 1")


def repeated_keys(spec: MergeSpec) -> Statement:
    """Counts keys that several live staged records share, with one of them."""
    key, identity = quote(spec.key_column), quote(spec.id_column or spec.key_column)
    return Statement(
        f"SELECT count(*) AS problems, min(shared) AS example\nFROM (\n"
        f"  SELECT {key} AS shared FROM {quote_table(spec.staging)}\n"
        f"  WHERE {key} IS NOT NULL AND {staged_live(spec)}\n"
        f"  GROUP BY {key} HAVING count(DISTINCT {identity}) > 1\n) AS repeated"
    )


def taken_keys(spec: MergeSpec, gone: Sequence[TableName], live: TableName | None) -> Statement:
    """Counts keys of live target rows that staged records of other Ids have now, with one of them.

    Left out are rows whose record may have given its key away: it is staged, or in `gone`, or not in `live`.
    """
    key, own_id = quote(spec.key_column), quote(spec.id_column or spec.key_column)
    changed = [f"SELECT {own_id} FROM {quote_table(spec.staging)} WHERE {own_id} IS NOT NULL"]
    changed += [f"SELECT {quote('Id')} FROM {quote_table(table)}" for table in gone]
    conditions = [f"t.{own_id} NOT IN ({ids})" for ids in changed]
    conditions += [f"t.{own_id} IN (SELECT {own_id} FROM {quote_table(live)})"] if live else []
    return Statement(
        f"SELECT count(DISTINCT t.{key}) AS problems, min(t.{key}) AS example\nFROM {quote_table(spec.target)} AS t\n"
        f"JOIN (\n  SELECT {key}, {own_id} FROM {quote_table(spec.staging)} WHERE {staged_live(spec)}\n) AS s\n"
        f"ON s.{key} = t.{key} AND s.{own_id} <> t.{own_id}\n"
        f"WHERE NOT {marked(spec, 't.')} AND {' AND '.join(conditions)}"
    )


def staged_live(spec: MergeSpec) -> str:
    """Whether a staged row is live."""
    return f"NOT coalesce({quote(spec.deleted_column)}, FALSE)" if spec.deleted_column else "TRUE"


def _source(spec: MergeSpec) -> str:
    """Selects one staged row for each key; rows without a key are left out."""
    names, key, staging = listed(spec.columns), quote(spec.key_column), quote_table(spec.staging)
    keyed = f"SELECT {names} FROM {staging} WHERE {key} IS NOT NULL"
    if not spec.has_duplicates:
        return keyed
    repeated = f"SELECT {key} FROM {staging} WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1"
    return (
        f"{keyed} AND {key} NOT IN ({repeated})\nUNION ALL\n"
        f"SELECT {names} FROM (\n  SELECT {names} FROM {staging} WHERE {key} IN ({repeated})\n"
        f"  QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {_precedence(spec)}) = 1\n) AS newest"
    )


def _precedence(spec: MergeSpec) -> str:
    """Which of several rows of a key wins: all columns take part, so that every statement picks the same."""
    stamp = [f"{quote(spec.stamp_column)} DESC NULLS LAST"] if spec.stamp_column else []
    deleted = f"coalesce({quote(spec.deleted_column)}, FALSE)" if spec.deleted_column else ""
    rest = [
        f"{quote(c)} DESC NULLS LAST"
        for c in spec.columns
        if c not in {spec.key_column, spec.stamp_column, spec.deleted_column}
    ]
    if not deleted:
        return ", ".join([*stamp, *rest] or ["1"])
    if spec.key_column == spec.id_column:
        return ", ".join([*stamp, f"{deleted} DESC", *rest])
    # Another record may have taken over the key of a deleted one.
    return ", ".join([deleted, *stamp, *rest])


def compared_expressions(
    columns: Sequence[str],
    staged: Mapping[str, ColumnType],
    target: Mapping[str, ColumnType],
    dialect: Dialect,
) -> tuple[str, ...]:
    """Expressions over a row that differ, in staging and target, exactly if the row differs.

    With `row_hash` these are two hashes over all columns, in opposite orders: 128 bits in place of the whole row,
    so that the join stays narrow. A hash depends on the type, hence the casts to the staged type.
    """
    if dialect.row_hash is None:
        return tuple(_plain(c, staged.get(c.lower()), target.get(c.lower()), dialect) for c in columns)
    typed = [
        part
        for c in columns
        if c.lower() in staged
        for part in _typed(c, staged[c.lower()], target.get(c.lower()), dialect)
    ]
    forth, back = ", ".join(typed), ", ".join(["'lht'", *reversed(typed)])
    return (f"{dialect.row_hash}({forth})", f"{dialect.row_hash}({back})")


def _plain(column: str, staged: ColumnType | None, target: ColumnType | None, dialect: Dialect) -> str:
    """A column as it is compared; variants by their text, in which the keys of an object have one order."""
    if target is not None and target.is_collated:
        return dialect.collated_text.format(quote(column))
    are_variants = staged is not None and staged == target and staged.kind is ColumnKind.VARIANT
    return dialect.variant_text.format(quote(column)) if are_variants else quote(column)


def _typed(column: str, staged: ColumnType, target: ColumnType | None, dialect: Dialect) -> list[str]:
    name, sql_type = quote(column), type_sql(staged, dialect)
    if staged == target:
        return [f"CAST({name} AS {sql_type})"]
    # A value that does not fit the staged type must not look like an empty one.
    return [f"TRY_CAST({name} AS {sql_type})", f"{name} IS NULL"]


def create_changes(spec: MergeSpec, dialect: Dialect) -> Statement:
    """Writes key and action of every staged row that has a key."""
    compared = spec.compared or tuple(quote(column) for column in spec.columns)
    values = "".join(f", {expression} AS c{number}" for number, expression in enumerate(compared))
    differs = " OR ".join(f"s.c{number} IS DISTINCT FROM t.c{number}" for number in range(len(compared)))
    key = quote(spec.key_column)
    return scratch_from(
        spec.changes,
        f"SELECT s.k AS k, {_action(spec, f'({differs})')} AS what\n"
        f"FROM (\n  SELECT {key} AS k{_staged_facts_of_row(spec)}{values}\n  FROM (\n{_source(spec)}\n  ) AS one\n) AS s\n"
        f"LEFT JOIN (\n  SELECT {key} AS k{_target_facts_of_row(spec)}{values}\n  FROM {quote_table(spec.target)}\n) AS t\n"
        "ON s.k = t.k",
        dialect,
    )


def _staged_facts_of_row(spec: MergeSpec) -> str:
    if spec.fills:
        return ""
    deleted = f"coalesce({quote(spec.deleted_column)}, FALSE)" if spec.deleted_column else "FALSE"
    return f", {_optional(spec.stamp_column)} AS stamp, {_optional(spec.id_column)} AS id, {deleted} AS gone"


def _target_facts_of_row(spec: MergeSpec) -> str:
    if spec.fills:
        return ""
    facts = f", {_optional(spec.stamp_column)} AS stamp, {_optional(spec.id_column)} AS id"
    return f"{facts}, {marked(spec)} AS marked, {quote(spec.system.deleted_at)} IS NOT NULL AS dated"


def _optional(column: str | None) -> str:
    return quote(column) if column else "NULL"


def marked(spec: MergeSpec, prefix: str = "") -> str:
    """Whether a target row is marked deleted."""
    dated = f"{prefix}{quote(spec.system.deleted_at)} IS NOT NULL"
    if not spec.deleted_column:
        return f"({dated})"
    return f"({dated} OR coalesce({prefix}{quote(spec.deleted_column)}, FALSE))"


def _action(spec: MergeSpec, differs: str) -> str:
    if spec.fills:
        return f"CASE WHEN t.k IS NULL THEN '{IGNORED}' WHEN {differs} THEN '{UPDATE}' ELSE '{UNCHANGED}' END"
    stale = f"WHEN s.stamp < t.stamp THEN '{IGNORED}' " if spec.stamp_column and spec.trusts_stamps else ""
    return (
        f"CASE {stale}{_deleted_action(spec, differs)}\n    WHEN t.k IS NULL THEN '{INSERT}'\n"
        f"    WHEN t.marked OR {differs} THEN '{UPDATE}' ELSE '{UNCHANGED}' END"
    )


def _deleted_action(spec: MergeSpec, differs: str) -> str:
    if not spec.deleted_column:
        return ""
    if spec.policy is DeletePolicy.KEEP:
        return f"WHEN s.gone THEN '{IGNORED}'"
    # Where the key is not the Id, the target's row may be another, living record.
    other = f"WHEN s.gone AND s.id <> t.id THEN '{IGNORED}' " if spec.id_column else ""
    if spec.policy is DeletePolicy.REMOVE:
        return f"{other}WHEN s.gone AND t.k IS NULL THEN '{IGNORED}' WHEN s.gone THEN '{REMOVE}'"
    return (
        f"{other}WHEN s.gone AND t.k IS NULL THEN '{MARK_NEW}' WHEN s.gone AND NOT t.marked THEN '{MARK}'\n"
        f"    WHEN s.gone AND (NOT t.dated OR {differs}) THEN '{UPDATE}' WHEN s.gone THEN '{UNCHANGED}'"
    )


def count_changes(spec: MergeSpec) -> Statement:
    """Counts the keys of each action."""
    return Statement(f"SELECT what, count(*) AS keys FROM {quote_table(spec.changes)} GROUP BY what")


def count_source(spec: MergeSpec) -> Statement:
    """Counts what `insert_all` meets: the source's rows, live and deleted."""
    gone = f"coalesce({quote(spec.deleted_column)}, FALSE)" if spec.deleted_column else "FALSE"
    return Statement(
        f"SELECT count(*) AS keys, count(CASE WHEN {gone} THEN 1 END) AS gone\n"
        f"FROM (\n{_source(spec)}\n) AS s"
    )


def _with_system(spec: MergeSpec, source: str, condition: str) -> tuple[str, tuple[object, ...]]:
    """Selects source rows with the values of the system columns."""
    system = f"CAST(? AS VARCHAR) AS {quote(spec.system.run_id)}, CAST(? AS DATETIME) AS {quote(spec.system.synced_at)}"
    params: tuple[object, ...] = (spec.run_id, spec.synced_at)
    if not spec.fills:
        marked, more = _deleted_at(spec)
        system, params = f"{system}, {marked} AS {quote(spec.system.deleted_at)}", (*params, *more)
    return f"SELECT {listed(spec.columns, 's.')}, {system}\nFROM (\n{source}\n) AS s\n{condition}", params


def _deleted_at(spec: MergeSpec) -> tuple[str, tuple[object, ...]]:
    if not spec.deleted_column:
        return "CAST(NULL AS DATETIME)", ()
    stamp = f"s.{quote(spec.stamp_column)}" if spec.stamp_column else "CAST(NULL AS DATETIME)"
    deleted = f"s.{quote(spec.deleted_column)}"
    return f"CASE WHEN {deleted} THEN coalesce({stamp}, CAST(? AS DATETIME)) END", (spec.synced_at,)


def insert_all(spec: MergeSpec) -> Statement:
    """Fills an empty target: as `merge` would, without its join."""
    keeps_deleted = spec.policy is DeletePolicy.MARK or not spec.deleted_column
    condition = "" if keeps_deleted else f"WHERE NOT coalesce(s.{quote(spec.deleted_column or '')}, FALSE)"
    select, params = _with_system(spec, _source(spec), condition)
    return Statement(f"INSERT INTO {quote_table(spec.target)} ({listed(spec.written)})\n{select}", params)


def _changing(spec: MergeSpec, actions: Sequence[str]) -> tuple[str, tuple[object, ...]]:
    wanted = ", ".join(quote_text(action) for action in actions)
    keys = f"SELECT k FROM {quote_table(spec.changes)} WHERE what IN ({wanted})"
    return _with_system(spec, _source(spec), f"WHERE s.{quote(spec.key_column)} IN ({keys})")


def merge(spec: MergeSpec) -> Statement:
    """Carries the changes out in one statement."""
    actions = (INSERT, UPDATE, MARK, MARK_NEW, REMOVE)
    source, params = _changing(spec, actions)
    key = quote(spec.key_column)
    gone = _removal(spec)
    sets = ", ".join(f"{quote(c)} = s.{quote(c)}" for c in spec.written if c != spec.key_column)
    inserts = f"INSERT ({listed(spec.written)}) VALUES ({listed(spec.written, 's.')})"
    not_matched = "" if spec.fills else f"\nWHEN NOT MATCHED THEN {inserts}"
    return Statement(
        f"MERGE INTO {quote_table(spec.target)} AS t\nUSING (\n{source}\n) AS s\nON t.{key} = s.{key}\n"
        f"{gone}WHEN MATCHED THEN UPDATE SET {sets}{not_matched}",
        params,
    )


def fill(spec: MergeSpec) -> Statement:
    """Compares and writes the staged columns of rows that exist, in one statement: no scratch table is needed."""
    source, params = _with_system(spec, _source(spec), "")
    key = quote(spec.key_column)
    compared = zip(spec.columns, spec.compared or map(quote, spec.columns), strict=True)
    pairs = [[_of(side, c, how) for side in "ts"] for c, how in compared if c != spec.key_column]
    differs = " OR ".join(f"{ours} IS DISTINCT FROM {theirs}" for ours, theirs in pairs)
    sets = ", ".join(f"{quote(c)} = s.{quote(c)}" for c in spec.written if c != spec.key_column)
    return Statement(
        f"MERGE INTO {quote_table(spec.target)} AS t\nUSING (\n{source}\n) AS s\nON t.{key} = s.{key}\n"
        f"WHEN MATCHED AND ({differs}) THEN UPDATE SET {sets}",
        params,
    )


def _of(side: str, column: str, expression: str) -> str:
    """An expression over one column, as that of one side of a join."""
    return expression.replace(quote(column), f"{side}.{quote(column)}")


def _removal(spec: MergeSpec) -> str:
    if spec.fills or not spec.deleted_column or spec.policy is not DeletePolicy.REMOVE:
        return ""
    return f"WHEN MATCHED AND s.{quote(spec.deleted_column)} THEN DELETE\n"


def keep_values(spec: MergeSpec, columns: Sequence[str], dialect: Dialect) -> Statement:
    """Saves, of rows about to be replaced, the columns that only the target has."""
    key, changed = quote(spec.key_column), f"WHERE what IN ('{UPDATE}', '{MARK}')"
    return scratch_from(
        spec.kept,
        f"SELECT {key}, {listed(columns)}\nFROM {quote_table(spec.target)}\n"
        f"WHERE {key} IN (SELECT k FROM {quote_table(spec.changes)} {changed})",
        dialect,
    )


def delete_changed(spec: MergeSpec) -> Statement:
    """Deletes target rows that are replaced or removed."""
    keys = f"SELECT k FROM {quote_table(spec.changes)} WHERE what IN ('{UPDATE}', '{MARK}', '{REMOVE}')"
    return Statement(f"DELETE FROM {quote_table(spec.target)} WHERE {quote(spec.key_column)} IN ({keys})")


def insert_changed(spec: MergeSpec, kept: Sequence[str]) -> Statement:
    """Inserts new rows, and changed rows anew with the values that `keep_values` saved."""
    source, params = _changing(spec, (INSERT, UPDATE, MARK, MARK_NEW))
    key, into = quote(spec.key_column), f"INSERT INTO {quote_table(spec.target)}"
    if not kept:
        return Statement(f"{into} ({listed(spec.written)})\n{source}", params)
    return Statement(
        f"{into} ({listed((*spec.written, *kept))})\n"
        f"SELECT {listed(spec.written, 's.')}, {listed(kept, 'k.')}\nFROM (\n{source}\n) AS s\n"
        f"LEFT JOIN {quote_table(spec.kept)} AS k ON k.{key} = s.{key}",
        params,
    )
