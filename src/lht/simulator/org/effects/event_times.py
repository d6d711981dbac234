"""When an event begins and ends: four fields tell it, and must not contradict each other."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.simulator.org.writes.values import Stored

DAY = timedelta(days=1)


def event_span(row: Mapping[str, Stored], sent: Mapping[str, Stored]) -> tuple[datetime, datetime]:
    """Gives begin and end; those of an event of whole days are the midnights that its first and last day begin with.

    What is sent wins over what was there; an end wins over a duration that was there.
    """
    begin = _begin(row, sent)
    end = _end(row, sent, begin) if begin else None
    if begin is None or end is None:
        message = "Required fields are missing: [ActivityDateTime, DurationInMinutes]"
        raise ApiFault(400, "REQUIRED_FIELD_MISSING", message, ("ActivityDateTime", "DurationInMinutes"))
    if end < begin:
        raise ApiFault(
            400, "FIELD_INTEGRITY_EXCEPTION", "An event can't end before it starts.", ("EndDateTime",)
        )
    return begin, end


def _begin(row: Mapping[str, Stored], sent: Mapping[str, Stored]) -> datetime | None:
    names = (
        ("ActivityDate", "StartDateTime")
        if row.get("IsAllDayEvent")
        else ("StartDateTime", "ActivityDateTime")
    )
    given = [sent[name] for name in names if sent.get(name) is not None]
    found = (given or [row[name] for name in names if row.get(name) is not None] or [None])[0]
    if isinstance(found, datetime):
        return _midnight(found) if row.get("IsAllDayEvent") else found
    return datetime.combine(found, time()) if isinstance(found, date) else None


def _end(row: Mapping[str, Stored], sent: Mapping[str, Stored], begin: datetime) -> datetime | None:
    end, minutes = sent.get("EndDateTime"), sent.get("DurationInMinutes")
    is_all_day = bool(row.get("IsAllDayEvent"))
    if end is None and minutes is None:
        minutes = row.get("DurationInMinutes")  # who moves the begin keeps the length
    by_length = (
        begin + timedelta(minutes=int(str(minutes))) - (DAY if is_all_day else timedelta())
        if minutes is not None
        else None
    )
    if isinstance(end, datetime):
        end = _midnight(end) if is_all_day else end
        if by_length is not None and by_length != end:
            message = "The event's end must be its start and its duration together."
            raise ApiFault(400, "FIELD_INTEGRITY_EXCEPTION", message, ("EndDateTime", "DurationInMinutes"))
        return end
    return begin if by_length is None and is_all_day else by_length


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0)
