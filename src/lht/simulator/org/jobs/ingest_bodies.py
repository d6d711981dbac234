"""What the answers about an ingest job look like: each resource shows another choice of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lht.simulator.org.jobs.job_bodies import CHUNKING_SHOWN_SINCE, stamp

if TYPE_CHECKING:
    from lht.simulator.org.jobs.ingest_job import IngestJob


def created(job: IngestJob) -> dict[str, Any]:
    """Gives the answer to the creation."""
    return reduced(job) | _content(job) | _form(job)


def reduced(job: IngestJob) -> dict[str, Any]:
    """Gives the answer to a change of state."""
    rule = {} if job.order.rule is None else {"assignmentRuleId": job.order.rule}
    key = {} if job.order.key is None else {"externalIdFieldName": job.order.key}
    return {
        "id": job.id,
        "operation": job.order.operation,
        "object": job.order.object_name,
        "createdById": job.created_by,
        "createdDate": stamp(job.created_at),
        "systemModstamp": stamp(job.modified_at),
        "state": job.state,
        **key,
        **rule,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": job.api_version,
    }


def listed(job: IngestJob) -> dict[str, Any]:
    """Gives an entry of the list: no counters."""
    return reduced(job) | {"jobType": "V2Ingest"} | _content(job) | _form(job)


def status(job: IngestJob) -> dict[str, Any]:
    """Gives the whole status; how many records there were is told once there are any."""
    numbers = {"numberRecordsProcessed": job.processed, "numberRecordsFailed": job.failed}
    times = {
        "retries": job.retries,
        "totalProcessingTime": job.processing_ms,
        "apiActiveProcessingTime": job.active_ms,
        "apexProcessingTime": 0,
    }
    chunking = {"isPkChunkingSupported": False} if job.api_version >= CHUNKING_SHOWN_SINCE else {}
    error = {"errorMessage": job.error_message} if job.error_message is not None else {}
    return listed(job) | (numbers if job.is_uploaded else {}) | times | chunking | error


def _content(job: IngestJob) -> dict[str, Any]:
    """Gives where to upload to, without the slash that an address would begin with."""
    if job.state != "Open":
        return {}
    return {"contentUrl": f"services/data/v{job.api_version}/jobs/ingest/{job.id}/batches"}


def _form(job: IngestJob) -> dict[str, Any]:
    return {"lineEnding": job.order.form.line_ending, "columnDelimiter": job.order.form.delimiter}
