# SPDX-License-Identifier: Apache-2.0
"""Somebody between the two, who changes octets, and somebody beside them, who listens."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from fakes.dpp_sides import PASSPHRASE, SSID
from fakes.dpp_talk import WIFI, Talk, talk
from homeport.errors import HomeportError
from homeport.protocols import dpp

MESSAGES = 7
DEVICE = dpp.ProvisioningRequest(serial_number="EX-000017", model="EX-100", csr=b"pkcs10")
REQUEST = dpp.ConfigurationRequest(name="EX-000017", third_party=DEVICE.write())
STATUS = dpp.ConnectionStatus(ssid=SSID)
Between = Callable[[int, bytes], bytes]


def play(it: Talk, between: Between) -> Iterator[dpp.Event]:
    """A whole exchange, every frame of which goes through somebody's hands."""
    number = itertools.count()

    def bring(step: dpp.Step, to: dpp.Enrollee | dpp.Configurator) -> dpp.Step:
        return to.receive(between(next(number), step.octets))

    step = bring(it.first.start(), it.second)
    step = bring(step, it.first)
    bring(step, it.second)
    asked = bring(it.enrollee.ask(REQUEST), it.configurator).event
    assert asked is not None
    yield asked
    answer = it.configurator.answer((WIFI,), is_status_wanted=True)
    configured = bring(answer, it.enrollee).event
    assert configured is not None
    yield configured
    bring(it.enrollee.accept(), it.configurator)
    joined = bring(it.enrollee.report(STATUS), it.configurator).event
    assert joined is not None
    yield joined


def check(event: dpp.Event) -> None:
    """What arrives is what was said."""
    match event:
        case dpp.Asked(request):
            assert request == REQUEST
        case dpp.Configured(objects, is_status_wanted):
            assert objects == (WIFI,)
            assert is_status_wanted
        case dpp.Joined(status):
            assert status == STATUS
        case _:
            raise AssertionError(event)


def said(*, is_device_labelled: bool) -> list[bytes]:
    """The frames of an exchange."""
    frames: list[bytes] = []

    def keep(_number: int, octets: bytes) -> bytes:
        frames.append(octets)
        return octets

    for event in play(talk(is_device_labelled=is_device_labelled), keep):
        check(event)
    return frames


@pytest.mark.parametrize("is_device_labelled", [True, False])
@pytest.mark.parametrize("message", range(MESSAGES))
def test_no_octet_is_changed_unnoticed(is_device_labelled, message):
    """A changed frame ends the exchange, or changes nothing of what arrives."""
    length = len(said(is_device_labelled=is_device_labelled)[message])
    passed = 0
    for at in range(length):

        def flip(number: int, octets: bytes, at: int = at) -> bytes:
            if number != message:
                return octets
            return octets[:at] + bytes([octets[at] ^ 1 << at % 8]) + octets[at + 1 :]

        try:
            for event in play(talk(is_device_labelled=is_device_labelled), flip):
                check(event)
            passed += 1
        except HomeportError:
            continue
    # Of GAS frames nothing seals the query's limit, nor the token that a request chooses.
    assert passed <= (1 if message in {3, 4} else 0)


@pytest.mark.parametrize("is_device_labelled", [True, False])
def test_who_listens_learns_nothing(is_device_labelled):
    heard = b"".join(said(is_device_labelled=is_device_labelled))
    for secret in (PASSPHRASE.encode(), SSID, b"EX-000017", b"EX-100", DEVICE.csr or b"?"):
        assert secret not in heard


def test_no_two_exchanges_are_alike():
    """Only the label's hash, the framing and the lengths are."""
    one, two = said(is_device_labelled=True), said(is_device_labelled=True)
    assert all(a != b for a, b in zip(one, two, strict=True))
