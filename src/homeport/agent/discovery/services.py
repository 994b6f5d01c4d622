# SPDX-License-Identifier: Apache-2.0
"""DNS-SD on the LAN, done by a short-lived child process (`dnssd.py`), for the sake of memory.

Browsing finds edges (`_homeport._tcp`); announcing tells edges and tools of a device that could
verify none of its candidates (`_homeport-device._tcp`), so that a person can choose. What the
child prints was written by strangers on the LAN: it is parsed with limits and a deadline. No TXT
record of an edge is read; host, port and addresses are all that a candidate is made of. The child
ends when its standard input closes, so it never outlives the agent. RFC 6762, RFC 6763.
"""

import asyncio
import hashlib
import ipaddress
import json
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from homeport.address import https_url
from homeport.errors import MalformedError

logger = logging.getLogger(__name__)

BROWSE_DURATION: Final = timedelta(seconds=2)
"""Answers come within 0.3 s; the second query follows after 1 s (RFC 6762 section 5.2). Longer
would only delay devices on LANs without an edge, whose next source is the default address."""

MAX_SERVICES: Final = 16
"""Edges looked at on one LAN; each may cost a connection attempt."""

MAX_LINE: Final = 4096
"""Bytes of one line of the child; a service with 8 addresses needs 600."""

MAX_ADDRESSES: Final = 8
MAX_TXT: Final = 1300
"""Bytes of all TXT strings together, so that the answer fits one packet (RFC 6763 section 6.2)."""

MAX_TXT_STRING: Final = 255
ANNOUNCED_PORT: Final = 8908
"""Where provisioning mode listens on the LAN (product decision 7, DPP over TCP)."""

_START_LIMIT: Final = timedelta(seconds=10)
"""Starting an interpreter and zeroconf takes 0.3 s, on a small busy board ten times as long."""

_FAREWELL_LIMIT: Final = timedelta(seconds=3)
"""The child says goodbye on the LAN before it ends; who does not in time is killed."""

_CHILD: Final = "homeport.agent.discovery.dnssd"
_SERIAL_HASH_LENGTH: Final = 16  # hexadecimal digits: 64 bits tell the devices of a site apart
_MODEL_LENGTH: Final = 63  # bytes of a DNS label; instance names are one label


@dataclass(frozen=True)
class Service:
    """An edge as the LAN names it: host without final dot, port, textual addresses."""

    host: str
    port: int
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Announcement:
    """What a device that waits to be chosen says of itself: nothing secret.

    TXT keys: `txtvers` = 1; `model`; `sn`, the first 16 hexadecimal digits of SHA-256 over the
    serial number, which who holds label, plan or manifest can compare, and who only listens does
    not read; `c0`, `c1`, … the candidates that could not be verified, as many as fit.
    """

    model: str
    serial_number: str
    candidates: tuple[str, ...] = ()
    port: int = ANNOUNCED_PORT

    @property
    def serial_hash(self) -> str:
        """The value of `sn`."""
        digest = hashlib.sha256(self.serial_number.encode()).hexdigest()
        return digest[:_SERIAL_HASH_LENGTH]

    @property
    def instance(self) -> str:
        """The instance name, one label: model and the beginning of the hash."""
        suffix = f" {self.serial_hash[:6]}"
        room = _MODEL_LENGTH - len(suffix)
        return self.model.encode()[:room].decode(errors="ignore").replace(".", "-") + suffix

    def strings(self) -> tuple[str, ...]:
        """The TXT record's strings, `key=value`."""
        always = ["txtvers=1", _cut(f"model={self.model}"), f"sn={self.serial_hash}"]
        size = sum(len(string.encode()) + 1 for string in always)
        for number, url in enumerate(self.candidates):
            string = f"c{number}={url}"
            size += len(string.encode()) + 1
            if size > MAX_TXT or len(string.encode()) > MAX_TXT_STRING:
                break
            always.append(string)
        return tuple(always)


def parse_service(line: bytes) -> Service:
    """Read one line of the child: `{"host": …, "port": …, "addresses": […]}`, nothing else.

    Raises MalformedError.
    """
    if len(line) > MAX_LINE:
        raise MalformedError("a service with too long a description")
    try:
        # ValueError: broken JSON or UTF-8; RecursionError: a thousand brackets.
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MalformedError("a service that is no JSON") from error
    if not isinstance(found, dict) or found.keys() != {"host", "port", "addresses"}:
        raise MalformedError("a service with other members than host, port and addresses")
    host, port, addresses = found["host"], found["port"], found["addresses"]
    if type(host) is not str or type(port) is not int or type(addresses) is not list:
        raise MalformedError("a service with members of the wrong type")
    https_url(host, port)
    return Service(host.lower().removesuffix("."), port, tuple(_addresses(addresses)))


async def browse(duration: timedelta = BROWSE_DURATION) -> AsyncGenerator[Service, None]:
    """Look for edges on the LAN; give each as it is found, until `duration` has passed.

    Raises OSError: ChildProcessError when the child cannot do its work, TimeoutError when it hangs.
    """
    seconds = duration.total_seconds()
    async with _child("browse", f"--seconds={seconds}", stdout=PIPE) as process:
        deadline = asyncio.get_running_loop().time() + seconds + _START_LIMIT.total_seconds()
        for _ in range(MAX_SERVICES):
            line = await _line(process, deadline)
            if not line:
                break
            try:
                yield parse_service(line)
            except MalformedError as error:
                logger.warning("DNS-SD: a service was passed over: %s", error.detail)
        else:
            return  # there may be more; the child has not ended
        if await _ended(process) != 0:
            raise ChildProcessError(f"the DNS-SD process ended with status {process.returncode}")


@asynccontextmanager
async def announcing(announcement: Announcement) -> AsyncIterator[None]:
    """Announce the device for as long as the context lasts.

    A child that ends early is not started again: the next round of discovery announces anew.
    """
    strings = [f"--txt={string}" for string in announcement.strings()]
    arguments = [f"--instance={announcement.instance}", f"--port={announcement.port}", *strings]
    async with _child("announce", *arguments, stdout=DEVNULL):
        yield


@asynccontextmanager
async def _child(*arguments: str, stdout: int) -> AsyncIterator[Process]:
    # -P: a file in the working directory must not pose as a module.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", _CHILD, *arguments,
        stdin=PIPE, stdout=stdout, limit=MAX_LINE,
    )  # fmt: skip
    try:
        yield process
    finally:
        await _ended(process)


async def _ended(process: Process) -> int:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_FAREWELL_LIMIT.total_seconds()):
            return await _last_words(process)
    except TimeoutError:
        logger.warning("the DNS-SD process did not end in time and was killed")
    finally:
        # Too late, or cancelled while waiting: then the child still runs.
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await asyncio.shield(_last_words(process))
    return await process.wait()


async def _last_words(process: Process) -> int:
    # wait() returns only when the pipe is empty too; nobody reads what is still in it.
    while process.stdout is not None and await process.stdout.read(MAX_LINE):
        continue
    return await process.wait()


async def _line(process: Process, deadline: float) -> bytes:
    if process.stdout is None:
        return b""
    try:
        async with asyncio.timeout_at(deadline):
            return await process.stdout.readline()
    except ValueError as error:  # a line beyond the limit of the stream
        raise ChildProcessError("the DNS-SD process printed too long a line") from error


def _addresses(texts: list[Any]) -> Iterator[str]:
    if len(texts) > MAX_ADDRESSES:
        raise MalformedError(f"a service with more than {MAX_ADDRESSES} addresses")
    for text in texts:
        if type(text) is not str:
            raise MalformedError("a service with an address of the wrong type")
        try:
            address = ipaddress.ip_address(text)
        except ValueError as error:
            raise MalformedError("a service with a broken address") from error
        if address.is_unspecified or address.is_multicast or address.is_loopback:
            raise MalformedError("a service with an address that is no neighbour's")
        yield str(address)


def _cut(string: str) -> str:
    return string.encode()[:MAX_TXT_STRING].decode(errors="ignore")
