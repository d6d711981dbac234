from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.config.connections import Connections, load_connections
from lht.config.environment import read_environment
from lht.errors import ConfigError, SecretUnavailableError, UnknownConnectionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[..., Connections]

GUIDE = """
[myconnection]
account = "your_account"
user = "your_user"
password = "your_password"
schema = "your_schema"

[salesforce_sandbox]
CLIENT_ID = "id1"
CLIENT_SECRET = "s3cret"
sandbox = true

[salesforce_prod]
CLIENT_ID = "id2"
CLIENT_SECRET = "s3cret"
sandbox = false
"""


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def found(text: str, **variables: str) -> Connections:
        directory = tmp_path / ".snowflake"
        directory.mkdir(exist_ok=True)
        file = directory / "connections.toml"
        file.write_text(text)
        file.chmod(0o600)
        return load_connections(directory, read_environment(variables), tmp_path)

    return found


def test_the_guides_file_has_two_apps_and_a_warehouse(load: Load) -> None:
    found = load(GUIDE)

    assert found.app_names == ("salesforce_sandbox", "salesforce_prod")
    assert found.warehouse_names == ("myconnection",)
    assert found.warnings == ()
    assert found.app("salesforce_sandbox").login_url == "https://test.salesforce.com"
    assert found.app("salesforce_prod").login_url == "https://login.salesforce.com"
    assert found.warehouse().type == "snowflake"
    assert found.warehouse().options["account"] == "your_account"
    assert [summary.kind for summary in found.summaries()] == ["snowflake", "salesforce", "salesforce"]


def test_no_secret_shows_in_any_repr(load: Load) -> None:
    found = load(GUIDE, S="s3cret")

    shown = f"{found!r} {found.app('salesforce_prod')!r} {found.warehouse()!r} {found.summaries()!r}"
    assert "s3cret" not in shown
    assert "your_password" not in shown


@pytest.mark.parametrize("key", ["CLIENT_ID", "client_id", "Client_Id"])
def test_keys_ignore_letter_case(load: Load, key: str) -> None:
    assert load(f'[sf]\n{key} = "x"').app().client_id == "x"


def test_one_key_in_two_spellings_is_refused_with_its_line(load: Load) -> None:
    with pytest.raises(ConfigError, match="line 3"):
        load('[sf]\nCLIENT_ID = "x"\nclient_id = "y"')


def test_a_toml_mistake_names_file_and_line_but_not_the_text(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"connections\.toml is not valid TOML: .*line 3") as caught:
        load('[sf]\nCLIENT_ID = "x"\nCLIENT_SECRET = s3cret\n')

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ('login_url = "http://127.0.0.1:8788/"', "http://127.0.0.1:8788"),
        ('login_url = "acme.my.salesforce.com/services"', "https://acme.my.salesforce.com"),
        ('instance_url = "https://acme.my.salesforce.com"', "https://acme.my.salesforce.com"),
        ('my_domain = "acme"', "https://acme.my.salesforce.com"),
        ('my_domain = "acme--dev"\nsandbox = true', "https://acme--dev.sandbox.my.salesforce.com"),
        ('my_domain = "acme.my.salesforce.com"', "https://acme.my.salesforce.com"),
        ('my_domain = "https://acme.my.salesforce.com/"', "https://acme.my.salesforce.com"),
        ('sandbox = "True"', "https://test.salesforce.com"),
        ("", "https://login.salesforce.com"),
    ],
)
def test_where_an_app_logs_in(load: Load, keys: str, expected: str) -> None:
    assert load(f'[sf]\nCLIENT_ID = "x"\n{keys}').app().login_url == expected


def test_an_unencrypted_login_url_is_refused_with_its_table(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"\[sf\].*unencrypted"):
        load('[sf]\nCLIENT_ID = "x"\nlogin_url = "http://acme.my.salesforce.com"').app()


def test_references_are_read_from_the_environment(load: Load) -> None:
    found = load('[sf]\nCLIENT_ID = "a${ID}b"\nCLIENT_SECRET = "$${ID}"', ID="1")

    assert (found.app().client_id, found.app().client_secret) == ("a1b", "${ID}")


def test_a_missing_variable_hurts_only_the_connection_that_needs_it(load: Load) -> None:
    found = load('[sf]\nCLIENT_ID = "${GONE}"\n[lake]\ntype = "duckdb"\npath = "x.duckdb"')

    assert found.warehouse().type == "duckdb"
    with pytest.raises(SecretUnavailableError, match=r"client_id of \[sf\].*GONE"):
        found.app()


def test_variables_go_over_the_file_and_ours_over_snowflakes(load: Load) -> None:
    found = load(
        '[my-con]\naccount = "file"\nuser = "file"\nrole = "file"',
        SNOWFLAKE_CONNECTIONS_MY_CON_ACCOUNT="snow",
        SNOWFLAKE_CONNECTIONS_MY_CON_USER="snow",
        LHT_CONNECTIONS_MY_CON_USER="lht",
        SNOWFLAKE_CONNECTIONS_MY_CON_="empty key",
    )

    assert found.warehouse().options == {"account": "snow", "user": "lht", "role": "file"}


def test_a_variable_belongs_to_the_longest_name_it_fits(load: Load) -> None:
    found = load('[a]\naccount = "1"\n[a_b]\naccount = "2"', SNOWFLAKE_CONNECTIONS_A_B_USER="x")

    assert found.warehouse("a").options == {"account": "1"}
    assert found.warehouse("a_b").options == {"account": "2", "user": "x"}


def test_a_duckdb_path_starts_at_the_project_and_may_be_memory(load: Load, tmp_path: Path) -> None:
    found = load(
        '[a]\ntype = "DuckDB"\npath = "lake.duckdb"\nschema = "raw"\n[b]\ntype = "duckdb"\npath = ":memory:"\n'
        '[c]\ntype = "duckdb"\npath = "~/x.duckdb"\n[d]\ntype = "duckdb"',
        HOME="/home/me",
    )

    assert (found.warehouse("a").path, found.warehouse("a").schema) == (str(tmp_path / "lake.duckdb"), "raw")
    assert found.warehouse("b").path == ":memory:"
    assert found.warehouse("c").path == "/home/me/x.duckdb"
    assert found.warehouse("a").description == f"duckdb {tmp_path / 'lake.duckdb'}"
    with pytest.raises(ConfigError, match="has no path"):
        found.warehouse("d")


def test_paths_of_a_home_file_start_at_the_working_directory(tmp_path: Path) -> None:
    home, work = tmp_path / "home" / ".snowflake", tmp_path / "work"
    home.mkdir(parents=True)
    work.mkdir()
    (home / "connections.toml").write_text('[a]\ntype = "duckdb"\npath = "lake.duckdb"')

    assert load_connections(home, read_environment({}), work).warehouse().path == str(work / "lake.duckdb")


def test_without_a_warehouse_a_file_beside_the_work_is_used(load: Load, tmp_path: Path) -> None:
    found = load("").warehouse()

    assert (found.path, found.is_default) == (str(tmp_path / "lht.duckdb"), True)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("duckdb:///lake.duckdb", "{cwd}/lake.duckdb"),
        ("duckdb:////srv/a%20b.duckdb", "/srv/a b.duckdb"),
        ("duckdb:///:memory:", ":memory:"),
    ],
)
def test_a_url_is_a_warehouse(load: Load, tmp_path: Path, url: str, path: str) -> None:
    assert load(GUIDE).warehouse(url).path == path.format(cwd=tmp_path)


@pytest.mark.parametrize("url", ["snowflake://me:s3cret@acct", "duckdb://host/x"])
def test_a_url_of_something_else_is_refused_without_its_password(load: Load, url: str) -> None:
    with pytest.raises(ConfigError, match="no warehouse URL") as caught:
        load(GUIDE).warehouse(url)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["duckdb://", "duckdb:///"])
def test_a_url_without_a_file_is_refused(load: Load, url: str) -> None:
    with pytest.raises(ConfigError, match="names no file"):
        load(GUIDE).warehouse(url)


def test_a_misspelt_connection_gets_a_suggestion(load: Load) -> None:
    with pytest.raises(UnknownConnectionError, match="Did you mean 'myconnection'"):
        load(GUIDE).warehouse("myconection")
    with pytest.raises(UnknownConnectionError, match="Did you mean 'salesforce_prod'"):
        load(GUIDE).app("salesforce_prd")


def test_letter_case_of_a_connection_is_forgiven(load: Load) -> None:
    assert load(GUIDE).warehouse("MyConnection").name == "myconnection"


def test_an_app_is_no_warehouse(load: Load) -> None:
    with pytest.raises(UnknownConnectionError, match="is no warehouse"):
        load(GUIDE).warehouse("salesforce_prod")


def test_several_without_a_name_are_listed(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"--app: salesforce_sandbox, salesforce_prod"):
        load(GUIDE).app()


def test_none_at_all_names_init(load: Load) -> None:
    with pytest.raises(ConfigError, match="lht init"):
        load("").app()
    with pytest.raises(UnknownConnectionError, match="lht init"):
        load("").warehouse("x")


def test_the_environment_names_the_warehouse(load: Load) -> None:
    text = '[a]\naccount = "1"\n[b]\naccount = "2"'

    assert load(text, LHT_DB_CONNECT="b").warehouse().name == "b"
    assert load(text, LHT_DB_CONNECT="b").warehouse("a").name == "a"
    assert load(text, SNOWFLAKE_DEFAULT_CONNECTION_NAME="b").warehouse().name == "b"
    assert load(f'default_connection_name = "a"\n{text}').warehouse().name == "a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[a]\ntype = "duckdbb"', "line 2.*unknown type.*'duckdb'"),
        ('\n[a]\ntype = "salesforce"', "line 2.*no CLIENT_ID"),
    ],
)
def test_a_wrong_type_is_refused_with_its_line(load: Load, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(text)


def test_a_path_without_type_is_refused(load: Load) -> None:
    with pytest.raises(ConfigError, match='type = "duckdb"'):
        load('[a]\npath = "x"').warehouse()


def test_an_empty_client_id_is_refused(load: Load) -> None:
    with pytest.raises(ConfigError, match="no client_id"):
        load('[a]\nCLIENT_ID = ""').app()


def test_unknown_keys_are_told_with_their_line(load: Load) -> None:
    found = load(
        '[sf]\nCLIENT_ID = "x"\nmy_domian = "acme"\n[lake]\ntype = "duckdb"\npaht = "x"\n'
        '[snow]\nanything = 1\nwarehose = "x"\nautocommit = false'
    )

    assert len(found.warnings) == 5
    assert "line 3" in found.warnings[0]
    assert "'my_domain'" in found.warnings[0]
    assert "'path'" in found.warnings[1]
    assert found.warnings[2].endswith("line 8: [snow] has the unknown key 'anything'.")
    assert "'warehouse'" in found.warnings[3]
    assert "LHT sets it itself" in found.warnings[4]


def test_a_file_with_secrets_that_others_can_read_is_told(tmp_path: Path) -> None:
    file = tmp_path / "connections.toml"
    file.write_text(GUIDE)
    file.chmod(0o644)

    assert "chmod 600" in load_connections(tmp_path, read_environment({}), tmp_path).warnings[0]


def test_a_file_without_secrets_may_be_read_by_others(tmp_path: Path) -> None:
    file = tmp_path / "connections.toml"
    file.write_text('[sf]\nCLIENT_ID = "x"\nCLIENT_SECRET = "${S}"')
    file.chmod(0o644)

    assert load_connections(tmp_path, read_environment({}), tmp_path).warnings == ()


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert load_connections(tmp_path, read_environment({}), tmp_path).tables == {}


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "connections.toml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="not UTF-8"):
        load_connections(tmp_path, read_environment({}), tmp_path)
