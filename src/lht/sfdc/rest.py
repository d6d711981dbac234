"""The REST API's calls, one function each; every one takes the org and counts in its `calls`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lht.errors import RequestRejectedError, UnknownObjectError
from lht.model.salesforce import DeletedWindow, ObjectSummary, SObject
from lht.sfdc import wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lht.model.salesforce import Field
    from lht.sfdc.org import Org

_NOT_FOUND = 404
# Salesforce ends a query after two minutes by itself; its own answer says more than our time-out.
_QUERY_TIMEOUT_S = 150.0
_SHORTEST_WINDOW = timedelta(minutes=4)


def list_objects(org: Org) -> tuple[ObjectSummary, ...]:
    """All objects that the login may see."""
    return wire.read_object_summaries(org.request("GET", "sobjects/").json())


def objects_by_prefix(org: Org) -> dict[str, str]:
    """The objects' names by the three characters that their records' Ids begin with."""
    entries = org.request("GET", "sobjects/").json().get("sobjects") or ()
    return {str(entry["keyPrefix"]): str(entry["name"]) for entry in entries if entry.get("keyPrefix")}


def describe(org: Org, name: str) -> SObject:
    """An object with its fields; the name may be in any letter case."""
    answer = org.request("GET", f"sobjects/{quote(name, safe='')}/describe/", raw=True)
    if answer.status == _NOT_FOUND:
        raise unknown_object(name, [summary.name for summary in list_objects(org)])
    if not answer.is_success:
        raise wire.translate_error(answer.status, answer.body, wire.ErrorContext(f"The describe of {name}"))
    return wire.read_sobject(answer.json())


def unknown_object(name: str, known: list[str]) -> UnknownObjectError:
    """The error for a name that the org does not have, with the nearest ones it has."""
    nearest = nearest_names(name, known)
    hint = f"Did you mean {', '.join(nearest)}?" if nearest else "'lht objects' lists them."
    return UnknownObjectError(f"The org has no object '{name}', or this login may not see it.", hint=hint)


def nearest_names(name: str, known: list[str]) -> list[str]:
    """Up to three known names that look like a wrong one, letter case aside."""
    import difflib  # noqa: PLC0415  # only errors need it

    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.7)
    custom = by_lower.get(f"{name.lower()}__c")
    found = [by_lower[match] for match in close]
    return list(dict.fromkeys([custom, *found] if custom else found))[:3]


def fields_at(org: Org, sobject: SObject, paths: Sequence[str]) -> dict[str, Field]:
    """Describes the parents that dotted paths pass, and gives the fields at their ends where they are known."""
    found: dict[str, Field] = {}
    for path in paths:
        *steps, last = path.split(".")
        parent: SObject | None = sobject
        for step in steps:
            parent = _parent(org, parent, step) if parent else None
        end = parent.find(last) if parent and steps else None
        if end:
            found[path] = end
    return found


def _parent(org: Org, sobject: SObject, relationship: str) -> SObject | None:
    """The object a relationship leads to; None where it is unknown or leads to several."""
    for link in sobject.fields:
        if (link.relationship_name or "").lower() == relationship.lower() and len(link.reference_to) == 1:
            return describe(org, link.reference_to[0])
    return None


def query_pages(
    org: Org, soql: str, *, include_deleted: bool, batch_size: int = 2000
) -> Iterator[dict[str, Any]]:
    """A query's answers, page by page. `batch_size` is a wish: pages may be smaller."""
    headers = {"Sforce-Query-Options": f"batchSize={batch_size}"}
    resource = query_resource(include_deleted=include_deleted)
    params: dict[str, str] | None = {"q": soql}
    path: str | None = resource
    while path:
        answer = org.request("GET", path, params=params, headers=headers, timeout_s=_QUERY_TIMEOUT_S)
        page: dict[str, Any] = answer.json()
        yield page
        path, params = page.get("nextRecordsUrl"), None


def query_resource(*, include_deleted: bool) -> str:
    """The resource that answers a query, with or without deleted and archived records."""
    return "queryAll" if include_deleted else "query"


def query_url_bytes(org: Org, soql: str, *, include_deleted: bool) -> int:
    """The length of the URL that `query_pages` would ask first."""
    return org.url_bytes(query_resource(include_deleted=include_deleted), {"q": soql})


def count(org: Org, soql: str, *, include_deleted: bool = True, timeout_s: float = _QUERY_TIMEOUT_S) -> int:
    """The number that a COUNT() or COUNT(field) query answers."""
    resource = query_resource(include_deleted=include_deleted)
    page = org.request("GET", resource, params={"q": soql}, timeout_s=timeout_s).json()
    records = page.get("records") or []
    if not records:
        return int(page["totalSize"])
    values = [value for key, value in records[0].items() if key != "attributes"]
    return int(values[0])


def updated_until(org: Org, object_name: str, start: datetime, end: datetime) -> datetime:
    """Up to when nothing can still be committed with an older stamp (getUpdated's latestDateCovered)."""
    body = org.request("GET", f"sobjects/{object_name}/updated/", params=_window(start, end)).json()
    return wire.parse_datetime(body["latestDateCovered"])


def deleted(org: Org, object_name: str, start: datetime, end: datetime) -> DeletedWindow:
    """Records deleted in a window, which is halved where Salesforce finds too many for one answer.

    A window older than Salesforce remembers is a `RequestRejectedError` with INVALID_REPLICATION_DATE.
    """
    try:
        body = org.request("GET", f"sobjects/{object_name}/deleted/", params=_window(start, end)).json()
    except RequestRejectedError as error:
        if not has_code(error, "EXCEEDED_ID_LIMIT") or end - start < _SHORTEST_WINDOW:
            raise
        middle = (start + (end - start) / 2).replace(second=0, microsecond=0)
        return _joined(
            deleted(org, object_name, start, middle), deleted(org, object_name, middle, end), middle
        )
    return wire.read_deleted(body)


def has_code(error: RequestRejectedError, code: str) -> bool:
    """Whether an error carries that code, in any of its spellings."""
    return wire.normal_code(error.error_code) == wire.normal_code(code)


def _joined(first: DeletedWindow, second: DeletedWindow, middle: datetime) -> DeletedWindow:
    """Two neighbouring windows as one: what the first does not cover ends the whole."""
    is_first_whole = first.covered_until >= middle
    return DeletedWindow(
        records=tuple(dict.fromkeys(first.records + second.records)),
        earliest_available=max(first.earliest_available, second.earliest_available),
        covered_until=second.covered_until if is_first_whole else first.covered_until,
    )


def _window(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": _to_second(start), "end": _to_second(end)}


def _to_second(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"


def limits(org: Org) -> dict[str, Any]:
    """The org's limits, each with Max and Remaining; they lag by some minutes."""
    body: dict[str, Any] = org.request("GET", "limits/").json()
    return body


def user_info(org: Org) -> dict[str, Any]:
    """Who the session belongs to."""
    body: dict[str, Any] = org.request("GET", "/services/oauth2/userinfo").json()
    return body
