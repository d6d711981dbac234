"""User and Organization: who works in the org, and the org itself. Neither has a recycle bin."""

from __future__ import annotations

from dataclasses import replace

from lht.simulator.org.objects.picklists import LANGUAGES, LOCALES
from lht.simulator.org.objects.time_zones import zone_labels
from lht.simulator.org.schemas.fields import (
    REQUIRED,
    SYSTEM,
    Facts,
    address,
    area,
    audit,
    email,
    flag,
    lookup,
    phone,
    picklist,
    record_id,
    stamp,
    text,
    url,
    viewed,
    whole,
)
from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema

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
    text("Extension", "Extension", 40),
    url("FullPhotoUrl", "Full-sized Photo", length=1_024, extra_type_info="imageurl", also=SYSTEM),
    url("SmallPhotoUrl", "Photo", length=1_024, extra_type_info="imageurl", also=SYSTEM),
    area("AboutMe", "About Me", 1_000),
    flag("IsActive", "Active", default=True, permissionable=False),
    lookup("UserRoleId", "Role ID", "UserRole", child_relationship="Users", permissionable=False),
    picklist("TimeZoneSidKey", "Time Zone", 40, zone_labels(), also=FIXED),
    picklist("LocaleSidKey", "Locale", 40, LOCALES, also=FIXED),
    flag("ReceivesInfoEmails", "Info Emails", permissionable=False),
    flag("ReceivesAdminInfoEmails", "Admin Info Emails", permissionable=False),
    picklist("EmailEncodingKey", "Email Encoding", 40, ("UTF-8", "ISO-8859-1", "Shift_JIS"), also=FIXED),
    lookup("ProfileId", "Profile ID", "Profile", child_relationship="Users", also=REQUIRED),
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
    lookup("DelegatedApproverId", "Delegated Approver ID", ("Group", "User"), permissionable=False),
    stamp("LastLoginDate", "Last Login", also=SYSTEM),
    stamp("LastPasswordChangeDate", "Last Password Change or Reset", also=SYSTEM),
    *audit(),
    whole("NumberOfFailedLogins", "Failed Login Attempts", 9, also=SYSTEM),
    flag("UserPermissionsMarketingUser", "Marketing User", permissionable=False),
    flag("UserPermissionsOfflineUser", "Offline User", permissionable=False),
    flag("UserPermissionsSFContentUser", "Salesforce CRM Content User", permissionable=False),
    flag("ForecastEnabled", "Allow Forecasting", permissionable=False),
    lookup(
        "ContactId",
        "Contact ID",
        "Contact",
        child_relationship="Users",
        child_restricted=True,
        updateable=False,
        permissionable=False,
    ),
    lookup("AccountId", "Account ID", "Account", also=SYSTEM, child_relationship="Users"),
    text("FederationIdentifier", "SAML Federation ID", 512, case_sensitive=True, id_lookup=True, unique=True),
    *viewed(),
)

USER = ObjectSchema(
    "User",
    "User",
    "Users",
    "005",
    USER_FIELDS,
    deletable=False,
    undeletable=False,
    flags={"feedEnabled": True},
    record_types=False,
)

EDITIONS = ("Developer Edition", "Enterprise Edition", "Professional Edition", "Unlimited Edition")
UNMADE: Facts = {"createable": False, "permissionable": False}
"""Nobody makes an org by the API: what may be said of it is changed."""


def _stated(name: str, label: str) -> FieldSchema:
    return flag(name, label, UNMADE)


def _access(name: str, label: str, *levels: str) -> FieldSchema:
    return picklist(f"Default{name}Access", label, 40, levels, SYSTEM, restricted_picklist=True)


ORGANIZATION_FIELDS = (
    record_id("Organization ID"),
    text("Name", "Name", 80, UNMADE, name_field=True, nillable=False),
    text("Division", "Division", 80, UNMADE),
    *(replace(field, createable=False, permissionable=False) for field in address("", "")),
    phone("Phone", "Phone", UNMADE),
    phone("Fax", "Fax", UNMADE),
    text("PrimaryContact", "Primary Contact", 80, UNMADE),
    picklist("DefaultLocaleSidKey", "Locale", 40, LOCALES, FIXED | UNMADE),
    picklist("TimeZoneSidKey", "Time Zone", 40, zone_labels(), FIXED | UNMADE),
    picklist("LanguageLocaleKey", "Language", 40, LANGUAGES, FIXED | UNMADE),
    _stated("ReceivesInfoEmails", "Info Emails"),
    _stated("ReceivesAdminInfoEmails", "Info Emails Admin"),
    _stated("PreferencesRequireOpportunityProducts", "RequireOpportunityProducts"),
    _stated("PreferencesTransactionSecurityPolicy", "TransactionSecurityPolicy"),
    _stated("PreferencesConsentManagementEnabled", "ConsentManagementEnabled"),
    _stated("PreferencesAutoSelectIndividualOnMerge", "AutoSelectIndividualOnMerge"),
    _stated("PreferencesLightningLoginEnabled", "LightningLoginEnabled"),
    _stated("PreferencesOnlyLLPermUserAllowed", "OnlyLLPermUserAllowed"),
    whole("FiscalYearStartMonth", "Fiscal Year Starts In", 9, SYSTEM),
    flag("UsesStartDateAsFiscalYearName", "Fiscal Year Name by Start", SYSTEM),
    _access("Account", "Default Account Access", "None", "Read", "Edit"),
    _access("Contact", "Default Contact Access", "None", "Read", "Edit", "ControlledByParent"),
    _access("Opportunity", "Default Opportunity Access", "None", "Read", "Edit"),
    _access("Lead", "Default Lead Access", "None", "Read", "Edit", "ReadEditTransfer"),
    _access("Case", "Default Case Access", "None", "Read", "Edit", "ReadEditTransfer"),
    _access(
        "Calendar", "Default Calendar Access", "HideDetails", "HideDetailsInsert", "ShowDetails", "AllowEdits"
    ),
    _access("Pricebook", "Default Price Book Access", "None", "Read", "ReadSelect"),
    _access("Campaign", "Default Campaign Access", "None", "Read", "Edit", "All"),
    stamp("SystemModstamp", "System Modstamp", SYSTEM, nillable=False, defaulted_on_create=True),
    email("ComplianceBccEmail", "Compliance BCC Email", SYSTEM),
    picklist("UiSkin", "UI Skin", 40, ("Theme1", "Theme2", "Theme3"), UNMADE, restricted_picklist=True),
    text("SignupCountryIsoCode", "Signup Country", 2, SYSTEM),
    stamp("TrialExpirationDate", "Trial Expiration Date", SYSTEM),
    whole("NumKnowledgeService", "Knowledge Licenses", 9, SYSTEM),
    picklist("OrganizationType", "Edition", 40, EDITIONS, SYSTEM, restricted_picklist=True),
    text("NamespacePrefix", "Namespace Prefix", 15, SYSTEM),
    text("InstanceName", "Instance Name", 5, SYSTEM),
    flag("IsSandbox", "Is Sandbox", SYSTEM),
    text("WebToCaseDefaultOrigin", "Web to Cases Default Origin", 40, UNMADE),
    whole("MonthlyPageViewsUsed", "Monthly Page Views Used", 9, SYSTEM),
    whole("MonthlyPageViewsEntitlement", "Monthly Page Views Allowed", 9, SYSTEM),
    flag("IsReadOnly", "Is Read Only", SYSTEM),
    *audit()[:4],
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
    flags={"layoutable": False, "mruEnabled": False, "searchable": False, "triggerable": False},
    record_types=False,
)
