"""Both sides of a sync for a test: a local org reached by plain HTTP, and an LHT that syncs it into a warehouse."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from lakes import DuckDBLake, Lake

from lht.mapping.names import column_name
from lht.model.sync import ObjectResult, SyncEvent, SyncOptions, SyncRequest, SyncResult
from lht.sfdc.auth import Login
from lht.sfdc.org import Org
from lht.sfdc.transport import Transport
from lht.sync.engine import plan_only, run_sync

if TYPE_CHECKING:
    from pathlib import Path

    from lht.model.sync import SyncPlan
    from lht.testing.simulator import LocalOrg

VERSION = "v66.0"
ROWS = 3000
"""Accounts of an org that is too large for REST, so that a Bulk job is used; some of them are deleted."""


class Rest:
    """The org as its users see it; not a line of it is LHT's."""

    def __init__(self, org: LocalOrg) -> None:
        self.url = org.url
        form = {
            "grant_type": "client_credentials",
            "client_id": org.client_id,
            "client_secret": org.client_secret,
        }
        body = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"{org.url}/services/oauth2/token", body) as answer:
            self.token = json.load(answer)["access_token"]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/services/data/{VERSION}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def create(self, object_name: str, **values: Any) -> str:
        return str(self.call("POST", f"sobjects/{object_name}/", values)["id"])

    def update(self, object_name: str, record_id: str, **values: Any) -> None:
        self.call("PATCH", f"sobjects/{object_name}/{record_id}", values)

    def delete(self, object_name: str, record_id: str) -> None:
        self.call("DELETE", f"sobjects/{object_name}/{record_id}")

    def query(self, soql: str, *, include_deleted: bool = True) -> list[dict[str, Any]]:
        resource = "queryAll" if include_deleted else "query"
        page = self.call("GET", f"{resource}?{urllib.parse.urlencode({'q': soql})}")
        records = list(page["records"])
        while not page["done"]:
            page = self.call("GET", page["nextRecordsUrl"].partition(f"{VERSION}/")[2])
            records += page["records"]
        return records


@dataclass
class World:
    """One org, one warehouse, and what the last sync told."""

    local: LocalOrg
    spool_dir: Path
    lake: Lake
    rest: Rest
    org: Org
    events: list[SyncEvent] = field(default_factory=list)
    runs: int = 0

    def requests(
        self, *objects: str, table: str | None = None, key: str = "Id", **options: Any
    ) -> list[SyncRequest]:
        return [SyncRequest(name, table=table, key=key, options=SyncOptions(**options)) for name in objects]

    def interrupted(
        self, object_name: str = "Account", *, at: str = "reading", skip: int = 0, **options: Any
    ) -> None:
        """Syncs, and presses Ctrl-C at an event of that kind: the first, or after as many as are let pass."""
        passed = count()

        def interrupt(event: SyncEvent) -> None:
            if event.kind == at and next(passed) >= skip:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.run(object_name, on_event=interrupt, **options)

    def run(self, *objects: str, on_event: Any = None, **options: Any) -> SyncResult:
        self.runs += 1
        self.events.clear()
        return run_sync(
            self.org,
            self.lake.warehouse(),
            self.requests(*objects, **options),
            run_id=f"run{self.runs:04}",
            spool_dir=self.spool_dir,
            on_event=on_event or self.events.append,
        )

    def sync(self, object_name: str = "Account", **options: Any) -> ObjectResult:
        """Syncs one object; raises what stopped it."""
        result = self.run(object_name, **options)
        if result.failures:
            raise result.failures[0]
        return result.objects[0]

    def plan(self, object_name: str = "Account", **options: Any) -> SyncPlan:
        (request,) = self.requests(object_name, **options)
        return plan_only(self.org, self.lake.warehouse(), request, spool_dir=self.spool_dir)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.lake.rows(sql)

    def execute(self, *statements: str) -> None:
        """Changes the warehouse behind LHT's back."""
        for sql in statements:
            self.lake.rows(sql)

    def named(self, *fields: str) -> tuple[str, ...]:
        """The columns of fields, as the warehouse stores them."""
        return tuple(column_name(field, self.lake.warehouse().capabilities) for field in fields)

    def types(self, table: str = "Account") -> dict[str, str]:
        """A table's columns, in order, with their types in the words of lht.toml."""
        warehouse = self.lake.warehouse()
        return {c.name: str(c.type) for c in warehouse.columns(warehouse.table_name(table)) or ()}

    def type_of(self, field: str, table: str = "Account") -> str:
        return self.types(table)[self.named(field)[0]]

    def value(self, sql: str) -> Any:
        return self.rows(sql)[0][0]

    def reasons(self) -> list[str]:
        return [event.message for event in self.events if event.kind == "planned"]

    def close(self) -> None:
        self.org.close()
        self.lake.close()

    def paths(self) -> list[str]:
        """What LHT and the test asked the org for, without the query."""
        return [f"{entry['method']} {entry['path']}" for entry in self.local.admin.requests()]


def open_world(local: LocalOrg, spool_dir: Path, lake: Lake | None = None) -> World:
    rest = Rest(local)
    login = Login(username=local.username, instance_url=local.url, access_token=rest.token)
    return World(local, spool_dir, lake or DuckDBLake(), rest, Org(login, Transport(), owns_transport=True))
