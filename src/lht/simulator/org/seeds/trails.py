"""Seeded history and sharing of the objects that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.ids import id_sql
from lht.simulator.org.objects.history import HISTORY_OF, STARTS
from lht.simulator.org.objects.sharing import SHARES
from lht.simulator.org.seeds.companions import OPPORTUNITY_PERCENT
from lht.simulator.org.seeds.parents import of_parent, parent_gone
from lht.simulator.org.seeds.sizes import DELETED_PERCENT, created, numbered, user, with_stamps
from lht.simulator.org.seeds.sql import columns, lot, pick, roll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.simulator.org.seeds.sizes import SeedSizes

_FIELDS = {
    "Campaign": ("Name", "Status"),
    "Case": ("Status", "Priority"),
    "Contact": ("Title", "Email"),
    "Lead": ("Status", "Rating"),
    "Opportunity": ("StageName", "NextStep"),
    "Product2": ("Family", "ProductCode"),
}
_PARENTS = {
    "Campaign": ("701", "campaign"), "Case": ("500", "case"), "Contact": ("003", "contact"), "Lead": ("00Q", "lead"),
    "Opportunity": ("006", "opportunity"), "Product2": ("01t", "product"),
}  # fmt: skip
"""Prefix, and what the parents' numbers are mixed with."""


def trails(sizes: SeedSizes, seed: int) -> Iterator[tuple[str, int, str]]:
    """Gives histories and shares with their numbers of records and the SELECTs that make them."""
    parents = {
        "Campaign": sizes.campaigns, "Case": sizes.cases, "Contact": sizes.contacts, "Lead": sizes.leads,
        "Opportunity": sizes.opportunities, "Product2": sizes.products,
    }  # fmt: skip
    for parent, count in parents.items():
        some_of = min(count, max(1, count // 10))
        yield HISTORY_OF[parent], some_of, _history(parent, (some_of, count), sizes, seed)
    yield "OpportunityHistory", sizes.opportunities, _stages(sizes, seed)
    for share in SHARES[1:]:
        parent = share.name.removesuffix("Share")
        yield (
            share.name,
            parents[parent],
            _shares(parent, str(share.key_prefix), parents[parent], sizes, seed),
        )


def _gone(parent: str, number: str, sizes: SeedSizes, seed: int) -> str:
    salt = _PARENTS[parent][1]
    if parent in {"Contact", "Opportunity"}:
        percent = OPPORTUNITY_PERCENT if parent == "Opportunity" else 97
        return parent_gone(number, seed, salt, sizes, percent)
    lots = {"Campaign": lot(3, "deleted"), "Case": lot(2, "deleted"), "Lead": lot(DELETED_PERCENT, "deleted")}
    found = of_parent(lots.get(parent, "false"), number, seed, salt)
    return f"({number} > 2 AND {found})" if parent == "Campaign" else found


def _history(parent: str, counts: tuple[int, int], sizes: SeedSizes, seed: int) -> str:
    name, (prefix, salt) = HISTORY_OF[parent], _PARENTS[parent]
    count, parents = counts
    whose = f"(1 + {roll('parent', parents)})"
    kinds = {
        "StageName": "DynamicEnum",
        "Status": "DynamicEnum",
        "Priority": "DynamicEnum",
        "Rating": "DynamicEnum",
        "Family": "DynamicEnum",
        "Email": "Email",
    }
    cases = " ".join(f"WHEN '{field}' THEN '{kind}'" for field, kind in kinds.items())
    values = {
        "Id": id_sql("017", f"(n + {STARTS[name]})"),
        f"{parent}Id": id_sql(prefix, "whose"),
        "Field": "field",
        "DataType": f"CASE field {cases} ELSE 'Text' END",
        "OldValue": "'Old, \"' || n || '\"'",
        "NewValue": "'New ' || n",
        "CreatedDate": created(count),
        "CreatedById": user("maker", sizes),
        "IsDeleted": _gone(parent, "whose", sizes, seed),
        "_seq": f"n + {STARTS[name]}",
    }  # fmt: skip
    chosen = f"{whose} AS whose, {pick('field', _FIELDS[parent])} AS field"
    return f"SELECT {columns(values)} FROM (SELECT *, {chosen} FROM {numbered(seed, f'{salt} history')})"


def _stages(sizes: SeedSizes, seed: int) -> str:
    """How each opportunity began."""
    values = {
        "Id": id_sql("008", "n"),
        "OpportunityId": id_sql("006", "n"),
        "CreatedById": user("maker", sizes),
        "CreatedDate": created(sizes.opportunities),
        "SystemModstamp": created(sizes.opportunities),
        "StageName": "'Prospecting'",
        "Probability": "10.0",
        "ForecastCategory": "'Pipeline'",
        "CloseDate": f"CAST({created(sizes.opportunities)} AS DATE) + 90",
        "IsDeleted": _gone("Opportunity", "n", sizes, seed),
        "_seq": "n",
    }
    return f"SELECT {columns(values)} FROM {numbered(seed, 'stages')}"


def _shares(parent: str, prefix: str, count: int, sizes: SeedSizes, seed: int) -> str:
    """The share that each owner has; deleted records, and those of queues, have none here."""
    parent_prefix, salt = _PARENTS[parent]
    rows = with_stamps(numbered(seed, salt), count, sizes, deleted=_gone(parent, "n", sizes, seed))
    values = {
        "Id": id_sql(prefix, "n"),
        f"{parent}Id": id_sql(parent_prefix, "n"),
        "UserOrGroupId": "owner",
        f"{parent}AccessLevel": "'All'",
        "RowCause": "'Owner'",
        "LastModifiedDate": "made",
        "LastModifiedById": "maker",
        "IsDeleted": "false",
        "_seq": "n",
    }
    queued = {"Case": 15, "Lead": 10}.get(parent)
    free = f" AND NOT {lot(queued, 'queue')}" if queued else ""
    return f"SELECT {columns(values)} FROM {rows} WHERE NOT gone{free}"
