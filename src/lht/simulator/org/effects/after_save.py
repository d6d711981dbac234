"""What the org writes beside a record: its history, the share that its owner has, and figures of what it belongs to."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from lht.simulator.org.effects.changing import Changing
from lht.simulator.org.effects.looked_up import (
    CONTACT_COPIES,
    PERSON_COPIES,
    PLACE,
    SAME,
    case_contact,
    person_copies,
)
from lht.simulator.org.effects.roll_ups import LIVE, count_deals, count_members, sum_lines
from lht.simulator.org.effects.tracking import note_changed, note_created
from lht.simulator.org.objects.picklists import MEMBER_STATUSES
from lht.simulator.org.objects.sharing import SHARE_OF
from lht.simulator.org.writes import rows
from lht.simulator.org.writes.rows import MANY
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.writes.working_set import WorkingSet

SUMMED = {"OpportunityLineItem": "OpportunityId", "CampaignMember": "CampaignId", "Opportunity": "CampaignId"}
"""Objects that somebody's figures are counted from, with the field that tells whose."""


def after_insert(
    work: WorkingSet,
    catalog: Catalog,
    schema: ObjectSchema,
    row: Row,
    user_id: str,
    *,
    again: bool = False,
) -> None:
    """Writes what a new record brings with it; `again` when it comes out of the recycle bin, history and all."""
    now = row.get("SystemModstamp")
    if not isinstance(now, datetime):
        return
    at = Changing(work, catalog, user_id, now)
    _share(at, schema, row)
    if not again:
        note_created(at, schema, row)
        _bring(at, schema, row)
    _sum(at, schema, {str(row.get(SUMMED.get(schema.name, "")) or "")})


def after_update(
    work: WorkingSet,
    catalog: Catalog,
    schema: ObjectSchema,
    change: tuple[Row, Row],
    user_id: str,
) -> None:
    """Writes the history of tracked fields whose values moved, and brings what depends on the record up to date."""
    old, new = change
    now = new.get("SystemModstamp")
    if not isinstance(now, datetime):
        return
    at = Changing(work, catalog, user_id, now)
    note_changed(at, schema, old, new)
    if old.get("OwnerId") != new.get("OwnerId"):
        _unshare(at, schema, str(new["Id"]))
        _share(at, schema, new)
    if schema.name == "OpportunityContactRole":
        _primary(at, new)
    _carry(at, schema, old, new)
    whose = SUMMED.get(schema.name, "")
    _sum(at, schema, {str(old.get(whose) or ""), str(new.get(whose) or "")})


def after_delete(at: Changing, schema: ObjectSchema, record_ids: Sequence[str]) -> None:
    """Counts anew what deleted records were counted in."""
    whose = SUMMED.get(schema.name)
    if whose and at.has(schema.name, whose):
        chosen, given = rows.among(schema, record_ids)
        sql = f"SELECT DISTINCT {quoted(whose)} FROM {{table}} WHERE {chosen}"
        _sum(at, schema, set(at.column(schema.name, sql, given)))


def _share(at: Changing, schema: ObjectSchema, row: Row) -> None:
    name = SHARE_OF.get(schema.name)
    if name is None or not row.get("OwnerId"):
        return
    share = at.catalog.object(name)
    levels: Row = (
        {field.name: "All" for field in share.fields if field.name.endswith("AccessLevel")} if share else {}
    )
    given: Row = {f"{schema.name}Id": row["Id"], "UserOrGroupId": row["OwnerId"], "RowCause": "Owner"}
    at.add(name, levels | given)


def _unshare(at: Changing, schema: ObjectSchema, record_id: str) -> None:
    name, key = SHARE_OF.get(schema.name, ""), f"{schema.name}Id"
    share = at.catalog.object(name)
    if share and at.has(name, key, "RowCause"):
        at.work.erase(share, key, record_id, {"RowCause": "Owner"})


def _bring(at: Changing, schema: ObjectSchema, row: Row) -> None:
    """Makes the records that come with a new one."""
    own_id = str(row["Id"])
    if schema.name == "Campaign":
        for place, (label, responded) in enumerate(MEMBER_STATUSES.items(), 1):
            status: Row = {
                "CampaignId": own_id,
                "Label": label,
                "SortOrder": place,
                "HasResponded": responded,
            }
            at.add("CampaignMemberStatus", status | {"IsDefault": place == 1})
    if schema.name == "Opportunity" and row.get("ContactId"):
        at.add(
            "OpportunityContactRole",
            {"OpportunityId": own_id, "ContactId": row["ContactId"], "IsPrimary": True},
        )
    if schema.name == "OpportunityContactRole":
        _primary(at, row)
    if schema.name == "OpportunityLineItem":
        entry = at.find("PricebookEntry", row.get("PricebookEntryId"))
        if not at.find("Opportunity", row["OpportunityId"]).get("Pricebook2Id") and entry:
            at.set("Opportunity", str(row["OpportunityId"]), {"Pricebook2Id": entry.get("Pricebook2Id")})


def _primary(at: Changing, role: Row) -> None:
    """An opportunity has one primary contact role, and its contact is that one's."""
    if role.get("IsPrimary"):
        sql = (
            'UPDATE "OpportunityContactRole" SET "IsPrimary" = false, "SystemModstamp" = ? '
            f'WHERE "OpportunityId" = ? AND "Id" <> ? AND "IsPrimary" AND {LIVE}'
        )
        at.work.writing().execute(sql, [at.now, role["OpportunityId"], role["Id"]])
        at.set("Opportunity", str(role["OpportunityId"]), {"ContactId": role["ContactId"]})


class Copies(NamedTuple):
    """What records of one object copy of another: the field that names the original, what is copied, and how."""

    copier: str
    field: str
    copied: tuple[str, ...]
    write: Callable[[Changing, str, Row], Row]


def _carry(at: Changing, schema: ObjectSchema, old: Row, new: Row) -> None:
    """Brings copies of a changed record's fields up to date; their own records do not count as changed."""
    kinds = COPIES.get(schema.name, ())
    moved = {name for name, value in new.items() if value != old.get(name)} if kinds else set[str]()
    for copies in kinds:
        if at.has(copies.copier, copies.field) and not moved.isdisjoint(copies.copied):
            at.work.later(copies, partial(_copy, at, schema, copies), [str(new["Id"])])


def _copy(at: Changing, schema: ObjectSchema, copies: Copies, originals: list[str]) -> None:
    field, copier = quoted(copies.field), at.catalog.need(copies.copier)
    sql = f'SELECT "Id", {field} FROM {quoted(copier.name)} WHERE {field} IN {MANY}'
    found = at.work.reading().execute(sql, [originals]).fetchall()
    at.work.expect(schema, (original for _, original in found), whole=True)
    for copy_id, original in found:
        at.set(copier.name, str(copy_id), copies.write(at, schema.name, at.find(schema.name, original)))


def _product_copies(_at: Changing, _kind: str, product: Row) -> Row:
    return {name: product.get(name) for name in PRODUCT_COPIES}


def _case_copies(_at: Changing, _kind: str, contact: Row) -> Row:
    return case_contact(contact)


PRODUCT_COPIES = ("Name", "ProductCode")
_PERSON = (
    "OwnerId",
    "Company",
    "AccountId",
    *SAME,
    *(kind + part for kind in PERSON_COPIES.values() for part in PLACE),
)
COPIES = {
    "Contact": (
        Copies("CampaignMember", "ContactId", _PERSON, person_copies),
        Copies("Case", "ContactId", tuple(CONTACT_COPIES), _case_copies),
    ),
    "Lead": (Copies("CampaignMember", "LeadId", _PERSON, person_copies),),
    "Product2": (Copies("PricebookEntry", "Product2Id", PRODUCT_COPIES, _product_copies),),
}
"""By the object of the originals."""


def _sum(at: Changing, schema: ObjectSchema, parents: set[str]) -> None:
    opportunity = at.catalog.object("Opportunity") if schema.name == "OpportunityLineItem" else None
    if opportunity:
        at.work.expect(opportunity, parents - {""}, whole=True)
    for parent in parents - {""}:
        if schema.name == "CampaignMember":
            at.work.later(count_members, partial(count_members, at), [parent])
        elif schema.name == "Opportunity":
            at.work.later(count_deals, partial(count_deals, at), [parent])
        elif schema.name == "OpportunityLineItem":
            moved = sum_lines(at, parent)
            if moved and opportunity:
                after_update(at.work, at.catalog, opportunity, moved, at.user_id)
