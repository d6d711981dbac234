"""What the connector's errors mean: the one place that reads Snowflake's numbers and texts, once logged in."""

from __future__ import annotations

import re

from lht.errors import (
    LhtError,
    MissingTableError,
    PrivilegeError,
    Recovery,
    StatementError,
    WarehouseUnreachableError,
)
from lht.warehouse.adapting import headline
from lht.warehouse.snowflake import grants

LOCKED, TIMED_OUT, CANCELLED, NO_COMPUTE = 625, 630, 604, 606
MISSING, MISSING_OR_UNFIT = 2003, 2043
NOT_ALLOWED = 3001
LOST = (
    range(250_000, 252_000),  # the connector: no connection, or closed
    range(290_000, 300_000),  # HTTP statuses that outlasted the connector's own retries
)
LOST_RESULTS = {252_010, 252_013}
SESSION_OVER = (range(390_100, 390_400), range(394_300, 394_400))
DATA = range(100_000, 101_000)
"""Errors about values; their texts hold them."""

_PREFIX = re.compile(r"^\d{6}(?: \(\w+\))?: (?:[0-9a-f]{8}-[0-9a-f-]{27}: )?")
_HEADING = re.compile(r".*:|SQL compilation error: error line \d+ at position \d+")
_HINTS = {
    LOCKED: "Another program holds the table; run the command again.",
    TIMED_OUT: "Use a larger warehouse, or allow more in STATEMENT_TIMEOUT_IN_SECONDS, and run it again.",
    CANCELLED: "Somebody cancelled it; run the same command again.",
}
_STOPPED = re.compile(r"^Warehouse '[^']*' (?:is suspended|cannot be resumed)")
_RESUME = 'Have it resumed, or name another virtual warehouse in the connection, warehouse = "…".'
_CHOOSE = 'Name a virtual warehouse that the role may use in the connection, warehouse = "…"; if it lacks the right: '


def translate(error: Exception, sql: str, *, role: str = "", warehouse: str = "") -> LhtError:
    """Turns what the connector raised while it ran `sql` into an error of ours; no value that was sent is in it.

    `role` and `warehouse` are the session's, for the GRANT that a refused statement lacks.
    """
    number, line = _number(error), message_line(error)
    if _is_lost(error, number):
        return _lost(number, line)
    text = f"Snowflake could not run {headline(sql)}: {line}"
    granting = grants.grant(sql, line, role)
    if number == NOT_ALLOWED:
        return PrivilegeError(text, hint=f"Ask an administrator to run: {granting}" if granting else "")
    if number in {MISSING, MISSING_OR_UNFIT} and "not exist" in line:
        who = f"Role {role}" if role else "The role"
        hint = f"Check the name. {who} may also lack the right to see it"
        return MissingTableError(text, hint=f"{hint}: {granting}" if granting else f"{hint}.")
    if number == NO_COMPUTE:
        return StatementError(text, hint=_CHOOSE + grants.warehouse_grant(warehouse, role))
    if _STOPPED.search(line):
        return StatementError(text, hint=_RESUME)
    recovery = Recovery.RETRY if number == LOCKED else None
    return StatementError(text, hint=_HINTS.get(number, ""), recovery=recovery)


def is_crowded(error: Exception) -> bool:
    """Whether too many statements wait for the same table: then Snowflake gives up at once, and later works."""
    return _number(error) == LOCKED and "waiter" in str(error)


def message_line(error: Exception) -> str:
    """The line of a message that says what happened; what is said about values is left out."""
    raw = getattr(error, "raw_msg", None) or getattr(error, "msg", None) or str(error)
    lines = [line.strip() for line in _PREFIX.sub("", str(raw).strip()).splitlines() if line.strip()]
    while len(lines) > 1 and _HEADING.fullmatch(lines[0]):
        lines.pop(0)
    line = lines[0] if lines else type(error).__name__
    return re.sub(r"'[^']*'", "'…'", line) if _number(error) in DATA else line


def _number(error: Exception) -> int:
    number = getattr(error, "errno", None)
    return number if isinstance(number, int) else -1


def _is_lost(error: Exception, number: int) -> bool:
    from snowflake.connector import errors  # noqa: PLC0415 - a driver is loaded where it is first needed

    if isinstance(error, OSError | errors.OperationalError | errors.InterfaceError):
        return True  # what the server refuses comes as other classes, from connector 4 and 5
    return number in LOST_RESULTS or any(number in numbers for numbers in (*LOST, *SESSION_OVER))


def _lost(number: int, line: str) -> LhtError:
    if any(number in numbers for numbers in SESSION_OVER):
        return WarehouseUnreachableError(
            f"The Snowflake session has ended: {line}", hint="Run the same command again: it logs in anew."
        )
    return WarehouseUnreachableError(
        f"The connection to Snowflake is lost: {line}", hint="Run the same command again."
    )
