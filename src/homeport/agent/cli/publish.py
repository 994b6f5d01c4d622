# SPDX-License-Identifier: Apache-2.0
"""`homeport agent publish CHANNEL PAYLOAD`: one message through the running agent."""

import argparse

import msgspec

from homeport.agent.local.caller import ask
from homeport.agent.local.messages import Publication, Request
from homeport.agent.settings import AgentSettings
from homeport.errors import Code, HomeportError


def publish(settings: AgentSettings, options: argparse.Namespace) -> int:
    """Send it; return when the broker has it."""
    payload = options.payload.encode()
    wait = min(max(options.wait, 0.0), 300.0)
    try:
        msgspec.json.decode(payload)
        publication = Publication(channel=options.channel, payload=msgspec.Raw(payload), wait=wait)
    except msgspec.MsgspecError:
        publication = Publication(channel=options.channel, text=options.payload, wait=wait)
    reply = ask(settings.socket_path, Request(publish=publication))
    if reply.error is not None:
        raise HomeportError(Code(reply.error.code), reply.error.detail)
    print('{"ok": true}' if options.json else "The upstream's broker has it.")
    return 0
