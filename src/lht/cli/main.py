"""Runs one command line and turns whatever happens into output and an exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from typer import Abort, TyperException

from lht.cli.exits import Exit, exit_of
from lht.cli.screen import silence_stdout, write_json
from lht.errors import LhtError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typer.core import TyperGroup

INTERRUPTED = "interrupted; run the same command again"


def run(argv: Sequence[str]) -> int:
    """Runs one command line; never raises."""
    try:
        code = int(_command().main(list(argv), prog_name="lht", standalone_mode=False) or 0)
    except (KeyboardInterrupt, Abort):
        code = Exit.INTERRUPTED
    except SystemExit as end:  # how shell completion ends
        code = end.code if isinstance(end.code, int) else Exit.BUG
    except Exception as error:  # noqa: BLE001 - the last line of defence: nobody sees a bare trace
        return _told(argv, error)
    if code == Exit.INTERRUPTED:  # Typer turns Ctrl-C into this number, and says nothing
        return _fail(argv, Exit.INTERRUPTED, "INTERRUPTED", INTERRUPTED)
    return code


def _told(argv: Sequence[str], error: Exception) -> int:
    match error:
        case TyperException():
            return _usage(argv, error)
        case LhtError():
            return _fail(argv, exit_of(type(error)), error.code, error.message, error.hint)
        case BrokenPipeError():
            silence_stdout()
            return Exit.DONE
    return _bug(argv, error)


def _command() -> TyperGroup:
    from typer.main import get_command  # noqa: PLC0415 - after argv is known to be ours

    from lht.cli.app import app  # noqa: PLC0415

    return get_command(app)  # type: ignore[return-value]  # an app with several commands is a group


def _usage(argv: Sequence[str], error: TyperException) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(error.format_message() + "\n")
        return Exit.DONE
    context = getattr(error, "ctx", None)
    hint = f"See '{context.command_path} --help'." if context else "See 'lht --help'."
    return _fail(argv, Exit.USAGE, "USAGE", error.format_message(), hint)


def _bug(argv: Sequence[str], error: Exception) -> int:
    """Says that this is our fault; the trace goes to stderr with -v, else to a file that is named."""
    import traceback  # noqa: PLC0415 - only bugs need it

    trace = "".join(traceback.format_exception(error))
    if {"-v", "--verbose"} & set(argv):
        sys.stderr.write(trace)
        hint = "Please report it with the trace above."
    else:
        hint = _save_trace(trace)
    return _fail(argv, Exit.BUG, "BUG", f"this is a bug in LHT: {type(error).__name__}: {error}", hint)


def _save_trace(trace: str) -> str:
    from tempfile import NamedTemporaryFile  # noqa: PLC0415 - only bugs need it

    try:
        with NamedTemporaryFile(
            "w", prefix="lht-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(trace)
    except OSError:
        return "Please report it; run it again with -v to see where it happened."
    return f"Please report it with {file.name}."


def _fail(argv: Sequence[str], code: Exit, error_code: str, message: str, hint: str = "") -> int:
    if _wants_json(argv):
        error = {"code": error_code, "message": message, "hint": hint, "exit": int(code)}
        write_json({"error": error})
    else:
        lead = "" if code is Exit.INTERRUPTED else "Error: "
        sys.stderr.write(f"{lead}{message}\n" + (f"{hint}\n" if hint else ""))
    return code


def _wants_json(argv: Sequence[str]) -> bool:
    """Looks for `--json` without parsing, as a command line that cannot be parsed may ask for it too."""
    words = list(argv)
    return "--json" in (words[: words.index("--")] if "--" in words else words)
