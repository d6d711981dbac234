"""The stand-in for Snowflake as a program: it serves until it is stopped."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from lht.testing.stand_in import DATABASE, HOST, StandIn, StandInError, require_fakesnow

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until SIGTERM, Ctrl-C or, if asked, the end of stdin; prints how to connect, and then `ready`."""
    options = _parser().parse_args(arguments)
    try:
        require_fakesnow()
    except StandInError as error:
        sys.exit(str(error))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="lht_stand_in_") as folder:
        tempfile.tempdir = folder  # fakesnow never removes its stages' files
        _serve(options, stop)


def _serve(options: argparse.Namespace, stop: threading.Event) -> None:
    from lht.testing.stand_in.server import serving  # noqa: PLC0415 - fakesnow takes its folder when it is imported

    with serving(HOST, options.port, mended=not options.unmended, path=options.path) as port:
        served = StandIn(f"http://{HOST}:{port}", HOST, port, os.getpid())
        made = served.database(options.database)
        if options.write_config:
            made.write_connection(options.write_config)
        for name, value in {"url": served.url, **made.options}.items():
            print(f"{name}: {value}")  # noqa: T201 - what it is for
        print("ready", flush=True)  # noqa: T201
        if options.until_stdin_ends:
            threading.Thread(target=_until_stdin_ends, args=(stop,), daemon=True).start()
        stop.wait()


def _until_stdin_ends(stop: threading.Event) -> None:
    while os.read(
        sys.stdin.fileno(), 4096
    ):  # sys.stdin's own lock, held here, would break the interpreter's end
        pass
    stop.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lht.testing.stand_in", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any that is free")
    parser.add_argument("--path", type=Path, metavar="DIR", help="keep the databases here; else in memory")
    parser.add_argument("--database", default=DATABASE, help="the database that is there from the start")
    parser.add_argument(
        "--write-config", type=Path, metavar="DIR", help="add an entry [snowflake] to DIR/connections.toml"
    )
    parser.add_argument("--until-stdin-ends", action="store_true", help="stop when stdin ends too")
    parser.add_argument("--unmended", action="store_true", help="leave fakesnow's faults as they are")
    return parser


if __name__ == "__main__":
    main()
