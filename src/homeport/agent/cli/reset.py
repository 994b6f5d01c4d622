# SPDX-License-Identifier: Apache-2.0
"""`homeport agent reset`: forget the owner, the LDevID and where it led.

What stays: the IDevID, the highest ownership epoch seen, the last signed time. A running agent is
asked to do it; else it is done here, under the same lock.
"""

import argparse
import asyncio

from homeport.agent.identity import load_device_settings
from homeport.agent.journey import Event
from homeport.agent.legs.forgetting import forget
from homeport.agent.local.caller import ask
from homeport.agent.local.messages import Nothing, Request
from homeport.agent.memory.key_ring import KeyRing
from homeport.agent.memory.logbook import Logbook
from homeport.agent.memory.store import Store, forget_damaged, locked
from homeport.agent.memory.twin import TwinFile
from homeport.agent.settings import AgentSettings
from homeport.clock import SystemClock
from homeport.errors import Code, HomeportError


def reset(settings: AgentSettings, options: argparse.Namespace) -> int:
    """Reset; return when it is done, or begun by the running agent."""
    try:
        with locked(settings.state):
            _reset_here(settings)
    except HomeportError as error:
        if error.code is not Code.AGENT_RUNNING:
            raise
        reply = ask(settings.socket_path, Request(reset=Nothing()))
        if reply.error is not None:
            raise HomeportError(Code(reply.error.code), reply.error.detail) from None
        _say("The running agent forgets the owner and begins anew.", as_json=options.json)
    else:
        _say("The owner is forgotten; the device's own identity is kept.", as_json=options.json)
    return 0


def _reset_here(settings: AgentSettings) -> None:
    try:
        store = Store(settings.state)
    except HomeportError as error:
        if error.code is not Code.STATE_CORRUPT:
            raise
        forget_damaged(settings.state)
        store = Store(settings.state)
    keys = KeyRing(load_device_settings(settings.identity).operational_keys, store.keys)
    logbook = Logbook(store, SystemClock(), lambda: None)
    logbook.step(Event.RESET_ASKED)
    TwinFile(settings.state).forget()
    asyncio.run(forget(logbook, keys))
    keys.sweep(frozenset(store.saved.retired))
    (settings.state / "status.json").unlink(missing_ok=True)


def _say(words: str, *, as_json: bool) -> None:
    print('{"ok": true}' if as_json else words)
