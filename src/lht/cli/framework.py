"""What every command shares: its options for output, its spelling, its way to an answer."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, StrEnum
from typing import Annotated, Any

import typer

from lht.cli.answer import Answer
from lht.cli.screen import Screen


class LogFormat(StrEnum):
    """How log lines on stderr are written."""

    TEXT = "text"
    JSON = "json"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log every step to stderr.")]
LogFormatOption = Annotated[LogFormat, typer.Option("--log_format", help="How log lines are written.")]


MAY_BE_EMPTY = frozenset({"table_prefix"})


def underscores(token: str) -> str:
    """Makes `--db-connect` and `bulk-status` what they are registered as: `_` and `-` are the same here."""
    return token.replace("-", "_")


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Registers a function that takes a `Screen` first and gives an `Answer`, with the common options added."""

    def register(function: Callable[..., Answer]) -> Callable[..., Answer]:
        app.command(name, help=inspect.cleandoc(function.__doc__ or ""))(_with_screen(function, name))
        return function

    return register


def _with_screen(function: Callable[..., Answer], name: str) -> Callable[..., int]:
    def run(
        *,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        log_format: LogFormat,
        **options: Any,
    ) -> int:
        _refuse_empty(options, spelled)
        words = (name, *_typed(own, options))
        screen = Screen(as_json=as_json, quiet=quiet, verbose=verbose, log_format=log_format, words=words)
        with screen.logging():
            answer = function(screen, **options)
            screen.show(answer)
        return int(answer.exit)

    functools.update_wrapper(run, function, assigned=("__module__", "__name__", "__doc__"))
    _, *own = inspect.signature(function, eval_str=True).parameters.values()
    spelled = {parameter.name: _spelling(parameter) for parameter in own}
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own] + _COMMON
    del run.__wrapped__  # type: ignore[attr-defined]  # Typer would read the signature behind the wrapper
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # how Typer is told
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _spelling(parameter: inspect.Parameter) -> str:
    """How people write an option, or what help calls an argument."""
    asked = parameter.annotation.__metadata__[0]
    words = (asked.default, *(asked.param_decls or ()), asked.metavar)  # Typer takes the first for a default
    return next(word for word in words if isinstance(word, str))


def _typed(parameters: Iterable[inspect.Parameter], options: dict[str, Any]) -> Iterator[str]:
    """The options as somebody would type them again; those that are as by default are left out."""
    for parameter in parameters:
        value = options[parameter.name]
        for item in value if isinstance(value, list) else [value]:
            if value == parameter.default or item is None:
                continue
            yield _spelling(parameter)
            if item is not True:
                yield str(item.value if isinstance(item, Enum) else item)


def _refuse_empty(options: dict[str, Any], spelled: dict[str, str]) -> None:
    """Refuses an option with nothing in it: a script's variable that was not set must not change what is meant."""
    for name, value in options.items():
        given = value if isinstance(value, list) else [value]
        if name not in MAY_BE_EMPTY and any(isinstance(text, str) and not text.strip(" ,") for text in given):
            raise typer.BadParameter("it is empty", param_hint=spelled[name])


def _option(name: str, annotation: object, default: object) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, annotation=annotation, default=default)


_COMMON = [
    _option("as_json", Json, default=False),
    _option("quiet", Quiet, default=False),
    _option("verbose", Verbose, default=False),
    _option("log_format", LogFormatOption, default=LogFormat.TEXT),
]
