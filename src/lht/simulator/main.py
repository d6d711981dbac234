"""Starting an org: for `lht simulator start`, and for tests in the same process."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from lht.simulator.errors import SimulatorError
from lht.simulator.org.org import Org
from lht.simulator.org.site import Site
from lht.simulator.server.run import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lht.simulator.org.oauth import App, Login

DEFAULT_PORT = 8788


@dataclass(frozen=True, slots=True)
class Running:
    """A served org: where it is and who may log in."""

    url: str
    app: App
    login: Login
    site: Site


def serve(
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    *,
    path: Path | None = None,
    records: int = 0,
    seed: int = 1,
    schema: Path | None = None,
    from_describe: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    redirect_uris: Sequence[str] = (),
    on_start: Callable[[Running], None] | None = None,
    out: TextIO | None = None,
) -> None:
    """Serves an org until SIGTERM or Ctrl-C, and then returns; call it from the main thread.

    While the org is still being made, the caller's own handling of those signals holds.

    It prints `url:`, `client_id:`, `client_secret:`, `username:` and `password:` a line each, calls `on_start`
    (which may write a configuration), then prints `ready`. Port 0 takes any that is free. Raises SimulatorError if
    the org cannot be opened, the schema file or a saved describe makes no sense, or the port is busy.
    """
    stop = threading.Event()
    before = {}
    try:
        with started(
            host,
            port,
            path=path,
            records=records,
            seed=seed,
            schema=schema,
            from_describe=from_describe,
            settings=settings,
            redirect_uris=redirect_uris,
        ) as running:
            for number in (
                signal.SIGINT,
                signal.SIGTERM,
            ):  # until here they end the making of records as ever
                before[number] = signal.signal(number, lambda *_: stop.set())
            _announce(running, on_start, out or sys.stdout)
            stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def started(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    path: Path | None = None,
    records: int = 0,
    seed: int = 1,
    schema: Path | None = None,
    from_describe: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    app: Mapping[str, Any] | None = None,
    redirect_uris: Sequence[str] = (),
) -> Iterator[Running]:
    """Serves an org from a thread while the block runs; `redirect_uris` are further addresses of its app."""
    org = Org.open(path=path, records=records, seed=seed, schema=schema, from_describe=from_describe)
    site = _site(org, settings, app, redirect_uris)
    try:
        server = Server(site, host, port)
        try:
            site.oauth.home = server.url
            yield Running(server.url, site.app, site.oauth.people.login, site)
        finally:
            server.stop()
    finally:
        site.close()


def _site(
    org: Org,
    settings: Mapping[str, Any] | None,
    app: Mapping[str, Any] | None,
    redirect_uris: Sequence[str],
) -> Site:
    try:
        return Site(org, settings, app=app, redirect_uris=redirect_uris)
    except ValueError as error:
        org.close()
        raise SimulatorError(str(error)) from error


def _announce(running: Running, on_start: Callable[[Running], None] | None, out: TextIO) -> None:
    app = running.app
    lines = {
        "url": running.url,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "username": running.login.username,
        "password": running.login.password,
    }
    for name, value in lines.items():
        print(f"{name}: {value}", file=out)
    if on_start is not None:
        on_start(running)
    print("ready", file=out, flush=True)
