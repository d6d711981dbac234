"""What every step of a run is handed: both sides, the state, the work database, and the seams to clock and screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.model.retl import RetlEvent

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from lht.model.retl import RetlRequest
    from lht.model.salesforce import SObject
    from lht.retl.work import Work
    from lht.sfdc.org import Org
    from lht.state.retl_store import RetlState
    from lht.warehouse.port import Warehouse


@dataclass(frozen=True, slots=True)
class RetlRun:
    """One run. `sobject` is describe's; `work.folder` is where its files lie."""

    run_id: str
    org: Org
    warehouse: Warehouse
    state: RetlState
    work: Work
    request: RetlRequest
    sobject: SObject
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    on_event: Callable[[RetlEvent], None]

    def tell(self, kind: str, message: str = "", *, done: int = 0, total: int | None = None) -> None:
        self.on_event(RetlEvent(kind, self.sobject.name, message, done, total))
