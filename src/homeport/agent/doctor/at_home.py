# SPDX-License-Identifier: Apache-2.0
"""Checks of the device itself: key, certificates, memory, clock. Nothing is sent."""

from collections.abc import Iterator
from datetime import UTC, datetime

from homeport.agent.doctor.findings import Finding, Verdict, doubtful, good, skipped
from homeport.agent.identity import Identity
from homeport.agent.memory.records import Lifetime, Saved
from homeport.agent.memory.store import Store
from homeport.agent.settings import AgentSettings
from homeport.agent.timekeeping import BUILT, is_synchronised
from homeport.clock import SystemClock
from homeport.errors import HomeportError
from homeport.keys import KeyKind, default_algorithm, open_key
from homeport.pki.certificates import parse_certificate, public_key_of

PROBE = b"homeport agent doctor"


def check_identity(identity: Identity) -> Iterator[Finding]:
    """The IDevID, its key and the anchors: as read, and the key as it signs."""
    device, key = identity.device, identity.idevid.key
    yield good("identity", f"{device.model} {device.serial_number}")
    try:
        key.sign(PROBE, default_algorithm(key.public_key()))
    except HomeportError as error:
        yield Finding.of_error("identity key", error)
    else:
        if key.kind is KeyKind.FILE:
            advice = "Whoever can read the file can be this device; use a token in production."
            yield doubtful("identity key", "it signs, but lives in a file", advice)
        else:
            yield good("identity key", f"it signs, in {key.kind}")
    if len(identity.vouchers):
        yield good("voucher anchors", f"{len(identity.vouchers)}")
    else:
        yield skipped("voucher anchors", "none: only the manufacturer's platform is accepted")


def read_memory(settings: AgentSettings) -> tuple[Finding, Saved, Lifetime]:
    """Read the state directory without making one."""
    if not (settings.state / "state.json").exists():
        return skipped("memory", f"nothing in {settings.state} yet"), Saved(), Lifetime()
    try:
        store = Store(settings.state)
    except HomeportError as error:
        return Finding.of_error("memory", error), Saved(), Lifetime()
    since = f"{datetime.fromtimestamp(store.saved.since, UTC):%Y-%m-%d %H:%M} UTC"
    found = good("memory", f"{store.saved.journey} since {since}")
    return found, store.saved, store.lifetime


def check_clock(lifetime: Lifetime) -> Finding:
    """Whether the clock can be right."""
    now = SystemClock().now()
    floor = max(BUILT, datetime.fromtimestamp(lifetime.signed_time, UTC))
    if now < floor:
        return Finding(
            "clock",
            Verdict.BAD,
            f"it says {now:%Y-%m-%d %H:%M} UTC, but {floor:%Y-%m-%d %H:%M} has passed",
            "Set it or run a time service. The agent steps it after enrolment with CAP_SYS_TIME.",
        )
    if not is_synchronised():
        return doubtful(
            "clock", f"{now:%Y-%m-%d %H:%M} UTC, kept by no time service", "Run a time service."
        )
    return good("clock", f"{now:%Y-%m-%d %H:%M} UTC, kept by a time service")


def check_credential(saved: Saved) -> Iterator[Finding]:
    """The LDevID and its key."""
    credential = saved.credential
    if credential is None:
        yield skipped("LDevID", "none yet")
        return
    ends = datetime.fromtimestamp(credential.not_after, UTC)
    try:
        key = open_key(credential.key)
        is_mine = key.public_key() == public_key_of(parse_certificate(credential.certificate[0]))
    except HomeportError as error:
        yield Finding.of_error("LDevID key", error)
        return
    if not is_mine:
        advice = "homeport agent reset makes a new one."
        yield Finding("LDevID key", Verdict.BAD, "it is not the certificate's", advice)
    if ends < SystemClock().now():
        advice = "The agent renews it as soon as it reaches the platform."
        yield doubtful("LDevID", f"{credential.device}, expired {ends:%Y-%m-%d}", advice)
    else:
        yield good("LDevID", f"{credential.device} until {ends:%Y-%m-%d}, in {key.kind}")
