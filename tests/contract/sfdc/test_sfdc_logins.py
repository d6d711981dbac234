"""Logins as settings keep them, against a server that answers badly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lht.config import orgs
from lht.config.settings import Settings, load_settings
from lht.errors import SessionExpiredError
from lht.sfdc import rest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lht.sfdc.transport import Transport


@pytest.fixture
def settings(script: Any, tmp_path: Path) -> Settings:
    directory = tmp_path / ".snowflake"
    directory.mkdir()
    (directory / "connections.toml").write_text(
        f'[app]\nCLIENT_ID = "x"\nCLIENT_SECRET = "s3cret"\nlogin_url = "{script.url}"\napi_version = "66.0"\n'
    )
    return load_settings(tmp_path, {})


def salesforce(script: Any, *users: str, good: int = 1) -> Callable[[Any], None]:
    """Hands out token after token, each login as the next user; only the token of that number is good."""
    logins = iter(users)
    issued = {"count": 0, "user": ""}

    def act(exchange: Any) -> None:
        if exchange.path.endswith("/token"):
            issued["count"] += 1
            issued["user"] = next(logins)
            body: object = {"access_token": f"token{issued['count']}", "instance_url": script.url}
        elif exchange.path.endswith("/userinfo"):
            body = {"preferred_username": issued["user"], "organization_id": "00D000000000001"}
        elif exchange.headers["Authorization"] == f"Bearer token{good}":
            body = {"ok": True}
        else:
            exchange.reply(
                401, b'[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]'
            )
            return
        exchange.reply(200, json.dumps(body).encode())

    return act


def test_a_renewed_login_is_kept(script: Any, transport: Transport, settings: Settings) -> None:
    script.act = salesforce(script, "me@example.com", "me@example.com", good=2)
    orgs.log_in(settings, transport=transport)

    with orgs.open_org(settings, transport=transport) as org:
        assert rest.limits(org) == {"ok": True}

    assert settings.login().access_token == "token2"


def test_an_app_that_runs_as_somebody_else_does_not_renew(
    script: Any, transport: Transport, settings: Settings
) -> None:
    script.act = salesforce(script, "me@example.com", "other@example.com", good=2)
    orgs.log_in(settings, transport=transport)

    with (
        orgs.open_org(settings, transport=transport) as org,
        pytest.raises(SessionExpiredError, match=r"now runs as other@example\.com"),
    ):
        rest.limits(org)

    assert settings.logins.names() == ("me@example.com",)


def test_a_login_that_cannot_be_kept_does_not_end_the_run(
    script: Any, transport: Transport, settings: Settings
) -> None:
    script.act = salesforce(script, "me@example.com", "me@example.com", good=2)
    login = orgs.log_in(settings, transport=transport)
    settings.logins.path.unlink()
    settings.logins.path.mkdir()

    with orgs.open_org(settings, login=login, transport=transport) as org:
        assert rest.limits(org) == {"ok": True}


def test_a_login_is_forgotten_even_where_it_cannot_be_revoked(
    script: Any, transport: Transport, settings: Settings
) -> None:
    script.act = salesforce(script, "me@example.com")
    orgs.log_in(settings, transport=transport)
    script.act = script.hang_up

    orgs.log_out(settings, transport=transport)

    assert settings.logins.names() == ()
