"""Both sides of a plan, as a test wants them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lht.mapping.types import parse_type
from lht.model.run import SchemaChange
from lht.model.salesforce import Field, SObject
from lht.model.sync import SyncOptions, SyncPlan, SyncRequest, Watermark
from lht.model.table import Capabilities, Column, TableName
from lht.sync import window
from lht.sync.plan import Situation, TableFacts, plan_sync

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ORG, OTHER_ORG = "00D000000000001AAA", "00D000000000002AAA"
TABLE = TableName("db", "main", "Account")
CAPABILITIES = Capabilities(
    name="test",
    state_schema="lht",
    folds_upper=False,
    has_text_length=False,
    has_column_comments=True,
    has_variant=True,
    widens_text=True,
    widens_precision=True,
    has_transactional_ddl=True,
    has_table_options=False,
    is_single_process=True,
)
ACCOUNT = SObject(
    "Account",
    "Account",
    (
        Field("Id", "id"),
        Field("IsDeleted", "boolean"),
        Field("Name", "string"),
        Field("Key__c", "string", external_id=True),
        Field("Unique__c", "string", unique=True),
        Field("CreatedDate", "datetime"),
        Field("Hidden__c", "datetime", filterable=False),
        Field("SystemModstamp", "datetime"),
    ),
)
COLUMNS = tuple(
    Column(name, parse_type(kind))
    for name, kind in {
        "Id": "varchar", "IsDeleted": "boolean", "Name": "varchar", "Key__c": "varchar", "Unique__c": "varchar",
        "CreatedDate": "timestamp", "Hidden__c": "timestamp", "SystemModstamp": "timestamp",
    }.items()
)  # fmt: skip
FULL_TABLE = TableFacts(COLUMNS, rows=10)


def without(sobject: SObject, *names: str) -> SObject:
    return replace(sobject, fields=tuple(field for field in sobject.fields if field.name not in names))


def watermark(**changes: Any) -> Watermark:
    asked = window.fingerprint(ACCOUNT, "Id", "SystemModstamp", None, {})
    usual = Watermark(
        org_id=ORG,
        object="Account",
        table=TABLE,
        key="Id",
        cursor="SystemModstamp",
        fingerprint=asked,
        watermark=NOON,
        read_until=NOON,
        deleted_until=NOON,
        covered_from=None,
        rows_in_table=10,
        run_id="r",
        fields=tuple(column.name for column in COLUMNS),
    )
    return replace(usual, **changes)


def debt(column: str) -> SchemaChange:
    return SchemaChange("c", "r", ORG, TABLE, "add", column, column, None, "varchar", NOON, None)


def situation(**changes: Any) -> Situation:
    """A table that is in step with its object."""
    usual = Situation(ACCOUNT, TABLE, FULL_TABLE, watermark(), (), ORG, {}, CAPABILITIES)
    return replace(usual, **changes)


def plan(given: Situation | None = None, *, key: str = "Id", **options: Any) -> SyncPlan:
    return plan_sync(SyncRequest("Account", key=key, options=SyncOptions(**options)), given or situation())


def plan_for(**changes: Any) -> SyncPlan:
    return replace(plan(), **changes)
