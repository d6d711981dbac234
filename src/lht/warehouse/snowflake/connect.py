"""Logs in to Snowflake: a connection's options become the connector's own parameters, beside LHT's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lht.errors import WarehouseUnreachableError
from lht.warehouse.snowflake.adapter import SnowflakeWarehouse
from lht.warehouse.snowflake.link import Link, Login
from lht.warehouse.snowflake.logins import login_error
from lht.warehouse.snowflake.parameters import connector_parameters, is_interactive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from snowflake.connector import SnowflakeConnection


LOGGERS = ("snowflake.connector", "snowflake.snowpark", "botocore", "boto3")


def open_snowflake(
    options: Mapping[str, object], *, name: str, schema: str | None = None, work_dir: Path | None = None
) -> SnowflakeWarehouse:
    """Logs in with a connection's options, as `lht.config.snowflake` gives them, and gives the warehouse.

    Every further login uses the same. `name` is the connection's, for errors; `schema` is where tables lie that name
    none; `work_dir` holds files on their way to a stage.
    """
    quiet_the_connector()

    def log_in() -> SnowflakeConnection:
        return _log_in(options, name)

    link = Link(Login(log_in()), log_in=log_in, is_shared=is_interactive(options))
    return SnowflakeWarehouse(link, label=name, schema=schema, work_dir=work_dir)


def _log_in(options: Mapping[str, object], name: str) -> SnowflakeConnection:
    """Logs in once. Key and token files are read each time: they may be renewed while a run goes on."""
    import snowflake.connector  # noqa: PLC0415 - a driver is loaded where it is first needed

    parameters = connector_parameters(options, name)
    try:
        return snowflake.connector.connect(**parameters)
    except (snowflake.connector.Error, OSError, TypeError, ValueError) as error:
        raise login_error(error, name, parameters) from error
    except (AttributeError, LookupError) as error:  # what came lacks what every answer of Snowflake's has
        raise WarehouseUnreachableError(
            f"Cannot log in with connection '{name}': what answers at that address is not Snowflake.",
            hint="Check account, host and proxy in the connection.",
        ) from error


def quiet_the_connector() -> None:
    """Keeps the connector's own log, which repeats every error with its trace, off the terminal.

    A program that gives these loggers, or the root, a handler still gets all of it.
    """
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())
