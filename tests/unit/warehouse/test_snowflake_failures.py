"""What errors of the connector become; they are made as the connector makes them."""

from __future__ import annotations

import pytest
from snowflake.connector import errors

from lht.errors import (
    LhtError,
    MissingTableError,
    PrivilegeError,
    Recovery,
    StatementError,
    WarehouseUnreachableError,
)
from lht.warehouse.adapting import headline
from lht.warehouse.snowflake import failures
from lht.warehouse.snowflake.failures import is_crowded, translate

MERGE = 'MERGE INTO "LAKE"."CRM"."ACCOUNTS" AS t USING (SELECT 1 AS id) AS s ON t."ID" = s.id WHEN MATCHED THEN DELETE'
LOCKED = (
    "Statement '01b6' has locked table 'T' in transaction 17 and this lock has not yet been released.\n"
    "Your statement '01b7' was aborted because "
)


def refusal(number: int, message: str, state: str = "42000") -> errors.ProgrammingError:
    return errors.ProgrammingError(
        msg=message, errno=number, sqlstate=state, sfqid="01b6c04c-0108", query=MERGE
    )


@pytest.mark.parametrize(
    ("error", "expected", "hint"),
    [
        (
            refusal(
                2003, "SQL compilation error:\nObject 'LAKE.CRM.ACCOUNTS' does not exist or not authorized."
            ),
            MissingTableError,
            "Check the name. Role LOADER may also lack the right to see it: GRANT",
        ),
        (
            refusal(2043, "SQL compilation error:\nObject does not exist, or operation cannot be performed."),
            MissingTableError,
            "Check the name. Role LOADER may also lack the right to see it.",
        ),
        (
            refusal(
                3001, "SQL access control error:\nInsufficient privileges to operate on table 'ACCOUNTS'"
            ),
            PrivilegeError,
            'Ask an administrator to run: GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE "LAKE"."CRM"."ACCOUNTS"',
        ),
        (
            refusal(606, "No active warehouse selected in the current session.  Select an active warehouse."),
            StatementError,
            'warehouse = "…"; if it lacks the right: GRANT USAGE ON WAREHOUSE "WH" TO ROLE "LOADER";',
        ),
        (
            refusal(
                90073, "Warehouse 'WH' cannot be resumed because its resource monitor has exceeded its quota."
            ),
            StatementError,
            "Have it resumed",
        ),
        (
            refusal(630, "Statement reached its statement or warehouse timeout of 1 second(s)."),
            StatementError,
            "larger",
        ),
        (refusal(604, "SQL execution canceled"), StatementError, "Somebody cancelled it"),
        (
            refusal(904, "SQL compilation error: error line 1 at position 7\ninvalid identifier 'X'"),
            StatementError,
            "",
        ),
        (
            refusal(390112, "Your session has expired. Please login again."),
            WarehouseUnreachableError,
            "logs in anew",
        ),
        (refusal(390195, "The provided ID Token is invalid."), WarehouseUnreachableError, "logs in anew"),
        (
            errors.OperationalError(msg="250001: Could not connect to Snowflake backend", errno=250001),
            WarehouseUnreachableError,
            "Run the same command again.",
        ),
        (
            errors.DatabaseError(msg="Connection is closed", errno=250002, sqlstate="08003"),
            WarehouseUnreachableError,
            "Run the same command again.",
        ),
        (errors.GatewayTimeoutError(errno=504), WarehouseUnreachableError, "Run the same command again."),
        (
            errors.OperationalError(msg="HTTP request failed after retries", errno=4),
            WarehouseUnreachableError,
            "Run the same command again.",
        ),
        (errors.OperationalError(msg="no answer"), WarehouseUnreachableError, "Run the same command again."),
        (ConnectionResetError("reset by peer"), WarehouseUnreachableError, "Run the same command again."),
    ],
    ids=lambda value: str(getattr(value, "errno", "")) or None,
)
def test_each_becomes_an_error_that_says_what_to_do(
    error: Exception, expected: type[LhtError], hint: str
) -> None:
    made = translate(error, MERGE, role="LOADER", warehouse="WH")

    assert type(made) is expected
    assert hint in made.hint
    assert made.recovery is Recovery.ABORT


def test_a_message_is_one_line_without_numbers_of_its_own() -> None:
    made = translate(
        refusal(904, "SQL compilation error:\nInvalid identifier 'X'\nmore"), "SELECT   x\nFROM t"
    )

    assert made.message == "Snowflake could not run SELECT x FROM t: Invalid identifier 'X'"


def test_where_in_the_statement_it_stands_is_not_the_message() -> None:
    error = refusal(904, "SQL compilation error: error line 1 at position 7\ninvalid identifier 'X'")

    assert failures.message_line(error) == "invalid identifier 'X'"


def test_values_are_left_out() -> None:
    made = translate(refusal(100038, "Numeric value 'secret' is not recognized", "22018"), "COPY INTO t")

    assert made.message == "Snowflake could not run COPY INTO t: Numeric value '…' is not recognized"


def test_the_query_id_that_a_chatty_log_level_adds_is_left_out() -> None:
    told = "001003 (42000): 01b6c04c-0108-5374-0008-50d700010052: SQL compilation error:\nsyntax error line 1"

    assert failures.message_line(refusal(1003, told)) == "syntax error line 1"


def test_a_long_statement_is_told_by_its_first_words() -> None:
    assert headline("SELECT " + "x" * 200) == f"SELECT {'x' * 73}…"


@pytest.mark.parametrize(
    ("reason", "crowded"),
    [
        ("the number of waiters for this lock exceeds the 20 statements limit.", True),
        ("of its lock timeout.", False),
    ],
)
def test_a_locked_table_may_be_tried_again(reason: str, *, crowded: bool) -> None:
    error = refusal(625, LOCKED + reason, "57014")

    assert translate(error, MERGE).recovery is Recovery.RETRY
    assert is_crowded(error) is crowded


def test_a_role_that_is_not_known_is_not_named() -> None:
    made = translate(refusal(2003, "Object 'T' does not exist"), "SELECT 1")

    assert made.hint == "Check the name. The role may also lack the right to see it."
