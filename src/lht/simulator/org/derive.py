"""Fields that the org fills in from others of the same record, stored with it and so under its stamps."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, TypeAlias

from lht.simulator.org.objects.picklists import FORECASTS, STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from lht.simulator.org.values import Stored

Row: TypeAlias = "dict[str, Stored]"


def derived(object_name: str, row: Mapping[str, Stored], sent: Mapping[str, Stored], now: datetime) -> Row:
    """Gives the derived fields of a record; `row` is the record after the change, `sent` what was changed."""
    rule = _RULES.get(object_name)
    return rule(row, sent, now) if rule else {}


def _person(row: Mapping[str, Stored], _sent: Mapping[str, Stored], _now: datetime) -> Row:
    parts = (row.get("FirstName"), row.get("LastName"))
    return {"Name": " ".join(str(part) for part in parts if part)[:121]}


def _opportunity(row: Mapping[str, Stored], sent: Mapping[str, Stored], now: datetime) -> Row:
    usual, category, is_closed, is_won = STAGES.get(str(row["StageName"]), (0, "Pipeline", False, False))
    found: Row = {"IsClosed": is_closed, "IsWon": is_won, **_fiscal(row["CloseDate"])}
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


def _fiscal(closes: Stored) -> Row:
    day: date = closes  # type: ignore[assignment]  # the field is required and a date
    quarter = (day.month + 2) // 3
    return {"FiscalYear": day.year, "FiscalQuarter": quarter, "Fiscal": f"{day.year} {quarter}"}


def _task(row: Mapping[str, Stored], sent: Mapping[str, Stored], now: datetime) -> Row:
    is_closed = row.get("Status") == "Completed"
    found: Row = {"IsClosed": is_closed, "IsHighPriority": row.get("Priority") == "High"}
    about = str(row.get("WhatId") or "")
    found["AccountId"] = about if about.startswith("001") else None
    if "Status" in sent:
        found["CompletedDateTime"] = now if is_closed else None
    return found


def _attachment(row: Mapping[str, Stored], _sent: Mapping[str, Stored], _now: datetime) -> Row:
    return {"BodyLength": len(base64.b64decode(str(row.get("Body") or "")))}


_RULES: dict[str, Callable[[Mapping[str, Stored], Mapping[str, Stored], datetime], Row]] = {
    "Contact": _person,
    "User": _person,
    "Opportunity": _opportunity,
    "Task": _task,
    "Attachment": _attachment,
}
