"""Runs one command line and turns whatever happens into output and an exit code."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from typer import Abort, TyperException

from lht.cli.answer import as_json, document, harmless
from lht.cli.exits import Exit, exit_of
from lht.cli.interrupts import Interrupts
from lht.cli.screen import print_blocks, silence_stdout
from lht.errors import LhtError, PlanRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typer.core import TyperGroup

INTERRUPTED = "interrupted; run the same command again"
FILE_HINT = "Check that the folder exists, that you may read and write there, and that the disk has room."
COMMON = frozenset({"--json", "--quiet", "-q", "--verbose", "-v", "--log_format", "--log-format"})
"""Options that belong behind a command's name, and are easily put before it."""


def run_process(argv: Sequence[str]) -> int:
    """Runs one command line as a process of its own, which any of the usual signals ends as Ctrl-C does."""

    def give_up() -> None:
        _fail(argv, Exit.INTERRUPTED, "INTERRUPTED", INTERRUPTED, write=_write_now)
        os._exit(Exit.INTERRUPTED)

    interrupts = Interrupts(give_up)
    interrupts.catch()
    _replace_closed_streams()
    code = run(argv, was_interrupted=lambda: interrupts.seen)
    interrupts.seen, interrupts.give_up = True, lambda: os._exit(code)  # all is said: leave without a word
    return code


def _replace_closed_streams() -> None:
    """Gives a process that was started with `>&-` somewhere to write to."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until the end
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until the end


def _write_now(text: str, stream: TextIO) -> None:
    """Writes past the stream's buffer, which may be in use where a signal arrives."""
    with suppress(OSError):
        os.write(stream.fileno(), text.encode())


def run(argv: Sequence[str], *, was_interrupted: Callable[[], bool] = lambda: False) -> int:
    """Runs one command line; never raises."""
    try:
        code = int(_command().main(list(argv), prog_name="lht", standalone_mode=False) or 0)
    except (KeyboardInterrupt, Abort):
        code = Exit.INTERRUPTED
    except SystemExit as end:  # how shell completion ends
        code = end.code if isinstance(end.code, int) else Exit.BUG
    except Exception as error:  # noqa: BLE001 - the last line of defence: nobody sees a bare trace
        if not was_interrupted():  # else it is what a driver makes of the interruption
            return _told(argv, error)
        code = Exit.INTERRUPTED
    if code == Exit.INTERRUPTED:  # Typer turns Ctrl-C into this number, and says nothing
        return _fail(argv, Exit.INTERRUPTED, "INTERRUPTED", INTERRUPTED)
    return code


def _told(argv: Sequence[str], error: Exception) -> int:
    match error:
        case TyperException():
            return _usage(argv, error)
        case PlanRefusedError(mistakes=(_, *_)):
            return _refused(argv, error)
        case LhtError():
            return _fail(argv, exit_of(type(error)), error.code, error.message, error.hint)
        case BrokenPipeError():
            silence_stdout()
            return Exit.DONE
        case OSError(filename=str() | None, strerror=str()):
            if error.filename is None:
                silence_stdout()  # it is stdout that cannot be written: Python would try again at its end
            place = error.filename or "The output cannot be written"
            return _fail(argv, Exit.CONFIG, "CONFIG", f"{place}: {error.strerror}.", FILE_HINT)
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
    if getattr(error, "option_name", None) in COMMON and context and context.parent is None:
        hint = f"Put it behind the command: lht COMMAND {getattr(error, 'option_name', '')}"
    message = error.format_message().replace("Value error, ", "")
    return _fail(argv, Exit.USAGE, "USAGE", message, hint)


def _refused(argv: Sequence[str], error: PlanRefusedError) -> int:
    """Tells every mistake of a plan, not the first alone: whoever mends one by one starts as many runs."""
    code = exit_of(type(error))
    if _wants_json(argv):
        told = {"code": error.code, "message": error.message, "hint": error.hint, "exit": int(code)}
        sys.stdout.write(as_json({"error": {**told, "mistakes": document(error.mistakes)}}))
        return code
    from lht.cli.retl_render import refused  # noqa: PLC0415 - only refused plans need it

    print_blocks(refused(error), sys.stderr)
    return code


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


def _write(text: str, stream: TextIO) -> None:
    stream.write(text)


def _fail(
    argv: Sequence[str],
    code: Exit,
    error_code: str,
    message: str,
    hint: str = "",
    *,
    write: Callable[[str, TextIO], None] = _write,
) -> int:
    if _wants_json(argv):
        error = {"code": error_code, "message": message, "hint": hint, "exit": int(code)}
        write(as_json({"error": error}), sys.stdout)
    else:
        lead = "" if code is Exit.INTERRUPTED else "Error: "
        write(harmless(f"{lead}{message}\n" + (f"{hint}\n" if hint else "")), sys.stderr)
    return code


def _wants_json(argv: Sequence[str]) -> bool:
    """Looks for `--json` without parsing, as a command line that cannot be parsed may ask for it too."""
    words = list(argv)
    return "--json" in (words[: words.index("--")] if "--" in words else words)
