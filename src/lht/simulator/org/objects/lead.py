"""Lead: people who might become customers, until they are converted."""

from __future__ import annotations

from lht.simulator.org.objects.picklists import (
    CLEAN_STATUSES,
    INDUSTRIES,
    LEAD_SOURCES,
    LEAD_STATUSES,
    SALUTATIONS,
)
from lht.simulator.org.schemas.fields import (
    REQUIRED,
    SYSTEM,
    Facts,
    address,
    area,
    audit,
    day,
    email,
    flag,
    is_deleted,
    lookup,
    money,
    owner,
    phone,
    picklist,
    record_id,
    stamp,
    text,
    url,
    usual,
    viewed,
    whole,
)
from lht.simulator.org.schemas.schema import ObjectSchema

PERSON: Facts = {"compound_field_name": "Name", "extra_type_info": "personname", "permissionable": False}
CONVERTED: Facts = SYSTEM | {"search_prefilterable": True}

FIELDS = (
    record_id("Lead ID"),
    is_deleted(),
    lookup("MasterRecordId", "Master Record ID", "Lead", SYSTEM),
    text("LastName", "Last Name", 80, PERSON, nillable=False),
    text("FirstName", "First Name", 40, PERSON),
    picklist("Salutation", "Salutation", 40, (*SALUTATIONS, "Mx."), PERSON),
    text("Name", "Full Name", 121, SYSTEM, nillable=False, extra_type_info="personname", name_field=True),
    text("Title", "Title", 128),
    text("Company", "Company", 255, REQUIRED),
    *address("", ""),
    phone("Phone", "Phone"),
    phone("MobilePhone", "Mobile Phone"),
    phone("Fax", "Fax"),
    email("Email", "Email", id_lookup=True),
    url("Website", "Website"),
    url("PhotoUrl", "Photo URL", SYSTEM, extra_type_info="imageurl"),
    area("Description", "Description"),
    picklist("LeadSource", "Lead Source", 255, LEAD_SOURCES),
    usual(picklist("Status", "Status", 255, LEAD_STATUSES, REQUIRED), "Open - Not Contacted"),
    picklist("Industry", "Industry", 255, INDUSTRIES),
    picklist("Rating", "Rating", 255, ("Hot", "Warm", "Cold")),
    money("AnnualRevenue", "Annual Revenue", (18, 0)),
    whole("NumberOfEmployees", "Employees", 8),
    owner(("Group", "User")),
    flag("IsConverted", "Converted", updateable=False, permissionable=False),
    day("ConvertedDate", "Converted Date", SYSTEM),
    lookup("ConvertedAccountId", "Converted Account ID", "Account", CONVERTED),
    lookup("ConvertedContactId", "Converted Contact ID", "Contact", CONVERTED),
    lookup("ConvertedOpportunityId", "Converted Opportunity ID", "Opportunity", CONVERTED),
    flag("IsUnreadByOwner", "Unread By Owner", permissionable=False),
    *audit(),
    day("LastActivityDate", "Last Activity", SYSTEM),
    *viewed(),
    text("Jigsaw", "Data.com Key", 20),
    text("JigsawContactId", "Jigsaw Contact ID", 20, SYSTEM, relationship_name="JigsawContact"),
    picklist("CleanStatus", "Clean Status", 40, CLEAN_STATUSES, restricted_picklist=True),
    text("CompanyDunsNumber", "Company D-U-N-S Number", 9),
    lookup("DandbCompanyId", "D&B Company ID", "DandBCompany", search_prefilterable=True),
    text("EmailBouncedReason", "Email Bounced Reason", 255, createable=False, permissionable=False),
    stamp("EmailBouncedDate", "Email Bounced Date", createable=False, permissionable=False),
    lookup("IndividualId", "Individual ID", "Individual", permissionable=False, search_prefilterable=True,
        child_relationship="Leads"),
)  # fmt: skip

LEAD = ObjectSchema(
    "Lead",
    "Lead",
    "Leads",
    "00Q",
    FIELDS,
    mergeable=True,
    scopes=("queue_owned", "scopingRule", "team", "user_owned"),
)
