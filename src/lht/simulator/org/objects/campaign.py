"""Campaigns, and the leads and contacts that they reached."""

from __future__ import annotations

from lht.simulator.org.objects.picklists import (
    CAMPAIGN_STATUSES,
    CAMPAIGN_TYPES,
    LEAD_SOURCES,
    MEMBER_STATUSES,
    SALUTATIONS,
)
from lht.simulator.org.schemas.fields import (
    READ_ONLY,
    REQUIRED,
    SYSTEM,
    Facts,
    area,
    audit,
    day,
    email,
    flag,
    is_deleted,
    lookup,
    money,
    number,
    owner,
    percent,
    phone,
    picklist,
    record_id,
    text,
    usual,
    viewed,
    whole,
)
from lht.simulator.org.schemas.schema import ObjectSchema

COUNT: Facts = READ_ONLY | {"nillable": False, "defaulted_on_create": True, "default_value": 0}
SUM: Facts = COUNT | {"default_value": 0.0}

FIELDS = (
    record_id("Campaign ID"),
    is_deleted(),
    text("Name", "Name", 80, REQUIRED, name_field=True, id_lookup=True),
    lookup("ParentId", "Parent Campaign ID", "Campaign", child_relationship="ChildCampaigns", search_prefilterable=True),
    usual(picklist("Type", "Type", 255, CAMPAIGN_TYPES), "Conference"),
    usual(picklist("Status", "Status", 255, CAMPAIGN_STATUSES), "Planned"),
    day("StartDate", "Start Date"),
    day("EndDate", "End Date"),
    money("ExpectedRevenue", "Expected Revenue in Campaign", (18, 0)),
    money("BudgetedCost", "Budgeted Cost in Campaign", (18, 0)),
    money("ActualCost", "Actual Cost in Campaign", (18, 0)),
    percent("ExpectedResponse", "Expected Response (%)", (10, 2)),
    number("NumberSent", "Num Sent in Campaign", (18, 0)),
    flag("IsActive", "Active"),
    area("Description", "Description"),
    whole("NumberOfLeads", "Leads in Campaign", 9, COUNT),
    whole("NumberOfConvertedLeads", "Converted Leads in Campaign", 9, COUNT),
    whole("NumberOfContacts", "Contacts in Campaign", 9, COUNT),
    whole("NumberOfResponses", "Responses in Campaign", 9, COUNT),
    whole("NumberOfOpportunities", "Opportunities in Campaign", 9, COUNT),
    whole("NumberOfWonOpportunities", "Won Opportunities in Campaign", 9, COUNT),
    money("AmountAllOpportunities", "Value Opportunities in Campaign", (18, 0), SUM),
    money("AmountWonOpportunities", "Value Won Opportunities in Campaign", (18, 0), SUM),
    owner(),
    *audit(),
    day("LastActivityDate", "Last Activity", SYSTEM),
    *viewed(),
    lookup("CampaignMemberRecordTypeId", "Record Type ID", "RecordType", permissionable=False),
)  # fmt: skip

CAMPAIGN = ObjectSchema(
    "Campaign", "Campaign", "Campaigns", "701", FIELDS, flags={"deepCloneable": True, "feedEnabled": False}
)

COPIED: Facts = SYSTEM
"""Shown of the lead or contact; kept in step with it."""
KEY: Facts = {
    "updateable": False,
    "permissionable": False,
    "child_relationship": "CampaignMembers",
    "child_cascade": True,
}

MEMBER_FIELDS = (
    record_id("Campaign Member ID"),
    is_deleted(),
    lookup("CampaignId", "Campaign ID", "Campaign", KEY, nillable=False),
    lookup("LeadId", "Lead ID", "Lead", KEY),
    lookup("ContactId", "Contact ID", "Contact", KEY),
    picklist("Status", "Status", 40, tuple(MEMBER_STATUSES), permissionable=False),
    flag("HasResponded", "Responded", SYSTEM),
    *audit(),
    day("FirstRespondedDate", "First Responded Date", SYSTEM),
    picklist("Salutation", "Salutation", 255, SALUTATIONS, COPIED),
    text("Name", "Name", 255, COPIED, name_field=True),
    text("FirstName", "First Name", 40, COPIED),
    text("LastName", "Last Name", 80, COPIED),
    text("Title", "Title", 128, COPIED),
    text("Street", "Street", 255, COPIED),
    text("City", "City", 40, COPIED),
    text("State", "State/Province", 80, COPIED),
    text("PostalCode", "Zip/Postal Code", 20, COPIED),
    text("Country", "Country", 80, COPIED),
    email("Email", "Email", COPIED),
    phone("Phone", "Phone", COPIED),
    phone("Fax", "Fax", COPIED),
    phone("MobilePhone", "Mobile", COPIED),
    area("Description", "Description", also=COPIED),
    flag("DoNotCall", "Do Not Call", COPIED),
    flag("HasOptedOutOfEmail", "Email Opt Out", COPIED),
    flag("HasOptedOutOfFax", "Fax Opt Out", COPIED),
    picklist("LeadSource", "Lead Source", 255, LEAD_SOURCES, COPIED),
    text("CompanyOrAccount", "Company (Account)", 255, COPIED),
    text("Type", "Type", 40, COPIED),
    lookup("LeadOrContactId", "Related Record ID", ("Contact", "Lead"), COPIED),
    lookup("LeadOrContactOwnerId", "Related Record Owner ID", ("Group", "User"), COPIED),
)  # fmt: skip

CAMPAIGN_MEMBER = ObjectSchema(
    "CampaignMember", "Campaign Member", "Campaign Members", "00v", MEMBER_FIELDS,
    undeletable=False, flags={"mruEnabled": False, "searchable": False},
)  # fmt: skip

STATUS_FIELDS = (
    record_id("Campaign Member Status ID"),
    is_deleted(),
    lookup("CampaignId", "Campaign ID", "Campaign", REQUIRED, updateable=False, relationship_name="Campaign",
        child_relationship="CampaignMemberStatuses", child_cascade=True),
    text("Label", "Member Status", 765, REQUIRED, name_field=True),
    whole("SortOrder", "Sort Order", 9, permissionable=False),
    flag("IsDefault", "Is Default", permissionable=False),
    flag("HasResponded", "Responded", permissionable=False),
    *audit(),
)  # fmt: skip

CAMPAIGN_MEMBER_STATUS = ObjectSchema(
    "CampaignMemberStatus", "Campaign Member Status", "Campaign Member Status", "01Y", STATUS_FIELDS,
    undeletable=False, flags={"layoutable": False, "mruEnabled": False, "searchable": False},
)  # fmt: skip
