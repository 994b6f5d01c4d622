# SPDX-License-Identifier: Apache-2.0
"""A platform in this process for tests of the agent: real HTTPS, real certificates, and it
misbehaves on demand. What it knows is in memory; what it was asked is kept for the test to see.
"""

import contextlib
import http.server
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from homeport.keys import PrivateKey, PublicKey, make_key
from homeport.pki import jws
from homeport.pki.authority import (
    Issuer,
    build_intermediate,
    build_leaf,
    build_root,
    domain_signer_leaf,
    ldevid_leaf,
    server_leaf,
)
from homeport.pki.certificates import (
    authority_id,
    der_of,
    parse_certificate,
    pem_of,
    public_key_of,
    spki_hash,
    subject_serial_number,
)
from homeport.pki.idevid import IdevIdMinter
from homeport.pki.requests import verify_request
from homeport.protocols.native.wire import (
    ANSWER_TYP,
    ENROL_PATH,
    GREETING_PATH,
    JWS_MEDIA_TYPE,
    RENEW_PATH,
    AnyAnswer,
    Endpoint,
    Enrolled,
    EnrolRequest,
    Greeting,
    Parked,
    Problem,
    Redirect,
    RenewRequest,
    encode,
    read_enrol_request,
    read_renew_request,
)

NAME = "platform.test"
DAY = timedelta(days=1)


@dataclass
class Authority:
    """A root and whatever it has issued, with keys in files below a directory."""

    directory: Path
    name: str
    began: datetime

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.key = self.new_key()
        self.certificate = build_root(self.key, self.name, self.began, 20)
        self.issuer = Issuer(self.certificate, self.key)

    def new_key(self) -> PrivateKey:
        return make_key(f"file:{self.directory}/{secrets.token_hex(8)}.pem")


@dataclass
class Answering:
    """How the platform behaves from now on. Tests change it while it runs."""

    missing: str | None = None
    """Park every device for this fact."""
    park_first: int = 0
    """Park so many requests."""
    refusal: tuple[int, str] | None = None
    """Refuse enrolments with this status and code."""
    renewal_refusal: tuple[int, str] | None = None
    redirect: Callable[[EnrolRequest], Redirect] | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    lifetime: timedelta = 90 * DAY
    renew_after: timedelta = 60 * DAY
    epoch: int = 1
    endpoints: tuple[Endpoint, ...] | None = None
    anchors: tuple[bytes, ...] | None = None
    greeting: dict[str, object] = field(default_factory=dict)
    """Members of the greeting to replace."""
    spoil: Callable[[AnyAnswer], AnyAnswer] = lambda answer: answer
    """Change an answer before it is signed."""
    signer: tuple[PrivateKey, tuple[bytes, ...]] | None = None
    """Sign with this key and chain in place of the domain key."""
    typ: str = ANSWER_TYP
    retry_after: int = 0
    wait: int = 2
    lose_answers: int = 0
    """Do the work, then cut the connection, so many times."""
    stale_nonces: int = 0
    """Call so many good nonces old."""
    trickle: float = 0.0
    """Seconds between the bytes of an answer."""


class FakePlatform:
    """`with FakePlatform(directory) as platform:` serves at `platform.url`."""

    def __init__(self, directory: Path, name: str = NAME, began: datetime | None = None) -> None:
        """Make its authority, certificates and socket."""
        self.name = name
        self.answering = Answering()
        self.greeted = 0
        self.connections = 0
        self.enrolments: list[EnrolRequest] = []
        self.renewals: list[RenewRequest] = []
        self.issued: dict[tuple[str, str], bytes] = {}
        """(key hash, request id) → LDevID in DER: one each, for ever."""
        self.revoked: set[str] = set()
        """Key hashes."""
        self.began = began or datetime.now(UTC) - 365 * DAY
        self.authority = Authority(directory, f"{name} root", self.began)
        issuer_key = self.authority.new_key()
        certificate = build_intermediate(
            self.authority.issuer, issuer_key.public_key(), f"{name} devices", self.began, 15
        )
        self.device_issuer = Issuer(certificate, issuer_key)
        self.domain_key = self.authority.new_key()
        self.domain_chain = (self._leaf(domain_signer_leaf, self.domain_key),)
        self._changed = threading.Condition()
        self._listening = _Listening(("127.0.0.1", 0), self._handler())
        self._listening.daemon_threads = True
        self.use_tls(self.authority, [name])

    def use_tls(self, authority: Authority, names: list[str], **dates: datetime) -> None:
        """Serve TLS from now on with a certificate of this authority for these names."""
        key = authority.new_key()
        end = dates.get("not_after", self.began + 3650 * DAY)
        leaf = server_leaf(key.public_key(), names, dates.get("not_before", self.began), end)
        self.use_certificate(key, pem_of(build_leaf(leaf, authority.issuer)))

    def use_certificate(self, key: PrivateKey, chain: bytes) -> None:
        """Serve TLS from now on with this key and chain."""
        path = self.authority.directory / "tls.pem"
        path.write_bytes(
            key.crypto_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + chain
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        self._listening.context = context

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self._listening.server_address[1]}"

    @property
    def public_url(self) -> str:
        """What it calls itself."""
        return f"https://{self.name}:{self._listening.server_address[1]}"

    def change(self, **answering: object) -> None:
        """Behave otherwise, and wake who polls."""
        with self._changed:
            for name, value in answering.items():
                setattr(self.answering, name, value)
            self._changed.notify_all()

    def __enter__(self) -> Self:
        """Serve in a thread."""
        threading.Thread(target=self._listening.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.change(missing=None)
        self._listening.shutdown()
        self._listening.server_close()

    def certificate_of(self, settings_certificate: bytes) -> bytes:
        """The LDevID in a PEM chain, DER."""
        return der_of(x509.load_pem_x509_certificates(settings_certificate)[0])

    def greet(self) -> bytes:
        self.greeted += 1
        greeting = Greeting(
            homeport=1,
            name=self.name,
            url=self.public_url,
            enrol=self.public_url + ENROL_PATH,
            renew=self.public_url + RENEW_PATH,
            nonce=secrets.token_urlsafe(16),
            time=int(self.answering.clock().timestamp()),
        )
        return msgspec.json.encode(msgspec.to_builtins(greeting) | self.answering.greeting)

    def enrol(self, body: bytes) -> tuple[int, bytes]:
        parsed = jws.parse(body)
        assert parsed.header.x5c
        leaf = parse_certificate(parsed.header.x5c[0])
        request = read_enrol_request(jws.verify(parsed, public_key_of(leaf)))
        assert request.serial_number == subject_serial_number(leaf)
        assert parsed.header.url == self.public_url + ENROL_PATH
        self.enrolments.append(request)
        return self._answer(parsed, request, leaf, self.answering.refusal)

    def renew(self, body: bytes) -> tuple[int, bytes]:
        parsed = jws.parse(body)
        assert parsed.header.x5c
        leaf = parse_certificate(parsed.header.x5c[0])
        request = read_renew_request(jws.verify(parsed, public_key_of(leaf)))
        assert parsed.header.url == self.public_url + RENEW_PATH
        self.renewals.append(request)
        return self._answer(parsed, request, leaf, self.answering.renewal_refusal)

    def _answer(
        self,
        parsed: jws.UnverifiedJws,
        request: EnrolRequest | RenewRequest,
        leaf: x509.Certificate,
        refusal: tuple[int, str] | None,
    ) -> tuple[int, bytes]:
        if self.answering.stale_nonces:
            self.answering.stale_nonces -= 1
            refusal = (401, "nonce-wrong")
        key = verify_request(request.csr).public_key
        if spki_hash(key) in self.revoked:
            refusal = (403, "key-revoked")
        if refusal:
            return refusal[0], encode(_problem(*refusal))
        answer = self.answering.spoil(self._decide(parsed, request, leaf, key))
        signer, chain = self.answering.signer or (self.domain_key, self.domain_chain)
        typ = self.answering.typ
        return 200, jws.sign(encode(answer), key=signer, typ=typ, x5c=chain)

    def _decide(
        self,
        parsed: jws.UnverifiedJws,
        request: EnrolRequest | RenewRequest,
        leaf: x509.Certificate,
        key: PublicKey,
    ) -> AnyAnswer:
        if isinstance(request, EnrolRequest):
            held = self._hold(parsed, request)
            if held is not None:
                return held
        device = f"{'a' * 16}-{subject_serial_number(leaf)}"
        certificate = self._certify(request.request_id, key, device, subject_serial_number(leaf))
        ldevid = parse_certificate(certificate)
        renew_at = ldevid.not_valid_before_utc + self.answering.renew_after
        return Enrolled(
            version=1,
            device_nonce=request.device_nonce,
            request_hash=parsed.hash(),
            time=self._now(),
            device=device,
            tenant="acme",
            upstream="cloud",
            epoch=self.answering.epoch,
            certificate=(certificate, der_of(self.device_issuer.certificate)),
            renew_at=int(renew_at.timestamp()),
            endpoints=self.answering.endpoints
            or (Endpoint(protocol="mqtt", host=self.name, port=8883),),
            topics=f"hp/acme/{device}",
            anchors=self.answering.anchors or (der_of(self.authority.certificate),),
        )

    def _hold(self, parsed: jws.UnverifiedJws, request: EnrolRequest) -> AnyAnswer | None:
        if self.answering.redirect:
            given = self.answering.redirect(request)
            return msgspec.structs.replace(
                given, device_nonce=request.device_nonce, request_hash=parsed.hash()
            )
        with self._changed:
            self._changed.wait_for(lambda: not self.answering.missing, request.wait)
            missing = self.answering.missing
            if self.answering.park_first:
                self.answering.park_first -= 1
                missing = "owner"
        if missing is None:
            return None
        return Parked(
            version=1,
            device_nonce=request.device_nonce,
            request_hash=parsed.hash(),
            time=self._now(),
            missing=missing,
            detail="ask the operator",
            nonce=secrets.token_urlsafe(16),
            wait=self.answering.wait,
            retry_after=self.answering.retry_after,
        )

    def _now(self) -> int:
        return int(self.answering.clock().timestamp())

    def _certify(self, request_id: str, key: PublicKey, device: str, serial_number: str) -> bytes:
        place = (spki_hash(key), request_id)
        if place not in self.issued:
            now = self.answering.clock().replace(microsecond=0)
            leaf = ldevid_leaf(key, device, serial_number, now, now + self.answering.lifetime)
            self.issued[place] = der_of(build_leaf(leaf, self.device_issuer))
        return self.issued[place]

    def _leaf(self, kind: Callable[..., object], key: PrivateKey) -> bytes:
        leaf = kind(key.public_key(), [self.name], self.began, self.began + 3650 * DAY)
        return der_of(build_leaf(leaf, self.authority.issuer))  # type: ignore[arg-type]

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        platform = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                platform.connections += 1

            def do_GET(self) -> None:
                if self.path == GREETING_PATH:
                    self._send(200, "application/json", platform.greet())
                else:
                    self._send(404, "text/plain", b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                act = platform.enrol if self.path == ENROL_PATH else platform.renew
                status, answer = act(body)
                if platform.answering.lose_answers:
                    platform.answering.lose_answers -= 1
                    self.close_connection = True
                    return
                kind = JWS_MEDIA_TYPE if status == 200 else "application/problem+json"
                self._send(status, kind, answer)

            def _send(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if not platform.answering.trickle:
                    self.wfile.write(body)
                    return
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    time.sleep(platform.answering.trickle)

            def log_message(self, *_: object) -> None:
                return

        return Handler


class _Listening(http.server.ThreadingHTTPServer):
    """Shakes hands in the connection's own thread; a failed handshake is the test's intention."""

    context: ssl.SSLContext

    def finish_request(self, request: Any, address: Any) -> None:
        request.settimeout(30)
        with contextlib.suppress(OSError):
            tls = self.context.wrap_socket(request, server_side=True)
            with tls:
                super().finish_request(tls, address)

    def handle_error(self, request: object, address: object) -> None:
        """Say nothing of devices that went away."""


def _problem(status: int, code: str) -> Problem:
    return Problem(type=f"urn:homeport:error:{code}", status=status, code=code, title="No.")


@dataclass(frozen=True)
class FakeFactory:
    """Mints devices for the agent's tests."""

    authority: Authority

    @classmethod
    def make(cls, directory: Path) -> "FakeFactory":
        """Make its authority."""
        return cls(Authority(directory, "Factory root", datetime.now(UTC) - 365 * DAY))

    @property
    def authority_id(self) -> str:
        """As devices of this factory are named."""
        return authority_id(self.authority.certificate)

    def mint(
        self,
        directory: Path,
        platform: FakePlatform,
        *,
        serial_number: str = "EX-000017",
        key: str = "file:idevid.key",
        operational_keys: str = "file:",
        address: str | None = "",
    ) -> Path:
        """Write a device's identity directory; the address is the platform's, pinned."""
        directory.mkdir(parents=True)
        absolute = f"file:{directory}/idevid.key" if key == "file:idevid.key" else key
        idevid = IdevIdMinter(self.authority.certificate, self.authority.key).mint(
            make_key(absolute).public_key(), serial_number, "EX-100", datetime.now(UTC) - DAY
        )
        (directory / "idevid.pem").write_bytes(pem_of(parse_certificate(idevid)))
        (directory / "platform.pem").write_bytes(pem_of(platform.authority.certificate))
        pinned = f'address = "{address or platform.url}"' if address is not None else ""
        (directory / "device.toml").write_text(
            f'model = "EX-100"\nserial_number = "{serial_number}"\n'
            f"idevid_key = {json.dumps(key)}\noperational_keys = {json.dumps(operational_keys)}\n"
            f'[platform]\nname = "{platform.name}"\nurl = "{platform.public_url}"\n{pinned}\n'
        )
        return directory


@contextlib.contextmanager
def fake_site(directory: Path) -> Iterator[tuple[FakePlatform, Path]]:
    """A platform that serves, and a device that was minted for it."""
    with FakePlatform(directory / "platform") as platform:
        factory = FakeFactory.make(directory / "factory")
        yield platform, factory.mint(directory / "device", platform)
