"""The five-minute tour: a local org, a login, two syncs, what changed between them, and the way back. Repeatable."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lht.app import access, setup, syncing, tables
from lht.cli import render, stand_in
from lht.cli.answer import Answer, Table, number
from lht.cli.demo_retl import FILE as EDITS_FILE
from lht.cli.demo_retl import KEY, WayBack
from lht.cli.exits import Exit
from lht.cli.local import DEFAULT_PORT
from lht.cli.local_org import DUCKDB, WAREHOUSE, ask_admin, started_org, write_connections
from lht.cli.screen import print_blocks
from lht.errors import ConfigError
from lht.mapping.names import column_name
from lht.state.tables import system_columns
from lht.warehouse.statements import Statement, quote, quote_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.cli.answer import Block
    from lht.cli.screen import Screen
    from lht.model.sync import SyncResult
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse

MARK = ".lht-demo"
SEED = 7
TABLES = {
    "Account": "ACCOUNTS",
    "Contact": "CONTACTS",
    "Opportunity": "OPPORTUNITIES",
    "Specimen__c": "SPECIMENS",
}
NEW_FIELD = "Segment__c"
SHOWN = 20
COUNTS = {6: "Six", 7: "Seven"}


@dataclass(frozen=True, slots=True)
class Place:
    """The warehouse of one run: its lines in `connections.toml`, and how people find it again afterwards."""

    connection: str
    told: str
    starts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tour:
    """One run of the tour in its own folder. `kind` is `duckdb` or `snowflake`."""

    screen: Screen
    folder: Path
    records: int
    kind: str = "duckdb"

    def run(self) -> Answer:
        """Takes the tour; the folder stays, for the commands that it ends with."""
        if self.kind == "snowflake":
            stand_in.check_installed()
        self._make_folder()
        port = DEFAULT_PORT if _is_free(DEFAULT_PORT) else 0
        with (
            started_org(port, path=self.folder / "org", records=self.records, seed=SEED) as running,
            self._place() as place,
        ):
            self._say(f"1  A local Salesforce org with {number(self.records)} Accounts runs at {running.url}")
            write_connections(self.folder, running, warehouse=place.connection)
            settings = access.settings_of(self.folder)
            result = setup.login(settings)
            self._say(f"2  Logged in through OAuth as {result.username} (org {result.org_id})")
            with access.open_org(settings) as org, access.open_target(settings, WAREHOUSE) as target:
                syncs, changes = self._tour(org, target.warehouse, running.url, place)
                self._say(changes)
                written = WayBack(org, target.warehouse, running.url, self.folder, self._say).run()
        return self._answer(syncs, written, self._commands(running.url, place))

    @contextmanager
    def _place(self) -> Iterator[Place]:
        """Gives the warehouse to sync into, running where it is a server."""
        if self.kind == "duckdb":
            yield Place(DUCKDB, f"{self.folder / 'lake.duckdb'}")
            return
        port = stand_in.DEFAULT_PORT if _is_free(stand_in.DEFAULT_PORT) else 0
        kept = self.folder / "stand-in"
        with stand_in.started_stand_in(kept, port, log=self.folder / "stand-in.log") as running:
            self._say(
                f"0  A local stand-in for Snowflake answers at {running.url}",
                "     It is no account: the real connector speaks to it, but what it shows of Snowflake is limited.",
                "     docs/snowflake.md says what, and how to set up an account.",
            )
            start = f"  {shlex.join(stand_in.command(kept, running.port))} &"
            yield Place(running.connection, f"the stand-in, kept in {kept}", (start,))

    def _answer(self, syncs: list[SyncResult], written: dict[str, Any], commands: list[str]) -> Answer:
        first, second = syncs
        document = {
            "folder": str(self.folder),
            "warehouse": self.kind,
            "first": render.synced(first).document,
            "second": render.synced(second).document,
            "written": written,
            "next": [command.strip() for command in commands],
        }
        ends = [render.synced(result).exit for result in syncs]
        title = f"{COUNTS[len(commands)]} commands to try next:"
        return Answer(document, [title, *commands], exit=next((code for code in ends if code), Exit.DONE))

    def _tour(self, org: Org, warehouse: Warehouse, url: str, place: Place) -> tuple[list[SyncResult], Table]:
        self._create(org, warehouse, place)
        first = self._sync(org, warehouse, "4  The first sync reads every record:")
        changed = _change_org(org, url)
        self._say("5  The org changes:", *(f"     {line}" for line in changed))
        before = _names(warehouse)
        second = self._sync(org, warehouse, "6  The second sync reads only what changed:")
        return [first, second], _what_changed(warehouse, second, before)

    def _create(self, org: Org, warehouse: Warehouse, place: Place) -> None:
        types = access.overrides()
        made = [
            tables.create(org, warehouse, sobject, table, overrides=types)
            for sobject, table in TABLES.items()
        ]
        listed = ", ".join(
            f"{table} ({len(result.columns)} columns)"
            for table, result in zip(TABLES.values(), made, strict=True)
        )
        self._say(f"3  Created tables in {place.told}: {listed}")

    def _sync(self, org: Org, warehouse: Warehouse, title: str) -> SyncResult:
        requests = [r for name, table in TABLES.items() for r in syncing.requests_for([name], table=table)]
        with self.screen.bars() as on_event:
            result = syncing.sync_objects(
                org, warehouse, requests, spool_dir=self.folder / "spool", on_event=on_event
            )
        self._say(title, *render.synced(result).blocks)
        return result

    def _say(self, *blocks: Block) -> None:
        """Tells the story as it happens; with `--json` only the end is told."""
        if not self.screen.as_json:
            print_blocks([*blocks, ""], sys.stdout)
            sys.stdout.flush()

    def _make_folder(self) -> None:
        """Makes the folder anew; one that the tour did not make is left alone."""
        if self.folder.exists() and any(self.folder.iterdir()):
            if not (self.folder / MARK).exists():
                raise ConfigError(
                    f"{self.folder} is not empty, and not a folder of the tour.",
                    hint="Choose another with --dir.",
                )
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / MARK).touch()
        (self.folder / ".gitignore").write_text("*\n", encoding="utf-8")

    def _commands(self, url: str, place: Place) -> list[str]:
        """Commands that work as they are printed, from where the tour was started."""
        lht = _program()
        port = url.rpartition(":")[2]
        where = "" if port == str(DEFAULT_PORT) else f" --port {port}"
        here = f"{lht} -C {self.folder}"
        return [
            f"  {lht} simulator start --path {self.folder / 'org'}{where} --detach",
            *place.starts,
            f"  {here} sync --sobject Task --table TASKS",
            f'  {here} query --soql "SELECT Name, Industry, {NEW_FIELD} FROM Account WHERE {NEW_FIELD} != null"',
            f"  {here} retl_upsert --sobject Account --query {EDITS_FILE} --field {KEY} --dry_run",
            f"  {here} describe Contact",
            f"  {here} runs",
        ]


def _program() -> str:
    """How this program can be called again from here: by its name if that finds it."""
    called = Path(sys.argv[0])
    if shutil.which("lht") == str(called.absolute()):
        return "lht"
    if called.name == "lht" and called.exists():
        return os.path.relpath(called)
    return f"{sys.executable} -m lht"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _change_org(org: Org, url: str) -> list[str]:
    """Changes the org as its users and its administrator would; gives one sentence for each change."""
    ask_admin(
        url,
        "/objects/Account/fields",
        {"name": NEW_FIELD, "type": "string", "length": 40, "label": "Segment"},
    )
    accounts = _ids(org, "Account", 6)
    contacts = _ids(
        org, "Contact", 4, "WHERE Id NOT IN (SELECT ContactId FROM Case)"
    )  # a case keeps its contact
    for name in ("Aurora Borealis Ltd", "Cordillera Coffee"):
        _send(org, "POST", "Account", {"Name": name, NEW_FIELD: "New business"})
    for record in accounts[:3]:
        _send(org, "PATCH", f"Account/{record}", {NEW_FIELD: "Key account"})
    for number_, record in enumerate(contacts[:2]):
        _send(org, "PATCH", f"Contact/{record}", {"Title": f"Head of Demos {number_ + 1}"})
    for record in (*contacts[2:4],):
        _send(org, "DELETE", f"Contact/{record}", None)
    for record in _ids(org, "Opportunity", 2):
        _send(org, "PATCH", f"Opportunity/{record}", {"StageName": "Closed Won", "Amount": 125000.5})
    return [
        f"an administrator adds the field {NEW_FIELD} to Account",
        "2 Accounts are inserted, 3 get a value in the new field",
        "2 Contacts get a new title, 2 are deleted",
        "2 Opportunities are won",
    ]


def _ids(org: Org, sobject: str, count: int, where: str = "") -> list[str]:
    soql = f"SELECT Id FROM {sobject} {where} ORDER BY CreatedDate DESC LIMIT {count}"
    page = org.request("GET", "query", params={"q": soql}).json()
    return [record["Id"] for record in page["records"]]


def _send(org: Org, method: str, path: str, body: dict[str, Any] | None) -> None:
    org.request(method, f"sobjects/{path}", json=body)


DETAILS = {"Account": NEW_FIELD, "Contact": "Title", "Opportunity": "StageName", "Specimen__c": "Name"}


def _column(warehouse: Warehouse, field: str) -> str:
    """A field's column as SQL names it in this warehouse."""
    return quote(column_name(field, warehouse.capabilities))


def _names(warehouse: Warehouse) -> dict[str, object]:
    """What each row's telling field held, by Id."""
    found: dict[str, object] = {}
    for sobject, table in TABLES.items():
        name = warehouse.table_name(table)
        key, column = _column(warehouse, "Id"), _column(warehouse, DETAILS[sobject])
        there = column in {quote(c.name) for c in warehouse.columns(name) or ()}
        sql = f"SELECT {key}, {column if there else 'NULL'} AS {quote('DETAIL')} FROM {quote_table(name)}"
        found.update(_pairs(warehouse, sql))
    return found


def _pairs(warehouse: Warehouse, sql: str) -> dict[str, object]:
    return {str(key): value for key, value in warehouse.query(Statement(sql))}


def _what_changed(warehouse: Warehouse, second: SyncResult, before: dict[str, object]) -> Table:
    """The rows that the second sync wrote, with the telling field before and after."""
    rows: list[tuple[str, ...]] = []
    system = system_columns(warehouse.capabilities)
    for sobject, table in TABLES.items():
        field = DETAILS[sobject]
        key_, title_, value_ = (_column(warehouse, name) for name in ("Id", "Name", field))
        sql = (
            f"SELECT {key_}, {title_}, {value_} AS {quote('DETAIL')}, {quote(system.deleted_at)} IS NOT NULL AS {quote('GONE')}\n"
            f"FROM {quote_table(warehouse.table_name(table))}\n"
            f"WHERE {quote(system.run_id)} = ? ORDER BY {title_} LIMIT {SHOWN}"
        )
        for key, title, value, deleted in warehouse.query(Statement(sql, (second.run_id,))):
            what = "deleted" if deleted else "updated" if str(key) in before else "inserted"
            then = before.get(str(key))
            told = "" if deleted else f"{field}: {_shown(then)} -> {_shown(value)}"
            rows.append((table, str(title), what, told))
    return Table(("TABLE", "NAME", "WHAT", "CHANGE"), rows, "7  What changed in the warehouse:")


def _shown(value: object) -> str:
    return "(empty)" if value is None else str(value)
