from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.simulator.org.first_rows import FIRST_ROWS
from lht.simulator.org.objects import STANDARD
from lht.simulator.org.org import Org
from lht.simulator.org.writes.values import stored
from lht.simulator.store.ddl import column_type, quoted

if TYPE_CHECKING:
    from lht.simulator.org.schemas.schema import ObjectSchema

SCHEMAS = {schema.name: schema for schema in STANDARD}
TEXTS = [
    (s.name, f.name)
    for s in STANDARD
    for f in s.fields
    if f.has_column and column_type(f.type) == "VARCHAR" and f.type != "id"
]


def rows(org: Org, schema: ObjectSchema) -> list[tuple[object, ...]]:
    first = len(FIRST_ROWS.get(schema.name, ()))  # made with the org, and so stamped with its clock
    return org.db.rows(f'SELECT * FROM {quoted(schema.name)} WHERE "_seq" > {first} ORDER BY "Id"')


@pytest.fixture(scope="module")
def twin() -> Org:
    return Org.open(records=400, seed=7)


def test_the_same_seed_gives_the_same_records_and_another_gives_others(seeded: Org, twin: Org) -> None:
    other = Org.open(records=400, seed=8)
    try:
        assert all(rows(seeded, schema) == rows(twin, schema) for schema in STANDARD)
        assert rows(seeded, SCHEMAS["Account"]) != rows(other, SCHEMAS["Account"])
    finally:
        other.close()
        twin.close()


def test_there_are_as_many_records_as_were_asked_for(seeded: Org) -> None:
    counts = {name: seeded.db.count(f"SELECT count(*) FROM {quoted(name)}") for name in SCHEMAS}

    assert (counts["Account"], counts["Contact"], counts["Opportunity"]) == (400, 400, 200)
    assert counts["Specimen__c"] == 50
    assert all(counts.values())


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_seeded_records_have_every_required_value(seeded: Org, name: str) -> None:
    required = [f.name for f in SCHEMAS[name].fields if f.has_column and not f.nillable]
    counts = ", ".join(f"count(*) - count({quoted(field)})" for field in required)

    assert seeded.db.rows(f"SELECT {counts} FROM {quoted(name)}") == [(0,) * len(required)]


@pytest.mark.parametrize(("name", "field_name"), TEXTS)
def test_seeded_texts_are_such_as_the_org_itself_would_keep(seeded: Org, name: str, field_name: str) -> None:
    field = next(f for f in SCHEMAS[name].fields if f.name == field_name)
    found = seeded.db.rows(f"SELECT DISTINCT {quoted(field_name)} FROM {quoted(name)}")

    assert [value for (value,) in found if stored(field, value) != value] == []


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_seeded_numbers_fit_their_fields(seeded: Org, name: str) -> None:
    for field in SCHEMAS[name].fields:
        if field.has_column and column_type(field.type) in {"DOUBLE", "BIGINT"}:
            found = seeded.db.rows(f"SELECT DISTINCT {quoted(field.name)} FROM {quoted(name)}")
            assert [value for (value,) in found if stored(field, value) != value] == [], field.name


def test_seeded_references_lead_somewhere(seeded: Org) -> None:
    for schema in STANDARD:
        for field in schema.fields:
            targets = [SCHEMAS[name] for name in field.reference_to if name in SCHEMAS]
            if targets and field.has_column:
                union = " UNION ALL ".join(f'SELECT "Id" FROM {quoted(target.name)}' for target in targets)
                lost = (
                    f"SELECT count(*) FROM {quoted(schema.name)} "
                    f"WHERE {quoted(field.name)} IS NOT NULL AND {quoted(field.name)} NOT IN ({union})"
                )
                assert seeded.db.count(lost) == 0, (schema.name, field.name)


def test_seeded_ids_are_distinct_and_well_formed(seeded: Org) -> None:
    from lht.simulator.org.ids import to_long

    for schema in STANDARD:
        found = [str(value) for (value,) in seeded.db.rows(f'SELECT "Id" FROM {quoted(schema.name)}')]
        assert len(set(found)) == len(found)
        assert [value for value in found if to_long(value) != value or value[:3] != schema.key_prefix] == []


def test_children_of_deleted_accounts_are_deleted(seeded: Org) -> None:
    for name in ("Contact", "Opportunity", "Task", "AccountHistory", "AccountShare"):
        alive = (
            f'SELECT count(*) FROM {quoted(name)} c JOIN "Account" a ON c."AccountId" = a."Id" '
            'WHERE a."IsDeleted" AND NOT c."IsDeleted"'
        )
        assert seeded.db.count(alive) == 0, name
    assert seeded.db.count('SELECT count(*) FROM "Account" WHERE "IsDeleted"') > 0


def test_children_of_other_deleted_parents_are_deleted_and_the_dead_have_no_cases(seeded: Org) -> None:
    families = (
        ("OpportunityLineItem", "OpportunityId", "Opportunity"),
        ("OpportunityContactRole", "OpportunityId", "Opportunity"),
        ("OpportunityHistory", "OpportunityId", "Opportunity"),
        ("ContactHistory", "ContactId", "Contact"),
        ("CaseHistory", "CaseId", "Case"),
        ("LeadShare", "LeadId", "Lead"),
        ("ContactShare", "ContactId", "Contact"),
        ("CampaignMember", "LeadId", "Lead"),
        ("CampaignMember", "ContactId", "Contact"),
        ("Case", "AccountId", "Account"),
    )
    for child, key, parent in families:
        alive = (
            f'SELECT count(*) FROM {quoted(child)} c JOIN {quoted(parent)} p ON c.{quoted(key)} = p."Id" '
            'WHERE p."IsDeleted" AND NOT c."IsDeleted"'
        )
        assert seeded.db.count(alive) == 0, (child, parent)


def test_seeded_figures_are_those_that_the_org_would_count(seeded: Org) -> None:
    lines = (
        'SELECT count(*) FROM "Opportunity" o JOIN (SELECT "OpportunityId", sum("TotalPrice") AS total, '
        'sum("Quantity") AS quantity, any_value("Name") AS line FROM "OpportunityLineItem" GROUP BY 1) l '
        'ON l."OpportunityId" = o."Id" WHERE abs(o."Amount" - total) > 0.005 OR "TotalOpportunityQuantity" <> quantity '
        'OR NOT "HasOpportunityLineItem" OR NOT starts_with(line, o."Name")'
    )
    members = (
        'SELECT count(*) FROM "Campaign" c WHERE "NumberOfLeads" <> (SELECT count("LeadId") FROM "CampaignMember" m '
        'WHERE m."CampaignId" = c."Id" AND NOT m."IsDeleted")'
    )
    prices = (
        'SELECT count(*) FROM "OpportunityLineItem" l JOIN "PricebookEntry" e ON l."PricebookEntryId" = e."Id" '
        'WHERE l."Product2Id" <> e."Product2Id" OR l."ListPrice" <> e."UnitPrice"'
    )
    named = (
        'SELECT count(*) FROM "CampaignMember" m LEFT JOIN "Lead" l ON m."LeadId" = l."Id" '
        'LEFT JOIN "Contact" c ON m."ContactId" = c."Id" WHERE m."Name" IS DISTINCT FROM coalesce(l."Name", c."Name")'
    )

    shown = (
        'SELECT count(*) FROM "CampaignMember" m LEFT JOIN "Lead" l ON m."LeadId" = l."Id" '
        'LEFT JOIN "Contact" c ON m."ContactId" = c."Id" LEFT JOIN "Account" a ON c."AccountId" = a."Id" '
        'WHERE m."Email" IS DISTINCT FROM coalesce(l."Email", c."Email") '
        'OR m."City" IS DISTINCT FROM coalesce(l."City", c."MailingCity") '
        'OR m."CompanyOrAccount" IS DISTINCT FROM coalesce(l."Company", a."Name") '
        'OR m."LeadOrContactOwnerId" IS DISTINCT FROM coalesce(l."OwnerId", c."OwnerId")'
    )

    assert seeded.db.count(shown) == 0
    assert [seeded.db.count(sql) for sql in (lines, members, prices, named)] == [0, 0, 0, 0]
    assert seeded.db.count('SELECT count(*) FROM "Opportunity" WHERE "HasOpportunityLineItem"') == 39


def test_some_seeded_cases_are_of_a_contact_and_of_its_account_and_show_how_to_reach_it(seeded: Org) -> None:
    joined = 'FROM "Case" k JOIN "Contact" c ON k."ContactId" = c."Id"'
    unlike = (
        'k."AccountId" IS DISTINCT FROM c."AccountId" OR k."ContactEmail" IS DISTINCT FROM c."Email" '
        'OR k."ContactPhone" IS DISTINCT FROM c."Phone" OR k."ContactMobile" IS DISTINCT FROM c."MobilePhone" '
        'OR k."ContactFax" IS DISTINCT FROM c."Fax" OR c."IsDeleted"'
    )

    assert seeded.db.count(f"SELECT count(*) {joined} WHERE {unlike}") == 0
    assert seeded.db.count(f'SELECT count(*) {joined} WHERE k."ContactEmail" IS NOT NULL') > 10
    assert seeded.db.count('SELECT count(*) FROM "Case" WHERE "ContactId" IS NULL') > 10


def test_the_histories_of_different_objects_share_no_id() -> None:
    union = " UNION ALL ".join(
        f'SELECT "Id" FROM {quoted(name)}' for name in SCHEMAS if name.endswith("History")
    )
    org = Org.open(records=20)
    try:
        org.records.create("Contact", {"LastName": "New"})
        org.records.create("Lead", {"LastName": "New", "Company": "C"})
        counts = org.db.rows(f'SELECT count(*), count(DISTINCT "Id") FROM ({union})')
    finally:
        org.close()

    assert counts[0][0] == counts[0][1]


def test_stamps_are_shared_ordered_and_older_than_any_clock(seeded: Org) -> None:
    disordered = 'SELECT count(*) FROM "Account" WHERE NOT "CreatedDate" <= "LastModifiedDate" OR "SystemModstamp" < "LastModifiedDate"'
    newest = 'SELECT max("SystemModstamp") < TIMESTAMP \'2025-01-01\' FROM "Account"'

    assert seeded.db.count(disordered) == 0
    assert seeded.db.value(newest) is True
    assert seeded.db.count('SELECT count(DISTINCT "CreatedDate") FROM "Account"') == 10


def test_the_records_hold_what_breaks_careless_software(seeded: Org) -> None:
    def some(sql: str) -> bool:
        return seeded.db.count(f"SELECT count(*) FROM {sql}") > 0

    assert seeded.db.count('SELECT count(*) FROM "Specimen__c" WHERE length("Long__c") = 100000') >= 3
    for part in ("chr(10)", "chr(13) || chr(10)", "','", "'\"'", "chr(9)", "'🎉'", "'重要'"):
        assert some(f'"Contact" WHERE contains("Description", {part})'), part
    assert some('"Account" WHERE "AnnualRevenue" = 16147805824397.0')
    assert some('"Account" WHERE "AnnualRevenue" < 0')
    assert some('"Opportunity" WHERE "CloseDate" = DATE \'1700-01-01\'')
    assert some('"Specimen__c" WHERE "Seen__c" = TIMESTAMP \'4000-12-31 23:59:59\'')
    assert some('"Specimen__c" WHERE "Ratio__c" = 1e-15')


def test_a_seeded_deletion_is_in_the_log(seeded: Org) -> None:
    deleted = 'SELECT "Id", "SystemModstamp" FROM "Account" WHERE "IsDeleted" ORDER BY 1'
    logged = "SELECT id, deleted_at FROM _deleted_log WHERE object = 'Account' ORDER BY 1"

    assert seeded.db.rows(deleted) == seeded.db.rows(logged)


def test_new_records_come_after_the_seeded_ones() -> None:
    org = Org.open(records=5)
    try:
        last = str(org.db.value('SELECT max("Id") FROM "Account"'))
        assert org.records.create("Account", {"Name": "a"}) > last
    finally:
        org.close()
