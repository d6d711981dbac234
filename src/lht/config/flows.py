"""Carries a login flow out, whichever it is: with the person at the browser, a key file, the Salesforce CLI."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from lht.errors import AuthError, LhtError, LoginRejectedError
from lht.sfdc import auth

if TYPE_CHECKING:
    from collections.abc import Callable

    from lht.config.environment import Environment
    from lht.sfdc.auth import App, Login
    from lht.sfdc.auth.listener import Visit
    from lht.sfdc.auth.web import Attempt
    from lht.sfdc.messages import Request, Response

PATIENCE_S = 300.0
_log = logging.getLogger(__name__)


class Person(Protocol):
    """Who logs in through a browser."""

    @property
    def has_browser(self) -> bool:
        """Whether a browser on this machine can be opened, and is wanted."""

    def visit(self, address: str) -> None:
        """Tells the address and opens it."""

    def paste(self, address: str, redirect_uri: str) -> str:
        """Tells the address and asks for the answer."""


@dataclass(frozen=True, slots=True)
class Flows:
    """What the flows need: the way to Salesforce, the environment, and perhaps a person."""

    send: Callable[[Request], Response]
    environment: Environment
    person: Person | None = None
    patience_s: float = PATIENCE_S
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def log_in(self, app: App, flow: str) -> Login:
        """Opens a session by a flow."""
        match flow:
            case auth.WEB:
                return self._web(app)
            case auth.JWT:
                return self._jwt(app)
            case auth.SF_CLI:
                return self._sf_cli(app, app.username or self.environment.username)
        return auth.converse(auth.client_credentials(app), self.send)

    def renew(self, app: App, login: Login) -> Login:
        """Opens the next session in place of one that is over; no person is asked."""
        match login.flow:
            case auth.WEB:
                return auth.converse(auth.refresh(app, login), self.send)
            case auth.SF_CLI:
                return self._sf_cli(app, login.username)
        return self.log_in(app, login.flow)

    def _jwt(self, app: App) -> Login:
        from lht.config.keys import read_private_key  # noqa: PLC0415  # each flow costs start-up time
        from lht.sfdc.auth import jwt  # noqa: PLC0415

        return auth.converse(jwt.grant(app, read_private_key(app), self.now), self.send)

    def _sf_cli(self, app: App, target: str | None) -> Login:
        from lht.sfdc.auth.sf_cli import SalesforceCli, adopt  # noqa: PLC0415

        login = SalesforceCli(self.environment.variables).login(app, target)
        return auth.converse(adopt(app, login), self.send)

    def _web(self, app: App) -> Login:
        from lht.sfdc.auth import web  # noqa: PLC0415
        from lht.sfdc.auth.listener import Listener  # noqa: PLC0415

        if self.person is None:
            raise AuthError("The web flow needs a person.", hint="Run 'lht login', or use another flow.")
        attempt = web.begin(app)
        if not self.person.has_browser:
            code = attempt.read_pasted(self.person.paste(attempt.address, attempt.redirect_uri))
            return auth.converse(attempt.exchange(code), self.send)
        with Listener(attempt.redirect_uri, attempt.owns) as listener:
            self.person.visit(attempt.address)
            return self._answer(attempt, listener.wait(self.patience_s))

    def _answer(self, attempt: Attempt, visit: Visit) -> Login:
        """Settles an answer, and shows in the browser how it ended."""
        try:
            login = auth.converse(attempt.exchange(attempt.read_code(visit.query)), self.send)
        except LhtError as error:
            visit.tell("The login failed", str(error), status=400)
            raise
        visit.tell(
            "Logged in",
            f"LHT is logged in as {login.username} at {login.instance_url}. This window can be closed.",
        )
        return login


def in_place_of(old: Login, new: Login) -> Login:
    """The renewed login, if it is the same user's."""
    if new.username.lower() != old.username.lower():
        raise LoginRejectedError(
            f"The app '{new.app}' now runs as {new.username}, no longer as {old.username}.",
            hint="Run 'lht login'.",
        )
    return replace(new, username=old.username)
