"""What a login lacks, by what Snowflake answers."""

from __future__ import annotations

import pytest

from lht.errors import LhtError
from lht.warehouse.snowflake.checks import Session, refuse_what_is_missing, roles_that_create, session_of

WANTED = Session(role="", warehouse="wh", database='"Mirror"', schema="RAW")


def test_an_answer_with_nothing_in_it_is_read_as_nothing() -> None:
    row = {"ROLE": "R", "WAREHOUSE": None, "DATABASE": "D", "SCHEMA": None}

    assert session_of(row) == Session("R", "", "D", "")


def test_names_are_compared_as_snowflake_stores_them() -> None:
    refuse_what_is_missing(WANTED, Session("R", "WH", "Mirror", ""))


@pytest.mark.parametrize(
    ("has", "words"),
    [
        (Session("R", "", "Mirror"), r'no warehouse WH, .*GRANT USAGE ON WAREHOUSE "WH" TO ROLE "R";'),
        (Session("R", "OTHER", "Mirror"), "no warehouse WH"),
        (Session("R", "WH", ""), r'no database Mirror, .*GRANT USAGE ON DATABASE "Mirror" TO ROLE "R";'),
    ],
)
def test_what_was_asked_for_and_not_given_is_told_with_its_grant(has: Session, words: str) -> None:
    with pytest.raises(LhtError, match=words):
        refuse_what_is_missing(WANTED, has)


def test_roles_that_may_create_schemas_are_told_from_others() -> None:
    def granted(privilege: str, to: str, kind: str = "ROLE") -> dict[str, object]:
        return {"privilege": privilege, "granted_to": kind, "grantee_name": to}

    grants = [
        granted("USAGE", "READER"),
        granted("CREATE SCHEMA", "LOADER"),
        granted("OWNERSHIP", "SYSADMIN"),
        granted("CREATE SCHEMA", "SYSADMIN"),
        granted("CREATE SCHEMA", "INNER", "DATABASE_ROLE"),
    ]

    assert roles_that_create(grants) == ("LOADER", "SYSADMIN")
