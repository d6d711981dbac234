"""Names and columns of LHT's own tables, and of the columns it adds to users' tables: spelled here, once.

All tables but `locks` are append-only: of the rows with one key, the one with the highest `saved` counts (of
`row_results`, the one of the last `attempt`, of `before_images` the one read last; rows of `outbox` are written once). Where two
transactions do not see each other's rows, two rows may get one number; but the rows of one key are written under a
table's lock, one after the other, so that only rows of different keys share numbers. Should somebody write without
the lock (`reset` does), `tie` decides, so that every reader takes the same row. A table that lies in the state's own catalog is kept without its catalog, so that a renamed database file keeps its state.
"""

from __future__ import annotations

from dataclasses import dataclass

from lht.model.table import Capabilities, Column, ColumnKind, ColumnType
from lht.warehouse.statements import SystemColumns

STATE_VERSION = 1
"""What `meta` says of the tables below; an LHT that knows less refuses them."""

RUN_ID = "_lht_run_id"
SYNCED_AT = "_lht_synced_at"
DELETED_AT = "_lht_deleted_at"


@dataclass(frozen=True, slots=True)
class StateTable:
    """One of LHT's own tables; `key` tells which rows are versions of one thing, `tie` which of two counts."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    tie: str = "saved"

    def of_kind(self, kind: ColumnKind) -> list[str]:
        """The names of the columns of one kind, in order."""
        return [column.name for column in self.columns if column.type.kind is kind]


def _columns(
    text: str = "", integer: str = "", timestamp: str = "", real: str = "", boolean: str = ""
) -> tuple[Column, ...]:
    kinds = {
        ColumnKind.TEXT: text,
        ColumnKind.INTEGER: integer,
        ColumnKind.TIMESTAMP: timestamp,
        ColumnKind.FLOAT: real,
        ColumnKind.BOOLEAN: boolean,
    }
    return tuple(Column(name, ColumnType(kind)) for kind, names in kinds.items() for name in names.split())


_TABLE = "table_catalog table_schema table_name"
_TABLE_KEY = ("table_catalog", "table_schema", "table_name")
COUNTS = (
    "rows_read rows_inserted rows_updated rows_unchanged rows_deleted rows_deleted_unseen rows_duplicate"
    " rows_ignored rows_in_table api_calls"
)

META = StateTable("meta", _columns("lht_version", "saved state_version", "saved_at"))
RUNS = StateTable(
    "runs",
    _columns(
        f"run_id org_id object {_TABLE} command status lht_version mode job_id error_code error_message result",
        f"saved {COUNTS}",
        "started_at ended_at watermark",
        "seconds",
    ),
    ("run_id", "object", *_TABLE_KEY),
    "status",
)
WATERMARKS = StateTable(
    "watermarks",
    _columns(
        f"org_id object {_TABLE} key_field cursor_field fingerprint where_clause fields_json run_id status",
        "saved rows_in_table",
        "watermark read_until deleted_until covered_from formulas_read_at fully_read_at",
    ),
    _TABLE_KEY,
    "run_id",
)
JOBS = StateTable(
    "jobs",
    _columns(
        f"job_id run_id org_id object {_TABLE} purpose soql columns_json api_version fingerprint status pages",
        "saved",
        "created_at",
    ),
    ("job_id",),
    "status",
)
SCHEMA_CHANGES = StateTable(
    "schema_changes",
    _columns(
        f"change_id run_id org_id {_TABLE} kind column_name field old_type new_type",
        "saved",
        "changed_at backfilled_at",
    ),
    ("change_id",),
    "backfilled_at",
)
LOCKS = StateTable(
    "locks",
    _columns(
        f"{_TABLE} token host boot_id run_id org_id object command lht_version",
        "pid",
        "acquired_at heartbeat_at",
    ),
)
INTENTS = StateTable(
    "intents",
    _columns(
        "run_id org_id object command operation match_field headers targets fingerprint query options status of_run"
        " lht_version",
        "saved rows_selected rows_unchanged",
        "started_at",
    ),
    ("run_id",),
    "status",
)
PARTS = StateTable(
    "parts",
    _columns("run_id operation status job_id job_state", "saved part attempt row_count byte_count"),
    ("run_id", "part"),
    "status",
)
OUTBOX = StateTable(
    "outbox",
    _columns("run_id operation match_key record_id sent source", "part attempt row_number"),
    ("run_id", "part", "row_number"),
)
ROW_RESULTS = StateTable(
    "row_results",
    _columns(
        "run_id org_id object operation job_id match_key sf_id outcome class message fields source base ours theirs",
        "part attempt row_number",
        "recorded_at",
        boolean="created",
    ),
    ("run_id", "row_number"),
    "attempt",
)
BEFORE_IMAGES = StateTable(
    "before_images",
    _columns("run_id org_id object record_id match_key modstamp image", "row_number", "read_at"),
    ("run_id", "row_number"),
)
PUSHED = StateTable(
    "pushed",
    _columns("org_id object match_field match_key headers record_id sent run_id", "saved", "pushed_at"),
    ("org_id", "object", "match_field", "match_key", "headers"),
    "run_id",
)
ALL = (META, RUNS, WATERMARKS, JOBS, SCHEMA_CHANGES, LOCKS)
RETL = (INTENTS, PARTS, OUTBOX, ROW_RESULTS, BEFORE_IMAGES, PUSHED)
"""What only runs that write to Salesforce need; made with the first of them."""


def system_columns(capabilities: Capabilities) -> SystemColumns:
    """The system columns' names as this warehouse stores them."""
    names = (RUN_ID, SYNCED_AT, DELETED_AT)
    return SystemColumns(*(name.upper() if capabilities.folds_upper else name for name in names))


def system_column_definitions(capabilities: Capabilities) -> tuple[Column, ...]:
    """The system columns, to be created with a table."""
    names = system_columns(capabilities)
    text, timestamp = ColumnType(ColumnKind.TEXT), ColumnType(ColumnKind.TIMESTAMP)
    return (
        Column(names.run_id, text, comment="LHT run that last changed this row"),
        Column(names.synced_at, timestamp, comment="When LHT last changed this row (UTC)"),
        Column(
            names.deleted_at,
            timestamp,
            comment="When the record was deleted in Salesforce (UTC); empty if live",
        ),
    )
