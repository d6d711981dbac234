"""Starts the local org and writes the configuration that finds it; its errors become LHT's here."""

from __future__ import annotations

import errno
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from lht.config.files import write_private
from lht.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.simulator.main import Running

MARK = "# Written by LHT for a local org; it is replaced when that org is started again."
APP = "local_org"
WAREHOUSE = "myconnection"
DUCKDB = """\
type = "duckdb"
path = "lake.duckdb"
"""


def serve_org(
    host: str,
    port: int,
    *,
    path: Path | None,
    records: int,
    seed: int,
    schema: Path | None,
    from_describe: Path | None,
    redirect_uris: tuple[str, ...],
    write_config: Path | None,
) -> None:
    """Serves an org until it is stopped."""
    from lht.simulator.main import serve  # noqa: PLC0415 - the server brings starlette and duckdb

    def on_start(running: Running) -> None:
        if write_config:
            write_connections(write_config, running)

    if write_config:
        check_place(write_config)
    with translated():
        serve(
            host,
            port,
            path=path,
            records=records,
            seed=seed,
            schema=schema,
            from_describe=from_describe,
            redirect_uris=redirect_uris,
            on_start=on_start,
        )


@contextmanager
def started_org(port: int, *, path: Path, records: int, seed: int) -> Iterator[Running]:
    """Serves an org while the block runs."""
    from lht.simulator.main import started  # noqa: PLC0415

    with translated(), started(port=port, path=path, records=records, seed=seed) as running:
        yield running


@contextmanager
def translated() -> Iterator[None]:
    """Turns the simulator's errors into ours."""
    from lht.simulator.errors import SimulatorError  # noqa: PLC0415

    try:
        yield
    except SimulatorError as error:
        raise ConfigError(f"The local org cannot be started: {error}", hint=_hint(error)) from error


def _hint(error: Exception) -> str:
    """The way out of the refusals that say nothing of it: a port that is taken, an address that is not this machine's."""
    if "cannot listen" not in str(error):
        return ""
    if isinstance(error.__cause__, OSError) and error.__cause__.errno in {errno.EADDRINUSE, errno.EACCES}:
        return "Choose another port; --port 0 takes any that is free."
    return "Choose an address of this machine, such as --host 127.0.0.1."


def check_place(folder: Path) -> None:
    """Refuses a folder that cannot hold the configuration, before an org is made for nothing; leaves no trace."""
    import tempfile  # noqa: PLC0415 - costs start-up time

    path = folder / ".snowflake" / "connections.toml"
    new = [parent for parent in path.parents if not parent.exists()]
    try:
        _check_ours(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ConfigError(
            f"No configuration can be written to {path.parent}: {error.strerror}.",
            hint="Choose another folder for --write_config, or make this one writable.",
        ) from error
    finally:
        for parent in new:
            with suppress(OSError):
                parent.rmdir()


def _check_ours(path: Path) -> None:
    if path.exists() and not path.read_text(encoding="utf-8").startswith(MARK):
        raise ConfigError(
            f"{path} exists, and was not written for a local org.", hint="Choose another folder."
        )


def write_connections(folder: Path, running: Running, *, warehouse: str = DUCKDB) -> Path:
    """Writes the org's app and a warehouse, a DuckDB file unless said otherwise; a file that is not ours is left alone."""
    path = folder / ".snowflake" / "connections.toml"
    _check_ours(path)
    write_private(
        path,
        f"""\
{MARK}
[{APP}]
CLIENT_ID = "{running.app.client_id}"
CLIENT_SECRET = "{running.app.client_secret}"
login_url = "{running.url}"
flow = "client-credentials"

[{WAREHOUSE}]
{warehouse}""",
    )
    return path


def ask_admin(url: str, path: str, body: dict[str, Any]) -> None:
    """Asks a local org for something that no Salesforce client can, as its administrator."""
    import json  # noqa: PLC0415 - the tour alone needs these
    import urllib.request  # noqa: PLC0415

    request = urllib.request.Request(  # noqa: S310 - the local org's own address
        f"{url}/simulator{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        answer.read()
