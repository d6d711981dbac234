"""Many callers at once, and an admin who changes the org under them: every answer is whole and one that may be given."""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

CALLERS, TURNS, PATIENCE_S = 50, 6, 120
QUICKLY_LEFT_BYTES = 100
LIST = "SELECT Id, Name, Owner.Name FROM Account"


class Crowd:
    """What every caller does, and what was answered that should not have been."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.made: list[str] = []
        self.gone: list[str] = []
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
            if self.expect(self.caller.call("DELETE", where), 204, 404):
                self.gone.append(where)

    def download(self, _lot: random.Random) -> None:
        status = self.caller.finished_job(LIST)
        pages = self.caller.get(f"/jobs/query/{status['id']}/resultPages").json()["resultPages"]
        rows = sum(len(self.caller.get(page["resultUrl"]).rows) - 1 for page in reversed(pages))
        self.wrong["rows are missing"] += rows != status["numberRecordsProcessed"]

    def hang_up(self, lot: random.Random) -> None:
        """Asks for something and leaves, at once or in the middle of the answer."""
        job_id = self.caller.finished_job(LIST, "queryAll")["id"]
        where = urlsplit(self.caller.org.url)
        path = lot.choice(
            [f"/services/data/v66.0/jobs/query/{job_id}/results", "/services/data/v66.0/sobjects"]
        )
        head = f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: {self.caller.headers['Authorization']}"
        with socket.create_connection((where.hostname, where.port)) as connection:
            connection.sendall(f"{head}\r\n\r\n".encode())
            if lot.random() < 0.5:
                connection.recv(QUICKLY_LEFT_BYTES)

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

    def count(self) -> int:
        return int(self.caller.get("/query", q="SELECT COUNT() FROM Account").json()["totalSize"])

    def usage(self) -> tuple[int, int]:
        """The calls that the org says it counted, and those that it wrote down."""
        said = self.caller.get("/limits").headers["sforce-limit-info"]
        paths = [request["path"] for request in self.caller.org.admin.requests()]
        return int(said.split("=")[1].split("/")[0]), sum(
            path.startswith("/services/data/") for path in paths
        )

    def reshape(self, lot: random.Random) -> None:
        admin = self.caller.org.admin
        admin.add_field("Account", "New__c", "string", default_value="x")
        admin.hide_records("Account", where="Name = 'u'", hidden=lot.random() < 0.5)
        admin.drop_field("Account", "New__c")
        admin.purge("Account")


def test_fifty_callers_and_an_admin_do_not_disturb_each_other() -> None:
    with simulator(records=250, page_size=60) as org:
        crowd = Crowd(Caller(org).login())
        before = crowd.count()
        deeds: list[Callable[[random.Random], None]] = [
            crowd.write, crowd.change, crowd.page, crowd.job, crowd.look, crowd.download, crowd.hang_up
        ]  # fmt: skip
        threads = [
            threading.Thread(target=_turns, args=(crowd, deeds, number), daemon=True)
            for number in range(CALLERS)
        ]
        threads.append(threading.Thread(target=_turns, args=(crowd, [crowd.reshape], CALLERS), daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        stuck = [thread.name for thread in threads if thread.is_alive()]
        org.admin.hide_records("Account", hidden=False)
        after, told = crowd.count(), crowd.usage()
        statuses = {request["status"] for request in org.admin.requests()}
        jobs = crowd.caller.get("/jobs/query").json()["records"]

    assert (+crowd.wrong, stuck) == (Counter(), [])
    assert after == before + len(crowd.made) - len(crowd.gone)
    assert told[0] == told[1]
    assert {job["state"] for job in jobs} <= {"JobComplete"}
    assert not {status for status in statuses if status and status >= 500}


def _turns(crowd: Crowd, deeds: list[Callable[[random.Random], None]], number: int) -> None:
    lot = random.Random(number)
    for _ in range(TURNS):
        deed = lot.choice(deeds)
        try:
            deed(lot)
        except Exception as error:  # noqa: BLE001 - a thread's failure is told at the end
            crowd.wrong[f"{deed.__name__}: {error!r}"] += 1
