"""Seeded records: related, plausible, nasty in places, made inside DuckDB from row numbers and a seed.

Same number and seed, same records, whatever the machine or the day. Nothing of it passes through Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.effects.roll_ups import count_all
from lht.simulator.org.first_rows import FIRST_ROWS
from lht.simulator.org.objects.history import STARTS
from lht.simulator.org.seeds import companions, people, sales, service, specimens
from lht.simulator.org.seeds.copies import copy_contacts, copy_people
from lht.simulator.org.seeds.fitting import fitted
from lht.simulator.org.seeds.sizes import SeedSizes
from lht.simulator.org.seeds.trails import trails
from lht.simulator.org.writes.rows import COUNTERS
from lht.simulator.store import ddl
from lht.simulator.store.database import LOG_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.store.database import Connection, Database


ROWS_AT_ONCE = 200_000
"""Rows are packed once they are committed; before that, so many take a few hundred megabytes."""


def seed_records(db: Database, catalog: Catalog, records: int, seed: int) -> None:
    """Adds that many accounts and all that goes with them, in many transactions."""
    if records <= 0:
        return
    sizes = SeedSizes.of(records)
    made = list(_statements(sizes, seed))
    counts = {name: count for name, count, _ in made}
    for name, count, statement in made:
        schema = catalog.object(name)
        if schema is None:
            continue
        with db.reading() as reader:
            select = fitted(reader, catalog, schema, statement, counts)
        for first in range(0, count, ROWS_AT_ONCE):
            span = {"first": first, "last": min(first + ROWS_AT_ONCE, count)}
            with db.transaction() as connection:
                connection.execute(f"INSERT INTO {ddl.quoted(name)} BY NAME\n{select}", span)
            db.compact()
        with db.transaction() as connection:
            _count(connection, name, count)
            _log(connection, catalog, name)
    with db.transaction() as connection:
        count_all(connection, catalog)
        copy_people(connection, catalog)
        copy_contacts(connection, catalog)


def _statements(sizes: SeedSizes, seed: int) -> Iterator[tuple[str, int, str]]:
    """Gives each object with its number of records and the SELECT that makes them."""
    yield "User", sizes.users, people.users(sizes, seed)
    yield "Account", sizes.accounts, people.accounts(sizes, seed)
    yield "Contact", sizes.contacts, people.contacts(sizes, seed)
    yield "Opportunity", sizes.opportunities, companions.opportunities(sizes, seed)
    yield "Task", sizes.tasks, companions.tasks(sizes, seed)
    yield "AccountHistory", sizes.history, companions.history(sizes, seed)
    yield "AccountShare", sizes.shares, companions.shares(sizes, seed)
    yield "Attachment", sizes.attachments, companions.attachments(sizes, seed)
    yield "Product2", sizes.products, sales.products(sizes, seed)
    yield "Pricebook2", sizes.books, sales.books(sizes, seed)
    yield "PricebookEntry", sizes.entries, sales.entries(sizes, seed)
    yield "OpportunityLineItem", sizes.lines, sales.lines(sizes, seed)
    yield "OpportunityContactRole", sizes.roles, sales.roles(sizes, seed)
    yield "Campaign", sizes.campaigns, service.campaigns(sizes, seed)
    yield "CampaignMemberStatus", 2 * sizes.campaigns, service.statuses(sizes, seed)
    yield "Lead", sizes.leads, service.leads(sizes, seed)
    yield "CampaignMember", sizes.members, service.members(sizes, seed)
    yield "Case", sizes.cases, service.cases(sizes, seed)
    yield "Event", sizes.events, service.events(sizes, seed)
    yield "Asset", sizes.assets, service.assets(sizes, seed)
    yield "Individual", sizes.individuals, service.individuals(sizes, seed)
    yield "DandBCompany", sizes.companies, service.companies(sizes, seed)
    yield from trails(sizes, seed)
    yield "Specimen__c", sizes.specimens, specimens.specimens(sizes, seed)


def _count(connection: Connection, name: str, count: int) -> None:
    before = len(FIRST_ROWS.get(name, ())) + STARTS.get(name, 0)
    connection.execute(f"DELETE FROM {COUNTERS} WHERE object = ?", [name])
    connection.execute(f"INSERT INTO {COUNTERS} VALUES (?, ?)", [name, count + before])


def _log(connection: Connection, catalog: Catalog, name: str) -> None:
    """Notes the seeded deletions where getDeleted will look for them."""
    fields = {field.name for field in catalog.need(name).fields}
    if "IsDeleted" in fields and "SystemModstamp" in fields:
        select = f'SELECT ?, "Id", "SystemModstamp" FROM {ddl.quoted(name)} WHERE "IsDeleted"'
        connection.execute(f"INSERT INTO {LOG_TABLE} {select}", [name])
