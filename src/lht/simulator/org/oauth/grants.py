"""Grants: what users allowed the app, and the refresh tokens that came of it."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lht.simulator.org.oauth.app import KEEPING

if TYPE_CHECKING:
    from lht.simulator.org.clock import Clock
    from lht.simulator.org.oauth.keeper import Keeper

MOST_GRANTS = 5
"""Of one user and app; a further one ends the oldest, and nobody is told."""
MOST_SPENT = 500
"""So many tokens that rotation ended are known again; older ones are as unknown as made-up ones."""
PREFIX = "5Aep861"
GRANT, APPROVAL = "grant", "approval"


@dataclass(slots=True)
class Grant:
    """One refresh token with all that took its place."""

    id: str
    token: str
    username: str
    scopes: tuple[str, ...]
    base_url: str
    created: datetime
    spent: list[str] = field(default_factory=list)
    """The tokens that rotation ended, oldest first."""

    def facts(self) -> dict[str, Any]:
        """Gives what is written down."""
        return {**asdict(self), "created": self.created.isoformat()}

    @classmethod
    def read(cls, facts: dict[str, Any]) -> Grant:
        """Reads what was written down."""
        created, scopes = datetime.fromisoformat(facts["created"]), tuple(facts["scopes"])
        return cls(**{**facts, "created": created, "scopes": scopes})


class Grants:
    """Live grants and approvals. Not safe by itself: its owner holds a lock around each call."""

    def __init__(self, clock: Clock, keeper: Keeper) -> None:
        self._clock, self._keeper = clock, keeper
        found = [Grant.read(facts) for facts in keeper.load(GRANT).values()]
        self._grants = {grant.id: grant for grant in sorted(found, key=lambda grant: grant.created)}
        self._approvals: dict[str, list[str]] = keeper.load(APPROVAL)

    def approve(self, username: str, scopes: tuple[str, ...]) -> None:
        """Notes that a user allowed these scopes, beside those of before."""
        known = self.approved(username)
        if not set(scopes) <= known:
            self._approvals[username] = sorted(known | set(scopes))
            self._keeper.save(APPROVAL, username, self._approvals[username])

    def approved(self, username: str) -> set[str]:
        """Gives the scopes that a user allowed."""
        return set(self._approvals.get(username, ()))

    def open(self, username: str, scopes: tuple[str, ...], base_url: str) -> tuple[Grant, list[Grant]]:
        """Makes a grant, and gives it with those that had to go."""
        grant = Grant(secrets.token_hex(8), _token(), username, scopes, base_url, self._clock.now())
        self._grants[grant.id] = grant
        self._keep(grant)
        theirs = [one for one in self._grants.values() if one.username == username]
        gone = theirs[:-MOST_GRANTS]
        for old in gone:
            self._forget(old)
        return grant, gone

    def find(self, token: str) -> Grant | None:
        """Gives the grant whose refresh token this is."""
        return next(
            (grant for grant in self._grants.values() if secrets.compare_digest(_b(grant.token), _b(token))),
            None,
        )

    def find_spent(self, token: str) -> Grant | None:
        """Gives the grant whose refresh token this once was."""
        return next((grant for grant in self._grants.values() if token in grant.spent), None)

    def rotate(self, grant: Grant) -> None:
        """Gives a grant another token."""
        grant.spent = [*grant.spent[-MOST_SPENT:], grant.token]
        grant.token = _token()
        self._keep(grant)

    def end(self, grant: Grant) -> None:
        """Ends a grant; with the last of a user's, what the user allowed is forgotten."""
        self._forget(grant)
        if not any(one.username == grant.username for one in self._grants.values()):
            self._approvals.pop(grant.username, None)
            self._keeper.drop(APPROVAL, grant.username)

    def end_all(self) -> None:
        """Ends every grant and forgets every approval."""
        for grant in list(self._grants.values()):
            self._forget(grant)
        for username in list(self._approvals):
            del self._approvals[username]
            self._keeper.drop(APPROVAL, username)

    def has_kept_approval(self, username: str) -> bool:
        """Tells whether a user allowed the app to come back by itself."""
        return not KEEPING.isdisjoint(self.approved(username))

    def listed(self) -> list[dict[str, Any]]:
        """Gives the live grants, oldest first, without their tokens."""
        keys = ("id", "username", "scopes", "created")
        return [{key: grant.facts()[key] for key in keys} for grant in self._grants.values()]

    def approvals(self) -> dict[str, list[str]]:
        """Gives the allowed scopes by user."""
        return dict(self._approvals)

    def _keep(self, grant: Grant) -> None:
        self._keeper.save(GRANT, grant.id, grant.facts())

    def _forget(self, grant: Grant) -> None:
        self._grants.pop(grant.id, None)
        self._keeper.drop(GRANT, grant.id)


def _token() -> str:
    return PREFIX + secrets.token_urlsafe(60).replace("-", ".")


def _b(text: str) -> bytes:
    return text.encode("utf-8", "replace")
