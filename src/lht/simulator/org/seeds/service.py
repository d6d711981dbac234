"""Seeded leads, cases, events, campaigns and what stands beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.first_rows import LEAD_QUEUE, SUPPORT_QUEUE
from lht.simulator.org.ids import id_sql
from lht.simulator.org.objects.picklists import (
    CAMPAIGN_STATUSES,
    CAMPAIGN_TYPES,
    CASE_ORIGINS,
    CASE_REASONS,
    CASE_STATUSES,
    CASE_TYPES,
    INDUSTRIES,
    LEAD_SOURCES,
    LEAD_STATUSES,
)
from lht.simulator.org.seeds import words
from lht.simulator.org.seeds.parents import account_of, account_of_contact, of_parent, parent_gone
from lht.simulator.org.seeds.people import CONTACT_NAMES, gone_with_account, place, related_to_accounts
from lht.simulator.org.seeds.sizes import (
    AUDIT,
    DELETED_PERCENT,
    OWNED,
    account_deleted,
    numbered,
    with_stamps,
)
from lht.simulator.org.seeds.sql import at, columns, digits, lot, phone, pick, roll, some
from lht.simulator.store.ddl import literal

if TYPE_CHECKING:
    from lht.simulator.org.seeds.sizes import SeedSizes

FULL_NAME = "concat_ws(' ', first_name, last_name)"
LEAD_COMPANY = f"{pick('head', words.COMPANY_HEADS)} || ' ' || {pick('tail', words.COMPANY_TAILS)}"
LEAD_NAMES = f"{some(95, 'first', pick('first2', words.FIRST_NAMES))} AS first_name, {pick('last', words.LAST_NAMES)} AS last_name"


CASE_SUBJECTS = ("Broken", 'Kaputt, "wieder"', "Поломка", "壊れた", "Question")
CAMPAIGN_NAMES = ("Fair", "Webinar", "Sommerfest", "展示会", 'Spring "sale"')


def one_of(prefix: str, salt: str, count: int) -> str:
    """Writes the id of one of so many records."""
    return id_sql(prefix, f"(1 + {roll(salt, count)})")


def _queued(percent: int, queue: str) -> dict[str, str]:
    return {"OwnerId": f"CASE WHEN {lot(percent, 'queue')} THEN {literal(queue)} ELSE owner END"}


_LEAD = {
    "Id": id_sql("00Q", "n"),
    "LastName": "last_name",
    "FirstName": "first_name",
    "Name": FULL_NAME,
    "Salutation": some(30, "sal", pick("sal2", ("Mr.", "Ms.", "Dr."))),
    "Title": some(60, "title", pick("title2", words.TITLES)),
    "Company": LEAD_COMPANY,
    **place("", "a", 60),
    "Phone": some(70, "phone", phone("phone")),
    "MobilePhone": some(30, "mobile", phone("mobile")),
    "Email": some(85, "mail", f"'lead' || n || '@' || {pick('domain', words.DOMAINS)}"),
    "Website": some(30, "web", "'https://lead' || n || '.example.com'"),
    "Description": some(30, "note", pick("note2", words.NOTES)),
    "LeadSource": some(80, "src", pick("src2", LEAD_SOURCES)),
    "Status": f"CASE WHEN converted THEN 'Closed - Converted' ELSE {pick('status', [s for s in LEAD_STATUSES if s != 'Closed - Converted'])} END",
    "Industry": some(60, "industry", pick("industry2", INDUSTRIES)),
    "Rating": some(50, "rating", pick("rating2", ("Hot", "Warm", "Cold"))),
    "AnnualRevenue": at({1: "0.0", 2: "-1.0", 3: "999999999999999.0"}, some(40, "rev", f"CAST({roll('rev2', 900_000_000)} AS DOUBLE)")),
    "NumberOfEmployees": some(50, "emp", roll("emp2", 9_000)),
    "IsConverted": "converted",
    "ConvertedDate": "CASE WHEN converted THEN CAST(changed AS DATE) END",
    "IsUnreadByOwner": lot(30, "unread"),
    "CleanStatus": "'Pending'",
}  # fmt: skip


def leads(sizes: SeedSizes, seed: int) -> str:
    """Leads; one of eight was converted into an account and a contact that are there."""
    rows = with_stamps(numbered(seed, "lead"), sizes.leads, sizes, deleted=lot(DELETED_PERCENT, "deleted"))
    converted = {
        "ConvertedAccountId": f"CASE WHEN converted THEN {one_of('001', 'account', sizes.accounts)} END",
        "ConvertedContactId": f"CASE WHEN converted THEN {one_of('003', 'contact', sizes.contacts)} END",
    }
    chosen = f"{LEAD_NAMES}, {lot(12, 'converted')} AS converted"
    values = _LEAD | OWNED | converted | _queued(10, LEAD_QUEUE)
    return f"SELECT {columns(values)} FROM (SELECT *, {chosen} FROM {rows})"


_CASE = {
    "Id": id_sql("500", "n"),
    "CaseNumber": "lpad(CAST(1000 + n AS VARCHAR), 8, '0')",
    "AccountId": account_of(),
    "ParentId": f"CASE WHEN n > 10 AND {lot(4, 'parent')} THEN {id_sql('500', '(1 + (n - 2) // 10)')} END",
    "SuppliedName": some(15, "web", pick("name", words.LAST_NAMES)),
    "SuppliedEmail": some(15, "web", "'web' || n || '@example.net'"),
    "SuppliedCompany": some(10, "web", pick("head", words.COMPANY_HEADS)),
    "Type": some(60, "type", pick("type2", CASE_TYPES)),
    "Status": "status",
    "Reason": some(50, "reason", pick("reason2", CASE_REASONS)),
    "Origin": pick("origin", CASE_ORIGINS),
    "Subject": some(97, "subject", f"{pick('subject2', CASE_SUBJECTS)} || ' #' || n"),
    "Priority": pick("priority", ("High", "Medium", "Low")),
    "Description": at({5: "repeat('Zeile; \"x\"' || chr(10), 2500) || 'end'"}, some(60, "note", pick("note2", words.NOTES))),
    "IsClosed": "status = 'Closed'",
    "ClosedDate": "CASE WHEN status = 'Closed' THEN changed END",
    "IsEscalated": "status = 'Escalated'",
}  # fmt: skip


def cases(sizes: SeedSizes, seed: int) -> str:
    """Cases, most of them of an account, some of a contact and then of its account; none of what is deleted."""
    asked = f"CASE WHEN {lot(40, 'has contact')} THEN 1 + {roll('contact', sizes.contacts)} END"
    first = f"SELECT *, {asked} AS asked FROM {related_to_accounts(seed, 'case', sizes, 90)}"
    person = (
        f"CASE WHEN asked IS NOT NULL AND NOT {parent_gone('asked', seed, 'contact', sizes)} THEN asked END"
    )
    second = f"SELECT *, {person} AS person FROM ({first})"
    related = f"CASE WHEN person IS NULL THEN account ELSE {account_of_contact('person', seed, sizes)} END"
    third = f"SELECT * REPLACE ({related} AS account) FROM ({second})"
    account = f"CASE WHEN account IS NOT NULL AND NOT {account_deleted('account', seed)} THEN account END"
    inner = f"(SELECT * REPLACE ({account} AS account) FROM ({third}))"
    rows = with_stamps(inner, sizes.cases, sizes, deleted=lot(2, "deleted"))
    contact = {"ContactId": f"CASE WHEN person IS NOT NULL THEN {id_sql('003', 'person')} END"}
    values = _CASE | contact | OWNED | _queued(15, SUPPORT_QUEUE)
    return f"SELECT {columns(values)} FROM (SELECT *, {pick('status', CASE_STATUSES)} AS status FROM {rows})"


_EVENT = {
    "Id": id_sql("00U", "n"),
    "WhatId": account_of(),
    "AccountId": account_of(),
    "Subject": pick("subject", ("Meeting", "Call", "Email", 'Déjeuner, "chez" Léa', "会議")),
    "Location": some(50, "place", pick("place2", [city for city, *_ in words.CITIES])),
    "IsAllDayEvent": "whole",
    "ActivityDateTime": "CASE WHEN NOT whole THEN begins END",
    "ActivityDate": "CAST(begins AS DATE)",
    "StartDateTime": "begins",
    "DurationInMinutes": "minutes",
    "EndDateTime": "ends",
    "EndDate": "CAST(ends AS DATE)",
    "Description": some(30, "note", pick("note2", words.NOTES)),
    "IsPrivate": lot(3, "private"),
    "ShowAs": pick("show", ("Busy", "OutOfOffice", "Free")),
    "GroupEventType": "'0'",
    "EventSubtype": "'Event'",
}  # fmt: skip


def events(sizes: SeedSizes, seed: int) -> str:
    """Events, one of ten of a whole day, with an account or a contact."""
    inner = related_to_accounts(seed, "event", sizes, 70)
    rows = with_stamps(inner, sizes.events, sizes, deleted=gone_with_account(seed))
    begins = (
        f"date_trunc('day', made) + to_seconds(CASE WHEN whole THEN 0 ELSE 900 * {roll('quarter', 96)} END)"
    )
    person = {"WhoId": f"CASE WHEN account IS NULL THEN {one_of('003', 'person', sizes.contacts)} END"}
    first = f"SELECT *, {lot(10, 'whole')} AS whole FROM {rows}"
    second = f"SELECT *, {begins} AS begins, CASE WHEN whole THEN 1440 ELSE 15 * (1 + {roll('long', 12)}) END AS minutes FROM ({first})"
    third = (
        f"SELECT *, begins + to_seconds(CASE WHEN whole THEN 0 ELSE 60 * minutes END) AS ends FROM ({second})"
    )
    return f"SELECT {columns(_EVENT | person | OWNED)} FROM ({third})"


def campaigns(sizes: SeedSizes, seed: int) -> str:
    """Campaigns, some within others."""
    rows = with_stamps(
        numbered(seed, "campaign"), sizes.campaigns, sizes, deleted="n > 2 AND " + lot(3, "deleted")
    )
    campaign = {
        "Id": id_sql("701", "n"),
        "Name": f"{pick('name', CAMPAIGN_NAMES)} || ' ' || n",
        "ParentId": f"CASE WHEN n > 3 AND {lot(20, 'parent')} THEN {id_sql('701', '(1 + (n - 2) // 3)')} END",
        "Type": pick("type", CAMPAIGN_TYPES),
        "Status": pick("status", CAMPAIGN_STATUSES),
        "StartDate": "CAST(made AS DATE)",
        "EndDate": some(80, "end", "CAST(made AS DATE) + 60"),
        "ExpectedRevenue": some(50, "revenue", f"CAST({roll('revenue2', 1_000_000)} AS DOUBLE)"),
        "BudgetedCost": some(70, "cost", f"CAST({roll('cost2', 100_000)} AS DOUBLE)"),
        "ActualCost": some(50, "actual", f"CAST({roll('actual2', 100_000)} AS DOUBLE)"),
        "ExpectedResponse": some(50, "response", f"{roll('response2', 10_000)} / 100.0"),
        "NumberSent": some(60, "sent", f"CAST({roll('sent2', 100_000)} AS DOUBLE)"),
        "IsActive": lot(60, "active"),
        "Description": some(40, "note", pick("note2", words.NOTES)),
        **{f"NumberOf{what}": "0" for what in ("Leads", "ConvertedLeads", "Contacts", "Responses", "Opportunities", "WonOpportunities")},
        "AmountAllOpportunities": "0.0",
        "AmountWonOpportunities": "0.0",
    }  # fmt: skip
    return f"SELECT {columns(campaign | OWNED)} FROM {rows}"


def statuses(sizes: SeedSizes, seed: int) -> str:
    """The two statuses of each campaign's members."""
    rows = with_stamps(numbered(seed, "status"), sizes.campaigns * 2, sizes, deleted="false")
    status = {
        "Id": id_sql("01Y", "n"),
        "CampaignId": id_sql("701", "((n + 1) // 2)"),
        "Label": "CASE WHEN n % 2 = 1 THEN 'Sent' ELSE 'Responded' END",
        "SortOrder": "2 - n % 2",
        "IsDefault": "n % 2 = 1",
        "HasResponded": "n % 2 = 0",
    }
    return f"SELECT {columns(status | AUDIT | {'IsDeleted': 'gone'})} FROM {rows}"


def members(sizes: SeedSizes, seed: int) -> str:
    """Members of campaigns: leads and contacts in turn, each in one campaign."""
    lead, contact = f"(1 + n // 2 % {sizes.leads})", f"(1 + n // 2 % {sizes.contacts})"
    gone = f"CASE WHEN is_lead THEN {of_parent(lot(DELETED_PERCENT, 'deleted'), lead, seed, 'lead')} ELSE {parent_gone(contact, seed, 'contact', sizes)} END"
    inner = f"(SELECT *, n % 2 = 0 AND n // 2 < {sizes.leads} AS is_lead FROM {numbered(seed, 'member')})"
    rows = with_stamps(inner, sizes.members, sizes, deleted=gone)

    def of_both(lead_value: str, contact_value: str) -> str:
        return f"CASE WHEN is_lead THEN {of_parent(lead_value, lead, seed, 'lead')} ELSE {of_parent(contact_value, contact, seed, 'contact')} END"

    names = {
        name: of_both(LEAD_NAMES.split(" AS first_name, ")[place].removesuffix(" AS last_name"),
                      CONTACT_NAMES.split(" AS first_name, ")[place].removesuffix(" AS last_name"))
        for place, name in enumerate(("first_name", "last_name"))
    }  # fmt: skip
    person = f"CASE WHEN is_lead THEN {id_sql('00Q', lead)} ELSE {id_sql('003', contact)} END"
    member = {
        "Id": id_sql("00v", "n"),
        "CampaignId": id_sql("701", f"(1 + {roll('campaign', sizes.campaigns)})"),
        "LeadId": "CASE WHEN is_lead THEN person END",
        "ContactId": "CASE WHEN NOT is_lead THEN person END",
        "Status": "CASE WHEN responded THEN 'Responded' ELSE 'Sent' END",
        "HasResponded": "responded",
        "FirstRespondedDate": "CASE WHEN responded THEN CAST(made AS DATE) END",
        "Name": FULL_NAME,
        "FirstName": "first_name",
        "LastName": "last_name",
        "CompanyOrAccount": f"CASE WHEN is_lead THEN {of_parent(LEAD_COMPANY, lead, seed, 'lead')} END",
        "Type": "CASE WHEN is_lead THEN 'Lead' ELSE 'Contact' END",
        "LeadOrContactId": "person",
    }
    chosen = ", ".join(f"{value} AS {name}" for name, value in names.items())
    source = f"SELECT *, {chosen}, {person} AS person, {lot(35, 'responded')} AS responded FROM {rows}"
    return f"SELECT {columns(member | AUDIT | {'IsDeleted': 'gone'})} FROM ({source})"


def assets(sizes: SeedSizes, seed: int) -> str:
    """What customers have bought."""
    rows = with_stamps(
        related_to_accounts(seed, "asset", sizes, 95), sizes.assets, sizes, deleted=gone_with_account(seed)
    )
    asset = {
        "Id": id_sql("02i", "n"),
        "AccountId": account_of(),
        "ContactId": f"CASE WHEN account IS NULL THEN {one_of('003', 'person', sizes.contacts)} END",
        "Product2Id": some(80, "product", id_sql("01t", f"(1 + {roll('product2', sizes.products)})")),
        "Name": f"{pick('name', words.PRODUCTS)} || ' / ' || n",
        "SerialNumber": some(70, "serial", digits("serial2", 10)),
        "InstallDate": some(60, "installed", "CAST(made AS DATE)"),
        "Status": pick("status", ("Purchased", "Shipped", "Installed", "Obsolete")),
        "Price": some(60, "price", f"CAST({roll('price2', 100_000)} AS DOUBLE)"),
        "Quantity": some(80, "quantity", f"CAST(1 + {roll('quantity2', 9)} AS DOUBLE)"),
    }
    return f"SELECT {columns(asset | OWNED)} FROM {rows}"


def individuals(sizes: SeedSizes, seed: int) -> str:
    """People's wishes about their data."""
    rows = with_stamps(numbered(seed, "individual"), sizes.individuals, sizes, deleted="false")
    person = {
        "Id": id_sql("0PK", "n"),
        "LastName": "last_name",
        "FirstName": "first_name",
        "Name": FULL_NAME,
        "HasOptedOutSolicit": lot(20, "solicit"),
        "ShouldForget": lot(3, "forget"),
    }
    return f"SELECT {columns(person | OWNED)} FROM (SELECT *, {LEAD_NAMES} FROM {rows})"


def companies(sizes: SeedSizes, seed: int) -> str:
    """Companies as a register knows them."""
    rows = with_stamps(numbered(seed, "company"), sizes.companies, sizes, deleted="false")
    company = {
        "Id": id_sql("06E", "n"),
        "Name": LEAD_COMPANY,
        "DunsNumber": digits("duns", 9),
        "EmployeesTotal": f"CAST({roll('employees', 100_000)} AS DOUBLE)",
    }
    return f"SELECT {columns(company | AUDIT | {'IsDeleted': 'gone'})} FROM {rows}"
