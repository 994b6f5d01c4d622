# SPDX-License-Identifier: Apache-2.0
"""The test network itself: a bad cable is as bad as it was asked to be, and nothing is left."""

import subprocess
import sys
from datetime import timedelta
from typing import Final

import pytest

from fakes.network import PLATFORM4, PLATFORM6, Lan, Link

pytestmark = pytest.mark.system

SERVE: Final = """
import socket, sys, threading
udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); udp.bind(("::", 9000))
tcp = socket.create_server(("::", 9000), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
def echo():
    while True:
        data, sender = udp.recvfrom(2000); udp.sendto(data, sender)
threading.Thread(target=echo, daemon=True).start()
while True:
    peer, _ = tcp.accept()
    with peer:
        while data := peer.recv(65536): peer.sendall(data)
"""
ASK: Final = """
import socket, sys, time
host, kilobytes = sys.argv[1], int(sys.argv[2])
began = time.monotonic()
with socket.create_connection((host, 9000)) as sock:
    connected = time.monotonic() - began
    payload, back = b"x" * 1024 * kilobytes, 0
    sock.sendall(payload); sock.shutdown(socket.SHUT_WR)
    while data := sock.recv(65536): back += len(data)
print(connected, back)
"""
COUNT: Final = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); sock.settimeout(0.5)
back = 0
for batch in range(10):  # all at once overflow the buffers of a peer that has to wait for a turn
    for number in range(40): sock.sendto(b"x", (sys.argv[1], 9000))
    try:
        while True: sock.recv(10); back += 1
    except TimeoutError: pass
print(back)
"""


def serve(lan: Lan) -> None:
    server = lan.start_in("platform", [sys.executable, "-c", SERVE])
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"


def ask(lan: Lan, program: str, *arguments: str) -> list[float]:
    done = lan.run_in("device", [sys.executable, "-c", program, *arguments])
    return [float(word) for word in done.stdout.split()]


@pytest.mark.parametrize("address", [PLATFORM4, PLATFORM6])
def test_a_slow_uplink_costs_its_round_trip(address: str) -> None:
    with Lan(uplink=Link(timedelta(milliseconds=50))) as lan:
        serve(lan)
        connected, back = ask(lan, ASK, address, "100")
        assert 0.1 <= connected < 0.5
        assert back == 100 * 1024


def test_tcp_survives_loss_and_udp_does_not() -> None:
    with Lan(uplink=Link(timedelta(milliseconds=5), loss=0.05)) as lan:
        serve(lan)
        _, back = ask(lan, ASK, PLATFORM4, "100")
        assert back == 100 * 1024
        (returned,) = ask(lan, COUNT, PLATFORM4)
        # 400 there and back at 5 % each way: 361 expected, five standard deviations are 30.
        assert 331 <= returned <= 391


def test_a_cable_can_be_pulled_and_put_back() -> None:
    with Lan() as lan:
        serve(lan)
        lan.unplug("device")
        assert lan.run_in("device", ["cat", "/sys/class/net/eth0/carrier"]).stdout.strip() == "0"
        lan.plug("device")
        assert ask(lan, ASK, PLATFORM4, "1")[1] == 1024


def test_names_are_known_and_leases_are_given() -> None:
    with Lan(static=False, names={"platform.example": [PLATFORM4, PLATFORM6]}) as lan:
        assert lan.lease("device").startswith("10.77.0.1")
        serve(lan)
        assert ask(lan, ASK, "platform.example", "1")[1] == 1024


def test_nothing_is_left_even_after_a_fault() -> None:
    lan = Lan()
    sleeper = None
    try:
        with lan:
            sleeper = lan.start_in("device", ["sleep", "1000"])
            raise ZeroDivisionError
    except ZeroDivisionError:
        assert sleeper is not None
    assert sleeper.returncode is not None
    left = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    assert lan.namespace("device") not in left.stdout
