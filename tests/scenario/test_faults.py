"""The org, the line or the user fails in the middle: nothing is lost, nothing is half done, the next run heals."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from world import ROWS

from lht.errors import ConfigError, JobFailedError, JobTimedOutError, SessionExpiredError
from lht.sfdc.auth import Login
from lht.sfdc.org import Org
from lht.sfdc.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from world import World

    from lht.sfdc.messages import Request, Response


def test_a_killed_run_is_taken_up_with_the_job_it_had(bulk_world: World) -> None:
    world = bulk_world

    def interrupt(event: object) -> None:
        if getattr(event, "kind", "") == "reading":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.run("Account", on_event=interrupt)
    result = world.sync()

    created = [path for path in world.paths() if path.startswith("POST") and path.endswith("/jobs/query")]
    assert (len(created), result.rows_in_table) == (1, ROWS)
    assert not list(world.spool_dir.glob("*"))


def test_pages_cut_short_are_fetched_again(bulk_world: World) -> None:
    bulk_world.local.admin.change_settings(page_size=500)
    bulk_world.local.admin.fault("drop", path="*/results*", after_bytes=100, times=2)

    assert bulk_world.sync().rows_in_table == ROWS


def test_a_truncated_gzip_page_is_fetched_again(bulk_world: World) -> None:
    bulk_world.local.admin.fault("truncate_gzip", path="*/results*", times=1)

    assert bulk_world.sync().rows_in_table == ROWS


def test_busy_answers_are_waited_for(bulk_world: World) -> None:
    bulk_world.local.admin.fault("status", path="*/jobs/query/*", status=503, retry_after="0", times=2)

    assert bulk_world.sync().rows_in_table == ROWS


def test_a_failed_job_is_an_error_and_the_next_run_starts_a_new_one(bulk_world: World) -> None:
    bulk_world.local.admin.fault("job_fails", error_message="Query timed out", times=1)

    with pytest.raises(JobFailedError, match="Query timed out"):
        bulk_world.sync()
    assert bulk_world.sync().rows_in_table == ROWS


def test_a_job_that_hangs_ends_at_the_deadline(bulk_world: World) -> None:
    bulk_world.local.admin.fault("job_hangs", times=1)

    with pytest.raises(JobTimedOutError, match="takes up this job"):
        bulk_world.sync(job_timeout_s=0.5)


def test_a_dead_session_without_renewal_says_what_to_type(world: World) -> None:
    world.local.admin.expire_sessions()

    with pytest.raises(SessionExpiredError, match=r"you are not logged in\. .*run 'lht login'"):
        world.sync()


def test_a_run_that_failed_stands_in_the_history(bulk_world: World) -> None:
    bulk_world.local.admin.fault("job_fails", times=1)
    with pytest.raises(JobFailedError):
        bulk_world.sync()

    bulk_world.sync()

    statuses = bulk_world.rows(
        "SELECT status FROM lht.runs QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY saved DESC) = 1 ORDER BY run_id"
    )
    assert statuses == [("failed",), ("done",)]


class Miscounting(Transport):
    """A line on which answers to queries announce one record more than they have, for a while."""

    times = 0

    def send(self, request: Request, *, on_attempt: Callable[[], None] | None = None) -> Response:
        answer = super().send(request, on_attempt=on_attempt)
        if self.times and "/queryAll" in request.url and len(answer.json()["records"]) > 1:
            self.times -= 1
            return replace(answer, body=json.dumps({**answer.json(), "totalSize": 3}).encode())
        return answer


@pytest.mark.parametrize("times", [1, 2])
def test_a_rest_answer_that_is_short_of_records_is_asked_for_once_more(world: World, times: int) -> None:
    for name in ("A", "B"):
        world.rest.create("Account", Name=name)
    line = Miscounting()
    login = Login(username="u", instance_url=world.local.url, access_token=world.rest.token)
    world.org.close()
    world.org = Org(login, line, owns_transport=True)
    line.times = times

    result = world.run("Account")

    told = [event for event in world.events if "asked once more" in event.message]
    assert len(told) == 1
    assert [error.code for error in result.failures] == ([] if times == 1 else ["SYNC-INCOMPLETE"])
    assert world.value("SELECT count(*) FROM Account") == (2 if times == 1 else 0)
    assert world.lake.left_over() == []


def test_a_file_in_the_place_of_the_cache_is_told(bulk_world: World, tmp_path: Path) -> None:
    bulk_world.spool_dir = tmp_path / "file" / "spool"
    bulk_world.spool_dir.parent.touch()

    with pytest.raises(ConfigError, match="cannot be written") as refusal:
        bulk_world.sync()

    assert refusal.value.hint == "Set LHT_CACHE_DIR to one that can."
