"""Many callers at once, and an admin who changes the org under them: every answer is whole and one that may be given."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

CALLERS, TURNS = 20, 12
LIST = "SELECT Id, Name, Owner.Name FROM Account"


class Crowd:
    """What every caller does, and what was answered that should not have been."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.made: list[str] = []
        self.wrong: Counter[str] = Counter()

    def expect(self, answer: Any, *statuses: int) -> bool:
        if answer.status not in statuses:
            self.wrong[f"{answer.status} {answer.text[:200]}"] += 1
        return bool(answer.status == statuses[0])

    def write(self, lot: random.Random) -> None:
        made = self.caller.call(
            "POST", "/sobjects/Account", {"Name": "n", "ExternalId__c": str(lot.random())}
        )
        if self.expect(made, 201):
            self.made.append(made.json()["id"])

    def change(self, lot: random.Random) -> None:
        if self.made:
            where = f"/sobjects/Account/{lot.choice(self.made)}"
            self.expect(self.caller.call("PATCH", where, {"Name": "u"}), 204, 404)
            self.expect(self.caller.get(where), 200, 404)
            self.expect(self.caller.call("DELETE", where), 204, 404)

    def page(self, _lot: random.Random) -> None:
        header = {"Sforce-Query-Options": "batchSize=200"}
        answer = self.caller.get("/query", q=LIST, headers=header)
        seen = 0
        while self.expect(answer, 200):
            page = answer.json()
            seen += len(page["records"])
            if page["done"]:
                self.wrong["rows are missing"] += seen != page["totalSize"]
                return
            answer = self.caller.get(page["nextRecordsUrl"])

    def job(self, _lot: random.Random) -> None:
        status = self.caller.finished_job(LIST, "queryAll")
        page = self.caller.results(status["id"], headers={"Accept-Encoding": "gzip"}, maxRecords=10_000)
        self.expect(page, 200)
        self.wrong[f"job {status['state']}"] += status["state"] != "JobComplete"
        self.wrong["rows are missing"] += len(page.rows) - 1 != status["numberRecordsProcessed"]
        self.expect(self.caller.call("DELETE", f"/jobs/query/{status['id']}"), 204)

    def look(self, _lot: random.Random) -> None:
        self.expect(self.caller.get("/sobjects/Account/describe"), 200)
        self.expect(self.caller.get("/limits/recordCount"), 200)
        self.expect(self.caller.get("/query", q="SELECT New__c FROM Account LIMIT 5"), 200, 400)

    def reshape(self, lot: random.Random) -> None:
        admin = self.caller.org.admin
        admin.add_field("Account", "New__c", "string", default_value="x")
        admin.hide_records("Account", where="Name = 'u'", hidden=lot.random() < 0.5)
        admin.drop_field("Account", "New__c")
        admin.purge("Account")


def test_twenty_callers_and_an_admin_do_not_disturb_each_other() -> None:
    with simulator(records=250) as org:
        crowd = Crowd(Caller(org).login())
        deeds: list[Callable[[random.Random], None]] = [
            crowd.write, crowd.change, crowd.page, crowd.job, crowd.look
        ]  # fmt: skip
        threads = [threading.Thread(target=_turns, args=(crowd, deeds, number)) for number in range(CALLERS)]
        threads.append(threading.Thread(target=_turns, args=(crowd, [crowd.reshape], CALLERS)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert +crowd.wrong == Counter()


def _turns(crowd: Crowd, deeds: list[Callable[[random.Random], None]], number: int) -> None:
    lot = random.Random(number)
    for _ in range(TURNS):
        deed = lot.choice(deeds)
        try:
            deed(lot)
        except Exception as error:  # noqa: BLE001 - a thread's failure is told at the end
            crowd.wrong[f"{deed.__name__}: {error!r}"] += 1
