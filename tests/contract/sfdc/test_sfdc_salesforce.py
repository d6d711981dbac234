"""The Salesforce room against the local org, over HTTP: what it promises its callers."""

from __future__ import annotations

import threading
import time
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lht.config import orgs
from lht.config.settings import Settings, load_settings
from lht.errors import (
    ConfigError,
    LimitExceededError,
    LoginRejectedError,
    RequestRejectedError,
    SessionExpiredError,
    UnknownObjectError,
    UnreachableError,
)
from lht.model.salesforce import JobState
from lht.sfdc import bulk, rest, soql
from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.model.salesforce import BulkJob
    from lht.sfdc.org import Org
    from lht.testing.simulator import LocalOrg

RECORDS = 600


@pytest.fixture(scope="module")
def running() -> Iterator[LocalOrg]:
    with simulator(RECORDS, seed=7) as found:
        yield found


@pytest.fixture
def local(running: LocalOrg) -> Iterator[LocalOrg]:
    """The org with its settings put back; records that a test adds stay, so tests count for themselves."""
    before = running.admin.settings()
    yield running
    running.admin.clear_faults()
    running.admin.change_settings(**before)


@pytest.fixture
def settings(local: LocalOrg, tmp_path: Path) -> Settings:
    directory = tmp_path / ".snowflake"
    directory.mkdir()
    (directory / "connections.toml").write_text(
        f'[local]\nCLIENT_ID = "{local.client_id}"\nCLIENT_SECRET = "${{SECRET}}"\nlogin_url = "{local.url}"\n'
    )
    return load_settings(tmp_path, {"SECRET": local.client_secret})


@pytest.fixture
def org(settings: Settings) -> Iterator[Org]:
    orgs.log_in(settings)
    with orgs.open_org(settings) as found:
        yield found


def finished(org: Org, job: BulkJob) -> BulkJob:
    deadline = time.monotonic() + 20
    while not job.state.is_final:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        job = bulk.job_status(org, job.id)
    return job


def ids(csv: bytes) -> list[str]:
    return [line.strip('"') for line in csv.decode().splitlines()[1:]]


def inflated(
    org: Org, job: BulkJob, locator: str | None = None, max_records: int | None = None
) -> tuple[bytes, str]:
    with bulk.open_result(org, job.id, locator, max_records, api_version=job.api_version) as answer:
        raw = b"".join(answer.chunks())
        if answer.headers.get("Content-Encoding") == "gzip":
            raw = zlib.decompress(raw, wbits=31)
        return raw, answer.headers["Sforce-Locator"]


# --- login ----------------------------------------------------------------------------------------------


def test_a_login_is_kept_and_names_user_and_org(settings: Settings, local: LocalOrg) -> None:
    login = orgs.log_in(settings)

    assert login == settings.login()
    assert (login.username, len(login.org_id), login.flow) == (local.username, 18, "client-credentials")
    assert settings.logins.path.stat().st_mode & 0o777 == 0o600


def test_a_wrong_secret_is_refused_with_its_key(settings: Settings, local: LocalOrg, tmp_path: Path) -> None:
    wrong = load_settings(tmp_path, {"SECRET": "wrong-s3cret"})

    with pytest.raises(LoginRejectedError, match="CLIENT_SECRET") as caught:
        orgs.log_in(wrong)

    assert "wrong-s3cret" not in str(caught.value)


def test_a_login_url_can_be_given_by_hand(settings: Settings, local: LocalOrg) -> None:
    assert orgs.log_in(settings, "local", login_url=f"{local.url}/ignored").login_url == local.url


def test_an_expired_session_is_renewed_and_kept(org: Org, settings: Settings, local: LocalOrg) -> None:
    before = org.login.access_token
    local.admin.expire_sessions()

    assert rest.limits(org)["DailyApiRequests"]["Max"] > 0
    assert org.login.access_token != before
    assert settings.login().access_token == org.login.access_token


def test_many_threads_survive_one_expiry_with_one_renewal(org: Org, local: LocalOrg) -> None:
    rest.limits(org)
    local.admin.expire_sessions()
    local.admin.clear_requests()
    threads = [threading.Thread(target=rest.limits, args=(org.for_object(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    tokens = [request for request in local.admin.requests() if request["path"].endswith("/token")]
    assert len(tokens) == 1


def test_logging_out_ends_the_session_and_forgets_it(org: Org, settings: Settings) -> None:
    token = org.login.access_token
    url = org.instance_url
    orgs.log_out(settings)

    assert settings.logins.names() == ()
    given = load_settings(
        settings.cwd, {"LHT_SALESFORCE_ACCESS_TOKEN": token, "LHT_SALESFORCE_INSTANCE_URL": url}
    )
    with orgs.open_org(given) as dead, pytest.raises(SessionExpiredError, match="you are not logged in"):
        rest.limits(dead)


def test_a_token_from_the_environment_knows_its_user_and_org(
    org: Org, settings: Settings, local: LocalOrg
) -> None:
    variables = {
        "LHT_SALESFORCE_ACCESS_TOKEN": org.login.access_token,
        "LHT_SALESFORCE_INSTANCE_URL": local.url,
    }

    with orgs.open_org(load_settings(settings.cwd, variables)) as given:
        assert (given.username, given.org_id) == (local.username, org.org_id)
        assert rest.user_info(given)["preferred_username"] == local.username
    with pytest.raises(ConfigError, match="environment"):
        orgs.log_out(load_settings(settings.cwd / "elsewhere", {**variables, "HOME": str(settings.cwd)}), "x")


def test_an_app_that_is_gone_cannot_renew(org: Org, settings: Settings, local: LocalOrg) -> None:
    (settings.directory / "connections.toml").write_text("")
    orphaned = load_settings(settings.cwd, {})
    local.admin.expire_sessions()

    with orgs.open_org(orphaned) as found, pytest.raises(SessionExpiredError, match="cannot be renewed"):
        rest.limits(found)


# --- rest -----------------------------------------------------------------------------------------------


def test_the_newest_known_version_is_negotiated(org: Org) -> None:
    assert org.api_version == "66.0"


def test_objects_are_listed_and_described_in_any_letter_case(org: Org) -> None:
    account = rest.describe(org, "aCCOUNT")

    assert "Account" in {summary.name for summary in rest.list_objects(org)}
    assert account.name == "Account"
    assert account.find("systemmodstamp") is not None
    assert account.by_name["externalid__c"].external_id


def test_a_misspelt_object_gets_a_suggestion(org: Org) -> None:
    with pytest.raises(UnknownObjectError, match="Did you mean Account"):
        rest.describe(org, "Acount")


def test_counts_agree_with_pages(org: Org) -> None:
    rows = [
        record["Id"]
        for page in rest.query_pages(org, "SELECT Id FROM Account", include_deleted=True, batch_size=200)
        for record in page["records"]
    ]

    assert len(set(rows)) == len(rows) == rest.count(org, soql.count("Account"))
    assert rest.count(org, "SELECT COUNT(Id) FROM Account", include_deleted=False) <= len(rows)


def test_a_wrong_query_is_rejected_with_salesforces_words(org: Org) -> None:
    with pytest.raises(RequestRejectedError, match="No such column 'Nope'") as caught:
        rest.count(org, "SELECT COUNT() FROM Account WHERE Nope = 1")

    assert caught.value.error_code == "INVALID_FIELD"


def test_a_text_with_every_nasty_letter_is_found_again(org: Org) -> None:
    name = 'O\'Brien \\ "x" \n\t %_ é 🎉'
    org.request("POST", "sobjects/Account/", json={"Name": name})

    assert rest.count(org, soql.count("Account", [f"Name = {soql.quote_text(name)}"])) == 1


def test_datetimes_are_understood(org: Org) -> None:
    assert (
        rest.count(org, soql.count("Account", [f"CreatedDate > {soql.format_datetime(datetime.now(UTC))}"]))
        == 0
    )


def test_replication_windows_are_read(org: Org) -> None:
    record = org.request("POST", "sobjects/Account/", json={"Name": "Gone"}).json()["id"]
    org.request("DELETE", f"sobjects/Account/{record}")
    now = (org.server_time or datetime.now(UTC)) + timedelta(minutes=1)

    window = rest.deleted(org, "Account", now - timedelta(hours=1), now)

    assert record in {entry.id for entry in window.records}
    assert rest.updated_until(org, "Account", now - timedelta(hours=1), now) <= now


def test_a_window_that_is_too_old_can_be_recognised(org: Org) -> None:
    now = org.server_time or datetime.now(UTC)

    with pytest.raises(RequestRejectedError) as caught:
        rest.deleted(org, "Account", now - timedelta(days=60), now)

    assert rest.has_code(caught.value, "INVALID_REPLICATION_DATE")


# --- bulk -----------------------------------------------------------------------------------------------


def test_a_job_runs_and_its_pages_hold_every_row_once(org: Org) -> None:
    created = bulk.create_query_job(org, "SELECT Id FROM Account")
    job = finished(org, created)

    found: list[str] = []
    locator: str | None = None
    while locator != "null":
        csv, locator = inflated(org, job, locator, 250)
        found += ids(csv)

    assert job.state is JobState.JOB_COMPLETE
    assert len(set(found)) == len(found) == job.records == rest.count(org, soql.count("Account"))
    assert created.server_time is not None
    assert bulk.delete_job(org, job.id)
    assert not bulk.delete_job(org, job.id)


def test_parallel_pages_together_hold_every_row_once(org: Org, local: LocalOrg) -> None:
    local.admin.change_settings(page_size=100)
    job = finished(org, bulk.create_query_job(org, "SELECT Id FROM Account"))

    pages = list(bulk.result_pages(org, job))
    found = [record for page in pages for record in ids(inflated(org, job, page)[0])]

    assert bulk.has_result_pages(org)
    assert not bulk.has_result_pages(org, "57.0")
    assert len(pages) > 5
    assert len(set(found)) == len(found) == job.records


def test_jobs_are_listed_and_can_be_aborted(org: Org, local: LocalOrg) -> None:
    local.admin.change_settings(job_delay_s=30)
    job = bulk.create_query_job(org, "SELECT Id FROM Account", include_deleted=False)

    assert job.id in {listed.id for listed in bulk.list_jobs(org)}
    assert bulk.abort_job(org, job.id).state is JobState.ABORTED
    assert bulk.job_status(org, job.id).state is JobState.ABORTED


def test_an_unknown_job_says_where_to_look(org: Org) -> None:
    for act in (bulk.job_status, bulk.abort_job):
        with pytest.raises(RequestRejectedError, match="lht jobs"):
            act(org, "750000000000001AAA")


def test_an_object_that_bulk_refuses_can_be_recognised(org: Org) -> None:
    with pytest.raises(RequestRejectedError) as caught:
        bulk.create_query_job(org, "SELECT Id FROM Attachment")

    assert rest.has_code(caught.value, "INVALID_ENTITY")


# --- trouble --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        {"kind": "status", "status": 503, "retry_after": "1"},
        {"kind": "status", "status": 429},
        {"kind": "drop", "after_bytes": 40},
        {"kind": "drop"},
        {"kind": "truncate_gzip"},
        {"kind": "expire_session"},
    ],
)
def test_a_describe_survives_passing_trouble(org: Org, local: LocalOrg, trouble: dict[str, object]) -> None:
    local.admin.fault(**trouble, path="*/describe*")

    assert rest.describe(org, "Account").name == "Account"
    assert local.admin.faults() == []


def test_a_job_is_never_created_twice(org: Org, local: LocalOrg) -> None:
    jobs = len(bulk.list_jobs(org))
    local.admin.fault("drop", method="POST", path="*/jobs/query*")

    with pytest.raises(UnreachableError):
        bulk.create_query_job(org, "SELECT Id FROM Account")

    assert len(bulk.list_jobs(org)) == jobs + 1


def test_results_cut_short_are_told(org: Org, local: LocalOrg) -> None:
    job = finished(org, bulk.create_query_job(org, "SELECT Id, Name FROM Account"))
    local.admin.fault("drop", after_bytes=100, path="*/results*")

    with bulk.open_result(org, job.id) as page, pytest.raises(UnreachableError):
        list(page.chunks())


def test_a_used_up_limit_says_smaller_batches_and_until_when(org: Org, local: LocalOrg) -> None:
    local.admin.fault("status", status=403, code="REQUEST_LIMIT_EXCEEDED", path="*/limits*")

    with pytest.raises(LimitExceededError, match=r"smaller batches .*by \d{4}-\d\d-\d\d \d\d:\d\d UTC"):
        rest.limits(org)
