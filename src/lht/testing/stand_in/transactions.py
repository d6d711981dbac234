"""Open transactions as Snowflake tells them: their names, who has them open, and an end to those that are left.

A mend of its own among those of `mends`: fakesnow has BEGIN, COMMIT and ROLLBACK, and nothing beside.
"""

from __future__ import annotations

import re
from typing import Any

import fakesnow.cursor

CURSOR: Any = fakesnow.cursor
NAMED = re.compile(r"\s*BEGIN\s+TRANSACTION\s+NAME\s+(\w+)\s*;?\s*", re.IGNORECASE)
ENDS = re.compile(r"\s*(?:COMMIT|ROLLBACK)\s*;?\s*", re.IGNORECASE)
SHOWS = re.compile(r"\s*SHOW\s+TRANSACTIONS\s*;?\s*", re.IGNORECASE)
ABORTS = re.compile(r"\s*SELECT\s+SYSTEM\$ABORT_TRANSACTION\((\d+)\)(.*)", re.IGNORECASE | re.DOTALL)
NOTHING = 'SELECT 0 AS "id", \'\' AS "name" WHERE FALSE'


class Open:
    """The named transactions that are open: by number, the name and the session."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, Any]] = {}
        self._last = 0

    def begin(self, name: str, session: Any) -> None:
        self._last += 1
        self._known[self._last] = (name, session)

    def end(self, session: Any) -> None:
        """Forgets a session's transaction."""
        self._known = {n: found for n, found in self._known.items() if found[1] is not session}

    def shown(self) -> str:
        """The query whose answer SHOW TRANSACTIONS gives."""
        rows = [f'SELECT {n} AS "id", \'{name}\' AS "name"' for n, (name, _) in self._known.items()]
        return " UNION ALL ".join(rows) or NOTHING

    def abort(self, number: int) -> str:
        """Rolls a transaction back, whosever it is; gives what Snowflake says."""
        if number not in self._known:
            return f"Transaction is not running: {number}"
        _, session = self._known.pop(number)
        session._duck_conn.rollback()
        return f"Aborted transaction id: {number}"


def transactions_have_names() -> None:
    """BEGIN TRANSACTION NAME was a syntax error; open transactions could be neither seen nor ended from elsewhere."""
    usual = CURSOR.FakeSnowflakeCursor.execute
    transactions = Open()

    def execute(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
        if found := NAMED.fullmatch(command):
            answer = usual(self, "BEGIN", *args, **kwargs)
            transactions.begin(found[1], self._conn)
            return answer
        if SHOWS.fullmatch(command):
            return usual(self, transactions.shown(), *args, **kwargs)
        if found := ABORTS.fullmatch(command):
            return usual(self, f"SELECT '{transactions.abort(int(found[1]))}'{found[2]}", *args, **kwargs)
        if ENDS.fullmatch(command):
            transactions.end(self._conn)
        return usual(self, command, *args, **kwargs)

    CURSOR.FakeSnowflakeCursor.execute = execute
