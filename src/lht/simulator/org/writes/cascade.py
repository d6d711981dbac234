"""Who goes when records are deleted one after the other: decided for all of them before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org.writes import rows
from lht.simulator.org.writes.relations import Tie, by_field, is_lookup, ties
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.writes.working_set import WorkingSet
    from lht.simulator.store.database import Connection

MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Held:
    """A record that cannot go, as others must not lose it."""

    schema: ObjectSchema
    id: str
    child: ObjectSchema
    kept: tuple[str, ...]


@dataclass(slots=True)
class Cascade:
    """What is to happen: who goes, whose lookups are emptied, and which of the records asked for stay, and why."""

    gone: dict[str, ObjectSchema] = field(default_factory=dict)
    cleared: list[Tie] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)
    again: set[int] = field(default_factory=set)
    """The places of records that had gone before it was their turn."""

    def by_object(self) -> list[tuple[ObjectSchema, list[str]]]:
        """Gives those that go, by object."""
        found: dict[str, tuple[ObjectSchema, list[str]]] = {}
        for record_id, schema in self.gone.items():
            found.setdefault(schema.name, (schema, []))[1].append(record_id)
        return list(found.values())


class Kin:
    """Who refers to records, or to whatever may go with them: asked once for many, and kept true while they go."""

    def __init__(
        self, work: WorkingSet, catalog: Catalog, schema: ObjectSchema, record_ids: Iterable[str]
    ) -> None:
        self._of: dict[str, list[Tie]] = {}
        self._asked = dict.fromkeys(record_ids)
        self._gone: set[str] = set()
        connection, seen = work.reading(), set(self._asked)
        self._moved = work.ties_moved
        generation = [(schema, list(self._asked))]
        while generation:
            found = [
                tie for parent, parents in generation for tie in ties(connection, catalog, parent, parents)
            ]
            generation = self._add(found, seen)

    def _add(self, found: Sequence[Tie], seen: set[str]) -> list[tuple[ObjectSchema, list[str]]]:
        """Takes note of ties, and gives the children that may go too and were not seen yet, by object."""
        fresh: dict[str, tuple[ObjectSchema, list[str]]] = {}
        for tie in found:
            self._of.setdefault(tie.parent, []).append(tie)
            if tie.field.child_cascade and tie.id not in seen:
                seen.add(tie.id)
                fresh.setdefault(tie.child.name, (tie.child, []))[1].append(tie.id)
        return list(fresh.values())

    def of(self, record_id: str) -> list[Tie]:
        """Gives the live records that refer to one."""
        return [tie for tie in self._of.get(record_id, ()) if tie.id not in self._gone]

    def serves(self, work: WorkingSet, record_ids: Iterable[str]) -> bool:
        """Tells whether it was asked about all of those, and nothing but deletions that it knows of came since."""
        return self._moved == work.ties_moved and self._asked.keys() >= set(record_ids)

    def note(self, gone: Iterable[str]) -> None:
        """Takes into account who has gone. Lookups that were emptied for that referred to nobody else."""
        self._gone.update(gone)


def cascade_of(kin: Kin, schema: ObjectSchema, record_ids: Sequence[str]) -> Cascade:
    """Decides for records in their order, each as if those before it had been deleted already."""
    found = Cascade()
    for place, record_id in enumerate(record_ids):
        if record_id in found.gone:
            found.again.add(place)
            continue
        family = _family(kin, schema, record_id, found.gone)
        held = _held(kin, family, found.gone)
        if held is not None:
            found.held[record_id] = held
            continue
        found.gone |= family
        found.cleared += [tie for one in family for tie in kin.of(one) if _loses(tie, found.gone)]
    return found


def _loses(tie: Tie, gone: dict[str, ObjectSchema]) -> bool:
    return tie.id not in gone and is_lookup(tie.field)


def _family(
    kin: Kin, schema: ObjectSchema, record_id: str, gone: dict[str, ObjectSchema]
) -> dict[str, ObjectSchema]:
    """Gives a record and all that goes with it and is still there, children first."""
    members, waiting = {record_id: schema}, [record_id]
    while waiting:
        for tie in kin.of(waiting.pop()):
            if tie.field.child_cascade and tie.id not in members and tie.id not in gone:
                members[tie.id] = tie.child
                waiting.append(tie.id)
    return dict(reversed(members.items()))


def _held(kin: Kin, family: dict[str, ObjectSchema], gone: dict[str, ObjectSchema]) -> Held | None:
    """Finds what keeps a family from going: a record that stays and must not lose one of them."""
    for member, schema in family.items():
        for child, _, kept in by_field(_keepers(kin.of(member), family, gone)):
            return Held(schema, member, child, tuple(kept))
    return None


def _keepers(
    found: Sequence[Tie], family: dict[str, ObjectSchema], gone: dict[str, ObjectSchema]
) -> Iterator[Tie]:
    for tie in found:
        if tie.field.child_restricted and tie.id not in family and tie.id not in gone:
            yield tie


def refusals(connection: Connection, held: dict[str, Held]) -> dict[str, ApiFault]:
    """Writes the answers to records that cannot go; they name the first of those that hold them."""
    wanted: dict[str, tuple[ObjectSchema, list[str]]] = {}
    for one in held.values():
        wanted.setdefault(one.schema.name, (one.schema, []))[1].append(one.id)
        wanted.setdefault(one.child.name, (one.child, []))[1].extend(one.kept[:MOST_NAMED])
    names = {
        record_id: name
        for schema, record_ids in wanted.values()
        for record_id, name in _names(connection, schema, record_ids)
    }
    return {record_id: _refusal(one, names) for record_id, one in held.items()}


def _refusal(held: Held, names: dict[str, str]) -> ApiFault:
    by = ", ".join(sorted(names[one] for one in held.kept[:MOST_NAMED]))
    message = (
        f"Your attempt to delete {names[held.id]} could not be completed because it is associated with the following "
        f"{held.child.label_plural.lower()}.: {by}\n"
    )
    return ApiFault(400, "DELETE_FAILED", message, ())


def _names(connection: Connection, schema: ObjectSchema, record_ids: list[str]) -> list[tuple[str, str]]:
    name = next((f.name for f in schema.fields if f.name_field and f.has_column), "Id")
    chosen, given = rows.among(schema, record_ids)
    sql = f'SELECT "Id", coalesce({quoted(name)}, "Id") FROM {quoted(schema.name)} WHERE {chosen}'
    return [(str(record_id), str(found)) for record_id, found in connection.execute(sql, given).fetchall()]
