"""What a Snowflake connection is handed on as, and what is told where it cannot be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from snowflake.connector.connection import DEFAULT_CONFIGURATION

from lht.config.connections import load_connections
from lht.config.environment import read_environment
from lht.config.snowflake import SnowflakeLogin, account_and_host, snowflake_login, unknown_keys
from lht.errors import ConfigError
from lht.warehouse.snowflake.keys import (
    AUTHENTICATORS,
    BOOLEANS,
    GENERIC,
    KEYS,
    NUMBERS,
    OF_LHT,
    PATHS,
    RENAMED,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    LogIn = Callable[..., SnowflakeLogin]

PLACE = 'database = "D"\nschema = "S"\nwarehouse = "W"\n'
WHOLE = f'account = "myorg-acct"\nuser = "u"\npassword = "s3cret"\n{PLACE}'


@pytest.fixture
def log_in(tmp_path: Path) -> LogIn:
    def found(text: str, **variables: str) -> SnowflakeLogin:
        directory = tmp_path / ".snowflake"
        directory.mkdir(exist_ok=True)
        (directory / "connections.toml").write_text(f"[snow]\n{text}")
        (directory / "connections.toml").chmod(0o600)
        return snowflake_login(load_connections(directory, read_environment(variables), tmp_path).warehouse())

    return found


def write_key(path: Path, passphrase: bytes | None = None) -> None:
    secret: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret))
    path.chmod(0o600)


def test_a_whole_connection_is_handed_on(log_in: LogIn) -> None:
    login = log_in(WHOLE + 'type = "snowflake"\nrole = ""')

    assert login.options == {
        "account": "myorg-acct",
        "user": "u",
        "password": "s3cret",
        "database": "D",
        "schema": "S",
        "warehouse": "W",
        "authenticator": "SNOWFLAKE",
    }
    assert login.notes == ()
    assert "s3cret" not in repr(login)


# ---- the connector's names


def test_every_key_of_the_connector_is_known_by_name_and_kind() -> None:
    def of(kind: type) -> set[str]:
        takes = {
            name: types if isinstance(types, tuple) else (types,)
            for name, (_, types) in DEFAULT_CONFIGURATION.items()
        }
        return {name for name, types in takes.items() if kind in types}

    assert set(DEFAULT_CONFIGURATION) - KEYS - OF_LHT == set()
    assert of(bool) - BOOLEANS - OF_LHT == set()
    assert of(int) - NUMBERS - OF_LHT == set()
    assert set() == KEYS & OF_LHT
    assert {RENAMED.get(key, key) for key in (*GENERIC, *PATHS)} <= KEYS


def test_a_key_that_the_connector_does_not_know_is_told_and_not_handed_on(log_in: LogIn) -> None:
    login = log_in(WHOLE + 'warehose = "X"\nautocommit = false\nqqqqqqqqq = 1')

    assert {"warehose", "autocommit", "qqqqqqqqq"} & set(login.options) == set()
    assert "'warehose' is not used. Did you mean 'warehouse'" in login.notes[0]
    assert "'autocommit' is not used. LHT sets it itself." in login.notes[1]
    assert login.notes[2].endswith("'qqqqqqqqq' is not used.")


def test_the_clis_names_are_no_unknown_keys() -> None:
    assert unknown_keys({"private_key_path": 1, "private_key_raw": 1, "private_key_file_pwd": 1}) == {}


@pytest.mark.parametrize(("text", "expected"), [('"false"', False), ('"True"', True), ("true", True)])
def test_text_from_a_variable_becomes_true_or_false(
    log_in: LogIn,
    text: str,
    expected: bool,  # noqa: FBT001
) -> None:
    assert (
        log_in(f"{WHOLE}client_session_keep_alive = {text}").options["client_session_keep_alive"] is expected
    )


def test_text_from_a_variable_becomes_a_number(log_in: LogIn) -> None:
    assert log_in(WHOLE, SNOWFLAKE_CONNECTIONS_SNOW_LOGIN_TIMEOUT="30").options["login_timeout"] == 30


@pytest.mark.parametrize("line", ['login_timeout = "soon"', 'ocsp_fail_open = "maybe"'])
def test_what_is_neither_is_refused_with_its_line(log_in: LogIn, line: str) -> None:
    with pytest.raises(ConfigError, match=r"line 8: .* has to be"):
        log_in(WHOLE + line)


# ---- what is missing


@pytest.mark.parametrize("key", ["account", "user", "password", "database", "schema", "warehouse"])
def test_a_missing_key_is_told_with_the_file_and_the_line_to_add(
    log_in: LogIn, tmp_path: Path, key: str
) -> None:
    lines = [line for line in WHOLE.splitlines() if not line.startswith(key)]

    with pytest.raises(ConfigError, match=f"'snow' in .*connections.toml has no {key}") as caught:
        log_in("\n".join(lines))

    assert str(tmp_path) in caught.value.message
    assert caught.value.hint.startswith(f'Add below [snow]: {key} = "')


@pytest.mark.parametrize(
    ("key", "typed"), [("warehouse", "warehose"), ("password", "pasword"), ("account", "accont")]
)
def test_a_key_that_is_misspelt_is_told_where_the_right_one_is_missed(
    log_in: LogIn, key: str, typed: str
) -> None:
    lines = WHOLE.replace(f"{key} =", f"{typed} =")

    with pytest.raises(ConfigError, match=f"has no {key}") as caught:
        log_in(lines)

    assert re.search(rf"line \d+ has the key '{typed}': is it {key}\?", caught.value.hint)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('authenticator = "externalbrowser"', "no user"),
        ('user = "u"\nauthenticator = "snowflake_jwt"', "no private key"),
        ('authenticator = "oauth"', "no token"),
        ('authenticator = "programmatic_access_token"', "no token"),
        ('user = "u"\ntoken = "x"', "no authenticator for its token"),
        ('user = "u"\nauthenticator = "username_password_mfa"', "no password"),
        ('user = "u"\nauthenticator = "https://acme.okta.com"', "no password"),
        ('user = "u"\nauthenticator = "externalbrowse"', "unknown authenticator.*'EXTERNALBROWSER'"),
    ],
)
def test_what_an_authenticator_needs_is_told(log_in: LogIn, lines: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        log_in(f'account = "a"\n{PLACE}{lines}')


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('user = "u"\nauthenticator = "externalbrowser"', "EXTERNALBROWSER"),
        ('authenticator = "oauth"\ntoken = "x"', "OAUTH"),
        ('authenticator = "PROGRAMMATIC_ACCESS_TOKEN"\ntoken_file_path = "t"', "PROGRAMMATIC_ACCESS_TOKEN"),
        ('authenticator = "workload_identity"\nworkload_identity_provider = "AWS"', "WORKLOAD_IDENTITY"),
        ('user = "u"\npassword = "p"\nauthenticator = "https://acme.okta.com"', "https://acme.okta.com"),
        ('user = "u"\nprivate_key_raw = "x"\nauthenticator = "snowflake"', "SNOWFLAKE_JWT"),
        ('session_token = "x"\nmaster_token = "y"', "SNOWFLAKE"),
    ],
)
def test_who_needs_no_password_is_asked_for_none(log_in: LogIn, lines: str, expected: str) -> None:
    assert log_in(f'account = "a"\n{PLACE}{lines}').options["authenticator"] == expected


def test_every_authenticator_is_spelled_in_capitals() -> None:
    assert [name.upper() for name in AUTHENTICATORS] == list(AUTHENTICATORS)


# ---- accounts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("myorg-acct", ("myorg-acct", None)),
        ("xy12345.eu-central-1", ("xy12345.eu-central-1", None)),
        ("myorg-acct.privatelink", ("myorg-acct.privatelink", None)),
        ("myorg-acct.snowflakecomputing.com", ("myorg-acct", None)),
        ("https://xy12345.eu-central-1.aws.snowflakecomputing.com/", ("xy12345.eu-central-1.aws", None)),
        ("https://myorg-acct.snowflakecomputing.com/console#/x", ("myorg-acct", None)),
        ("myorg-acct.snowflakecomputing.com:443", ("myorg-acct", None)),
        ("myorg-acct.snowflakecomputing.cn", ("myorg-acct", "myorg-acct.snowflakecomputing.cn")),
        ("https://app.snowflake.com/myorg/acct/#/homepage", ("myorg-acct", None)),
        ("https://app.snowflake.com/us-east-1/xy12345", ("", None)),
        ("https://app.snowflake.com", ("", None)),
        ("https://me:s3cret@acct", ("", None)),
        ("https://example.com", ("", None)),
        ("my account", ("", None)),
    ],
)
def test_accounts_are_understood_however_they_were_copied(
    text: str, expected: tuple[str, str | None]
) -> None:
    assert account_and_host(text) == expected


def test_what_is_no_account_is_refused_without_being_repeated(log_in: LogIn) -> None:
    with pytest.raises(ConfigError, match=r"line 2: the account of 'snow'") as caught:
        log_in(WHOLE.replace("myorg-acct", "https://me:hush@acct"))

    assert "hush" not in str(caught.value)


def test_the_sql_spelling_of_an_account_is_refused_with_the_right_one(log_in: LogIn) -> None:
    with pytest.raises(ConfigError, match='account = "myorg-acct"'):
        log_in(WHOLE.replace("myorg-acct", "myorg.acct"))


def test_http_is_for_this_machine_only(log_in: LogIn) -> None:
    local = 'protocol = "http"\nhost = "127.0.0.1"\nport = 1234'

    assert log_in(WHOLE + local).options["port"] == 1234
    for far in ('protocol = "http"', 'protocol = "http"\nhost = "example.com"'):
        with pytest.raises(ConfigError, match="unencrypted"):
            log_in(WHOLE + far)


# ---- keys

KEY_PAIR = f'account = "a"\nuser = "u"\n{PLACE}'


@pytest.mark.parametrize("name", ["private_key_file", "private_key_path"])
@pytest.mark.parametrize("given", ["rsa.p8", "{folder}/rsa.p8", "~/rsa.p8", "${{WHERE}}/rsa.p8"])
def test_a_key_file_starts_where_the_project_does(
    log_in: LogIn, tmp_path: Path, name: str, given: str
) -> None:
    write_key(tmp_path / "rsa.p8")
    line = f'{name} = "{given.format(folder=tmp_path)}"'

    login = log_in(KEY_PAIR + line, HOME=str(tmp_path), WHERE=str(tmp_path))

    assert login.options["private_key_file"] == str(tmp_path / "rsa.p8")
    assert login.options["authenticator"] == "SNOWFLAKE_JWT"
    assert login.notes == ()


def test_a_key_file_that_cannot_be_used_is_told_before_the_login(log_in: LogIn, tmp_path: Path) -> None:
    line = 'private_key_file = "rsa.p8"'

    with pytest.raises(ConfigError, match=r"rsa\.p8 of \[snow\] in .* cannot be read"):
        log_in(KEY_PAIR + line)
    (tmp_path / "rsa.p8").write_text("ssh-rsa AAAA")
    with pytest.raises(ConfigError, match="no private key in PEM form"):
        log_in(KEY_PAIR + line)


def test_an_encrypted_key_needs_its_passphrase(log_in: LogIn, tmp_path: Path) -> None:
    write_key(tmp_path / "rsa.p8", b"s3cret")
    line = 'private_key_file = "rsa.p8"\n'

    def passphrase(text: str, **variables: str) -> Any:
        return log_in(KEY_PAIR + line + text, **variables).options["private_key_passphrase"]

    with pytest.raises(ConfigError, match="is encrypted, and there is no passphrase"):
        log_in(KEY_PAIR + line)
    assert passphrase('private_key_file_pwd = "a"') == "a"
    assert passphrase('private_key_passphrase = "${P}"', P="b") == "b"
    assert passphrase("", PRIVATE_KEY_PASSPHRASE="c") == "c"
    assert passphrase('private_key_file_pwd = "a"', PRIVATE_KEY_PASSPHRASE="c") == "a"


def test_a_passphrase_for_a_key_that_has_none_is_left_out(log_in: LogIn, tmp_path: Path) -> None:
    write_key(tmp_path / "rsa.p8")

    login = log_in(f'{KEY_PAIR}private_key_file = "rsa.p8"', PRIVATE_KEY_PASSPHRASE="x")

    assert "private_key_passphrase" not in login.options


def test_a_key_that_others_can_read_is_told(log_in: LogIn, tmp_path: Path) -> None:
    write_key(tmp_path / "rsa.p8")
    (tmp_path / "rsa.p8").chmod(0o644)

    assert "chmod 600" in log_in(f'{KEY_PAIR}private_key_file = "rsa.p8"').notes[0]
