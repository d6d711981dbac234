"""What operations decide from plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lht.app.bulk import check_output, names_of
from lht.app.project import _is_due
from lht.app.querying import flatten
from lht.app.syncing import new_run_id, read_moment, requests_for
from lht.app.tables import differences
from lht.errors import ConfigError
from lht.model.table import Column, ColumnKind, ColumnType
from lht.warehouse.duckdb import CAPABILITIES

TEXT, DATE = ColumnType(ColumnKind.TEXT), ColumnType(ColumnKind.DATE)
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_parents_become_dotted_names() -> None:
    record = {"attributes": {}, "Name": "a", "Owner": {"attributes": {}, "Name": "b", "Manager": {"Id": "c"}}}

    assert flatten(record) == {"Name": "a", "Owner.Name": "b", "Owner.Manager.Id": "c"}


def test_a_query_selects_only_what_was_asked_for() -> None:
    columns = [
        Column("Id", TEXT, "Id"),
        Column("Name", TEXT, "Name"),
        Column("Owner_Name", TEXT, "Owner.Name"),
    ]

    assert names_of(columns, ["name", "OWNER.NAME"]) == ["Name", "Owner.Name"]
    assert names_of(columns, []) == ["Id", "Name", "Owner.Name"]


def test_users_own_columns_are_no_difference() -> None:
    wanted = [Column("Id", TEXT), Column("Born", DATE), Column("Gone", TEXT)]
    existing = [Column("ID", TEXT), Column("Born", DATE), Column("Mine", TEXT)]

    assert differences(wanted, existing, CAPABILITIES) == ("Gone is missing: it would be varchar.",)
    assert differences(
        wanted[:2], [existing[0], Column("Born", ColumnType(ColumnKind.TIME))], CAPABILITIES
    ) == ("Born is time, but would be date.",)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-01 00:00:00", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-01-01", datetime(2024, 1, 1, tzinfo=UTC)),
        (" 2024-01-01T02:00:00+02:00 ", datetime(2024, 1, 1, tzinfo=UTC)),
        (datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)),  # noqa: DTZ001 - users pass such values
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str | datetime, moment: datetime) -> None:
    assert read_moment(text) == moment


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ConfigError, match="is no time"):
        read_moment("yesterday")


def test_run_ids_sort_by_time_and_differ() -> None:
    first, second = new_run_id(NOW), new_run_id(NOW + timedelta(seconds=1))

    assert first < second
    assert new_run_id(NOW) != first


def test_tables_are_named_by_prefix_or_by_name() -> None:
    assert [r.table for r in requests_for(["Account", "Contact"], table_prefix="sf_")] == [
        "sf_Account",
        "sf_Contact",
    ]
    assert requests_for(["Account"], table="T")[0].table == "T"
    assert requests_for(["Account"])[0].table is None
    with pytest.raises(ConfigError):
        requests_for(["Account", "Contact"], table="T")


def test_what_is_due() -> None:
    day = timedelta(days=1)

    assert not _is_due(None, None, NOW)
    assert _is_due(None, day, NOW)
    assert _is_due(NOW - day, day, NOW)
    assert not _is_due(NOW - day / 2, day, NOW)


def test_only_known_formats_are_written() -> None:
    check_output(Path("a.csv"))
    with pytest.raises(ConfigError, match="neither"):
        check_output(Path("a.xlsx"))
