"""One login to Snowflake as the adapter uses it: statements, files, another login, the end of it.

A login of our own gives every thread a login of its own. A caller's session, and a login that would ask a person
again, is shared: then each `Link` is a view of the same connection, statements go one at a time, and a transaction
keeps the others waiting until it ends.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lht.errors import WarehouseUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor


WHOSE = {"app": "lht"}
"""What the query tag of every statement of LHT's says at least."""
LAST_WORD_S = 10
"""So long LHT tries a connection that seems lost: it may be a caller's, and stay open."""
REWRITTEN_CONNECTOR = 5
"""From this version on the connector is another program behind the same calls."""


def is_classic() -> bool:
    """Whether the installed connector is of the generation before the rewritten one."""
    import snowflake.connector  # noqa: PLC0415 - a driver is loaded where it is first needed

    return int(snowflake.connector.__version__.partition(".")[0]) < REWRITTEN_CONNECTOR


class Files(Protocol):
    """Puts local files on a stage where the PUT command is not to be had."""

    def put(self, path: Path, folder: str, *, tag: str) -> None: ...


@dataclass(slots=True)
class Login:
    """A connection that one or more links share. `guard` is held for a statement or for a whole transaction."""

    connection: SnowflakeConnection
    guard: threading.RLock = field(default_factory=threading.RLock)


class _Outcome:
    """What a call on another thread raised, for the thread that waits."""

    error: BaseException | None = None

    def take(self, run: Callable[[], object]) -> None:
        with self:
            run()

    def __enter__(self) -> None:
        """Begins the call."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[True]:
        """Keeps the error, which nobody would hear on this thread."""
        self.error = error
        return True


class _WithExactNumbers:
    """A caller's connection as one cursor of ours sees it: numbers with decimals come as decimals.

    By default the connector makes floats of them in Arrow, and only a setting of the connection says otherwise;
    this says it for the cursor, and the caller's connection stays as it is, for other threads too.
    """

    arrow_number_to_decimal = _arrow_number_to_decimal = True
    _numpy = False

    def __init__(self, connection: SnowflakeConnection) -> None:
        self._of_caller = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of_caller, name)


CALLERS_SETTINGS_ASIDE = {"ROWS_PER_RESULTSET": "0", "TIMEZONE": "UTC"}
"""What goes with each statement in a caller's session, for that statement alone: whole results, and UTC where a table
of others has timestamps with a zone. https://docs.snowflake.com/en/sql-reference/parameters#rows-per-resultset
"""


def _tagged(tag: str = "") -> dict[str, Any]:
    return {"_statement_params": {"QUERY_TAG": tag or json.dumps(WHOSE)}}


class Link:
    """One thread's way to Snowflake. Errors are the connector's own: the adapter translates them."""

    def __init__(
        self,
        login: Login,
        *,
        log_in: Callable[[], SnowflakeConnection] | None = None,
        is_shared: bool = False,
        is_view: bool = False,
        files: Files | None = None,
    ) -> None:
        """`log_in` opens another connection like this one; None where it is a caller's."""
        self._login = login
        self._log_in = log_in
        self._is_shared = is_shared
        self._is_view = is_view
        self._used = login.connection
        self.files = files

    @property
    def connection(self) -> SnowflakeConnection:
        self._used = self._login.connection
        return self._used

    @property
    def is_own(self) -> bool:
        """Whether LHT logged in, so that the session's settings are LHT's."""
        return self._log_in is not None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other users of a shared connection out, for a transaction; may be nested in one thread."""
        with self._login.guard:
            yield

    def execute(
        self, sql: str, params: Sequence[object] = (), *, tag: str = "", **options: Any
    ) -> SnowflakeCursor:
        """Runs a statement and gives its cursor. `tag` goes with it into the query history; LHT's name always does.

        Question marks are bound by the server, whatever the connection's own parameter style is: nothing of a
        caller's session is changed.
        """
        options |= {"params": tuple(params) or None, "_force_qmark_paramstyle": True}
        options |= _tagged(tag)
        if not self.is_own and not self.files:  # inside Snowflake a procedure may not decide on settings
            options["_statement_params"] |= CALLERS_SETTINGS_ASIDE
        with self._login.guard:
            cursor = self.connection.cursor()
            if not self.is_own:
                cursor._connection = _WithExactNumbers(cursor.connection)  # type: ignore[assignment]  # noqa: SLF001
            try:
                self._interruptibly(lambda: cursor.execute(sql, **options))
            except KeyboardInterrupt:
                self._cancel()
                raise
        return cursor

    def _interruptibly(self, run: Callable[[], object]) -> None:
        """Runs a statement so that Ctrl-C is heard at once.

        Connector 5 waits in native code, where Python hears no signal: then the statement runs on another thread, if
        there is a way to cancel it.
        """
        if not self.is_own or is_classic() or threading.current_thread() is not threading.main_thread():
            run()
            return
        outcome = _Outcome()
        # A daemon: a statement that nobody waits for any more must not keep the process from its end.
        thread = threading.Thread(target=outcome.take, args=(run,), name="lht-statement", daemon=True)
        thread.start()
        thread.join()
        if outcome.error:
            raise outcome.error

    def _cancel(self) -> None:
        """Ends what runs in a session of our own; in a caller's there may be statements that are not ours."""
        import snowflake.connector  # noqa: PLC0415

        if self.is_own:
            connection = self._login.connection
            with contextlib.suppress(snowflake.connector.Error):
                cancelling = f"SELECT SYSTEM$CANCEL_ALL_QUERIES({int(connection.session_id)})"
                connection.cursor().execute(cancelling, **_tagged())

    def fork(self) -> Link:
        """Gives another thread its link: a login of its own, or a view of this connection."""
        if self._log_in is None or self._is_shared:
            return Link(
                self._login, log_in=self._log_in, is_shared=self._is_shared, is_view=True, files=self.files
            )
        return Link(Login(self._log_in()), log_in=self._log_in, files=self.files)

    def reconnect(self) -> None:
        """Logs in anew where that is ours to do; views that share the connection get it too.

        A caller's session does only if it answers after all, and no transaction of ours is open in it.
        """
        if self._log_in is None:
            if not self._is_usable():
                raise WarehouseUnreachableError(
                    "The Snowflake session that was handed to LHT is lost.",
                    hint="Open a new one and run it again.",
                )
            return
        with self._login.guard:
            if self._login.connection is not self._used:  # another view was quicker
                return
            with contextlib.suppress(Exception):  # what is broken need not close well
                self._used.close(retry=False)
            self._login.connection = self._log_in()

    def _is_usable(self) -> bool:
        import snowflake.connector  # noqa: PLC0415

        with contextlib.suppress(snowflake.connector.Error, OSError):
            answer = self.execute("SELECT CURRENT_TRANSACTION()", timeout=LAST_WORD_S).fetchone()
            return answer is not None and next(iter(answer)) is None
        return False

    def close(self) -> None:
        """Logs out, if LHT logged in and this is not a view."""
        if self.is_own and not self._is_view:
            self._login.connection.close()
