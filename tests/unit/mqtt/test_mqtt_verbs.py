# SPDX-License-Identifier: Apache-2.0
"""The verbs behind MQTT, admit and complete, over the registry in memory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes.broker_site import Site, TestDevice
from fakes.in_loop import in_loop
from homeport.domain.audit import Name
from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import Device
from homeport.domain.enrolment import Enrolment, State
from homeport.errors import Code, HomeportError
from homeport.provisioning.admit import admit
from homeport.provisioning.complete import complete


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def code_of(site: Site, shown: str, client_id: str, later: timedelta = timedelta()) -> Code:
    now = datetime.now(UTC) + later
    with pytest.raises(HomeportError) as failed:
        await site.registry.read(
            lambda tx: admit(tx, fingerprint=shown, client_id=client_id, now=now)
        )
    return failed.value.code


async def tell(
    site: Site,
    device: TestDevice,
    *,
    online: bool = True,
    tenant: str = "acme",
    at: datetime | None = None,
) -> bool:
    now = at or datetime.now(UTC)
    return await site.registry.transact(
        lambda tx: complete(
            tx,
            tenant=tenant,
            device=device.id,
            fingerprint=device.fingerprint,
            online=online,
            now=now,
        )
    )


def change_device(site: Site, device: TestDevice, **changes: object) -> None:
    rows = site.registry.rows.devices
    known: Device = rows[device.id]
    rows[device.id] = replace(known, **changes)  # type: ignore[arg-type]


def credential_of(site: Site, device: TestDevice) -> Credential:
    return site.registry.rows.credentials[device.fingerprint]


def runs(site: Site) -> list[Enrolment]:
    return list(site.registry.rows.enrolments.values())


@in_loop
async def test_who_counts_is_admitted_with_owner_and_end(site: Site) -> None:
    device = await site.device("SN1")
    admission = await site.admit(device.fingerprint, str(device.id))
    assert (admission.device, admission.tenant) == (device.id, "acme")
    assert admission.not_after == device.certificate.not_valid_after_utc


@in_loop
async def test_every_reason_to_refuse(site: Site) -> None:
    device = await site.device("SN1")
    shown, name = device.fingerprint, str(device.id)
    assert await code_of(site, "00" * 32, name) is Code.CREDENTIAL_UNKNOWN
    for foreign in ("", name.upper(), name + "0", "abcdefghijklmnop-SN2"):
        assert await code_of(site, shown, foreign) is Code.CLIENT_ID_WRONG
    assert await code_of(site, shown, name, timedelta(days=2)) is Code.CERTIFICATE_EXPIRED
    assert await code_of(site, shown, name, -timedelta(days=2)) is Code.CERTIFICATE_EXPIRED
    change_device(site, device, epoch=2)
    assert await code_of(site, shown, name) is Code.EPOCH_STALE
    change_device(site, device, tenant=None)
    assert await code_of(site, shown, name) is Code.DEVICE_UNKNOWN
    change_device(site, device, tenant="acme", epoch=1)
    await site.set_state(device, CredentialState.REPLACED)
    assert await code_of(site, shown, name) is Code.CREDENTIAL_REPLACED
    await site.set_state(device, CredentialState.REVOKED)
    assert await code_of(site, shown, name) is Code.CREDENTIAL_REVOKED


@in_loop
async def test_the_first_word_completes_and_repetition_changes_nothing(site: Site) -> None:
    device = await site.device("SN1")
    at = datetime.now(UTC)
    assert await tell(site, device, at=at)
    (run,) = runs(site)
    assert (run.state, run.arrived_at) == (State.OPERATIONAL, at)
    (event,) = site.registry.rows.audit
    assert event.name is Name.ENROLMENT_COMPLETED
    assert event.facts["upstream"] == "here"
    before = site.registry.rows.copy()
    assert await tell(site, device, at=at)
    assert site.registry.rows == before


@in_loop
async def test_a_good_bye_completes_nothing(site: Site) -> None:
    device = await site.device("SN1")
    assert await tell(site, device, online=False)
    assert runs(site)[0].state is State.ISSUED
    assert not site.registry.rows.presence[device.id].online


@in_loop
async def test_presence_does_not_run_backwards(site: Site) -> None:
    device = await site.device("SN1")
    now = datetime.now(UTC)
    await tell(site, device, at=now)
    await tell(site, device, online=False, at=now - timedelta(seconds=1))
    assert site.registry.rows.presence[device.id].online
    await tell(site, device, online=False, at=now + timedelta(seconds=1))
    assert not site.registry.rows.presence[device.id].online


@in_loop
async def test_a_used_renewal_ends_what_came_before_and_nothing_after(site: Site) -> None:
    first = await site.device("SN1")
    await tell(site, first)
    second, third = await site.certify(first.id), await site.certify(first.id)
    await tell(site, second)
    assert credential_of(site, first).state is CredentialState.REPLACED
    assert credential_of(site, third).state is CredentialState.CURRENT
    names = [event.name for event in site.registry.rows.audit]
    assert names.count(Name.CREDENTIAL_REPLACED) == 1
    assert not await tell(site, first)
    assert not await tell(site, first, online=False)
    assert site.registry.rows.presence[first.id].online


@in_loop
async def test_what_does_not_count_changes_nothing(site: Site) -> None:
    device, other = await site.device("SN1"), await site.device("SN2")
    stranger = replace(other, id=device.id)
    before = site.registry.rows.copy()
    assert not await tell(site, device, tenant="other")
    assert not await tell(site, stranger)
    assert not await tell(site, replace(device, id=replace(device.id, serial_number="SN9")))
    assert site.registry.rows == before
    change_device(site, device, epoch=2)
    assert not await tell(site, device)
    assert runs(site)[0].state is State.ISSUED


@in_loop
async def test_the_will_of_a_revoked_connection_is_believed(site: Site) -> None:
    device = await site.device("SN1")
    await tell(site, device)
    await site.set_state(device, CredentialState.REVOKED)
    assert not await tell(site, device)
    assert await tell(site, device, online=False)
    assert not site.registry.rows.presence[device.id].online
