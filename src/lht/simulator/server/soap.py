"""`/services/Soap/u` and `/services/Soap/c`: of the SOAP API, `undelete()`, for which there is no REST resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from lht.simulator.errors import ApiFault, not_found
from lht.simulator.org import ids
from lht.simulator.org.limits.allowances import API_REQUESTS
from lht.simulator.org.writes.collections import Saved, save_sets
from lht.simulator.server.envelopes import (
    Message,
    SoapFault,
    client_fault,
    platform_fault,
    read,
    write_fault,
    write_results,
)
from lht.simulator.versions import NEWEST, OLDEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.simulator.org.site import Site
    from lht.simulator.org.writes.collections import Outcome
    from lht.simulator.org.writes.working_set import WorkingSet
    from lht.simulator.server.call import Call

ROOT = "/services/Soap/"
PARTNER, ENTERPRISE = "urn:partner.soap.sforce.com", "urn:enterprise.soap.sforce.com"
NAMESPACES = {"u": PARTNER, "c": ENTERPRISE}
XML_KINDS = frozenset({"text/xml"})
MOST_IDS = 200
ILLEGAL = "Invalid Session ID found in SessionHeader: Illegal Session"
"""What real orgs say of a session that is unknown, over, or missing."""


def answer(site: Site, call: Call) -> Response:
    """Answers a SOAP message with results, or with a fault and status 500."""
    namespace = NAMESPACES.get(call.path["kind"])
    if namespace is None:
        raise not_found()
    try:
        message = _message(call, namespace)
        _begin(site, message)
        outcomes = _undeleted(site, _ids(message), all_or_none=message.all_or_none)
    except SoapFault as fault:
        return fault_answer(fault, namespace)
    except ApiFault as refused:
        return fault_answer(platform_fault(refused.code, refused.message), namespace)
    limits = site.limits
    used = limits.used(API_REQUESTS), limits.allowed[API_REQUESTS]
    return Response(write_results(namespace, message.operation, outcomes, used), media_type="text/xml")


def fault_answer(fault: SoapFault, namespace: str = PARTNER) -> Response:
    """Answers with a fault."""
    return Response(write_fault(namespace, fault), fault.status, media_type="text/xml")


def _message(call: Call, namespace: str) -> Message:
    """Reads what is asked, in the order in which a real org finds fault with it."""
    if call.method != "POST":
        raise SoapFault("soapenv:Client", f"HTTP Method '{call.method}' not allowed. Allowed are POST", 405)
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in XML_KINDS:
        raise SoapFault("soapenv:Client", "content-type of the request should be text/xml", 415)
    if "soapaction" not in call.headers:
        raise client_fault("SOAPAction HTTP header missing")
    _check_version(call.path["version"])
    message = read(call.body)
    if (message.namespace, message.operation) != (namespace, "undelete"):
        asked = f"{{{message.namespace}}}{message.operation}"
        text = f"No operation available for request {asked}, please check the WSDL for the service."
        raise client_fault(text)
    return message


def _check_version(text: str) -> None:
    whole, _, rest = text.partition(".")
    if (
        rest not in {"", "0"}
        or not whole.isascii()
        or not whole.isdigit()
        or not OLDEST <= int(whole) <= NEWEST
    ):
        raise platform_fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")


def _begin(site: Site, message: Message) -> None:
    """Takes the session, and one API request; the session stands in the message, not in an HTTP header."""
    session = site.oauth.sessions.use(message.session_id)
    if session is None or not session.may_use_api:
        raise platform_fault("INVALID_SESSION_ID", ILLEGAL)
    if not site.settings.api_enabled_for_org:
        raise platform_fault("API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner")
    if not site.settings.api_enabled_for_user:
        raise platform_fault("API_CURRENTLY_DISABLED", "API is disabled for this User")
    site.limits.take_request()


def _ids(message: Message) -> list[str]:
    for name, _ in message.arguments:
        if name != "ids":
            raise client_fault(f"Element {{{message.namespace}}}{name} invalid at this location")
    if len(message.arguments) > MOST_IDS:
        text = f"record limit reached. cannot submit more than {MOST_IDS} records into this call"
        raise platform_fault("EXCEEDED_ID_LIMIT", text)
    return [value for _, value in message.arguments]


def _undeleted(
    site: Site, record_ids: list[str], *, all_or_none: bool
) -> Sequence[tuple[str | None, ApiFault | None]]:
    def work(work: WorkingSet) -> list[Outcome]:
        faults = site.org.records.undelete_all_in(work, record_ids)
        return [fault or Saved(one) for one, fault in zip(record_ids, faults, strict=True)]

    outcomes = save_sets(site.db, [work], all_or_none=all_or_none) if record_ids else []
    faults = [one if isinstance(one, ApiFault) else None for one in outcomes]
    return list(zip(map(ids.to_long, record_ids), faults, strict=True))
