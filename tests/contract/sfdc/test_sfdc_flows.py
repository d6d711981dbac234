"""All four flows against the local org: logging in, renewing by many at once, logging out."""

from __future__ import annotations

import http.client
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lht.config import orgs
from lht.config.flows import Flows
from lht.config.settings import Settings, load_settings
from lht.errors import AuthError, ConfigError, LhtError, LoginRejectedError, SessionExpiredError
from lht.sfdc import rest
from lht.sfdc.transport import Transport
from lht.testing.browser import Browser, read_page
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lht.sfdc.auth import Login
    from lht.testing import LocalOrg

PATIENCE_S = 20.0
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
APP = """\
[local]
CLIENT_ID = "{org.client_id}"
CLIENT_SECRET = "{org.client_secret}"
login_url = "{org.url}"
"""


@dataclass
class Person:
    """Somebody with the local org's own browser, who does as `decision` says."""

    org: LocalOrg
    decision: str = "allow"
    has_browser: bool = True
    pasted: Callable[[str], str] = lambda location: location
    page: tuple[int, str] = (0, "")
    threads: list[threading.Thread] = field(default_factory=list)

    def visit(self, address: str) -> None:
        self.threads.append(threading.Thread(target=self._answer, args=(address,)))
        self.threads[0].start()

    def paste(self, address: str, redirect_uri: str) -> str:
        return self.pasted(self._location(address)) + "\n"

    def seen(self) -> tuple[int, str]:
        """The page at the end."""
        for thread in self.threads:
            thread.join(PATIENCE_S)
        return self.page

    def _answer(self, address: str) -> None:
        parts = urlsplit(self._location(address))
        with closing(http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)) as connection:
            connection.request("GET", f"{parts.path}?{parts.query}")
            answer = connection.getresponse()
            self.page = answer.status, answer.read().decode()

    def _location(self, address: str) -> str:
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}" == self.org.url
        browser, path = Browser(self.org), f"{parts.path}?{parts.query}"
        reply = browser.log_in(path)
        if "proof" in read_page(reply).inputs:
            reply = browser.decide(path, reply, self.decision)
        return reply.headers["location"]


@dataclass
class Project:
    """A folder with settings for an app of the local org."""

    folder: Path
    org: LocalOrg

    def settings(self, *lines: str, head: str = APP) -> Settings:
        directory = self.folder / ".snowflake"
        directory.mkdir(exist_ok=True)
        path = directory / "connections.toml"
        path.touch(mode=0o600)
        path.write_text(head.format(org=self.org) + "\n".join(lines) + "\n")
        return load_settings(self.folder, {"PATH": os.defpath})

    def web(self, *lines: str) -> Settings:
        """Settings for the web flow on a free port that the app knows."""
        with closing(socket.create_server(("127.0.0.1", 0))) as found:
            uri = f"http://localhost:{found.getsockname()[1]}/OauthRedirect"
        self.org.admin.change_app(redirect_uris=[uri])
        return self.settings('flow = "web"', f'redirect_uri = "{uri}"', *lines)

    def jwt(self, *lines: str) -> Settings:
        """Settings for the JWT flow, with a key whose certificate the app knows, and a user that it admits."""
        path = self.folder / "server.key"
        path.touch(mode=0o600)
        path.write_bytes(
            KEY.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.org.admin.change_app(
            certificate=certificate(), permitted_users="admin_approved", approved_users=[self.org.username]
        )
        keys = 'flow = "jwt"', f'username = "{self.org.username}"', 'private_key_path = "server.key"'
        return self.settings(*keys, *lines)

    def grants(self) -> int:
        """How many token requests the org was sent."""
        paths = [request["path"] for request in self.org.admin.requests()]
        return paths.count("/services/oauth2/token")


def certificate() -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "LHT")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(KEY, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def project(lht_simulator: LocalOrg, tmp_path: Path) -> Project:
    return Project(tmp_path, lht_simulator)


def use(settings: Settings, login: Login | None = None) -> Login:
    """Calls the org; gives the login as it is then."""
    with orgs.open_org(settings, login=login) as org:
        assert rest.limits(org)["DailyApiRequests"]
        return org.login


# In a browser


def test_the_web_flow_logs_in_and_the_page_says_so(project: Project) -> None:
    person, settings = Person(project.org), project.web()

    login = orgs.log_in(settings, person=person)

    assert settings.login() == login
    assert (login.username, login.flow, login.login_url) == (project.org.username, "web", project.org.url)
    assert login.refresh_token
    status, page = person.seen()
    assert status == 200
    assert f"logged in as {project.org.username} at {project.org.url}" in page
    assert login.access_token not in page
    use(settings)


def test_an_app_without_secret_logs_in_and_renews(project: Project) -> None:
    project.web()
    uri = project.org.admin.app()["redirect_uris"][0]
    project.org.admin.change_app(secret_required=False, refresh_secret_required=False, pkce_required=True)
    head = APP.replace('CLIENT_SECRET = "{org.client_secret}"\n', "")
    settings = project.settings('flow = "web"', f'redirect_uri = "{uri}"', head=head)
    orgs.log_in(settings, person=Person(project.org))
    project.org.admin.expire_sessions()

    use(settings)


def test_a_denial_is_told_in_the_terminal_and_in_the_browser(project: Project) -> None:
    person, settings = Person(project.org, "deny"), project.web()

    with pytest.raises(LoginRejectedError, match="denied in the browser"):
        orgs.log_in(settings, person=person)

    status, page = person.seen()
    assert status == 400
    assert "denied in the browser (end-user denied authorization)" in page
    assert settings.logins.names() == ()


def test_a_pasted_answer_logs_in(project: Project) -> None:
    settings = project.web()

    login = orgs.log_in(settings, person=Person(project.org, has_browser=False))

    assert login.flow == "web"


def test_a_pasted_code_logs_in(project: Project) -> None:
    settings = project.web()
    person = Person(
        project.org, has_browser=False, pasted=lambda location: location.split("code=")[1].split("&")[0]
    )

    assert orgs.log_in(settings, person=person).flow == "web"


def test_an_answer_to_another_try_is_refused(project: Project) -> None:
    settings = project.web()
    person = Person(project.org, has_browser=False, pasted=lambda location: location + "x")

    with pytest.raises(LoginRejectedError, match="another login"):
        orgs.log_in(settings, person=person)


def test_a_code_of_another_try_does_not_pass_for_ours(project: Project) -> None:
    settings = project.web()
    uri = project.org.admin.app()["redirect_uris"][0]
    stolen = Browser(project.org).code(redirect_uri=uri, code_challenge="x" * 43)
    person = Person(project.org, has_browser=False, pasted=lambda _: stolen)

    with pytest.raises(LoginRejectedError) as caught:
        orgs.log_in(settings, person=person)

    assert stolen not in str(caught.value)


def test_nobody_answering_ends_in_time(project: Project) -> None:
    settings = project.web()
    idle = Person(project.org)
    idle.visit = lambda _: None  # type: ignore[method-assign]

    with pytest.raises(AuthError, match="No answer came"):
        orgs.log_in(settings, person=idle, patience_s=0.05)


def test_without_a_person_the_web_flow_is_refused(project: Project) -> None:
    with pytest.raises(AuthError, match="needs a person"):
        orgs.log_in(project.web())


def test_no_secret_is_logged(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    settings = project.web()
    codes: list[str] = []

    def paste(location: str) -> str:
        codes.append(location.split("code=")[1].split("&", maxsplit=1)[0])
        return location

    login = orgs.log_in(settings, person=Person(project.org, has_browser=False, pasted=paste))
    project.org.admin.expire_sessions()
    renewed = use(settings)
    orgs.log_out(settings)

    told = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "/services/oauth2/token" in told
    secrets = [
        codes[0],
        login.access_token,
        login.refresh_token,
        renewed.access_token,
        project.org.client_secret,
    ]
    assert not [secret for secret in secrets if secret and secret in told]


# With a key


def test_the_jwt_flow_logs_in_and_renews(project: Project) -> None:
    settings = project.jwt()

    login = orgs.log_in(settings)
    project.org.admin.expire_sessions()

    assert (login.username, login.flow, login.refresh_token) == (project.org.username, "jwt", None)
    assert use(settings).access_token != login.access_token


def test_the_org_s_clock_counts(project: Project) -> None:
    settings = project.jwt()
    project.org.admin.advance_clock(7200)

    assert orgs.log_in(settings).flow == "jwt"


def test_a_wrong_audience_is_told(project: Project) -> None:
    with pytest.raises(LoginRejectedError, match="audience is invalid"):
        orgs.log_in(project.jwt('audience = "https://elsewhere.example.com"'))


def test_a_user_that_approved_nothing_is_told_what_to_do(project: Project) -> None:
    settings = project.jwt()
    project.org.admin.change_app(permitted_users="self_authorized")

    with pytest.raises(LoginRejectedError, match="approved this consumer") as caught:
        orgs.log_in(settings)

    assert "--flow web" in caught.value.hint


def test_a_user_that_is_not_admitted_is_told_what_to_do(project: Project) -> None:
    settings = project.jwt()
    project.org.admin.change_app(approved_users=[])

    with pytest.raises(LoginRejectedError, match="not admin approved") as caught:
        orgs.log_in(settings)

    assert "permission set" in caught.value.hint


def test_a_key_that_the_app_does_not_know_is_told(project: Project) -> None:
    settings = project.jwt()
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (project.folder / "server.key").write_bytes(
        other.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )

    with pytest.raises(LoginRejectedError, match="invalid assertion") as caught:
        orgs.log_in(settings)

    assert "certificate" in caught.value.hint


def test_an_open_key_file_is_refused(project: Project) -> None:
    settings = project.jwt()
    (project.folder / "server.key").chmod(0o644)

    with pytest.raises(ConfigError, match="chmod 600"):
        orgs.log_in(settings)


# Renewal


@pytest.mark.parametrize("rotation", [True, False])
def test_a_web_login_renews_itself_again_and_again(project: Project, rotation: bool) -> None:  # noqa: FBT001
    project.org.admin.change_app(rotation=rotation)
    settings = project.web()
    first = orgs.log_in(settings, person=Person(project.org))
    for _ in range(3):
        project.org.admin.expire_sessions()
        last = use(settings)

    assert last == settings.login()
    assert (last.refresh_token == first.refresh_token) is not rotation


def test_sixteen_threads_on_one_session_renew_once(project: Project) -> None:
    project.org.admin.change_app(rotation=True)
    settings = project.web()
    orgs.log_in(settings, person=Person(project.org))
    project.org.admin.expire_sessions()
    project.org.admin.clear_requests()

    with orgs.open_org(settings) as org, ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: bool(rest.limits(org.for_object())), range(16)))

    assert found == [True] * 16
    assert project.grants() == 1


def test_sixteen_sessions_of_one_login_renew_once(project: Project) -> None:
    project.org.admin.change_app(rotation=True)
    settings = project.web()
    login = orgs.log_in(settings, person=Person(project.org))
    project.org.admin.expire_sessions()
    project.org.admin.clear_requests()

    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: use(settings, login), range(16)))

    assert found == {settings.login()}
    assert project.grants() == 1


PROCESS = """\
import os, sys
from pathlib import Path
from lht.config import orgs
from lht.config.settings import load_settings
from lht.sfdc import rest
settings = load_settings(Path(sys.argv[1]), {"PATH": os.defpath})
with orgs.open_org(settings) as org:
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(rest.limits(org)), flush=True)
"""


@pytest.mark.parametrize("flow", ["web", "jwt", "client-credentials"])
def test_two_processes_renew_once(project: Project, flow: str) -> None:
    project.org.admin.change_app(rotation=True)
    settings = {"web": project.web, "jwt": project.jwt}.get(flow, project.settings)()
    orgs.log_in(settings, flow=flow, person=Person(project.org))
    project.org.admin.expire_sessions()
    project.org.admin.clear_requests()

    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(project.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda process: process.communicate("go\n", timeout=60), started))

    assert [process.returncode for process in started] == [0, 0], told
    assert project.grants() == 1
    project.org.admin.expire_sessions()
    use(settings)


def test_what_another_run_fetched_is_tried_before_it_is_trusted(project: Project) -> None:
    settings = project.web()
    login = orgs.log_in(settings, person=Person(project.org))
    project.org.admin.expire_sessions()
    use(settings)
    project.org.admin.expire_sessions()

    assert use(settings, login) == settings.login()


def test_a_revoked_login_says_log_in_and_stays_in_the_list(project: Project) -> None:
    settings = project.web()
    orgs.log_in(settings, person=Person(project.org))
    project.org.admin.end_grants()

    with (
        orgs.open_org(settings) as org,
        pytest.raises(SessionExpiredError, match="you are not logged in") as caught,
    ):
        rest.limits(org)

    assert "Run 'lht login'" in caught.value.hint
    assert "expired access/refresh token" in caught.value.hint


def test_the_refresh_goes_to_the_host_that_gave_the_token(project: Project) -> None:
    settings = project.web()
    orgs.log_in(settings, person=Person(project.org))
    project.org.admin.expire_sessions()
    text = settings.connections.path.read_text().replace(project.org.url, "https://moved.my.salesforce.com")
    settings.connections.path.write_text(text)

    use(load_settings(project.folder, {}))


def test_a_login_that_is_made_while_the_old_one_dies_is_taken(project: Project) -> None:
    """The old login's refresh token is revoked, and `lht login` has stored another: no error."""
    settings = project.web()
    old = orgs.log_in(settings, person=Person(project.org))
    project.org.admin.end_grants()
    new = orgs.log_in(settings, person=Person(project.org))

    assert use(settings, old) == new


# Logging out


def alive(project: Project, token: str) -> bool:
    return Caller(project.org, headers={"Authorization": f"Bearer {token}"}).get("/limits").status == 200


@pytest.mark.parametrize("flow", ["web", "client-credentials"])
def test_logging_out_ends_the_session_and_what_could_renew_it(project: Project, flow: str) -> None:
    settings = project.web()
    login = orgs.log_in(settings, flow=flow, person=Person(project.org))

    ended = orgs.log_out(settings)

    assert ended.kept == ""
    assert not alive(project, login.access_token)
    assert project.org.admin.grants()["grants"] == []
    assert settings.logins.names() == ()


@pytest.mark.parametrize("flow", ["web", "client-credentials"])
def test_a_run_goes_on_no_longer_than_its_login(project: Project, flow: str) -> None:
    settings = project.web()
    orgs.log_in(settings, flow=flow, person=Person(project.org))

    with orgs.open_org(settings) as org:
        orgs.log_out(settings)
        with pytest.raises(SessionExpiredError) as caught:
            rest.limits(org)

    assert "logged out while this ran" in caught.value.hint
    assert settings.logins.names() == ()


def test_logging_out_waits_for_a_renewal_and_ends_what_it_brought(project: Project) -> None:
    project.org.admin.change_app(rotation=True)
    settings = project.web()
    login = orgs.log_in(settings, person=Person(project.org))
    with ThreadPoolExecutor(1) as pool, closing(Transport(settings.environment.network)) as transport:
        with settings.logins.renewing():
            ended = pool.submit(orgs.log_out, settings)
            assert wait([ended], 0.5).not_done  # it has to wait for the lock
            new = Flows(transport.send, settings.environment).renew(settings.app(), login)
            settings.logins.save(new)
        ended.result(PATIENCE_S)

    assert not alive(project, new.access_token)
    assert project.org.admin.grants()["grants"] == []
    assert settings.logins.names() == ()


def test_a_login_made_during_a_renewal_is_not_written_over(project: Project) -> None:
    """The renewal's answer is late: in the meantime somebody has logged in anew."""
    settings = project.web()
    orgs.log_in(settings, person=Person(project.org))
    project.org.admin.expire_sessions()
    project.org.admin.fault("status", status=503, path="/services/oauth2/token", retry_after=2)
    with ThreadPoolExecutor(1) as pool:
        renewed = pool.submit(use, settings)
        while project.org.admin.faults():
            assert not wait([renewed], 0.02).done
        new = orgs.log_in(settings, person=Person(project.org))
        assert renewed.result(PATIENCE_S) == new

    assert settings.login() == new


def test_a_file_that_cannot_be_trusted_is_told_before_anything_is_sent(project: Project) -> None:
    settings = project.web()
    orgs.log_in(settings, person=Person(project.org))
    settings.logins.path.chmod(0o666)
    project.org.admin.clear_requests()

    with pytest.raises(ConfigError, match="can be changed by other users"):
        orgs.log_in(settings, person=Person(project.org))

    assert project.org.admin.requests() == []


def test_where_the_org_is_gone_the_login_is_forgotten_and_that_is_said(project: Project) -> None:
    settings = project.web()
    login = orgs.log_in(settings, person=Person(project.org))
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        nowhere = f"http://127.0.0.1:{found.getsockname()[1]}"
    body = json.loads(settings.logins.path.read_text())
    body["logins"][login.username] |= {"login_url": nowhere, "instance_url": nowhere}
    settings.logins.path.write_text(json.dumps(body))

    ended = orgs.log_out(settings)

    assert "refused the connection" in ended.kept
    assert settings.logins.names() == ()
    with pytest.raises(LhtError, match="not logged in"):
        settings.login()
