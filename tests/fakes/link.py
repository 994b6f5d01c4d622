# SPDX-License-Identifier: Apache-2.0
"""A bad cable: two TAP devices in two network namespaces, with delay and loss in between.

Does what `tc netem` does, for kernels built without it; every Ethernet frame passes, so TCP, UDP,
IPv6, ARP and multicast work as on a real link. Run as a process:
`python link.py NETNS:INTERFACE NETNS:INTERFACE --delay SECONDS --loss FRACTION`; it prints
"ready" once both interfaces exist, and they go away with it. Needs root and /dev/net/tun.
"""

import argparse
import ctypes
import fcntl
import os
import random
import select
import struct
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

MAX_FRAME: Final = 2048
"""Bytes read at once; the interfaces have an MTU of 1,500 and no segmentation offload."""

QUEUE_LENGTH: Final = 10_000
"""Frames on the way in one direction, 15 MB: more than any test has in flight."""

_TUNSETIFF: Final = 0x400454CA  # linux/if_tun.h
_IFF_TAP: Final = 0x0002
_IFF_NO_PI: Final = 0x1000
_CLONE_NEWNET: Final = 0x40000000  # linux/sched.h


class Direction:
    """Frames from one end to the other, each leaving `delay` seconds after it came, or lost."""

    def __init__(self, source: int, sink: int, delay: float, loss: float, seed: str) -> None:
        """Take both ends as file descriptors; `seed` makes the losses repeatable."""
        self.source = source
        self._sink = sink
        self._delay = delay
        self._loss = loss
        self._chance = random.Random(seed)
        self._on_the_way: deque[tuple[float, bytes]] = deque()

    def take(self) -> None:
        """Take all frames that wait at the source."""
        while True:
            try:
                frame = os.read(self.source, MAX_FRAME)
            except BlockingIOError:
                return
            if self._chance.random() >= self._loss and len(self._on_the_way) < QUEUE_LENGTH:
                self._on_the_way.append((time.monotonic() + self._delay, frame))

    def deliver(self) -> float | None:
        """Deliver what is due; return when the next frame is, on the steady clock."""
        while self._on_the_way:
            due, frame = self._on_the_way[0]
            if due > time.monotonic():
                return due
            self._on_the_way.popleft()
            try:
                os.write(self._sink, frame)
            except OSError:  # the far interface is down: frames fall off the cable
                continue
        return None


def open_tap(namespace: str, interface: str) -> int:
    """Make a TAP device inside a network namespace; return its non-blocking file descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", "rb") as entered:  # noqa: PTH123  (a file descriptor)
        if libc.setns(entered.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter network namespace {namespace}")
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    request = struct.pack("16sH22x", interface.encode(), _IFF_TAP | _IFF_NO_PI)
    fcntl.ioctl(tap, _TUNSETIFF, request)
    return tap


def carry(directions: Sequence[Direction]) -> None:
    """Carry frames for ever."""
    by_source = {direction.source: direction for direction in directions}
    next_due: float | None = None
    while True:
        wait = None if next_due is None else max(0.0, next_due - time.monotonic())
        # Not epoll: it counts in whole milliseconds, rounded up, which adds one to a round trip.
        for source in select.select(by_source, (), (), wait)[0]:
            by_source[source].take()
        dues = [direction.deliver() for direction in directions]
        next_due = min((due for due in dues if due is not None), default=None)


def main() -> None:
    """Make both ends and carry frames until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("ends", nargs=2, metavar="NETNS:INTERFACE")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds, each way")
    parser.add_argument("--loss", type=float, default=0.0, help="fraction, each way")
    parser.add_argument("--seed", default="homeport")
    chosen = parser.parse_args()
    left, right = (open_tap(*end.split(":")) for end in chosen.ends)
    directions = (
        Direction(left, right, chosen.delay, chosen.loss, chosen.seed + ">"),
        Direction(right, left, chosen.delay, chosen.loss, chosen.seed + "<"),
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    carry(directions)


if __name__ == "__main__":
    main()
