"""Seeded products, price books and what opportunities have of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.ids import id_sql
from lht.simulator.org.objects.picklists import ROLES
from lht.simulator.org.seeds import words
from lht.simulator.org.seeds.companions import OPPORTUNITY_NAME, OPPORTUNITY_PERCENT
from lht.simulator.org.seeds.parents import (
    LINED,
    line_product,
    line_quantity,
    line_total,
    of_parent,
    parent_gone,
    price,
)
from lht.simulator.org.seeds.sizes import AUDIT, numbered, with_stamps
from lht.simulator.org.seeds.sql import columns, digits, lot, pick, roll, some

if TYPE_CHECKING:
    from lht.simulator.org.seeds.sizes import SeedSizes

KEPT = {**AUDIT, "IsDeleted": "gone"}
PRODUCT_NAME = f"{pick('name', words.PRODUCTS)} || ' ' || n"

_PRODUCT = {
    "Id": id_sql("01t", "n"),
    "Name": PRODUCT_NAME,
    "ProductCode": some(90, "code", f"'P-' || {digits('code2', 5)}"),
    "Description": some(50, "note", pick("note2", words.NOTES)),
    "IsActive": lot(90, "active"),
    "Family": some(80, "family", pick("family2", ("Hardware", "Software", "Service"))),
    "StockKeepingUnit": some(40, "sku", digits("sku2", 8)),
    "DisplayUrl": some(20, "url", "'https://example.com/p?n=' || n"),
}


def products(sizes: SeedSizes, seed: int) -> str:
    """Products; none is deleted, as prices lean on them."""
    rows = with_stamps(numbered(seed, "product"), sizes.products, sizes, deleted="false")
    return f"SELECT {columns(_PRODUCT | KEPT)} FROM {rows}"


def books(sizes: SeedSizes, seed: int) -> str:
    """A price book besides the standard one."""
    rows = with_stamps(numbered(seed, "book"), sizes.books, sizes, deleted="false")
    book = {
        "Id": id_sql("01s", "(n + 1)"),
        "Name": "'Partners, \"gold\" ' || n",
        "IsActive": "true",
        "Description": pick("note", words.NOTES),
    }
    return f"SELECT {columns(book | KEPT | {'_seq': 'n + 1'})} FROM {rows}"


def entries(sizes: SeedSizes, seed: int) -> str:
    """A standard price of each product, then one of each in the other book."""
    product = f"(1 + (n - 1) % {sizes.products})"
    rows = with_stamps(numbered(seed, "entry"), sizes.entries, sizes, deleted="false")
    entry = {
        "Id": id_sql("01u", "n"),
        "Name": of_parent(PRODUCT_NAME, "product", seed, "product"),
        "ProductCode": of_parent(_PRODUCT["ProductCode"], "product", seed, "product"),
        "Pricebook2Id": id_sql("01s", f"(CASE WHEN n > {sizes.products} THEN 2 ELSE 1 END)"),
        "Product2Id": id_sql("01t", "product"),
        "UnitPrice": f"round({price('product', seed)} * CASE WHEN n > {sizes.products} THEN 0.9 ELSE 1 END, 2)",
        "IsActive": "true",
        "UseStandardPrice": "false",
    }
    return f"SELECT {columns(entry | KEPT)} FROM (SELECT *, {product} AS product FROM {rows})"


def lines(sizes: SeedSizes, seed: int) -> str:
    """Two lines for some opportunities, whose amounts they make up and whose fate they share."""
    deal = f"({LINED} * ((n + 1) // 2) + 2)"
    gone = parent_gone(deal, seed, "opportunity", sizes, OPPORTUNITY_PERCENT)
    rows = with_stamps(numbered(seed, "line"), sizes.lines, sizes, deleted=gone)
    deal_name = of_parent(OPPORTUNITY_NAME, "deal", seed, "opportunity")
    product_name = of_parent(PRODUCT_NAME, "product", seed, "product")
    line = {
        "Id": id_sql("00k", "n"),
        "OpportunityId": id_sql("006", "deal"),
        "SortOrder": "2 - n % 2",
        "PricebookEntryId": id_sql("01u", "product"),
        "Product2Id": id_sql("01t", "product"),
        "ProductCode": of_parent(_PRODUCT["ProductCode"], "product", seed, "product"),
        "Name": f"left({deal_name} || ' ' || {product_name}, 376)",
        "Quantity": f"CAST({line_quantity('n', seed)} AS DOUBLE)",
        "UnitPrice": f"round({price('product', seed)}, 2)",
        "ListPrice": f"round({price('product', seed)}, 2)",
        "TotalPrice": line_total("n", seed, sizes),
        "ServiceDate": some(40, "day", "CAST(made AS DATE) + 30"),
        "Description": some(20, "note", pick("note2", words.NOTES[:2])),
    }
    chosen = f"{deal} AS deal, {line_product('n', seed, sizes)} AS product"
    return f"SELECT {columns(line | KEPT)} FROM (SELECT *, {chosen} FROM {rows})"


def roles(sizes: SeedSizes, seed: int) -> str:
    """People who have a say in opportunities."""
    deal = f"(1 + (n - 1) * 4 % {sizes.opportunities})"
    gone = parent_gone(deal, seed, "opportunity", sizes, OPPORTUNITY_PERCENT)
    rows = with_stamps(numbered(seed, "role"), sizes.roles, sizes, deleted=gone)
    role = {
        "Id": id_sql("00K", "n"),
        "OpportunityId": id_sql("006", deal),
        "ContactId": id_sql("003", f"(1 + {roll('person', sizes.contacts)})"),
        "Role": some(80, "role", pick("role2", ROLES)),
        "IsPrimary": "false",
    }
    return f"SELECT {columns(role | KEPT)} FROM {rows}"
