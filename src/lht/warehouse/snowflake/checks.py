"""Whether a login to Snowflake is fit for LHT: what it has, in one statement, and whether LHT's schema can be.

Nothing is created and no virtual warehouse is woken. Logging in with a database, schema or warehouse that is missing
or hidden succeeds, and leaves it unset: https://github.com/snowflakedb/snowflake-jdbc/issues/123
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from lht.errors import MissingTableError, PrivilegeError, StatementError
from lht.warehouse.snowflake.dialect import CAPABILITIES, DIALECT
from lht.warehouse.snowflake.grants import warehouse_grant
from lht.warehouse.statements import Statement, quote, quote_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lht.warehouse.port import Warehouse
    from lht.warehouse.snowflake.adapter import SnowflakeWarehouse

SESSION = Statement(
    'SELECT CURRENT_ROLE() AS "ROLE", CURRENT_WAREHOUSE() AS "WAREHOUSE", CURRENT_DATABASE() AS "DATABASE",'
    ' CURRENT_SCHEMA() AS "SCHEMA"'
)
_CREATES = frozenset({"CREATE SCHEMA", "OWNERSHIP", "ALL"})


@dataclass(frozen=True, slots=True)
class Session:
    """What a login asked for, or what it has; empty where that is nothing."""

    role: str = ""
    warehouse: str = ""
    database: str = ""
    schema: str = ""


def check_login(opened: Warehouse, wanted: Session) -> tuple[str, str]:
    """Says what a login that `open_snowflake` made has, and what may have to be typed all the same.

    Raises for the first thing that it lacks.
    """
    warehouse = cast("SnowflakeWarehouse", opened)
    has = session_of(warehouse.records(SESSION)[0])
    refuse_what_is_missing(wanted, has)
    state, fix = _state_schema(warehouse, has)
    found = f"role {has.role}, warehouse {has.warehouse}, {has.database}.{_bare(wanted.schema)}"
    unseen = "" if _is_same(wanted.schema, has.schema) else ", which is not there yet or hidden from the role"
    return f"{found}{unseen}; {state}", fix


def session_of(row: Mapping[str, object]) -> Session:
    """Reads the statement's answer."""
    return Session(**{key.lower(): str(value or "") for key, value in row.items()})


def refuse_what_is_missing(wanted: Session, has: Session) -> None:
    """Raises for a warehouse or database that the session did not get. A schema may be missing: it can be created."""
    if not _is_same(wanted.warehouse, has.warehouse):
        raise PrivilegeError(
            f"Logged in, but there is no warehouse {_bare(wanted.warehouse)}, or role {has.role} may not use it.",
            hint=f"Correct warehouse, or: {warehouse_grant(_bare(wanted.warehouse), has.role)}",
        )
    if not _is_same(wanted.database, has.database):
        name, role = quote(_bare(wanted.database)), quote(has.role)
        raise MissingTableError(
            f"Logged in, but there is no database {_bare(wanted.database)}, or role {has.role} may not use it.",
            hint=f"Correct database, or: GRANT USAGE ON DATABASE {name} TO ROLE {role};",
        )


def _is_same(wanted: str, has: str) -> bool:
    return not wanted or _bare(wanted) == has or _bare(wanted).upper() == has.upper()


def _bare(name: str) -> str:
    """A name of a connection as Snowflake stores it: upper case, unless it stands in double quotes."""
    name = name.rpartition(".")[2] if not name.endswith('"') else name
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.upper()


def _state_schema(warehouse: SnowflakeWarehouse, has: Session) -> tuple[str, str]:
    name, database = CAPABILITIES.state_schema, quote(has.database)
    like = quote_text(name, DIALECT)
    rows = warehouse.records(Statement(f"SHOW SCHEMAS LIKE {like} IN DATABASE {database}"))
    if any(row["name"] == name for row in rows):
        return f"schema {name} is there", ""
    may = _may_create(warehouse, database)
    grant = f"GRANT CREATE SCHEMA ON DATABASE {database} TO ROLE {quote(has.role)};"
    if may is False:
        raise PrivilegeError(
            f"Logged in, but {has.database} has no schema {name} for LHT's own tables, and role {has.role} may not"
            " create it.",
            hint=f"Type: CREATE SCHEMA {database}.{quote(name)}; or: {grant}",
        )
    return f"schema {name} comes with the first run", "" if may else f"if that is refused: {grant}"


def _may_create(warehouse: SnowflakeWarehouse, database: str) -> bool | None:
    """Whether one of the session's roles may create schemas; None where Snowflake does not tell."""
    try:
        grants = warehouse.records(Statement(f"SHOW GRANTS ON DATABASE {database}"))
        roles = roles_that_create(grants)
        if not roles:
            return False
        asked = " OR ".join(f"IS_ROLE_IN_SESSION({quote_text(role, DIALECT)})" for role in roles)
        return bool(warehouse.query(Statement(f"SELECT {asked}"))[0][0])
    except (StatementError, PrivilegeError):
        return None


def roles_that_create(grants: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """The account roles that may create schemas, by the rows of SHOW GRANTS."""
    found = (
        str(grant["grantee_name"])
        for grant in grants
        if str(grant["privilege"]).upper() in _CREATES and str(grant["granted_to"]).upper() == "ROLE"
    )
    return tuple(dict.fromkeys(found))
