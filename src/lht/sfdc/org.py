"""A logged-in org: one place that authorises, counts, renews and translates."""

from __future__ import annotations

import copy
import json as json_module
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote, urlencode

from lht.errors import (
    AuthError,
    ConfigError,
    LhtError,
    RequestRejectedError,
    SalesforceError,
)
from lht.sfdc import wire
from lht.sfdc.ids import to_18
from lht.sfdc.messages import Headers, Request, Response, check_url, retry_after_s, server_date
from lht.sfdc.session import Session, Tally, not_logged_in
from lht.sfdc.transport import StreamedResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta
    from pathlib import Path
    from types import TracebackType

    from lht.sfdc.auth import Login
    from lht.sfdc.transport import Transport

NEWEST_KNOWN = 66
OLDEST_KNOWN = 40


_Asked = TypeVar("_Asked")


class _Facts:
    """What is asked of an org once and then known to all its views."""

    def __init__(self, api_version: str | None) -> None:
        self.api_version = api_version
        self.user: dict[str, Any] | None = None
        self.asked: dict[str, tuple[datetime | None, Any]] = {}
        self.lock = threading.RLock()


class Org:
    """A session with one org; threads may share it.

    `renew` fetches a new login when Salesforce calls the token dead: once, however many threads met the 401.
    The transport stays the caller's unless `owns_transport`.
    """

    def __init__(
        self,
        login: Login,
        transport: Transport,
        *,
        api_version: str | None = None,
        renew: Callable[[Login], Login] | None = None,
        owns_transport: bool = False,
    ) -> None:
        self._session = Session(login, renew)
        self._transport = transport
        self._owns_transport = owns_transport
        self._tally = Tally()
        self._facts = _Facts(_checked_version(api_version) if api_version else None)
        check_url(login.instance_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Org({self.login.username or '?'} at {self.instance_url})"

    def for_object(self) -> Org:
        """The same session with a count of calls and a server time of its own; closing it closes nothing."""
        view = copy.copy(self)
        view._tally = Tally(self._tally)  # noqa: SLF001  # our own class
        view._owns_transport = False  # noqa: SLF001
        return view

    @property
    def login(self) -> Login:
        """The login as last renewed."""
        return self._session.login

    @property
    def instance_url(self) -> str:
        return self.login.instance_url

    @property
    def username(self) -> str:
        """The user's name; asked for once where only a token was given, empty if Salesforce does not tell."""
        return self.login.username or str(self._user_info().get("preferred_username") or "")

    @property
    def org_id(self) -> str:
        """The org's id, 18 characters. Where nobody tells it, the token's first 15 characters are it."""
        told = self.login.org_id or str(self._user_info().get("organization_id") or "")
        try:
            return to_18(told or self.login.access_token.partition("!")[0])
        except ValueError:
            raise ConfigError(
                f"The org id of {self.instance_url} cannot be learnt from this token.",
                hint="Give the token's app the scope 'openid' or 'id', or log in with 'lht login'.",
            ) from None

    @property
    def user_id(self) -> str:
        """The user's id, 18 characters; empty if Salesforce does not tell."""
        try:
            return to_18(self.login.user_id or str(self._user_info().get("user_id") or ""))
        except ValueError:
            return ""

    @property
    def api_version(self) -> str:
        """The version in use, as `66.0`: fixed, or else the newest that both sides know."""
        with self._facts.lock:
            if self._facts.api_version is None:
                self._facts.api_version = self._negotiated()
            return self._facts.api_version

    @property
    def calls(self) -> int:
        """API calls made so far, repeats included; logins and the list of versions are not metered."""
        return self._tally.calls

    @property
    def server_time(self) -> datetime | None:
        """The `Date` of the last answer."""
        return self._tally.server_time

    @property
    def api_usage(self) -> tuple[int, int] | None:
        """Daily calls used and allowed, as the last answer told."""
        return self._tally.api_usage

    def once(self, name: str, ask: Callable[[], _Asked], *, life: timedelta) -> _Asked:
        """Gives what was asked under that name, and asks anew after a while, by the server's clock."""
        with self._facts.lock:
            at, answer = self._facts.asked.get(name, (None, None))
            if at is None or (self.server_time or at) - at > life:
                answer = ask()
                self._facts.asked[name] = (self.server_time, answer)
            found: _Asked = answer
            return found

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        raw: bool = False,
        repeat: bool = False,
        timeout_s: float = 120.0,
    ) -> Response:
        """Sends one request. `path` is below /services/data/vNN.N/, or starts with /services/ itself.

        `json` is the body: a value, or bytes that are JSON already.

        An error answer is raised as our error, unless `raw` asks for the answer whatever it is (a dead session
        is raised even then). `repeat` says that the request may go out twice although its method is a writing one.
        """
        url = self._path(path, params)
        body = json if json is None or isinstance(json, bytes) else json_module.dumps(json).encode()
        content = {} if body is None else {"Content-Type": "application/json; charset=UTF-8"}

        def once(login: Login) -> Response:
            shown = _headers(login, {"Accept": "application/json", **content, **(headers or {})})
            request = Request(method, login.instance_url + url, shown, body, timeout_s, repeat=repeat)
            return self._transport.send(request, on_attempt=self._tally.count)

        answer = self._ask(once)
        if isinstance(answer, Response) and (raw or answer.is_success):
            return answer
        raise self._error(f"{method} {path}", answer)

    def stream(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 120.0,
    ) -> StreamedResponse:
        """Opens a body for reading piece by piece, compressed as it comes; the caller closes it."""
        url = self._path(path, params)

        def once(login: Login) -> Response | StreamedResponse:
            shown = _headers(login, {"Accept-Encoding": "gzip", **(headers or {})})
            request = Request("GET", login.instance_url + url, shown, None, timeout_s)
            return _settled(self._transport.stream(request, on_attempt=self._tally.count))

        answer = self._ask(once)
        if isinstance(answer, StreamedResponse):
            return answer
        raise self._error(f"GET {path}", answer)

    def upload(
        self,
        path: str,
        file: Path,
        *,
        content_type: str = "text/csv; charset=UTF-8",
        timeout_s: float = 600.0,
    ) -> Response:
        """PUTs a file, read piece by piece. It goes out once: a second time only after a 401, which keeps nothing.

        An answer that is lost is raised as a TransportError: whether the file arrived is then not known.
        """
        url, size = self._path(path, None), file.stat().st_size
        about = {"Accept": "application/json", "Content-Type": content_type, "Content-Length": str(size)}

        def once(login: Login) -> Response:
            request = Request(
                "PUT", login.instance_url + url, _headers(login, about), None, timeout_s, file=file
            )
            return self._transport.send(request, on_attempt=self._tally.count)

        answer = self._ask(once)
        if isinstance(answer, Response) and answer.is_success:
            return answer
        raise self._error(f"PUT {path}", answer)

    def soap(self, write: Callable[[str], bytes], *, what: str, timeout_s: float) -> Response:
        """Posts a message of the SOAP API, made by `write` of the token; it goes out once, and again only if it is renewed."""
        url = f"/services/Soap/u/{self.api_version}"
        about = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""', "Accept": "text/xml"}

        def once(login: Login) -> Response:
            body = write(login.access_token)
            request = Request("POST", login.instance_url + url, Headers(about), body, timeout_s)
            return self._transport.send(request, on_attempt=self._tally.count)

        answer = self._ask(once)
        if isinstance(answer, Response) and answer.is_success:
            return answer
        raise self._error(what, answer)

    def url_bytes(self, path: str, params: Mapping[str, str]) -> int:
        """How long a request's URL is; Salesforce refuses more than 16,384 bytes."""
        return len(self.instance_url) + len(self._path(path, params))

    def close(self) -> None:
        if self._owns_transport:
            self._transport.close()

    # --- inside -----------------------------------------------------------------------------------------

    def _path(self, path: str, params: Mapping[str, str] | None) -> str:
        if "://" in path.partition("?")[0] or path.startswith("//"):
            # A token goes to its own instance only, whatever an answer names as the next address.
            raise RequestRejectedError("A path on the org's own host was expected.", status=0)
        whole = path if path.startswith("/") else f"/services/data/v{self.api_version}/{path}"
        return f"{whole}?{urlencode(params, quote_via=quote)}" if params else whole

    def _ask(self, once: Callable[[Login], Response | StreamedResponse]) -> Response | StreamedResponse:
        """Asks; if the session proves dead, renews it and asks once more."""
        login = self.login
        answer = once(login)
        self._tally.note(answer.headers)
        if not _is_dead(answer):
            return answer
        answer = once(self._session.renewed(login, _reason(answer)))
        self._tally.note(answer.headers)
        if _is_dead(answer):
            raise not_logged_in(_reason(answer))
        return answer

    def _error(self, what: str, answer: Response | StreamedResponse) -> LhtError:
        body = answer.body if isinstance(answer, Response) else b""
        context = wire.ErrorContext(what, server_date(answer.headers), retry_after_s(answer.headers))
        return wire.translate_error(answer.status, body, context)

    def _negotiated(self) -> str:
        request = Request(
            "GET", f"{self.instance_url}/services/data/", Headers({"Accept": "application/json"})
        )
        answer = self._transport.send(request)
        if not answer.is_success:
            raise self._error("The list of API versions", answer)
        offered = wire.read_versions(answer.json())
        known = [v for v in offered if OLDEST_KNOWN <= float(v) <= NEWEST_KNOWN]
        if not known:
            raise ConfigError(
                f"{self.instance_url} offers no API version that LHT knows (v{OLDEST_KNOWN}.0 to v{NEWEST_KNOWN}.0).",
                hint="Check the instance URL, or fix api_version.",
            )
        return max(known, key=float)

    def _user_info(self) -> dict[str, Any]:
        with self._facts.lock:
            if self._facts.user is None:
                self._facts.user = self._asked_user_info()
            return self._facts.user

    def _asked_user_info(self) -> dict[str, Any]:
        try:
            body = self.request("GET", "/services/oauth2/userinfo").json()
        except AuthError:
            raise
        except SalesforceError:
            return {}
        return body if isinstance(body, dict) else {}


def _headers(login: Login, others: Mapping[str, str]) -> Headers:
    return Headers({**others, "Authorization": f"Bearer {login.access_token}"})


def _settled(answer: StreamedResponse) -> Response | StreamedResponse:
    """Leaves a good stream open; reads an error to its end."""
    if 200 <= answer.status < 300:  # noqa: PLR2004
        return answer
    with answer:
        return answer.read_whole()


def _is_dead(answer: Response | StreamedResponse) -> bool:
    return isinstance(answer, Response) and wire.is_dead_session(answer.status, answer.body)


def _reason(answer: Response | StreamedResponse) -> str:
    return wire.read_error(answer.status, answer.body).message if isinstance(answer, Response) else ""


def _checked_version(text: str) -> str:
    version = wire.read_version(text.strip())
    if not version:
        raise ConfigError(f"'{text}' is no API version.", hint="It looks like 66.0.")
    return version
