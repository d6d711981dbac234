"""The calls by which docs/simulator.md shows how to log in are made as they are written there, in their order."""

from __future__ import annotations

import base64
import json
import re
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from joserfc import jwt
from joserfc.jwk import RSAKey

from lht.testing.browser import Browser, read_page

if TYPE_CHECKING:
    from lht.testing.caller import Caller, Reply

PAGE = Path(__file__).parents[2] / "docs" / "simulator.md"


def test_the_calls_that_log_in_do_what_the_page_says(desk: Caller) -> None:
    org = desk.org
    key, pem = made_key()
    first = desk.token().json()["access_token"]
    known = {
        "URL": org.url,
        "CLIENT_ID": org.client_id,
        "CLIENT_SECRET": org.client_secret,
        "ACCESS_TOKEN": first,
    }
    known |= {"PEM_AS_JSON": json.dumps(pem), "CODE": Browser(org).code()}
    claims = {"iss": org.client_id, "sub": org.username, "aud": org.url, "exp": int(time.time()) + 180}
    known["JWT"] = jwt.encode({"alg": "RS256"}, claims, key)
    page = PAGE.read_text(encoding="utf-8").partition("## Logging in")[2].partition("\n## ")[0]
    answers = {}
    for line in re.findall(r"^\$ (curl .*)$", page, re.MULTILINE):
        answers[line] = reply = curled(desk, line, known)
        if reply.body and "refresh_token" in reply.json():
            known["REFRESH_TOKEN"] = reply.json()["refresh_token"]
    address = re.findall(r'xdg-open "\$URL(.*?)"', page)[0].replace("$CLIENT_ID", org.client_id)

    assert len(answers) == 8
    assert {line: reply.text for line, reply in answers.items() if reply.status != 200} == {}
    assert "pw" in read_page(Browser(org).open(address)).inputs


def made_key() -> tuple[RSAKey, str]:
    """A key, and its public half in PEM form."""
    key = RSAKey.generate_key(2_048)
    return key, key.as_pem(private=False).decode()


def curled(desk: Caller, line: str, known: dict[str, str]) -> Reply:
    """Does what curl would do with the options that the page uses."""
    words = [re.sub(r"\$([A-Z_]+)", lambda found: known[found[1]], word) for word in shlex.split(line)[1:]]
    headers, data, method, path = {"Content-Type": "application/x-www-form-urlencoded"}, [], None, ""
    while words:
        word = words.pop(0)
        if word in {"-d", "--data-urlencode"}:
            name, _, value = words.pop(0).partition("=") if word != "-d" else (words.pop(0), "", "")
            data.append(name if word == "-d" else f"{name}={quote(value, safe='')}")
        elif word == "-u":
            headers["Authorization"] = f"Basic {base64.b64encode(words.pop(0).encode()).decode()}"
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-X":
            method = words.pop(0)
        else:
            path = word.removeprefix(desk.org.url)
    return desk.raw(method or ("POST" if data else "GET"), path, "&".join(data).encode() or None, headers)
