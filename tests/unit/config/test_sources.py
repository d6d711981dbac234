"""Which connections count, and which one is meant: Snowflake's own rules, with real files."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from lht.config.connections import Connections, load_connections
from lht.config.environment import read_environment
from lht.config.files import find_directory
from lht.config.settings import load_settings
from lht.errors import ConfigError, UnknownConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[..., Connections]

CONNECTIONS = '[snow]\naccount = "of-connections"\n'
CONFIG = '[connections.snow]\naccount = "of-config"\n[connections.other]\naccount = "other"\n[cli.logs]\nlevel = "info"\n'


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def found(connections: str | None, config: str | None, **variables: str) -> Connections:
        directory = tmp_path / ".snowflake"
        directory.mkdir(exist_ok=True)
        for name, text in (("connections.toml", connections), ("config.toml", config)):
            if text is not None:
                (directory / name).write_text(text)
                (directory / name).chmod(0o600)
        return load_connections(directory, read_environment(variables), tmp_path)

    return found


def account(found: Connections, name: str | None = None) -> object:
    return found.warehouse(name).options["account"]


# ---- which file


def test_config_toml_alone_holds_connections(load: Load) -> None:
    found = load(None, CONFIG)

    assert found.warehouse_names == ("snow", "other")
    assert account(found, "snow") == "of-config"
    assert found.path.name == "config.toml"


def test_connections_toml_takes_the_place_of_config_tomls_connections(load: Load) -> None:
    found = load(CONNECTIONS, CONFIG)

    assert found.warehouse_names == ("snow",)
    assert account(found) == "of-connections"


def test_even_an_empty_connections_toml_does(load: Load) -> None:
    assert load("# nothing yet\n", CONFIG).warehouse_names == ()


def test_a_connection_that_is_hidden_so_is_told_with_the_rule(load: Load) -> None:
    with pytest.raises(UnknownConnectionError, match=r"\[connections\.other\].*config\.toml does not count"):
        load(CONNECTIONS, CONFIG).warehouse("other")


def test_lhts_own_tables_count_in_either_file(load: Load) -> None:
    own = '[connections.lake]\ntype = "duckdb"\npath = "l.duckdb"\n[connections.sf]\nclient_id = "1"\n'

    found = load(CONNECTIONS, CONFIG + own)

    assert (found.warehouse_names, found.app_names) == (("snow", "lake"), ("sf",))


def test_the_nearer_of_two_tables_of_lht_counts(load: Load) -> None:
    found = load(
        '[lake]\ntype = "duckdb"\npath = "near"', '[connections.lake]\ntype = "duckdb"\npath = "far"'
    )

    assert str(found.warehouse().path).endswith("near")


def test_the_variable_takes_the_place_of_both_files(load: Load) -> None:
    text = CONNECTIONS + '[sf]\nclient_id = "1"'

    found = load(text, CONFIG, SNOWFLAKE_CONNECTIONS='[mine]\naccount = "of-variable"')

    assert (found.warehouse_names, found.app_names) == (("mine",), ("sf",))
    assert account(found) == "of-variable"
    with pytest.raises(UnknownConnectionError, match="SNOWFLAKE_CONNECTIONS stands for all"):
        found.warehouse("snow")


def test_an_empty_variable_is_none(load: Load) -> None:
    assert load(CONNECTIONS, None, SNOWFLAKE_CONNECTIONS=" ").warehouse_names == ("snow",)


def test_a_variable_that_is_no_toml_is_named_without_its_text(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"SNOWFLAKE_CONNECTIONS is not valid TOML: .*line 2") as caught:
        load(None, None, SNOWFLAKE_CONNECTIONS="[a]\npassword = s3cret")

    assert "s3cret" not in str(caught.value)


def test_a_heading_of_the_other_file_is_told(load: Load) -> None:
    found = load(CONFIG.partition("[cli")[0], None)

    assert found.warehouse_names == ()
    assert "here a connection is [snow]" in found.warnings[0]


def test_quoted_names_have_their_lines(load: Load) -> None:
    found = load(None, '\n[connections."my-con"]\naccount = "a"\nanything = 1')

    assert "line 4" in found.warnings[0]


# ---- values: flag > variables of the connection > file > variables for all connections

LAYERS = {
    "LHT_CONNECTIONS_SNOW_ROLE": "lht",
    "SNOWFLAKE_CONNECTIONS_SNOW_ROLE": "snowflake",
    "file": "file",
    "SNOWFLAKE_ROLE": "generic",
}


@pytest.mark.parametrize(("nearer", "farther"), list(combinations(LAYERS, 2)))
def test_of_two_places_the_nearer_counts(load: Load, nearer: str, farther: str) -> None:
    there = {name: LAYERS[name] for name in (nearer, farther)}
    role = f'role = "{there.pop("file")}"' if "file" in there else ""

    found = load(f"{CONNECTIONS}{role}", None, **there)

    assert found.warehouse().options["role"] == LAYERS[nearer]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "of-file"),
        ({"SNOWFLAKE_SCHEMA": "generic"}, "of-file"),
        ({"SNOWFLAKE_CONNECTIONS_SNOW_SCHEMA": "named"}, "named"),
        ({"SNOWFLAKE_CONNECTIONS_SNOW_SCHEMA": "named", "LHT_SCHEMA": "lht"}, "lht"),
    ],
)
def test_the_schema_is_the_nearest(tmp_path: Path, variables: dict[str, str], expected: str) -> None:
    directory = tmp_path / ".snowflake"
    directory.mkdir()
    (directory / "connections.toml").write_text(CONNECTIONS + 'schema = "of-file"')
    settings = load_settings(tmp_path, variables)

    assert settings.warehouse().schema == expected
    assert settings.warehouse(schema="flag").schema == "flag"


def test_variables_for_all_connections_fill_in_snowflakes_only(load: Load) -> None:
    found = load('[lake]\ntype = "duckdb"\npath = "l"', None, SNOWFLAKE_SCHEMA="x", SNOWFLAKE_ACCOUNT="y")

    assert (found.warehouse().schema, found.warehouse().options) == (None, {})


def test_a_key_for_all_connections_is_not_put_beside_a_password(load: Load) -> None:
    variables = {"SNOWFLAKE_PRIVATE_KEY_PATH": "k.p8", "SNOWFLAKE_WAREHOUSE": ""}

    with_password = load(CONNECTIONS + 'password = "x"', None, **variables).warehouse().options
    without = load(CONNECTIONS, None, **variables).warehouse().options

    assert with_password == {"account": "of-connections", "password": "x"}
    assert str(without["private_key_path"]).endswith("/k.p8")


def test_variables_alone_make_a_connection_that_is_named(load: Load) -> None:
    variables = {"SNOWFLAKE_CONNECTIONS_CI_ACCOUNT": "a", "LHT_CONNECTIONS_CI_USER": "u"}

    by_flag = load(None, None, **variables).warehouse("ci")
    by_variable = load(None, None, **variables, LHT_DB_CONNECT="ci").warehouse()
    by_default = load(None, None, **variables, SNOWFLAKE_DEFAULT_CONNECTION_NAME="ci").warehouse()

    assert by_flag.options == by_variable.options == by_default.options == {"account": "a", "user": "u"}
    assert load(None, None, **variables).warehouse().is_default


def test_references_are_replaced_inside_tables_too(load: Load) -> None:
    found = load(CONNECTIONS + "[snow.session_parameters]\nQUERY_TAG = '${WHO}'", None, WHO="me")

    assert found.warehouse().options["session_parameters"] == {"QUERY_TAG": "me"}


# ---- which connection

THREE = '[a]\naccount = "a"\n[b]\naccount = "b"\n[default]\naccount = "d"\n'
BY_DEFAULT = {
    "--db_connect": "a",
    "LHT_DB_CONNECT": "b",
    "SNOWFLAKE_DEFAULT_CONNECTION_NAME": "a",
    "config.toml": "b",
    "connections.toml": "a",
    "its name": "d",
}


@pytest.mark.parametrize(("nearer", "farther"), list(combinations(BY_DEFAULT, 2)))
def test_of_two_defaults_the_nearer_counts(load: Load, nearer: str, farther: str) -> None:
    says = {name: {"a": "b", "b": "a"}.get(BY_DEFAULT[name], "default") for name in (nearer, farther)}
    says[nearer] = BY_DEFAULT[nearer]
    connections = THREE if "its name" in says else THREE.replace("[default]", "[e]")
    if "connections.toml" in says:
        connections = f'default_connection_name = "{says["connections.toml"]}"\n{connections}'
    config = f'default_connection_name = "{says["config.toml"]}"' if "config.toml" in says else None
    variables = {name: value for name, value in says.items() if name.isupper()}

    found = load(connections, config, **variables).warehouse(says.get("--db_connect"))

    assert found.options["account"] == BY_DEFAULT[nearer]
    assert (nearer in found.chosen_by) is (nearer not in {"--db_connect", "LHT_DB_CONNECT"})


def test_the_only_one_is_chosen_without_a_word(load: Load) -> None:
    assert load(CONNECTIONS, None).warehouse().chosen_by == ""


@pytest.mark.parametrize("name", ["gone", "sf"])
def test_a_default_that_is_no_warehouse_is_refused_with_what_names_it(load: Load, name: str) -> None:
    with pytest.raises(
        UnknownConnectionError, match=f"SNOWFLAKE_DEFAULT_CONNECTION_NAME is '{name}'.*warehouse"
    ):
        load(CONNECTIONS + '[sf]\nclient_id = "1"', None, SNOWFLAKE_DEFAULT_CONNECTION_NAME=name).warehouse()


def test_with_a_default_that_is_gone_no_file_of_ours_is_taken_instead(load: Load) -> None:
    with pytest.raises(UnknownConnectionError, match=r"default_connection_name in .*config\.toml is 'gone'"):
        load(None, 'default_connection_name = "gone"').warehouse()


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        ("", None, "duckdb"),
        (CONNECTIONS, None, "snowflake"),
        (CONNECTIONS, "snow", "snowflake"),
        (CONNECTIONS, "duckdb:///x.duckdb", "duckdb"),
        (THREE, None, "snowflake"),
        ('[a]\naccount = "${GONE}"', "a", "snowflake"),
        ('[a]\naccount = "1"\n[b]\ntype = "duckdb"', None, "duckdb"),
        ('[a]\naccount = "1"\n[b]\naccount = "2"', None, "snowflake"),
    ],
)
def test_the_kind_of_a_warehouse_needs_no_value(
    load: Load, text: str, asked: str | None, expected: str
) -> None:
    assert load(text, None).warehouse_kind(asked) == expected


# ---- permissions


@pytest.mark.parametrize("name", ["connections.toml", "config.toml"])
@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_change_is_refused_with_what_to_type(
    load: Load, tmp_path: Path, name: str, mode: int
) -> None:
    load(CONNECTIONS, CONFIG)
    path = tmp_path / ".snowflake" / name
    path.chmod(mode)

    with pytest.raises(ConfigError, match=f"{name} can be changed by other users.*chmod 600 {path}"):
        load_connections(path.parent, read_environment({}), tmp_path)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, True),
        ({"SF_SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION": "true"}, False),
        ({"SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION": "True"}, False),
        ({"SF_SKIP_WARNING_FOR_READ_PERMISSIONS_ON_CONFIG_FILE": "true"}, False),
        ({"SF_SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION": "1"}, True),
        (
            {
                "SF_SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION": "false",
                "SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION": "true",
            },
            True,
        ),
    ],
)
def test_a_file_that_others_can_read_is_told_unless_snowflakes_variable_says_not_to(
    load: Load,
    tmp_path: Path,
    variables: dict[str, str],
    told: bool,  # noqa: FBT001
) -> None:
    secret = '[connections.snow]\naccount = "a"\nprivate_key_passphrase = "x"'
    load(None, secret)
    path = tmp_path / ".snowflake" / "config.toml"
    path.chmod(0o644)

    found = load_connections(path.parent, read_environment(variables), tmp_path)

    assert any("chmod 600" in warning for warning in found.warnings) is told


# ---- the directory


def test_working_below_home_does_not_outdo_snowflakes_variable(tmp_path: Path) -> None:
    home, other, work = tmp_path / "home", tmp_path / "other", tmp_path / "home" / "work"
    for folder in (home / ".snowflake", other, work):
        folder.mkdir(parents=True)
    variables = {"HOME": str(home), "SNOWFLAKE_HOME": str(other)}

    assert find_directory(work, variables) == other
    assert find_directory(work, {"HOME": str(home)}) == home / ".snowflake"
    (work / ".snowflake").mkdir()
    assert find_directory(work, variables) == work / ".snowflake"


def test_a_home_of_snowflakes_that_is_not_there_leaves_the_platforms_place(tmp_path: Path) -> None:
    (tmp_path / ".snowflake").mkdir()
    variables = {"HOME": str(tmp_path), "SNOWFLAKE_HOME": str(tmp_path / "gone")}

    assert find_directory(tmp_path, variables).name == "snowflake"
