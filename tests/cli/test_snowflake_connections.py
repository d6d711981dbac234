"""Commands with a Snowflake connection, on the stand-in: which one is used, what is told, what is tried."""

from __future__ import annotations

import json
from contextlib import closing
from socket import create_server
from typing import TYPE_CHECKING, Any

import pytest

from lht.state.store import State
from lht.warehouse.snowflake.connect import open_snowflake

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Shell
    from lht.testing import StandInDatabase

    Write = Callable[..., None]

HUSH = "s3cret-of-the-test"


def entry(where: StandInDatabase, /, **changes: Any) -> str:
    """The lines of a connection to the test's database; a change to None leaves a key out."""
    values = {**where.options, "password": HUSH, **changes}
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items() if value is not None)


def free_port() -> int:
    with closing(create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])


@pytest.fixture
def write(bare: Shell) -> Write:
    def put(name: str, text: str, mode: int = 0o600) -> None:
        path = bare.folder / ".snowflake" / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    return put


# ---- connections --test


def test_a_good_connection_tells_what_it_has(
    bare: Shell, write: Write, lht_snowflake: StandInDatabase
) -> None:
    write("connections.toml", f"[snow]\n{entry(lht_snowflake)}")

    outcome = bare("connections", "--test", "--json")
    shown = bare("connections", "--test", "SNOW").out

    (found,) = outcome.json["connections"]
    assert outcome.code == 0
    assert (found["name"], found["kind"], found["ok"]) == ("snow", "snowflake", True)
    assert set(found["test"]) == {"ok", "finding", "fix", "seconds", "code"}
    assert f"warehouse STAND_IN_WH, {lht_snowflake.name}.PUBLIC" in found["test"]["finding"]
    assert "schema LHT comes with the first run" in found["test"]["finding"]
    assert "GRANT CREATE SCHEMA ON DATABASE" in found["test"]["fix"]
    assert 0 < found["test"]["seconds"] < 60
    assert "snow" in shown
    assert HUSH not in outcome.out + outcome.err + shown


def test_trying_a_connection_changes_nothing(
    bare: Shell, write: Write, lht_snowflake: StandInDatabase
) -> None:
    write("connections.toml", f"[snow]\n{entry(lht_snowflake)}")

    bare("connections", "--test")

    sent = [statement["sql"].split()[0] for statement in lht_snowflake.statements()]
    assert set(sent) == {"SELECT", "SHOW"}
    assert sent.count("SELECT") == 1


def test_lhts_own_schema_is_seen(bare: Shell, write: Write, lht_snowflake: StandInDatabase) -> None:
    write("connections.toml", f"[snow]\n{entry(lht_snowflake)}")
    with open_snowflake(lht_snowflake.options, name="snow") as lake:
        State(lake).ensure()

    (found,) = bare("connections", "--test", "snow", "--json").json["connections"]

    assert found["test"]["finding"].endswith("; schema LHT is there")
    assert found["test"]["fix"] == ""


LACKING: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "database": (
        {"database": "NO_SUCH"},
        7,
        "no database NO_SUCH",
        'GRANT USAGE ON DATABASE "NO_SUCH" TO ROLE',
    ),
    "warehouse": ({"warehouse": "NO_SUCH"}, 7, "no warehouse NO_SUCH", 'ON WAREHOUSE "NO_SUCH" TO ROLE'),
    "key": ({"warehouse": None}, 3, "has no warehouse", 'Add below [snow]: warehouse = "…"'),
    "account": ({"account": "https://a:b@c"}, 3, "no account identifier", 'account = "ORGANIZATION-ACCOUNT"'),
    "variable": ({"password": "${GONE}"}, 3, "GONE, which is not set", "export GONE=…"),
}


@pytest.mark.parametrize("lacking", LACKING)
def test_what_a_connection_lacks_is_told_with_what_to_type(
    bare: Shell, write: Write, lht_snowflake: StandInDatabase, lacking: str
) -> None:
    changes, code, finding, fix = LACKING[lacking]
    write("connections.toml", f"[snow]\n{entry(lht_snowflake, **changes)}")

    outcome, shown = bare("connections", "--test", "--json"), bare("connections", "--test")

    (found,) = outcome.json["connections"]
    assert (outcome.code, shown.code, found["test"]["ok"]) == (code, code, False)
    assert finding in found["test"]["finding"]
    assert fix in found["test"]["fix"]
    assert f"snow: {found['test']['fix']}" in shown.out
    assert HUSH not in outcome.out + shown.out + outcome.err + shown.err


def test_one_that_fails_stops_no_other_and_the_first_gives_the_code(
    bare: Shell, write: Write, lht_snowflake: StandInDatabase
) -> None:
    far = entry(lht_snowflake, port=free_port(), login_timeout=1)
    write(
        "connections.toml",
        f"[far]\n{far}[poor]\n{entry(lht_snowflake, user=None)}[good]\n{entry(lht_snowflake)}",
    )

    outcome = bare("connections", "--test", "--json")

    tests = {found["name"]: found["test"] for found in outcome.json["connections"]}
    assert {name: test["ok"] for name, test in tests.items()} == {"far": False, "poor": False, "good": True}
    assert outcome.code == 7
    assert "cannot be reached" in tests["far"]["finding"]
    assert HUSH not in outcome.out + outcome.err


def test_a_name_limits_the_test_and_a_wrong_one_is_refused(
    bare: Shell, write: Write, lht_snowflake: StandInDatabase
) -> None:
    write(
        "connections.toml",
        f'[good]\n{entry(lht_snowflake)}[far]\naccount = "a"\n[lake]\ntype = "duckdb"\npath = "l.duckdb"',
    )

    named = bare("connections", "--test", "lake", "--json")
    wrong = bare("connections", "--test", "lakee")

    assert [found["name"] for found in named.json["connections"]] == ["lake"]
    assert named.code == 0
    assert not (bare.folder / "l.duckdb").exists()
    assert wrong.code == 3
    assert "Did you mean 'lake'" in wrong.err


# ---- which connection


def test_the_default_of_config_toml_is_used_and_named(
    bare: Shell, write: Write, lht_snowflake: StandInDatabase
) -> None:
    write(
        "config.toml",
        f'default_connection_name = "snow"\n[connections.snow]\n{entry(lht_snowflake)}'
        '[connections.other]\naccount = "other"\n',
    )

    outcome = bare("runs")

    assert outcome.code == 0
    assert "Using the snowflake connection 'snow', by default_connection_name in" in outcome.err
    assert "use snow" in bare("connections").out


def test_connections_toml_goes_before_config_toml(
    bare: Shell, write: Write, lht_snowflake: StandInDatabase
) -> None:
    write("config.toml", '[connections.snow]\naccount = "nowhere"\n')
    write("connections.toml", f"[snow]\n{entry(lht_snowflake)}")

    assert bare("runs").code == 0


@pytest.mark.parametrize("prefix", ["SNOWFLAKE_CONNECTIONS_SNOW_", "LHT_CONNECTIONS_SNOW_", "SNOWFLAKE_"])
def test_a_variable_may_say_where(
    bare: Shell,
    write: Write,
    lht_snowflake: StandInDatabase,
    monkeypatch: pytest.MonkeyPatch,
    prefix: str,
) -> None:
    wrong = None if prefix == "SNOWFLAKE_" else "NO_SUCH"
    write("connections.toml", f"[snow]\n{entry(lht_snowflake, database=wrong, port=None)}")
    monkeypatch.setenv(f"{prefix}DATABASE", lht_snowflake.name)
    monkeypatch.setenv(f"{prefix}PORT", str(lht_snowflake.options["port"]))

    assert bare("connections", "--test").code == 0


def test_variables_alone_are_a_connection(
    bare: Shell, lht_snowflake: StandInDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in lht_snowflake.options.items():
        monkeypatch.setenv(f"SNOWFLAKE_CONNECTIONS_CI_{key.upper()}", str(value))

    assert bare("runs", "--db_connect", "ci").code == 0
    assert bare("connections", "--test", "ci").code == 0


def test_the_whole_text_in_a_variable_is_a_connection(
    bare: Shell, lht_snowflake: StandInDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", f"[snow]\n{entry(lht_snowflake)}")

    assert bare("runs").code == 0


@pytest.mark.parametrize("name", ["connections.toml", "config.toml"])
def test_a_file_that_others_can_change_stops_every_command(
    bare: Shell, write: Write, lht_snowflake: StandInDatabase, name: str
) -> None:
    write(name, f"[snow]\n{entry(lht_snowflake)}", mode=0o660)

    outcome = bare("runs", "--json")

    assert outcome.code == 3
    assert "chmod 600" in outcome.json["error"]["hint"]


def test_keys_that_are_not_used_are_told(bare: Shell, write: Write, lht_snowflake: StandInDatabase) -> None:
    write("connections.toml", f"[snow]\n{entry(lht_snowflake)}warehose = 'x'\nautocommit = false\n")

    outcome = bare("runs")

    assert outcome.code == 0
    assert "'warehose' is not used. Did you mean 'warehouse'?" in outcome.err
    assert "'autocommit' is not used. LHT sets it itself." in outcome.err


# ---- commands


def test_commands_of_the_warehouse_alone_work(
    bare: Shell, write: Write, lht_snowflake: StandInDatabase
) -> None:
    write("connections.toml", f"[snow]\n{entry(lht_snowflake)}")

    runs, reset = bare("runs", "--json"), bare("reset", "--table", "a", "--schema", "raw", "--json")

    assert (runs.code, runs.json) == (0, {"runs": []})
    assert (reset.code, reset.json) == (0, {"table": f"{lht_snowflake.name}.RAW.A", "known": False})
    assert list(bare.folder.glob("*.duckdb")) == []


def test_describe_shows_snowflakes_columns_without_a_login(shell: Shell) -> None:
    path = shell.folder / ".snowflake" / "connections.toml"
    path.write_text(path.read_text() + '[snow]\naccount = "${NOT_SET}"\n')

    described = shell("describe", "Account", "--db_connect", "snow", "--json").json["fields"]

    columns = {field["name"]: (field["column"], field["column_type"]) for field in described}
    assert columns["Id"] == ("ID", "varchar(18)")
