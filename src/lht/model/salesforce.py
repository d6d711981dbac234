"""The Salesforce side: objects, fields, jobs, as far as LHT needs them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object, as describe tells it. `type` is describe's word in lower case."""

    name: str
    type: str
    label: str = ""
    help_text: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    calculated: bool = False
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    case_sensitive: bool = False
    createable: bool = False
    updateable: bool = False
    defaulted_on_create: bool = False
    filterable: bool = True
    compound_field_name: str | None = None
    relationship_name: str | None = None
    reference_to: tuple[str, ...] = ()
    restricted_picklist: bool = False
    picklist_values: tuple[str, ...] = ()
    """The active entries of a picklist, in its order."""


@dataclass(frozen=True)
class SObject:
    """One object with its fields, in describe's order."""

    name: str
    label: str
    fields: tuple[Field, ...]
    key_prefix: str | None = None
    custom: bool = False
    queryable: bool = True
    replicateable: bool = True
    createable: bool = True
    updateable: bool = True
    deletable: bool = True

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """Fields by lower-cased name: Salesforce's names ignore letter case."""
        return {field.name.lower(): field for field in self.fields}

    def find(self, name: str) -> Field | None:
        """Gives the field of that name in any letter case."""
        return self.by_name.get(name.lower())


@dataclass(frozen=True, slots=True)
class ObjectSummary:
    """An entry of the org's list of objects."""

    name: str
    label: str
    queryable: bool
    replicateable: bool
    deprecated: bool
    custom: bool


class JobState(StrEnum):
    """States of a Bulk API 2.0 job, with Salesforce's spelling."""

    OPEN = "Open"
    UPLOAD_COMPLETE = "UploadComplete"
    IN_PROGRESS = "InProgress"
    JOB_COMPLETE = "JobComplete"
    FAILED = "Failed"
    ABORTED = "Aborted"

    @property
    def is_final(self) -> bool:
        return self in {JobState.JOB_COMPLETE, JobState.FAILED, JobState.ABORTED}


@dataclass(frozen=True, slots=True)
class BulkJob:
    """A Bulk API 2.0 job as Salesforce last told it. `records` is final only at JobComplete."""

    id: str
    state: JobState
    object: str
    operation: str
    created: datetime | None
    api_version: str
    records: int = 0
    records_failed: int = 0
    error_message: str = ""
    created_by: str = ""
    resource: Mapping[str, Any] | None = None
    """The job resource, word for word."""
    server_time: datetime | None = None
    """The server's clock (`Date`) in the answer that told of the job."""


@dataclass(frozen=True, slots=True)
class DeletedRecord:
    """An entry of getDeleted."""

    id: str
    deleted_at: datetime


@dataclass(frozen=True, slots=True)
class DeletedWindow:
    """One getDeleted answer; the next window starts at `covered_until`, not at the end that was asked for."""

    records: tuple[DeletedRecord, ...]
    earliest_available: datetime
    covered_until: datetime
