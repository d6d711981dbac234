"""The command line's tree: every command, in the order in which a newcomer meets them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

import lht
from lht.cli import browse, bulk, local, retl, setup, sync, tables
from lht.cli.framework import command, underscores

app = typer.Typer(
    name="lht",
    help="Keeps Salesforce objects and warehouse tables in step, both ways.",
    epilog="Options and commands are accepted with _ or -. Start with: lht demo",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "token_normalize_func": underscores},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lht {lht.__version__}")
        raise typer.Exit


def _enter(folder: Path | None) -> None:
    if folder is not None:
        os.chdir(folder)


@app.callback()
def _root(
    folder: Annotated[
        Path | None,
        typer.Option(
            "-C",
            metavar="DIR",
            exists=True,
            file_okay=False,
            callback=_enter,
            help="Run as if started in DIR.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print LHT's version.")
    ] = False,
) -> None:
    pass


command(app, "init")(setup.init)
command(app, "login")(setup.login)
command(app, "logout")(setup.logout)
command(app, "connections")(setup.connections)
command(app, "objects")(browse.objects)
command(app, "describe")(browse.describe)
command(app, "create")(tables.create)
command(app, "sync")(sync.sync)
command(app, "query")(bulk.query)
command(app, "bulk_status")(bulk.bulk_status)
command(app, "bulk_results")(bulk.bulk_results)
command(app, "results")(bulk.results)
command(app, "retl_insert")(retl.retl_insert)
command(app, "retl_update")(retl.retl_update)
command(app, "retl_upsert")(retl.retl_upsert)
command(app, "retl_delete")(retl.retl_delete)
command(app, "retl_retry")(retl.retl_retry)
command(app, "retl_undo")(retl.retl_undo)
command(app, "runs")(tables.runs)
command(app, "prune")(tables.prune)
command(app, "jobs")(bulk.jobs)
command(app, "reset")(tables.reset)

simulator = typer.Typer(
    help="A local Salesforce org. Try, test and rehearse without an account.", rich_markup_mode=None
)
command(simulator, "start")(local.start)
app.add_typer(simulator, name="simulator", no_args_is_help=True)
command(app, "demo")(local.demo)
