"""One ingest job, as the board keeps it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from lht.simulator.org.faults import Fault
    from lht.simulator.org.jobs.ingest_order import IngestOrder
    from lht.simulator.store.csv_form import CsvForm
    from lht.simulator.store.uploads import JobFiles


@dataclass(slots=True)
class IngestJob:
    """One job; `lock` of the board guards every change of its state."""

    id: str
    order: IngestOrder
    api_version: float
    created_by: str
    created_at: datetime
    modified_at: datetime
    files: JobFiles
    state: str = "Open"
    is_uploaded: bool = False
    fault: Fault | None = None
    header: str = ""
    processed: int = 0
    """Records that were tried, the failed ones among them."""
    failed: int = 0
    processing_ms: int = 0
    active_ms: int = 0
    error_message: str | None = None
    ended_at: datetime | None = None
    settled: threading.Event = field(default_factory=threading.Event)
    """Set once nothing more is written down of it: after an abort the last chunk still comes to its end."""
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def form(self) -> CsvForm:
        return self.order.form

    @property
    def retries(self) -> int:
        """How often it was tried again, which only happens when it is told to."""
        return self.fault.retries if self.fault is not None and self.state != "UploadComplete" else 0
