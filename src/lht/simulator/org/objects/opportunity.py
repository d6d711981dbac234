"""Opportunity: deals, whose stage decides several other fields."""

from __future__ import annotations

from lht.simulator.org.objects.picklists import LEAD_SOURCES, STAGES
from lht.simulator.org.schemas.fields import (
    READ_ONLY,
    REQUIRED,
    SYSTEM,
    area,
    audit,
    day,
    external_id,
    flag,
    is_deleted,
    lookup,
    money,
    number,
    owner,
    percent,
    picklist,
    record_id,
    stamp,
    text,
    viewed,
    whole,
)
from lht.simulator.org.schemas.schema import ObjectSchema

FIELDS = (
    record_id("Opportunity ID"),
    is_deleted(),
    lookup(
        "AccountId",
        "Account ID",
        "Account",
        child_relationship="Opportunities",
        child_cascade=True,
        search_prefilterable=True,
    ),
    flag("IsPrivate", "Private"),
    text("Name", "Name", 120, id_lookup=True, name_field=True, also=REQUIRED),
    area("Description", "Description"),
    picklist("StageName", "Stage", 255, tuple(STAGES), also=REQUIRED),
    money("Amount", "Amount", (18, 2)),
    percent("Probability", "Probability (%)", (3, 0), defaulted_on_create=True),
    money("ExpectedRevenue", "Expected Amount", (18, 2), **READ_ONLY),
    number("TotalOpportunityQuantity", "Quantity", (18, 2)),
    day("CloseDate", "Close Date", also=REQUIRED),
    picklist(
        "Type",
        "Opportunity Type",
        255,
        (
            "Existing Customer - Upgrade",
            "Existing Customer - Replacement",
            "Existing Customer - Downgrade",
            "New Customer",
        ),
    ),
    text("NextStep", "Next Step", 255),
    picklist("LeadSource", "Lead Source", 255, LEAD_SOURCES),
    flag("IsClosed", "Closed", also=SYSTEM),
    flag("IsWon", "Won", also=SYSTEM),
    picklist(
        "ForecastCategory",
        "Forecast Category",
        40,
        (
            "Omitted",
            "Pipeline",
            ("BestCase", "Best Case"),
            ("MostLikely", "Most Likely"),
            ("Forecast", "Commit"),
            "Closed",
        ),
        nillable=False,
        restricted_picklist=True,
        also=SYSTEM,
    ),
    picklist(
        "ForecastCategoryName",
        "Forecast Category",
        255,
        ("Omitted", "Pipeline", "Best Case", "Commit", "Closed"),
        permissionable=False,
        defaulted_on_create=True,
        restricted_picklist=True,
    ),
    lookup(
        "CampaignId", "Campaign ID", "Campaign", child_relationship="Opportunities", search_prefilterable=True
    ),
    flag("HasOpportunityLineItem", "Has Line Item", also=SYSTEM),
    lookup(
        "Pricebook2Id",
        "Price Book ID",
        "Pricebook2",
        defaulted_on_create=True,
        permissionable=False,
        search_prefilterable=True,
        child_relationship="Opportunities",
    ),
    owner(),
    *audit(),
    day("LastActivityDate", "Last Activity", also=SYSTEM),
    stamp("LastStageChangeDate", "Last Stage Change Date", also=SYSTEM),
    whole("FiscalQuarter", "Fiscal Quarter", 8, compound_field_name="Fiscal", also=SYSTEM),
    whole("FiscalYear", "Fiscal Year", 8, compound_field_name="Fiscal", also=SYSTEM),
    text("Fiscal", "Fiscal Period", 6, byte_length=6, also=SYSTEM),
    lookup(
        "ContactId",
        "Contact ID",
        "Contact",
        relationship_name=None,
        child_relationship="Opportunities",
        updateable=False,
        permissionable=False,
    ),
    *viewed(),
    flag("HasOpenActivity", "Has Open Activity", filterable=False, sortable=False, also=SYSTEM),
    flag("HasOverdueTask", "Has Overdue Task", filterable=False, sortable=False, also=SYSTEM),
    *(
        lookup(
            f"Last{name}ChangedHistoryId",
            "Opportunity History ID",
            "OpportunityHistory",
            SYSTEM,
            search_prefilterable=True,
        )
        for name in ("Amount", "CloseDate")
    ),
    external_id(),
)

OPPORTUNITY = ObjectSchema(
    "Opportunity",
    "Opportunity",
    "Opportunities",
    "006",
    FIELDS,
    flags={"deepCloneable": True},
    scopes=("scopingRule", "team"),
)
