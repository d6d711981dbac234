"""Commands that need no Salesforce account: the local org, and the tour."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lht.cli.answer import Answer
from lht.cli.screen import Screen

DEFAULT_PORT = 8788


class TourWarehouse(StrEnum):
    """Where the tour syncs to."""

    DUCKDB = "duckdb"
    SNOWFLAKE = "snowflake"


def start(
    screen: Screen,  # noqa: ARG001
    *,
    port: Annotated[
        int,
        typer.Option("--port", metavar="N", min=0, max=65535, help="Where to listen; 0 takes any free port."),
    ] = DEFAULT_PORT,
    path: Annotated[
        Path | None,
        typer.Option(
            "--path", metavar="DIR", file_okay=False, help="Keep the org here; without it, in memory."
        ),
    ] = None,
    records: Annotated[
        int,
        typer.Option(
            "--records", metavar="N", min=0, max=100_000_000, help="A new org's number of Accounts."
        ),
    ] = 0,
    seed: Annotated[
        int, typer.Option("--seed", metavar="S", min=0, help="The same seed makes the same records.")
    ] = 1,
    schema: Annotated[
        Path | None,
        typer.Option("--schema", metavar="FILE", help="A TOML file of further objects and fields."),
    ] = None,
    from_describe: Annotated[
        Path | None,
        typer.Option(
            "--from_describe",
            metavar="DIR",
            file_okay=False,
            help="Describes saved from a real org, one object a .json file: make an org like it.",
        ),
    ] = None,
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(
            "--redirect_uri",
            metavar="URL",
            help="A further address to which its app's logins may return; repeat it for several.",
        ),
    ] = None,
    write_config: Annotated[
        Path | None,
        typer.Option(
            "--write_config",
            metavar="DIR",
            file_okay=False,
            help="Write DIR/.snowflake/connections.toml for it.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave it running and come back when it is ready.")
    ] = False,
) -> Answer:
    """Start a local Salesforce org. It runs until Ctrl-C."""
    if detach:
        from lht.cli.detached import start_detached  # noqa: PLC0415

        pid, lines = start_detached(sys.argv[1:])
        facts = dict(line.split(": ", 1) for line in lines)
        return Answer(
            {**facts, "pid": pid}, [*lines, "ready"], [f"It runs in the background; stop it with: kill {pid}"]
        )
    from lht.cli.local_org import serve_org  # noqa: PLC0415

    serve_org(
        host,
        port,
        path=path,
        records=records,
        seed=seed,
        schema=schema,
        from_describe=from_describe,
        redirect_uris=tuple(redirect_uri or ()),
        write_config=write_config,
    )
    return Answer({"stopped": True})


def demo(
    screen: Screen,
    *,
    folder: Annotated[
        Path,
        typer.Option(
            "--dir", metavar="DIR", file_okay=False, help="The tour's own folder, made anew each time."
        ),
    ] = Path("demo"),
    records: Annotated[
        int, typer.Option("--records", metavar="N", min=50, help="The local org's number of Accounts.")
    ] = 2_500,
    warehouse: Annotated[
        TourWarehouse,
        typer.Option("--warehouse", help="Sync into a DuckDB file, or into a local stand-in for Snowflake."),
    ] = TourWarehouse.DUCKDB,
) -> Answer:
    """Take the five-minute tour: a local org, two syncs, what changed between them, and the way back."""
    from lht.cli.demo import Tour  # noqa: PLC0415

    return Tour(screen, folder, records, warehouse.value).run()
