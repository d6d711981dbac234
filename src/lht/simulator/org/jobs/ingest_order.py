"""The request that creates an ingest job: what it may say, and what it is refused for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault
from lht.simulator.org.ids import to_long
from lht.simulator.org.jobs.job_bodies import choice
from lht.simulator.store.csv_form import DELIMITERS, LINE_ENDINGS, CsvForm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.settings import Settings

OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
KEYS = frozenset(
    {
        "object", "operation", "externalIdFieldName", "contentType", "columnDelimiter", "lineEnding", "assignmentRuleId",
    }
)  # fmt: skip
ASSIGNED = frozenset({"Case", "Lead"})
"""Objects that assignment rules give owners to."""
ASSIGNMENT_SINCE = 49


@dataclass(frozen=True, slots=True)
class IngestOrder:
    """What a job is to do with its records; `key` finds the records of an upsert."""

    operation: str
    object_name: str
    key: str | None
    form: CsvForm
    rule: str | None = None

    @property
    def removes(self) -> bool:
        """Whether its records are to go."""
        return self.operation in {"delete", "hardDelete"}

    @classmethod
    def read(
        cls, body: Mapping[str, Any], catalog: Catalog, settings: Settings, version: float
    ) -> IngestOrder:
        """Reads the request's body; raises ApiFault 400."""
        if unknown := sorted(set(body) - KEYS):
            raise _refused(f"Unknown property for an ingest job: {unknown[0]}")
        operation = choice(body, "operation", OPERATIONS, None)
        schema = _object(body, catalog)
        if operation == "hardDelete" and not settings.hard_delete:
            message = (
                "hardDelete operation requires special user profile permission, please contact your system "
                "administrator"
            )
            raise ApiFault(400, "FEATURENOTENABLED", message)
        choice(body, "contentType", ("CSV",), "CSV")
        form = CsvForm(
            choice(body, "columnDelimiter", DELIMITERS, "COMMA"),
            choice(body, "lineEnding", LINE_ENDINGS, "LF"),
        )
        return cls(operation, schema.name, _key(body, operation, schema), form, _rule(body, schema, version))


def _object(body: Mapping[str, Any], catalog: Catalog) -> ObjectSchema:
    name = body.get("object")
    if not isinstance(name, str) or not name:
        raise _refused("No object found in the job")
    schema = catalog.object(name)
    if schema is None:
        raise _refused(f"Unable to find object: {name}")
    if not schema.bulk:
        raise ApiFault(400, "INVALIDENTITY", f"Entity '{schema.name}' is not supported by the Bulk API.")
    return schema


def _key(body: Mapping[str, Any], operation: str, schema: ObjectSchema) -> str | None:
    name = body.get("externalIdFieldName")
    if operation != "upsert":
        if name is not None:
            raise _refused(f"externalIdFieldName is for upsert only, not for {operation}")
        return None
    if not isinstance(name, str) or not name:
        message = f"External ID was blank for {schema.name}. An External ID must be specified for upsert."
        raise _refused(message)
    field = schema.find(name)
    if field is None or not (field.external_id or field.id_lookup or field.name == "Id"):
        message = f"Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field for {schema.name}"
        raise _refused(message)
    return field.name


def _rule(body: Mapping[str, Any], schema: ObjectSchema, version: float) -> str | None:
    """Reads which assignment rule to run; none here assigns, so that only its form and its place are looked at."""
    given = body.get("assignmentRuleId")
    if given is None:
        return None
    rule = to_long(given) if isinstance(given, str) else None
    if schema.name not in ASSIGNED or rule is None or version < ASSIGNMENT_SINCE:
        raise _refused(f"Invalid assignmentRuleId: {given}")
    return rule


def _refused(message: str) -> ApiFault:
    return ApiFault(400, "INVALIDJOB", f"InvalidJob : {message}")
