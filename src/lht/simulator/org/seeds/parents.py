"""What seeded children know of their parents without looking: both are made from the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.ids import id_sql
from lht.simulator.org.seeds.sizes import account_deleted
from lht.simulator.org.seeds.sql import lot, roll, some

if TYPE_CHECKING:
    from lht.simulator.org.seeds.sizes import SeedSizes

LINED = 5
"""One opportunity of so many has products: two each."""


def of_parent(expression: str, number: str, seed: int, salt: str) -> str:
    """Writes what an expression is for the record of another object that has that number."""
    return expression.replace("hash(h,", f"hash(hash(({number}) - 1, {seed:d}, '{salt}'),").replace(
        "|| n", f"|| ({number})"
    )


def parent_gone(number: str, seed: int, salt: str, sizes: SeedSizes, percent: int = 97) -> str:
    """Writes whether a record that shares the fate of an account, or not, is deleted."""
    account = some(percent, "has account", f"1 + {roll('account', sizes.accounts)}")
    gone = f"({lot(2, 'deleted')} OR coalesce({account_deleted(f'({account})', seed)}, false))"
    return of_parent(gone, number, seed, salt)


def account_of_contact(number: str, seed: int, sizes: SeedSizes) -> str:
    """Writes the number of the account of a contact, if it has one."""
    return of_parent(
        some(97, "has account", f"1 + {roll('account', sizes.accounts)}"), number, seed, "contact"
    )


def line_product(line: str, seed: int, sizes: SeedSizes) -> str:
    """Writes the number of the product of a line."""
    return f"(1 + CAST(hash({line}, {seed:d}, 'line product') % {sizes.products:d} AS BIGINT))"


def line_quantity(line: str, seed: int) -> str:
    """Writes how many of it are sold."""
    return f"(1 + CAST(hash({line}, {seed:d}, 'line quantity') % 20 AS BIGINT))"


def price(product: str, seed: int) -> str:
    """Writes the standard price of a product."""
    return f"(1 + CAST(hash({product}, {seed:d}, 'price') % 1000000 AS BIGINT) / 100.0)"


def line_total(line: str, seed: int, sizes: SeedSizes) -> str:
    """Writes what a line comes to."""
    return f"round({price(line_product(line, seed, sizes), seed)} * {line_quantity(line, seed)}, 2)"


def is_lined(sizes: SeedSizes) -> str:
    """Writes whether opportunity `n` has products."""
    return f"(n > {LINED} AND n % {LINED} = 2 AND (n - 2) // {LINED} * 2 <= {sizes.lines})"


def lines_of(expression: str) -> str:
    """Writes the sum of an expression over `{line}` for the two lines of opportunity `n`."""
    last = f"((n - 2) // {LINED} * 2)"
    return f"({expression.format(line=f'({last} - 1)')} + {expression.format(line=last)})"


def account_of(name: str = "account") -> str:
    """Writes the id of an account by its number, if there is one."""
    return f"CASE WHEN {name} IS NOT NULL THEN {id_sql('001', name)} END"
