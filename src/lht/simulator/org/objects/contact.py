"""Contact: people, most of them at an account."""

from __future__ import annotations

from lht.simulator.org.objects.picklists import CLEAN_STATUSES, LEAD_SOURCES, SALUTATIONS
from lht.simulator.org.schemas.fields import (
    REQUIRED,
    SYSTEM,
    address,
    area,
    audit,
    day,
    email,
    external_id,
    flag,
    is_deleted,
    lookup,
    owner,
    phone,
    picklist,
    record_id,
    stamp,
    text,
    url,
    viewed,
)
from lht.simulator.org.schemas.schema import ObjectSchema

FIELDS = (
    record_id("Contact ID"),
    is_deleted(),
    lookup("MasterRecordId", "Master Record ID", "Contact", also=SYSTEM),
    lookup(
        "AccountId",
        "Account ID",
        "Account",
        child_relationship="Contacts",
        child_cascade=True,
        search_prefilterable=True,
    ),
    text(
        "LastName", "Last Name", 80, compound_field_name="Name", extra_type_info="personname", also=REQUIRED
    ),
    text(
        "FirstName",
        "First Name",
        40,
        permissionable=False,
        compound_field_name="Name",
        extra_type_info="personname",
    ),
    picklist(
        "Salutation",
        "Salutation",
        40,
        SALUTATIONS,
        permissionable=False,
        compound_field_name="Name",
        extra_type_info="personname",
    ),
    text(
        "Name", "Full Name", 121, nillable=False, extra_type_info="personname", name_field=True, also=SYSTEM
    ),
    *address("Other", "Other"),
    *address("Mailing", "Mailing"),
    phone("Phone", "Business Phone"),
    phone("Fax", "Business Fax"),
    phone("MobilePhone", "Mobile Phone"),
    phone("HomePhone", "Home Phone"),
    phone("OtherPhone", "Other Phone"),
    phone("AssistantPhone", "Asst. Phone"),
    lookup("ReportsToId", "Reports To ID", "Contact", search_prefilterable=True),
    email("Email", "Email", id_lookup=True),
    text("Title", "Title", 128),
    text("Department", "Department", 80),
    text("AssistantName", "Assistant's Name", 40),
    picklist("LeadSource", "Lead Source", 255, LEAD_SOURCES),
    day("Birthdate", "Birthdate"),
    area("Description", "Contact Description"),
    owner(),
    *audit(),
    day("LastActivityDate", "Last Activity", also=SYSTEM),
    stamp("LastCURequestDate", "Last Stay-in-Touch Request Date", also=SYSTEM),
    stamp("LastCUUpdateDate", "Last Stay-in-Touch Save Date", also=SYSTEM),
    *viewed(),
    text("EmailBouncedReason", "Email Bounced Reason", 255, permissionable=False),
    stamp("EmailBouncedDate", "Email Bounced Date", permissionable=False),
    flag("IsEmailBounced", "Is Email Bounced", also=SYSTEM),
    url("PhotoUrl", "Photo URL", extra_type_info="imageurl", also=SYSTEM),
    text("Jigsaw", "Data.com Key", 20),
    text("JigsawContactId", "Jigsaw Contact ID", 20, relationship_name="JigsawContact", also=SYSTEM),
    picklist("CleanStatus", "Clean Status", 40, CLEAN_STATUSES, restricted_picklist=True),
    lookup(
        "IndividualId",
        "Individual ID",
        "Individual",
        permissionable=False,
        search_prefilterable=True,
        child_relationship="Contacts",
    ),
    external_id(),
)

CONTACT = ObjectSchema(
    "Contact", "Contact", "Contacts", "003", FIELDS, mergeable=True, scopes=("scopingRule", "team")
)
