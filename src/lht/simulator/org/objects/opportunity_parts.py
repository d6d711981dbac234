"""What belongs to an opportunity: the products it is about, the people, and how it came along."""

from __future__ import annotations

from lht.simulator.org.objects.picklists import FORECASTS, ROLES, STAGES
from lht.simulator.org.schemas.fields import (
    READ_ONLY,
    REQUIRED,
    SYSTEM,
    Facts,
    audit,
    created,
    day,
    flag,
    is_deleted,
    lookup,
    money,
    number,
    percent,
    picklist,
    record_id,
    stamp,
    text,
    viewed,
    whole,
)
from lht.simulator.org.schemas.schema import ObjectSchema

ONCE: Facts = {"updateable": False, "permissionable": False}
OURS: Facts = REQUIRED | ONCE | {"child_cascade": True}

LINE_FIELDS = (
    record_id("Line Item ID"),
    lookup("OpportunityId", "Opportunity ID", "Opportunity", OURS, child_relationship="OpportunityLineItems"),
    whole("SortOrder", "Sort Order", 9, permissionable=False),
    lookup(
        "PricebookEntryId",
        "Price Book Entry ID",
        "PricebookEntry",
        ONCE,
        child_relationship="OpportunityLineItems",
    ),
    lookup("Product2Id", "Product ID", "Product2", ONCE, child_relationship="OpportunityLineItems"),
    text("ProductCode", "Product Code", 255, READ_ONLY),
    text("Name", "Opportunity Product Name", 376, SYSTEM, name_field=True),
    number("Quantity", "Quantity", (12, 2), REQUIRED),
    money("TotalPrice", "Total Price", (18, 2)),
    money("UnitPrice", "Sales Price", (18, 2)),
    money("ListPrice", "List Price", (18, 2), READ_ONLY),
    day("ServiceDate", "Date"),
    text("Description", "Line Description", 255),
    *audit(),
    is_deleted(),
    *viewed(),
)

LINE_ITEM = ObjectSchema(
    "OpportunityLineItem", "Opportunity Product", "Opportunity Products", "00k", LINE_FIELDS,
    undeletable=False, flags={"mruEnabled": False, "feedEnabled": False},
)  # fmt: skip

ROLE_FIELDS = (
    record_id("Contact Role ID"),
    lookup(
        "OpportunityId", "Opportunity ID", "Opportunity", OURS, child_relationship="OpportunityContactRoles"
    ),
    lookup(
        "ContactId",
        "Contact ID",
        "Contact",
        REQUIRED,
        child_relationship="OpportunityContactRoles",
        child_cascade=True,
    ),
    picklist("Role", "Role", 40, ROLES, permissionable=False),
    flag("IsPrimary", "Primary", permissionable=False),
    *audit(),
    is_deleted(),
)

CONTACT_ROLE = ObjectSchema(
    "OpportunityContactRole", "Opportunity Contact Role", "Opportunity Contact Role", "00K", ROLE_FIELDS,
    undeletable=False, flags={"mruEnabled": False, "searchable": False}, record_types=False, scopes=(),
)  # fmt: skip

HISTORY_FIELDS = (
    record_id("Opportunity History ID"),
    lookup("OpportunityId", "Opportunity ID", "Opportunity", SYSTEM, nillable=False,
        child_relationship="OpportunityHistories", child_cascade=True),
    *reversed(created()),
    picklist("StageName", "Stage Name", 255, tuple(STAGES), SYSTEM, nillable=False),
    money("Amount", "Amount", (18, 2), SYSTEM),
    money("ExpectedRevenue", "Expected Revenue", (18, 2), SYSTEM),
    day("CloseDate", "Close Date", SYSTEM),
    percent("Probability", "Probability", (3, 0), SYSTEM),
    picklist("ForecastCategory", "To Forecast Category", 40, tuple(FORECASTS.items()), SYSTEM, restricted_picklist=True),
    stamp("SystemModstamp", "System Modstamp", SYSTEM, nillable=False, defaulted_on_create=True),
    is_deleted(),
    money("PrevAmount", "Previous Amount", (18, 2), SYSTEM),
    day("PrevCloseDate", "Previous Close Date", SYSTEM),
)  # fmt: skip

OPPORTUNITY_HISTORY = ObjectSchema(
    "OpportunityHistory", "Opportunity History", "Opportunity History", "008", HISTORY_FIELDS,
    createable=False, updateable=False, deletable=False, undeletable=False,
)  # fmt: skip
