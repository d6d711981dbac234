"""An org made like another one, from describes that were saved there: told again key by key, seeded, kept, refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lht.simulator.errors import SimulatorError
from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]

SCHEMA = """\
[objects.Invoice__c]
label = "Invoice"

[[objects.Invoice__c.fields]]
name = "Account__c"
type = "reference"
reference_to = "Account"
child_relationship = "Invoices__r"
"""
TYPES: list[Json] = [
    {
        "active": True, "available": True, "defaultRecordTypeMapping": name == "Zoo", "developerName": name, "master": False,
        "name": name, "recordTypeId": record_id, "urls": {"layout": f"/services/data/v58.0/sobjects/Account/{record_id}"},
    }
    for name, record_id in (("Ark", "01254000001upcKAAQ"), ("Zoo", "01254000001upcLAAQ"))
]  # fmt: skip
LEFT_OUT = {"Fax", "ExternalId__c", "SicDesc", "AccountSource"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    """The describes of an org with objects and fields of its own, as somebody may have saved them."""
    path = tmp_path_factory.mktemp("schema") / "schema.toml"
    path.write_text(SCHEMA, encoding="utf-8")
    with simulator(schema=path) as org:
        api = Caller(org, "v58.0").login()
        names = ("Account", "Contact", "Invoice__c", "Specimen__c")
        found = {name: api.get(f"/sobjects/{name}/describe").json() for name in names}
    account = found["Account"]
    account["fields"] = [field for field in account["fields"] if field["name"] not in LEFT_OUT]
    account["fields"] += list(custom_fields(account))
    account["recordTypeInfos"] = [TYPES[0], TYPES[1], *account["recordTypeInfos"][-1:]]
    return found


def custom_fields(account: Json) -> Iterator[Json]:
    """Fields that only the other org has, each with something that this one never says of its own."""
    known = {field["name"]: field for field in account["fields"]}

    def like(model: str, **facts: Any) -> Json:
        return {**known[model], "compoundFieldName": None, "custom": True, "extraTypeInfo": None, **facts}

    entries = [
        {"value": v, "label": v, "active": True, "defaultValue": False, "validFor": "gAAA"} for v in "XYZ"
    ]
    yield like("Rating", name="Grade__c", picklistValues=entries, restrictedPicklist=True, nillable=False)
    yield like("Site", name="Key__c", externalId=True, unique=True, length=12, byteLength=36)
    yield like("AnnualRevenue", name="Fee__c", precision=5, scale=2, nillable=False)
    yield like("Site", name="Shout__c", calculated=True, calculatedFormula="UPPER(Name)", createable=False,
               updateable=False, length=1300, byteLength=3900, dependentPicklist=True, somethingNew={"a": [1]})  # fmt: skip
    yield like("ParentId", name="Plan__c", referenceTo=["Plan__c"], relationshipName="Plan__r")
    yield like("ParentId", name="Any__c", referenceTo=["Plan__c", "Other__c"], relationshipName="Any__r",
               namePointing=True, polymorphicForeignKey=True)  # fmt: skip


def folder_of(path: Path, saved: dict[str, Json]) -> Path:
    path.mkdir(exist_ok=True)
    for name, body in saved.items():
        (path / f"{name}.json").write_text(json.dumps(body), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def like(saved: dict[str, Json], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """A seeded org made from those describes."""
    folder = folder_of(tmp_path_factory.mktemp("describes"), saved)
    (folder / "README.md").write_text("not a describe", encoding="utf-8")
    with simulator(records=120, seed=3, from_describe=folder) as org:
        yield Caller(org).login()


@pytest.mark.parametrize("name", ["Account", "Contact", "Invoice__c", "Specimen__c"])
def test_an_object_is_described_key_by_key_as_it_was_saved(
    like: Caller, saved: dict[str, Json], name: str
) -> None:
    told = like.get(f"/sobjects/{name}/describe").json()
    wanted = json.loads(json.dumps(saved[name]).replace("/services/data/v58.0/", "/services/data/v66.0/"))

    assert {field["name"]: field for field in told["fields"]} == {f["name"]: f for f in wanted["fields"]}
    assert [field["name"] for field in told["fields"]] == [field["name"] for field in wanted["fields"]]
    for urls in (told["urls"], wanted["urls"]):  # pages are where the server is
        assert {urls.pop(page) for page in ("uiDetailTemplate", "uiEditTemplate", "uiNewRecord")}
    assert {key: told[key] for key in wanted if key != "fields"} == {
        key: wanted[key] for key in wanted if key != "fields"
    }


def test_record_types_are_those_of_the_describe(like: Caller) -> None:
    soql = "SELECT Id, Name FROM RecordType WHERE SobjectType = 'Account' AND IsActive = true ORDER BY Name"
    found = like.get("/query", q=soql).json()["records"]
    kinds = like.read_csv("SELECT RecordType.Name FROM Account", "queryAll").rows[1:]

    assert [(one["Id"], one["Name"]) for one in found] == [
        (one["recordTypeId"], one["name"]) for one in TYPES
    ]
    assert {name for (name,) in kinds} == {"Ark", "Zoo", ""}


def test_objects_of_other_names_are_those_of_every_org(like: Caller, saved: dict[str, Json]) -> None:
    listed = {entry["name"]: entry for entry in like.get("/sobjects").json()["sobjects"]}
    custom = {name for name, entry in listed.items() if entry["custom"]}

    assert set(saved) | {"User", "Organization", "Opportunity"} <= set(listed)
    assert custom == {"Invoice__c", "Specimen__c"}
    assert listed["Specimen__c"]["keyPrefix"] == saved["Specimen__c"]["keyPrefix"]


def test_seeded_records_fit_the_fields(like: Caller, saved: dict[str, Json]) -> None:
    names = ["Id", "Name", "Grade__c", "Key__c", "Fee__c", "Shout__c", "Plan__c", "OwnerId"]
    job = like.finished_job(f"SELECT {', '.join(names)} FROM Account", "queryAll")
    rows = like.results(job["id"]).rows
    columns = dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True))
    fees = [float(text) for text in columns["Fee__c"]]
    keys = [text for text in columns["Key__c"] if text]

    assert job["numberRecordsProcessed"] == 120
    assert set(columns["Grade__c"]) == {"X", "Y", "Z"}
    assert (min(fees) >= 0, max(fees) < 1_000, all(round(fee, 2) == fee for fee in fees)) == (True,) * 3
    assert len(keys) == len(set(keys)) > 60
    assert max(map(len, keys)) <= 12
    assert {text for name in ("Shout__c", "Plan__c") for text in columns[name]} == {""}
    assert "" not in columns["Name"] + columns["OwnerId"]
    assert like.get("/query", q="SELECT COUNT() FROM Specimen__c").json()["totalSize"] > 0


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_a_field_that_was_not_saved_is_not_there(like: Caller, name: str) -> None:
    assert like.get("/query", q=f"SELECT {name} FROM Account").error[1] == "INVALID_FIELD"
    assert like.call("POST", "/sobjects/Account", {name: "x"}).error[1] == "INVALID_FIELD"
    assert name not in like.get("/query", q="SELECT FIELDS(ALL) FROM Account LIMIT 1").json()["records"][0]


def test_paths_to_an_object_that_is_not_there_are_refused_and_to_any_of_several_null(like: Caller) -> None:
    soql = "SELECT Plan__r.Name FROM Account"
    several = like.get("/query", q="SELECT Any__r.Name FROM Account LIMIT 1").json()["records"][0]

    assert [like.get("/query", q=soql).error[:2], like.job(soql).error[:2]] == [(400, "INVALID_FIELD")] * 2
    assert several["Any__r"] is None


def test_rules_of_the_saved_fields_hold_for_writes(like: Caller) -> None:
    good = {"Name": "A", "Grade__c": "X", "Fee__c": 1.005, "Key__c": "k1"}
    made = like.call("POST", "/sobjects/Account", good)
    refusals = [
        like.call("POST", "/sobjects/Account", good | change).error[1]
        for change in (
            {"Grade__c": "W", "Key__c": "2"}, {"Fee__c": None, "Key__c": "3"}, {"Key__c": "k1"},
            {"Key__c": "x" * 13}, {"Shout__c": "x", "Key__c": "4"},
        )
    ]  # fmt: skip
    found = like.get(f"/sobjects/Account/Key__c/{good['Key__c']}").json()

    assert made.status == 201
    assert refusals == [
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "REQUIRED_FIELD_MISSING", "DUPLICATE_VALUE", "STRING_TOO_LONG",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
    ]  # fmt: skip
    assert (found["Fee__c"], found["Shout__c"]) == (pytest.approx(1.0, abs=0.011), None)
    like.org.admin.purge("Account", [made.json()["id"]])


def test_what_a_describe_forbids_is_refused(saved: dict[str, Json], tmp_path: Path) -> None:
    bodies = {
        "CaseStatus": saved["Invoice__c"] | {"name": "CaseStatus", "keyPrefix": "01J", "custom": False},
        "Vote": saved["Invoice__c"]
        | {"name": "Vote", "keyPrefix": "083", "queryable": False, "createable": False},
    }
    with simulator(from_describe=folder_of(tmp_path, bodies)) as org:
        api = Caller(org).login()
        bulk = api.job("SELECT Id FROM CaseStatus").error
        rest = api.get("/query", q="SELECT Id FROM CaseStatus").status
        vote = api.job("SELECT Id FROM Vote").error
        made = api.call("POST", "/sobjects/Vote", {}).status

    assert bulk == (400, "INVALIDENTITY", "Entity 'CaseStatus' is not supported by the Bulk API.")
    assert vote == (400, "INVALID_TYPE_FOR_OPERATION", "entity type Vote does not support query")
    assert (rest, made) == (200, 400)


def test_the_forms_in_which_tools_save_a_describe(saved: dict[str, Json], tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"Account": saved["Account"]})
    by_cli = {"status": 0, "result": saved["Invoice__c"], "warnings": []}
    (folder / "invoice.json").write_text(json.dumps(by_cli), encoding="utf-16")
    contact = {
        "name": "Contact",
        "fields": [{"name": "Id", "type": "id"}, {"name": "LastName", "type": "string"}],
    }
    (folder / "c.JSON").write_bytes(b"\xef\xbb\xbf" + json.dumps(contact).encode())
    with simulator(from_describe=folder, records=20) as org:
        api = Caller(org).login()
        invoice = api.get("/sobjects/Invoice__c/describe").json()
        found = api.get("/query", q="SELECT FIELDS(ALL) FROM Contact LIMIT 1").json()["records"][0]

    assert [field["name"] for field in invoice["fields"]] == [
        f["name"] for f in saved["Invoice__c"]["fields"]
    ]
    assert set(found) == {"attributes", "Id", "LastName"}


def described(api: Caller, name: str) -> Json:
    answer: Json = api.get(f"/sobjects/{name}/describe").json()
    pages = {
        "uiDetailTemplate",
        "uiEditTemplate",
        "uiNewRecord",
    }  # they name the server, which a restart moves
    return answer | {"urls": {key: url for key, url in answer["urls"].items() if key not in pages}}


def test_an_org_on_disk_stays_as_its_describes_made_it(saved: dict[str, Json], tmp_path: Path) -> None:
    folder, place = folder_of(tmp_path / "describes", saved), tmp_path / "org"
    with simulator(records=10, from_describe=folder, path=place) as org:
        first = described(Caller(org).login(), "Account")
        org.admin.reset()
        again = described(Caller(org).login(), "Account")
    with simulator(path=place) as org:
        bare = described(Caller(org).login(), "Account")
    more = saved["Invoice__c"] | {"name": "Extra__c", "keyPrefix": "a0X"}
    folder_of(folder, {"Extra": more, "Account": saved["Account"] | {"label": "Customer"}})
    with simulator(path=place, from_describe=folder) as org:
        api = Caller(org).login()
        later = described(api, "Account")
        added = api.get("/sobjects/Extra__c/describe").json()

    assert first == again == bare == later
    assert added["keyPrefix"] == "a0X"


def test_an_org_that_is_not_made_from_describes_is_not_changed_into_one(
    saved: dict[str, Json], tmp_path: Path
) -> None:
    folder, place = folder_of(tmp_path / "describes", saved), tmp_path / "org"
    with simulator(path=place):
        pass

    with (
        pytest.raises(SimulatorError, match=r"Account\.json: .*Account.*another path"),
        simulator(path=place, from_describe=folder),
    ):
        raise AssertionError("it started")


def test_a_schema_file_adds_to_the_saved_objects(saved: dict[str, Json], tmp_path: Path) -> None:
    path = tmp_path / "schema.toml"
    path.write_text(
        "[[objects.Account.fields]]\nname = 'Tier__c'\ntype = 'string'\ndefault_value = 'silver'\n"
        "[[objects.Invoice__c.fields]]\nname = 'Sum__c'\ntype = 'double'\n"
        "[[objects.Line__c.fields]]\nname = 'Invoice__c'\ntype = 'reference'\nreference_to = 'Invoice__c'\n"
        "child_relationship = 'Lines__r'\n",
        encoding="utf-8",
    )
    with simulator(from_describe=folder_of(tmp_path / "d", saved), schema=path, records=10) as org:
        api = Caller(org).login()
        told = api.get("/sobjects/Invoice__c/describe").json()
        tiers = api.get("/query", q="SELECT Tier__c FROM Account LIMIT 1").json()["records"][0]["Tier__c"]
        children = [child["childSObject"] for child in told["childRelationships"]]

    assert (told["fields"][-1]["name"], tiers, "Line__c" in children) == ("Sum__c", "silver", True)


def test_a_saved_field_can_be_altered_hidden_and_dropped(saved: dict[str, Json], tmp_path: Path) -> None:
    with simulator(from_describe=folder_of(tmp_path, saved)) as org:
        api, admin = Caller(org).login(), org.admin
        admin.alter_field("Account", "Shout__c", length=99)
        admin.hide_field("Account", "Key__c")
        admin.drop_field("Account", "Grade__c")
        told = {f["name"]: f for f in described(api, "Account")["fields"]}

    assert (told["Shout__c"]["length"], told["Shout__c"]["calculated"]) == (99, True)
    assert {"Key__c", "Grade__c"} & set(told) == set()


WRONG = [
    ("{", ("not JSON",)),
    ("[]", ("not the describe of an object",)),
    ('{"sobjects": []}', ("a list of objects", "one object")),
    ('{"status": 1, "name": "NOT_FOUND", "message": "no"}', ("not the describe of an object",)),
    ('{"name": "A b", "fields": []}', ("'A b'",)),
    ('{"name": "A__c", "fields": [{"name": "Name", "type": "string"}]}', ("A__c", "no field Id")),
    ('{"name": "A__c", "fields": [{"type": "id"}]}', ("A__c", "field 1 has no name")),
    ('{"name": "A__c", "fields": [{"name": "Id", "type": "id"}, {"name": "ID", "type": "id"}]}', ("A__c", "ID is there twice")),
    ('{"name": "A__c", "childRelationships": [{"field": []}], "fields": [{"name": "Id", "type": "id"}]}', ("A__c", "childSObject")),
    ('{"name": "A__c", "labelPlural": true, "fields": [{"name": "Id", "type": "id"}]}', ("A__c", "labelPlural", "True")),
    ('{"name": "A__c", "fields": [{"name": "Id", "type": "idd"}]}', ("A__c, Id", "'idd'", "string")),
    ('{"name": "A__c", "fields": [{"name": "Id", "type": "id", "length": "x"}]}', ("A__c, Id", "length", "'x'")),
    ('{"name": "A__c", "fields": [{"name": "Id", "type": "id", "picklistValues": [1]}]}', ("A__c, Id", "picklistValues")),
    ('{"name": "A__c", "keyPrefix": "toolong", "fields": [{"name": "Id", "type": "id"}]}', ("A__c", "keyPrefix", "toolong")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_a_file_that_is_no_describe_is_refused_by_name(
    text: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "wrong.json").write_text(text, encoding="utf-8")

    with pytest.raises(SimulatorError) as refused, simulator(from_describe=tmp_path, path=tmp_path / "org"):
        raise AssertionError("it started")

    assert [word for word in ("wrong.json", *words) if word not in str(refused.value)] == []
    assert not (tmp_path / "org").exists()


def test_a_folder_without_describes_and_an_object_twice_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    body = json.dumps({"name": "A__c", "fields": [{"name": "Id", "type": "id"}]})
    for name in ("one.json", "two.json"):
        (tmp_path / name).write_text(body, encoding="utf-8")

    for folder, words in (
        (tmp_path / "empty", "no .json file"),
        (tmp_path / "nowhere", "cannot read"),
        (tmp_path, "also in one.json"),
    ):
        with pytest.raises(SimulatorError, match=words), simulator(from_describe=folder):
            raise AssertionError("it started")


def test_an_org_made_from_every_describe_of_another_is_the_same_org(tmp_path: Path) -> None:
    def told(api: Caller) -> tuple[dict[str, Json], dict[str, Json], list[Json]]:
        listed = {entry["name"]: entry for entry in api.get("/sobjects").json()["sobjects"]}
        bodies = {name: api.get(f"/sobjects/{name}/describe").json() for name in listed}
        return listed, bodies, api.get("/limits/recordCount").json()["sObjects"]

    with simulator(records=30) as org:
        first = told(Caller(org).login())
    with simulator(records=30, from_describe=folder_of(tmp_path, first[1])) as org:
        api = Caller(org).login()
        second = told(api)
        parents = {
            "Account__c": api.create("Account", Name="A"),
            "Master__c": api.create("Contact", LastName="L"),
        }
        made = [
            api.call("POST", f"/sobjects/{name}", body).status
            for name, body in {
                "Specimen__c": parents | {"Required__c": "R"},
                "Lead": {"LastName": "L", "Company": "C"},
                "Case": {"Subject": "S"},
                "Opportunity": {"Name": "O", "StageName": "Prospecting", "CloseDate": "2026-01-31"},
            }.items()
        ]
        gone = api.call("DELETE", f"/sobjects/Account/{parents['Account__c']}").status
        back = api.org.admin.undelete([parents["Account__c"]])

    for body in (*first[1].values(), *second[1].values()):
        body.pop("urls")
    assert second == first
    assert (made, gone, back) == ([201] * 4, 204, 1)
