# SPDX-License-Identifier: Apache-2.0
"""The broker is killed, or does not quite die; devices come back and messages flow."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.live import free_ports
from homeport.broker.child import end_leftover

pytestmark = [pytest.mark.faults]

DYING = """
import ctypes, os, signal, socket, sys, threading, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def linger():
    while not os.path.exists("let-go"):
        time.sleep(0.01)
    time.sleep(0.5)
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Thread(target=linger).start()
print("up", flush=True)
ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)  # exit(2): one thread
"""
"""A process in the middle of its end: its first thread is gone, the port is still held."""


def test_a_leftover_is_gone_only_when_its_ports_are_free(tmp_path: Path) -> None:
    """A dying process is not to be recognised any more, long before the kernel closes its files."""
    program = tmp_path / "nats-server"
    shutil.copy(Path(sys.executable).resolve(), program)
    configuration = tmp_path / "nats.conf"
    (port,) = free_ports(1)
    dying = subprocess.Popen(
        [program, "-c", DYING, str(port), configuration], cwd=tmp_path, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONHOME": sys.base_prefix},
    )  # fmt: skip
    assert dying.stdout
    assert dying.stdout.readline() == b"up\n"
    pid_file = tmp_path / "nats-server.pid"
    pid_file.write_text(str(dying.pid))
    try:
        (tmp_path / "let-go").touch()
        asyncio.run(end_leftover(pid_file, configuration))
        socket.create_server(("127.0.0.1", port)).close()
    finally:
        dying.kill()
        dying.communicate()
