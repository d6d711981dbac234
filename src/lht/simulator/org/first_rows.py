"""The records that an org has before anybody makes one: itself, its first user, and what those need."""

from __future__ import annotations

from lht.simulator.org import ids

USERNAME = "me@example.com"
USER_ID = ids.make_id("005", 1)
ORG_ID = ids.make_id("00D", 1)
PROFILE_ID = ids.make_id("00e", 1)

_SETTINGS = {"TimeZoneSidKey": "GMT", "LanguageLocaleKey": "en_US"}
_ORGANIZATION = {
    "Name": "LHT Local Org",
    "City": "Lakeside",
    "Country": "US",
    "PrimaryContact": "Mia Admin",
    "DefaultLocaleSidKey": "en_US",
    "FiscalYearStartMonth": 1,
    "DefaultAccountAccess": "Edit",
    "DefaultContactAccess": "ControlledByParent",
    "DefaultOpportunityAccess": "Edit",
    "DefaultLeadAccess": "ReadEditTransfer",
    "DefaultCaseAccess": "ReadEditTransfer",
    "DefaultCalendarAccess": "HideDetailsInsert",
    "DefaultPricebookAccess": "ReadSelect",
    "DefaultCampaignAccess": "All",
    "UiSkin": "Theme3",
    "SignupCountryIsoCode": "US",
    "NumKnowledgeService": 0,
    "OrganizationType": "Developer Edition",
    "InstanceName": "LHT1",
    "WebToCaseDefaultOrigin": "Web",
    "MonthlyPageViewsUsed": 0,
    "MonthlyPageViewsEntitlement": 0,
}
_USER = {
    "Username": USERNAME,
    "LastName": "Admin",
    "FirstName": "Mia",
    "Name": "Mia Admin",
    "Email": USERNAME,
    "Alias": "madmin",
    "CommunityNickname": "me",
    "ProfileId": PROFILE_ID,
    "LocaleSidKey": "en_US",
    "EmailEncodingKey": "UTF-8",
    "UserType": "Standard",
    "NumberOfFailedLogins": 0,
    "UserPermissionsMarketingUser": True,
}
_RIGHTS = {"PermissionsApiEnabled": True, "UserType": "Standard"}

FIRST_ROWS: dict[str, tuple[dict[str, object], ...]] = {
    "Organization": ({**_SETTINGS, **_ORGANIZATION},),
    "Profile": (
        {"Name": "System Administrator", "PermissionsModifyAllData": True, "PermissionsViewAllData": True, **_RIGHTS},
        {"Name": "Standard User", **_RIGHTS},
        {"Name": "Read Only", **_RIGHTS},
    ),
    "UserRole": (
        {"Name": "CEO", "DeveloperName": "CEO"},
        {"Name": "SVP, Sales & Marketing", "DeveloperName": "SVPSalesMarketing", "ParentRoleId": ids.make_id("00E", 1)},
    ),
    "User": ({**_SETTINGS, **_USER},),
    "RecordType": (
        {"Name": "Business Account", "DeveloperName": "Business_Account", "SobjectType": "Account", "IsActive": True},
        {"Name": "Household", "DeveloperName": "Household", "SobjectType": "Account", "IsActive": True},
    ),
    "Group": (
        {"Name": "All Internal Users", "DeveloperName": "AllInternalUsers", "Type": "Organization", "OwnerId": ORG_ID},
        {"Name": "Support Queue", "DeveloperName": "Support_Queue", "Type": "Queue", "Email": "support@example.com"},
        {"Name": "Unassigned Leads", "DeveloperName": "Unassigned_Leads", "Type": "Queue"},
        {"Name": "Finance", "DeveloperName": "Finance", "Type": "Regular", "Description": "Who may see amounts"},
    ),
    "Calendar": (
        {"Name": "Mia Admin", "UserId": USER_ID, "Type": "User", "IsActive": True},
        {"Name": "Meeting Room 1", "Type": "Resource", "IsActive": True},
    ),
    "OperatingHours": ({"Name": "Office hours", "TimeZone": "Europe/London"},),
    "Pricebook2": ({"Name": "Standard Price Book", "IsActive": True, "IsStandard": True},),
}  # fmt: skip
"""By object, in the order of their numbers."""
SUPPORT_QUEUE, LEAD_QUEUE = ids.make_id("00G", 2), ids.make_id("00G", 3)
