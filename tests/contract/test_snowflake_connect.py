"""Logins to Snowflake with the real connector: what is handed on, and what each refusal tells to mend."""

from __future__ import annotations

import gzip
import json
import logging
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lht import errors
from lht.warehouse.snowflake.connect import open_snowflake
from lht.warehouse.snowflake.keys import SECRETS
from lht.warehouse.snowflake.logins import login_error
from lht.warehouse.snowflake.parameters import connector_parameters
from lht.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.testing.stand_in import StandInDatabase

SECRET = "open-sesame-4711"
KEY_PAIR = {"authenticator": "SNOWFLAKE_JWT"}
REFUSALS = [
    ("390100", "Incorrect username or password was specified.", "does not know this user with this password"),
    ("394400", "Programmatic access token is invalid.", "refused the programmatic access token"),
    ("390144", "JWT token is invalid. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]", "refused the key pair"),
    ("390318", "OAuth access token expired. [1]", "the token has expired"),
    (
        "390422",
        "Incoming request with IP/Token 203.0.113.5 is not allowed to access Snowflake.",
        "network policy",
    ),
    (
        "390127",
        "MFA authentication is required, but none of your current MFA methods are supported.",
        "second factor",
    ),
    ("390102", "User temporarily locked. Try again later.", "has locked or disabled this user"),
    (
        "390189",
        "Role 'LOADER' specified in the connect string does not exist or not authorized.",
        "the role is unknown, or not granted",
    ),
    ("390999", "Something that nobody has seen yet.", "Something that nobody has seen yet"),
]


class LoginServer(BaseHTTPRequestHandler):
    """Answers a login as it is told to, and keeps what was sent."""

    answer: ClassVar[dict[str, Any]] = {}
    status: ClassVar[int] = 200
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.asked.append(json.loads(body) if body else {})
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(self.answer).encode())

    def log_message(self, *args: Any) -> None:
        """Keeps the terminal quiet."""


@contextmanager
def login_server(status: int = 200, **answer: Any) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Serves logins that get this answer; gives options for a connection, and what was sent."""
    told = {"success": False, "data": {}, **answer}
    kind = type("Told", (LoginServer,), {"answer": told, "status": status, "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        port = server.server_address[1]
        common = {
            "account": "acme-lake",
            "user": "loader",
            "protocol": "http",
            "host": "127.0.0.1",
            "port": port,
        }
        try:
            yield {**common, "password": SECRET, "login_timeout": 5}, kind.asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey, passphrase: str = "") -> str:
    how = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode()


def refused(options: dict[str, Any]) -> errors.LhtError:
    with pytest.raises(errors.LhtError) as caught:
        open_snowflake(options, name="prod")
    return caught.value


# ---- refused by Snowflake


@pytest.mark.parametrize(("code", "message", "said"), REFUSALS)
def test_a_refused_login_says_why_and_what_to_mend(
    code: str, message: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with login_server(code=code, message=f"{message} {SECRET}") as (options, _):
        error = refused(options)

    assert isinstance(error, errors.WarehouseUnreachableError)
    assert said in error.message
    assert "connection 'prod'" in error.message
    assert error.hint
    assert SECRET not in str(error)
    assert capfd.readouterr() == ("", "")


def test_an_account_that_does_not_exist() -> None:
    with login_server(status=404) as (options, _):
        error = refused(options)

    assert "no such account" in error.message
    assert "ORGANIZATION-ACCOUNT" in error.hint


def test_an_answer_that_is_not_snowflakes() -> None:
    with login_server(code="390100") as (options, _):
        error = refused(options)

    assert isinstance(error, errors.WarehouseUnreachableError)
    assert error.message.startswith("Cannot log in with connection 'prod': ")


def test_a_passphrase_that_no_key_needs() -> None:
    raised = TypeError("Password was given but private key is not encrypted.")  # connector 5 takes it

    assert "Remove private_key_passphrase" in login_error(raised, "prod", {}).hint


def test_a_host_that_does_not_answer() -> None:
    with login_server() as (options, _):
        pass

    error = refused({**options, "login_timeout": 1})

    assert isinstance(error, errors.WarehouseUnreachableError)
    assert "cannot be reached" in error.message


def test_the_connectors_own_log_is_for_those_who_ask_for_it(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.INFO, "snowflake.connector"),
        login_server(code="390100", message="No.") as (options, _),
    ):
        refused(options)

    assert any(record.name.startswith("snowflake.connector") for record in caplog.records)


# ---- refused by the connector itself


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"account": "a", "password": SECRET}, "no user is given"),
        ({"account": "a", "user": "u"}, "neither a password nor another way"),
        (
            {"account": "a", "user": "u", "password": SECRET, "authenticator": "magic"},
            "no such authenticator",
        ),
    ],
)
def test_what_is_missing_is_told(options: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.ConfigError, match=said) as caught:
        open_snowflake(options, name="prod")

    assert "'prod'" in caught.value.message
    assert SECRET not in str(caught.value)


# ---- key pairs


@pytest.mark.parametrize("spelling", ["private_key_file", "private_key_raw", "private_key"])
@pytest.mark.parametrize("passphrase", ["", SECRET])
def test_a_key_pair_logs_in(
    lht_snowflake: StandInDatabase, tmp_path: Path, key: rsa.RSAPrivateKey, spelling: str, passphrase: str
) -> None:
    file = tmp_path / "rsa_key.p8"
    file.write_text(pem(key, passphrase))
    options = without_password(lht_snowflake) | KEY_PAIR
    options[spelling] = str(file) if spelling == "private_key_file" else file.read_text()
    options |= {"private_key_passphrase": passphrase} if passphrase else {}

    with open_snowflake(options, name="prod") as warehouse:
        found = warehouse.query(Statement("SELECT 1 AS N"))

    assert found == [(1,)]


def without_password(database: StandInDatabase) -> dict[str, Any]:
    return {name: value for name, value in database.options.items() if name != "password"}


def test_a_key_is_what_is_sent(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    file = tmp_path / "rsa_key.p8"
    file.write_text(pem(key))
    with login_server(code="390144", message="JWT token is invalid.") as (options, asked):
        refused({**options, **KEY_PAIR, "private_key_file": str(file)})

    assert asked[0]["data"]["AUTHENTICATOR"] == "SNOWFLAKE_JWT"
    assert asked[0]["data"]["TOKEN"].count(".") == 2


@pytest.mark.parametrize(
    ("locked", "given", "said"),
    [
        (SECRET, "", "is encrypted, and no passphrase is given"),
        (SECRET, "wrong", "passphrase"),
    ],
)
def test_a_wrong_passphrase_is_told(
    tmp_path: Path, key: rsa.RSAPrivateKey, locked: str, given: str, said: str
) -> None:
    file = tmp_path / "rsa_key.p8"
    file.write_text(pem(key, locked))
    with login_server() as (options, asked):
        error = refused({
            **options, **KEY_PAIR, "private_key_file": str(file), "private_key_passphrase": given
        })  # fmt: skip

    assert isinstance(error, errors.ConfigError)
    assert said in error.message
    assert "passphrase" in error.hint
    assert asked == []


def test_a_key_that_cannot_be_read(tmp_path: Path) -> None:
    options = {"account": "a", "user": "u", **KEY_PAIR}
    (tmp_path / "no_key.pem").write_text("hello")

    unfit = refused({**options, "private_key_file": str(tmp_path / "no_key.pem")})
    text = refused({**options, "private_key_raw": "hello"})

    assert [type(error) for error in (unfit, text)] == [errors.ConfigError] * 2
    assert "private key cannot be read" in unfit.message
    assert "no PEM text" in text.message


# ---- tokens


@pytest.mark.parametrize("authenticator", ["PROGRAMMATIC_ACCESS_TOKEN", "oauth"])
def test_a_token_is_read_from_its_file_without_the_line_break(tmp_path: Path, authenticator: str) -> None:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    with login_server(code="390303", message=f"Invalid OAuth access token. {SECRET}") as (options, asked):
        error = refused({
            **options, "password": "", "authenticator": authenticator, "token_file_path": str(file)
        })  # fmt: skip

    assert asked[0]["data"]["TOKEN"] == SECRET
    assert SECRET not in str(error)


def test_a_token_file_that_is_empty_or_missing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    options = {"account": "a", "user": "u", "authenticator": "oauth"}

    empty = refused({**options, "token_file_path": str(tmp_path / "empty")})
    missing = refused({**options, "token_file_path": str(tmp_path / "none")})

    assert "is empty" in empty.message
    assert "cannot be read" in missing.message


# ---- what the connector is given


def test_a_session_has_the_settings_that_correctness_needs() -> None:
    users = {
        "timezone": "Asia/Tokyo",
        "lock_timeout": 5,
        "rows_per_resultset": 10,
        "STATEMENT_TIMEOUT_IN_SECONDS": 60,
    }
    with login_server(code="390100", message="No.") as (options, asked):
        refused({**options, "session_parameters": users, "timezone": "Europe/Rome", "autocommit": False})

    sent = asked[0]["data"]["SESSION_PARAMETERS"]
    assert (sent["TIMEZONE"], str(sent["AUTOCOMMIT"]).lower()) == ("UTC", "true")
    assert int(sent["ROWS_PER_RESULTSET"]) == 0
    assert [int(sent[name]) for name in ("LOCK_TIMEOUT", "STATEMENT_TIMEOUT_IN_SECONDS")] == [5, 60]
    assert json.loads(sent["QUERY_TAG"]) == {"app": "lht"}
    assert asked[0]["data"]["CLIENT_ENVIRONMENT"]["APPLICATION"] == "LHT"


def test_only_the_connectors_own_parameters_are_handed_on() -> None:
    options = {"account": "acme", "user": "u", "password": SECRET, "type": "snowflake", "lht_something": 1}

    given = connector_parameters(options, "prod")

    assert {"type", "lht_something"}.isdisjoint(given)
    assert (given["account"], given["user"]) == ("acme", "u")
    assert (given["paramstyle"], given["arrow_number_to_decimal"], given["application"]) == (
        "qmark",
        True,
        "LHT",
    )


def test_every_secret_of_the_connector_is_known_as_one() -> None:
    options = {"account": "a", "user": "u", **dict.fromkeys(SECRETS - {"private_key_raw"}, SECRET)}

    given = connector_parameters(options, "prod")

    held = {name for name, value in given.items() if SECRET in str(value)}
    assert held - {"private_key_file_pwd", "private_key_password"} <= SECRETS
