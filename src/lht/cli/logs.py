"""LHT's log on stderr: events with keys, as lines for people or as JSON for programs."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.cli.screen import Event, Screen

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; all else are an event's own keys."""


@contextmanager
def logging_to(screen: Screen) -> Iterator[None]:
    """Logs warnings and a run's steps for one command; with `-v` everything, with `-q` errors only.

    Afterwards logging is as it was: a program that runs commands keeps its own.
    """
    logger = logging.getLogger("lht")
    before = (logger.handlers[:], logger.propagate, logger.level)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if screen.log_format == "json" else Lines())
    logger.handlers[:], logger.propagate = [handler], False
    logger.setLevel(_level(screen))
    try:
        yield
    finally:
        logger.handlers[:], logger.propagate = before[0], before[1]
        logger.setLevel(before[2])


def _level(screen: Screen) -> int:
    if screen.quiet:
        return logging.ERROR
    return logging.DEBUG if screen.verbose else logging.INFO


def log_event(event: Event) -> None:
    """Logs an event of a run, with its keys; counts of rows on their way are for `-v`."""
    told = event.kind if event.message else None
    keys = {"object": event.object, "event": told, "done": event.done or None, "total": event.total}
    known = {key: value for key, value in keys.items() if value is not None}
    logging.getLogger("lht.run").log(_event_level(event), event.message or event.kind, extra=known)


def _event_level(event: Event) -> int:
    if event.kind == "failed":
        return logging.ERROR
    if event.kind == "warning":
        return logging.WARNING
    return logging.DEBUG if event.kind in {"waiting", "reading"} else logging.INFO


class Lines(logging.Formatter):
    """A log line for people: level, object, message, keys. The kind of an event is for programs."""

    def format(self, record: logging.LogRecord) -> str:
        keys = _keys(record)
        lead = f"{name}: " if (name := keys.pop("object", "")) else ""
        keys.pop("event", None)
        text = f"{record.levelname.lower()}: {lead}{record.getMessage()} {_spelled(keys)}".rstrip()
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class JsonLines(logging.Formatter):
    """A log line for programs: one JSON document."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_keys(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def _spelled(keys: dict[str, object]) -> str:
    done, total = keys.pop("done", None), keys.pop("total", None)
    parts = [f"{key}={value}" for key, value in keys.items()]
    if isinstance(total, int):
        parts.insert(0, f"{total:,} rows" if done is None else f"{done:,} of {total:,} rows")
    elif done is not None:
        parts.insert(0, f"{done:,} rows")
    return " ".join(parts)


def _keys(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in STANDARD}
