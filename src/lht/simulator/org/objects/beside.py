"""Objects that are here because standard fields point at them: the fields that matter most of each."""

from __future__ import annotations

from lht.simulator.org.objects.picklists import SALUTATIONS
from lht.simulator.org.objects.time_zones import zone_labels
from lht.simulator.org.schemas.fields import (
    REQUIRED,
    SYSTEM,
    Facts,
    address,
    area,
    audit,
    day,
    flag,
    is_deleted,
    lookup,
    money,
    number,
    owner,
    phone,
    picklist,
    record_id,
    text,
    url,
    usual,
    viewed,
    whole,
)
from lht.simulator.org.schemas.schema import ObjectSchema

PERSON: Facts = {"compound_field_name": "Name", "extra_type_info": "personname", "permissionable": False}

ASSET_FIELDS = (
    record_id("Asset ID"),
    lookup("ContactId", "Contact ID", "Contact", child_relationship="Assets", child_cascade=True, search_prefilterable=True),
    lookup("AccountId", "Account ID", "Account", child_relationship="Assets", child_cascade=True, search_prefilterable=True),
    lookup("ParentId", "Parent Asset ID", "Asset", child_relationship="ChildAssets", search_prefilterable=True),
    lookup("RootAssetId", "Root Asset ID", "Asset", SYSTEM, search_prefilterable=True),
    lookup("Product2Id", "Product ID", "Product2", child_relationship="Assets", search_prefilterable=True),
    text("ProductCode", "Product Code", 255, SYSTEM),
    flag("IsCompetitorProduct", "Competitor Asset"),
    *audit(),
    is_deleted(),
    text("Name", "Asset Name", 255, REQUIRED, name_field=True),
    text("SerialNumber", "Serial Number", 80),
    day("InstallDate", "Install Date"),
    day("PurchaseDate", "Purchase Date"),
    day("UsageEndDate", "Usage End Date"),
    picklist("Status", "Status", 40, ("Purchased", "Shipped", "Installed", "Registered", "Obsolete")),
    money("Price", "Price", (18, 0)),
    number("Quantity", "Quantity", (12, 2)),
    area("Description", "Description"),
    owner(),
    lookup("AssetProvidedById", "Asset Provided By ID", "Account", child_relationship="ProvidedAssets", search_prefilterable=True),
    lookup("AssetServicedById", "Asset Serviced By ID", "Account", child_relationship="ServicedAssets", search_prefilterable=True),
    flag("IsInternal", "Internal Asset"),
    *viewed(),
)  # fmt: skip

ASSET = ObjectSchema("Asset", "Asset", "Assets", "02i", ASSET_FIELDS)

INDIVIDUAL_FIELDS = (
    record_id("Individual ID"),
    owner(),
    is_deleted(),
    text("LastName", "Last Name", 80, PERSON, nillable=False),
    text("FirstName", "First Name", 40, PERSON),
    picklist("Salutation", "Salutation", 40, SALUTATIONS, PERSON),
    text("Name", "Name", 121, SYSTEM, nillable=False, extra_type_info="personname", name_field=True),
    flag("HasOptedOutTracking", "Don't Track"),
    flag("HasOptedOutProfiling", "Don't Profile"),
    flag("HasOptedOutProcessing", "Don't Process"),
    flag("HasOptedOutSolicit", "Don't Market"),
    flag("ShouldForget", "Forget this Individual"),
    flag("SendIndividualData", "Export Individual's Data"),
    flag("CanStorePiiElsewhere", "OK to Store PII Data Elsewhere"),
    flag("HasOptedOutGeoTracking", "Block Geolocation Tracking"),
    day("BirthDate", "Birth Date"),
    day("DeathDate", "Death Date"),
    whole("ChildrenCount", "Number of Children", 9),
    text("Occupation", "Occupation", 150),
    url("Website", "Website"),
    viewed()[0],
    lookup("MasterRecordId", "Master Record ID", "Individual", SYSTEM),
    *audit(),
)

INDIVIDUAL = ObjectSchema(
    "Individual",
    "Individual",
    "Individuals",
    "0PK",
    INDIVIDUAL_FIELDS,
    mergeable=True,
    flags={"feedEnabled": False},
)

HOURS_FIELDS = (
    record_id("Operating Hours ID"),
    is_deleted(),
    text("Name", "Name", 255, REQUIRED, name_field=True),
    *audit(),
    *viewed(),
    area("Description", "Description", 255),
    usual(
        picklist("TimeZone", "Time Zone", 40, zone_labels(), REQUIRED, restricted_picklist=True),
        "America/Los_Angeles",
    ),
)

OPERATING_HOURS = ObjectSchema("OperatingHours", "Operating Hours", "Operating Hours", "0OH", HOURS_FIELDS)

COMPANY_FIELDS = (
    record_id("D&B Company ID"),
    is_deleted(),
    text("Name", "Primary Business Name", 255, REQUIRED, name_field=True),
    *audit(),
    *viewed(),
    text("DunsNumber", "D-U-N-S Number", 9, REQUIRED),
    *address("", "")[:5],
    phone("Phone", "Telephone Number"),
    phone("Fax", "Facsimile Number"),
    text("StockSymbol", "Ticker Symbol", 6),
    number("SalesVolume", "Annual Sales Volume", (18, 0)),
    url("URL", "URL", length=104),
    number("EmployeesTotal", "Number of Employees - Total", (15, 0)),
    text("YearStarted", "Year Started", 4),
    text("PrimarySic", "Primary SIC Code", 4),
    text("PrimaryNaics", "Primary NAICS Code", 6),
    area("Description", "Company Description"),
)  # fmt: skip

DANDB_COMPANY = ObjectSchema(
    "DandBCompany", "D&B Company", "D&B Companies", "06E", COMPANY_FIELDS, flags={"feedEnabled": False}
)
