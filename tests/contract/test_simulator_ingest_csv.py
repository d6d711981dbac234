"""What an upload may look like, and what of it fails a row or the whole job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lht.testing.caller import Caller

UNESCAPED = (
    "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote"
)
ENDING = "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is "


@pytest.mark.parametrize(
    ("object_name", "data", "form", "message"),
    [
        ("Account", b"Name\r\nA\r\n", {}, ENDING + "LF"),
        ("Account", b'Name\n"a\r\nb"\n', {}, ENDING + "LF"),
        ("Account", b"Name\nA\n", {"lineEnding": "CRLF"}, ENDING + "CRLF"),
        ("Account", b"Name\r\nA\nB\r\n", {"lineEnding": "CRLF"}, ENDING + "CRLF"),
        ("Account", b"Name,Nope__c,Nor__c\nA,1,2\n", {}, "InvalidBatch : Field name not found : Nope__c"),
        ("Account", b"Name,BillingAddress\nA,1\n", {}, "InvalidBatch : Field name not found : BillingAddress"),
        ("Account", b'\xef\xbb\xbf"Name"\n"A"\n', {}, UNESCAPED),
        ("Account", b"\xef\xbb\xbfName\nA\n", {}, "InvalidBatch : Field name not found : \ufeffName"),
        ("Account", b'Name\nok\nA "quoted" name\n', {}, UNESCAPED),
        ("Account", b'Name\nok\n"never closed\n', {}, UNESCAPED),
        ("Account", b"Name,NAME\nA,B\n", {}, "InvalidBatch : Duplicate field name found : Name"),
        ("Account", b"", {}, "InvalidBatch : Failed to parse CSV. No header row found"),
        ("Account", b"Name,Nope__r.Key__c\nA,1\n", {}, "InvalidBatch : Unable to find relationship: Nope__r"),
        (
            "Contact", b"LastName,Account.Nope__c\nA,1\n", {},
            "InvalidBatch : Field name not found : Account.Nope__c",
        ),
        ("Contact", b"LastName,Account.Phone\nA,1\n", {}, "InvalidBatch : Field name not found : Account.Phone"),
        (
            "Contact", b"LastName,Account:Account.ExternalId__c\nA,1\n", {},
            "InvalidBatch : type is not needed for non polymorphic foreign key references: Account:Account.ExternalId__c",
        ),
        ("Task", b"Subject,Who.Email\nA,1\n", {}, "InvalidBatch : Field name not found : Who.Email"),
        ("Task", b"Subject,Account:Who.Email\nA,1\n", {}, "InvalidBatch : Field name not found : Account:Who.Email"),
        (
            "Account", b"Name\nA\n", {"operation": "upsert", "externalIdFieldName": "ExternalId__c"},
            "InvalidBatch : Field name not found : ExternalId__c",
        ),
        ("Account", b"Name\nA\n", {"operation": "update"}, "InvalidBatch : Field name not found : Id"),
        ("Account", b"Id,Name\n1,A\n", {"operation": "delete"}, "InvalidBatch : The 'delete' batch must contain only ids"),
    ],
)  # fmt: skip
def test_a_file_that_makes_no_sense_fails_the_job(
    shared: Caller, object_name: str, data: bytes, form: dict[str, str], message: str
) -> None:
    before = shared.get("/query", q=f"SELECT COUNT() FROM {object_name}").json()["totalSize"]
    status = shared.load(object_name, data=data, **{"operation": "insert"} | form)
    left = shared.get(f"/jobs/ingest/{status['id']}/unprocessedrecords").text.splitlines()

    assert (status["state"], status["errorMessage"]) == ("Failed", message)
    assert (status["numberRecordsProcessed"], status["numberRecordsFailed"]) == (0, 0)
    assert len(left) == max(len(data.splitlines()), 1)
    assert shared.get("/query", q=f"SELECT COUNT() FROM {object_name}").json()["totalSize"] == before


def test_a_hidden_field_is_as_unknown_as_one_that_is_not_there(api: Caller) -> None:
    api.org.admin.hide_field("Account", "Site")

    assert api.load("Account", "insert", "Name,Site\nA,x\n")["errorMessage"] == (
        "InvalidBatch : Field name not found : Site"
    )


def test_a_blank_beside_a_quote_is_a_mistake_of_its_row_alone(api: Caller) -> None:
    job = api.load("Account", "insert", 'Name,Site\n"a", "x"\nb, y \n"c" ,z\n')
    found = {row["sf__Error"] for row in api.outcome(job["id"], "failedResults")}

    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 3, 2)
    assert found == {f"INVALID_FIELD:{UNESCAPED.removeprefix('InvalidBatch : ')}:--"}
    assert api.outcome(job["id"], "successfulResults")[0]["Site"] == " y "


@pytest.mark.parametrize(
    ("delimiter", "sign"),
    [("BACKQUOTE", "`"), ("CARET", "^"), ("COMMA", ","), ("PIPE", "|"), ("SEMICOLON", ";"), ("TAB", "\t")],
)
@pytest.mark.parametrize(("ending", "end"), [("LF", "\n"), ("CRLF", "\r\n")])
def test_delimiter_and_line_ending_are_the_jobs(
    shared: Caller, delimiter: str, sign: str, ending: str, end: str
) -> None:
    name = f"{delimiter}{ending}"
    value = f'one{end}""two""{sign}three'
    data = f'Name{sign}Description{end}{name}{sign}"{value}"{end}'
    job = shared.load("Account", "insert", data, columnDelimiter=delimiter, lineEnding=ending)
    query = f"SELECT Id, Description FROM Account WHERE Name = '{name}'"
    row = shared.get("/query", q=query).json()["records"][0]

    assert row["Description"] == f'one{end}"two"{sign}three'
    assert shared.get(f"/jobs/ingest/{job['id']}/successfulResults").text == (
        f'"sf__Id"{sign}"sf__Created"{sign}Name{sign}Description{end}'
        f'"{row["Id"]}"{sign}"true"{sign}"{name}"{sign}"{value}"{end}'
    )


def test_values_are_read_as_each_type_wants_them(api: Caller) -> None:
    api.org.admin.add_field("Account", "Kinds__c", "multipicklist", picklist=["a", "b", "c"])
    api.org.admin.add_field("Account", "At__c", "datetime")
    api.org.admin.add_field("Account", "On__c", "date")
    api.org.admin.add_field("Account", "Flag__c", "boolean")
    api.org.admin.add_field("Account", "Tier__c", "string", default_value="silver")
    api.load(
        "Account",
        "insert",
        "NAME,annualRevenue,numberofemployees,Kinds__C,At__c,On__c,Flag__c,Tier__c\n"
        'A,1.5E3,7,c;a,2026-01-02T03:04:05.999+02:00,2026-01-02,1,\n"  B  ",,,,,,,#N/A\n',
    )
    rows = api.get(
        "/query",
        q="SELECT Name, AnnualRevenue, NumberOfEmployees, Kinds__c, At__c, On__c, Flag__c, Tier__c FROM Account ORDER BY Name",
    ).json()["records"]

    assert [[value for name, value in row.items() if name != "attributes"] for row in rows] == [
        ["A", 1500.0, 7, "a;c", "2026-01-02T01:04:05.000+0000", "2026-01-02", True, "silver"],
        ["B", None, None, None, None, None, False, "silver"],
    ]


def test_an_empty_value_leaves_a_field_and_na_clears_it(api: Caller) -> None:
    account = api.create("Account", Name="A", Site="here", Phone="1")
    api.load("Account", "update", f'Id,Site,Phone\n{account[:15]},,"#N/A"\n')
    row = api.get(f"/sobjects/Account/{account}", fields="Name,Site,Phone").json()

    assert (row["Name"], row["Site"], row["Phone"]) == ("A", "here", None)


def test_parents_are_found_by_their_keys_with_and_without_a_type(api: Caller) -> None:
    api.create("Account", Name="A", ExternalId__c="k1")
    lead = api.create("Lead", LastName="L", Company="C", Email="l@example.com")
    contacts = api.load("Contact", "insert", "LastName,account.EXTERNALID__C\nC,K1\nD,\nE,k9\n")
    tasks = api.load("Task", "insert", "Subject,Lead:Who.Email,OwnerId\nT,L@example.com,\n")
    rows = api.get("/query", q="SELECT LastName, Account.Name FROM Contact ORDER BY LastName").json()[
        "records"
    ]

    assert [(row["LastName"], row["Account"] and row["Account"]["Name"]) for row in rows] == [
        ("C", "A"), ("D", None),
    ]  # fmt: skip
    assert [row["sf__Error"] for row in api.outcome(contacts["id"], "failedResults")] == [
        "INVALID_FIELD:Foreign key external ID: k9 not found for field ExternalId__c in entity Account:--"
    ]
    assert (tasks["state"], tasks["numberRecordsFailed"]) == ("JobComplete", 0)
    assert api.get("/query", q="SELECT WhoId FROM Task").json()["records"][0]["WhoId"] == lead


def test_what_only_a_row_is_refused_for_is_left_to_the_row(api: Caller) -> None:
    api.org.admin.add_field("Account", "Twice__c", "double", formula='"AnnualRevenue" * 2')
    rights = (
        "Please check the security settings of this field and verify that it is read/write for your profile"
    )
    told = {}
    for operation, data in (
        ("insert", "Name,Twice__c\nA,1\n"),
        ("insert", "Name,CreatedDate\nA,2026-01-01\n"),
        ("insert", f"Id,Name\n{api.create('Account', Name='B')},A\n"),
        ("update", "Id,Name\n,A\n"),
        ("delete", "Id\nabc\n"),
        ("insert", f"Name,Description\nA,{'x' * 400_001}\n"),
    ):
        job = api.load("Account", operation, data)
        told[data.partition("\n")[0], operation] = api.outcome(job["id"], "failedResults")[0]["sf__Error"][
            :150
        ]

    assert told == {
        ("Name,Twice__c", "insert"): f"INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: Twice__c. {rights}"[:150],
        ("Name,CreatedDate", "insert"): f"INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: CreatedDate. {rights}"[:150],
        ("Id,Name", "insert"): "INVALID_FIELD_FOR_INSERT_UPDATE:cannot specify Id in an insert call:Id --",
        ("Id,Name", "update"): "MISSING_ARGUMENT:Id not specified in an update call:--",
        ("Id", "delete"): "MALFORMED_ID:Account ID: id value of incorrect type: abc:Id --",
        ("Name,Description", "insert"): "LIMIT_EXCEEDED:Record has 400003 characters, more than 400000:--",
    }  # fmt: skip


def test_an_admin_may_change_the_object_while_a_job_is_at_work(api: Caller) -> None:
    api.org.admin.change_settings(chunk_delay_s=0.02)
    job = api.call("POST", "/jobs/ingest", {"object": "Account", "operation": "insert"}).json()["id"]
    api.put(job, "Name,Phone\n" + "".join(f"N{number},1\n" for number in range(1_000)))
    api.call("PATCH", f"/jobs/ingest/{job}", {"state": "UploadComplete"})
    for number in range(3):
        api.org.admin.add_field("Account", f"More{number}__c", "string")
    ended = api.wait(job, kind="ingest")

    assert (ended["state"], ended["numberRecordsProcessed"], ended["numberRecordsFailed"]) == (
        "JobComplete", 1_000, 0,
    )  # fmt: skip
    assert api.get("/query", q="SELECT COUNT() FROM Account").json()["totalSize"] == 1_000
