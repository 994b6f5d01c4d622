# SPDX-License-Identifier: Apache-2.0
"""docs/protocols/mqtt.md followed by somebody else's MQTT client, without any code of ours."""

import asyncio
import json
import ssl
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from fakes.broker_site import NAME, Site, until
from fakes.in_loop import in_loop
from homeport.domain.enrolment import State
from homeport.domain.topics import Branch, Topic
from homeport.protocols.mqtt.device.credentials import NamedContext, file_key_pem


@in_loop
async def test_a_stock_client_arrives_and_is_told_something(tmp_path: Path) -> None:
    site = Site(tmp_path)
    device = await site.device("SN1")
    credential = tmp_path / "credential.pem"
    credential.write_bytes(device.chain + file_key_pem(device.key_uri))
    context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.server_name = NAME
    context.load_verify_locations(cadata=site.root.pem.decode())
    context.load_cert_chain(credential)

    prefix = f"hp/acme/{device.id}"
    said = {"state": "online", "credential": device.fingerprint}
    told: list[tuple[str, bytes, int]] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=str(device.id))
    client.tls_set_context(context)
    client.will_set(f"{prefix}/state", json.dumps({**said, "state": "offline"}), 1, retain=True)
    client.on_message = lambda _c, _u, m: told.append((m.topic, bytes(m.payload), m.qos))
    async with site.running() as (_, link):
        await asyncio.to_thread(client.connect, "127.0.0.1", site.port)
        client.loop_start()
        await until(client.is_connected)
        client.subscribe(f"{prefix}/down/#", 1)
        client.publish(f"{prefix}/state", json.dumps(said), 1, retain=True)
        await until(lambda: site.states.counted == 1)
        (run,) = site.registry.rows.enrolments.values()
        assert run.state is State.OPERATIONAL
        await link.send(Topic("acme", device.id, Branch.DOWN, "set"), b"22")
        await until(lambda: told)
        assert told == [(f"{prefix}/down/set", b"22", 1)]
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)
