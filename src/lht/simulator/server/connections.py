"""Open connections by caller, so that a failure on demand can hang up on one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio


class Connections:
    """The transports of one server; used from its event loop only."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def hang_up(self, caller: tuple[str, int]) -> None:
        """Closes a connection after what was already sent, in the middle of whatever it was saying."""
        if transport := self._open.get(caller):
            transport.close()

    def protocol(self) -> type[H11Protocol]:
        """Gives the protocol class whose connections are kept here."""
        known = self._open

        class Watched(H11Protocol):
            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                known[_caller(transport)] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                known.pop(_caller(self.transport), None)
                super().connection_lost(exc)

        return Watched


def _caller(transport: asyncio.Transport) -> tuple[str, int]:
    name = transport.get_extra_info("peername")
    return str(name[0]), int(name[1])
