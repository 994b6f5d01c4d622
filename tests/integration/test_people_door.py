# SPDX-License-Identifier: Apache-2.0
"""A real platform from its first run: set-up code, operator, sign-in over HTTPS, commands."""

import asyncio
import json
import ssl
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from fakes.live import LivePlatform, run
from fakes.people import PASSWORD
from homeport.api import PREFIX
from homeport.api.server.people import cookies
from homeport.api.server.people.set_up import FILE
from homeport.provisioning.people.passwords import Passwords

OTHER = "some other four words"


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with LivePlatform(tmp_path_factory.mktemp("people")) as platform:
        yield platform


class Visitor:
    """Asks over HTTPS and keeps the cookies, as a browser does."""

    def __init__(self, platform: LivePlatform) -> None:
        self._platform = platform
        self._trust = ssl.create_default_context(cafile=str(platform.anchors))
        self.cookies: dict[str, str] = {}
        self.csrf = ""
        self.given: list[str] = []

    def ask(self, method, path, said=None, **headers):
        connection = HTTPSConnection("127.0.0.1", self._platform.port, timeout=30)
        connection._context = self._trust  # type: ignore[attr-defined]
        self._trust.check_hostname = False
        host = f"platform.test:{self._platform.port}"
        sent = {"Host": host, "Origin": f"https://{host}", "X-CSRF-Token": self.csrf}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if said is not None:
            body, sent["Content-Type"] = json.dumps(said), "application/json"
        connection.request(method, PREFIX + path, body, sent | headers)
        answer = connection.getresponse()
        content = answer.read()
        self.given = answer.headers.get_all("set-cookie") or []
        for line in self.given:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        connection.close()
        told = json.loads(content) if content else {}
        self.csrf = told.get("csrf_token") or self.csrf
        return answer.status, told


@pytest.fixture(scope="module")
def root(platform):
    """The operator, made at the first set-up."""
    path: Path = platform.data / FILE
    code = path.read_text().strip()
    log = platform.log.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert str(path) in log
    assert f"{platform.url}{PREFIX}/set-up" in log
    assert code not in log
    visitor = Visitor(platform)
    assert visitor.ask("GET", "/set-up") == (200, {"is_needed": True})
    assert (
        visitor.ask("POST", "/set-up", {"code": "x", "name": "root", "password": PASSWORD})[0]
        == 422
    )
    status, told = visitor.ask(
        "POST", "/set-up", {"code": code, "name": "root", "password": PASSWORD}
    )
    assert (status, told["actor"], told["is_operator"]) == (201, "root", True)
    assert not path.exists()
    return visitor


def test_the_set_up_is_over_and_gave_cookies_that_only_https_carries(platform, root):
    assert root.ask("GET", "/session")[1]["actor"] == "root"
    again = {"code": "x", "name": "mallory", "password": PASSWORD}
    assert Visitor(platform).ask("POST", "/set-up", again)[1]["code"] == "set-up-already"
    visitor = Visitor(platform)
    assert visitor.ask("POST", "/session", {"name": "root", "password": PASSWORD})[0] == 201
    [line] = [line for line in visitor.given if line.startswith(cookies.SESSION)]
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= {
        part.strip().lower() for part in line.split(";")
    }


def test_a_forged_request_over_the_real_door_is_refused(root):
    said = {"name": "evil"}
    status, told = root.ask("POST", "/tenants", said, Origin="https://evil.example")
    assert (status, told["code"]) == (403, "cross-site")
    status, told = root.ask("POST", "/tenants", said, **{"X-CSRF-Token": "0" * 64})
    assert (status, told["code"]) == (403, "cross-site")


def test_from_tenant_to_member_to_key(platform, root):
    assert root.ask("POST", "/tenants", {"name": "acme", "title": "Größe & Söhne"})[0] == 201
    status, made = root.ask("POST", "/tenants/acme/invitations", {"name": "eve", "role": "admin"})
    assert status == 201
    eve = Visitor(platform)
    accepted = {"code": made["code"], "password": PASSWORD}
    assert eve.ask("POST", "/invitations/accept", accepted)[1]["roles"] == {"acme": "admin"}
    order = {"title": "erp", "scopes": ["tenant:read"]}
    status, key = eve.ask("POST", "/tenants/acme/api-keys", order)
    assert status == 201
    bearer = {"Authorization": f"Bearer {key['token']}"}
    assert Visitor(platform).ask("GET", "/tenants/acme", **bearer)[1]["title"] == "Größe & Söhne"
    assert Visitor(platform).ask("GET", "/tenants/acme/members", **bearer)[0] == 403
    assert eve.ask("GET", "/accounts")[0] == 404
    files = (*platform.data.glob("registry.sqlite*"), platform.log)
    text = b"".join(file.read_bytes() for file in files)
    for secret in (made["code"], key["token"], PASSWORD, eve.cookies[cookies.SESSION]):
        assert secret.encode() not in text


def test_of_many_who_accept_one_invitation_at_once_one_is_let_in(platform, root):
    said = {"name": "racer", "role": "viewer"}
    code = root.ask("POST", "/tenants/acme/invitations", said)[1]["code"]
    accepted = {"code": code, "password": PASSWORD}
    with ThreadPoolExecutor(5) as threads:
        statuses = list(
            threads.map(
                lambda visitor: visitor.ask("POST", "/invitations/accept", accepted)[0],
                [Visitor(platform) for _ in range(5)],
            )
        )
    assert sorted(statuses) == [201] + [404] * 4


def test_two_admins_who_remove_each_other_at_once_leave_one(platform, root):
    root.ask("POST", "/tenants", {"name": "pair"})
    admins = {}
    for name in ("adam", "bea"):
        said = {"name": name, "role": "admin"}
        code = root.ask("POST", "/tenants/pair/invitations", said)[1]["code"]
        admins[name] = Visitor(platform)
        accepted = {"code": code, "password": PASSWORD}
        assert admins[name].ask("POST", "/invitations/accept", accepted)[0] == 201
    ids = {m["name"]: m["account"] for m in root.ask("GET", "/tenants/pair/members")[1]["items"]}
    with ThreadPoolExecutor(2) as threads:
        statuses = list(
            threads.map(
                lambda pair: pair[0].ask("DELETE", f"/tenants/pair/members/{pair[1]}")[0],
                [(admins["adam"], ids["bea"]), (admins["bea"], ids["adam"])],
            )
        )
    assert statuses.count(204) == 1
    [left] = root.ask("GET", "/tenants/pair/members")[1]["items"]
    assert left["role"] == "admin"


def test_a_restart_ends_no_session_and_makes_no_code(platform, root):
    platform.end()
    platform.start()
    platform.wait_until_it_answers()
    assert root.ask("GET", "/session")[0] == 200
    assert not (platform.data / FILE).exists()


def test_the_commands_add_list_disable_and_help_who_forgot(platform, root, tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    said = platform.operate(
        "account", "add", "op2", "--operator", "--password-file", file, "--json"
    )
    assert json.loads(said)["is_operator"] is True
    op2 = Visitor(platform)
    assert op2.ask("POST", "/session", {"name": "op2", "password": PASSWORD})[0] == 201
    code = json.loads(platform.operate("account", "new-password", "op2", "--json"))["code"]
    chosen = {"code": code, "password": OTHER}
    assert Visitor(platform).ask("POST", "/invitations/accept", chosen)[0] == 201
    assert op2.ask("GET", "/session")[0] == 401
    platform.operate("account", "disable", "op2")
    listed = json.loads(platform.operate("account", "list", "--json"))
    assert {a["name"]: a["is_disabled"] for a in listed}["op2"] is True
    platform.operate("account", "enable", "op2")
    assert Visitor(platform).ask("POST", "/session", {"name": "op2", "password": OTHER})[0] == 201


def test_an_account_made_by_hand_takes_the_set_up_code_away(tmp_path):
    data, file = tmp_path / "data", tmp_path / "password"
    file.write_text(PASSWORD)
    data.mkdir()
    (data / FILE).write_text("x")
    run("account", "add", "root", "--operator", "--password-file", file, "--data", data)
    assert not (data / FILE).exists()


def test_a_real_hash_costs_a_guesser_time_and_memory():
    kept = asyncio.run(Passwords().hash(PASSWORD))
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
