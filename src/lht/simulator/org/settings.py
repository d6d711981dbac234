"""What may be changed about a running org without touching its records."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


MOST = 1_000_000_000
AT_LEAST_ONE = frozenset({"page_size", "page_bytes", "parallel_pages", "jobs_per_list", "parallel_chunks"})
AT_MOST_ONE = frozenset({"lock_rate"})


@dataclass(slots=True)
class Settings:
    """Delays in seconds, sizes in rows."""

    job_delay_s: float = 0.0
    """How long a Bulk job takes at least; half of it passes before the job is InProgress."""
    page_size: int = 100_000
    """Rows of a result page where the request names no maxRecords."""
    page_bytes: int = 100_000_000
    """As much of a result as such a page may hold; one row always fits."""
    most_page_rows: int = 0
    """Rows that no page exceeds, whatever maxRecords asks for; 0 is no such bound."""
    parallel_pages: int = 5
    """Page addresses in one answer of resultPages."""
    jobs_per_list: int = 1_000
    most_upload_bytes: int = 112_500_000
    """How large the data of an ingest job may be: what base64 would make 150 million bytes of."""
    chunk_delay_s: float = 0.0
    """How long an ingest job rests before each chunk of 200 records."""
    bulk_rows_per_day: int = 150_000_000
    """How many records ingest jobs may bring in 24 hours."""
    hard_delete: bool = False
    """Whether the user may delete records past the recycle bin."""
    token_lifetime_s: float = 7_200.0
    """How long a session lives after its last use."""
    job_life_days: float = 7.0
    recycle_bin_days: float = 15.0
    """How long a deleted record can be undeleted."""
    purge_after_hours: float = 24.0
    """How long a row that was emptied out of the bin is still there for queryAll."""
    archive_after_days: float = 365.0
    """How long ago an activity must have been over for an archiving to take it."""
    round_decimals: bool = True
    """Whether numbers are rounded to their field's scale as they are saved, or kept as they came."""
    set_audit_fields: bool = False
    """Whether new records may be given who made and changed them, and when."""
    lock_rate: float = 0.0
    """How likely a chunk of a Bulk job waits in vain for a row that another chunk at the same time has locked, from
    0 to 1; 0 is an org whose locks are always released in time."""
    parallel_chunks: int = 10
    """How many chunks of an ingest job are under way together."""
    lock_seed: int = 1
    """What the draws for that begin with."""
    enforce_limits: bool = True
    """Whether a limit that is used up refuses anything; they are counted all the same."""
    limits_lag_s: float = 0.0
    """How old the answer of /limits may be."""
    record_count_lag_s: float = 0.0
    """How old the counts of recordCount may be."""
    long_requests: int = 25
    """How many requests may be under way for long before further ones are refused."""
    long_request_s: float = 20.0
    """From when on a request is a long one."""

    api_enabled_for_org: bool = True
    """Whether the org has the API at all."""
    api_enabled_for_user: bool = True
    """Whether the user may use it."""

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
    if known[name] is bool:
        return _flag(name, value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        raise ValueError(f"{name} must be a number from 0 to {MOST:,d}")
    if known[name] is int and value != int(value):
        raise ValueError(f"{name} must be a whole number")
    if name in AT_LEAST_ONE and value < 1:
        raise ValueError(f"{name} must be at least 1")
    if name in AT_MOST_ONE and value > 1:
        raise ValueError(f"{name} must be from 0 to 1")
    return known[name](value)  # type: ignore[no-any-return]  # int or float, as the fields are


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false")  # noqa: TRY004 - callers know of one kind of refusal
    return value
