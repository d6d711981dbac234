"""Figures of a record that are counted from others: an opportunity's from its products, a campaign's from its members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.writes import rows
from lht.simulator.store.ddl import column_type, quoted

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
    old = at.find("Opportunity", opportunity_id)
    if not old or old.get("IsDeleted"):
        return None
    count, amount, quantity = at.work.reading().execute(sql, [opportunity_id]).fetchone() or (0, None, None)
    new: Row = {"HasOpportunityLineItem": count > 0}
    if count:
        likely = float(str(old.get("Probability") or 0))
        total = round(amount or 0.0, 2)
        new |= {"Amount": total, "TotalOpportunityQuantity": round(quantity or 0.0, 2)}
        new["ExpectedRevenue"] = round(total * likely / 100, 2)
    if all(old.get(name) == value for name, value in new.items()):
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


def count_members(at: Changing, campaign_ids: list[str]) -> None:
    """Counts the leads, contacts and responses of campaigns anew."""
    if at.has("Lead", "IsConverted") and at.has("Campaign", *MEMBERS):
        _count(at, campaign_ids, MEMBERS, '"CampaignMember" m LEFT JOIN "Lead" l ON l."Id" = m."LeadId"')


def count_deals(at: Changing, campaign_ids: list[str]) -> None:
    """Counts the opportunities of campaigns and their amounts anew."""
    if at.has("Opportunity", "CampaignId", "IsWon", "Amount") and at.has("Campaign", *DEALS):
        _count(at, campaign_ids, DEALS, '"Opportunity" m')


def _count(at: Changing, campaign_ids: list[str], figures: dict[str, str], source: str) -> None:
    """What the platform counts moves SystemModstamp alone."""
    campaign, wanted = at.catalog.need("Campaign"), ", ".join(figures.values())
    sql = (
        f'SELECT m."CampaignId", {wanted} FROM {source} WHERE m."CampaignId" IN {rows.MANY} AND m.{LIVE} '
        'GROUP BY m."CampaignId"'
    )
    found = {row[0]: row[1:] for row in at.work.reading().execute(sql, [campaign_ids]).fetchall()}
    counted = [found.get(one, (0,) * len(figures)) for one in campaign_ids]
    kinds = [column_type(campaign.kinds[name]) for name in figures]
    names = [quoted(name) for name in figures]
    listed = ", ".join(
        f"unnest(CAST(? AS {kind}[])) AS {name}" for name, kind in zip(names, kinds, strict=True)
    )
    sets = ", ".join(f"{name} = v.{name}" for name in names)
    differs = " OR ".join(f'"Campaign".{name} IS DISTINCT FROM v.{name}' for name in names)
    sql = (
        f'UPDATE "Campaign" SET {sets}, "SystemModstamp" = ? '
        f"FROM (SELECT unnest(CAST(? AS VARCHAR[])) AS _id, {listed}) v "
        f'WHERE "Campaign"."Id" = v._id AND ({differs})'
    )
    given = [list(values) for values in zip(*counted, strict=True)]
    at.work.rewriting([(campaign, campaign_ids)]).execute(sql, [at.now, campaign_ids, *given])


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
