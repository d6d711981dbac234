"""Fields that the org fills in from others of the same record, stored with it and so under its stamps."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from lht.simulator.org.effects.event_times import event_span
from lht.simulator.org.objects.picklists import CLOSED_CASE, FORECASTS, STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from lht.simulator.org.writes.values import Stored

Row: TypeAlias = "dict[str, Stored]"


def derived(
    object_name: str,
    row: Mapping[str, Stored],
    sent: Mapping[str, Stored],
    now: datetime,
    *,
    fiscal_start: int = 1,
) -> Row:
    """Gives the derived fields of a record; `row` is the record after the change, `sent` what was changed."""
    rule = _RULES.get(object_name)
    found = rule(row, sent, now) if rule else {}
    return found | _fiscal(row["CloseDate"], fiscal_start) if object_name == "Opportunity" else found


def fiscal_columns(day: str, fiscal_start: int) -> dict[str, str]:
    """Writes, as SQL over a date, the fields that tell its fiscal period."""
    shifted = f"({day} + INTERVAL {_months_ahead(fiscal_start)} MONTH)"
    year, quarter = f"year({shifted})", f"quarter({shifted})"
    return {"FiscalYear": year, "FiscalQuarter": quarter, "Fiscal": f"{year} || ' ' || {quarter}"}


def _person(row: Mapping[str, Stored], _sent: Mapping[str, Stored], _now: datetime) -> Row:
    parts = (row.get("FirstName"), row.get("LastName"))
    return {"Name": " ".join(str(part) for part in parts if part)[:121]}


def _opportunity(row: Mapping[str, Stored], sent: Mapping[str, Stored], now: datetime) -> Row:
    usual, category, is_closed, is_won = STAGES.get(str(row["StageName"]), (0, "Pipeline", False, False))
    found: Row = {"IsClosed": is_closed, "IsWon": is_won}
    if "StageName" in sent:
        found |= {"Probability": float(usual), "ForecastCategory": category, "LastStageChangeDate": now}
        found["ForecastCategoryName"] = FORECASTS[category]
        found |= {
            name: sent[name] for name in ("Probability", "ForecastCategoryName") if sent.get(name) is not None
        }
    likely = found.get("Probability", row.get("Probability"))
    return found | {"ExpectedRevenue": _share(row.get("Amount"), likely)}


def _share(amount: Stored, percent: Stored) -> float | None:
    if not isinstance(amount, (int, float)):
        return None
    return round(amount * float(str(percent or 0)) / 100, 2)


def _fiscal(closes: Stored, fiscal_start: int) -> Row:
    """A fiscal year is called after the calendar year in which it ends."""
    day: date = closes  # type: ignore[assignment]  # the field is required and a date
    months = day.year * 12 + day.month - 1 + _months_ahead(fiscal_start)
    year, quarter = months // 12, months % 12 // 3 + 1
    return {"FiscalYear": year, "FiscalQuarter": quarter, "Fiscal": f"{year} {quarter}"}


def _months_ahead(fiscal_start: int) -> int:
    """How far the fiscal year runs before the calendar year."""
    return (13 - fiscal_start) % 12


def _task(row: Mapping[str, Stored], sent: Mapping[str, Stored], now: datetime) -> Row:
    is_closed = row.get("Status") == "Completed"
    found: Row = {"IsClosed": is_closed, "IsHighPriority": row.get("Priority") == "High"}
    about = str(row.get("WhatId") or "")
    found["AccountId"] = about if about.startswith("001") else None
    if "Status" in sent:
        found["CompletedDateTime"] = now if is_closed else None
    return found


def _case(row: Mapping[str, Stored], sent: Mapping[str, Stored], now: datetime) -> Row:
    """Internal comments make a comment, which this org does not keep: they are not part of the case."""
    is_closed = row.get("Status") == CLOSED_CASE
    found: Row = {"IsClosed": is_closed, "Comments": None}
    if "Status" in sent:
        found["ClosedDate"] = (row.get("ClosedDate") or now) if is_closed else None
    return found


def _lead(row: Mapping[str, Stored], sent: Mapping[str, Stored], now: datetime) -> Row:
    converted: Row = {"ConvertedDate": now.date()} if sent.get("IsConverted") else {}
    return _person(row, sent, now) | converted


def _event(row: Mapping[str, Stored], sent: Mapping[str, Stored], _now: datetime) -> Row:
    begin, end = event_span(row, sent)
    is_all_day = bool(row.get("IsAllDayEvent"))
    about = str(row.get("WhatId") or "")
    lasts = end - begin + (timedelta(days=1) if is_all_day else timedelta())
    return {
        "ActivityDate": begin.date(),
        "ActivityDateTime": None if is_all_day else begin,
        "StartDateTime": begin,
        "EndDateTime": end,
        "EndDate": end.date(),
        "DurationInMinutes": int(lasts.total_seconds() // 60),
        "AccountId": about if about.startswith("001") else None,
        "EventSubtype": row.get("EventSubtype") or "Event",
    }


def _attachment(row: Mapping[str, Stored], _sent: Mapping[str, Stored], _now: datetime) -> Row:
    return {"BodyLength": len(base64.b64decode(str(row.get("Body") or "")))}


_RULES: dict[str, Callable[[Mapping[str, Stored], Mapping[str, Stored], datetime], Row]] = {
    "Contact": _person,
    "User": _person,
    "Opportunity": _opportunity,
    "Task": _task,
    "Attachment": _attachment,
    "Case": _case,
    "Event": _event,
    "Individual": _person,
    "Lead": _lead,
}
