"""`/composite`, `/composite/graph` and `/composite/batch`: several requests in the body of one."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault
from lht.simulator.org.limits.limits import API_REQUESTS
from lht.simulator.server.call import fault_body, json_answer
from lht.simulator.server.references import References
from lht.simulator.server.subrequests import ROOT, Answer, Inner, Subrequests, patiently

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.responses import Response

    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call
    from lht.simulator.server.subrequests import Methods

MOST_REQUESTS = 25
MOST_QUERIES = 5
MOST_GRAPHS, MOST_NODES, MOST_KINDS, MOST_FAILURES = 75, 500, 15, 14
STRICT_NAMES_SINCE = 52
METHODS = frozenset({"GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"})
INHERITED = frozenset({"accept", "authorization", "content-type"})
"""Headers that an inner request has from the outer one and must not name."""
ROLLED_BACK = ApiFault(
    400,
    "PROCESSING_HALTED",
    "The transaction was rolled back since another operation in the same transaction failed.",
)
HALTED = ApiFault(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request")
RESOURCES = ("batch", "graph", "sobjects", "tree")
_NAME = re.compile(r"\w+", re.ASCII)
_IN_COMPOSITE = re.compile(r"/services/data/[^/]+/(sobjects|query|queryAll|composite/sobjects)(/.*)?")
_IN_GRAPH = re.compile(r"/services/data/[^/]+/sobjects/[^/]+(/[^/]+){0,2}")
_QUERIES = re.compile(r"/services/data/[^/]+/(query|queryAll|composite/sobjects)(/.*)?")


class _Refused(Exception):  # noqa: N818 - it carries the answer to a body that makes no sense
    """A body that is refused whole, in the form of an answer to one of its requests."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.fault = ApiFault(400, code, message)


@dataclass(frozen=True, slots=True)
class Named:
    """A request with the name that later ones, and the answer, know it by."""

    name: str
    inner: Inner


class Composite:
    """The handlers; they carry out what the other resources can."""

    def __init__(self, routes: Mapping[str, Methods]) -> None:
        self._inner = Subrequests(routes)

    def resources(self, _site: Site, call: Call) -> Response:
        """Lists the resources that take several requests or records."""
        root = f"{ROOT}{call.version}/composite"
        return json_answer(call, {name: f"{root}/{name}" for name in RESOURCES})

    def run(self, site: Site, call: Call) -> Response:
        """Carries out up to 25 requests in order, all or none of them if so wanted."""
        try:
            body = call.json_body()
            all_or_none = _flag(body, "allOrNone")
            _flag(body, "collateSubrequests")  # in the order they came, which is allowed either way
            requests = _requests(call, body.get("compositeRequest"))
            _check_number(requests)
        except _Refused as refused:
            return json_answer(call, {"compositeResponse": [_entry(None, _refusal(refused.fault))]}, 400)
        answers = self._together(site, call, requests) if all_or_none else self._all(site, call, requests)
        return json_answer(call, {"compositeResponse": _entries(requests, answers)})

    def graphs(self, site: Site, call: Call) -> Response:
        """Carries out graphs of requests, all or none of each."""
        graphs = _graphs(call, call.json_body().get("graphs"))
        found: list[dict[str, Any]] = []
        failures = 0
        for name, requests in graphs:
            is_over = failures >= MOST_FAILURES
            answers = (
                [_refusal(ROLLED_BACK)] * len(requests) if is_over else self._together(site, call, requests)
            )
            has_failed = any(answer.has_failed for answer in answers)
            failures += has_failed
            response = {"compositeResponse": _entries(requests, answers)}
            found.append({"graphId": name, "graphResponse": response, "isSuccessful": not has_failed})
        return json_answer(call, {"graphs": found})

    def batch(self, site: Site, call: Call) -> Response:
        """Carries out up to 25 requests that know nothing of each other; each counts as a call."""
        body = call.json_body()
        halts, requests = _flag(body, "haltOnError", plain=True), _batch_requests(body)
        site.limits.count(API_REQUESTS, max(0, len(requests) - 1))
        answers: list[Answer] = []
        for inner in requests:
            is_over = halts and any(answer.has_failed_plainly for answer in answers)
            answers.append(_refusal(HALTED) if is_over else self._inner.answer(site, call, inner))
        results = [{"statusCode": answer.status, "result": answer.body} for answer in answers]
        has_errors = any(answer.has_failed_plainly for answer in answers)
        return json_answer(call, {"hasErrors": has_errors, "results": results})

    def _together(self, site: Site, call: Call, requests: Sequence[Named]) -> list[Answer]:
        """Carries out all of the requests, or leaves nothing of any."""

        def work() -> list[Answer]:
            site.org.catch_up()
            with site.db.together():
                return self._all(site, call, requests, stop=True)

        try:
            return patiently(work)
        except _Stopped as stopped:
            halted = _refusal(ROLLED_BACK)
            return [stopped.answer if place == stopped.place else halted for place in range(len(requests))]

    def _all(self, site: Site, call: Call, requests: Sequence[Named], *, stop: bool = False) -> list[Answer]:
        answers: dict[str, Answer] = {}
        references = References(answers, call.version_number)
        for place, named in enumerate(requests):
            answers[named.name] = self._one(site, call, named.inner, references)
            if stop and answers[named.name].has_failed:
                raise _Stopped(place, answers[named.name])
        return [answers[named.name] for named in requests]

    def _one(self, site: Site, call: Call, inner: Inner, references: References) -> Answer:
        try:
            resolved = replace(
                inner, url=references.in_address(inner.url), body=references.in_body(inner.body)
            )
        except ApiFault as fault:
            return _refusal(fault)
        if not _IN_COMPOSITE.fullmatch(resolved.url.partition("?")[0]):
            message = f"The url {resolved.url} is none that can be part of another request"
            return _refusal(ApiFault(400, "PROCESSING_HALTED", message))
        return self._inner.answer(site, call, resolved)


class _Stopped(Exception):  # noqa: N818 - it ends a transaction, nothing else
    """One of the requests that stand or fall together was refused."""

    def __init__(self, place: int, answer: Answer) -> None:
        super().__init__(place)
        self.place = place
        self.answer = answer


def _requests(call: Call, found: object) -> list[Named]:
    if not isinstance(found, list) or not found:
        raise _Refused("INVALID_INPUT", "compositeRequest is required, and must be a list of requests")
    named = [_named(call, one) for one in found]
    if repeated := _first_repeated(one.name for one in named):
        raise _Refused("INVALID_INPUT", f"The referenceId {repeated} stands for more than one request")
    return named


def _named(call: Call, found: object) -> Named:
    if not isinstance(found, dict):
        raise _Refused("INVALID_INPUT", "every one of the requests must be a JSON object")
    name, method, url, headers = (found.get(key) for key in ("referenceId", "method", "url", "httpHeaders"))
    if not isinstance(name, str) or not name:
        raise _Refused("INVALID_INPUT", "every request needs a referenceId")
    if call.version_number >= STRICT_NAMES_SINCE and not _NAME.fullmatch(name):
        message = f"The referenceId {name} has other characters than letters, numbers and underscores"
        raise _Refused("INVALID_INPUT", message)
    if method not in METHODS or not isinstance(url, str):
        raise _Refused("INVALID_INPUT", f"{name} needs a method ({', '.join(sorted(METHODS))}) and a url")
    if headers is not None and not isinstance(headers, dict):
        raise _Refused("INVALID_INPUT", f"the httpHeaders of {name} must be a JSON object")
    if INHERITED & {key.lower() for key in headers or {}}:
        raise _Refused(
            "INVALID_INPUT", f"{name} has the headers Accept, Authorization and Content-Type anyway"
        )
    return Named(name, Inner(str(method), url, found.get("body"), headers or {}))


def _check_number(requests: Sequence[Named]) -> None:
    if len(requests) > MOST_REQUESTS:
        raise _Refused("LIMIT_EXCEEDED", f"The request can’t contain more than {MOST_REQUESTS} operations.")  # noqa: RUF001 - Salesforce's own mark
    paths = [named.inner.url.partition("?")[0] for named in requests]
    if sum(1 for path in paths if _QUERIES.fullmatch(path)) > MOST_QUERIES:
        message = f"The request can’t contain more than {MOST_QUERIES} query or collection operations."  # noqa: RUF001 - as above
        raise _Refused("LIMIT_EXCEEDED", message)


def _graphs(call: Call, found: object) -> list[tuple[str, list[Named]]]:
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ApiFault(400, "INVALID_INPUT", "graphs is required, and must be a list of graphs")
    try:
        graphs = [
            (str(one.get("graphId") or ""), _requests(call, one.get("compositeRequest"))) for one in found
        ]
        _check_graphs(graphs)
    except _Refused as refused:
        raise refused.fault from None
    return graphs


def _check_graphs(graphs: Sequence[tuple[str, Sequence[Named]]]) -> None:
    names = [name for name, _ in graphs]
    if "" in names or _first_repeated(names):
        raise _Refused("INVALID_INPUT", "every graph needs a graphId of its own")
    nodes = [named.inner for _, requests in graphs for named in requests]
    kinds = {(node.method, "/".join(node.url.partition("?")[0].split("/")[:6]).lower()) for node in nodes}
    counted = ((len(graphs), MOST_GRAPHS, "graphs"), (len(nodes), MOST_NODES, "nodes"))
    for number, most, word in (*counted, (len(kinds), MOST_KINDS, "different nodes")):
        if number > most:
            raise _Refused("LIMIT_EXCEEDED", f"The request can’t contain more than {most} {word}.")  # noqa: RUF001 - as above
    for node in nodes:
        if not _IN_GRAPH.fullmatch(node.url.partition("?")[0].rstrip("/")):
            raise _Refused("PROCESSING_HALTED", f"{node.url} can be no part of a graph")


def _batch_requests(body: Mapping[str, Any]) -> list[Inner]:
    found = body.get("batchRequests")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ApiFault(400, "INVALID_INPUT", "batchRequests is required, and must be a list of requests")
    if len(found) > MOST_REQUESTS:
        message = f"The request can’t contain more than {MOST_REQUESTS} operations."  # noqa: RUF001 - as above
        raise ApiFault(400, "LIMIT_EXCEEDED", message)
    return [_batched(one) for one in found]


def _batched(found: Mapping[str, Any]) -> Inner:
    method, url = str(found.get("method")).upper(), found.get("url")
    if method not in METHODS or not isinstance(url, str):
        raise ApiFault(400, "INVALID_INPUT", "every request needs a method and a url")
    below = url.removeprefix(ROOT).lstrip("/")
    return Inner(method, ROOT + below, found.get("richInput"))


def _flag(body: Mapping[str, Any], name: str, *, plain: bool = False) -> bool:
    found = body.get(name)
    if found is not None and not isinstance(found, bool):
        message = f"{name} must be true or false"
        raise ApiFault(400, "JSON_PARSER_ERROR", message) if plain else _Refused("JSON_PARSER_ERROR", message)
    return bool(found)


def _first_repeated(names: Iterable[str]) -> str | None:
    times = Counter(names)
    return next((name for name, number in times.items() if number > 1), None)


def _refusal(fault: ApiFault) -> Answer:
    return Answer(fault.status, fault_body(fault))


def _entries(requests: Sequence[Named], answers: Sequence[Answer]) -> list[dict[str, Any]]:
    return [_entry(named.name, answer) for named, answer in zip(requests, answers, strict=True)]


def _entry(name: str | None, answer: Answer) -> dict[str, Any]:
    return {
        "body": answer.body,
        "httpHeaders": dict(answer.headers),
        "httpStatusCode": answer.status,
        "referenceId": name,
    }
