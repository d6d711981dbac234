from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lht.mapping.types import parse_type
from lht.model.salesforce import Field, SObject
from lht.model.sync import Watermark
from lht.model.table import TableName
from lht.sync import window

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
OVERLAP = 900


def stored(watermark: datetime | None, read_until: datetime | None) -> Watermark:
    return Watermark(
        org_id="00D000000000001AAA",
        object="Account",
        table=TableName("", "main", "T"),
        key="Id",
        cursor="SystemModstamp",
        fingerprint="f",
        watermark=watermark,
        read_until=read_until,
        deleted_until=None,
        covered_from=None,
        rows_in_table=1,
        run_id="r",
    )


def advance(old: Watermark | None, **changes: object) -> tuple[datetime | None, datetime | None]:
    facts = {"newest": NOON, "job_created": NOON, "lower_bound": None, "by_hand": False, "overlap_s": OVERLAP}
    return window.advance(old, **(facts | changes))  # type: ignore[arg-type]


def test_the_next_run_starts_an_overlap_before_the_end_of_the_last_read() -> None:
    assert window.next_lower_bound(NOON, OVERLAP) == NOON - timedelta(minutes=15)


def test_a_first_run_remembers_its_newest_stamp_and_the_jobs_creation() -> None:
    assert advance(None, newest=NOON - timedelta(hours=1)) == (NOON - timedelta(hours=1), NOON)


def test_a_first_run_without_rows_has_read_up_to_the_job_and_has_no_watermark() -> None:
    assert advance(None, newest=None) == (None, NOON)


def test_a_stamp_newer_than_the_job_does_not_move_the_watermark_past_the_job() -> None:
    assert advance(None, newest=NOON + timedelta(seconds=5)) == (NOON, NOON)


def test_nothing_ever_moves_backwards() -> None:
    later = NOON + timedelta(hours=1)

    assert advance(stored(later, later)) == (later, later)


def test_a_bound_set_by_hand_after_the_watermark_leaves_a_gap_so_nothing_moves() -> None:
    old = stored(NOON - timedelta(days=2), NOON - timedelta(days=2))
    bound = NOON - timedelta(days=1)

    assert advance(old, lower_bound=bound, by_hand=True) == (old.watermark, old.read_until)


def test_a_bound_set_by_hand_before_the_watermark_moves_both_values() -> None:
    old = stored(NOON - timedelta(days=2), NOON - timedelta(days=2))

    assert advance(old, lower_bound=NOON - timedelta(days=3), by_hand=True) == (NOON, NOON)


def test_a_bound_inside_the_overlap_moves_the_watermark_but_not_where_the_next_run_starts() -> None:
    old = stored(NOON - timedelta(days=2), NOON - timedelta(days=2))

    assert advance(old, lower_bound=old.watermark, by_hand=True) == (NOON, old.read_until)


def test_a_bound_by_hand_on_a_table_that_never_saw_a_stamp_moves_nothing() -> None:
    old = stored(None, None)

    assert advance(old, lower_bound=NOON, by_hand=True) == (None, None)


def test_a_run_after_one_that_never_read_to_an_end_takes_the_jobs_creation() -> None:
    assert advance(stored(None, None)) == (NOON, NOON)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("AccountHistory", True), ("Thing__History", True), ("LoginHistory", True), ("Account", False)],
)
def test_history_objects_only_ever_grow(name: str, *, expected: bool) -> None:
    assert window.is_append_only(name) is expected


ACCOUNT = SObject("Account", "Account", (Field("A__c", "double", "A"),))


def test_the_fingerprint_ignores_letter_case_of_overrides_and_blanks_around_the_filter() -> None:
    number = {"A__c": parse_type("number(18,2)")}
    same = {"a__C": parse_type("NUMBER(18,2)")}

    assert window.fingerprint(ACCOUNT, "Id", "SystemModstamp", " X = 1 ", number) == window.fingerprint(
        ACCOUNT, "id", "SystemModstamp", "X = 1", same
    )


@pytest.mark.parametrize(
    ("override", "counts"),
    [
        ("A__c", True),
        ("account.a__c", True),
        ("B__c", False),
        ("Contact.A__c", False),
        ("Account.B__c", False),
    ],
)
def test_the_fingerprint_changes_with_overrides_of_the_objects_own_fields(
    override: str, *, counts: bool
) -> None:
    question = (ACCOUNT, "Id", "SystemModstamp", None)
    overrides = {override: parse_type("varchar(20)")}

    assert (window.fingerprint(*question, overrides) != window.fingerprint(*question, {})) is counts


@pytest.mark.parametrize(
    "question",
    [("Ext__c", "SystemModstamp", "X = 1"), ("Id", None, "X = 1"), ("Id", "SystemModstamp", "X = 2")],
)
def test_the_fingerprint_changes_with_key_cursor_and_filter(question: tuple[str, str | None, str]) -> None:
    usual = window.fingerprint(ACCOUNT, "Id", "SystemModstamp", "X = 1", {})

    assert window.fingerprint(ACCOUNT, *question, {}) != usual


def test_a_full_read_has_no_gap_and_starts_anew_where_it_ended() -> None:
    before = stored(NOON, NOON + timedelta(hours=2))

    assert advance(before, newest=None, job_created=NOON + timedelta(hours=1), is_full=True) == (
        NOON,
        NOON + timedelta(hours=1),
    )


@pytest.mark.parametrize(
    ("covered", "bound", "by_hand", "is_full", "expected"),
    [
        (None, NOON, True, False, None),
        (NOON, NOON - timedelta(days=1), True, False, NOON - timedelta(days=1)),
        (NOON, NOON + timedelta(days=1), True, False, NOON),
        (NOON, NOON + timedelta(days=1), False, False, NOON),
        (NOON, None, False, True, None),
    ],
)
def test_what_is_covered_grows_with_earlier_bounds_and_full_reads(
    covered: datetime | None,
    bound: datetime | None,
    *,
    by_hand: bool,
    is_full: bool,
    expected: datetime | None,
) -> None:
    before = replace(stored(NOON, NOON), covered_from=covered)

    assert window.covered_from(before, bound, by_hand=by_hand, is_full=is_full) == expected


@pytest.mark.parametrize(("by_hand", "expected"), [(True, NOON), (False, None)])
def test_a_first_run_covers_what_its_bound_by_hand_reaches(
    *, by_hand: bool, expected: datetime | None
) -> None:
    assert window.covered_from(None, NOON, by_hand=by_hand, is_full=False) == expected
