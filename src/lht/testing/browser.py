"""A bare browser for a local org's login pages: it keeps cookies, fills in forms and follows redirects inside the org."""

from __future__ import annotations

import base64
import hashlib
import urllib.parse
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.testing.caller import Reply
    from lht.testing.simulator import LocalOrg

AUTHORIZE = "/services/oauth2/authorize"
REDIRECT_URI = "http://localhost:1717/OauthRedirect"
REDIRECTS = frozenset({302, 303})
MOST_REDIRECTS = 5


@dataclass(slots=True)
class Page(HTMLParser):
    """The one form of a page: its inputs by name, and its text."""

    inputs: dict[str, dict[str, str | None]] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepares the parser."""
        HTMLParser.__init__(self, convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes an input or a label."""
        facts = dict(attrs)
        if tag == "input":
            self.inputs[str(facts.get("name"))] = facts
        if tag == "label":
            self.labels.add(str(facts.get("for")))

    def handle_data(self, data: str) -> None:
        """Notes a text."""
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All that can be read, in one line."""
        return " ".join(" ".join(self.texts).split())


@dataclass(slots=True)
class Browser:
    """One person's browser at one org; `host` is what its Host header says, if not the org's own address."""

    org: LocalOrg
    host: str | None = None
    cookies: dict[str, str] = field(default_factory=dict)

    def authorize(self, **query: str | None) -> Reply:
        """Opens the authorize page as an app would; a part of the query given as None is left out."""
        return self.open(self.address(**query))

    def address(self, **query: str | None) -> str:
        """Gives the authorize page's path with a usual query."""
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.org.client_id,
            "redirect_uri": REDIRECT_URI,
        }
        asked = {name: value for name, value in (usual | query).items() if value is not None}
        return f"{AUTHORIZE}?{urllib.parse.urlencode(asked)}"

    def open(self, path: str, form: Mapping[str, str] | None = None) -> Reply:
        """Opens a path, or posts a form to it, and follows redirects as long as they stay inside the org."""
        reply = self._send(path, form)
        for _ in range(MOST_REDIRECTS):
            where = reply.headers.get("location", "")
            if reply.status not in REDIRECTS or not where.startswith("/"):
                break
            reply = self._send(where, None)
        return reply

    def log_in(self, path: str, username: str | None = None, password: str | None = None) -> Reply:
        """Sends the login form of a page."""
        name = self.org.username if username is None else username
        return self.open(path, {"username": name, "pw": self.org.password if password is None else password})

    def decide(self, path: str, page: Reply, decision: str = "allow") -> Reply:
        """Presses a button of the consent page."""
        proof = read_page(page).inputs["proof"]["value"] or ""
        return self.open(path, {"proof": proof, "decision": decision})

    def code(self, **query: str | None) -> str:
        """Goes all the way, logging in and allowing where asked, and gives the authorization code, decoded."""
        return self.answer(**query)["code"]

    def answer(self, **query: str | None) -> dict[str, str]:
        """Goes all the way, and gives what the app is told at its address."""
        path = self.address(**query)
        reply = self.open(path)
        if "pw" in read_page(reply).inputs:
            reply = self.log_in(path)
        if "proof" in read_page(reply).inputs:
            reply = self.decide(path, reply)
        return told(reply)

    def _send(self, path: str, form: Mapping[str, str] | None) -> Reply:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if self.host:
            headers["Host"] = self.host
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        reply = Caller(self.org).raw("GET" if body is None else "POST", path, body, headers)
        if crumb := reply.headers.get("set-cookie"):
            name, _, value = crumb.partition(";")[0].partition("=")
            self.cookies[name] = value
        return reply


def read_page(reply: Reply) -> Page:
    """Reads a page; an answer that is none reads as an empty one."""
    page = Page()
    if reply.headers.get("content-type", "").startswith("text/html"):
        page.feed(reply.text)
    return page


def told(reply: Reply) -> dict[str, str]:
    """Gives what a redirect tells the app, in its query or its fragment."""
    parts = urllib.parse.urlsplit(reply.headers["location"])
    return dict(urllib.parse.parse_qsl(parts.query or parts.fragment, keep_blank_values=True))


def challenge(verifier: str) -> str:
    """Gives the PKCE challenge of a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
