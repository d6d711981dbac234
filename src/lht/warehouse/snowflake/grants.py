"""Which GRANT a refused statement lacks, spelled out. Pure: from the statement and what Snowflake said of it.

Snowflake names the object that it refused to touch, but neither the privilege nor where the object lies; the
statement tells both. What each statement needs is in
https://docs.snowflake.com/en/user-guide/security-access-control-privileges.
"""

from __future__ import annotations

import re
from typing import Final

NOBODY: Final = "<role>"
DATA: Final = "SELECT, INSERT, UPDATE, DELETE"

_REFUSED: Final = re.compile(r"privileges to operate on (?:(\w+(?: \w+)?) )?'([^']+)'", re.IGNORECASE)
_UNSEEN: Final = re.compile(
    r"(\w+) '([^']+)' (?:does not exist or not authorized|already exists, but current role has no)",
    re.IGNORECASE,
)
_NEEDED: Final = re.compile(
    r"must have ([A-Z][A-Z ,]*?)(?: privileges?)?(?: granted)? on (\w+) '?([^\s']+)", re.IGNORECASE
)
_PATH: Final = re.compile(r'(?:"(?:[^"]|"")+")(?:\."(?:[^"]|"")+")*')
_PART: Final = re.compile(r'"((?:[^"]|"")+)"')
_MADE: Final = re.compile(r"\s*CREATE\b.*?\b(SCHEMA|TABLE|VIEW|STAGE)\b", re.IGNORECASE)
_DEPTHS: Final = {"DATABASE": 1, "SCHEMA": 2, "WAREHOUSE": 1}
_SEEING: Final = {"DATABASE": "USAGE", "SCHEMA": "USAGE", "STAGE": "READ, WRITE", "WAREHOUSE": "USAGE"}
_CHANGING: Final = ("ALTER", "CREATE", "DROP", "COMMENT")


def grant(sql: str, message: str, role: str = "") -> str:
    """Spells the GRANT that the statement lacks; empty if the message is not about a privilege."""
    if needed := _NEEDED.search(message):
        kind, name = needed[2].upper(), needed[3].strip('".;')
        return f"GRANT {needed[1].upper()} ON {kind} {_full_name(kind, name, sql)} TO ROLE {_role(role)};"
    refused, unseen = _REFUSED.search(message), _UNSEEN.search(message)
    found = refused or unseen
    if not found:
        return ""
    kind, name = _kind(found[1], sql), found[2]
    privilege = _SEEING.get(kind) if not refused else None
    return f"GRANT {privilege or _privilege(kind, sql)} ON {kind} {_full_name(kind, name, sql)} TO ROLE {_role(role)};"


def warehouse_grant(warehouse: str, role: str = "") -> str:
    """Spells the GRANT of a virtual warehouse; Snowflake does not say that one is refused, only that there is none."""
    return f"GRANT USAGE ON WAREHOUSE {_quoted(warehouse) if warehouse else '<warehouse>'} TO ROLE {_role(role)};"


def _kind(told: str | None, sql: str) -> str:
    kind = (told or "").upper()
    if kind in {"", "OBJECT", "DIRECTORY_TABLE"}:
        made = _MADE.match(sql)
        return made[1].upper() if made and made[1].upper() == "VIEW" else "TABLE"
    return kind


def _privilege(kind: str, sql: str) -> str:
    made = _MADE.match(sql)
    if kind in {"SCHEMA", "DATABASE"} and made and (made[1].upper() == "SCHEMA") == (kind == "DATABASE"):
        return f"CREATE {made[1].upper()}"
    if kind in _SEEING:
        return _SEEING[kind]
    verb = sql.split(maxsplit=1)[0].upper() if sql.strip() else ""
    if verb in _CHANGING:
        return "OWNERSHIP"
    return "SELECT" if kind == "VIEW" or verb in {"SELECT", "WITH", "DESCRIBE"} else DATA


def _full_name(kind: str, name: str, sql: str) -> str:
    """The object's name as the statement spells it; the message has its last part only."""
    depth, last = _DEPTHS.get(kind, 3), name.rpartition(".")[2].strip('"')
    for path in _PATH.findall(sql):
        parts = [part.replace('""', '"') for part in _PART.findall(path)]
        if len(parts) >= depth and parts[depth - 1].upper() == last.upper():
            return ".".join(_quoted(part) for part in parts[:depth])
    return ".".join(_quoted(part.strip('"')) for part in name.split("."))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _role(role: str) -> str:
    return _quoted(role.strip('"')) if role else NOBODY
