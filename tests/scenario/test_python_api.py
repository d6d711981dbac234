"""The library's verbs and the guide's functions, against a local org."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import duckdb
import pytest

import lht
from lht import errors
from lht.salesforce import retl, sobject_create, sobject_sync
from lht.testing import simulator
from lht.util import field_types

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.testing import LocalOrg


@pytest.fixture(scope="module")
def org() -> Iterator[LocalOrg]:
    with simulator(records=80, seed=4) as running:
        yield running


@pytest.fixture(autouse=True)
def project(org: LocalOrg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    from lht.cli.main import run

    for name in [name for name in os.environ if name.startswith(("LHT_", "SNOWFLAKE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LHT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    config = tmp_path / ".snowflake" / "connections.toml"
    config.parent.mkdir()
    config.touch(mode=0o600)
    config.write_text(
        f'[app]\nCLIENT_ID = "{org.client_id}"\nCLIENT_SECRET = "{org.client_secret}"\nlogin_url = "{org.url}"\n'
        'flow = "client-credentials"\n[lake]\ntype = "duckdb"\npath = "lake.duckdb"\n'
    )
    assert run(["login", "-q"]) == 0
    yield tmp_path
    field_types.clear_custom_mappings()


@pytest.fixture
def written_org(org: LocalOrg) -> Iterator[LocalOrg]:
    """The org for a test that writes; the others find it as it was, whatever their order."""
    yield org
    org.admin.reset()


@pytest.fixture
def access_info() -> dict[str, str]:
    with lht.connect_org() as org:
        assert org.org_id
        return {"access_token": org.login.access_token, "instance_url": org.instance_url}


def test_the_librarys_own_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    with lht.connect_org("me@example.com") as org, lht.connect_warehouse("lake") as warehouse:
        first = lht.sync_objects(org, warehouse, ["Account", "Contact"])
        second = lht.sync_objects(org, warehouse, "Account", deletes="remove", fields=["Name"])

    assert [o.object for o in first.objects] == ["Account", "Contact"]
    assert all(o.rows_in_table > 0 for o in first.objects)
    assert second.failures == ()
    assert capsys.readouterr() == ("", "")


def test_the_guides_functions(access_info: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    with duckdb.connect() as session:
        before = session.execute(
            "SELECT current_setting('TimeZone'), current_setting('memory_limit')"
        ).fetchall()
        created = sobject_create.create(session, access_info, "Account", "MY_ACCOUNTS", schema="crm")
        result = sobject_sync.new_changed_records(
            session, access_info, "Account", "MY_ACCOUNTS", "Id", schema="crm"
        )
        again = sobject_sync.new_changed_records(
            session, access_info, "Account", "crm.MY_ACCOUNTS", "Id", "2024-01-01 00:00:00"
        )
        ((rows,),) = session.execute("SELECT count(*) FROM crm.MY_ACCOUNTS").fetchall()
        after = session.execute(
            "SELECT current_setting('TimeZone'), current_setting('memory_limit')"
        ).fetchall()

    assert created.created
    assert result.objects[0].rows_in_table == rows == 80
    assert again.objects[0].mode == "incremental"
    assert before == after
    assert capsys.readouterr() == ("", "")


def test_a_logged_in_org_is_access_info_and_stays_open() -> None:
    with duckdb.connect() as session, lht.connect_org() as org:
        sobject_create.create(session, org, "Contact", "PEOPLE")
        assert sobject_create.create(session, org, "Contact", "PEOPLE").differences == ()


def test_a_login_is_access_info() -> None:
    with duckdb.connect() as session, lht.connect_org() as org:
        assert sobject_create.create(session, org.login, "Contact", "PEOPLE").created


def test_an_open_transaction_is_refused(access_info: dict[str, str]) -> None:
    with duckdb.connect() as session:
        session.execute("BEGIN")
        session.execute("CREATE TABLE mine (a INTEGER)")
        with pytest.raises(errors.WarehouseError, match="open transaction"):
            sobject_create.create(session, access_info, "Account", "A")
        session.execute("COMMIT")
        assert session.execute("SELECT count(*) FROM mine").fetchall() == [(0,)]


def test_a_closed_connection_is_told(access_info: dict[str, str]) -> None:
    session = duckdb.connect()
    session.close()

    with pytest.raises(errors.WarehouseUnreachableError, match="cannot be used"):
        sobject_create.create(session, access_info, "Contact", "PEOPLE")


def test_registered_mappings_shape_the_table(access_info: dict[str, str]) -> None:
    field_types.register_custom_mappings({"AnnualRevenue": "number(20,4)", "Account.Name": "string(255)"})
    with duckdb.connect() as session:
        created = sobject_create.create(session, access_info, "Account", "A")

    types = {column.name: column.type for column in created.columns}
    assert types["AnnualRevenue"] == "number(20,4)"
    assert types["Name"] == "varchar(255)"


def test_what_goes_wrong_is_an_lht_error(access_info: dict[str, str]) -> None:
    with lht.connect_org() as org, lht.connect_warehouse("duckdb:///:memory:") as warehouse:
        with pytest.raises(lht.LhtError, match="no object 'Acount'") as caught:
            lht.sync_objects(org, warehouse, ["Acount", "Account"])
        kept = lht.sync_objects(org, warehouse, ["Acount", "Account"], raise_failures=False)
        with pytest.raises(errors.ConfigError, match="no option"):
            lht.sync_objects(org, warehouse, "Account", ful=True)
        with pytest.raises(errors.ConfigError, match="One table"):
            lht.sync_objects(org, warehouse, ["Account", "Contact"], table="T")

    assert "Account" in caught.value.hint
    assert [type(failure) for failure in kept.failures] == [errors.UnknownObjectError]
    assert kept.objects[1].rows_in_table == 80
    with pytest.raises(errors.CapabilityMissingError, match="cannot write through"):
        sobject_create.create("a snowpark session", access_info, "Account", "A")
    with duckdb.connect() as session, pytest.raises(errors.ConfigError, match="no instance_url"):
        sobject_create.create(session, {"access_token": "x"}, "Account", "A")


def test_a_dead_token_that_cannot_be_renewed(access_info: dict[str, str]) -> None:
    dead = {**access_info, "access_token": access_info["access_token"] + "x"}

    with duckdb.connect() as session, pytest.raises(errors.SessionExpiredError, match="not logged in"):
        sobject_create.create(session, dead, "Account", "A")


def test_tokens_by_hand(access_info: dict[str, str]) -> None:
    with lht.connect_org(**access_info) as org:
        assert org.username == "me@example.com"
    with pytest.raises(errors.ConfigError):
        lht.connect_org(access_token="x")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"table": ""}, "The name of the table is empty."),
        ({"batch_size": 0}, "batch_size cannot be 0."),
        ({"allow_deletes": -1}, "allow_deletes cannot be -1."),
        ({"parallel": 0}, "parallel cannot be 0."),
        ({"zzz": 1}, "There is no option 'zzz'."),
        ({"fields": "zzz"}, "User has no field 'zzz', or the login may not see it."),
    ],
)
def test_a_refusal_says_what_to_do(options: dict[str, object], message: str) -> None:
    with (
        lht.connect_org() as org,
        lht.connect_warehouse("lake") as warehouse,
        pytest.raises(errors.ConfigError) as caught,
    ):
        lht.sync_objects(org, warehouse, "User", **options)  # type: ignore[arg-type]  # wrong on purpose

    assert caught.value.message == message
    assert caught.value.hint


def test_fields_may_be_a_text_as_on_the_command_line() -> None:
    with lht.connect_org() as org, lht.connect_warehouse("lake") as warehouse:
        lht.sync_objects(org, warehouse, "User", fields="Name, Username")
        names = {column.name for column in warehouse.columns(warehouse.table_name("User", None)) or ()}

    assert {"Id", "Name", "Username"} < names
    assert "Email" not in names


def test_access_info_of_another_kind_is_refused() -> None:
    with duckdb.connect() as session, pytest.raises(errors.ConfigError, match="access_info is a NoneType"):
        sobject_create.create(session, None, "User", "T")  # type: ignore[arg-type]  # wrong on purpose


def test_rows_are_written_back_by_the_words_of_the_commands(
    access_info: dict[str, str], written_org: LocalOrg
) -> None:
    org = written_org
    rows = (
        "SELECT 'api-' || n AS ExternalId__c, repeat('x', n) AS Name FROM (SELECT unnest(range(1, 4)) AS n)"
    )
    org.admin.add_validation_rule("Account", "Short", condition="Name = 'xxx'", message="Too short")
    with lht.connect_org() as opened, lht.connect_warehouse("lake") as warehouse:
        plan = lht.retl_plan(opened, warehouse, "upsert", "Account", rows, "ExternalId")
        asked: list[int] = []
        with pytest.raises(errors.PlanRefusedError, match="nothing was sent"):
            lht.retl_upsert(
                opened,
                warehouse,
                "Account",
                rows,
                "ExternalId",
                confirm=lambda p: bool(asked.append(p.rows_to_send)),
            )
        with pytest.raises(errors.PlanRefusedError) as refused:
            lht.retl_insert(opened, warehouse, "Account", "SELECT 1 AS Colour, 2 AS Shape")
        with pytest.raises(errors.RowsFailedError) as failed:
            lht.retl_upsert(opened, warehouse, "Account", rows, "ExternalId")

    org.admin.drop_validation_rule("Account", "Short")
    result = failed.value.result
    with duckdb.connect("lake.duckdb") as session:
        quiet = retl.retry(session, access_info, result.run_id, raise_failures=False)
        undone = retl.undo(session, access_info, result.run_id)

    assert (plan.rows_to_create, asked) == (3, [3])
    assert len(refused.value.mistakes) >= 2
    assert (result.rows_succeeded, result.rows_failed, result.rows_created) == (2, 1, 2)
    assert (quiet.rows_sent, quiet.rows_succeeded, quiet.of_run) == (1, 1, result.run_id)
    assert (undone.rows_succeeded, undone.rows_created) == (2, 0)
