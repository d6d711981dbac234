"""A server in a thread of this process."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import uvicorn

from lht.simulator.errors import SimulatorError
from lht.simulator.server.app import create_app
from lht.simulator.server.connections import Connections

if TYPE_CHECKING:
    from lht.simulator.org.site import Site

MOST_HEAD_BYTES = 1 << 20
START_S = 30
GRACE_S, LONGEST_GRACE_S = 2, 20
IDLE_S = 120
"""So long a connection is kept for a client's next call. Clients that look at a job every few seconds, such as
simple-salesforce every 5, must not find it closed at that very moment."""


class Server:
    """Serves a site from the moment it is made until `stop`; the site stays open."""

    def __init__(self, site: Site, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = _bound(host, port)
        connections = Connections()
        self._gate = create_app(site, connections)
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                self._gate,
                http=connections.protocol(),
                lifespan="off",
                log_config=None,
                access_log=False,
                date_header=False,
                server_header=False,
                h11_max_incomplete_event_size=MOST_HEAD_BYTES,
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=LONGEST_GRACE_S,
            )
        )
        self._thread = threading.Thread(
            target=self._uvicorn.run, args=([self._socket],), name="simulator", daemon=True
        )
        self._thread.start()
        self._await_start()
        self.url = _url(host, self._socket.getsockname()[1])

    def stop(self) -> None:
        """Ends the server, after a moment for what is under way; a second call does nothing."""
        self._uvicorn.should_exit = True
        self._thread.join(GRACE_S)
        self._gate.break_off()
        self._thread.join()
        self._socket.close()

    def _await_start(self) -> None:
        deadline = time.monotonic() + START_S
        while not self._uvicorn.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise SimulatorError("the server did not start")
            time.sleep(0.005)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, as asyncio sends small answers at once only where it sees that a socket is one of TCP.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SimulatorError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return bound


def _url(host: str, port: int) -> str:
    """Gives the address to call; a server that listens everywhere is called by loopback."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"
