"""What is sold, and for how much: products, price books, and the entries that join them."""

from __future__ import annotations

from lht.simulator.org.schemas.fields import (
    READ_ONLY,
    REQUIRED,
    SYSTEM,
    Facts,
    area,
    audit,
    flag,
    is_deleted,
    lookup,
    money,
    picklist,
    record_id,
    text,
    url,
    viewed,
)
from lht.simulator.org.schemas.schema import ObjectSchema

KEY: Facts = REQUIRED | {"updateable": False, "child_relationship": "PricebookEntries"}

PRODUCT_FIELDS = (
    record_id("Product ID"),
    text("Name", "Product Name", 255, REQUIRED, name_field=True, id_lookup=True),
    text("ProductCode", "Product Code", 255),
    area("Description", "Product Description", 4_000, filterable=True),
    flag("IsActive", "Active"),
    *audit(),
    picklist("Family", "Product Family", 255, ("None", "Hardware", "Software", "Service")),
    text("ExternalId", "External ID", 255),
    url("DisplayUrl", "Display URL", length=1_000, groupable=False),
    picklist("QuantityUnitOfMeasure", "Quantity Unit Of Measure", 255, ("Each",)),
    is_deleted(),
    flag("IsArchived", "Archived", SYSTEM),
    *viewed(),
    text("StockKeepingUnit", "Product SKU", 180),
)

PRODUCT2 = ObjectSchema("Product2", "Product", "Products", "01t", PRODUCT_FIELDS)

BOOK_FIELDS = (
    record_id("Price Book ID"),
    is_deleted(),
    text("Name", "Price Book Name", 255, REQUIRED, name_field=True, id_lookup=True),
    *audit(),
    *viewed(),
    flag("IsActive", "Active"),
    flag("IsArchived", "Archived", SYSTEM),
    text("Description", "Description", 255),
    flag("IsStandard", "Is Standard Price Book", SYSTEM),
)

PRICEBOOK2 = ObjectSchema(
    "Pricebook2", "Price Book", "Price Books", "01s", BOOK_FIELDS, flags={"feedEnabled": False}
)

ENTRY_FIELDS = (
    record_id("Price Book Entry ID"),
    text("Name", "Product Name", 255, READ_ONLY, permissionable=False, name_field=True),
    lookup("Pricebook2Id", "Price Book ID", "Pricebook2", KEY, child_cascade=True),
    lookup("Product2Id", "Product ID", "Product2", KEY, child_cascade=True),
    money("UnitPrice", "List Price", (18, 2), REQUIRED),
    flag("IsActive", "Active"),
    flag("UseStandardPrice", "Use Standard Price"),
    *audit(),
    text("ProductCode", "Product Code", 255, READ_ONLY),
    is_deleted(),
    flag("IsArchived", "Archived", SYSTEM),
)

PRICEBOOK_ENTRY = ObjectSchema(
    "PricebookEntry", "Price Book Entry", "Price Book Entries", "01u", ENTRY_FIELDS,
    undeletable=False, flags={"mruEnabled": False, "layoutable": False},
)  # fmt: skip
