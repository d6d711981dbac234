"""An org with what surrounds its records: logins, jobs, settings, failures on demand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lht.simulator.org import user_time
from lht.simulator.org.effects.last_changes import LastChanges
from lht.simulator.org.faults import Faults
from lht.simulator.org.jobs.ingest import IngestBoard
from lht.simulator.org.jobs.job_ids import JobIds
from lht.simulator.org.jobs.jobs import JobBoard
from lht.simulator.org.limits.limits import checked_counts
from lht.simulator.org.limits.long_requests import LongRequests
from lht.simulator.org.oauth import OAuth
from lht.simulator.org.settings import MOST, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.limits.limits import Limits
    from lht.simulator.org.oauth import App
    from lht.simulator.org.org import Org
    from lht.simulator.org.reads.query import QueryRunner
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.writes.records import RecordKeeper
    from lht.simulator.store.database import Database

MOMENTS = ("earliest_date_available", "latest_date_covered")


class Site:
    """What the server serves. It closes the org that it was given."""

    def __init__(
        self,
        org: Org,
        settings: Mapping[str, Any] | None = None,
        *,
        app: Mapping[str, Any] | None = None,
        redirect_uris: Sequence[str] = (),
    ) -> None:
        """`app` are facts of the registered app, `redirect_uris` further addresses of it."""
        self.org = org
        self.settings = org.settings
        self.faults = Faults()
        who = (org.org_id, org.user_id)
        self.oauth = OAuth(org.db, org.clock, self.settings, who, app=app, redirect_uris=redirect_uris)
        self.job_ids = JobIds(self)
        self.jobs = JobBoard(self)
        self.ingest = IngestBoard(self)
        self.last_changes = LastChanges(org.clock, org.catalog)
        self.long_requests = LongRequests(self.settings)
        self._first = dict(settings or {})
        try:
            self.change_settings(self._first)
        except ValueError:
            self.jobs.close()
            self.ingest.close()
            raise

    @property
    def app(self) -> App:
        return self.oauth.app

    @property
    def db(self) -> Database:
        return self.org.db

    @property
    def catalog(self) -> Catalog:
        return self.org.catalog

    @property
    def records(self) -> RecordKeeper:
        return self.org.records

    @property
    def queries(self) -> QueryRunner:
        return self.org.queries

    @property
    def clock(self) -> Clock:
        return self.org.clock

    @property
    def limits(self) -> Limits:
        return self.org.limits

    @property
    def user_id(self) -> str:
        return self.org.user_id

    def all_settings(self) -> dict[str, Any]:
        """Gives every setting, the allowances and what getUpdated and getDeleted know among them."""
        replication = self.org.replication.settings
        times = self.org.user_time()
        moments = {name: _text(getattr(replication, name)) for name in MOMENTS}
        return {
            **self.settings.values(),
            **times.settings(),
            "limits": dict(self.limits.allowed),
            "most_ids": replication.most_ids,
            **moments,
        }

    def change_settings(self, changes: Mapping[str, Any]) -> None:
        """Changes settings by name; raises ValueError, with nothing changed, if one is wrong."""
        plain = dict(changes)
        limits = checked_counts(plain.pop("limits", {}), self.limits.allowed)
        replication: dict[str, object] = {
            name: _moment(name, plain.pop(name)) for name in MOMENTS if name in plain
        }
        if "most_ids" in plain:
            replication["most_ids"] = _whole(plain.pop("most_ids"))
        times = user_time.checked(plain)
        self.settings.change({name: value for name, value in plain.items() if name not in times})
        self.limits.allowed.update(limits)
        self.limits.enforced, self.limits.lag_s = self.settings.enforce_limits, self.settings.limits_lag_s
        if "record_count_lag_s" in plain:
            self.org.counts.be_late(self.settings.record_count_lag_s)
        for name, value in replication.items():
            setattr(self.org.replication.settings, name, value)
        if times:
            self.org.change_user_time(times)

    def reset(self) -> None:
        """Puts everything back to how it started, except that sessions live on."""
        self.faults.clear()
        self.jobs.reset()
        self.ingest.reset()
        self.org.reset()
        self.change_settings(Settings().values())
        self.change_settings(self._first)
        self.oauth.restore()

    def close(self) -> None:
        """Stops the jobs, then closes the org."""
        self.jobs.close()
        self.ingest.close()
        self.org.close()


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise ValueError(f"most_ids must be a whole number from 0 to {MOST:,d}")
    return value


def _moment(name: str, text: object) -> datetime | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise ValueError(f"{name} must be a time as in 2026-01-02T03:04:05Z, or null")  # noqa: TRY004 - one kind of refusal
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
