"""Options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Username = Annotated[
    str | None,
    typer.Option("--username", metavar="NAME", help="Which login: a Salesforce username (or LHT_USERNAME)."),
]
DbConnect = Annotated[
    str | None,
    typer.Option(
        "--db_connect",
        metavar="NAME|URL",
        help="Which warehouse: a connection's name, or a URL like duckdb:///lake.duckdb (or LHT_DB_CONNECT).",
    ),
]
Sobject = Annotated[str, typer.Option("--sobject", metavar="OBJECT", help="The Salesforce object.")]
Table = Annotated[str, typer.Option("--table", metavar="TABLE", help="The warehouse table.")]
Schema = Annotated[
    str | None, typer.Option("--schema", metavar="SCHEMA", help="The table's schema (or LHT_SCHEMA).")
]
JobId = Annotated[str, typer.Option("--job_id", metavar="ID", help="The Bulk job's id.")]
Wait = Annotated[bool, typer.Option("--wait", help="Follow the job to its end.")]
Fields = Annotated[
    list[str] | None,
    typer.Option("--fields", metavar="A,B", help="Read these fields only; Id and the cursor field come too."),
]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", metavar="A,B", help="Leave these fields out.")
]
Where = Annotated[
    str | None, typer.Option("--where", metavar="SOQL", help="Only records that meet this condition.")
]
DryRun = Annotated[bool, typer.Option("--dry_run", help="Show what would be done; change nothing.")]
LockTimeout = Annotated[
    float,
    typer.Option(
        "--lock_timeout", metavar="SECONDS", min=0, help="How long to wait for a held table or file."
    ),
]
ApiBudget = Annotated[
    float,
    typer.Option(
        "--api_budget",
        metavar="PERCENT",
        min=0,
        max=100,
        help="Stop before this share of a daily limit is used.",
    ),
]
Folder = Annotated[Path | None, typer.Option("--dir", metavar="DIR", file_okay=False, help="The folder.")]


def split(values: list[str] | None) -> tuple[str, ...]:
    """Reads `--fields A,B --fields C` as three names."""
    return tuple(name.strip() for value in values or () for name in value.split(",") if name.strip())
