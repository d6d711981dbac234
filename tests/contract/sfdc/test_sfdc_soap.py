"""undelete(), the one SOAP call: against the local org, and against a server that misbehaves."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from dataclasses import replace
from typing import Any

import pytest

from lht.errors import (
    LimitExceededError,
    RequestRejectedError,
    SessionExpiredError,
    UnavailableError,
    UnreachableError,
)
from lht.sfdc import rest, soap
from lht.sfdc.auth import Login
from lht.sfdc.org import Org
from lht.sfdc.transport import Transport
from lht.testing import simulator

FAULT = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault><faultcode>{0}</faultcode>'
    "<faultstring>{1}</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)
DEAD = FAULT.format("sf:INVALID_SESSION_ID", "INVALID_SESSION_ID: Invalid Session ID found").encode()
RESULT = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    b'<undeleteResponse xmlns="urn:partner.soap.sforce.com"><result><id>001</id><success>true</success></result>'
    b"</undeleteResponse></e:Body></e:Envelope>"
)
PLACE = ("POST", "/services/Soap/u/66.0")


@pytest.fixture
def org(script: Any, transport: Transport) -> Org:
    login = Login(username="me", instance_url=script.url, access_token="t1")
    return Org(login, transport, api_version="66.0", renew=lambda used: replace(used, access_token="t2"))


def test_each_record_has_its_own_fate() -> None:
    with simulator(5) as local:
        login = Login(username=local.username, instance_url=local.url, access_token=token_of(local))
        with Org(login, Transport(), owns_transport=True) as org:
            ids = [org.request("POST", "sobjects/Account", json={"Name": n}).json()["id"] for n in "ab"]
            org.request("DELETE", f"sobjects/Account/{ids[0]}")
            calls = org.calls
            saved = soap.undelete(org, [ids[0], ids[1], "x<&]]>\x00"])

            assert org.calls == calls + 1
            assert [(one.id, one.is_success) for one in saved[:2]] == [(ids[0], True), (ids[1], False)]
            assert [error.code for one in saved for error in one.errors] == [
                "UNDELETE_FAILED",
                "MALFORMED_ID",
            ]
            assert (
                rest.count(org, f"SELECT COUNT() FROM Account WHERE Id = '{ids[0]}'", include_deleted=False)
                == 1
            )


def test_a_dead_session_is_renewed_once_and_its_token_goes_into_the_new_message(
    script: Any, org: Org
) -> None:
    script.act = script.in_turn(script.status(500, DEAD), script.status(200, RESULT))
    (saved,) = soap.undelete(org, ["001"])

    assert (saved.id, saved.is_success) == ("001", True)
    assert script.seen == [PLACE, PLACE]
    assert org.login.access_token == "t2"


def test_a_session_that_stays_dead_says_how_to_log_in(script: Any, org: Org) -> None:
    script.act = script.status(500, DEAD)
    with pytest.raises(SessionExpiredError, match="not logged in"):
        soap.undelete(org, ["001"])

    assert len(script.seen) == 2


@pytest.mark.parametrize(
    ("code", "text", "error"),
    [
        ("sf:EXCEEDED_ID_LIMIT", "EXCEEDED_ID_LIMIT: record limit reached", RequestRejectedError),
        ("sf:REQUEST_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED: TotalRequests", LimitExceededError),
        ("sf:SERVER_UNAVAILABLE", "SERVER_UNAVAILABLE: busy", UnavailableError),
        ("soapenv:Client", "a &lt;tag&gt; is wrong", RequestRejectedError),
        ("soapenv:Server", "broken", UnavailableError),
    ],
)
def test_a_fault_is_one_of_our_errors_and_is_sent_once(
    script: Any, org: Org, code: str, text: str, error: type[Exception]
) -> None:
    script.act = script.status(500, FAULT.format(code, text).encode())
    with pytest.raises(error) as raised:
        soap.undelete(org, ["001"])

    assert script.seen == [PLACE]
    assert text.rpartition(": ")[2].replace("&lt;", "<").replace("&gt;", ">") in str(raised.value)
    assert "<faultcode>" not in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [
        b"<html></html>",
        b"{}",
        RESULT.replace(b"result>", b"other>"),
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    ],
)
def test_an_answer_that_does_not_tell_each_fate_is_none(script: Any, org: Org, body: bytes) -> None:
    script.act = script.status(200, body)
    with pytest.raises(UnreachableError):
        soap.undelete(org, ["001"])

    assert script.seen == [PLACE]


def test_a_lost_answer_is_no_reason_to_send_it_again(script: Any, org: Org) -> None:
    script.act = script.hang_up
    with pytest.raises(UnreachableError):
        soap.undelete(org, ["001"])

    assert script.seen == [PLACE]


def token_of(local: Any) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": local.client_id,
        "client_secret": local.client_secret,
    }
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{local.url}/services/oauth2/token", body) as answer:
        return str(json.load(answer)["access_token"])
