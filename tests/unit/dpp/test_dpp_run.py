# SPDX-License-Identifier: Apache-2.0
"""Whole exchanges over TCP on loopback, and links that fail."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from fakes.dpp_sides import REQUEST, SSID, Installer, enrol, new_key
from fakes.dpp_talk import WIFI
from homeport.errors import Code, HomeportError, MalformedError
from homeport.protocols import dpp
from homeport.protocols.dpp.carriers import link as links
from homeport.protocols.dpp.carriers import run as runs
from homeport.protocols.dpp.carriers.link import StreamLink
from homeport.protocols.dpp.carriers.run import (
    Answer,
    Given,
    Later,
    Needed,
    Refused,
    run_configurator,
    run_enrollee,
    send,
)
from homeport.protocols.dpp.carriers.tcp import connect, listen
from homeport.protocols.dpp.wire.framer import enclose

Handle = Callable[[StreamLink], Awaitable[object]]


async def meet(one: Handle, other: Handle) -> tuple[object, object]:
    """Run both ends of one connection; the one listens."""
    result: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def handle(link: StreamLink) -> None:
        try:
            result.set_result(await one(link))
        except HomeportError as error:
            result.set_result(error)

    async with asyncio.timeout(20), listen(handle, "127.0.0.1", 0) as port:
        async with connect("127.0.0.1", port) as link:
            try:
                second: object = await other(link)
            except HomeportError as error:
                second = error
        return await result, second


def answering(*answers: Answer) -> Callable[[dpp.Asked], Awaitable[Answer]]:
    left = list(answers)

    async def answer(_asked: dpp.Asked) -> Answer:
        return left.pop(0)

    return answer


def both(
    *answers: Answer, enrollee: Callable[[StreamLink, dpp.Enrollee], Awaitable[object]] = enrol
) -> tuple[object, object]:
    """A labelled device that listens, and an installer: what each made of it."""
    key = new_key()
    device, installer = dpp.Enrollee(dpp.Responder(key)), dpp.Initiator(key.public_key())

    async def configure(link: StreamLink) -> object:
        return await run_configurator(link, dpp.Configurator(installer), answering(*answers))

    return asyncio.run(meet(lambda link: enrollee(link, device), configure))


def test_a_device_is_configured_and_says_how_joining_went():
    configured, status = both(Given((WIFI,), is_status_wanted=True))
    assert isinstance(configured, dpp.Configured)
    assert status == dpp.ConnectionStatus(ssid=SSID)


def test_an_installer_who_listens():
    key = new_key()
    installer = Installer(lambda _key: WIFI)

    async def configure(link: StreamLink) -> object:
        return await installer.configure(link, dpp.Configurator(dpp.Responder(key)))

    async def ask(link: StreamLink) -> object:
        return await enrol(link, dpp.Enrollee(dpp.Initiator(key.public_key())))

    outcome, configured = asyncio.run(meet(configure, ask))
    assert outcome is None
    assert isinstance(configured, dpp.Configured)
    assert installer.asked == [REQUEST]


def test_an_installer_who_needs_time():
    configured, outcome = both(Later(1), Later(1), Given((WIFI,)))
    assert isinstance(configured, dpp.Configured)
    assert outcome is None


def test_an_installer_who_refuses():
    refused, outcome = both(Refused())
    for failure in (refused, outcome):
        assert isinstance(failure, HomeportError)
        assert failure.code is Code.DPP_REFUSED


def test_a_device_that_is_asked_for_more():
    asked: list[object] = []

    async def again(objects: tuple[dpp.ConfigurationObject, ...]) -> dpp.ConfigurationRequest:
        asked.extend(objects)
        return dpp.ConfigurationRequest(name="with proof")

    async def device(link: StreamLink, enrollee: dpp.Enrollee) -> object:
        configured = await run_enrollee(link, enrollee, REQUEST, again)
        await send(link, enrollee.accept())
        return configured

    configured, outcome = both(Needed((WIFI,)), Given((WIFI,)), enrollee=device)
    assert isinstance(configured, dpp.Configured)
    assert outcome is None
    assert asked == [WIFI]


def test_a_device_that_has_no_more_to_say():
    failure, outcome = both(Needed((WIFI,)))
    assert isinstance(failure, HomeportError)
    assert failure.code is Code.DPP_REFUSED
    assert isinstance(outcome, HomeportError)
    assert outcome.code is Code.DPP_LINK_LOST


def test_a_link_that_is_lost_while_joining_does_not_undo_the_configuration():
    async def device(link: StreamLink, enrollee: dpp.Enrollee) -> object:
        configured = await run_enrollee(link, enrollee, REQUEST)
        await send(link, enrollee.accept())
        return configured

    _configured, outcome = both(Given((WIFI,), is_status_wanted=True), enrollee=device)
    assert outcome is None


def test_a_device_that_rejects():
    async def device(link: StreamLink, enrollee: dpp.Enrollee) -> object:
        await run_enrollee(link, enrollee, REQUEST)
        await send(link, enrollee.reject())
        return None

    _none, outcome = both(Given((WIFI,), is_status_wanted=True), enrollee=device)
    assert isinstance(outcome, HomeportError)
    assert outcome.code is Code.DPP_REFUSED


def test_two_installers_learn_that_they_are_two():
    key = new_key()

    async def one(link: StreamLink) -> object:
        return await run_configurator(link, dpp.Configurator(dpp.Responder(key)), answering())

    async def other(link: StreamLink) -> object:
        configurator = dpp.Configurator(dpp.Initiator(key.public_key()))
        return await run_configurator(link, configurator, answering())

    for failure in asyncio.run(meet(one, other)):
        assert isinstance(failure, HomeportError)
        assert failure.code is Code.DPP_INCOMPATIBLE


def silent(limit: float, monkeypatch: pytest.MonkeyPatch) -> object:
    """A device that says nothing: what an installer makes of it."""
    monkeypatch.setattr(runs, "FRAME_TIMEOUT", limit)

    async def wait(link: StreamLink) -> object:
        await link.receive()
        return await link.receive()  # the other side gives up

    async def configure(link: StreamLink) -> object:
        configurator = dpp.Configurator(dpp.Initiator(new_key().public_key()))
        return await run_configurator(link, configurator, answering())

    return asyncio.run(meet(wait, configure))[1]


def test_silence_has_an_end(monkeypatch):
    failure = silent(0.05, monkeypatch)
    assert isinstance(failure, HomeportError)
    assert failure.code is Code.DPP_LINK_LOST
    assert "in time" in failure.detail


def raw(*pieces: bytes) -> object:
    """What a link makes of octets."""

    async def wait(link: StreamLink) -> object:
        return await link.receive()

    async def write(link: StreamLink) -> None:
        for piece in pieces:
            link._writer.write(piece)
            await link._writer.drain()

    return asyncio.run(meet(wait, write))[0]


def test_a_frame_arrives_in_pieces():
    octets = enclose(b"frame")
    assert raw(octets[:3], octets[3:6], octets[6:]) == b"frame"


@pytest.mark.parametrize("octets", [b"", b"\0\0\0\5abc"])
def test_a_connection_that_is_closed(octets):
    failure = raw(octets)
    assert isinstance(failure, HomeportError)
    assert failure.code is Code.DPP_LINK_LOST


@pytest.mark.parametrize("octets", [b"\0\1\0\0", b"GET / HTTP/1.1\r\n", b"\0\0\0\0"])
def test_what_is_no_stream_of_frames(octets):
    failure = raw(octets)
    assert isinstance(failure, HomeportError)
    assert failure.code is Code.DPP_MALFORMED


def test_nobody_listens():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))

        async def knock() -> None:
            async with connect("127.0.0.1", bound.getsockname()[1]):
                raise AssertionError

        with pytest.raises(HomeportError) as failure:
            asyncio.run(knock())
    assert failure.value.code is Code.DPP_LINK_LOST


def test_somebody_else_listens():
    async def handle(_link: StreamLink) -> None:
        raise AssertionError

    async def twice() -> None:
        async with listen(handle, "127.0.0.1", 0) as port, listen(handle, "127.0.0.1", port):
            raise AssertionError

    with pytest.raises(HomeportError) as failure:
        asyncio.run(twice())
    assert failure.value.code is Code.PORT_OCCUPIED


def test_what_still_runs_ends_with_the_block():
    ended: list[bool] = []
    entered = asyncio.Event()

    async def handle(_link: StreamLink) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def leave(port: int) -> None:
        async with connect("127.0.0.1", port):
            await entered.wait()

    async def run() -> None:
        async with asyncio.timeout(20):
            async with listen(handle, "127.0.0.1", 0) as port:
                await leave(port)
            assert ended == [True]

    asyncio.run(run())


def test_sending_into_a_closed_link(monkeypatch):
    monkeypatch.setattr(links, "FRAME_TIMEOUT", 0.05)

    async def deaf(link: StreamLink) -> None:
        link._writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async def shout(port: int) -> None:
        async with connect("127.0.0.1", port) as link:
            try:
                while True:
                    await link.send(bytes(60_000))
            finally:
                link._writer.transport.abort()

    async def meet_the_deaf() -> None:
        async with asyncio.timeout(20), listen(deaf, "127.0.0.1", 0) as port:
            await shout(port)

    with pytest.raises(HomeportError) as failure:
        asyncio.run(meet_the_deaf())
    assert failure.value.code is Code.DPP_LINK_LOST


@pytest.mark.parametrize("host", [".", "a..b", "a" * 70])
def test_hosts_that_no_name_server_knows(host):
    async def knock() -> None:
        async with connect(host):
            raise AssertionError

    with pytest.raises(HomeportError) as failure:
        asyncio.run(knock())
    assert failure.value.code is Code.DPP_LINK_LOST


@pytest.mark.parametrize("octets", [enclose(b"\x09junk"), b"GET / HTTP/1.1\r\n"])
def test_junk_while_joining_does_not_undo_the_configuration(octets):
    async def device(link: StreamLink, enrollee: dpp.Enrollee) -> object:
        configured = await run_enrollee(link, enrollee, REQUEST)
        await send(link, enrollee.accept())
        link._writer.write(octets)
        return configured

    _configured, outcome = both(Given((WIFI,), is_status_wanted=True), enrollee=device)
    assert outcome is None


@pytest.mark.parametrize("is_device_limited", [True, False])
def test_an_exchange_has_an_end(is_device_limited, monkeypatch):
    """However often it is postponed, and whatever the other side puts up with."""
    monkeypatch.setattr(runs, "EXCHANGE_TIMEOUT", 0.1)
    key = new_key()
    device = dpp.Enrollee(dpp.Responder(key))
    installer = dpp.Configurator(dpp.Initiator(key.public_key()))
    enrol_one = run_enrollee if is_device_limited else runs._enrol
    configure = runs._configure if is_device_limited else run_configurator
    answer = answering(*[Later(1)] * 1_000)
    outcomes = asyncio.run(
        meet(
            lambda link: enrol_one(link, device, REQUEST, None),
            lambda link: configure(link, installer, answer),
        )
    )
    failure = outcomes[0 if is_device_limited else 1]
    assert isinstance(failure, HomeportError)
    assert failure.code is Code.DPP_LINK_LOST
    assert "not over" in failure.detail


def test_who_postponed_waits_as_long(monkeypatch):
    """The limit of a frame begins when the device is to be back."""
    waited: list[float] = []
    receive = StreamLink.receive

    async def watched(link: StreamLink, timeout: float = 20.0) -> bytes:  # noqa: ASYNC109
        waited.append(timeout)
        return await receive(link, timeout)

    monkeypatch.setattr(StreamLink, "receive", watched)
    monkeypatch.setattr(runs, "POSTPONED_MAX", 0.0)
    _configured, outcome = both(Later(58_593), Given((WIFI,)))
    assert outcome is None
    assert max(waited) == pytest.approx(80, abs=0.01)


@pytest.mark.parametrize("units", [-1, 0, 58_594, 70_000])
def test_delays_that_are_none(units):
    with pytest.raises(MalformedError):
        Later(units)
