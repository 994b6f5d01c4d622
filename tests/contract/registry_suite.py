# SPDX-License-Identifier: Apache-2.0
"""What every registry is run through: a second database joins by one more line in REGISTRIES."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fakes.registry import FakeRegistry
from homeport.domain.audit import AuditEvent, Name
from homeport.domain.credential import Credential
from homeport.domain.device import Device, DeviceId
from homeport.domain.enrolment import Enrolment, State
from homeport.domain.ownership import SalesRecord, SerialRange
from homeport.domain.tenant import Tenant
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import DeviceFilter, MintedDevice, Registry, Transaction
from homeport.storage.sqlite import SqliteRegistry

Result = TypeVar("Result")

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
MAKER, OTHER_MAKER = "a" * 16, "b" * 16


@asynccontextmanager
async def in_memory(_: Path):
    yield FakeRegistry()


def in_sqlite(folder: Path) -> AbstractAsyncContextManager[Registry]:
    return SqliteRegistry(folder / "registry.db")


REGISTRIES: dict[str, Callable[[Path], AbstractAsyncContextManager[Registry]]] = {
    "memory": in_memory,
    "sqlite": in_sqlite,
}


class Opened:
    """A registry in an event loop of its own, asked from outside of it."""

    def __init__(self, registry: Registry, runner: asyncio.Runner) -> None:
        self.registry = registry
        self._runner = runner

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(work)

    def do(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        return self.run(self.registry.transact(verb))

    def see(self, verb: Callable[[Transaction], Awaitable[Result]]) -> Result:
        return self.run(self.registry.read(verb))

    def import_minted(self, authority: str, *devices: MintedDevice) -> int:
        async def work() -> int:
            async with self.registry.stage_minted(authority, iter(devices)) as staged:
                return await self.registry.transact(lambda tx: tx.devices.add_minted(staged, NOW))

        return self.run(work())

    def refuses(self, code: Code, verb: Callable[[Transaction], Awaitable[Any]]) -> HomeportError:
        with pytest.raises(HomeportError) as caught:
            self.do(verb)
        assert caught.value.code is code
        return caught.value


@pytest.fixture(params=REGISTRIES)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Each registry in turn, empty."""
    context: Any = REGISTRIES[request.param](tmp_path)
    with asyncio.Runner() as runner:
        registry = runner.run(context.__aenter__())
        yield Opened(registry, runner)
        runner.run(context.__aexit__(None, None, None))


def device_id(serial_number: str = "SN-0001", authority: str = MAKER) -> DeviceId:
    return DeviceId(authority, serial_number)


def device(serial_number: str = "SN-0001", authority: str = MAKER, **changes: Any) -> Device:
    known = Device(
        id=device_id(serial_number, authority),
        model="gateway",
        hardware_identity="pkcs11",
        minted=False,
        idevid_fingerprint="11" * 32,
        registered_at=NOW,
    )
    return replace(known, **changes)


def minted(serial_number: str = "SN-0001", fingerprint: str = "11" * 32) -> MintedDevice:
    return MintedDevice(
        serial_number=serial_number,
        model="gateway",
        hardware_identity="pkcs11",
        idevid_fingerprint=fingerprint,
        dpp_key=b"\x30\x39",
        dpp_key_hash="22" * 32,
        claim_code_hash="33" * 32,
    )


def run_of(number: int, state: State = State.OPERATIONAL, **changes: Any) -> Enrolment:
    run = Enrolment(
        id=f"run-{number}",
        device=device_id(),
        state=state,
        request_id=f"request-{number}",
        key_hash=f"{number:064x}",
        epoch=1,
        started_at=NOW,
        changed_at=NOW,
    )
    return replace(run, **changes)


def credential(number: int = 1, **changes: Any) -> Credential:
    issued = Credential(
        fingerprint=f"{number:064x}",
        device=device_id(),
        enrolment="run-1",
        request_id="request-1",
        key_hash="44" * 32,
        serial_number=(1 << 159) + number,
        not_before=NOW,
        not_after=NOW + timedelta(days=90),
        epoch=1,
        certificate=b"\x30\x82\x00",
    )
    return replace(issued, **changes)


def event(name: Name = Name.DEVICE_REGISTERED, **changes: Any) -> AuditEvent:
    return replace(AuditEvent(name=name, at=NOW, actor="platform"), **changes)


def sale(first: str, last: str, tenant: str | None = "acme", **changes: Any) -> SalesRecord:
    record = SalesRecord(
        scope=SerialRange(first, last),
        tenant=tenant,
        upstream=None,
        recorded_at=NOW,
        source="sales.csv, line 2",
    )
    return replace(record, **changes)


async def all_devices(tx: Transaction) -> list[Device]:
    """By serial number."""
    found: list[Device] = []
    after: str | None = None
    while True:
        page = await tx.search.devices(DeviceFilter(), after=after, limit=1000)
        found += [row.device for row in page.rows]
        if page.next is None:
            return found
        after = page.next


async def add_tenants(tx: Transaction) -> None:
    for name in ("acme", "bolt", "coil"):
        title = name.title()
        await tx.tenants.add(Tenant(name=name, title=title, default_upstream="here", added_at=NOW))


def in_child(code, path, **kinds):
    """Start a Python process that has the suite's names and the path."""
    preamble = "import asyncio, sys; from pathlib import Path; path = Path(sys.argv[1])\n"
    preamble += "from contract.registry_suite import *\n"
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"}
    return subprocess.Popen(
        [sys.executable, "-c", preamble + code, str(path)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        **kinds,
    )


def put(opened, known):
    return opened.transact(lambda tx: tx.devices.put(known))


def finished(child):
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    return out
