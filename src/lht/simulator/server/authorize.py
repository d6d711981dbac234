"""The authorize resource: a browser comes with a question of an app, and leaves with its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from lht.simulator.errors import OAuthFault
from lht.simulator.org.oauth.authorize import ErrorPage, SentBack, asked
from lht.simulator.org.oauth.browsers import is_own
from lht.simulator.server.pages import consent_page, error_page, login_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from lht.simulator.org.oauth.authorize import Asked
    from lht.simulator.org.oauth.browsers import Browser
    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call

COOKIE = "sid"
ERROR_PATH = "/setup/secur/RemoteAccessErrorPage.apexp"
NO_STORE = {"Cache-Control": "no-cache, no-store", "Referrer-Policy": "no-referrer"}


def show(site: Site, call: Call) -> Response:
    """Shows the login form, or the consent page, or sends the browser back where neither is needed."""
    return _answered(site, call, lambda question: _shown(site, call, question))


def answer(site: Site, call: Call) -> Response:
    """Takes what a person did on either page."""
    return _answered(site, call, lambda question: _acted(site, call, question))


def error(_site: Site, call: Call) -> Response:
    """Shows an error that the app is not told."""
    return error_page(call.query.get("error", ""), call.query.get("error_description", ""))


def _answered(site: Site, call: Call, act: Callable[[Asked], Response]) -> Response:
    try:
        return act(asked(site.oauth.app, call.query))
    except SentBack as back:
        return _sent(back.location)
    except ErrorPage as page:
        told = urlencode({"error": page.error, "error_description": page.description})
        return _sent(f"{ERROR_PATH}?{told}")
    except OAuthFault as fault:
        text = f"error={quote_plus(fault.error)}&error_description={quote(fault.description, safe='')}"
        return PlainTextResponse(text, 400, NO_STORE)


def _shown(site: Site, call: Call, question: Asked) -> Response:
    browser = site.oauth.browsers.use(_cookie(call))
    if question.is_immediate:
        if browser and site.oauth.is_approved(question, browser.username):
            return _allowed(site, call, question, browser)
        return _sent(question.refusal("immediate_unsuccessful", "immediate_unsuccessful"))
    if browser is None or question.prompts & {"login", "select_account"}:
        return login_page(question.login_hint, was_wrong=False, goes_to=question.redirect_uri)
    return _next(site, call, question, browser)


def _acted(site: Site, call: Call, question: Asked) -> Response:
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    if "decision" in form:
        return _decided(site, call, question, form)
    username = form.get("username", "")
    browser = site.oauth.log_in(username, form.get("pw", ""))
    if browser is None:
        return login_page(username, was_wrong=True, goes_to=question.redirect_uri)
    found = _next(site, call, question, browser)
    found.set_cookie(COOKIE, browser.cookie, path="/services/oauth2", httponly=True, samesite="lax")
    return found


def _decided(site: Site, call: Call, question: Asked, form: dict[str, str]) -> Response:
    """A form that is not ours, or too old, is answered with the login form."""
    browser = site.oauth.browsers.use(_cookie(call))
    if browser is None or not is_own(browser, form.get("proof")):
        return login_page(question.login_hint, was_wrong=False, goes_to=question.redirect_uri)
    if form["decision"] != "allow":
        return _sent(question.refusal("access_denied", "end-user denied authorization"))
    return _allowed(site, call, question, browser, consented=True)


def _next(site: Site, call: Call, question: Asked, browser: Browser) -> Response:
    """Asks for consent where it is not known, or is to be asked for again."""
    oauth = site.oauth
    is_known = oauth.is_approved(question, browser.username) and "consent" not in question.prompts
    if is_known or oauth.app.shuts_out(browser.username):
        return _allowed(site, call, question, browser)
    return consent_page(
        oauth.app.name, browser.username, question.scopes, proof=browser.proof, goes_to=question.redirect_uri
    )


def _allowed(
    site: Site, call: Call, question: Asked, browser: Browser, *, consented: bool = False
) -> Response:
    return _sent(site.oauth.allow(question, browser.username, call.base_url, consented=consented))


def _sent(location: str) -> Response:
    """Sends the browser on; the address is written already."""
    found = RedirectResponse("/", 302, NO_STORE)
    found.headers["location"] = location
    return found


def _cookie(call: Call) -> str | None:
    crumbs = (crumb.strip().partition("=") for crumb in call.headers.get("cookie", "").split(";"))
    return next((value for name, _, value in crumbs if name == COOKIE), None)
