"""What may be changed about a running org without touching its records."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


MOST = 1_000_000_000


@dataclass(slots=True)
class Settings:
    """Delays in seconds, sizes in rows."""

    job_delay_s: float = 0.0
    """How long a Bulk job takes at least; half of it passes before the job is InProgress."""
    page_size: int = 100_000
    """Rows of a result page where the request names no maxRecords."""
    parallel_pages: int = 5
    """Page addresses in one answer of resultPages."""
    token_lifetime_s: float = 7_200.0
    """How long a session lives after its last use."""
    job_life_days: float = 7.0

    def change(self, changes: Mapping[str, Any]) -> None:
        """Changes settings by name; raises ValueError and changes nothing if a name or a value is wrong."""
        known = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        checked = {name: _checked(name, value, known) for name, value in changes.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def values(self) -> dict[str, Any]:
        """Gives every setting by name."""
        return asdict(self)


def _checked(name: str, value: object, known: Mapping[str, type]) -> float:
    if name not in known:
        raise ValueError(f"no setting is called {name}; there are {', '.join(sorted(known))}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        raise ValueError(f"{name} must be a number from 0 to {MOST:,d}")
    if known[name] is int and value != int(value):
        raise ValueError(f"{name} must be a whole number")
    if name in ("page_size", "parallel_pages") and value < 1:
        raise ValueError(f"{name} must be at least 1")
    return known[name](value)  # type: ignore[no-any-return]  # int or float, as the fields are
