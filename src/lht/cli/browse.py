"""Commands that look at an org."""

from __future__ import annotations

from typing import Annotated

import typer

from lht.cli import options, render
from lht.cli.answer import Answer
from lht.cli.screen import Screen


def objects(
    screen: Screen,  # noqa: ARG001
    *,
    like: Annotated[
        str | None, typer.Option("--like", metavar="TEXT", help="Only names or labels that hold this text.")
    ] = None,
    username: options.Username = None,
) -> Answer:
    """List the org's objects."""
    from lht.app import access, browse  # noqa: PLC0415

    with access.open_org(access.settings_here(), username) as org:
        return render.objects(browse.list_objects(org, like=like))


def describe(
    screen: Screen,  # noqa: ARG001
    *,
    sobject: Annotated[str, typer.Argument(metavar="OBJECT", help="The Salesforce object.")],
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Show an object's fields and the columns they would become."""
    from lht.app import access, browse  # noqa: PLC0415

    settings = access.settings_here()
    capabilities = access.capabilities_of(settings, db_connect)
    with access.open_org(settings, username) as org:
        found = browse.describe_object(org, sobject, capabilities, overrides=access.overrides(settings))
    return render.description(found)
