"""Figures of a record that are counted from others: an opportunity's from its products, a campaign's from its members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.writes import rows
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from lht.simulator.org.effects.changing import Changing
    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.store.database import Connection

LIVE = '"IsDeleted" IS NOT TRUE'


def sum_lines(at: Changing, opportunity_id: str) -> tuple[Row, Row] | None:
    """Makes an opportunity's amount and quantity those of its products; gives it before and after, if it moved.

    The amount stays when the last product goes: it may be written again then.
    """
    if not at.has("Opportunity", "HasOpportunityLineItem", "Amount"):
        return None
    sql = (
        'SELECT count(*), sum("TotalPrice"), sum("Quantity") FROM "OpportunityLineItem" '
        f'WHERE "OpportunityId" = ? AND {LIVE}'
    )
    count, amount, quantity = at.work.reading().execute(sql, [opportunity_id]).fetchone() or (0, None, None)
    old = at.find("Opportunity", opportunity_id)
    new: Row = {"HasOpportunityLineItem": count > 0}
    if count:
        likely = float(str(old.get("Probability") or 0))
        total = round(amount or 0.0, 2)
        new |= {"Amount": total, "TotalOpportunityQuantity": round(quantity or 0.0, 2)}
        new["ExpectedRevenue"] = round(total * likely / 100, 2)
    if not old or old.get("IsDeleted") or all(old.get(name) == value for name, value in new.items()):
        return None
    new |= {"LastModifiedDate": at.now, "LastModifiedById": at.user_id, "SystemModstamp": at.now}
    at.set("Opportunity", opportunity_id, new)
    return old, old | new


MEMBERS = {
    "NumberOfLeads": 'count(*) FILTER (m."LeadId" IS NOT NULL)',
    "NumberOfConvertedLeads": 'count(*) FILTER (l."IsConverted")',
    "NumberOfContacts": 'count(*) FILTER (m."ContactId" IS NOT NULL)',
    "NumberOfResponses": 'count(*) FILTER (m."HasResponded")',
}
DEALS = {
    "NumberOfOpportunities": "count(*)",
    "NumberOfWonOpportunities": 'count(*) FILTER ("IsWon")',
    "AmountAllOpportunities": 'round(coalesce(sum("Amount"), 0.0), 0)',
    "AmountWonOpportunities": 'round(coalesce(sum("Amount") FILTER ("IsWon"), 0.0), 0)',
}


def count_members(at: Changing, campaign_id: str) -> None:
    """Counts a campaign's leads, contacts and responses anew."""
    if at.has("Lead", "IsConverted") and at.has("Campaign", *MEMBERS):
        source = f'"CampaignMember" m LEFT JOIN "Lead" l ON l."Id" = m."LeadId" WHERE m.{LIVE} AND m."CampaignId" = ?'
        _count(at, campaign_id, MEMBERS, source)


def count_deals(at: Changing, campaign_id: str) -> None:
    """Counts a campaign's opportunities and their amounts anew."""
    if at.has("Opportunity", "CampaignId", "IsWon", "Amount") and at.has("Campaign", *DEALS):
        _count(at, campaign_id, DEALS, f'"Opportunity" WHERE {LIVE} AND "CampaignId" = ?')


def _count(at: Changing, campaign_id: str, figures: dict[str, str], source: str) -> None:
    """What the platform counts moves SystemModstamp alone."""
    found = at.work.reading().execute(f"SELECT {', '.join(figures.values())} FROM {source}", [campaign_id])
    names = ", ".join(f"{quoted(name)} = ?" for name in figures)
    differs = " OR ".join(f"{quoted(name)} IS DISTINCT FROM ?" for name in figures)
    values = list(found.fetchone() or ())
    sql = f'UPDATE "Campaign" SET {names}, "SystemModstamp" = ? WHERE "Id" = ? AND ({differs})'
    at.work.writing().execute(sql, [*values, at.now, campaign_id, *values])


def count_all(connection: Connection, catalog: Catalog) -> None:
    """Counts the figures of all campaigns at once, as seeded records need it; no stamp moves."""
    members = '"CampaignMember" m LEFT JOIN "Lead" l ON l."Id" = m."LeadId" WHERE m."IsDeleted" IS NOT TRUE'
    deals = f'"Opportunity" WHERE {LIVE}'
    for figures, source, needed in (
        (MEMBERS, members, {"CampaignMember": "CampaignId", "Lead": "IsConverted"}),
        (DEALS, deals, {"Opportunity": "CampaignId"}),
    ):
        wanted = {"Campaign": next(iter(figures))} | needed
        schemas = {name: catalog.object(name) for name in wanted}
        if not all(
            schema and field in rows.stored_names(schema)
            for schema, field in zip(schemas.values(), wanted.values(), strict=True)
        ):
            continue
        names = ", ".join(f"{quoted(name)} = f.{quoted(name)}" for name in figures)
        chosen = ", ".join(f"{value} AS {quoted(name)}" for name, value in figures.items())
        grouped = f'SELECT "CampaignId", {chosen} FROM {source} GROUP BY "CampaignId"'
        connection.execute(
            f'UPDATE "Campaign" SET {names} FROM ({grouped}) f WHERE f."CampaignId" = "Campaign"."Id"'
        )
