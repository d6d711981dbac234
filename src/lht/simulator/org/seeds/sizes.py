"""How many records of each object a seeded org has, and the stamps and relations that they share."""

from __future__ import annotations

from dataclasses import dataclass

from lht.simulator.org.ids import id_sql
from lht.simulator.org.seeds.sql import lot, roll

FIRST_STAMP = "TIMESTAMP '2015-01-01 08:00:00'"
SPAN_S = 290_000_000
"""Seconds over which records were made: up to March 2024, so that a seeded org is older than any real clock."""
BATCH = 40
"""Records made together: they share a stamp, as those of a bulk load do."""
DELETED_PERCENT = 3
MIN_SPECIMENS = 50


@dataclass(frozen=True, slots=True)
class SeedSizes:
    """Numbers of records by object."""

    users: int
    accounts: int
    contacts: int
    opportunities: int
    tasks: int
    history: int
    shares: int
    attachments: int
    specimens: int
    products: int
    books: int
    entries: int
    lines: int
    roles: int
    leads: int
    cases: int
    events: int
    campaigns: int
    members: int
    assets: int
    individuals: int
    companies: int

    @classmethod
    def of(cls, records: int) -> SeedSizes:
        """Gives the sizes for that many accounts."""
        half = (records + 1) // 2
        products, tenth = min(500, 5 + records // 50), max(1, records // 10)
        return cls(
            products=products,
            books=1,
            entries=2 * products,
            lines=max(0, 2 * ((half - 2) // 5)),
            roles=max(1, half // 4),
            leads=tenth,
            cases=max(1, records * 15 // 100),
            events=tenth,
            campaigns=min(200, 2 + records // 200),
            members=tenth,
            assets=max(1, records // 50),
            individuals=min(100, max(1, records // 50)),
            companies=min(50, max(1, records // 50)),
            users=min(24, 3 + records // 50),
            accounts=records,
            contacts=records,
            opportunities=half,
            tasks=half,
            history=half,
            shares=records,
            attachments=min(20, records),
            specimens=max(MIN_SPECIMENS, records // 10),
        )


def numbered(seed: int, salt: str) -> str:
    """Writes the rows of an object: their number `n`, from 1, and what their choices depend on, `h`.

    Which of them, from `$first` up to `$last`, exclusive and counted from 0, is said when the statement is run.
    """
    rows = "range(CAST($first AS BIGINT), CAST($last AS BIGINT))"
    return f"(SELECT range + 1 AS n, hash(range, {seed:d}, '{salt}') AS h FROM {rows})"


def user(salt: str, sizes: SeedSizes) -> str:
    """Writes the id of one of the users."""
    return id_sql("005", f"(1 + {roll(salt, sizes.users + 1)})")


def account_deleted(number: str, seed: int) -> str:
    """Writes whether the account of that number is deleted: its children ask, as they share its fate."""
    h = f"hash({number} - 1, {seed:d}, 'account')"
    return f"({lot(DELETED_PERCENT, 'deleted').replace('hash(h,', f'hash({h},')})"


def created(count: int) -> str:
    """Writes when a record was made: in the order of numbers, many in the same second."""
    step = max(1, SPAN_S * BATCH // max(count, 1))
    return f"{FIRST_STAMP} + to_seconds(CAST((n - 1) // {BATCH} * {min(step, SPAN_S)} AS BIGINT))"


def with_stamps(inner: str, count: int, sizes: SeedSizes, *, deleted: str) -> str:
    """Writes the rows with `made`, `changed`, `stamped`, `gone`, and the ids `maker`, `changer`, `owner`.

    Six rows of ten were changed since they were made; a deletion moves only the last stamp.
    """
    later = f"to_seconds(CAST(hash(n // {BATCH // 2}) % 12000000 AS BIGINT))"
    first = f"SELECT *, {created(count)} AS made, {deleted} AS gone FROM {inner}"
    second = f"SELECT *, CASE WHEN {lot(60, 'changed')} THEN made + {later} ELSE made END AS changed FROM ({first})"
    stamped = f"changed + to_seconds(CASE WHEN gone THEN 86400 + {roll('bin', 9000)} WHEN {lot(5, 'touch')} THEN 3600 ELSE 0 END)"
    return (
        f"(SELECT *, {stamped} AS stamped, {user('maker', sizes)} AS maker, {user('changer', sizes)} AS changer, "
        f"{user('owner', sizes)} AS owner FROM ({second}))"
    )


AUDIT = {
    "CreatedDate": "made",
    "CreatedById": "maker",
    "LastModifiedDate": "changed",
    "LastModifiedById": "changer",
    "SystemModstamp": "stamped",
    "_seq": "n",
}
OWNED = {**AUDIT, "IsDeleted": "gone", "OwnerId": "owner"}
