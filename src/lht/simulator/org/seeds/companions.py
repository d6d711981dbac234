"""Seeded opportunities, tasks, history, shares and attachments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.ids import id_sql
from lht.simulator.org.objects.picklists import FORECASTS, LEAD_SOURCES, STAGES
from lht.simulator.org.seeds import words
from lht.simulator.org.seeds.parents import is_lined, line_quantity, line_total, lines_of
from lht.simulator.org.seeds.people import gone_with_account, related_to_accounts
from lht.simulator.org.seeds.sizes import OWNED, account_deleted, created, numbered, user, with_stamps
from lht.simulator.org.seeds.sql import at, columns, lot, pick, roll, some
from lht.simulator.store.ddl import literal

if TYPE_CHECKING:
    from lht.simulator.org.seeds.sizes import SeedSizes

_CLOSE_DATES = {1: "DATE '1700-01-01'", 2: "DATE '4000-12-31'", 3: "DATE '2024-02-29'"}
_AMOUNTS = {1: "1e15", 2: "-99999.99", 3: "0.01", 4: "0.0", 5: "123456789012.34"}


def _of_stage(place: int) -> str:
    """Writes what a stage stands for: one of the four facts about each."""
    cases = " ".join(f"WHEN {literal(name)} THEN {_sql(facts[place])}" for name, facts in STAGES.items())
    return f"CASE stage {cases} END"


def _sql(fact: object) -> str:
    return literal(fact) if isinstance(fact, str) else str(fact).lower()


def _forecast_name() -> str:
    cases = " ".join(f"WHEN {literal(name)} THEN {literal(label)}" for name, label in FORECASTS.items())
    return f"CASE {_of_stage(1)} {cases} END"


OPPORTUNITY_PERCENT = 98
"""So many of a hundred opportunities are at an account."""
OPPORTUNITY_NAME = (
    f"{pick('head', words.COMPANY_HEADS)} || ' - ' || {pick('product', words.PRODUCTS)} || ' ' || n"
)

_OPPORTUNITY = {
    "Id": id_sql("006", "n"),
    "AccountId": "CASE WHEN account IS NOT NULL THEN " + id_sql("001", "account") + " END",
    "IsPrivate": lot(1, "private"),
    "Name": OPPORTUNITY_NAME,
    "Description": some(20, "note", pick("note2", words.NOTES)),
    "StageName": "stage",
    "Amount": "amount",
    "Probability": f"CAST({_of_stage(0)} AS DOUBLE)",
    "ExpectedRevenue": f"round(amount * {_of_stage(0)} / 100, 2)",
    "TotalOpportunityQuantity": "quantity",
    "CloseDate": "closes",
    "Type": some(60, "type", pick("type2", ("Existing Customer - Upgrade", "New Customer"))),
    "NextStep": some(30, "next", pick("next2", words.NOTES)),
    "LeadSource": some(60, "src", pick("src2", LEAD_SOURCES)),
    "IsClosed": _of_stage(2),
    "IsWon": _of_stage(3),
    "ForecastCategory": _of_stage(1),
    "ForecastCategoryName": _forecast_name(),
    "HasOpportunityLineItem": "lined",
    "Pricebook2Id": f"CASE WHEN lined THEN {id_sql('01s', '1')} END",
    "HasOpenActivity": "false",
    "HasOverdueTask": "false",
    "LastStageChangeDate": "changed",
    "FiscalYear": "year(closes)",
    "FiscalQuarter": "quarter(closes)",
    "Fiscal": "year(closes) || ' ' || quarter(closes)",
    "ExternalId__c": some(90, "key", "'OPP-' || lpad(CAST(n AS VARCHAR), 8, '0')"),
}


def opportunities(sizes: SeedSizes, seed: int) -> str:
    """Opportunities, most of them at an account, whose fate they share."""
    inner = related_to_accounts(seed, "opportunity", sizes, OPPORTUNITY_PERCENT)
    rows = with_stamps(inner, sizes.opportunities, sizes, deleted=gone_with_account(seed))
    closes = at(_CLOSE_DATES, f"CAST(made AS DATE) + CAST({roll('closes', 400)} AS INTEGER)")
    amount = at(_AMOUNTS, some(90, "amount", f"{roll('amount2', 50_000_000)} / 100.0"))
    quantity = some(30, "quantity", f"{roll('quantity2', 100_000)} / 100.0")
    amounts, quantities = line_total("{line}", seed, sizes), line_quantity("{line}", seed)
    sums = (
        f"CASE WHEN lined THEN round({lines_of(amounts)}, 2) ELSE {amount} END AS amount, "
        f"CASE WHEN lined THEN CAST({lines_of(quantities)} AS DOUBLE) ELSE {quantity} END AS quantity"
    )
    campaign = {
        "CampaignId": some(10, "campaign", id_sql("701", f"(1 + {roll('campaign2', sizes.campaigns)})"))
    }
    rows = f"(SELECT *, {is_lined(sizes)} AS lined FROM {rows})"
    chosen = f"{pick('stage', STAGES)} AS stage, {closes} AS closes, {sums}"
    return f"SELECT {columns(_OPPORTUNITY | campaign | OWNED)} FROM (SELECT *, {chosen} FROM {rows})"


_TASK = {
    "Id": id_sql("00T", "n"),
    "WhatId": "CASE WHEN account IS NOT NULL THEN " + id_sql("001", "account") + " END",
    "AccountId": "CASE WHEN account IS NOT NULL THEN " + id_sql("001", "account") + " END",
    "WhoId": "CASE WHEN account IS NULL THEN " + id_sql("003", "person") + " END",
    "Subject": pick(
        "subject", ("Call", "Email", "Send Letter", "Send Quote", "Other", 'Déjeuner, "chez" Léa', "📞")
    ),
    "ActivityDate": some(80, "day", "CAST(made AS DATE) + 14"),
    "Status": "status",
    "Priority": "priority",
    "IsHighPriority": "priority = 'High'",
    "IsClosed": "status = 'Completed'",
    "CompletedDateTime": "CASE WHEN status = 'Completed' THEN changed END",
    "IsArchived": "false",
    "Description": some(40, "note", pick("note2", words.NOTES)),
    "CallDurationInSeconds": some(20, "call", roll("call2", 7_200)),
    "CallType": some(20, "call", pick("call3", ("Internal", "Inbound", "Outbound"))),
    "TaskSubtype": "'Task'",
}


def tasks(sizes: SeedSizes, seed: int) -> str:
    """Tasks, about an account or with a contact."""
    inner = related_to_accounts(seed, "task", sizes, 70)
    rows = with_stamps(inner, sizes.tasks, sizes, deleted=gone_with_account(seed))
    status = pick("status", ("Not Started", "In Progress", "Completed", "Deferred"))
    chosen = f"{status} AS status, {pick('priority', ('High', 'Normal', 'Low'))} AS priority"
    person = f"1 + {roll('person', sizes.contacts)} AS person"
    return f"SELECT {columns(_TASK | OWNED)} FROM (SELECT *, {chosen}, {person} FROM {rows})"


_HISTORY = {
    "Id": id_sql("017", "n"),
    "AccountId": id_sql("001", "account"),
    "Field": "field",
    "DataType": "CASE field WHEN 'AnnualRevenue' THEN 'Double' WHEN 'Name' THEN 'Text' ELSE 'DynamicEnum' END",
    "OldValue": "CASE field WHEN 'AnnualRevenue' THEN CAST(n AS VARCHAR) WHEN 'Name' THEN 'Old ' || n ELSE 'Warm' END",
    "NewValue": "CASE field WHEN 'AnnualRevenue' THEN CAST(n + 0.5 AS VARCHAR) WHEN 'Name' THEN 'New, ' || n ELSE 'Hot' END",
    "_seq": "n",
}


def history(sizes: SeedSizes, seed: int) -> str:
    """History of accounts: made once, never changed."""
    inner = related_to_accounts(seed, "history", sizes, 100)
    field = pick("field", ("Name", "Rating", "Industry", "AnnualRevenue"))
    stamps = {
        "CreatedDate": created(sizes.history),
        "CreatedById": user("maker", sizes),
        "IsDeleted": account_deleted("account", seed),
    }
    return f"SELECT {columns(_HISTORY | stamps)} FROM (SELECT *, {field} AS field FROM {inner})"


_SHARE = {
    "Id": id_sql("00r", "n"),
    "AccountId": id_sql("001", "n"),
    "UserOrGroupId": "owner",
    "AccountAccessLevel": "'All'",
    "OpportunityAccessLevel": "'All'",
    "CaseAccessLevel": "'All'",
    "ContactAccessLevel": "'All'",
    "RowCause": "'Owner'",
    "LastModifiedDate": "made",
    "LastModifiedById": "maker",
    "IsDeleted": "false",
    "_seq": "n",
}


def shares(sizes: SeedSizes, seed: int) -> str:
    """The share that each account's owner has; a deleted account has none."""
    gone = account_deleted("n", seed)
    rows = with_stamps(numbered(seed, "account"), sizes.shares, sizes, deleted=gone)
    return f"SELECT {columns(_SHARE)} FROM {rows} WHERE NOT gone"


_ATTACHMENT = {
    "Id": id_sql("00P", "n"),
    "ParentId": id_sql("001", "n"),
    "Name": "'note ' || n || '.txt'",
    "IsPrivate": "false",
    "ContentType": "'text/plain'",
    "Body": "to_base64(encode(content))",
    "BodyLength": "octet_length(encode(content))",
    "Description": some(50, "note", pick("note2", words.NOTES)),
}


def attachments(sizes: SeedSizes, seed: int) -> str:
    """Small files at the first accounts."""
    inner = numbered(seed, "attachment")
    rows = with_stamps(inner, sizes.attachments, sizes, deleted=account_deleted("n", seed))
    content = f"'File ' || n || chr(10) || {pick('content', words.NOTES)} AS content"
    return f"SELECT {columns(_ATTACHMENT | OWNED)} FROM (SELECT *, {content} FROM {rows})"
