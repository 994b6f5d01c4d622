# SPDX-License-Identifier: Apache-2.0
"""A real listener: what it does with senders that are slow, silent, greedy or in its place."""

import asyncio
import json
import socket
import ssl
import time
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
import uvloop
from cryptography import x509

from homeport.clock import SystemClock
from homeport.errors import Code, HomeportError
from homeport.http.asgi import respond
from homeport.http.limits import read_body
from homeport.http.problem import with_problems
from homeport.http.source import peer_address, source_of
from homeport.http.throttle import Throttle
from homeport.server.certificates.places import KeyPlaces
from homeport.server.certificates.platform_keys import open_platform_keys
from homeport.server.listeners import HEAD_DEADLINE, Listener, Place

NAME = "platform.example"


class Door:
    """An app with what a device's door has: limits, a throttle, problem documents."""

    def __init__(self):
        self.noted: list[Exception] = []
        self.release = asyncio.Event()
        self.waiting = asyncio.Event()
        self.throttle = Throttle(rate=0.1, burst=3, clock=SystemClock())
        self.app = with_problems(self.answer, lambda _scope, error: self.noted.append(error))

    async def answer(self, scope, receive, send):
        match scope["path"]:
            case "/echo":
                deadline = timedelta(milliseconds=300)
                body = await read_body(scope, receive, limit=1000, deadline=deadline)
            case "/wait":
                self.waiting.set()
                await self.release.wait()
                body = b"waited"
            case "/limited":
                self.throttle.take(source_of(peer_address(scope)))
                body = b"ok"
            case "/who":
                body = peer_address(scope).encode()
            case "/fault":
                raise ZeroDivisionError
            case _:
                raise HomeportError(Code.NOT_FOUND, scope["path"])
        await respond(send, 200, [(b"content-type", b"text/plain")], body)


@pytest.fixture
def keys(tmp_path):
    places = KeyPlaces(directory=tmp_path / "keys", names=(NAME, "127.0.0.1"))
    return open_platform_keys(places, datetime.now(UTC) - timedelta(days=1))


@pytest.fixture
def trust(keys):
    return ssl.create_default_context(cadata=keys.platform_anchors_pem().decode())


def place(host="127.0.0.1", port=0):
    return Place(name="device door", host=host, port=port, setting="listen.port")


class Serving:
    """A listener that serves, and connections to it that end with the test."""

    def __init__(self, listener):
        self.listener = listener
        self.stop = asyncio.Event()
        self.writers = []

    async def connect(self, trust=None, host="127.0.0.1"):
        name = NAME if trust else None
        async with asyncio.timeout(10):
            connection = await asyncio.open_connection(
                host, self.listener.port, ssl=trust, server_hostname=name
            )
        self.writers.append(connection[1])
        return connection

    async def close(self):
        for writer in self.writers:
            writer.transport.abort()
        for writer in self.writers:
            with suppress(OSError, ssl.SSLError):
                await writer.wait_closed()
        self.writers.clear()


@asynccontextmanager
async def serving(door, tls=None, **more):
    listener = Listener(door.app, more.pop("place", place()), tls=tls, **more)
    listener.bind()
    served = Serving(listener)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(listener.serve(served.stop))
        try:
            yield served
        finally:
            await served.close()
            served.stop.set()


async def ask(connection, head, body=b""):
    reader, writer = connection
    writer.write(head.encode() + b"\r\nHost: x\r\n" + body)
    async with asyncio.timeout(10):
        status, headers = await read_head(reader)
        answer = await reader.readexactly(int(headers.get("content-length", 0)))
    return status, headers, answer


async def read_head(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    return int(head[0].split()[1]), headers


async def get(connection, path):
    return await ask(connection, f"GET {path} HTTP/1.1", b"\r\n")


async def is_closed_after(connection, limit):
    """Wait until the other side closes; return after how many seconds."""
    began = time.monotonic()
    async with asyncio.timeout(limit):
        try:
            rest = await connection[0].read()
        except ConnectionError:
            rest = b""
    return time.monotonic() - began, rest


def served(connection):
    der = connection[1].get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(der)


def test_devices_are_answered_over_tls(keys, trust):
    async def run():
        async with serving(Door(), keys.tls_file) as listener:
            connection = await listener.connect(trust)
            assert served(connection) == keys.server
            assert (await get(connection, "/who"))[::2] == (200, b"127.0.0.1")
            status, _, body = await ask(
                connection, "POST /echo HTTP/1.1", b"Content-Length: 5\r\n\r\nhello"
            )
            assert (status, body) == (200, b"hello")
            chunks = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n again\r\n0\r\n\r\n"
            assert (await ask(connection, "POST /echo HTTP/1.1", chunks))[2] == b"hello again"
            assert (await get(connection, "/who"))[0] == 200
            assert connection[1].get_extra_info("ssl_object").selected_alpn_protocol() is None

    uvloop.run(run())


def test_http_2_is_not_offered(keys, trust):
    trust.set_alpn_protocols(["h2", "http/1.1"])

    async def run():
        async with serving(Door(), keys.tls_file) as listener:
            connection = await listener.connect(trust)
            assert connection[1].get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"

    uvloop.run(run())


def test_silent_and_slow_senders_are_closed_in_time(keys, trust):
    """Six kinds at once: each is closed when its deadline has passed, and others are answered."""

    async def trickle(connection):
        for _ in range(100):
            connection[1].write(b"X-A: b\r\n")
            await asyncio.sleep(0.2)

    async def run():
        deadline = HEAD_DEADLINE.total_seconds()
        async with (
            serving(Door(), keys.tls_file) as tls,
            serving(Door()) as plain,
        ):
            silent = await tls.connect(trust)
            silent_plain = await plain.connect()
            half = await tls.connect(trust)
            half[1].write(b"GET /who HTTP/1.1\r\nHo")
            slow = await tls.connect(trust)
            slow[1].write(b"GET /who HTTP/1.1\r\n")
            idle = await tls.connect(trust)
            assert (await get(idle, "/who"))[0] == 200
            no_handshake = await tls.connect()
            async with asyncio.TaskGroup() as tasks:
                trickling = tasks.create_task(trickle(slow))
                closing = [
                    tasks.create_task(is_closed_after(connection, 2 * deadline + 2))
                    for connection in (silent, silent_plain, half, slow, idle)
                ]
                hanging = tasks.create_task(is_closed_after(no_handshake, 2 * deadline + 2))
                assert (await get(await tls.connect(trust), "/who"))[0] == 200
                seconds = [(await closed)[0] for closed in closing]
                assert max(seconds) < deadline + 1.5
                assert min(seconds) > deadline - 1.5
                assert (await hanging)[0] < 2 * deadline + 1.5
                trickling.cancel()

    uvloop.run(run())


def test_half_a_body_is_answered_with_408_and_closed(keys, trust):
    async def run():
        async with serving(Door(), keys.tls_file) as listener:
            for half in (
                b"Content-Length: 9\r\n\r\nabc",
                b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc",
            ):
                connection = await listener.connect(trust)
                status, headers, body = await ask(connection, "POST /echo HTTP/1.1", half)
                assert status == 408
                assert headers["connection"] == "close"
                assert json.loads(body)["code"] == "too-slow"
                assert (await is_closed_after(connection, 2))[1] == b""

    uvloop.run(run())


def test_many_half_bodies_at_once_leave_no_connection_behind(keys, trust):
    async def half_a_body(listener):
        connection = await listener.connect(trust)
        head = b"Content-Length: 9\r\n\r\nabc"
        assert (await ask(connection, "POST /echo HTTP/1.1", head))[0] == 408
        await is_closed_after(connection, 3)

    async def run():
        async with serving(Door(), keys.tls_file) as listener, asyncio.TaskGroup() as tasks:
            for _ in range(40):
                tasks.create_task(half_a_body(listener))

    uvloop.run(run())


def test_a_body_too_large_is_answered_with_413(keys, trust):
    chunk = b"fff\r\n" + b"x" * 0xFFF + b"\r\n"

    async def run():
        door = Door()
        async with serving(door, keys.tls_file) as listener:
            for body in (
                b"Content-Length: 1001\r\n\r\n" + b"x" * 1001,
                b"Content-Length: 99999999999\r\n\r\n",
                b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 4,
            ):
                connection = await listener.connect(trust)
                status, headers, answer = await ask(connection, "POST /echo HTTP/1.1", body)
                assert status == 413
                assert headers["content-type"] == "application/problem+json"
                assert json.loads(answer)["code"] == "too-large"
            assert len(door.noted) == 3

    uvloop.run(run())


@pytest.mark.parametrize(
    "bomb",
    [
        b"".join(b"X-%d: a\r\n" % number for number in range(500)),
        b"X: " + b"a" * 60_000 + b"\r\n",
        b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(5000)),
    ],
    ids=["many", "long", "both"],
)
def test_a_header_bomb_is_refused(keys, trust, bomb):
    async def run():
        async with serving(Door(), keys.tls_file) as listener:
            reader, writer = await listener.connect(trust)
            writer.write(b"GET /who HTTP/1.1\r\nHost: x\r\n" + bomb + b"\r\n")
            async with asyncio.timeout(5):
                with suppress(ConnectionError):  # closed on what was still being sent
                    assert (await read_head(reader))[0] == 431
            assert (await get(await listener.connect(trust), "/who"))[0] == 200

    uvloop.run(run())


def test_what_goes_wrong_is_a_problem_document(keys, trust):
    async def run():
        door = Door()
        async with serving(door, keys.tls_file) as listener:
            connection = await listener.connect(trust)
            assert (await get(connection, "/other"))[0] == 404
            status, _, body = await get(connection, "/fault")
            assert status == 500
            assert json.loads(body)["code"] == "internal-error"
            assert (await get(connection, "/who"))[0] == 200
            assert [type(error) for error in door.noted] == [HomeportError, ZeroDivisionError]

    uvloop.run(run())


def test_a_source_that_asks_too_often_is_throttled(keys, trust):
    async def run():
        async with serving(Door(), keys.tls_file) as listener:
            statuses, headers = [], {}
            for _ in range(5):
                status, headers, _ = await get(await listener.connect(trust), "/limited")
                statuses.append(status)
            assert statuses == [200, 200, 200, 429, 429]
            assert 1 <= int(headers["retry-after"]) <= 10

    uvloop.run(run())


def test_the_certificate_changes_without_dropping_a_request(keys, trust):
    async def run():
        door = Door()
        async with serving(door, keys.tls_file) as listener, asyncio.TaskGroup() as tasks:
            old = keys.server
            waiting = await listener.connect(trust)
            answer = tasks.create_task(get(waiting, "/wait"))
            await door.waiting.wait()
            assert keys.refresh(datetime.now(UTC) + timedelta(days=61)).tls
            assert keys.server != old
            # Made for a time to come: its validity is not what is tested.
            trust.verify_flags |= ssl.VerifyFlags(0x200000)
            listener.listener.reload_tls()
            async with asyncio.timeout(5):
                now_served = keys.root
                while now_served != keys.server:
                    with suppress(ConnectionResetError):
                        now_served = served(await listener.connect(trust))
            door.release.set()
            assert (await answer)[::2] == (200, b"waited")

    uvloop.run(run())


def test_every_connection_is_accepted_while_certificates_change(keys, trust):
    """Somebody connects all the time. Who has not asked yet may find its connection closed, as
    HTTP allows (RFC 9112 section 9.5), and asks again; nobody finds the port closed."""

    async def run():
        async with serving(Door(), keys.tls_file) as listener, asyncio.TaskGroup() as tasks:
            over = asyncio.Event()
            answered, closed = [], []

            async def keep_asking():
                while not over.is_set():
                    try:
                        connection = await listener.connect(trust)
                        answered.append((await get(connection, "/who"))[0])
                        connection[1].transport.abort()
                    except (asyncio.IncompleteReadError, ConnectionResetError) as error:
                        closed.append(error)
                        continue
                    if len(answered) % 20 == 0:
                        listener.listener.reload_tls()
                    if len(answered) > 100:
                        over.set()

            for _ in range(3):
                tasks.create_task(keep_asking())
        assert set(answered) == {200}
        assert len(closed) <= 3 * 6

    uvloop.run(run())


def test_stopping_lets_requests_finish_and_closes_idle_connections(keys, trust):
    async def run():
        door = Door()
        async with serving(door, keys.tls_file) as listener, asyncio.TaskGroup() as tasks:
            idle = await listener.connect(trust)
            await get(idle, "/who")
            answer = tasks.create_task(get(await listener.connect(trust), "/wait"))
            await door.waiting.wait()
            listener.stop.set()
            await is_closed_after(idle, 2)
            door.release.set()
            assert (await answer)[::2] == (200, b"waited")

    uvloop.run(run())


def test_stopping_ends_although_somebody_waits(keys, trust):
    async def run():
        door = Door()
        grace = timedelta(milliseconds=300)
        began = time.monotonic()
        async with serving(door, keys.tls_file, grace=grace) as listener:
            connection = await listener.connect(trust)
            connection[1].write(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
            await door.waiting.wait()
            listener.stop.set()
        assert time.monotonic() - began < 3

    uvloop.run(run())


def test_the_port_is_free_afterwards(keys):
    async def run():
        async with serving(Door(), keys.tls_file) as listener:
            port = listener.listener.port
        again = Listener(Door().app, place(port=port))
        again.bind()
        assert again.port == port
        again.close()

    uvloop.run(run())


def test_an_occupied_port_is_explained():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(HomeportError, match=f"127.0.0.1:{port}.*listen.port") as caught:
            Listener(Door().app, place(port=port)).bind()
    assert caught.value.code is Code.PORT_OCCUPIED


def test_two_listeners_do_not_share_a_port():
    first = Listener(Door().app, place())
    first.bind()
    with pytest.raises(HomeportError) as caught:
        Listener(Door().app, place(port=first.port)).bind()
    assert caught.value.code is Code.PORT_OCCUPIED
    first.close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "300.1.1.1"])
def test_an_address_that_is_not_here_is_explained(host):
    with pytest.raises(HomeportError, match=r"listen\.port") as caught:
        Listener(Door().app, place(host=host)).bind()
    assert caught.value.code is Code.SETTING_WRONG


def test_all_addresses_of_both_families(keys):
    async def run():
        async with serving(Door(), place=place(host="::")) as listener:
            for host, address in (("127.0.0.1", "127.0.0.1"), ("::1", "::/64")):
                _, _, body = await get(await listener.connect(host=host), "/who")
                assert source_of(body.decode()) == address

    uvloop.run(run())
