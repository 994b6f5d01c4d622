# SPDX-License-Identifier: Apache-2.0
"""The other side of the local door, for the agent's own commands. Blocking."""

import socket
from pathlib import Path
from typing import Final

from homeport.agent.local.messages import LINE_MAX, Reply, Request, encode, read_reply
from homeport.errors import Code, HomeportError

ANSWER_TIMEOUT: Final = 310.0
"""Seconds; a publication waits for 300 at most."""


def ask(path: Path, request: Request) -> Reply:
    """Ask the running agent one thing; raise AGENT_ABSENT if none answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(ANSWER_TIMEOUT)
            sock.connect(str(path))
            sock.sendall(encode(request))
            with sock.makefile("rb") as lines:
                line = lines.readline(LINE_MAX)
    except OSError as error:
        raise HomeportError(Code.AGENT_ABSENT, f"{path}: {error.strerror}") from None
    if not line:
        raise HomeportError(Code.AGENT_ABSENT, f"{path}: closed without an answer")
    return read_reply(line)
