"""A local Salesforce org for a test, in this process, and a remote control for its admin endpoints."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

TIMEOUT_S = 60


class AdminError(Exception):
    """The org refused what a test asked of it."""


class Admin:
    """Calls the admin endpoints of a local org, over HTTP like everybody else; docs/simulator-admin.md has them."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/simulator"
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def reset(self) -> None:
        """Puts the org back to how it started: rows, fields, clock, settings, faults, jobs; logins live on."""
        self.call("POST", "/reset")

    def clock(self) -> dict[str, Any]:
        """Gives `{"now": …, "frozen": …}`."""
        return self.call("GET", "/clock")

    def set_clock(self, now: datetime | str, *, frozen: bool = False) -> dict[str, Any]:
        """Sets the org's time; it goes on from there unless frozen."""
        text = now if isinstance(now, str) else now.isoformat()
        return self.call("PUT", "/clock", {"now": text, "frozen": frozen})

    def advance_clock(self, seconds: float) -> dict[str, Any]:
        """Moves the org's time forward, or back."""
        return self.call("POST", "/clock/advance", {"seconds": seconds})

    def freeze_clock(self) -> dict[str, Any]:
        """Stops the org's time."""
        return self.call("POST", "/clock/freeze")

    def run_clock(self) -> dict[str, Any]:
        """Lets the org's time go on."""
        return self.call("POST", "/clock/run")

    def settings(self) -> dict[str, Any]:
        """Gives every setting with its value."""
        return self.call("GET", "/settings")

    def change_settings(self, **changes: Any) -> dict[str, Any]:
        """Changes settings by name, such as `job_delay_s=0.5`, `page_size=1000`."""
        return self.call("PATCH", "/settings", changes)

    def add_field(self, object_name: str, name: str, type: str = "string", **facts: Any) -> dict[str, Any]:  # noqa: A002 - describe's word
        """Adds a field; `facts` are describe's, such as `length=80`, in the simulator's spelling."""
        return self.call("POST", f"/objects/{object_name}/fields", {"name": name, "type": type, **facts})

    def alter_field(self, object_name: str, name: str, **facts: Any) -> dict[str, Any]:
        """Changes facts of a field; its values are converted where its type changes."""
        return self.call("PATCH", f"/objects/{object_name}/fields/{name}", facts)

    def drop_field(self, object_name: str, name: str) -> None:
        """Removes a field with its values."""
        self.call("DELETE", f"/objects/{object_name}/fields/{name}")

    def hide_field(self, object_name: str, name: str, *, hidden: bool = True) -> dict[str, Any]:
        """Takes the user's right to see a field, or gives it back."""
        return self.call("PATCH", f"/objects/{object_name}/fields/{name}", {"hidden": hidden})

    def hide_records(
        self,
        object_name: str,
        ids: Sequence[str] | None = None,
        *,
        where: str | None = None,
        hidden: bool = True,
    ) -> int:
        """Takes the user's right to see records (by ids, by a SOQL condition, or all), or gives it back."""
        body = {"ids": list(ids) if ids is not None else None, "where": where, "hidden": hidden}
        return int(self.call("POST", f"/objects/{object_name}/hide", body)["count"])

    def add_validation_rule(
        self, object_name: str, name: str, condition: str, message: str, **facts: Any
    ) -> dict[str, Any]:
        """Refuses, from now on, records for which a SOQL condition is true; `field` and `active` are facts."""
        body = {"name": name, "condition": condition, "message": message, **facts}
        return self.call("POST", f"/objects/{object_name}/validation_rules", body)

    def drop_validation_rule(self, object_name: str, name: str) -> None:
        """Ends a validation rule."""
        self.call("DELETE", f"/objects/{object_name}/validation_rules/{name}")

    def validation_rules(self, object_name: str) -> list[dict[str, Any]]:
        """Gives the validation rules of an object."""
        found = self.call("GET", f"/objects/{object_name}/validation_rules")["validation_rules"]
        return list(found)

    def add_duplicate_rule(
        self, object_name: str, name: str, fields: Sequence[str], action: str = "block", **facts: Any
    ) -> dict[str, Any]:
        """Refuses, from now on, records that agree with another in all those fields; `message` is a fact."""
        body = {"name": name, "fields": list(fields), "action": action, **facts}
        return self.call("POST", f"/objects/{object_name}/duplicate_rules", body)

    def drop_duplicate_rule(self, object_name: str, name: str) -> None:
        """Ends a duplicate rule."""
        self.call("DELETE", f"/objects/{object_name}/duplicate_rules/{name}")

    def duplicate_rules(self, object_name: str) -> list[dict[str, Any]]:
        """Gives the duplicate rules of an object."""
        found = self.call("GET", f"/objects/{object_name}/duplicate_rules")["duplicate_rules"]
        return list(found)

    def add_record_type(self, object_name: str, name: str, **facts: Any) -> dict[str, Any]:
        """Adds a record type, or changes the one of that `developer_name`; `active` is a fact too."""
        return self.call("POST", f"/objects/{object_name}/record_types", {"name": name, **facts})

    def record_types(self, object_name: str) -> list[dict[str, Any]]:
        """Gives the record types of an object, Master last."""
        return list(self.call("GET", f"/objects/{object_name}/record_types")["record_types"])

    def rename_value(self, object_name: str, field: str, old: str, new: str) -> None:
        """Gives an entry of a picklist another value, in the records too: of their stamps only SystemModstamp moves."""
        self.call("POST", f"/objects/{object_name}/fields/{field}/rename_value", {"from": old, "to": new})

    def read_only_field(self, object_name: str, name: str, *, read_only: bool = True) -> dict[str, Any]:
        """Takes the user's right to write a field that can be seen, or gives it back."""
        return self.call("PATCH", f"/objects/{object_name}/fields/{name}", {"read_only": read_only})

    def read_only_records(
        self,
        object_name: str,
        ids: Sequence[str] | None = None,
        *,
        where: str | None = None,
        read_only: bool = True,
    ) -> int:
        """Takes the user's right to change records (by ids, by a SOQL condition, or all), or gives it back."""
        body = {"ids": list(ids) if ids is not None else None, "where": where, "read_only": read_only}
        return int(self.call("POST", f"/objects/{object_name}/read_only", body)["count"])

    def merge(self, object_name: str, master: str, losers: Sequence[str], **fields: Any) -> None:
        """Merges one or two records into another, whose fields may be set at the same time."""
        body = {"object": object_name, "master": master, "losers": list(losers), "fields": fields}
        self.call("POST", "/merge", body)

    def archive(self, older_than_days: float | None = None) -> int:
        """Archives activities that were over that long ago, or as long as `archive_after_days` says; gives their number."""
        body = {} if older_than_days is None else {"older_than_days": older_than_days}
        return int(self.call("POST", "/archive", body)["count"])

    def open_transaction(self, *changes: Mapping[str, Any]) -> dict[str, Any]:
        """Opens a transaction with changes such as `{"action": "create", "object": "Account", "fields": {…}}`."""
        return self.call("POST", "/transactions", {"changes": list(changes)})

    def transactions(self) -> list[dict[str, Any]]:
        """Gives the open transactions."""
        return list(self.call("GET", "/transactions")["transactions"])

    def commit(self, transaction: str) -> dict[str, Any]:
        """Commits an open transaction, given by its id."""
        return self.call("POST", f"/transactions/{transaction}/commit")

    def roll_back(self, transaction: str) -> dict[str, Any]:
        """Rolls an open transaction back."""
        return self.call("DELETE", f"/transactions/{transaction}")

    def undelete(self, ids: Sequence[str]) -> int:
        """Takes records back out of the Recycle Bin; gives their number."""
        return int(self.call("POST", "/undelete", {"ids": list(ids)})["count"])

    def empty_bin(self, object_name: str, ids: Sequence[str] | None = None) -> int:
        """Empties deleted records out of the Recycle Bin: the given ones, or all of the object's."""
        body = {"ids": list(ids) if ids is not None else None}
        return int(self.call("POST", f"/objects/{object_name}/empty_bin", body)["count"])

    def purge(self, object_name: str, ids: Sequence[str] | None = None) -> int:
        """Removes deleted records for good: the given ones, or all of the object's."""
        body = {"ids": list(ids) if ids is not None else None}
        return int(self.call("POST", f"/objects/{object_name}/purge", body)["count"])

    def fault(self, kind: str, **facts: Any) -> int:
        """Makes the next requests (or jobs) fail: see docs/simulator-admin.md for kinds and facts. Gives its number."""
        return int(self.call("POST", "/faults", {"kind": kind, **facts})["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Gives the faults that still wait."""
        return list(self.call("GET", "/faults")["faults"])

    def clear_faults(self) -> None:
        """Forgets all faults."""
        self.call("DELETE", "/faults")

    def use_limits(self, **uses: int) -> dict[str, Any]:
        """Counts uses of limits as if they had happened, such as `DailyApiRequests=14_990`; gives what is left."""
        return self.call("POST", "/limits/use", uses)

    def expire_sessions(self) -> None:
        """Ends every session now."""
        self.call("POST", "/sessions/expire")

    def app(self) -> dict[str, Any]:
        """Gives the facts of the registered app."""
        return self.call("GET", "/app")

    def change_app(self, **facts: Any) -> dict[str, Any]:
        """Changes facts of the registered app, such as `rotation=True` or `redirect_uris=[…]`."""
        return self.call("PATCH", "/app", facts)

    def user(self) -> dict[str, Any]:
        """Gives the user that can log in."""
        return self.call("GET", "/user")

    def change_user(self, **facts: Any) -> dict[str, Any]:
        """Changes `password`, `security_token` or `active` of the user."""
        return self.call("PATCH", "/user", facts)

    def login_policy(self) -> dict[str, Any]:
        """Gives the org's own rules of logging in."""
        return self.call("GET", "/login")

    def change_login_policy(self, **facts: Any) -> dict[str, Any]:
        """Changes `login_hosts`, `my_domain`, `password_flow` or `org_active`."""
        return self.call("PATCH", "/login", facts)

    def grants(self) -> dict[str, Any]:
        """Gives `{"grants": […], "approvals": {…}}`: live refresh tokens, oldest first, and scopes by user."""
        return self.call("GET", "/grants")

    def end_grants(self) -> None:
        """Ends every refresh token and session, and forgets what was allowed."""
        self.call("DELETE", "/grants")

    def requests(self) -> list[dict[str, Any]]:
        """Gives the latest requests in order: method, path, query, status. Admin calls are not among them."""
        return list(self.call("GET", "/requests")["requests"])

    def clear_requests(self) -> None:
        """Empties the list of requests."""
        self.call("DELETE", "/requests")

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Calls one admin endpoint; raises AdminError with the org's words if it refuses."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(  # noqa: S310 - the address is a local org's
            self._url + urllib.parse.quote(path, safe="/?=&"),
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with self._open(request, timeout=TIMEOUT_S) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise AdminError(f"{method} {path}: {refusal.read().decode()}") from None
        found: dict[str, Any] = json.loads(text) if text else {}
        return found


@dataclass(frozen=True, slots=True)
class LocalOrg:
    """Where a local org listens and how to log in to it."""

    url: str
    client_id: str
    client_secret: str
    username: str
    password: str
    admin: Admin


@contextmanager
def simulator(
    records: int = 0,
    seed: int = 1,
    *,
    path: Path | None = None,
    schema: Path | None = None,
    from_describe: Path | None = None,
    port: int = 0,
    app: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Iterator[LocalOrg]:
    """Starts a local org in this process and stops it at the end.

    `schema` is a file of further objects and fields, `from_describe` a folder of describes that were saved from a real
    org: it is made like that one. `app` are facts of the registered app (such as `{"rotation": True}`), `settings` are
    those of docs/simulator-admin.md, such as `page_size=1000` or `job_delay_s=0.2`.
    """
    from lht.simulator.main import started  # noqa: PLC0415 - the server is loaded only where one is started

    with started(
        port=port,
        path=path,
        records=records,
        seed=seed,
        schema=schema,
        from_describe=from_describe,
        settings=settings,
        app=app,
    ) as running:
        known, login = running.app, running.login
        yield LocalOrg(
            running.url,
            known.client_id,
            known.client_secret,
            login.username,
            login.password,
            Admin(running.url),
        )
