"""The routes, and what every request passes on its way to a handler: version, session, limits."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lht.simulator.errors import ApiFault, OAuthFault, not_found
from lht.simulator.server import (
    admin,
    admin_rules,
    authorize,
    bulk,
    collections,
    data,
    ingest,
    oauth,
    oauth_admin,
    soap,
    tree,
)
from lht.simulator.server.call import JSON_TYPE, Call, fault_answer, json_answer
from lht.simulator.server.composite import Composite
from lht.simulator.server.gate import Gate, RequestLog
from lht.simulator.server.json_places import as_parser_says
from lht.simulator.server.media import check_accept
from lht.simulator.server.subrequests import ALL_METHODS, Handler, Methods, method_refused, steady

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from lht.simulator.org.site import Site
    from lht.simulator.server.connections import Connections

OAUTH: dict[str, Methods] = {
    "/services/oauth2/authorize": {"GET": authorize.show, "POST": authorize.answer},
    "/services/oauth2/token": {"POST": oauth.token, "GET": oauth.token_by_get},
    "/services/oauth2/revoke": {"POST": oauth.revoke, "GET": oauth.revoke},
    "/services/oauth2/introspect": {"POST": oauth.introspect},
    "/services/oauth2/userinfo": {"GET": oauth.userinfo, "POST": oauth.userinfo},
    "/id/{org}/{user}": {"GET": oauth.identity, "POST": oauth.identity},
    "/id/keys": {"GET": oauth.keys},
    "/.well-known/openid-configuration": {"GET": oauth.configuration},
    "/setup/secur/RemoteAccessErrorPage.apexp": {"GET": authorize.error},
    "/services/data": {"GET": data.versions},
}
DATA: dict[str, Methods] = {
    "": {"GET": data.resources},
    "/sobjects": {"GET": data.describe_global},
    "/sobjects/{object}": {"GET": data.basic_info, "POST": data.create},
    "/sobjects/{object}/describe": {"GET": data.describe},
    "/sobjects/{object}/updated": {"GET": data.updated},
    "/sobjects/{object}/deleted": {"GET": data.deleted},
    "/sobjects/{object}/{id}": {
        "GET": data.read,
        "POST": data.create_by_id,
        "PATCH": data.update,
        "DELETE": data.delete,
    },
    "/sobjects/{object}/describe/{part}": {},
    "/sobjects/User/{id}/password": {},
    "/sobjects/{object}/{id}/{value}": {
        "GET": data.read_by_key,
        "PATCH": data.upsert,
        "DELETE": data.delete_by_key,
    },
    "/query": {"GET": data.query},
    "/query/{cursor}": {"GET": data.query_more},
    "/queryAll": {"GET": data.query_all},
    "/queryAll/{cursor}": {"GET": data.query_more},
    "/limits": {"GET": data.limits},
    "/limits/recordCount": {"GET": data.record_count},
    "/composite/sobjects": {
        "POST": collections.create,
        "PATCH": collections.update,
        "DELETE": collections.delete,
    },
    "/composite/sobjects/{object}": {"GET": collections.retrieve, "POST": collections.retrieve_posted},
    "/composite/sobjects/{object}/{field}": {"PATCH": collections.upsert},
    "/jobs/query": {"GET": bulk.list_jobs, "POST": bulk.create},
    "/jobs/query/{id}": {"GET": bulk.get, "PATCH": bulk.abort, "DELETE": bulk.delete},
    "/jobs/query/{id}/results": {"GET": bulk.results},
    "/jobs/query/{id}/resultPages": {"GET": bulk.result_pages},
    "/jobs/ingest": {"GET": ingest.list_jobs, "POST": ingest.create},
    "/jobs/ingest/{id}": {"GET": ingest.get, "PATCH": ingest.change, "DELETE": ingest.delete},
    "/jobs/ingest/{id}/{part}": {"GET": ingest.results, "PUT": ingest.upload},
}
ADMIN: dict[str, Methods] = {
    "/simulator/reset": {"POST": admin.reset},
    "/simulator/clock": {"GET": admin.clock, "PUT": admin.set_clock},
    "/simulator/clock/advance": {"POST": admin.advance_clock},
    "/simulator/clock/freeze": {"POST": admin.freeze_clock},
    "/simulator/clock/run": {"POST": admin.run_clock},
    "/simulator/settings": {"GET": admin.settings, "PATCH": admin.change_settings},
    "/simulator/objects/{object}/fields": {"POST": admin.add_field},
    "/simulator/objects/{object}/fields/{field}": {"PATCH": admin.alter_field, "DELETE": admin.drop_field},
    "/simulator/objects/{object}/hide": {"POST": admin.hide_records},
    "/simulator/objects/{object}/empty_bin": {"POST": admin.empty_bin},
    "/simulator/objects/{object}/purge": {"POST": admin.purge},
    **admin_rules.ROUTES,
    "/simulator/undelete": {"POST": admin.undelete},
    "/simulator/limits/use": {"POST": admin.use_limits},
    "/simulator/app": {"GET": oauth_admin.app, "PATCH": oauth_admin.change_app},
    "/simulator/user": {"GET": oauth_admin.user, "PATCH": oauth_admin.change_user},
    "/simulator/login": {"GET": oauth_admin.policy, "PATCH": oauth_admin.change_policy},
    "/simulator/grants": {"GET": oauth_admin.grants, "DELETE": oauth_admin.end_grants},
    "/simulator/sessions/expire": {"POST": admin.expire_sessions},
    "/simulator/faults": {"GET": admin.faults, "POST": admin.add_fault, "DELETE": admin.clear_faults},
}
COMPOSITE = Composite(DATA)
AROUND: dict[str, Methods] = {
    "/composite": {"GET": COMPOSITE.resources, "POST": COMPOSITE.run},
    "/composite/batch": {"POST": COMPOSITE.batch},
    "/composite/graph": {"POST": COMPOSITE.graphs},
    "/composite/tree/{object}": {"POST": tree.create},
}
"""What stands around other requests, and in none."""
SOAP: dict[str, Methods] = {
    f"{soap.ROOT}{{kind}}/{{version}}{org}": dict.fromkeys(ALL_METHODS, soap.answer) for org in ("", "/{org}")
}


def create_app(site: Site, connections: Connections) -> Gate:
    """Gives the ASGI application of a site."""
    log = RequestLog()
    handlers: dict[Any, Any] = {
        ApiFault: _api_fault,
        OAuthFault: _oauth_fault,
        ClientDisconnect: _hung_up,
        404: _unknown_path,
        405: _unknown_method,
        500: _bug,
    }
    inner = Starlette(routes=_routes(site, log), exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return Gate(inner, site, connections, log)


def _routes(site: Site, log: RequestLog) -> list[Route]:
    requests: Methods = {
        "GET": lambda _, call: json_answer(call, {"requests": log.entries()}),
        "DELETE": lambda _, call: json_answer(call, log.clear()),
    }
    data_routes = {f"/services/data/{{version}}{path}": methods for path, methods in (DATA | AROUND).items()}
    return [
        *(_route(path, site, methods, _open_call) for path, methods in (OAUTH | SOAP).items()),
        *(_route(path, site, methods, _data_call) for path, methods in data_routes.items()),
        _route("/services/data/{version}/{nothing:path}", site, {}, _data_call),
        *(_route(path, site, methods, _admin_call) for path, methods in ADMIN.items()),
        _route("/simulator/requests", site, requests, _admin_call),
    ]


def _route(path: str, site: Site, methods: Methods, run: Callable[[Site, Handler, Call], Response]) -> Route:
    async def endpoint(request: Request) -> Response:
        if path.startswith("/simulator"):
            _check_local(request)
        method = _method(request)
        handler = methods.get("GET" if method == "HEAD" else method) or _refuser(method, methods)
        if handler is ingest.upload:
            return await _with_upload(request, site, lambda call: run(site, handler, call))
        return await run_in_threadpool(run, site, handler, replace(await Call.of(request), method=method))

    return Route(path, endpoint, methods=ALL_METHODS)


async def _with_upload(request: Request, site: Site, answer: Callable[[Call], Response]) -> Response:
    """Serves a request whose body is too large to be held; the file goes, unless somebody took it."""
    path = site.ingest.spool()
    try:
        call = await Call.with_upload(request, path, site.settings.most_upload_bytes)
        return await run_in_threadpool(answer, call)
    finally:
        path.unlink(missing_ok=True)


def _refuser(method: str, methods: Methods) -> Handler:
    """Gives what answers a method that a resource lacks, or any request for one that is not there."""

    def refuse(_site: Site, _call: Call) -> Response:
        raise method_refused(method, methods) if methods else not_found()

    return refuse


def _method(request: Request) -> str:
    """Gives the method; a POST can say that it means another, for libraries that know none but the oldest."""
    if request.method != "POST":
        return request.method
    return request.query_params.get("_HttpMethod", request.method)


def _open_call(site: Site, handler: Handler, call: Call) -> Response:
    return steady(site, handler, call)


def _data_call(site: Site, handler: Handler, call: Call) -> Response:
    """Runs a metered request: every answer, a refusal too, says how many are used."""
    _ = call.version_number
    site.oauth.api_session(call.token)
    _check_enabled(site)
    try:
        site.limits.take_request()
        check_accept(call.headers)
        answer = steady(site, handler, call)
    except ApiFault as fault:
        answer = fault_answer(as_parser_says(fault, call.body), call.version, pretty=call.wants_pretty)
    answer.headers["Sforce-Limit-Info"] = site.limits.usage_header()
    return answer


def _check_enabled(site: Site) -> None:
    if not site.settings.api_enabled_for_org:
        raise ApiFault(403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.")
    if not site.settings.api_enabled_for_user:
        raise ApiFault(403, "API_CURRENTLY_DISABLED", "API is disabled for this User")


def _admin_call(site: Site, handler: Handler, call: Call) -> Response:
    try:
        return steady(site, handler, call)
    except (TypeError, ValueError, OverflowError) as error:
        raise ApiFault(400, "INVALID_INPUT", str(error)) from error


def _check_local(request: Request) -> None:
    """Refuses callers of other machines, and pages that a browser on this machine shows.

    A page whose name was made to lead here sends no Origin where it only reads, but the name that it came by.
    """
    host = request.client.host if request.client else ""
    if not _is_loopback(host) or not _is_own_name(request.url.hostname) or "origin" in request.headers:
        raise ApiFault(
            403, "INSUFFICIENT_ACCESS", "The admin resources answer to programs on this machine only"
        )


def _is_own_name(name: str | None) -> bool:
    """Tells whether a name in a Host header leads to this machine wherever it is asked for."""
    bare = (name or "").strip("[]").rstrip(".").lower()
    return bare.rpartition(".")[2] == "localhost" or _is_loopback(bare)


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


async def _api_fault(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, ApiFault)  # noqa: S101 - it is registered for that class alone
    return fault_answer(fault)


async def _oauth_fault(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, OAuthFault)  # noqa: S101 - it is registered for that class alone
    body = {"error": fault.error, "error_description": fault.description}
    return JSONResponse(body, fault.status, media_type=JSON_TYPE)


async def _hung_up(_request: Request, _fault: Exception) -> Response:
    """Answers a request that broke off before its end, to nobody."""
    return Response(status_code=400)


async def _unknown_path(request: Request, _fault: Exception) -> Response:
    return await _api_fault(request, not_found())


async def _unknown_method(request: Request, _fault: Exception) -> Response:
    return await _api_fault(request, method_refused(request.method, {}))


async def _bug(_request: Request, fault: Exception) -> Response:
    message = f"An unexpected error occurred: {type(fault).__name__}"
    return fault_answer(ApiFault(500, "UNKNOWN_EXCEPTION", message))
