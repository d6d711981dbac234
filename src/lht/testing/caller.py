"""A bare HTTP caller of a Salesforce org: one connection a call, no retries, nothing shared with LHT's client."""

from __future__ import annotations

import csv
import gzip
import http.client
import io
import json
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lht.testing.simulator import LocalOrg

FINAL = frozenset({"JobComplete", "Failed", "Aborted"})
PATIENCE_S = 30


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; names in `headers` are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, inflated if need be."""
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()

    @property
    def rows(self) -> list[list[str]]:
        """The rows of a CSV body, header first."""
        return list(csv.reader(io.StringIO(self.text, newline="")))

    @property
    def error(self) -> tuple[int, str, str]:
        """The status, code and message of a refusal."""
        (entry,) = self.json()
        return self.status, entry["errorCode"], entry["message"]

    def json(self) -> Any:
        """Reads the body as JSON."""
        return json.loads(self.text)


@dataclass(slots=True)
class Caller:
    """Calls one org in one API version; `headers` go with every call of `call` and `get`."""

    org: LocalOrg
    version: str = "v66.0"
    headers: dict[str, str] = field(default_factory=dict)

    def login(self) -> Caller:
        """Takes a new token; gives itself."""
        self.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"
        return self

    def token(self, headers: Mapping[str, str] | None = None, **form: str | None) -> Reply:
        """Asks the token endpoint by client credentials; a part of the form given as None is left out."""
        usual: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "client_id": self.org.client_id,
            "client_secret": self.org.client_secret,
        }
        body = urllib.parse.urlencode({k: v for k, v in (usual | form).items() if v is not None})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.raw("POST", "/services/oauth2/token", body.encode(), kind | dict(headers or {}))

    def raw(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Sends just this."""
        connection = http.client.HTTPConnection(
            urllib.parse.urlsplit(self.org.url).netloc, timeout=PATIENCE_S
        )
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, names, answer.read())
        finally:
            connection.close()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        **query: object,
    ) -> Reply:
        """Calls a resource, by its path under the version or by its whole path, with a JSON body if one is given."""
        data = json.dumps(body).encode() if body is not None else None
        asked = f"?{urllib.parse.urlencode(query)}" if query else ""
        kind = {"Content-Type": "application/json"} if data else {}
        where = path if path.startswith("/services") else f"/services/data/{self.version}{path}"
        return self.raw(method, where + asked, data, self.headers | kind | dict(headers or {}))

    def get(self, path: str, *, headers: Mapping[str, str] | None = None, **query: object) -> Reply:
        """Reads a resource."""
        return self.call("GET", path, headers=headers, **query)

    def create(self, object_name: str, **values: object) -> str:
        """Makes a record and gives its id."""
        return str(self.call("POST", f"/sobjects/{object_name}/", values).json()["id"])

    def job(self, soql: str, operation: str = "query", **form: str) -> Reply:
        """Creates a query job."""
        return self.call("POST", "/jobs/query", {"operation": operation, "query": soql, **form})

    def wait(self, job_id: str, until: Collection[str] = FINAL, *, kind: str = "query") -> dict[str, Any]:
        """Follows a job to one of these states and gives its status."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            status: dict[str, Any] = self.get(f"/jobs/{kind}/{job_id}").json()
            if status["state"] in until:
                return status
            time.sleep(0.01)
        raise TimeoutError(f"job {job_id} stays {status['state']}")

    def finished_job(self, soql: str, operation: str = "query", **form: str) -> dict[str, Any]:
        """Creates a query job, follows it to its end and gives its status."""
        return self.wait(self.job(soql, operation, **form).json()["id"])

    def put(self, job_id: str, data: str | bytes | Iterable[bytes], **headers: str) -> Reply:
        """Uploads the data of an ingest job, chunk by chunk where they come so."""
        body = data.encode() if isinstance(data, str) else data
        kind = {"Content-Type": "text/csv"} | {name.replace("_", "-"): v for name, v in headers.items()}
        return self.raw("PUT", f"{self._ingest(job_id)}/batches", body, self.headers | kind)

    def load(self, object_name: str, operation: str, data: str | bytes, **form: str) -> dict[str, Any]:
        """Carries out an ingest job and gives its last status."""
        body = {"object": object_name, "operation": operation, **form}
        job_id = str(self.call("POST", "/jobs/ingest", body).json()["id"])
        self.put(job_id, data)
        self.call("PATCH", f"/jobs/ingest/{job_id}", {"state": "UploadComplete"})
        return self.wait(job_id, kind="ingest")

    def outcome(self, job_id: str, kind: str) -> list[dict[str, str]]:
        """Gives the rows of one of an ingest job's result files by column name."""
        names, *rows = self.get(f"/jobs/ingest/{job_id}/{kind}/").rows
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _ingest(self, job_id: str) -> str:
        return f"/services/data/{self.version}/jobs/ingest/{job_id}"

    def results(self, job_id: str, *, headers: Mapping[str, str] | None = None, **query: object) -> Reply:
        """Reads one page of a job's results."""
        return self.get(f"/jobs/query/{job_id}/results", headers=headers, **query)

    def read_csv(self, soql: str, operation: str = "query", **form: str) -> Reply:
        """Runs a query job and reads the first page of its results."""
        return self.results(self.finished_job(soql, operation, **form)["id"])
