"""What a job's request says and what its answers look like: each resource shows another choice of keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault
from lht.simulator.store.csv_form import DELIMITERS, LINE_ENDINGS, CsvForm

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from lht.simulator.org.jobs.jobs import Job
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.soql.tree import Query

FINAL = frozenset({"JobComplete", "Failed", "Aborted"})
OPERATIONS = ("query", "queryAll")
KEYS = frozenset({"operation", "query", "contentType", "columnDelimiter", "lineEnding"})
CHUNKING_SHOWN_SINCE = 58
CHUNKABLE = frozenset(
    {
        "Account", "Asset", "Campaign", "CampaignMember", "Case", "CaseComment", "Contact", "ContractLineItem",
        "EmailMessage", "Event", "FeedItem", "Individual", "Lead", "LiveChatTranscript", "LoginHistory", "Opportunity",
        "OpportunityContactRole", "OpportunityHistory", "OpportunityLineItem", "OpportunityTeamMember", "Pricebook2",
        "PricebookEntry", "Product2", "Quote", "QuoteLineItem", "ServiceContract", "Task", "User", "UserRole", "WorkOrder",
        "WorkOrderLineItem",
    }
)  # fmt: skip
"""Standard objects that are read in ranges of ids."""


@dataclass(frozen=True, slots=True)
class Order:
    """The request that created a job."""

    operation: str
    query: str
    form: CsvForm

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Order:
        """Reads the request's body; raises ApiFault 400."""
        if unknown := sorted(set(body) - KEYS):
            raise ApiFault(400, "INVALIDJOB", f"Unknown property for a query job: {unknown[0]}")
        operation = choice(body, "operation", OPERATIONS, None)
        query = body.get("query")
        if not isinstance(query, str) or not query.strip():
            raise ApiFault(400, "INVALIDJOB", "No query found in the job")
        choice(body, "contentType", ("CSV",), "CSV")
        delimiter = choice(body, "columnDelimiter", DELIMITERS, "COMMA")
        return cls(operation, query, CsvForm(delimiter, choice(body, "lineEnding", LINE_ENDINGS, "LF")))


def created(job: Job) -> dict[str, Any]:
    """Gives the answer to the creation."""
    return reduced(job) | _form(job)


def reduced(job: Job) -> dict[str, Any]:
    """Gives the answer to an abort."""
    return {
        "id": job.id,
        "operation": job.order.operation,
        "object": job.compiled.object.name,
        "createdById": job.created_by,
        "createdDate": stamp(job.created_at),
        "systemModstamp": stamp(job.modified_at),
        "state": job.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": job.api_version,
    }


def listed(job: Job) -> dict[str, Any]:
    """Gives an entry of the list: no counters."""
    return reduced(job) | {"jobType": "V2Query"} | _form(job)


def status(job: Job) -> dict[str, Any]:
    """Gives the whole status; an error message only where there is one."""
    counters = {
        "numberRecordsProcessed": job.rows,
        "retries": job.retries,
        "totalProcessingTime": job.processing_ms,
    }
    chunking = {"isPkChunkingSupported": job.chunkable} if job.api_version >= CHUNKING_SHOWN_SINCE else {}
    error = {"errorMessage": job.error_message} if job.error_message is not None else {}
    return listed(job) | counters | chunking | error


def is_chunkable(query: Query, schema: ObjectSchema) -> bool:
    """Tells whether Salesforce would read the object in ranges of ids; an order or a limit keeps it from that."""
    known = schema.custom or schema.name.endswith(("History", "Share")) or schema.name in CHUNKABLE
    return known and not query.order_by and query.limit is None


def _form(job: Job) -> dict[str, Any]:
    return {"lineEnding": job.order.form.line_ending, "columnDelimiter": job.order.form.delimiter}


def choice(body: Mapping[str, Any], key: str, allowed: Collection[str], default: str | None) -> str:
    """Gives one of the words that a property may say; raises ApiFault 400 for any other."""
    given = body.get(key)
    value = default if given is None else given
    if not isinstance(value, str) or value not in allowed:
        found = "null" if value is None else repr(value)
        raise ApiFault(400, "INVALIDJOB", f"{key} must be one of {', '.join(allowed)}, not {found}")
    return value


def stamp(moment: datetime) -> str:
    """Writes a moment as job resources do."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
