"""The person at the terminal, as the login in a browser needs them."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lht.errors import AuthError

if TYPE_CHECKING:
    from webbrowser import BaseBrowser

TEXT_BROWSERS = frozenset({"www-browser", "links", "elinks", "lynx", "w3m", "browsh"})
"""They would take the terminal over, and know none of the scripts that login pages are made of."""


@dataclass
class Terminal:
    """Talks on stderr, even with `-q` and `--json`: without the address nobody could log in."""

    wants_browser: bool = True

    @cached_property
    def has_browser(self) -> bool:
        """Whether a browser of this machine is to be used; with none, somebody must be there to paste an answer."""
        if not self.wants_browser:
            return False
        if _browser() is not None:
            return True
        if sys.stdin.isatty():
            return False
        raise AuthError(
            "There is no browser here to log in with, and no terminal to paste the answer at.",
            hint="Use --flow jwt or --flow client-credentials, or run 'lht login' on a terminal.",
        )

    def visit(self, address: str) -> None:
        """Opens the browser in a thread of its own, as some only come back when their window is closed."""
        _tell(
            f"Log in in the browser. If it does not open, go to:\n\n  {address}\n\nWaiting for the answer …"
        )
        browser = _browser()
        if browser is not None:
            threading.Thread(target=browser.open, args=(address,), daemon=True).start()

    def paste(self, address: str, redirect_uri: str) -> str:
        """Asks for the answer; any machine's browser will do."""
        _tell(
            f"Log in in any browser, at:\n\n  {address}\n\n"
            f"At the end the browser goes to {redirect_uri}?code=…, and perhaps shows that as an error: that is as it "
            "should be."
        )
        return ask("Paste that whole address here: ")


def ask(question: str) -> str:
    """Asks on stderr, as stdout is for data; gives one line."""
    try:
        sys.stderr.write(question)
        sys.stderr.flush()
        answer = sys.stdin.readline() if sys.stdin else ""
    except UnicodeDecodeError:
        answer = "\ufffd\n"
    except KeyboardInterrupt:
        _tell("")  # what is said next begins on a line of its own
        raise
    if not answer:
        _tell("")
        raise AuthError("The input ended before the answer came.", hint="Run 'lht login' again.")
    return answer


def _browser() -> BaseBrowser | None:
    """The browser that opens addresses here: BROWSER's, or the system's, unless it is one for terminals."""
    import webbrowser  # noqa: PLC0415 - only a login needs it

    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return None
    return None if getattr(found, "name", "") in TEXT_BROWSERS else found


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
