"""Every reason for which a row is refused, as result files of ingest jobs and collections tell it; and what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lht.testing.caller import Caller

RIGHTS = (
    "Please check the security settings of this field and verify that it is read/write for your profile or "
    "permission set."
)
MISSING_ID = "001gK0zzzzzzzzzAAA"


def errors(api: Caller, kind: str, operation: str, *lines: str, **form: str) -> list[str]:
    """Carries a job out; gives the `sf__Error` of each row, empty for those that went well; first columns differ."""
    job = api.load(kind, operation, "\n".join(lines) + "\n", **form)
    assert job["state"] == "JobComplete", job
    failed = {row[2]: row[1] for row in api.get(f"/jobs/ingest/{job['id']}/failedResults").rows[1:]}
    return [failed.get(line.partition(",")[0], "") for line in lines[1:]]


def record(kind: str = "Account", **fields: object) -> dict[str, Any]:
    return {"attributes": {"type": kind}, **fields}


def saved(
    api: Caller, method: str, *records: object, path: str = ""
) -> list[tuple[str, str, list[str]] | None]:
    """Sends a collection; gives of each record its error, or None."""
    answer = api.call(method, f"/composite/sobjects{path}", {"records": records}).json()
    found = [one["errors"][0] if one["errors"] else None for one in answer]
    return [one and (one["statusCode"], one["message"], one["fields"]) for one in found]


def test_values_are_refused_at_their_field(api: Caller) -> None:
    api.org.admin.read_only_field("Specimen__c", "Text__c")
    names = "Name,Code__c,Colour__c,Count__c,Price__c,Email__c,Found__c,Text__c,CreatedDate"
    row = errors(
        api, "Specimen__c", "insert", names,
        f"a,{'x' * 41},,,,,,,",
        "b,,Mauve,,,,,,",
        "c,,,abc,,,,,",
        "d,,,1234567890,,,,,",
        "e,,,,123456789012345.0,,,,",
        "f,,,,,nobody,,,",
        "g,,,,,,2026-02-30,,",
        "h,,,,,,,x,2026-01-01T00:00:00Z",
    )  # fmt: skip

    assert row == [
        f"STRING_TOO_LONG:Code: data value too large: {'x' * 41} (max length=40):Code__c --",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:Colour: bad value for restricted picklist field: Mauve:Colour__c --",
        "INVALID_TYPE_ON_FIELD_IN_RECORD:Count: value not of required type: abc:Count__c --",
        "NUMBER_OUTSIDE_VALID_RANGE:Count: value outside of valid range on numeric field: 1234567890:Count__c --",
        "NUMBER_OUTSIDE_VALID_RANGE:Price: value outside of valid range on numeric field: 123456789012345.0:Price__c --",
        "INVALID_EMAIL_ADDRESS:Email: invalid email address: nobody:Email__c --",
        "INVALID_TYPE_ON_FIELD_IN_RECORD:Found: value not of required type: 2026-02-30:Found__c --",
        f"INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: Text__c, CreatedDate. {RIGHTS}:Text__c,CreatedDate --",
    ]


def test_required_fields_and_ids_are_asked_for(api: Caller) -> None:
    deal = errors(api, "Opportunity", "insert", "Name,Amount", "a,1")
    account = api.create("Account", Name="a")
    gone = api.create("Account", Name="b")
    contact = api.create("Contact", LastName="c")
    api.call("DELETE", f"/sobjects/Account/{gone}")
    rows = errors(
        api, "Account", "update", "Id,Name,Phone",
        f"{account},#N/A,1", f"{gone},x,2", f"{MISSING_ID},x,3", f"{contact},x,4", "nope,x,5", ",x,6",
    )  # fmt: skip
    deleted = errors(api, "Account", "delete", "Id", gone, MISSING_ID, contact)
    kept = api.create("Account", Name="kept")
    api.create("Case", Subject="s", AccountId=kept)
    api.org.admin.read_only_records("Account", ids=[account])
    held = errors(api, "Account", "delete", "Id", kept, account)

    assert deal == [
        "REQUIRED_FIELD_MISSING:Required fields are missing: [StageName, CloseDate]:StageName,CloseDate --"
    ]
    assert rows == [
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
        "ENTITY_IS_DELETED:entity is deleted:--",
        "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--",
        f"MALFORMED_ID:Account ID: id value of incorrect type: {contact}:Id --",
        "MALFORMED_ID:Account ID: id value of incorrect type: nope:Id --",
        "MISSING_ARGUMENT:Id not specified in an update call:--",
    ]
    assert deleted == [*rows[1:3], f"MALFORMED_ID:Account ID: id value of incorrect type: {contact}:Id --"]
    assert held[0].startswith("DELETE_FAILED:Your attempt to delete kept could not be completed because")
    assert held[1] == "INSUFFICIENT_ACCESS_OR_READONLY:insufficient access rights on object id:--"


def test_keys_that_name_too_many_or_nobody(api: Caller) -> None:
    admin = api.org.admin
    admin.add_field("Account", "Key__c", "string", length=40, unique=True, external_id=True, label="Key")
    admin.add_field("Account", "Loose__c", "string", length=40, external_id=True, label="Loose Label")
    first = api.create("Account", Name="a", Key__c="k1", Loose__c="l")
    second = api.create("Account", Name="b", Loose__c="l")
    api.create("Account", Name="c", Key__c="k3")
    many = f"DUPLICATE_EXTERNAL_ID:Loose Label: more than one record found for external id field: [{first}, {second}]:--"
    unique = errors(api, "Account", "update", "Id,Key__c", f"{second},K1")
    twice = errors(
        api, "Account", "upsert", "Key__c,Name", "k7,x", "K7,y", "k8,z", externalIdFieldName="Key__c"
    )
    parents = errors(api, "Contact", "insert", "LastName,Account.Key__c", "a,k9", "b,k3")
    unclear = errors(api, "Contact", "insert", "LastName,Account.Loose__c", "a,l")

    assert unique == [
        f"DUPLICATE_VALUE:duplicate value found: Key__c duplicates value on record with id: {first}:--"
    ]
    assert [error.partition(":Duplicate external id specified: ")[::2] for error in twice] == [
        ("DUPLICATE_VALUE", "k7:Key__c --"), ("DUPLICATE_VALUE", "K7:Key__c --"), ("", ""),
    ]  # fmt: skip
    assert parents == [
        "INVALID_FIELD:Foreign key external ID: k9 not found for field Key__c in entity Account:--",
        "",
    ]
    assert unclear == [many]
    assert errors(api, "Account", "upsert", "Loose__c,Name", "l,x", externalIdFieldName="Loose__c") == [many]
    assert saved(api, "PATCH", record(Loose__c="l", Name="x"), path="/Account/Loose__c") == [
        ("DUPLICATE_EXTERNAL_ID", many.partition(":")[2].removesuffix(":--"), [])
    ]


def test_rules_and_triggers_refuse_rows_in_their_own_words(api: Caller) -> None:
    admin = api.org.admin
    admin.add_validation_rule("Account", "No", "Name = 'no'", "Not: that one", field="Name")
    fails = "System.NullPointerException: Attempt to de-reference a null object"
    admin.add_validation_rule("Account", "Fails", "Name = 'trip'", fails, trigger="AccountTrigger")
    admin.add_duplicate_rule("Account", "Same", ["Phone"])
    api.create("Account", Name="first", Phone="1")
    rows = errors(api, "Account", "insert", "Name,Phone", "no,2", "trip,3", "again,1", "fine,4")
    entity = saved(api, "POST", record("AccountHistory"))
    trace = "\n\n".join(
        (
            "AccountTrigger: execution of BeforeInsert",
            f"caused by: {fails}",
            "Trigger.AccountTrigger: line 1, column 1",
        )
    )

    assert rows == [
        "FIELD_CUSTOM_VALIDATION_EXCEPTION:Not: that one:Name --",
        f"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:{trace}:--",
        "DUPLICATES_DETECTED:Use one of these records?:--",
        "",
    ]
    assert entity == [
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be inserted: Account History", [])
    ]


KEPT: list[tuple[str, object, object]] = [
    ("Text__c", " \t a  b \n", "a  b"),
    ("Text__c", "\u00a0a", "\u00a0a"),
    ("Text__c", "   ", None),
    ("Email__c", "Ann.Lee@Example.COM", "ann.lee@example.com"),
    ("Level__c", 2.345, 2.35),
    ("Level__c", "-2.345", -2.35),
    ("Mass__c", "1e3", 1000),
    ("Colour__c", "gREEN", "Green"),
    ("Mood__c", "tense", "Tense"),
    ("Traits__c", "Rare;brittle;Rare;", "Brittle;Rare"),
    ("Seen__c", "2026-03-04T05:06:07.999+02:00", "2026-03-04T03:06:07.000+0000"),
    ("Found__c", "2026-03-04T23:59:59Z", "2026-03-04"),
    ("Opens__c", "05:06:07.1234Z", "05:06:07.123Z"),
    ("Checked__c", "1", True),
    ("Url__c", "Example.com/A", "Example.com/A"),
    ("Phone__c", "(415) 555-0100", "(415) 555-0100"),
    ("Area__c", "a\nb\n\nc", "a\nb\n\nc"),
]  # fmt: skip


@pytest.mark.parametrize("way", ["rest", "bulk"])
def test_values_are_kept_as_the_documentation_lists(api: Caller, way: str) -> None:
    if way == "rest":
        rows = [record("Specimen__c", **{name: value}) for name, value, _ in KEPT]
        made = api.call("POST", "/composite/sobjects", {"records": rows}).json()
        ids = [one["id"] for one in made]
    else:
        ids = [_loaded(api, name, str(value)) for name, value, _ in KEPT]

    found = [api.get(f"/sobjects/Specimen__c/{one}").json() for one in ids]
    assert [row[name] for row, (name, _, _) in zip(found, KEPT, strict=True)] == [kept for _, _, kept in KEPT]


def _loaded(api: Caller, name: str, value: str) -> str:
    quoted = value.replace('"', '""')
    job = api.load("Specimen__c", "insert", f'{name}\n"{quoted}"\n')
    return str(api.outcome(job["id"], "successfulResults")[0]["sf__Id"])


def test_an_unlisted_picklist_value_keeps_its_first_spelling(api: Caller) -> None:
    rows = [record("Specimen__c", Mood__c=mood) for mood in ("Wistful", "WISTFUL", "calm")]
    made = api.call("POST", "/composite/sobjects", {"records": rows}).json()
    later = api.create("Specimen__c", Mood__c="wistful")
    found = api.get("/query", q="SELECT Mood__c FROM Specimen__c ORDER BY Id").json()["records"]

    assert [one["success"] for one in made] == [True] * 3
    assert later
    assert [row["Mood__c"] for row in found] == ["Wistful", "Wistful", "Calm", "Wistful"]


def test_an_org_can_keep_the_decimal_places_that_a_number_came_with(api: Caller) -> None:
    api.org.admin.change_settings(round_decimals=False)
    made = api.create("Specimen__c", Level__c=237.6314, Price__c="1.005")
    found = api.get(f"/sobjects/Specimen__c/{made}", fields="Level__c,Price__c").json()

    assert (found["Level__c"], found["Price__c"]) == (237.6314, 1.005)
