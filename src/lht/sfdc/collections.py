"""Many records by one call: read by Id or by query, updated, upserted, deleted; numbers keep the text they came in.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lht.errors import UnreachableError
from lht.sfdc import wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lht.sfdc.messages import Response
    from lht.sfdc.org import Org

MOST_READ = 2_000
MOST_WRITTEN = 200
# Salesforce ends a query after two minutes, and a call that writes after ten, by itself.
_READ_TIMEOUT_S = 150.0
_WRITE_TIMEOUT_S = 620.0

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of one record of a call. `created` is None where Salesforce does not say."""

    id: str | None
    is_success: bool
    created: bool | None = None
    errors: tuple[wire.ErrorBody, ...] = ()


def retrieve(org: Org, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> list[Record]:
    """Reads up to 2,000 records by Id; those that do not exist, or that the user may not see, are left out.

    The ids go in the body, as a URL holds some 800 of them only. Numbers come as texts.
    """
    answer = org.request(
        "POST",
        f"composite/sobjects/{object_name}",
        json={"ids": list(ids), "fields": list(fields)},
        repeat=True,  # it writes nothing
        timeout_s=_READ_TIMEOUT_S,
    )
    return [record for record in answer.json(numbers_as_texts=True) if record is not None]


def query(org: Org, soql: str) -> Iterator[list[Record]]:
    """A query's live records, page by page, with numbers as texts."""
    path: str | None = "query"
    params: dict[str, str] | None = {"q": soql}
    while path:
        answer = org.request("GET", path, params=params, timeout_s=_READ_TIMEOUT_S)
        page = answer.json(numbers_as_texts=True)
        yield page["records"]
        path, params = page.get("nextRecordsUrl"), None


def update(org: Org, records: Sequence[str]) -> list[Saved]:
    """Changes up to 200 records, each the JSON text of one; the answer may be lost, as a repetition does no harm."""
    return _saved(_write(org, "PATCH", "composite/sobjects", records), len(records))


def upsert(org: Org, object_name: str, field: str, records: Sequence[str]) -> list[Saved]:
    """Makes or changes up to 200 records by an external id."""
    return _saved(_write(org, "PATCH", f"composite/sobjects/{object_name}/{field}", records), len(records))


def delete(org: Org, ids: Sequence[str]) -> list[Saved]:
    """Deletes up to 200 records."""
    params = {"ids": ",".join(ids), "allOrNone": "false"}
    answer = org.request("DELETE", "composite/sobjects", params=params, timeout_s=_WRITE_TIMEOUT_S)
    return _saved(answer, len(ids))


def _write(org: Org, method: str, path: str, records: Sequence[str]) -> Response:
    body = f'{{"allOrNone":false,"records":[{",".join(records)}]}}'
    return org.request(method, path, json=body.encode(), repeat=True, timeout_s=_WRITE_TIMEOUT_S)


def _saved(answer: Response, expected: int) -> list[Saved]:
    """Results come in the order of the records, one for each."""
    items = answer.json()
    if not isinstance(items, list) or len(items) != expected:
        raise UnreachableError(f"Salesforce's answer does not tell the fate of all {expected} records.")
    return [_read(item) for item in items]


def _read(item: Record) -> Saved:
    created = item.get("created")
    return Saved(
        id=item.get("id") or None,
        is_success=bool(item.get("success")),
        created=created if isinstance(created, bool) else None,
        errors=tuple(_error(entry) for entry in item.get("errors") or ()),
    )


def _error(entry: Record) -> wire.ErrorBody:
    return wire.read_error(0, json.dumps(entry).encode())
