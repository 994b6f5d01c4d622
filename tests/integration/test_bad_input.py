# SPDX-License-Identifier: Apache-2.0
"""Bad input over the wire: every way to be refused, made anew against a running platform."""

import contextlib
import datetime as dt
import http.client
import io
import json
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fakes.live import NAME, LivePlatform, Reply, answer_in, reply_on
from fakes.waiting import wait_until
from homeport.artefacts.manifest import ManifestHeader, ManifestLine, ManifestWriter
from homeport.artefacts.signers import MANIFEST_SIGNER
from homeport.errors import CATALOGUE, Code
from homeport.http.limits import BODY_DEADLINE
from homeport.http.problem import status_of
from homeport.keys.file import FileKey
from homeport.protocols.native.wire import (
    ENROL_PATH,
    GREETING_PATH,
    RENEW_PATH,
    REQUEST_MAX_BYTES,
    Enrolled,
    Parked,
)
from tools.vectors_native.__main__ import PROVEN, REFUSED
from tools.vectors_native.draft import Draft
from tools.vectors_native.identities import (
    Authority,
    Form,
    Identity,
    common_name,
    leaf,
    p256,
    pem,
)
from tools.vectors_native.recipe import Recipe
from tools.vectors_native.scene import Maker, PlatformKeys, Scene

RATES = """\
[rates]
source_per_second = 10000.0
source_burst = 100000
[log]
format = "json"
"""
"""Everything here comes from one address."""
SLOW_SENDERS = 30
LIVE_REFUSED = [recipe for recipe in REFUSED if recipe.is_live]
LIVE_PROVEN = [recipe for recipe in PROVEN if recipe.is_live and recipe.kind == "enrol"]


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Iterator[LivePlatform]:
    with LivePlatform(tmp_path_factory.mktemp("platform"), RATES) as running:
        running.operate("tenant", "add", "acme")
        yield running


@pytest.fixture(scope="module")
def scene(platform, tmp_path_factory) -> Scene:
    """A maker that the platform trusts, and one of its devices, enrolled."""
    maker = Maker()
    folder = tmp_path_factory.mktemp("maker")
    for place, root in enumerate((maker.root, maker.rsa_root)):
        hand_over(platform, folder, maker.device(root), root, str(place))
    made = Scene(
        url=platform.url,
        now=dt.datetime.now(dt.UTC),
        maker=maker,
        platform=PlatformKeys(NAME),
        nonce=lambda: platform.greet().nonce,
        ldevid=maker.device(),
    )
    platform.sell(made.ldevid.serial_number, "acme")
    made.ldevid = operational(platform, made, made.ldevid)
    return made


def hand_over(
    platform: LivePlatform, folder: Path, device: Identity, root: Authority, name: str
) -> None:
    """Import a manifest with one device, which makes the root a trust anchor."""
    signer = leaf(root, common_name("Signer"), None, Form(usages=(MANIFEST_SIGNER,)))
    stream = io.BytesIO()
    header = ManifestHeader(manifest=1, authority=root.id, factory=f"Maker {name}", created=0)
    writer = ManifestWriter(stream, header)
    writer.add(
        ManifestLine(
            serial_number=device.serial_number,
            model="EX-100",
            hardware_identity="file",
            idevid=device.chain[0],
            dpp_key=None,
            dpp_key_hash=None,
            claim_code_hash=None,
        )
    )
    writer.finish(FileKey("memory", signer.key), signer.chain)  # type: ignore[arg-type]
    manifest, anchor = folder / f"{name}.jsonl", folder / f"{name}.pem"
    manifest.write_bytes(stream.getvalue())
    anchor.write_text(pem(root.certificate))
    platform.operate("manifest", "import", manifest, "--anchor", anchor)


def operational(platform: LivePlatform, scene: Scene, device: Identity) -> Identity:
    """Enrol a device that was sold; return its LDevID."""
    key = p256()
    answer = answer_in(platform.enrol(scene.enrol(device, key=key).body()))
    assert isinstance(answer, Enrolled)
    return Identity(key, answer.certificate, device.serial_number)


def check_problem(reply: Reply, code: Code) -> None:
    """A problem document with code, title and advice of the catalogue, and nothing else."""
    entry = CATALOGUE[code]
    assert reply.json() == {
        "type": f"urn:homeport:error:{code}",
        "title": entry.title,
        "status": status_of(code),
        "code": code,
        "advice": entry.advice,
    }
    assert reply.status == status_of(code)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("recipe", LIVE_REFUSED, ids=lambda recipe: recipe.name)
def test_every_way_to_be_refused(platform, scene, recipe: Recipe):
    body = recipe.make(scene)
    assert isinstance(body, bytes)
    assert recipe.code is not None
    ask = platform.renew if recipe.kind == "renew" else platform.enrol
    check_problem(ask(body), recipe.code)


@pytest.mark.parametrize("recipe", LIVE_PROVEN, ids=lambda recipe: recipe.name)
def test_every_way_to_be_accepted(platform, scene, recipe: Recipe):
    draft = recipe.make(scene)
    assert isinstance(draft, Draft)
    answer = answer_in(platform.enrol(draft.with_payload(wait=0).body()))
    assert isinstance(answer, Parked)
    assert answer.missing == "owner"


def test_a_renewal_is_accepted(platform, scene):
    for key in (None, p256()):
        answer = answer_in(platform.renew(scene.renew(key=key).body()))
        assert isinstance(answer, Enrolled)


def test_strangers_leave_no_trace(platform, scene):
    """Of all who were refused above, none is in the registry."""
    listed = json.loads(platform.operate("device", "list", "--json"))
    before = json.dumps(listed)
    stranger = next(recipe for recipe in LIVE_REFUSED if recipe.name == "foreign-root")
    for _ in range(5):
        body = stranger.make(scene)
        assert isinstance(body, bytes)
        check_problem(platform.enrol(body), Code.ISSUER_UNKNOWN)
    assert json.dumps(json.loads(platform.operate("device", "list", "--json"))) == before


def test_the_log_says_what_the_device_is_not_told(platform, scene):
    number = scene.maker.next_number()
    reply = platform.enrol(scene.enrol().with_payload(serial_number=number).body())
    check_problem(reply, Code.SERIAL_NUMBER_MISMATCH)
    assert number not in reply.body.decode()
    platform.wait_until_logged(f"asks for {number}")


def refusals_of(platform: LivePlatform, device: str) -> set[tuple[str, str]]:
    """Path and code of the refused requests that the log ascribes to a device."""
    lines = map(json.loads, platform.log.read_text(encoding="utf-8").splitlines())
    return {
        (line["path"], line["code"])
        for line in lines
        if line["event"] == "request refused" and line.get("device") == device
    }


def test_every_refusal_of_a_proven_device_names_it_in_the_log(platform, scene):
    device = scene.maker.device()
    platform.sell(device.serial_number, "acme")
    ldevid = operational(platform, scene, device)
    name = f"{scene.maker.root.id}-{device.serial_number}"
    platform.operate("device", "revoke", device.serial_number)
    check_problem(platform.renew(scene.renew(ldevid).body()), Code.CREDENTIAL_REVOKED)
    again = scene.enrol(device, key=ldevid.key)
    check_problem(platform.enrol(again.body()), Code.CREDENTIAL_REVOKED)
    for ask, draft in (
        (platform.renew, lambda: scene.renew(ldevid)),
        (platform.enrol, lambda: scene.enrol(device, key=ldevid.key)),
    ):
        while ask(draft().body()).status != status_of(Code.TOO_MANY_REQUESTS):
            pass
    expected = {
        (RENEW_PATH, Code.CREDENTIAL_REVOKED), (ENROL_PATH, Code.CREDENTIAL_REVOKED),
        (RENEW_PATH, Code.TOO_MANY_REQUESTS), (ENROL_PATH, Code.TOO_MANY_REQUESTS),
    }  # fmt: skip
    wait_until(lambda: refusals_of(platform, name) >= expected)
    assert refusals_of(platform, name) == expected


def test_a_body_that_is_announced_too_large_is_not_read(platform):
    connection = http.client.HTTPConnection(NAME, platform.port, timeout=10)
    connection.sock = platform.connect()
    connection.putrequest("POST", ENROL_PATH)
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    reply = reply_on(connection)
    check_problem(reply, Code.TOO_LARGE)
    assert reply.headers["connection"] == "close"
    connection.close()


def test_a_body_that_grows_too_large_is_cut_off(platform):
    connection = http.client.HTTPConnection(NAME, platform.port, timeout=10)
    connection.sock = platform.connect()
    connection.putrequest("POST", ENROL_PATH)
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for _ in range(REQUEST_MAX_BYTES // 1024 + 1):
        connection.send(b"400\r\n" + b" " * 1024 + b"\r\n")
    check_problem(reply_on(connection), Code.TOO_LARGE)
    connection.close()


def test_a_sender_that_goes_away_in_the_middle_harms_nobody(platform, scene):
    body = scene.enrol().body()
    for _ in range(20):
        with platform.connect() as connection:
            head = f"POST {ENROL_PATH} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {len(body)}\r\n"
            connection.sendall(head.encode() + b"\r\n" + body[: len(body) // 2])
    assert platform.ask("GET", GREETING_PATH).status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\x00\x05hello",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
        b"POST /.well-known/homeport/enrol HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n"
        + b"".join(b"A%d: b\r\n" % n for n in range(500))
        + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["tls", "ssh", "long-header", "negative", "smuggled", "many-headers", "http2"],
)
def test_what_is_no_http_is_answered_or_cut_off(platform, head):
    with platform.connect() as connection:
        connection.settimeout(15)
        try:
            connection.sendall(head)
            first = connection.recv(65536)
        except (ConnectionError, ssl.SSLError):
            first = b""
    assert first == b"" or first.split(b" ", 2)[1][:1] == b"4"
    assert platform.ask("GET", GREETING_PATH).status == 200


def test_the_same_device_from_two_places(platform, scene):
    """Two keys for one identity: the first works on, the second waits for a person."""
    device = scene.maker.device()
    platform.sell(device.serial_number, "acme")
    first = scene.enrol(device)
    before = answer_in(platform.enrol(first.body()))
    assert isinstance(before, Enrolled)
    second = answer_in(platform.enrol(scene.enrol(device).body()))
    assert isinstance(second, Parked)
    assert second.missing == "decision"
    again = answer_in(platform.enrol(first.with_header(nonce=second.nonce).body()))
    assert isinstance(again, Enrolled)
    assert again.certificate == before.certificate
    story = [event["event"] for event in platform.timeline(device.serial_number)]
    assert story[-2:] == ["enrolment:started", "enrolment:parked"]


def test_the_same_device_from_two_places_at_the_same_moment(platform, scene):
    """Whoever comes first is served, and only one."""
    device = scene.maker.device()
    platform.sell(device.serial_number, "acme")
    bodies = [scene.enrol(device).body() for _ in range(8)]
    with ThreadPoolExecutor(8) as senders:
        replies = list(senders.map(platform.enrol, bodies))
    enrolled = [r for r in replies if r.status == 200 and isinstance(answer_in(r), Enrolled)]
    assert len(enrolled) == 1
    others = {reply.status for reply in replies} - {200}
    assert others <= {409}, "at most three second keys wait; further ones are a conflict"
    issued = [
        e for e in platform.timeline(device.serial_number) if e["event"] == "credential:issued"
    ]
    assert len(issued) == 1


def test_the_same_request_many_times_at_once_gets_one_certificate(platform, scene):
    device = scene.maker.device()
    platform.sell(device.serial_number, "acme")
    body = scene.enrol(device).body()
    with ThreadPoolExecutor(8) as senders:
        answers = [answer_in(reply) for reply in senders.map(platform.enrol, [body] * 16)]
    assert all(isinstance(answer, Enrolled) for answer in answers)
    assert len({answer.certificate for answer in answers if isinstance(answer, Enrolled)}) == 1


def begin(platform: LivePlatform, *, whole_head: bool) -> ssl.SSLSocket:
    """Begin a request that will not be ended."""
    connection = platform.connect()
    head = f"POST {ENROL_PATH} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 4000\r\n".encode()
    connection.sendall(head + (b"\r\n{" if whole_head else b"X-Slow: "))
    return connection


def rest_of(connection: ssl.SSLSocket) -> bytes:
    """Read until the platform closes; TimeoutError if it never does."""
    received = b""
    connection.settimeout(30)
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while chunk := connection.recv(65536):
            received += chunk
    return received


@pytest.mark.slow
def test_slow_senders_do_not_keep_a_good_device_out(platform, scene):
    """Half of them end neither their headers nor give up, half send a body by the octet."""
    device = scene.maker.device()
    platform.sell(device.serial_number, "acme")
    began = time.monotonic()
    slow = [begin(platform, whole_head=bool(place % 2)) for place in range(SLOW_SENDERS)]
    try:
        answer = answer_in(platform.enrol(scene.enrol(device).body()))
        assert isinstance(answer, Enrolled)
        assert time.monotonic() - began < 5
        endings = [rest_of(connection) for connection in slow]
    finally:
        for connection in slow:
            connection.close()
    assert time.monotonic() - began < BODY_DEADLINE.total_seconds() + 10
    bodies = endings[1::2]
    assert all(b"408" in ending.split(b"\r\n")[0] for ending in bodies)
    assert all(b'"code":"too-slow"' in ending for ending in bodies)
    assert not any(b" 200 " in ending for ending in endings)
