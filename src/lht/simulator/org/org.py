"""One Salesforce org: what its HTTP API can be asked and told, and what an admin can do to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.simulator.org import first_rows, setup, user_time
from lht.simulator.org.clock_keeper import kept_clock
from lht.simulator.org.effects import activities
from lht.simulator.org.limits.limits import Limits
from lht.simulator.org.limits.record_counts import RecordCounts
from lht.simulator.org.objects import STANDARD
from lht.simulator.org.reads.query import QueryRunner
from lht.simulator.org.reads.replication import Replication, ReplicationSettings
from lht.simulator.org.rules.record_types import record_types
from lht.simulator.org.rules.rules import RuleBook
from lht.simulator.org.rules.rules_admin import RuleAdmin
from lht.simulator.org.schemas import describe
from lht.simulator.org.schemas.catalog import Catalog
from lht.simulator.org.schemas.describe_files import NO_DESCRIBES, DescribeFiles, read_describes
from lht.simulator.org.schemas.extension import (
    add_filed_record_types,
    check_formulas,
    extend,
    extended,
    fill_defaults,
)
from lht.simulator.org.schemas.fields_admin import FieldAdmin
from lht.simulator.org.schemas.saved_record_types import add_record_types
from lht.simulator.org.schemas.schema_file import NO_FILE, SchemaFile, read_schema
from lht.simulator.org.seeds.seed import seed_records
from lht.simulator.org.settings import Settings
from lht.simulator.org.writes import merges
from lht.simulator.org.writes.open_transactions import OpenTransactions
from lht.simulator.org.writes.records import RecordKeeper
from lht.simulator.org.writes.recycle_bin import RecycleBin
from lht.simulator.store.database import MEMORY_LIMIT, Database
from lht.simulator.versions import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lht.simulator.org.reads.render import Json
    from lht.simulator.org.user_time import UserTime


@dataclass(frozen=True, slots=True)
class OrgOptions:
    """What an org is made from; `reset` makes it from the same again."""

    records: int = 0
    seed: int = 1
    schema: SchemaFile = NO_FILE
    describes: DescribeFiles = NO_DESCRIBES


class Org:
    """A local org. Safe to call from many threads; close it when done.

    What has a rule of its own to keep is asked directly: `records`, `queries`, `replication`, `fields`, `rules`, `limits`, …
    """

    def __init__(self, db: Database, catalog: Catalog, options: OrgOptions) -> None:
        self.db = db
        self.catalog = catalog
        self.options = options
        self.clock = kept_clock(db)
        self.org_id = first_rows.ORG_ID
        self.user_id = first_rows.USER_ID
        self.username = first_rows.USERNAME
        self.limits = Limits(self.clock)
        self.counts = RecordCounts(db, catalog, self.clock)
        self.settings = Settings()
        self.bin = RecycleBin(db, catalog, self.clock, self.settings, self.user_id)
        rules = RuleBook(db, catalog, self.clock, self.user_id)
        self.records = RecordKeeper(db, catalog, self.clock, self.user_id, self.bin, rules)
        self.queries = QueryRunner(db, catalog, self.clock, self.user_id)
        self.transactions = OpenTransactions(self.records)
        self.replication = Replication(db, catalog, self.clock, self.transactions)
        self.fields = FieldAdmin(db, catalog, self.clock)
        self.rules = RuleAdmin(db, self.fields, catalog, self.clock)

    @classmethod
    def open(
        cls,
        *,
        path: Path | None = None,
        records: int = 0,
        seed: int = 1,
        schema: Path | None = None,
        from_describe: Path | None = None,
        memory_limit: str = MEMORY_LIMIT,
        threads: int = 2,
    ) -> Org:
        """Opens the org under `path`, or makes one, in memory without a path, with that many seeded accounts.

        An org that is already there keeps its rows, whatever `records` says; it gets what `schema`, a file of further
        objects and fields, names and it lacks, and the objects that it lacks of `from_describe`, a folder of describes
        saved from a real org.
        """
        options = OrgOptions(records, seed, read_schema(schema), read_describes(from_describe))
        extended(
            options.describes.replaced(STANDARD), options.schema
        )  # a file that makes no sense is refused before anything is made
        db = Database(path, memory_limit=memory_limit, threads=threads)
        org = None
        try:
            org = cls(db, Catalog.load(db) or Catalog(), options)
            if setup.is_new(db):
                org._make()
                return org
            with db.transaction() as connection:  # an earlier version of this org knew fewer tables
                setup.make_side_tables(connection)
            if schema is not None or from_describe is not None:
                org._extend()
        except BaseException:
            (org or db).close()
            raise
        return org

    def close(self) -> None:
        """Closes the database."""
        self.db.close()

    # What the API asks ------------------------------------------------------------------------------------------

    def describe_global(self, *, version: str = VERSION) -> Json:
        """Gives `/sobjects/`."""
        return describe.describe_global(self.catalog, version)

    def describe(self, name: str, *, version: str = VERSION, base_url: str = "") -> Json:
        """Gives `/sobjects/X/describe/`; `base_url` is where its pages are."""
        schema = self.catalog.need(name)
        with self.db.reading() as cursor:
            types = record_types(cursor, self.catalog, schema.name)
        return describe.describe(schema, self.catalog, version, types=types, base_url=base_url)

    def user_time(self) -> UserTime:
        """Gives the running user's time zone and the org's fiscal year."""
        return user_time.user_time(self.db, self.catalog, self.user_id)

    def record_count(self, names: Sequence[str] | None = None) -> Json:
        """Gives `/limits/recordCount`: live records by object; unknown names are left out."""
        return {"sObjects": self.counts.told(names)}

    # What an admin does -----------------------------------------------------------------------------------------

    def hide_records(
        self,
        object_name: str,
        *,
        ids: Sequence[str] | None = None,
        where: str | None = None,
        hidden: bool = True,
    ) -> int:
        """Takes records out of the user's sight, or puts them back: by id, by SOQL condition, or all; gives their number."""
        return self.queries.hide(object_name, ids, where, hidden=hidden)

    def change_user_time(self, settings: Mapping[str, object]) -> None:
        """Changes the running user's time zone and the fiscal year; the settings must have been checked."""
        with self.db.transaction() as connection:
            user_time.change(connection, self.clock.stamp(), self.user_id, settings)

    def merge(
        self, object_name: str, master: str, losers: Sequence[str], fields: Mapping[str, object]
    ) -> None:
        """Merges up to two records into another, which may be changed at the same time."""
        merges.merge(self.records, object_name, master, losers, fields)

    def archive(self, older_than_days: float | None = None) -> int:
        """Archives activities that were over long ago; gives their number."""
        days = self.settings.archive_after_days if older_than_days is None else older_than_days
        with self.db.transaction() as connection:
            return activities.archive(connection, self.catalog, self.clock.stamp(), days)

    def set_read_only(
        self,
        object_name: str,
        *,
        ids: Sequence[str] | None = None,
        where: str | None = None,
        read_only: bool = True,
    ) -> int:
        """Takes the user's right to change records, or gives it back: by id, by SOQL condition, or all."""
        return self.queries.set_read_only(object_name, ids, where, read_only=read_only)

    def catch_up(self) -> None:
        """Does what time alone brings: the recycle bin forgets what lay in it too long."""
        self.bin.tidy()

    def reset(self) -> None:
        """Makes the org new again: fresh objects, first rows, the same seeded records, real time, usual settings."""
        self.queries.close_all()
        self.transactions.clear()
        self.settings.change(Settings().values())
        self.clock.reset()
        self.limits.reset()
        self.replication.settings = ReplicationSettings()
        self._make()

    def _make(self) -> None:
        """Makes everything new; an org on disk that is killed meanwhile is made anew when it is next opened."""
        file = self.options.schema
        objects = extended(self.options.describes.replaced(STANDARD), file)
        fresh = Catalog(objects)
        with self.db.transaction() as connection:
            setup.drop_tables(connection, self.catalog)
            setup.make_tables(connection, fresh)
            check_formulas(connection, file, objects)
            setup.add_first_rows(connection, fresh, self.clock.stamp())
            add_record_types(connection, fresh, fresh, self.clock.stamp())
        self.catalog.restore(objects)
        seed_records(self.db, fresh, self.options.records, self.options.seed)
        with self.db.transaction() as connection:
            fill_defaults(connection, Catalog(), objects)
            add_filed_record_types(connection, file, fresh, self.clock.stamp())
            setup.finish(connection)

    def _extend(self) -> None:
        """Adds what the file names to an org that is already there."""
        objects = extended(self.options.describes.added(self.catalog), self.options.schema)
        with self.db.transaction() as connection:
            extend(connection, self.options.schema, self.catalog, objects)
            new = [schema for schema in objects if self.catalog.object(schema.name) is None]
            add_record_types(connection, Catalog(objects), new, self.clock.stamp())
            add_filed_record_types(connection, self.options.schema, Catalog(objects), self.clock.stamp())
        self.catalog.restore(objects)
