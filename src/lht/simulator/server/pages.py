"""The pages that a browser is shown: login, consent, errors. They work without scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.responses import Response

SCOPE_WORDS = {
    "address": "See your address",
    "api": "Manage user data via APIs",
    "custom_permissions": "Access custom permissions",
    "email": "See your email address",
    "full": "Full access",
    "id": "Access the identity URL service",
    "offline_access": "Perform requests at any time",
    "openid": "Access unique user identifiers",
    "phone": "See your phone number",
    "profile": "See your profile",
    "refresh_token": "Perform requests at any time",
    "web": "Manage user data via Web browsers",
}
_STYLE = """\
*{box-sizing:border-box}
:root{color-scheme:light dark;--page:#f4f6f9;--card:#fff;--text:#16325c;--faint:#444;--edge:#d8dde6;--line:#747474;
--link:#0b5cab;--alert:#8e030f;--alarm:#fef1ee}
@media (prefers-color-scheme:dark){:root{--page:#0f141b;--card:#1b232d;--text:#e3e9f1;--faint:#b4bfcc;--edge:#3a4654;
--line:#8796a8;--link:#78b0fd;--alert:#feb8ab;--alarm:#3a1512}}
body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;background:var(--page);
color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:25rem;margin:1rem;padding:2rem;background:var(--card);border:1px solid var(--edge);
border-radius:.5rem;overflow-wrap:anywhere}
h1{margin:0 0 1rem;font-size:1.4rem}
label{display:block;margin:1rem 0 .25rem}
input{width:100%;padding:.6rem;font:inherit;color:inherit;background:transparent;border:1px solid var(--line);
border-radius:.25rem}
button{width:100%;margin-top:1rem;padding:.7rem;font:inherit;color:#fff;background:#0b5cab;border:1px solid #0b5cab;
border-radius:.25rem;cursor:pointer}
button.second{color:var(--link);background:transparent;border-color:var(--link)}
:focus-visible{outline:3px solid #1b96ff;outline-offset:2px}
[role=alert]{padding:.75rem;color:var(--alert);background:var(--alarm);border:1px solid #ea001e;border-radius:.25rem}
small{color:var(--faint)}
code{overflow-wrap:anywhere}"""
_FRAME = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def login_page(username: str, *, was_wrong: bool, goes_to: str) -> Response:
    """Asks for name and password."""
    wrong = (
        '<p role="alert" id="error">Please check your username and password. '
        "If you still can't log in, contact your Salesforce administrator.</p>"
    )
    focus = ("", " autofocus") if username else (" autofocus", "")
    told = ' aria-describedby="error" aria-invalid="true"' if was_wrong else ""
    body = f"""\
<h1>Log in to the local org</h1>
{wrong if was_wrong else ""}
<form method="post">
<label for="username">Username</label>
<input id="username" name="username" type="text" value="{escape(username)}" autocomplete="username" \
autocapitalize="none" spellcheck="false" required{told}{focus[0]}>
<label for="password">Password</label>
<input id="password" name="pw" type="password" autocomplete="current-password" required{told}{focus[1]}>
<button type="submit" id="Login" name="Login" value="Log In">Log In</button>
</form>"""
    return _page("Login | Salesforce", body, goes_to=goes_to)


def consent_page(app: str, username: str, scopes: Iterable[str], *, proof: str, goes_to: str) -> Response:
    """Asks whether the app may do what it wants to."""
    words = dict.fromkeys(SCOPE_WORDS[scope] for scope in scopes)
    wishes = "\n".join(f"<li>{escape(text)}</li>" for text in words)
    body = f"""\
<h1>Allow Access?</h1>
<p><strong>{escape(app)}</strong> is asking to:</p>
<ul>
{wishes}
</ul>
<p>Do you want to allow access for {escape(username)}?</p>
<form method="post">
<input type="hidden" name="proof" value="{escape(proof)}">
<button type="submit" id="oaapprove" name="decision" value="allow">Allow</button>
<button type="submit" id="oadeny" name="decision" value="deny" class="second">Deny</button>
</form>"""
    return _page("Allow Access?", body, goes_to=goes_to)


def error_page(error: str, description: str) -> Response:
    """Tells a person what the app is not told."""
    body = f"""\
<h1>Authorization Error</h1>
<p role="alert">We can't authorize you because of an OAuth error. For more information, contact your Salesforce \
administrator.</p>
<p>OAUTH_APPROVAL_ERROR_GENERIC : An unexpected error has occurred during authentication. Please try again.</p>
<p><small><code>{escape(error)}: {escape(description)}</code></small></p>"""
    return _page("Authorization Error", body)


def _page(title: str, body: str, goes_to: str = "") -> Response:
    text = _FRAME.format(title=escape(title), style=_STYLE, body=body)
    # A form's answer may send the browser on, and browsers hold that against form-action too.
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self'{_source(goes_to)}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache, no-store",
    }
    return HTMLResponse(text, 200, headers)


def _source(address: str) -> str:
    """Writes an address as a source of a policy, which knows no IPv6 hosts."""
    parts = urlsplit(address)
    if not parts.scheme:
        return ""
    is_plain = parts.scheme in {"http", "https"} and "[" not in parts.netloc
    return f" {parts.scheme}://{parts.netloc}" if is_plain else f" {parts.scheme}:"
