"""Objects and fields from a schema file: asked over HTTP, kept, extended, synced, and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.simulator.errors import SimulatorError
from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INVOICES = """
[objects.Line__c]
label = "Invoice Line"

[[objects.Line__c.fields]]
name = "Invoice__c"
type = "reference"
reference_to = "Invoice__c"
child_relationship = "Lines__r"

[objects.Invoice__c]
label = "Invoice"
name_field = { label = "Invoice Number", auto_number = true }

[[objects.Invoice__c.fields]]
name = "Amount__c"
type = "currency"
precision = 16
scale = 2

[[objects.Invoice__c.fields]]
name = "State__c"
type = "picklist"
picklist = [{ value = "Draft", default = true }, "Sent", { value = "Paid", label = "Paid in full" }]
restricted_picklist = true

[[objects.Invoice__c.fields]]
name = "Account__c"
type = "reference"
reference_to = ["Account"]
relationship_name = "Customer__r"
child_relationship = "Invoices__r"

[[objects.Invoice__c.fields]]
name = "Due__c"
type = "date"
default_value = 2026-03-01

[[objects.Invoice__c.fields]]
name = "Sent_At__c"
type = "datetime"
default_value = 2026-03-01T10:00:00+02:00

[[objects.Invoice__c.fields]]
name = "Key__c"
type = "string"
length = 40
unique = true
external_id = true

[[objects.Invoice__c.fields]]
name = "Double__c"
type = "currency"
scale = 2
formula = '"Amount__c" * 2'

[[objects.Account.fields]]
name = "Tier__c"
type = "string"
length = 20
default_value = "silver"
help_text = "How dear they are."

[[objects.Account.fields]]
name = "Is_Key__c"
type = "boolean"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "schema.toml"
    path.write_text(INVOICES, encoding="utf-8")
    return path


@pytest.fixture
def api(file: Path) -> Iterator[Caller]:
    with simulator(records=10, schema=file) as org:
        yield Caller(org).login()


def described(api: Caller, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = api.get(f"/sobjects/{name}/describe").json()
    pages = {
        "uiDetailTemplate",
        "uiEditTemplate",
        "uiNewRecord",
    }  # they name the server, which a restart moves
    return answer | {"urls": {key: url for key, url in answer["urls"].items() if key not in pages}}


def facts(api: Caller, name: str, field: str, *keys: str) -> list[Any]:
    found = next(entry for entry in described(api, name)["fields"] if entry["name"] == field)
    return [found[key] for key in keys]


def found(api: Caller, soql: str) -> list[dict[str, Any]]:
    records = api.get("/query", q=soql).json()["records"]
    return [{key: value for key, value in record.items() if key != "attributes"} for record in records]


def test_a_new_object_is_described_like_one_that_was_always_there(api: Caller) -> None:
    invoice, specimen = described(api, "Invoice__c"), described(api, "Specimen__c")
    flags = ("createable", "queryable", "replicateable", "custom", "searchable", "undeletable")
    listed = {entry["name"]: entry for entry in api.get("/sobjects").json()["sobjects"]}
    prefixes = [entry["keyPrefix"] for entry in listed.values()]
    by_name = {field["name"]: field for field in invoice["fields"]}
    system = (
        "Id",
        "OwnerId",
        "IsDeleted",
        "CreatedDate",
        "CreatedById",
        "LastModifiedDate",
        "SystemModstamp",
    )

    assert invoice.keys() == specimen.keys()
    assert [invoice[flag] for flag in flags] == [True] * len(flags)
    assert (invoice["label"], invoice["labelPlural"], listed["Line__c"]["label"]) == (
        "Invoice", "Invoices", "Invoice Line",
    )  # fmt: skip
    assert prefixes.count(invoice["keyPrefix"]) == 1
    assert invoice["keyPrefix"].startswith("a")
    assert all(field.keys() == specimen["fields"][0].keys() for field in invoice["fields"])
    assert [by_name[name] for name in system[1:]] == [
        field for name in system[1:] for field in specimen["fields"] if field["name"] == name
    ]


def test_fields_have_the_facts_of_the_file_and_the_usual_ones_of_their_kind(api: Caller) -> None:
    name, amount = (
        ("autoNumber", "createable", "nameField", "label"),
        ("type", "precision", "scale", "groupable"),
    )
    customer = ("referenceTo", "relationshipName", "length", "byteLength", "custom")
    children = {
        (child["childSObject"], child["field"], child["relationshipName"])
        for child in described(api, "Account")["childRelationships"]
    }
    entries = facts(api, "Invoice__c", "State__c", "picklistValues")[0]

    assert facts(api, "Invoice__c", "Name", *name) == [True, False, True, "Invoice Number"]
    assert facts(api, "Invoice__c", "Amount__c", *amount) == ["currency", 16, 2, False]
    assert facts(api, "Invoice__c", "Account__c", *customer) == [["Account"], "Customer__r", 18, 18, True]
    assert ("Invoice__c", "Account__c", "Invoices__r") in children
    assert [(entry["value"], entry["label"], entry["defaultValue"]) for entry in entries] == [
        ("Draft", "Draft", True), ("Sent", "Sent", False), ("Paid", "Paid in full", False),
    ]  # fmt: skip
    assert facts(api, "Invoice__c", "Key__c", "unique", "externalId", "idLookup") == [True, True, True]
    assert facts(api, "Invoice__c", "Double__c", "calculated", "createable", "updateable") == [
        True,
        False,
        False,
    ]
    assert facts(api, "Account", "Tier__c", "inlineHelpText", "label", "custom") == [
        "How dear they are.", "Tier", True,
    ]  # fmt: skip
    assert facts(api, "Account", "Is_Key__c", "nillable", "defaultedOnCreate", "defaultValue") == [
        False,
        True,
        False,
    ]


def test_records_of_a_new_object_live_as_others_do(api: Caller) -> None:
    account = api.create("Account", Name="A")
    invoice = api.create("Invoice__c", Amount__c=12.345, Account__c=account, Key__c="k1")
    line = api.create("Line__c", Name="first", Invoice__c=invoice)
    soql = "SELECT Name, Amount__c, Double__c, State__c, Due__c, Sent_At__c, Customer__r.Name FROM Invoice__c"
    refused = api.call("POST", "/sobjects/Invoice__c", {"State__c": "Lost"}).error[1]
    twice = api.call("POST", "/sobjects/Invoice__c", {"Key__c": "K1"}).error[1]
    record = found(api, soql)[0]
    record["Customer__r"] = record["Customer__r"]["Name"]
    bulk = api.read_csv("SELECT Id, Invoice__r.Key__c, Invoice__r.Customer__r.Name FROM Line__c").rows
    api.call("DELETE", f"/sobjects/Line__c/{line}")

    assert record == {
        "Name": "I-0000001", "Amount__c": 12.35, "Double__c": 24.7, "State__c": "Draft", "Due__c": "2026-03-01",
        "Sent_At__c": "2026-03-01T08:00:00.000+0000", "Customer__r": "A",
    }  # fmt: skip
    assert (refused, twice) == ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "DUPLICATE_VALUE")
    assert bulk[1:] == [[line, "k1", "A"]]
    assert api.get("/sobjects/Invoice__c/Key__c/k1").json()["Id"] == invoice
    assert api.get("/query", q="SELECT COUNT() FROM Line__c").json()["totalSize"] == 0
    assert api.get("/queryAll", q="SELECT COUNT() FROM Line__c").json()["totalSize"] == 1


def test_records_made_with_the_org_have_the_defaults_of_added_fields(api: Caller) -> None:
    soql = "SELECT Tier__c, Is_Key__c, COUNT(Id) n FROM Account GROUP BY Tier__c, Is_Key__c"

    assert [(row["Tier__c"], row["Is_Key__c"]) for row in found(api, soql)] == [("silver", False)]


def test_reset_keeps_the_schema_and_only_that(api: Caller) -> None:
    before = described(api, "Invoice__c")
    api.create("Invoice__c", Amount__c=1)
    api.org.admin.add_field("Invoice__c", "Late__c")
    api.org.admin.drop_field("Account", "Tier__c")

    api.org.admin.reset()

    assert described(api, "Invoice__c") == before
    assert found(api, "SELECT Id FROM Invoice__c") == []
    assert {row["Tier__c"] for row in found(api, "SELECT Tier__c FROM Account")} == {"silver"}


def test_an_org_on_disk_gets_what_an_extended_file_adds(file: Path, tmp_path: Path) -> None:
    with simulator(records=5, path=tmp_path / "org", schema=file) as org:
        caller = Caller(org).login()
        kept = caller.create("Invoice__c", Amount__c=3)
        org.admin.alter_field("Account", "Tier__c", length=30)
        before = described(caller, "Invoice__c")
    with simulator(path=tmp_path / "org", schema=file) as org:
        assert described(Caller(org).login(), "Invoice__c") == before
    more = """
[[objects.Invoice__c.fields]]
name = "Note__c"
type = "textarea"
default_value = "none"
[[objects.Invoice__c.fields]]
name = "Paid__c"
type = "boolean"
[objects.Credit__c]
[[objects.Credit__c.fields]]
name = "Invoice__c"
type = "reference"
reference_to = "Invoice__c"
"""
    file.write_text(INVOICES + more, encoding="utf-8")
    with simulator(path=tmp_path / "org", schema=file) as org:
        caller = Caller(org).login()
        rows = found(caller, "SELECT Id, Amount__c, Note__c, Paid__c FROM Invoice__c")
        credit = caller.create("Credit__c", Invoice__c=kept)
        length = facts(caller, "Account", "Tier__c", "length")
    with simulator(path=tmp_path / "org") as org:
        left = found(Caller(org).login(), "SELECT Id, Invoice__r.Note__c FROM Credit__c")

    assert rows == [{"Id": kept, "Amount__c": 3.0, "Note__c": "none", "Paid__c": False}]
    assert credit[:3] not in (kept[:3], "a00")
    assert length == [30]
    assert (left[0]["Id"], left[0]["Invoice__r"]["Note__c"]) == (credit, "none")


FIELD = "[[objects.Invoice__c.fields]]\n"
REFUSED = {
    "objects = 1": ["objects", "a table is needed"],
    "[object.Invoice__c]": ["the file", "'object'", "objects"],
    "x = ": ["is not TOML"],
    "[objects.Invoice]": ["Invoice", "__c", "Account, "],
    "[objects.Invoice__c]\n[objects.INVOICE__c]": ["objects", "INVOICE__c is there twice"],
    '[objects.Invoice__c]\nlabels = "x"': ["Invoice__c", "is label meant?", "label_plural"],
    "[objects.Invoice__c]\nlabel = 1": ["Invoice__c", "label must be a text"],
    "[objects.Invoice__c]\nname_field = {auto_number = 1}": ["Invoice__c", "auto_number must be true or false"],
    "[objects.Invoice__c]\nfields = 1": ["Invoice__c", "list of tables"],
    '[objects.Account]\nlabel = "x"': ["Account", "'label'", "fields"],
    '[[objects.Account.fields]]\nname = "Name"\ntype = "string"': ["Account, Name", "custom field"],
    '[[objects.account.fields]]\nname = "externalid__c"\ntype = "string"': ["Account, externalid__c", "already has"],
    FIELD + 'type = "string"': ["Invoice__c, field 1", "Amount__c"],
    FIELD + 'name = "A__c"': ["Invoice__c, A__c", "currency", "not None"],
    FIELD + 'name = "A__c"\ntype = "money"': ["Invoice__c, A__c", "currency", "'money'"],
    FIELD + 'name = "A__c"\ntype = "string"\nlenght = 3': ["Invoice__c, A__c", "is length meant?", "scale"],
    FIELD + 'name = "A__c"\ntype = "string"\nlength = "x"': ["Invoice__c, A__c", "length", "'x'"],
    FIELD + 'name = "A__c"\ntype = "double"\nprecision = 30': ["Invoice__c, A__c", "from 1 to 18"],
    FIELD + 'name = "A__c"\ntype = "int"\ndefault_value = "x"': ["Invoice__c, A__c", "default_value"],
    FIELD + 'name = "A__c"\ntype = "int"\nauto_number = true': ["Invoice__c, A__c", "auto_number is a string"],
    FIELD + 'name = "A__c"\ntype = "date"\ndefault_value = 10:00:00': ["Invoice__c, A__c", "default_value"],
    FIELD + 'name = "A__c"\ntype = "reference"': ["Invoice__c, A__c", "reference_to", "Account, ", "Invoice__c"],
    FIELD + 'name = "A__c"\ntype = "reference"\nreference_to = "B__c"': ["Invoice__c, A__c", "'B__c'", "Account, "],
    FIELD + 'name = "A__c"\ntype = "reference"\nreference_to = [1]': ["Invoice__c, A__c", "reference_to"],
    FIELD + 'name = "A__c"\ntype = "picklist"\npicklist = ["x", "X"]': ["Invoice__c, A__c", "'x' twice"],
    FIELD + 'name = "A__c"\ntype = "picklist"\npicklist = [{value = 1}]': ["Invoice__c, A__c", "value", "1"],
    FIELD + 'name = "A__c"\ntype = "picklist"\npicklist = [{label = "x"}]': ["Invoice__c, A__c", "picklist"],
    FIELD + 'name = "A__c"\ntype = "picklist"\npicklist = [{value = "x", colour = "red"}]': ["A__c", "colour", "active"],
    FIELD + 'name = "A__c"\ntype = "string"\n' + FIELD + 'name = "a__c"\ntype = "int"': ["Invoice__c", "a__c is there twice"],
    FIELD + 'name = "A__c"\ntype = "double"\nformula = "nope * 2"': ["Invoice__c, A__c, formula", "nope"],
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_a_file_that_makes_no_sense_is_refused_by_name(text: str, file: Path) -> None:
    file.write_text(text, encoding="utf-8")

    with pytest.raises(SimulatorError) as refusal, simulator(schema=file):
        raise AssertionError("it started")

    assert [word for word in ("schema.toml", *REFUSED[text]) if word not in str(refusal.value)] == []


@pytest.mark.parametrize("text", [FIELD, FIELD + 'name = "A__c"\ntype = "double"\nformula = "nope"'])
def test_a_refused_file_leaves_an_org_on_disk_as_it_was(text: str, file: Path, tmp_path: Path) -> None:
    with simulator(path=tmp_path / "org", schema=file):
        pass
    file.write_text(INVOICES + '[[objects.Account.fields]]\nname = "B__c"\ntype = "int"\n' + text, "utf-8")

    with pytest.raises(SimulatorError, match=r"schema\.toml"), simulator(path=tmp_path / "org", schema=file):
        raise AssertionError("it started")

    with simulator(path=tmp_path / "org") as org:
        names = {field["name"] for field in described(Caller(org).login(), "Account")["fields"]}
    assert {"Tier__c", "B__c"} & names == {"Tier__c"}


def test_a_file_that_is_not_there_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"none\.toml"), simulator(schema=tmp_path / "none.toml"):
        raise AssertionError("it started")
