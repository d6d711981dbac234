"""Specimen__c: a custom object with at least one field of every type that describe knows."""

from __future__ import annotations

from lht.simulator.org.schemas.fields import (
    CUSTOM,
    SYSTEM,
    Facts,
    area,
    audit,
    choices,
    compound,
    day,
    email,
    external_id,
    flag,
    formula,
    is_deleted,
    lookup,
    money,
    number,
    other,
    owner,
    percent,
    phone,
    picklist,
    record_id,
    stamp,
    text,
    url,
    viewed,
    whole,
)
from lht.simulator.org.schemas.schema import ObjectSchema

COLOURS = ("Red", "Green", "Blue", 'Ultra, "violet"', "Größe; mittel")
TRAITS = ("Brittle", "Magnetic", "Fluorescent", "Rare", "Ölig", "Heavy")

OPAQUE: Facts = CUSTOM | {"filterable": False, "sortable": False, "groupable": False}
TIED: Facts = CUSTOM | {"groupable": False}
PLACE: Facts = TIED | {"compound_field_name": "Location__c"}

PLAIN = (
    record_id("Record ID"),
    owner(),
    is_deleted(),
    text("Name", "Specimen Name", 80, name_field=True, id_lookup=True, permissionable=False),
    *audit(),
    *viewed(),
    external_id(),
    text("Text__c", "Text", 255, also=CUSTOM),
    text("Code__c", "Code", 40, unique=True, case_sensitive=True, help_text="Differs from code in letter case only.", also=CUSTOM),
    text("Required__c", "Required", 40, nillable=False, defaulted_on_create=True, default_value="unset", also=CUSTOM),
    text("Serial__c", "Serial", 30, auto_number=True, defaulted_on_create=True, nillable=False, also=CUSTOM | SYSTEM),
    area("Area__c", "Area", 255, also=CUSTOM),
    area("Long__c", "Long Text", 131_072, also=CUSTOM),
    area("Rich__c", "Rich Text", 32_768, html_formatted=True, also=CUSTOM | {"extra_type_info": "richtextarea"}),
    phone("Phone__c", "Phone", also=CUSTOM),
    email("Email__c", "Email", also=CUSTOM),
    url("Url__c", "Url", also=CUSTOM),
    picklist("Colour__c", "Colour", 255, COLOURS, restricted_picklist=True, also=CUSTOM),
    picklist("Mood__c", "Mood", 255, ("Calm", "Tense"), also=CUSTOM),
    other("combobox", "Origin__c", "Origin", length=255, picklist=choices(("Field", "Trade")), also=CUSTOM),
    other("multipicklist", "Traits__c", "Traits", length=4099, byte_length=4099, precision=4, custom=True, groupable=False,
        sortable=False, picklist=choices(TRAITS),
    ),
)  # fmt: skip

MEASURED = (
    flag("Checked__c", "Checked", also=CUSTOM),
    flag("Active__c", "Active", default=True, also=CUSTOM),
    whole("Count__c", "Count", 9, also=CUSTOM),
    other("long", "Serials__c", "Serials", digits=18, also=CUSTOM),
    number("Ratio__c", "Ratio", (18, 15), also=TIED),
    number("Mass__c", "Mass", (18, 0), also=TIED),
    number("Level__c", "Level", (10, 2), also=TIED),
    money("Price__c", "Price", (16, 2), also=TIED),
    percent("Share__c", "Share", (5, 2), also=TIED),
    day("Found__c", "Found", also=CUSTOM),
    stamp("Seen__c", "Seen", also=CUSTOM),
    other("time", "Opens__c", "Opens", also=CUSTOM),
    number("Location__Latitude__s", "Location (Latitude)", (18, 15), also=PLACE),
    number("Location__Longitude__s", "Location (Longitude)", (18, 15), also=PLACE),
    compound("Location__c", "Location", "location", custom=True),
)

ODD = (
    other(
        "encryptedstring",
        "Secret__c",
        "Secret",
        length=175,
        mask="*",
        mask_type="all",
        encrypted=True,
        also=OPAQUE,
    ),
    other("anyType", "Anything__c", "Anything", length=765, byte_length=765, also=OPAQUE),
    other("json", "Extra__c", "Extra", length=32_768, aggregatable=False, also=OPAQUE),
    other("complexvalue", "Shape__c", "Shape", length=255, aggregatable=False, also=OPAQUE),
    other("datacategorygroupreference", "Category__c", "Category", length=80, also=CUSTOM),
    other(
        "base64",
        "Image__c",
        "Image",
        length=1_048_576,
        byte_length=1_048_576,
        aggregatable=False,
        also=OPAQUE,
    ),
    other("byte", "Flag__c", "Flag", length=1, byte_length=1, also=OPAQUE),
    lookup("Account__c", "Account", "Account", child_relationship="Specimens__r", also=CUSTOM),
    lookup(
        "Master__c",
        "Contact",
        "Contact",
        child_relationship="Specimens__r",
        relationship_name="Master__r",
        also=CUSTOM,
    ),
    lookup("Related__c", "Related", "Specimen__c", child_relationship="Relatives__r", also=CUSTOM),
)

FORMULAS = (
    formula("double", "Double_Count__c", "Double Count", ('CAST("Count__c" AS DOUBLE) * 2', "Count__c * 2"), precision=18, scale=0),
    formula("currency", "Value__c", "Value", ('"Price__c" * "Level__c"', "Price__c * Level__c"), precision=18, scale=2),
    formula("percent", "Half__c", "Half", ('"Share__c" / 2', "Share__c / 2"), precision=18, scale=4),
    formula("string", "Title__c", "Title", ("coalesce(\"Name\", '') || ' (' || coalesce(\"Colour__c\", '') || ')'", "Name & ' (' & TEXT(Colour__c) & ')'")),
    formula("boolean", "Is_Heavy__c", "Is Heavy", ('coalesce("Mass__c" > 1000, false)', "Mass__c > 1000"), defaulted_on_create=True),
    formula("date", "Due__c", "Due", ('CAST("Found__c" + INTERVAL 30 DAY AS DATE)', "Found__c + 30")),
    formula("datetime", "Reviewed__c", "Reviewed", ('"Seen__c" + INTERVAL 1 DAY', "Seen__c + 1")),
)  # fmt: skip

SPECIMEN = ObjectSchema(
    "Specimen__c", "Specimen", "Specimens", "a00", (*PLAIN, *MEASURED, *ODD, *FORMULAS), custom=True
)
"""Its name field is text; `Serial__c` is numbered by the org."""
