"""A session of the caller's: a Snowpark `Session`, in a notebook or stored procedure too, or a connector's connection.

Nothing of it is changed, not even for a moment: no USE, no ALTER SESSION, no parameter style. It stays open.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from lht.errors import CapabilityMissingError, WarehouseError, WarehouseUnreachableError
from lht.warehouse.adapting import first_line
from lht.warehouse.snowflake.adapter import SnowflakeWarehouse
from lht.warehouse.snowflake.connect import quiet_the_connector
from lht.warehouse.snowflake.link import Link, Login

if TYPE_CHECKING:
    from pathlib import Path

    from snowflake.connector import SnowflakeConnection


OPEN_ONE = "Pass one that is open: a Snowpark Session, or snowflake.connector.connect(…)."
_SANDBOX = "XP"
"""What the connector calls its platform inside Snowflake: in stored procedures and in notebooks on a warehouse."""


def is_session(session: object) -> bool:
    """Whether this is a Snowpark session or a connector's connection, told by the names of its classes.

    Snowpark takes seconds to import: who has none of its objects is not made to.
    """
    return _is_snowpark(session) or _is_connection(session)


def _is_snowpark(session: object) -> bool:
    return _is_a(session, "snowflake.snowpark.", {"Session"})


def _is_connection(session: object) -> bool:
    return _is_a(session, "snowflake.connector.", {"SnowflakeConnection", "Connection"}) and not _is_a(
        session, "snowflake.connector.aio.", {"SnowflakeConnection", "Connection"}
    )


def _is_a(session: object, module: str, names: set[str]) -> bool:
    return any(
        f"{kind.__module__}.".startswith(module) and kind.__name__ in names for kind in type(session).__mro__
    )


def from_session(session: object) -> SnowflakeWarehouse:
    """Wraps a caller's session; one that is closed, or in a transaction, is refused before anything is changed."""
    quiet_the_connector()
    connection = _connection_of(session)
    if _is_closed(connection):
        raise WarehouseUnreachableError("The Snowflake session is closed.", hint=OPEN_ONE)
    link = Link(Login(connection), files=_files_of(session))
    _refuse_open_transaction(link)
    label = str(getattr(connection, "account", "") or "session")
    return SnowflakeWarehouse(link, label=label)


def _connection_of(session: object) -> SnowflakeConnection:
    connection: Any = session
    if _is_snowpark(session):
        connection = getattr(session, "connection", None)
        if type(getattr(session, "_conn", None)).__name__.startswith("Mock"):
            raise CapabilityMissingError(
                "A Snowpark session for local testing is no warehouse: it has no connection.",
                hint="Pass a session of an account, or for tests a DuckDB connection.",
            )
    if connection is None:
        raise WarehouseUnreachableError("The Snowpark session has no connection.", hint=OPEN_ONE)
    return connection  # type: ignore[no-any-return]  # recognised by its class's name


def _is_closed(connection: SnowflakeConnection) -> bool:
    return bool(connection.is_closed())


def _refuse_open_transaction(link: Link) -> None:
    """Raises WarehouseError if a transaction is open, or would be by the first statement that changes something.

    LHT's DDL would commit the caller's changes, and LHT's rows would wait for a COMMIT that is not LHT's.
    """
    import snowflake.connector  # noqa: PLC0415 - a driver is loaded where it is first needed

    try:
        open_transaction = link.execute("SELECT CURRENT_TRANSACTION()").fetchone()
    except snowflake.connector.Error as error:
        raise WarehouseUnreachableError(
            f"The Snowflake session cannot be used: {first_line(error)}", hint=OPEN_ONE
        ) from error
    if open_transaction and next(iter(open_transaction)) is not None:
        raise WarehouseError(
            "The Snowflake session has an open transaction.",
            hint="COMMIT or ROLLBACK first: LHT commits rows and state in transactions of its own.",
        )
    if not _commits_by_itself(link):
        raise WarehouseError(
            "The Snowflake session has AUTOCOMMIT off.",
            hint="Set it first: ALTER SESSION SET AUTOCOMMIT = TRUE. LHT changes no setting of your session.",
        )


def _commits_by_itself(link: Link) -> bool:
    """The session's AUTOCOMMIT: as the server says, or where it may not be asked, as the connector noted it."""
    import snowflake.connector  # noqa: PLC0415

    with contextlib.suppress(snowflake.connector.Error):
        for row in link.execute("SHOW PARAMETERS LIKE 'AUTOCOMMIT' IN SESSION").fetchall():
            return str(tuple(row)[1]).lower() == "true"
    noted = getattr(link.connection, "_session_parameters", None)
    with contextlib.suppress(KeyError, TypeError):
        return str(noted["AUTOCOMMIT"]).lower() != "false" if noted is not None else True
    return True


class SandboxFiles:
    """Puts files from inside Snowflake, where the PUT command is refused and Snowpark has a way of its own."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def put(self, path: Path, folder: str, *, tag: str) -> None:
        """Puts a file into a folder of a stage, written `@stage/folder`; raises what Snowpark raises."""
        self._session.file.put(
            str(path), folder, auto_compress=False, overwrite=True, statement_params={"QUERY_TAG": tag}
        )


def _files_of(session: object) -> SandboxFiles | None:
    """What puts files for this session; None where the PUT command is to be had."""
    from snowflake.connector.description import PLATFORM  # noqa: PLC0415

    if PLATFORM != _SANDBOX:
        return None
    if not _is_snowpark(session):
        raise CapabilityMissingError(
            "Inside Snowflake a connection alone cannot put files on a stage.",
            hint="Pass the Snowpark session: snowflake.snowpark.context.get_active_session().",
        )
    return SandboxFiles(session)
