"""Addresses: which hosts are login hosts, and where the org itself lives."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lht.simulator.org.oauth.app import check_texts, frozen
from lht.simulator.org.schemas.facts import check_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGIN_LABELS = frozenset({"login", "test"})
AUDIENCES = frozenset({"https://login.salesforce.com", "https://test.salesforce.com"})


@dataclass(frozen=True, slots=True)
class OrgLogin:
    """Settings of the whole org about logging in."""

    login_hosts: tuple[str, ...] = ()
    """Host names that are login hosts, besides those whose first label is login or test."""
    my_domain: str | None = None
    """The org's own address, which a login host gives as instance_url; None is where the server listens."""
    password_flow: bool = False
    """Whether the org allows the username-password flow; new orgs do not."""
    org_active: bool = True

    def changed(self, facts: Mapping[str, Any]) -> OrgLogin:
        """Gives other settings; raises ValueError for one that is unknown or makes no sense."""
        check_kinds(OrgLogin, facts)
        new: OrgLogin = replace(self, **frozen(facts))
        check_texts(new.login_hosts)
        if new.my_domain is not None and (
            urlsplit(new.my_domain).scheme not in {"http", "https"} or not urlsplit(new.my_domain).netloc
        ):
            raise ValueError("my_domain must be an http or https address")
        return new

    def facts(self) -> dict[str, Any]:
        """Gives every setting by name."""
        return asdict(self)

    def is_login_host(self, base_url: str) -> bool:
        """Tells whether an address serves all orgs and not this one alone."""
        host = (urlsplit(base_url).hostname or "").lower()
        return host.partition(".")[0] in LOGIN_LABELS or host in {one.lower() for one in self.login_hosts}

    def is_audience(self, address: object, base_url: str, home: str) -> bool:
        """Tells whether an assertion that is meant for this address is meant for us."""
        if not isinstance(address, str):
            return False
        wanted = address.rstrip("/").lower()
        if wanted in AUDIENCES or wanted in {base_url.lower(), home.lower()}:
            return True
        return (
            self.is_login_host(wanted)
            and urlsplit(wanted).netloc.rpartition(":")[2] == (urlsplit(home).netloc.rpartition(":")[2])
        )
