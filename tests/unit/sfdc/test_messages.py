from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lht.errors import ConfigError, UnreachableError
from lht.sfdc.messages import Headers, Request, Response, check_url, is_loopback, retry_after_s, server_date


def test_headers_ignore_letter_case() -> None:
    headers = Headers({"Sforce-Locator": "null"})

    assert "null" == headers["sforce-locator"] == headers["SFORCE-LOCATOR"]
    assert "Sforce-LOCATOR" in headers
    assert 5 not in headers
    assert len(headers) == 1
    assert dict(headers) == {"sforce-locator": "null"}


def test_a_request_shows_neither_token_nor_body() -> None:
    request = Request(
        "POST", "https://x/y", Headers({"Authorization": "Bearer tok"}), b"client_secret=s3cret"
    )

    assert "tok'" not in repr(request)
    assert "s3cret" not in repr(request)
    assert "Bearer" not in repr(request)


def test_a_response_shows_no_body() -> None:
    assert "s3cret" not in repr(Response(200, Headers({"Set-Cookie": "sid=s3cret"}), b"s3cret"))


def test_the_place_of_a_request_has_no_query() -> None:
    assert Request("GET", "https://x.example/a/b?q=SELECT").place == "GET x.example/a/b"


@pytest.mark.parametrize(
    ("method", "repeat", "expected"),
    [
        ("GET", False, True),
        ("DELETE", False, True),
        ("POST", False, False),
        ("PATCH", False, False),
        ("PATCH", True, True),
    ],
)
def test_only_harmless_requests_are_repeatable(method: str, repeat: bool, expected: bool) -> None:  # noqa: FBT001
    assert expected == Request(method, "https://x", repeat=repeat).is_repeatable


def test_what_is_no_json_did_not_come_from_salesforce() -> None:
    with pytest.raises(UnreachableError, match="not JSON"):
        Response(200, Headers(), b"<html>").json()


def test_a_response_tells_its_text_json_date_and_success() -> None:
    response = Response(201, Headers({"Date": "Fri, 01 May 2026 12:00:00 GMT"}), b'{"a": 1}')

    assert (response.text, response.json(), response.is_success) == ('{"a": 1}', {"a": 1}, True)
    assert datetime(2026, 5, 1, 12, tzinfo=UTC) == response.date


def test_a_date_without_zone_is_utc_and_nonsense_is_none() -> None:
    assert datetime(2026, 5, 1, 12, tzinfo=UTC) == server_date({"Date": "Fri, 01 May 2026 12:00:00 -0000"})
    assert server_date({"Date": "soon"}) is None
    assert server_date({}) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Fri, 01 May 2026 12:01:00 GMT", "Date": "Fri, 01 May 2026 12:00:00 GMT"}, 60.0),
        ({"Retry-After": "Fri, 01 May 2026 11:00:00 GMT", "Date": "Fri, 01 May 2026 12:00:00 GMT"}, 0.0),
        ({"Retry-After": "Fri, 01 May 2026 12:01:00 GMT"}, None),
        ({"Retry-After": "-3"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(headers: dict[str, str], expected: float | None) -> None:
    assert expected == retry_after_s(headers)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_hosts(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["example.com", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com", "0.0.0.0"]
)
def test_other_hosts_are_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "url", ["https://x.my.salesforce.com", "http://127.0.0.1:8788", "http://[::1]:1", "http://localhost"]
)
def test_safe_urls_are_taken(url: str) -> None:
    assert url == check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://x.my.salesforce.com",
        "http://0.0.0.0:1",
        "ftp://x",
        "x.my.salesforce.com",
        "https://",
        "https://[::1",
        "",
    ],
)
def test_unsafe_or_broken_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        check_url(url)


def test_a_password_in_a_url_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError, match=r"holds a user name or password") as caught:
        check_url("https://me:s3cret@x.example")

    assert "s3cret" not in str(caught.value)
