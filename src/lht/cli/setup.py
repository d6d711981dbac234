"""Commands for configuration and logins."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lht.cli import options, render
from lht.cli.answer import Answer
from lht.cli.screen import Screen

if TYPE_CHECKING:
    from lht.config.settings import Settings


def init(screen: Screen) -> Answer:  # noqa: ARG001
    """Write a commented .snowflake/connections.toml to fill in."""
    from lht.app import setup  # noqa: PLC0415

    result = setup.init()
    return Answer(result, [f"Wrote {result.path}. Fill it in, then run: lht login"])


def login(
    screen: Screen,
    *,
    app: Annotated[
        str | None, typer.Option("--app", metavar="NAME", help="Which Salesforce app of connections.toml.")
    ] = None,
    flow: Annotated[
        str | None,
        typer.Option("--flow", metavar="FLOW", help="How: web, jwt, client-credentials or sf-cli."),
    ] = None,
    login_url: Annotated[
        str | None,
        typer.Option("--login_url", "--instance_url", metavar="URL", help="Where, instead of the app's own."),
    ] = None,
    no_browser: Annotated[
        bool,
        typer.Option("--no_browser", help="Open no browser: print the address, and take the pasted answer."),
    ] = False,
) -> Answer:
    """Log in to Salesforce and keep the session."""
    from lht.app import access, setup  # noqa: PLC0415
    from lht.cli.person import Terminal  # noqa: PLC0415

    _check_flow(flow)
    settings = access.settings_here()
    render.warn(screen, settings.warnings())
    name = app or _choose_app(settings, flow)
    person = Terminal(wants_browser=not no_browser)
    result = setup.login(settings, name, flow=flow, login_url=login_url, person=person)
    through = f"app {result.app}" if result.app else "the Salesforce CLI"
    return Answer(result, [f"Logged in as {result.username} at {result.instance_url} ({through})."])


def _check_flow(flow: str | None) -> None:
    from lht.sfdc.auth import FLOWS, normal_flow  # noqa: PLC0415

    if flow is not None and normal_flow(flow) not in FLOWS:
        raise typer.BadParameter(f"the flows are {', '.join(FLOWS)}", param_hint="--flow")


def _choose_app(settings: Settings, flow: str | None) -> str | None:
    """Asks which of several apps on a terminal; elsewhere the command line has to say it."""
    apps = settings.apps_for(flow)
    if len(apps) < 2:  # noqa: PLR2004 - there is nothing to choose
        return None
    listed = ", ".join(apps)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise typer.BadParameter(f"there are several apps, choose one: {listed}", param_hint="--app")
    from lht.cli.person import ask  # noqa: PLC0415

    by_lower = {name.lower(): name for name in apps}
    question = f"Which app ({listed}) [{apps[0]}]: "
    while (answer := ask(question).strip() or apps[0]).lower() not in by_lower:
        question = f"No app has that name. Which one ({listed}) [{apps[0]}]: "
    return answer if answer in apps else by_lower[answer.lower()]


def logout(screen: Screen, *, username: options.Username = None) -> Answer:  # noqa: ARG001
    """End a session at Salesforce and forget it."""
    from lht.app import access, setup  # noqa: PLC0415

    result = setup.logout(access.settings_here(), username)
    if result.revoked:
        return Answer(result, [f"Logged out {result.username}."])
    told = f"Forgot the login of {result.username}, which Salesforce did not end: {result.reason}"
    return Answer(result, [told if told.endswith(".") else f"{told}."])


def connections(
    screen: Screen,
    *,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Only the connection of this name.")
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="Open each warehouse and try each login.")] = False,
) -> Answer:
    """List apps, logins and warehouses."""
    from lht.app import access, setup  # noqa: PLC0415

    settings = access.settings_here()
    render.warn(screen, settings.warnings())
    found = setup.list_connections(settings, test=test, name=name)
    default = settings.connections.default_warehouse()
    return render.connections(found, settings.directory, tested=test, default=default)
