"""Fields that a record takes over from others, and what those allow: known before anything is written."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org.effects.changing import Changing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.writes.values import Stored
    from lht.simulator.org.writes.working_set import WorkingSet

SAME = (
    "Salutation",
    "Name",
    "FirstName",
    "LastName",
    "Title",
    "Email",
    "Phone",
    "Fax",
    "MobilePhone",
    "Description",
    "LeadSource",
)
PLACE = ("Street", "City", "State", "PostalCode", "Country")
PERSON_COPIES = {"Contact": "Mailing", "Lead": ""}
"""Whom campaign members are, with the address that they have."""
CONTACT_COPIES = {
    "Phone": "ContactPhone",
    "MobilePhone": "ContactMobile",
    "Email": "ContactEmail",
    "Fax": "ContactFax",
}
"""What a case shows of its contact, and as what."""


def looked_up(
    work: WorkingSet, catalog: Catalog, schema: ObjectSchema, row: Row, sent: Mapping[str, Stored]
) -> Row:
    """Gives the fields that a record has from others; `row` is the record after the change, new without an Id."""
    rule = _RULES.get(schema.name)
    now = row.get("SystemModstamp")
    if rule is None or not isinstance(now, datetime):
        return {}
    return rule(Changing(work, catalog, "", now), row, sent)


def case_contact(contact: Row) -> Row:
    """Gives what a case shows of its contact."""
    return {shown: contact.get(name) for name, shown in CONTACT_COPIES.items()}


def person_copies(at: Changing, kind: str, person: Row) -> Row:
    """Gives what a campaign member shows of its lead or contact."""
    place = {name: person.get(PERSON_COPIES[kind] + name) for name in PLACE}
    company = (
        person.get("Company") if kind == "Lead" else at.find("Account", person.get("AccountId")).get("Name")
    )
    return {
        **{name: person.get(name) for name in SAME},
        **place,
        "CompanyOrAccount": company,
        "Type": kind,
        "LeadOrContactId": person.get("Id"),
        "LeadOrContactOwnerId": person.get("OwnerId"),
    }


def _case(at: Changing, row: Row, sent: Mapping[str, Stored]) -> Row:
    contact = at.find("Contact", row.get("ContactId"))
    found = case_contact(contact)
    if contact and not row.get("AccountId") and "AccountId" not in sent:
        found["AccountId"] = contact.get("AccountId")
    return found


def _opportunity(at: Changing, row: Row, sent: Mapping[str, Stored]) -> Row:
    """An amount that products make up cannot be written: it is passed over without a word."""
    if not row.get("Id") or not row.get("HasOpportunityLineItem") or "Amount" not in sent:
        return {}
    kept = at.find("Opportunity", row["Id"])
    amount, likely = kept.get("Amount"), float(str(row.get("Probability") or 0))
    return {"Amount": amount, "ExpectedRevenue": round(float(str(amount or 0)) * likely / 100, 2)}


def _entry(at: Changing, row: Row, _sent: Mapping[str, Stored]) -> Row:
    product = at.find("Product2", row.get("Product2Id"))
    book = at.find("Pricebook2", row.get("Pricebook2Id"))
    found: Row = {"Name": product.get("Name"), "ProductCode": product.get("ProductCode")}
    sql = 'SELECT "Id" FROM {table} WHERE "Product2Id" = ? AND "Pricebook2Id" = ? AND "IsDeleted" IS NOT TRUE'
    if not row.get("Id") and at.column(
        "PricebookEntry", sql, [row.get("Product2Id"), row.get("Pricebook2Id")]
    ):
        raise ApiFault(400, "DUPLICATE_VALUE", "This price definition already exists in this price book")
    if book.get("IsStandard"):
        return found
    sql = (
        'SELECT "UnitPrice" FROM {table} WHERE "Product2Id" = ? AND "IsDeleted" IS NOT TRUE '
        'AND "Pricebook2Id" IN (SELECT "Id" FROM "Pricebook2" WHERE "IsStandard")'
    )
    standard = at.column("PricebookEntry", sql, [row.get("Product2Id")])
    if not standard:
        message = "Before creating a custom price, create a standard price."
        raise ApiFault(400, "STANDARD_PRICE_NOT_DEFINED", message)
    return found | ({"UnitPrice": float(standard[0])} if row.get("UseStandardPrice") else {})


def _line(at: Changing, row: Row, sent: Mapping[str, Stored]) -> Row:
    """A product of an opportunity: priced by one of price each and price in all, named after both."""
    deal = at.find("Opportunity", row.get("OpportunityId"))
    entry = at.find("PricebookEntry", row.get("PricebookEntryId")) or _entry_of(at, deal, row)
    if deal.get("Pricebook2Id") not in {None, entry.get("Pricebook2Id")}:
        message = "pricebook entry is in a different pricebook than the one assigned to the opportunity"
        raise ApiFault(
            400, "FIELD_INTEGRITY_EXCEPTION", f"field integrity exception: PricebookEntryId ({message})"
        )
    product = at.find("Product2", entry.get("Product2Id"))
    found: Row = {
        "PricebookEntryId": entry.get("Id"),
        "Product2Id": entry.get("Product2Id"),
        "ProductCode": product.get("ProductCode"),
        "ListPrice": entry.get("UnitPrice"),
        "Name": f"{deal.get('Name')} {product.get('Name')}"[:376],
    }
    return found | _priced(row, sent)


def _entry_of(at: Changing, deal: Row, row: Row) -> Row:
    sql = 'SELECT "Id" FROM {table} WHERE "Product2Id" = ? AND "Pricebook2Id" = ? AND "IsActive" AND "IsDeleted" IS NOT TRUE'
    found = at.column("PricebookEntry", sql, [row.get("Product2Id"), deal.get("Pricebook2Id")])
    if not found:
        raise ApiFault(
            400,
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [PricebookEntryId]",
            ("PricebookEntryId",),
        )
    return at.find("PricebookEntry", found[0])


def _priced(row: Row, sent: Mapping[str, Stored]) -> Row:
    each, total = sent.get("UnitPrice"), sent.get("TotalPrice")
    quantity = float(str(row.get("Quantity") or 0))
    if quantity == 0:
        raise ApiFault(400, "FIELD_INTEGRITY_EXCEPTION", "Quantity must be nonzero", ("Quantity",))
    if each is not None and total is not None:
        message = "cannot specify both UnitPrice and TotalPrice"
        raise ApiFault(
            400, "FIELD_INTEGRITY_EXCEPTION", f"field integrity exception: {message}", ("TotalPrice",)
        )
    if total is not None:
        return {"UnitPrice": round(float(str(total)) / quantity, 2)}
    each = each if each is not None else row.get("UnitPrice")
    if each is None:
        raise ApiFault(
            400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [TotalPrice]", ("TotalPrice",)
        )
    return {"TotalPrice": round(float(str(each)) * quantity, 2)}


def _member(at: Changing, row: Row, _sent: Mapping[str, Stored]) -> Row:
    """A member is one contact or one lead; of both the contact is taken."""
    kind = "Contact" if row.get("ContactId") else "Lead"
    key = f"{kind}Id"
    if not row.get(key):
        message = "Required fields are missing: [LeadId, ContactId]"
        raise ApiFault(400, "REQUIRED_FIELD_MISSING", message, ("LeadId", "ContactId"))
    sql = f'SELECT "Id" FROM {{table}} WHERE "CampaignId" = ? AND "{key}" = ? AND "IsDeleted" IS NOT TRUE'
    if not row.get("Id") and at.column("CampaignMember", sql, [row.get("CampaignId"), row[key]]):
        raise ApiFault(400, "DUPLICATE_VALUE", "Already a campaign member.", (key,))
    found = _status(at, row) | person_copies(at, kind, at.find(kind, row[key]))
    if kind == "Contact":
        found["LeadId"] = None
    if found["HasResponded"] and not row.get("FirstRespondedDate"):
        found["FirstRespondedDate"] = at.now.date()
    return found


def _status(at: Changing, row: Row) -> Row:
    """A status that the campaign does not have becomes its usual one."""
    sql = 'SELECT "Id" FROM {table} WHERE "CampaignId" = ? AND "IsDeleted" IS NOT TRUE ORDER BY "IsDefault" DESC, "SortOrder"'
    known = [
        at.find("CampaignMemberStatus", one)
        for one in at.column("CampaignMemberStatus", sql, [row.get("CampaignId")])
    ]
    named = [status for status in known if status.get("Label") == row.get("Status")] or known[:1]
    if not named:
        return {"HasResponded": False}
    return {"Status": named[0].get("Label"), "HasResponded": bool(named[0].get("HasResponded"))}


_RULES: dict[str, Callable[[Changing, Row, Mapping[str, Stored]], Row]] = {
    "CampaignMember": _member,
    "Case": _case,
    "Opportunity": _opportunity,
    "OpportunityLineItem": _line,
    "PricebookEntry": _entry,
}
LOOKED_UP = {
    "CampaignMember": ("ContactId", "LeadId"),
    "Case": ("ContactId",),
    "OpportunityLineItem": ("OpportunityId", "PricebookEntryId", "Product2Id"),
    "PricebookEntry": ("Pricebook2Id", "Product2Id"),
}
"""The references whose records those rules read, by object."""
