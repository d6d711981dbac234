"""All of logging in behind one lock: the token endpoint, what it gave, and the authorize page's decisions."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault, OAuthFault
from lht.simulator.org.oauth import answers, authorize
from lht.simulator.org.oauth.app import App
from lht.simulator.org.oauth.browsers import Browser, Browsers
from lht.simulator.org.oauth.codes import Allowed, Codes
from lht.simulator.org.oauth.flows import FLOWS, Given, TokenRequest, unsupported
from lht.simulator.org.oauth.grants import Grant, Grants
from lht.simulator.org.oauth.hosts import OrgLogin
from lht.simulator.org.oauth.keeper import Keeper
from lht.simulator.org.oauth.keys import OrgKey
from lht.simulator.org.oauth.people import People
from lht.simulator.org.oauth.sessions import Session, Sessions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.settings import Settings
    from lht.simulator.store.database import Database

APP, ORG = "app", "org"


class OAuth:
    """The OAuth rules of an org. Safe to call from many threads.

    Access tokens live in memory only: a restarted org asks for new ones. Refresh tokens, approvals, the app and the
    user's password are kept with the org.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        settings: Settings,
        who: tuple[str, str],
        *,
        app: Mapping[str, Any] | None = None,
        redirect_uris: Sequence[str] = (),
    ) -> None:
        """`who` are the org's and the user's id. `app` are facts of the app, `redirect_uris` further ones of it."""
        self.clock = clock
        self.org_id, self.user_id = who
        self.home = ""
        """The address where the server listens; who starts it says so."""
        self._keeper = Keeper(db)
        self._given, self._further = dict(app or {}), list(redirect_uris)
        self.app = self._first_app(App().changed(self._keeper.load(APP)))
        self.org_login = OrgLogin().changed(self._keeper.load(ORG))
        self.people = People(db, clock, self._keeper, self.user_id)
        self.sessions = Sessions(clock, settings, self.org_id)
        self.browsers = Browsers(clock, settings)
        self.grants, self.codes = Grants(clock, self._keeper), Codes(clock)
        self.key = OrgKey(self._keeper)
        self._lock = threading.RLock()

    # The token endpoint and its kin -----------------------------------------------------------------------------

    def token(self, request: TokenRequest) -> dict[str, Any]:
        """Answers a token request."""
        flow = FLOWS.get(request.form.get("grant_type", ""))
        if flow is None:
            raise unsupported()
        self._check_org()
        with self._lock:
            return self._answer(flow(self, request), request.base_url)

    def session(self, token: str) -> Session:
        """Gives the live session of a token and counts as its use; raises ApiFault 401 for any other token."""
        if found := self.sessions.use(token):
            return found
        raise ApiFault(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def api_session(self, token: str) -> Session:
        """As `session`, for a request to the API, which not every token may make."""
        found = self.session(token)
        if not found.may_use_api:
            message = "This session is not valid for use with the REST API"
            raise ApiFault(401, "INVALID_SESSION_ID", message)
        return found

    def revoke(self, token: str) -> None:
        """Ends a session, or a refresh token with all the sessions that came of it."""
        with self._lock:
            if self.sessions.peek(token):
                self.sessions.end(token)
            elif grant := self.grants.find(token):
                self._end_grant(grant)
            elif token.startswith("eyJ") or self.codes.knows(token):
                raise OAuthFault("unsupported_token_type", "token type not supported")
            else:
                raise OAuthFault("invalid_token", "invalid token")

    def introspect(self, request: TokenRequest) -> dict[str, Any]:
        """Tells what a token is, without using it."""
        self.app.check_client(*request.client)
        token = request.need("token")
        with self._lock:
            found = self.sessions.peek(token) or self.grants.find(token)
        if found is None:
            return {"active": False}
        identity, client_id = self.identity_url(found.base_url), self.app.client_id
        if isinstance(found, Session):
            expiry = self.sessions.expires_at(found)
            return answers.introspection(found, client_id, identity, found.issued_at) | {"exp": expiry}
        return answers.introspection(found, client_id, identity, found.created)

    def identity(self, token: str, base_url: str) -> dict[str, Any]:
        """Answers userinfo and the identity address; a dead token gets 403 and one word."""
        if not token:
            raise ApiFault(403, "FORBIDDEN", "Missing_OAuth_Token")
        session = self.sessions.use(token)
        if session is None:
            raise ApiFault(403, "FORBIDDEN", "Bad_OAuth_Token")
        identity = self.identity_url(session.base_url)
        home = self._instance_url(base_url)
        return answers.identity_answer(self.people.person(), identity, self.org_id, home)

    def identity_url(self, base_url: str) -> str:
        """Gives the address that names the user."""
        return f"{base_url}/id/{self.org_id}/{self.user_id}"

    # The authorize page -----------------------------------------------------------------------------------------

    def log_in(self, username: str, password: str) -> Browser | None:
        """Logs a browser in, if name and password are right and the user is active."""
        person = self.people.knows(username, password)
        return self.browsers.open(person.username) if person and person.is_active else None

    def is_approved(self, asked: authorize.Asked, username: str) -> bool:
        """Tells whether the user need not be asked for consent."""
        with self._lock:
            known = self.grants.approved(username)
        return self.app.lets_in(username) or set(asked.scopes) <= known

    def allow(self, asked: authorize.Asked, username: str, base_url: str, *, consented: bool = False) -> str:
        """Gives the address that tells the app of a user's consent, given now or before."""
        if self.app.shuts_out(username):
            message = "user is not admin approved to access this app"
            return asked.refusal("OAUTH_APP_ACCESS_DENIED", message)
        with self._lock:
            if consented:
                self.grants.approve(username, asked.scopes)
            if asked.response_type == "token":
                given = Given(username, asked.scopes, nonce=asked.nonce, has_id_token=True)
                return asked.location(self._answer(given, base_url))
            uri, challenge = asked.redirect_uri, asked.challenge
            code = self.codes.make(Allowed(username, asked.scopes, uri, challenge, asked.nonce, base_url))
        return asked.location({"code": code})

    # Grants -----------------------------------------------------------------------------------------------------

    def open_grant(self, username: str, scopes: tuple[str, ...], base_url: str) -> Grant:
        """Makes a refresh token; one too many ends the oldest with its sessions."""
        grant, gone = self.grants.open(username, scopes, base_url)
        for old in gone:
            self.sessions.end_where(lambda session, grant_id=old.id: session.grant_id == grant_id)  # type: ignore[misc]
        return grant

    def end_family(self, token: str) -> None:
        """Ends what came of a refresh token that was used although another had taken its place."""
        if grant := self.grants.find_spent(token):
            self._end_grant(grant)

    # What an admin does -----------------------------------------------------------------------------------------

    def expire(self, token: str | None = None) -> None:
        """Ends one session, or all, as an administrator would."""
        if token is None:
            self.sessions.end_where(lambda _: True)
            self.browsers.end_all()
        self.sessions.end(token or "")

    def granted(self) -> dict[str, Any]:
        """Tells the live grants, oldest first, and what users allowed."""
        with self._lock:
            return {"grants": self.grants.listed(), "approvals": self.grants.approvals()}

    def end_grants(self) -> None:
        """Ends every refresh token and session, and forgets every approval."""
        with self._lock:
            self.grants.end_all()
            self.expire()

    def change_app(self, facts: Mapping[str, Any]) -> None:
        """Changes facts of the app; raises ValueError, with nothing changed, if one is wrong."""
        with self._lock:
            app = self.app.changed(facts)
            for name in facts:
                self._keeper.save(APP, name, getattr(app, name))
            self.app = app

    def change_org_login(self, facts: Mapping[str, Any]) -> None:
        """Changes what the whole org allows; raises ValueError, with nothing changed, if a setting is wrong."""
        with self._lock:
            org_login = self.org_login.changed(facts)
            for name in facts:
                self._keeper.save(ORG, name, getattr(org_login, name))
            self.org_login = org_login

    def change_user(self, facts: Mapping[str, Any]) -> None:
        """Changes the user's password or state; a user that is made inactive is logged out."""
        with self._lock:
            self.people.change(facts)
            if facts.get("active") is False:
                self.expire()

    def restore(self) -> None:
        """Puts the app, the password and the org's settings back to how they started; logins live on."""
        with self._lock:
            for kind, names in ((APP, self.app.kept_facts()), (ORG, self.org_login.facts())):
                for name in names:
                    self._keeper.drop(kind, name)
            self.people.restore()
            self.org_login, self.app = OrgLogin(), self._first_app(App())

    # ------------------------------------------------------------------------------------------------------------

    def _first_app(self, app: App) -> App:
        """Gives the app with what was asked for when the org was started."""
        app = app.changed(self._given)
        uris = dict.fromkeys([*app.redirect_uris, *self._further])
        return app.changed({"redirect_uris": list(uris)})

    def _check_org(self) -> None:
        if not self.org_login.org_active:
            raise OAuthFault("inactive_org", "organization is inactive")

    def _answer(self, given: Given, base_url: str) -> dict[str, Any]:
        grant_id = given.grant.id if given.grant else None
        session = self.sessions.open(given.username, given.scopes, base_url, grant_id)
        identity, secret = self.identity_url(base_url), self.app.client_secret
        answer = answers.token_answer(session, identity, self._instance_url(base_url), secret)
        if given.refresh_token:
            answer["refresh_token"] = given.refresh_token
        if given.has_id_token and "openid" in given.scopes:
            claims = answers.id_claims(session, identity, self.app.client_id, given.nonce)
            answer["id_token"] = self.key.sign(claims)
        return answer

    def _instance_url(self, base_url: str) -> str:
        """Gives where the org is called: never a login host."""
        if not self.org_login.is_login_host(base_url):
            return base_url
        return (self.org_login.my_domain or self.home).rstrip("/")

    def _end_grant(self, grant: Grant) -> None:
        self.grants.end(grant)
        self.sessions.end_where(lambda session: session.grant_id == grant.id)
