"""Seeded users, accounts and contacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.ids import id_sql
from lht.simulator.org.objects.picklists import (
    INDUSTRIES,
    LANGUAGES,
    LEAD_SOURCES,
    LOCALES,
    TIME_ZONES,
    TYPES,
)
from lht.simulator.org.seeds import words
from lht.simulator.org.seeds.sizes import (
    AUDIT,
    DELETED_PERCENT,
    OWNED,
    account_deleted,
    numbered,
    with_stamps,
)
from lht.simulator.org.seeds.sql import at, columns, digits, lot, phone, pick, roll, some

if TYPE_CHECKING:
    from lht.simulator.org.seeds.sizes import SeedSizes

LONG_NOTE = "repeat('Ünïcode and \"quotes\", lines' || chr(10), 1141) || 'end'"
"""Just under the 32,000 characters that a description may have."""


def users(sizes: SeedSizes, seed: int) -> str:
    """The colleagues of the first user, numbered from 2."""
    rows = with_stamps(numbered(seed, "user"), sizes.users, sizes, deleted="false")
    name = {"FirstName": pick("first", words.FIRST_NAMES), "LastName": pick("last", words.LAST_NAMES)}
    return f'SELECT {columns(_USER | name | AUDIT | {"_seq": "n + 1"})}, "FirstName" || \' \' || "LastName" AS "Name" FROM {rows}'


_USER = {
    "Id": id_sql("005", "(n + 1)"),
    "Username": "'user' || n || '@lht.example.com'",
    "Email": "'user' || n || '@example.com'",
    "Alias": "'user' || n",
    "CommunityNickname": "'User number ' || n",
    "IsActive": lot(85, "active"),
    "Title": some(70, "title", pick("title", words.TITLES)),
    "Department": pick("department", words.DEPARTMENTS),
    "Phone": some(60, "phone", phone("phone")),
    "City": pick("city", [city for city, *_ in words.CITIES]),
    "TimeZoneSidKey": pick("zone", TIME_ZONES),
    "LocaleSidKey": pick("locale", LOCALES),
    "LanguageLocaleKey": pick("language", LANGUAGES),
    "EmailEncodingKey": "'UTF-8'",
    "UserType": "'Standard'",
    "ProfileId": id_sql("00e", f"(1 + {roll('profile', 3)})"),
    "UserRoleId": some(60, "role", id_sql("00E", f"(1 + {roll('role2', 2)})")),
    "NumberOfFailedLogins": roll("failed", 3),
    "ManagerId": some(80, "manager", id_sql("005", "1")),
}


def place(prefix: str, salt: str, percent: int) -> dict[str, str]:
    """The parts of an address that so many rows of a hundred have."""
    cities = words.CITIES
    has = lot(percent, salt)
    kept = {
        "Street": _street(salt),
        "City": pick(salt + "c", [city for city, *_ in cities]),
        "State": pick(salt + "c", [state for _, state, *_ in cities]),
        "PostalCode": pick(salt + "c", [code for *_, code, _ in cities]),
        "Country": pick(salt + "c", [country for *_, country in cities]),
        "Latitude": f"round({roll(salt + 'y', 180_000_000)} / 1000000.0 - 90, 6)",
        "Longitude": f"round({roll(salt + 'x', 360_000_000)} / 1000000.0 - 180, 6)",
        "GeocodeAccuracy": pick(salt + "g", ("Address", "Street", "City", "Zip")),
    }
    return {prefix + name: f"CASE WHEN {has} THEN {value} END" for name, value in kept.items()}


def _street(salt: str) -> str:
    form, number = pick(salt + "f", words.STREET_FORMS), f"CAST({roll(salt + 'n', 300)} AS VARCHAR)"
    return f"replace(replace({form}, '{{s}}', {pick(salt + 's', words.STREETS)}), '{{n}}', {number})"


def _key(head: str) -> str:
    """An external id that nine rows of ten have."""
    return some(90, "key", f"'{head}-' || lpad(CAST(n AS VARCHAR), 8, '0')")


_REVENUES = {
    1: "16147805824397.0",
    2: "-1250000.0",
    3: "0.0",
    4: "999999999999999.0",
    5: "1.0",
}

_ACCOUNT = {
    "Id": id_sql("001", "n"),
    "Name": f"left(concat_ws(' ', {pick('head', words.COMPANY_HEADS)}, {pick('tail', words.COMPANY_TAILS)}, "
    f"{pick('form', words.COMPANY_FORMS)}, CASE WHEN {lot(30, 'dup')} THEN CAST(n AS VARCHAR) END), 255)",
    "Type": some(80, "type", pick("type2", TYPES)),
    **place("Billing", "b", 85),
    **place("Shipping", "s", 30),
    "Phone": some(80, "phone", phone("phone")),
    "Fax": some(15, "fax", phone("fax")),
    "AccountNumber": f"'A' || {digits('number', 7)}",
    "Website": some(70, "web", f"'https://www.' || n || '.' || {pick('domain', words.DOMAINS)}"),
    "Sic": some(40, "sic", digits("sic", 4)),
    "Industry": some(85, "industry", pick("industry2", INDUSTRIES)),
    "AnnualRevenue": at(_REVENUES, some(70, "rev", f"CAST({roll('rev2', 900_000_000)} AS DOUBLE)")),
    "NumberOfEmployees": at({1: "99999999", 2: "0"}, some(75, "emp", roll("emp2", 50_000))),
    "Ownership": some(50, "own", pick("own2", ("Public", "Private", "Subsidiary", "Other"))),
    "TickerSymbol": some(10, "tick", "upper(left(md5(CAST(h AS VARCHAR)), 4))"),
    "Description": at({7: LONG_NOTE, 70: LONG_NOTE}, some(50, "note", pick("note2", words.NOTES))),
    "Rating": some(60, "rating", pick("rating2", ("Hot", "Warm", "Cold"))),
    "Site": some(20, "site", pick("site2", ("HQ", "Plant 2", "Büro", "支社"))),
    "LastActivityDate": some(40, "act", "CAST(changed AS DATE)"),
    "IsPartner": "false",
    "IsCustomerPortal": "false",
    "CleanStatus": "'Pending'",
    "AccountSource": some(60, "src", pick("src2", LEAD_SOURCES)),
    "DunsNumber": some(20, "duns", digits("duns2", 9)),
    "NaicsCode": some(20, "naics", digits("naics2", 6)),
    "YearStarted": some(50, "year", f"CAST(1850 + {roll('year2', 170)} AS VARCHAR)"),
    "ExternalId__c": _key("ACC"),
    "ParentId": "parent",
}


def accounts(sizes: SeedSizes, seed: int) -> str:
    """Accounts; one in twelve has a parent among those before it."""
    parent = f"CASE WHEN n > 10 AND {lot(8, 'parent')} THEN {id_sql('001', '(1 + (n - 2) // 10)')} END"
    inner = numbered(seed, "account")
    rows = with_stamps(inner, sizes.accounts, sizes, deleted=lot(DELETED_PERCENT, "deleted"))
    return f"SELECT {columns(_ACCOUNT | OWNED)} FROM (SELECT *, {parent} AS parent FROM {rows})"


_BIRTHDAYS = {
    1: "DATE '1700-01-01'",
    2: "DATE '4000-12-31'",
    3: "DATE '1900-02-28'",
    4: "DATE '2000-02-29'",
    5: "DATE '1969-12-31'",
}

_CONTACT = {
    "Id": id_sql("003", "n"),
    "AccountId": "CASE WHEN account IS NOT NULL THEN " + id_sql("001", "account") + " END",
    "LastName": "last_name",
    "FirstName": "first_name",
    "Name": "concat_ws(' ', first_name, last_name)",
    "Salutation": some(40, "sal", pick("sal2", ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof."))),
    **place("Mailing", "m", 70),
    **place("Other", "o", 8),
    "Phone": some(75, "phone", phone("phone")),
    "Fax": some(8, "fax", phone("fax")),
    "MobilePhone": some(60, "mobile", phone("mobile")),
    "HomePhone": some(15, "home", phone("home")),
    "Email": some(85, "mail", f"'contact' || n || '@' || {pick('domain', words.DOMAINS)}"),
    "Title": some(70, "title", pick("title2", words.TITLES)),
    "Department": some(60, "dep", pick("dep2", words.DEPARTMENTS)),
    "AssistantName": some(10, "ass", pick("ass2", words.LAST_NAMES)),
    "LeadSource": some(60, "src", pick("src2", LEAD_SOURCES)),
    "Birthdate": at(
        _BIRTHDAYS, some(45, "born", f"DATE '1940-01-01' + CAST({roll('born2', 24_000)} AS INTEGER)")
    ),
    "Description": at({9: LONG_NOTE}, some(30, "note", pick("note2", words.NOTES))),
    "LastActivityDate": some(30, "act", "CAST(changed AS DATE)"),
    "IsEmailBounced": lot(2, "bounced"),
    "ReportsToId": f"CASE WHEN n > 3 AND {lot(10, 'boss')} THEN {id_sql('003', '(1 + (n - 2) // 3)')} END",
    "CleanStatus": "'Pending'",
    "ExternalId__c": _key("CON"),
}


CONTACT_NAMES = f"{some(95, 'first', pick('first2', words.FIRST_NAMES))} AS first_name, {pick('last', words.LAST_NAMES)} AS last_name"


def contacts(sizes: SeedSizes, seed: int) -> str:
    """Contacts; three in a hundred without an account, the others anywhere. Those of deleted accounts are deleted."""
    inner = related_to_accounts(seed, "contact", sizes)
    rows = with_stamps(inner, sizes.contacts, sizes, deleted=gone_with_account(seed))
    return f"SELECT {columns(_CONTACT | OWNED)} FROM (SELECT *, {CONTACT_NAMES} FROM {rows})"


def related_to_accounts(seed: int, salt: str, sizes: SeedSizes, percent: int = 97) -> str:
    """Writes numbered rows with the number of an `account`, or none."""
    account = f"1 + {roll('account', sizes.accounts)}"
    return f"(SELECT *, {some(percent, 'has account', account)} AS account FROM {numbered(seed, salt)})"


def gone_with_account(seed: int) -> str:
    """Writes whether a child is deleted: on its own, or with its account."""
    return f"({lot(2, 'deleted')} OR coalesce(account IS NOT NULL AND {account_deleted('account', seed)}, false))"
