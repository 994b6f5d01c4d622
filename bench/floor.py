# SPDX-License-Identifier: Apache-2.0
"""The floor of an enrolment: its cryptography on the server's side, with nothing around it."""

import contextlib
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bench.devices import BenchDevice

REPEAT = 400


def measure_floor(device: BenchDevice) -> float:
    """Return the CPU microseconds of one enrolment's cryptography: the sum of hot loops.

    Each operation is repeated for the same device, so that everything is in the processor's
    nearest caches: the least that it can cost.
    """
    return _handshake() + _verifications(device) + _signatures(device)


def measure_sequence(devices: Sequence[BenchDevice]) -> float:
    """Return the same when it is done as a server does it: all of it for one device, then the next.

    Other keys and certificates each time, and each operation pushes the others out of the caches.
    """
    server, client = _contexts()
    verify, sign = _verifier(), _signer()
    spent = [
        _one_handshake(server, client) + verify(device) + sign(device.leaf) for device in devices
    ]
    return statistics.median(spent)


def _handshake() -> float:
    """The server's side of a TLS 1.3 handshake, in memory."""
    server, client = _contexts()
    return _median(lambda: _one_handshake(server, client))


def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    with tempfile.TemporaryDirectory() as directory:
        pem = Path(directory) / "server.pem"
        pem.write_bytes(_self_signed())
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(pem)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    return server, client


def _one_handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> float:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    mine = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server)
    spent = 0.0
    for _ in range(3):
        _step(theirs)
        begun = time.thread_time()
        _step(mine)
        spent += time.thread_time() - begun
    return spent * 1e6


def _step(side: ssl.SSLObject) -> None:
    with contextlib.suppress(ssl.SSLWantReadError):
        side.do_handshake()


def _verifications(device: BenchDevice) -> float:
    verify = _verifier()
    return _median(lambda: verify(device))


def _verifier() -> Callable[[BenchDevice], float]:
    """Verify the leaf by its known issuer, the JWS and the PKCS#10 request."""
    algorithm, content = ec.ECDSA(hashes.SHA256()), b"x" * 2_000

    def once(device: BenchDevice) -> float:
        signature = device.private_key.sign(content, algorithm)
        begun = time.thread_time()
        leaf = x509.load_der_x509_certificate(device.idevid)
        leaf.verify_directly_issued_by(device.issuer)
        key = leaf.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(signature, content, algorithm)
        assert x509.load_der_x509_csr(device.csr).is_signature_valid
        return (time.thread_time() - begun) * 1e6

    return once


def _signatures(device: BenchDevice) -> float:
    sign = _signer()
    return _median(lambda: sign(device.leaf))


def _signer() -> Callable[[x509.Certificate], float]:
    """Build and sign the certificate, and sign the answer."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
    now = datetime.now(UTC)

    def once(leaf: x509.Certificate) -> float:
        subject, public_key = leaf.subject, leaf.public_key()
        begun = time.thread_time()
        builder = x509.CertificateBuilder().issuer_name(name).subject_name(subject)
        builder = builder.serial_number(x509.random_serial_number()).public_key(public_key)
        builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=90))
        builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
        key.sign(b"x" * 4_000, ec.ECDSA(hashes.SHA256()))
        return (time.thread_time() - begun) * 1e6

    return once


def _self_signed() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .subject_name(name)
        .serial_number(1)
        .public_key(key.public_key())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem + certificate.public_bytes(Encoding.PEM)


def _median(once: Callable[[], float]) -> float:
    for _ in range(20):
        once()
    return statistics.median(once() for _ in range(REPEAT))
