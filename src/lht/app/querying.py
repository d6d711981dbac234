"""Small queries by REST, for people to look at."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from lht.app.bulk import names_of
from lht.mapping.columns import columns_for
from lht.model.operations import QueryRows
from lht.sfdc import rest, soql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lht.model.table import Capabilities
    from lht.sfdc.org import Org

SHOWN = 100


def rest_query(
    org: Org,
    sobject: str | None,
    *,
    query: str | None = None,
    where: str | None = None,
    fields: Sequence[str] = (),
    include_deleted: bool = False,
    limit: int = SHOWN,
    capabilities: Capabilities,
) -> QueryRows:
    """Gives the first `limit` records of a query, with relationships as dotted names; `total` counts them all."""
    text = query or _select(org, sobject or "", where, fields, capabilities)
    pages = rest.query_pages(
        org, text, include_deleted=include_deleted, batch_size=min(max(limit, 200), 2000)
    )
    total = 0

    def records() -> Iterator[Mapping[str, Any]]:
        nonlocal total
        for page in pages:
            total = int(page["totalSize"])
            yield from page["records"]

    flat = [flatten(record) for record in islice(records(), limit)]
    columns = tuple(dict.fromkeys(name for record in flat for name in record))
    return QueryRows(columns, tuple(tuple(r.get(name) for name in columns) for r in flat), total)


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turns parents into dotted names and leaves Salesforce's own `attributes` out."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if name == "attributes":
            continue
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


def _select(
    org: Org, sobject: str, where: str | None, fields: Sequence[str], capabilities: Capabilities
) -> str:
    described = rest.describe(org, sobject)
    columns, _ = columns_for(described, fields=fields, overrides={}, capabilities=capabilities)
    conditions = [f"({where})"] if where else []
    return soql.select(names_of(columns, fields), described.name, conditions)
