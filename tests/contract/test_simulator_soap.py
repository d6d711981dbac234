"""`undelete()`, the one SOAP call: envelopes, results by record, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.testing.caller import Caller, Reply

PARTNER, ENTERPRISE = "urn:partner.soap.sforce.com", "urn:enterprise.soap.sforce.com"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ASKED = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}


def envelope(session: str, body: str, namespace: str = PARTNER, header: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}" xmlns:u="{namespace}"><s:Header>'
        f"<u:SessionHeader><u:sessionId>{session}</u:sessionId></u:SessionHeader>{header}</s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )


def session(api: Caller) -> str:
    return api.headers["Authorization"].removeprefix("Bearer ")


def undelete(ids: Sequence[str]) -> str:
    return f"<u:undelete>{''.join(f'<u:ids>{one}</u:ids>' for one in ids)}</u:undelete>"


def post(api: Caller, body: str, path: str = "u/66.0", headers: dict[str, str] | None = None) -> Reply:
    return api.raw("POST", f"/services/Soap/{path}", body.encode(), ASKED if headers is None else headers)


def results(answer: Reply, namespace: str = PARTNER) -> list[tuple[str | None, str | None, str | None]]:
    """Gives of each result whether it is a success, the id, and the error as CODE:message."""
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    name = f"{{{namespace}}}"
    found = ET.fromstring(answer.body).iterfind(f"{{{SOAP}}}Body/{name}undeleteResponse/{name}result")
    return [
        (
            one.findtext(f"{name}success"),
            one.findtext(f"{name}id") or None,
            ":".join(one.findtext(f"{name}errors/{name}{part}", "") for part in ("statusCode", "message"))
            if one.find(f"{name}errors") is not None
            else None,
        )
        for one in found
    ]


def fault(answer: Reply) -> tuple[int, str | None, str | None]:
    found = ET.fromstring(answer.body).find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault")
    assert found is not None, answer.text
    return answer.status, found.findtext("faultcode"), found.findtext("faultstring")


def create(api: Caller, kind: str, **fields: object) -> str:
    answer = api.call("POST", f"/sobjects/{kind}", fields)
    assert answer.status == 201, answer.text
    return str(answer.json()["id"])


def delete(api: Caller, kind: str, record_id: str) -> str:
    assert api.call("DELETE", f"/sobjects/{kind}/{record_id}").status == 204
    return record_id


def test_records_come_back_with_their_children_and_each_refusal_has_its_reason(api: Caller) -> None:
    account = create(api, "Account", Name="a")
    contact = create(api, "Contact", LastName="c", AccountId=account)
    alone = delete(api, "Contact", create(api, "Contact", LastName="d", AccountId=account))
    api.org.admin.advance_clock(5)  # what is deleted in one second is taken for deleted together
    live = create(api, "Account", Name="b")
    emptied = delete(api, "Account", create(api, "Account", Name="e"))
    api.org.admin.empty_bin("Account", [emptied])
    delete(api, "Account", account)
    asked = [
        alone,
        account[:15],
        account,
        live,
        emptied,
        "001gK0zzzzzzzzzAAA",
        "zzz000000000001",
        "nope",
        contact,
    ]
    answer = post(api, envelope(session(api), undelete(asked)))

    gone = (
        "false",
        "UNDELETE_FAILED:Entity is not in the recycle bin",
    )
    assert [(success, error) for success, _, error in results(answer)] == [
        ("false", "ENTITY_IS_DELETED:entity is deleted"),
        ("true", None),
        gone,
        gone,
        gone,
        ("false", "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id"),
        ("false", "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id"),
        ("false", "MALFORMED_ID:malformed id nope"),
        gone,
    ]
    assert [results(answer)[place][1] for place in (1, 2, 7)] == [account, account, None]
    found = api.get("/query", q="SELECT Id FROM Contact").json()["records"]
    assert [row["Id"] for row in found] == [contact]


def test_a_unique_value_that_is_taken_keeps_a_record_in_the_bin(api: Caller) -> None:
    api.org.admin.add_field("Account", "Key__c", "string", length=40, unique=True, external_id=True)
    ids = [delete(api, "Account", create(api, "Account", Name="a", Key__c=key)) for key in ("k1", "K1", "k2")]
    answer = post(api, envelope(session(api), undelete(ids)))
    again = post(
        api,
        envelope(
            session(api),
            undelete([ids[1], *ids[:1]]),
            header="<u:AllOrNoneHeader><u:allOrNone>true</u:allOrNone></u:AllOrNoneHeader>",
        ),
    )

    message = f"DUPLICATE_VALUE:duplicate value found: Key__c duplicates value on record with id: {ids[0]}"
    assert results(answer) == [("true", ids[0], None), ("false", ids[1], message), ("true", ids[2], None)]
    assert [error for _, _, error in results(again)] == [
        message,
        "UNDELETE_FAILED:Entity is not in the recycle bin",
    ]


def test_all_or_none_leaves_everything_in_the_bin(api: Caller) -> None:
    record = delete(api, "Account", create(api, "Account", Name="a"))
    header = "<u:AllOrNoneHeader><u:allOrNone>true</u:allOrNone></u:AllOrNoneHeader>"
    answer = post(api, envelope(session(api), undelete([record, record]), header=header))

    (_, _, error), _ = results(answer)
    assert str(error).startswith("ALL_OR_NONE_OPERATION_ROLLED_BACK:")
    assert api.get(f"/sobjects/Account/{record}").error[1] == "ENTITY_IS_DELETED"


def test_two_hundred_records_come_back_by_one_metered_call_of_either_wsdl(api: Caller) -> None:
    rows = [{"attributes": {"type": "Account"}, "Name": f"a{n}"} for n in range(200)]
    made = [row["id"] for row in api.call("POST", "/composite/sobjects", {"records": rows}).json()]
    used = []
    for path, namespace in (("u/40.0/00D000000000001", PARTNER), ("c/66.0", ENTERPRISE)):
        api.call("DELETE", f"/composite/sobjects?ids={','.join(made)}")
        answer = post(api, envelope(session(api), undelete(made), namespace), path)
        used.append(int(ET.fromstring(answer.body).findtext(f".//{{{namespace}}}current", "0")))
        assert results(answer, namespace) == [("true", one, None) for one in made]

    assert used == [3, 5]
    assert fault(post(api, envelope(session(api), undelete([*made, made[0]])))) == (
        500,
        "sf:EXCEEDED_ID_LIMIT",
        "EXCEEDED_ID_LIMIT: record limit reached. cannot submit more than 200 records into this call",
    )
    assert results(post(api, envelope(session(api), undelete([])))) == []


ILLEGAL = "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session"
LAUGHS = '<!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
OUTSIDE = '<!DOCTYPE s SYSTEM "http://127.0.0.1:9/x.dtd">'


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (envelope("wrong", undelete([])), "sf:INVALID_SESSION_ID", ILLEGAL),
        (envelope("", undelete([])), "sf:INVALID_SESSION_ID", ILLEGAL),
        ("<s:Envelope", "soapenv:Client", "The message is not well-formed XML"),
        ("", "soapenv:Client", "The message is not well-formed XML"),
        (LAUGHS + envelope("x", undelete(["&b;"])).partition("?>")[2], "soapenv:Client", "DOCTYPE"),
        (OUTSIDE + envelope("x", undelete([])).partition("?>")[2], "soapenv:Client", "DOCTYPE"),
        ("<Envelope/>", "soapenv:VersionMismatch", "the message must be an Envelope"),
        (envelope("x", ""), "soapenv:Client", "the Body"),
        (
            envelope("x", "<u:delete/>"),
            "soapenv:Client",
            f"No operation available for request {{{PARTNER}}}delete",
        ),
        (envelope("x", undelete([]), ENTERPRISE), "soapenv:Client", "No operation available for request"),
    ],
)
def test_a_message_that_makes_no_sense_is_a_fault(seeded: Caller, body: str, code: str, text: str) -> None:
    status, found, said = fault(post(seeded, body))

    assert (status, found) == (500, code)
    assert text in str(said)


def test_how_a_message_is_sent_matters_too(seeded: Caller) -> None:
    body = envelope(session(seeded), undelete([]))
    no_action = post(seeded, body, headers={"Content-Type": "text/xml"})
    as_json = post(seeded, body, headers={"Content-Type": "application/json", "SOAPAction": "undelete"})
    in_http = post(seeded, envelope("", undelete([])), headers=ASKED | seeded.headers)

    assert fault(no_action) == (500, "soapenv:Client", "SOAPAction HTTP header missing")
    assert fault(as_json)[0] == 415
    assert fault(in_http)[1] == "sf:INVALID_SESSION_ID"
    assert fault(seeded.raw("GET", "/services/Soap/u/66.0"))[0] == 405
    assert fault(post(seeded, body, "u/67.5"))[1] == "sf:UNSUPPORTED_API_VERSION"
    assert post(seeded, body, "x/66.0").status == 404


def test_limits_and_ordered_failures_are_told_as_soap_tells_them(api: Caller) -> None:
    body = envelope(session(api), undelete([]))
    api.org.admin.fault("status", status=503, path="/services/Soap/*")
    busy = post(api, body)
    api.org.admin.change_settings(limits={"DailyApiRequests": 0})
    spent = post(api, body)
    api.org.admin.change_settings(limits={"DailyApiRequests": 100})
    api.org.admin.fault("expire_session", path="/services/Soap/*")

    assert fault(busy)[:2] == (503, "sf:SERVER_UNAVAILABLE")
    assert fault(spent) == (
        500,
        "sf:REQUEST_LIMIT_EXCEEDED",
        "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.",
    )
    assert fault(post(api, body))[1] == "sf:INVALID_SESSION_ID"
