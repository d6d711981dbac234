"""Logins that end in the middle of a run: renewed where they can be, else nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from lht.config import orgs
from lht.config.settings import Settings, load_settings
from lht.errors import SessionExpiredError
from lht.testing.browser import Browser, read_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from world import World

    from lht.testing import LocalOrg

CONFIG = """\
[local]
CLIENT_ID = "{org.client_id}"
CLIENT_SECRET = "{org.client_secret}"
login_url = "{org.url}"
flow = "web"
"""


@dataclass(frozen=True)
class Person:
    """Pastes the answer that the local org's own browser got."""

    org: LocalOrg
    has_browser: bool = False

    def visit(self, address: str) -> None:
        raise AssertionError(address)

    def paste(self, address: str, redirect_uri: str) -> str:
        parts = urlsplit(address)
        browser, path = Browser(self.org), f"{parts.path}?{parts.query}"
        reply = browser.log_in(path)
        if "proof" in read_page(reply).inputs:
            reply = browser.decide(path, reply)
        return reply.headers["location"]


@pytest.fixture
def settings(bulk_world: World, tmp_path: Path) -> Settings:
    """A web login, in use by the world."""
    directory = tmp_path / ".snowflake"
    directory.mkdir()
    (directory / "connections.toml").write_text(CONFIG.format(org=bulk_world.local))
    found = load_settings(tmp_path, {})
    log_in(bulk_world, found)
    return found


def log_in(world: World, settings: Settings) -> None:
    orgs.log_in(settings, person=Person(world.local))
    world.org.close()
    world.org = orgs.open_org(settings)


def at(kind: str, act: Callable[[], None]) -> Callable[[Any], None]:
    """Acts at the first event of a kind."""
    left = [act]

    def on_event(event: Any) -> None:
        if event.kind == kind and left:
            left.pop()()

    return on_event


def count(world: World) -> int:
    return len(world.rest.query("SELECT Id FROM Account"))


@pytest.mark.parametrize("kind", ["planned", "waiting", "reading"])
@pytest.mark.parametrize("rotation", [True, False])
def test_a_session_that_ends_in_a_run_is_renewed_there(
    bulk_world: World,
    settings: Settings,
    kind: str,
    rotation: bool,  # noqa: FBT001
) -> None:
    world = bulk_world
    world.local.admin.change_app(rotation=rotation)
    expected, before = count(world), settings.login()

    result = world.run("Account", on_event=at(kind, world.local.admin.expire_sessions))

    assert not result.failures
    assert result.objects[0].rows_in_table == expected
    assert settings.login().access_token not in {"", before.access_token}
    assert (settings.login().refresh_token != before.refresh_token) is rotation


def test_a_login_that_is_revoked_in_a_run_loses_nothing(bulk_world: World, settings: Settings) -> None:
    world = bulk_world
    world.sync()
    expected = count(world)

    result = world.run("Account", full=True, on_event=at("waiting", world.local.admin.end_grants))

    assert [type(failure) for failure in result.failures] == [SessionExpiredError]
    assert world.value("SELECT count(*) FROM Account") == expected
    log_in(world, settings)
    assert world.sync(full=True).rows_in_table == expected
