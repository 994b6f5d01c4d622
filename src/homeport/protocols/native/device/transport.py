# SPDX-License-Identifier: Apache-2.0
"""A TLS connection to a platform that has proven itself, with one deadline for everything.

Before a byte of ours goes through, the certificate has led to our anchors, carries the pinned
name and the purpose serverAuth. Sockets know only a timeout for each call, with which a sender of
one byte at a time holds us for ever: here each call gets what is left until the deadline.
"""

import io
import socket
import ssl
import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from homeport.errors import Code, HomeportError
from homeport.keys.secret import Secret
from homeport.pki.certificates import extension_of, parse_certificate
from homeport.protocols.native.device.trust import PlatformTrust, TimeSense, tls_context

CONNECT_TIMEOUT: Final = 5.0
"""Seconds for one address; a SYN that was lost is sent again after 1 and 3 s."""
PROXY_ANSWER_MAX: Final = 8192
"""Bytes of a proxy's answer to CONNECT."""

Buffer = bytes | bytearray | memoryview

_NOT_YET_VALID: Final = 9  # X509_V_ERR_CERT_NOT_YET_VALID


class ClockBehindError(HomeportError):
    """Everything holds but the date: the certificate begins later than our clock says it is."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that opens tunnels (CONNECT, RFC 9110 section 9.3.6)."""

    host: str
    port: int
    credentials: Secret | None = None
    """`user:password` for Basic authentication (RFC 7617)."""


@dataclass(frozen=True, slots=True)
class Route:
    """How to get to a platform; who is there proves itself, so a wrong route does no harm."""

    host: str
    port: int
    addresses: tuple[str, ...] = ()
    """Where to connect instead of asking a resolver."""
    proxy: Proxy | None = None


class TlsConnection:
    """What `http.client` needs of a socket, with a deadline; another thread may end it."""

    def __init__(self) -> None:
        """Make a connection that is not open yet."""
        self._socket: socket.socket | None = None
        self._deadline = 0.0
        self._is_aborted = False
        self._lock = threading.Lock()

    def open(self, route: Route, trust: PlatformTrust, sense: TimeSense, timeout: float) -> None:
        """Connect and verify the platform within `timeout` seconds.

        Raise PLATFORM_UNREACHABLE, PLATFORM_UNPROVEN, ClockBehindError.
        """
        self.set_timeout(timeout)
        context = tls_context(trust, sense)
        try:
            self._connect(route)
            if route.proxy is not None:
                self._open_tunnel(route, route.proxy)
            self._arm().settimeout(self.remaining())
            self._hold(context.wrap_socket(self._arm(), server_hostname=trust.name))
        except ssl.SSLCertVerificationError as error:
            self.close()
            kind = ClockBehindError if error.verify_code == _NOT_YET_VALID else HomeportError
            raise kind(Code.PLATFORM_UNPROVEN, f"TLS: {error.verify_message}") from None
        except ssl.SSLError as error:
            self.close()
            raise HomeportError(Code.PLATFORM_UNPROVEN, f"TLS: {error.reason}") from None
        except OSError as error:
            self.close()
            raise unreachable(error) from None
        try:
            self._check_leaf(sense)
        except HomeportError:
            self.close()
            raise

    def set_timeout(self, seconds: float) -> None:
        """Give the operations that follow this long, all together."""
        self._deadline = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds until the deadline; raise TimeoutError when it has passed."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def sendall(self, data: Buffer) -> None:
        """Send everything (for `http.client`)."""
        self._arm().sendall(data)

    def recv_into(self, buffer: bytearray | memoryview) -> int:
        """Receive what is there."""
        return self._arm().recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a reader (for `http.client`); closing it leaves the connection open."""
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()

    def abort(self) -> None:
        """End it from another thread: what waits there fails at once, and nothing is opened."""
        with self._lock:
            self._is_aborted = True
            if self._socket is not None:
                try:
                    # Past `SSLSocket`, which would change what the other thread is using.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
                except OSError:
                    return  # It is closed already.

    def _arm(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionError("the connection is closed")
        self._socket.settimeout(self.remaining())
        return self._socket

    def _hold(self, sock: socket.socket) -> None:
        with self._lock:
            self._socket = sock
            if self._is_aborted:
                raise ConnectionAbortedError("ended by the agent")

    def _connect(self, route: Route) -> None:
        host, port = (
            (route.proxy.host, route.proxy.port) if route.proxy else (route.host, route.port)
        )
        failure: OSError = OSError(f"no address for {host}")
        hosts = (route.addresses if route.proxy is None else ()) or (host,)
        for family, kind, protocol, _, address in _resolve(hosts, port):
            sock = socket.socket(family, kind, protocol)
            try:
                self._hold(sock)
                sock.settimeout(min(CONNECT_TIMEOUT, self.remaining()))
                sock.connect(address)
                # Header and body are two writes; the second must not wait for an acknowledgement.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return
            except OSError as error:
                sock.close()
                failure = error
        raise failure

    def _open_tunnel(self, route: Route, proxy: Proxy) -> None:
        authority = f"[{route.host}]" if ":" in route.host else route.host
        request = f"CONNECT {authority}:{route.port} HTTP/1.1\r\nHost: {authority}:{route.port}\r\n"
        if proxy.credentials is not None:
            secret = b64encode(proxy.credentials.reveal().encode()).decode()
            request += f"Proxy-Authorization: Basic {secret}\r\n"
        self.sendall(f"{request}\r\n".encode())
        answer = bytearray()
        while not answer.endswith(b"\r\n\r\n"):
            # One byte each: what follows belongs to TLS.
            byte = self._arm().recv(1)
            answer += byte
            if not byte or len(answer) > PROXY_ANSWER_MAX:
                raise ConnectionError("the proxy closed the connection, or is none")
        status = bytes(answer.split(b"\r\n", 1)[0])
        if not status.startswith((b"HTTP/1.1 2", b"HTTP/1.0 2")):
            shown = status[:80].decode("ascii", "replace")
            raise ConnectionError(f"the proxy refused the tunnel: {shown}")

    def _check_leaf(self, sense: TimeSense) -> None:
        """Demand what OpenSSL does not: a purpose at all, and no end before what time it is."""
        sock = self._socket
        der = sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None
        if der is None:
            raise HomeportError(Code.PLATFORM_UNPROVEN, "TLS: no certificate")
        leaf = parse_certificate(der)
        usages = extension_of(leaf, x509.ExtendedKeyUsage)
        if usages is None or ExtendedKeyUsageOID.SERVER_AUTH not in usages:
            raise HomeportError(Code.PLATFORM_UNPROVEN, "TLS: the certificate is not a server's")
        if leaf.not_valid_after_utc < sense.floor:
            raise HomeportError(Code.PLATFORM_UNPROVEN, "TLS: the certificate has expired")


class _Reader(io.RawIOBase):
    def __init__(self, connection: TlsConnection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        return self._connection.recv_into(buffer)


def unreachable(error: BaseException) -> HomeportError:
    """Say that nothing came through, and why."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return HomeportError(Code.PLATFORM_UNREACHABLE, reason)


_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[object, ...]]


def _resolve(hosts: tuple[str, ...], port: int) -> list[_Address]:
    found: list[_Address] = []
    for host in hosts:
        # As bytes, or Python loads its tables for IDNA: 3 ms and 1 MB for names that are ASCII.
        found += socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM)
    return found
