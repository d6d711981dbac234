"""History: what happened to tracked fields, and to the stage of opportunities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.objects.history import HISTORY_OF, KINDS, TRACKED, field_word

if TYPE_CHECKING:
    from lht.simulator.org.effects.changing import Changing
    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.writes.values import Stored

STAGE_FIELDS = ("StageName", "Amount", "CloseDate", "Probability")
KEPT = (*STAGE_FIELDS, "ExpectedRevenue", "ForecastCategory")


def note_created(at: Changing, schema: ObjectSchema, row: Row) -> None:
    """Writes that a record was made."""
    history = HISTORY_OF.get(schema.name)
    if history:
        at.add(history, {f"{schema.name}Id": row["Id"], "Field": "created", "DataType": "Text"})
    if schema.name == "Opportunity":
        _note_stage(at, row, {})


def note_changed(at: Changing, schema: ObjectSchema, old: Row, new: Row) -> None:
    """Writes a record for each tracked field whose value moved; of a reference also one with the names."""
    history = HISTORY_OF.get(schema.name)
    types = schema.kinds
    for name in TRACKED.get(schema.name, ()) if history else ():
        if old.get(name) == new.get(name):
            continue
        entry: Row = {f"{schema.name}Id": new["Id"], "Field": field_word(name)}
        if types.get(name) == "reference":
            names: Row = {"OldValue": _named(at, old.get(name)), "NewValue": _named(at, new.get(name))}
            at.add(str(history), entry | {"DataType": "Text"} | names)
        values: Row = {"OldValue": _text(old.get(name)), "NewValue": _text(new.get(name))}
        at.add(str(history), entry | {"DataType": KINDS.get(types.get(name, ""), "Text")} | values)
    if schema.name == "Opportunity" and any(old.get(name) != new.get(name) for name in STAGE_FIELDS):
        _note_stage(at, new, old)


def _note_stage(at: Changing, new: Row, old: Row) -> None:
    before: Row = {"PrevAmount": old.get("Amount"), "PrevCloseDate": old.get("CloseDate")}
    kept: Row = {name: new.get(name) for name in KEPT}
    made = at.add("OpportunityHistory", {"OpportunityId": new["Id"]} | kept | before)
    moved = [name for name in ("Amount", "CloseDate") if old and old.get(name) != new.get(name)]
    if made and moved:
        at.set("Opportunity", str(new["Id"]), {f"Last{name}ChangedHistoryId": made for name in moved})


def _named(at: Changing, record_id: Stored) -> str | None:
    """Gives the name of the record that an id is of, or the id."""
    schema = at.catalog.by_prefix(str(record_id)) if record_id else None
    found = at.find(schema.name, record_id) if schema else {}
    return _text(found.get("Name") or record_id)


def _text(value: Stored) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)
