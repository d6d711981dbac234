"""User and Organization: who works in the org, and the org itself. Neither has a recycle bin."""

from __future__ import annotations

from lht.simulator.org.fields import (
    REQUIRED,
    SYSTEM,
    Facts,
    address,
    audit,
    email,
    flag,
    lookup,
    phone,
    picklist,
    record_id,
    stamp,
    text,
    viewed,
    whole,
)
from lht.simulator.org.objects.picklists import LANGUAGES, LOCALES, TIME_ZONES
from lht.simulator.org.schema import ObjectSchema

PERSON: Facts = {"compound_field_name": "Name", "extra_type_info": "personname", "permissionable": False}
FIXED: Facts = {"permissionable": False, "restricted_picklist": True, "nillable": False}

USER_FIELDS = (
    record_id("User ID"),
    text("Username", "Username", 80, id_lookup=True, unique=True, also=REQUIRED),
    text("LastName", "Last Name", 80, nillable=False, also=PERSON),
    text("FirstName", "First Name", 40, also=PERSON),
    text(
        "Name", "Full Name", 121, nillable=False, name_field=True, extra_type_info="personname", also=SYSTEM
    ),
    text("CompanyName", "Company Name", 80),
    text("Division", "Division", 80),
    text("Department", "Department", 80),
    text("Title", "Title", 80),
    *address("", ""),
    email("Email", "Email", id_lookup=True, also=REQUIRED),
    phone("Phone", "Phone"),
    phone("Fax", "Fax"),
    phone("MobilePhone", "Mobile"),
    text("Alias", "Alias", 8, also=REQUIRED),
    text("CommunityNickname", "Nickname", 40, also=REQUIRED),
    flag("IsActive", "Active", default=True, permissionable=False),
    picklist("TimeZoneSidKey", "Time Zone", 40, TIME_ZONES, also=FIXED),
    picklist("LocaleSidKey", "Locale", 40, LOCALES, also=FIXED),
    picklist("EmailEncodingKey", "Email Encoding", 40, ("UTF-8", "ISO-8859-1", "Shift_JIS"), also=FIXED),
    picklist(
        "UserType",
        "User Type",
        40,
        ("Standard", "PowerPartner", "CsnOnly"),
        defaulted_on_create=True,
        also=SYSTEM,
    ),
    picklist("LanguageLocaleKey", "Language", 40, LANGUAGES, also=FIXED),
    text("EmployeeNumber", "Employee Number", 20),
    lookup("ManagerId", "Manager ID", "User", child_relationship="ManagedUsers"),
    stamp("LastLoginDate", "Last Login", also=SYSTEM),
    *audit(),
    whole("NumberOfFailedLogins", "Failed Login Attempts", 9, also=SYSTEM),
    text("FederationIdentifier", "SAML Federation ID", 512, case_sensitive=True, id_lookup=True, unique=True),
    *viewed(),
)

USER = ObjectSchema("User", "User", "Users", "005", USER_FIELDS, deletable=False, undeletable=False)

ORGANIZATION_FIELDS = (
    record_id("Organization ID"),
    text("Name", "Name", 80, name_field=True, also=REQUIRED),
    *address("", ""),
    phone("Phone", "Phone"),
    phone("Fax", "Fax"),
    text("PrimaryContact", "Primary Contact", 80),
    picklist("DefaultLocaleSidKey", "Locale", 40, LOCALES, also=FIXED),
    picklist("TimeZoneSidKey", "Time Zone", 40, TIME_ZONES, also=FIXED),
    picklist("LanguageLocaleKey", "Language", 40, LANGUAGES, also=FIXED),
    whole("FiscalYearStartMonth", "Fiscal Year Starts In", 9),
    picklist("OrganizationType", "Edition", 40, ("Developer Edition", "Enterprise Edition"), also=SYSTEM),
    text("NamespacePrefix", "Namespace Prefix", 15, also=SYSTEM),
    text("InstanceName", "Instance Name", 5, also=SYSTEM),
    flag("IsSandbox", "Is Sandbox", also=SYSTEM),
    stamp("TrialExpirationDate", "Trial Expiration Date", also=SYSTEM),
    *audit(),
)

ORGANIZATION = ObjectSchema(
    "Organization",
    "Organization",
    "Organizations",
    "00D",
    ORGANIZATION_FIELDS,
    createable=False,
    deletable=False,
    undeletable=False,
    replicateable=False,
)
