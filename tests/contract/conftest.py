"""Local orgs with a caller that is logged in to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.testing import LocalOrg, simulator
from lht.testing.browser import REDIRECT_URI, Browser
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_APP = {
    "redirect_uris": [REDIRECT_URI, "http://127.0.0.1:1717/OauthRedirect"],
    "scopes": [
        "address", "api", "custom_permissions", "email", "full", "id", "offline_access", "openid", "phone", "profile",
        "refresh_token", "web",
    ],
    "flows": ["client_credentials", "jwt_bearer", "password", "user_agent", "web_server"],
    "name": "LHT Local App",
    "certificate": None,
    "secret_required": True,
    "refresh_secret_required": True,
    "pkce_required": False,
    "rotation": False,
    "refresh_token_life_s": None,
    "run_as": "me@example.com",
    "permitted_users": "self_authorized",
    "approved_users": [],
    "blocked": False,
}  # fmt: skip
FIRST_POLICY = {"login_hosts": [], "my_domain": None, "password_flow": False, "org_active": True}
FIRST_USER = {"active": True, "password": "local-Org-1", "security_token": ""}


@pytest.fixture
def api(lht_simulator: LocalOrg) -> Caller:
    """A caller of an empty org of the test's own."""
    return Caller(lht_simulator).login()


@pytest.fixture(scope="module")
def seeded() -> Iterator[Caller]:
    """A caller of an org with records that no test changes."""
    with simulator(records=60, seed=7, page_size=25) as org:
        yield Caller(org).login()


@pytest.fixture(scope="module")
def login_org() -> Iterator[LocalOrg]:
    """An org for tests of logging in; its clock is nobody's to move."""
    with simulator() as org:
        yield org


@pytest.fixture
def desk(login_org: LocalOrg) -> Caller:
    """A caller of that org, who finds the app, the user and the rules as a new org has them, and nobody logged in."""
    admin = login_org.admin
    for change, facts in (
        (admin.change_app, FIRST_APP),
        (admin.change_login_policy, FIRST_POLICY),
        (admin.change_user, FIRST_USER),
    ):
        change(**facts)
    admin.end_grants()
    admin.clear_faults()
    return Caller(login_org)


@pytest.fixture
def browser(desk: Caller) -> Browser:
    """A browser at that org that nobody has used."""
    return Browser(desk.org)


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    """A caller of an org that the tests of a module share: none counts on what is in it, or alters it for others."""
    with simulator() as org:
        yield Caller(org).login()
