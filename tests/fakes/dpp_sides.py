# SPDX-License-Identifier: Apache-2.0
"""Both sides of Wi-Fi Easy Connect as tests play them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from homeport.keys import FileKey, Secret
from homeport.protocols import dpp
from homeport.protocols.dpp.carriers.link import StreamLink
from homeport.protocols.dpp.carriers.run import (
    Given,
    run_configurator,
    run_enrollee,
    send,
)
from homeport.protocols.dpp.carriers.tcp import listen

SSID = b"HomeNet"
PASSPHRASE = "correct horse"
REQUEST = dpp.ConfigurationRequest(name="EX-000017")


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def known_key(secret: int) -> ec.EllipticCurvePrivateKey:
    """One that every process makes alike, for what becomes a part of tests' names."""
    return ec.derive_private_key(secret, ec.SECP256R1())


def new_signer() -> FileKey:
    """A Configurator's signing key."""
    return FileKey("file:/nowhere", new_key())


def label(key: ec.EllipticCurvePrivateKey) -> str:
    return str(dpp.BootstrappingUri(key=key.public_key(), information="EX-000017"))


def with_passphrase(*akms: dpp.Akm) -> dpp.ConfigurationObject:
    credential = dpp.Credential(akms=frozenset(akms), passphrase=Secret(PASSPHRASE))
    return dpp.ConfigurationObject(network=dpp.Network(ssid=SSID, credential=credential))


def with_connector(
    signer: FileKey, access_key: ec.EllipticCurvePublicKey
) -> dpp.ConfigurationObject:
    credential = dpp.Credential(
        akms=frozenset({dpp.Akm.DPP}),
        connector=dpp.sign_connector(signer, access_key),
        signing_key=dpp.signing_key(signer),
    )
    return dpp.ConfigurationObject(network=dpp.Network(ssid=SSID, credential=credential))


async def enrol(
    link: StreamLink, enrollee: dpp.Enrollee, request: dpp.ConfigurationRequest = REQUEST
) -> dpp.Configured:
    """Be a device that takes everything."""
    configured = await run_enrollee(link, enrollee, request)
    await send(link, enrollee.accept())
    if configured.is_status_wanted:
        await send(link, enrollee.report(dpp.ConnectionStatus(ssid=SSID)))
    return configured


@dataclass
class Installer:
    """An installer that answers with one object, which may need the device's key."""

    make: Callable[[ec.EllipticCurvePublicKey], dpp.ConfigurationObject]
    is_status_wanted: bool = False
    asked: list[dpp.ConfigurationRequest] = field(default_factory=list)

    async def configure(
        self, link: StreamLink, configurator: dpp.Configurator
    ) -> dpp.ConnectionStatus | None:
        async def answer(asked: dpp.Asked) -> Given:
            self.asked.append(asked.request)
            return Given((self.make(asked.access_key),), self.is_status_wanted)

        return await run_configurator(link, configurator, answer)


Result = TypeVar("Result")


async def serve_once(
    handle: Callable[[StreamLink], Awaitable[Result]], port: int, begin: Callable[[], None]
) -> Result:
    """Listen, have the other side begin, and return what its first connection came to."""
    result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    async def once(link: StreamLink) -> None:
        try:
            result.set_result(await handle(link))
        except Exception as error:  # noqa: BLE001 (told to the test)
            result.set_exception(error)

    async with listen(once, "127.0.0.1", port):
        await asyncio.to_thread(begin)
        async with asyncio.timeout(20):
            return await result
