"""Merging step by step, on any warehouse: look at the staged rows, count, then change, and compare the counts.

The order is `staged_facts`, `prepare`, `key_problems`, `classify`, then `merge` in a transaction. All run on the
connection that staged the rows, and under the table's lock: what `classify` found is what `merge` carries out. What
creates or drops a table is done before or after the transaction: not every warehouse could take it back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from lht.errors import IncompleteExtractError, SyncError
from lht.model.sync import DeletePolicy
from lht.warehouse import deletions as deletion_sql
from lht.warehouse import merging, statements
from lht.warehouse.merge_spec import KeyProblems, MergeCounts, StagedFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.table import Column, TableName
    from lht.warehouse.merge_spec import Deletions, Marks, MergeSpec
    from lht.warehouse.port import Warehouse
    from lht.warehouse.statements import Statement

    Known = tuple[Sequence[Column], Sequence[Column]]


def staged_facts(warehouse: Warehouse, staging: TableName, marks: Marks) -> StagedFacts:
    """Counts what is staged, all in one look."""
    ((staged, keyed, distinct, gone, empty, example, newest),) = warehouse.query(
        merging.staged_facts(staging, marks)
    )
    return StagedFacts(
        staged=int(str(staged)),
        keyed=int(str(keyed)),
        distinct=int(str(distinct)),
        gone=int(str(gone)),
        empty=int(str(empty)),
        empty_example=None if example is None else str(example),
        newest=_aware(newest),
    )


def prepare(
    warehouse: Warehouse, spec: MergeSpec, *, target_is_empty: bool | None = None, known: Known | None = None
) -> MergeSpec:
    """Completes a spec with what the other functions need to know; asks only for what is not given.

    `known` are the columns of staging and target, if the caller has just made or read them.
    """
    facts = _facts(warehouse, spec)
    if target_is_empty is None:
        target_is_empty = not warehouse.query(merging.target_has_rows(spec))
    return replace(
        spec,
        facts=facts,
        has_duplicates=facts.keyed != facts.distinct,
        target_is_empty=target_is_empty,
        compared=_compared(warehouse, spec, known),
    )


def _compared(warehouse: Warehouse, spec: MergeSpec, known: Known | None) -> tuple[str, ...]:
    """What tells whether a row differs. A hash wants the types as the warehouse has them, not as they were asked for."""
    if known is None or warehouse.dialect.row_hash:
        known = (warehouse.columns(spec.staging) or (), warehouse.columns(spec.target) or ())
    staged, target = ({column.name.lower(): column.type for column in side} for side in known)
    return merging.compared_expressions(spec.columns, staged, target, warehouse.dialect)


def _aware(value: object) -> datetime | None:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else None


def newest(warehouse: Warehouse, table: TableName, column: str) -> datetime | None:
    """Gives the newest value of a timestamp column, aware; None if it has none."""
    ((value,),) = warehouse.query(statements.newest(table, column))
    return _aware(value)


def taken_keys(
    warehouse: Warehouse, spec: MergeSpec, *, gone: Sequence[TableName], live: TableName | None
) -> KeyProblems:
    """Counts keys that staged records share with living records of the table; a merge would overwrite those."""
    return KeyProblems(0, None, *_problem(warehouse, merging.taken_keys(spec, gone, live)))


def key_problems(warehouse: Warehouse, spec: MergeSpec) -> KeyProblems:
    """Counts live rows whose key is empty or shared; a merge must not go on if there are any."""
    facts = _facts(warehouse, spec)
    repeated = _problem(warehouse, merging.repeated_keys(spec)) if spec.has_duplicates else (0, None)
    return KeyProblems(facts.empty, facts.empty_example, *repeated)


def _facts(warehouse: Warehouse, spec: MergeSpec) -> StagedFacts:
    return spec.facts or staged_facts(warehouse, spec.staging, spec.marks)


def _problem(warehouse: Warehouse, statement: Statement) -> tuple[int, str | None]:
    ((count, example),) = warehouse.query(statement)
    return int(str(count)), None if example is None else str(example)


def classify(warehouse: Warehouse, spec: MergeSpec) -> MergeCounts:
    """Counts what `merge` will do; SyncError if the target holds a key twice.

    The scratch table `spec.changes` that this leaves, where the target has rows, is the caller's to drop.
    """
    facts = _facts(warehouse, spec)
    staged, keyed, distinct = facts.staged, facts.keyed, facts.distinct
    actions = _classify_all(warehouse, spec) if spec.target_is_empty else _compare(warehouse, spec)
    if sum(actions.values()) != distinct:
        raise SyncError(
            f"Table {spec.target} holds several rows with the same {spec.key_column}, so rows cannot be merged.",
            hint=f"Remove the repeated rows, or sync into another table: {spec.key_column} must be unique.",
            table=str(spec.target),
        )
    return MergeCounts(
        read=staged,
        inserted=actions.get(merging.INSERT, 0),
        updated=actions.get(merging.UPDATE, 0),
        unchanged=actions.get(merging.UNCHANGED, 0),
        deleted=sum(actions.get(a, 0) for a in (merging.MARK, merging.MARK_NEW, merging.REMOVE)),
        duplicate=keyed - distinct,
        ignored=actions.get(merging.IGNORED, 0) + staged - keyed,
    )


def _numbers(warehouse: Warehouse, statement: Statement) -> list[int]:
    (row,) = warehouse.query(statement)
    return [int(Decimal(str(value))) for value in row]


def _classify_all(warehouse: Warehouse, spec: MergeSpec) -> dict[str, int]:
    """What becomes of staged rows where the target has none."""
    facts = _facts(warehouse, spec)
    keys, gone = facts.distinct, facts.gone
    if spec.has_duplicates:  # which of a key's rows wins decides whether it is gone
        keys, gone = _numbers(warehouse, merging.count_source(spec))
    if spec.fills:
        return {merging.IGNORED: keys}
    fate = merging.MARK_NEW if spec.policy is DeletePolicy.MARK else merging.IGNORED
    return {merging.INSERT: keys - gone, fate: gone}


def _compare(warehouse: Warehouse, spec: MergeSpec) -> dict[str, int]:
    warehouse.make_room()
    warehouse.execute(merging.create_changes(spec, warehouse.dialect))
    return _counted_actions(warehouse, spec)


def _counted_actions(warehouse: Warehouse, spec: MergeSpec) -> dict[str, int]:
    rows = warehouse.query(merging.count_changes(spec))
    return {str(what): int(str(count)) for what, count in rows}


def merge(warehouse: Warehouse, spec: MergeSpec, counts: MergeCounts) -> None:
    """Carries out what `classify` counted, inside the caller's transaction.

    IncompleteExtractError if other than `counts.changed` rows changed; the caller's transaction then rolls back.
    """
    if not counts.changed:
        return
    if spec.target_is_empty:
        changed = warehouse.execute(merging.insert_all(spec))
    elif warehouse.dialect.merge_limit is not None and counts.changed > warehouse.dialect.merge_limit:
        changed = _exchange(warehouse, spec)
    else:
        changed = warehouse.execute(merging.merge(spec))
    if changed != counts.changed:
        raise IncompleteExtractError(
            f"Merging into {spec.target} changed {changed} rows where {counts.changed} were expected; "
            "nothing was committed.",
            hint="Run the same command again; if it fails again, check whether other programs write to the table.",
            table=str(spec.target),
        )


def _exchange(warehouse: Warehouse, spec: MergeSpec) -> int:
    """Deletes and inserts what changes: a warehouse that buffers updates in memory does this at any size.

    Columns that only the target has keep their values. Gives the number of rows that differ afterwards.
    """
    kept = _kept_columns(warehouse, spec)
    if kept:
        warehouse.execute(merging.keep_values(spec, kept, warehouse.dialect))
    deleted = warehouse.execute(merging.delete_changed(spec))
    inserted = warehouse.execute(merging.insert_changed(spec, kept))
    if kept:
        warehouse.execute(statements.drop_table(spec.kept))
    actions = _counted_actions(warehouse, spec)
    replaced = actions.get(merging.UPDATE, 0) + actions.get(merging.MARK, 0)
    return inserted + deleted - replaced


def _kept_columns(warehouse: Warehouse, spec: MergeSpec) -> list[str]:
    written = {name.lower() for name in spec.written}
    return [c.name for c in warehouse.columns(spec.target) or () if c.name.lower() not in written]


def fill(warehouse: Warehouse, spec: MergeSpec) -> int:
    """Updates only the staged columns of rows that exist (backfill, formulas), in the caller's transaction.

    Takes a prepared spec. Marks are left alone, and so is every column not in `spec.columns`. Gives the rows changed.
    """
    spec = replace(spec, fills=True)
    if not warehouse.capabilities.has_transactional_ddl:
        return warehouse.execute(merging.fill(spec))
    counts = classify(warehouse, spec)
    merge(warehouse, spec, counts)
    warehouse.execute(statements.drop_table(spec.changes))
    return counts.changed


def delete_moved(warehouse: Warehouse, spec: MergeSpec) -> int:
    """Removes, after `merge`, the rows that records had under another key; gives how many."""
    if spec.target_is_empty or spec.id_column is None or spec.id_column == spec.key_column:
        return 0
    return warehouse.execute(deletion_sql.delete_moved(spec, spec.id_column))


def live_count(warehouse: Warehouse, spec: MergeSpec) -> int:
    """Counts the target's rows that are not marked deleted (the valve's whole)."""
    return _numbers(warehouse, deletion_sql.count_live(spec))[0]


def absent_count(warehouse: Warehouse, spec: MergeSpec) -> int:
    """Counts live target rows whose key was not staged (the valve's part)."""
    return _numbers(warehouse, deletion_sql.count_absent(spec))[0]


def delete_absent(warehouse: Warehouse, spec: MergeSpec) -> int:
    """Marks or removes live target rows whose key was not staged; 0 under the policy keep."""
    if spec.policy is DeletePolicy.KEEP:
        return 0
    return warehouse.execute(deletion_sql.delete_absent(spec))


def deletions_count(warehouse: Warehouse, spec: MergeSpec, deletions: Deletions) -> int:
    """Counts the live target rows that `deletions` names, except those whose stamp is newer."""
    return _numbers(warehouse, deletion_sql.count_named(spec, deletions))[0]


def delete_named(warehouse: Warehouse, spec: MergeSpec, deletions: Deletions) -> int:
    """Marks or removes what `deletions_count` counts; 0 under the policy keep."""
    if spec.policy is DeletePolicy.KEEP:
        return 0
    return warehouse.execute(deletion_sql.delete_named(spec, deletions))
