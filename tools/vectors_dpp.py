# SPDX-License-Identifier: Apache-2.0
"""Record exchanges with Debian's wpa_supplicant.

Run as `PYTHONPATH=src:tests python -m tools.vectors_dpp`.

Every combination of roles, once with a passphrase and once with a connector. Keys, nonces and
intermediate values are what wpa_supplicant's debug output shows (`-dd -K`); both sides' private
keys stand in the vectors and were thrown away. See tests/vectors/dpp/README.md.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key

from fakes.dpp_sides import (
    PASSPHRASE,
    SSID,
    Installer,
    enrol,
    label,
    new_key,
    new_signer,
    serve_once,
    with_connector,
    with_passphrase,
)
from fakes.supplicant import Station, wpa_supplicant
from homeport.demo.stage import free_ports
from homeport.protocols import dpp
from homeport.protocols.dpp.carriers.link import FRAME_TIMEOUT, StreamLink
from homeport.protocols.dpp.carriers.tcp import connect
from homeport.protocols.dpp.points import write_point
from homeport.protocols.dpp.wire.attributes import write_attributes
from homeport.protocols.dpp.wire.vocabulary import AttributeId

FOLDER: Final = Path(__file__).resolve().parents[1] / "tests" / "vectors" / "dpp" / "exchanges"
LABELS: Final = {
    "m": "ECDH shared secret (M.x)",
    "n": "ECDH shared secret (N.x)",
    "k1": "k1 = HKDF-Expand(PRK, info, L)",
    "k2": "k2 = HKDF-Expand(PRK, info, L)",
    "bk": "bk = HKDF-Extract(I-nonce | R-nonce, M.x | N.x [| L.x])",
    "ke": 'ke = HKDF-Expand(bk, "DPP Key", length)',
    "initiator_nonce": "I-nonce",
    "responder_nonce": "R-nonce",
    "responder_tag": "R-auth",
    "initiator_tag": "I-auth",
}
MESSAGES: Final = (
    "authentication request",
    "authentication response",
    "authentication confirm",
    "configuration request",
    "configuration response",
    "configuration result",
)
CONFIRM: Final = MESSAGES.index("authentication confirm")


class RecordingLink(StreamLink):
    """A link that keeps what went over it, with who said it."""

    def __init__(self, link: StreamLink) -> None:
        """Take over another link's streams."""
        super().__init__(link._reader, link._writer)  # noqa: SLF001
        self.said: list[tuple[str, bytes]] = []

    async def send(self, frame: bytes) -> None:
        """Send and keep."""
        self.said.append(("homeport", frame))
        await super().send(frame)

    async def receive(self, timeout: float = FRAME_TIMEOUT) -> bytes:  # noqa: ASYNC109
        """Receive and keep."""
        frame = await super().receive(timeout)
        self.said.append(("wpa_supplicant", frame))
        return frame


def main() -> None:
    """Record all of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for is_configurator in (True, False):
        for is_initiator in (True, False):
            for kind in ("psk", "dpp"):
                name = "-".join(
                    (
                        "configurator" if is_configurator else "enrollee",
                        "initiator" if is_initiator else "responder",
                        kind,
                    )
                )
                with wpa_supplicant() as stock:
                    vector = record(stock, kind, is_configurator, is_initiator)
                text = json.dumps({"name": name, **vector}, indent=1)
                (FOLDER / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def record(
    stock: Station,
    kind: str,
    is_configurator: bool,  # noqa: FBT001
    is_initiator: bool,  # noqa: FBT001
) -> dict[str, Any]:
    """Play one exchange and say what was seen."""
    own = new_key()
    uri = dpp.read_uri(stock.own_uri() if is_initiator else label(own))
    handshake = dpp.Initiator(uri.key) if is_initiator else dpp.Responder(own)
    links: list[RecordingLink] = []
    play = configurator(handshake, kind) if is_configurator else enrollee(handshake)

    async def keep(link: StreamLink) -> object:
        links.append(RecordingLink(link))
        return await play(links[0])

    options = ["role=enrollee"] if is_configurator else configuration(stock, kind)
    if is_initiator:
        stock.ask(f"SET dpp_configurator_params  {' '.join(options[1:])}")
        asyncio.run(speak(stock.listen(*options[:1]), keep))
    else:
        (port,) = free_ports(1)
        begin = lambda: stock.begin(str(uri), port, *options)  # noqa: E731
        asyncio.run(serve_once(keep, port, begin))
    stock.wait("DPP-CONF-RECEIVED" if is_configurator else "DPP-CONF-SENT")
    return told(stock, uri, handshake, links[0].said, is_configurator)


async def speak(port: int, keep: Callable[[StreamLink], Any]) -> None:
    """Be the one who connects."""
    async with connect("127.0.0.1", port) as link:
        await keep(link)


def configurator(handshake: dpp.Initiator | dpp.Responder, kind: str) -> Callable[..., Any]:
    """Our installer."""
    signer = new_signer()
    installer = Installer(
        lambda key: with_connector(signer, key) if kind == "dpp" else with_passphrase(dpp.Akm.PSK)
    )
    return lambda link: installer.configure(link, dpp.Configurator(handshake))


def enrollee(handshake: dpp.Initiator | dpp.Responder) -> Callable[..., Any]:
    """Our device."""
    return lambda link: enrol(link, dpp.Enrollee(handshake))


def configuration(stock: Station, kind: str) -> list[str]:
    """What a stock Configurator gives."""
    more = [] if kind == "dpp" else [f"pass={PASSPHRASE.encode().hex()}"]
    id_ = stock.must("DPP_CONFIGURATOR_ADD")
    return [
        "role=configurator", f"conf=sta-{kind}", f"ssid={SSID.hex()}", *more, f"configurator={id_}"
    ]  # fmt: skip


def told(
    stock: Station,
    uri: dpp.BootstrappingUri,
    handshake: dpp.Initiator | dpp.Responder,
    said: list[tuple[str, bytes]],
    is_configurator: bool,  # noqa: FBT001
) -> dict[str, Any]:
    """The vector."""
    own_key = handshake._key  # noqa: SLF001
    keys = {write_point(key.public_key()): scalar(key) for key in private_keys(stock)}
    own = {"by": "homeport", "role": "configurator" if is_configurator else "enrollee"}
    peer = {"by": "wpa_supplicant 2.10", "role": "enrollee" if is_configurator else "configurator"}
    own["protocol_key"] = scalar(own_key)
    # Its protocol key is the one in the frame that it sent.
    (theirs,) = {key for key in keys if any(by != "homeport" and key in f for by, f in said[:2])}
    peer["protocol_key"] = keys[theirs]
    is_initiator = isinstance(handshake, dpp.Initiator)
    initiator, responder = (own, peer) if is_initiator else (peer, own)
    bootstrapping = (
        keys[write_point(uri.key)]
        if isinstance(handshake, dpp.Initiator)
        else scalar(handshake._bootstrapping)  # type: ignore[arg-type]  # noqa: SLF001
    )
    return {
        "uri": str(uri),
        "initiator": initiator,
        "responder": {**responder, "bootstrapping_key": bootstrapping},
        "derived": {name: stock.dump(f"DPP: {text}").hex() for name, text in LABELS.items()},
        "frames": [
            {"message": message, "by": by, "frame": frame.hex()}
            for message, (by, frame) in zip(MESSAGES, said, strict=True)
        ],
        "clear": [octets.hex() for octets in cleartexts(stock)],
    }


def private_keys(stock: Station) -> Iterator[ec.EllipticCurvePrivateKey]:
    """The keys that wpa_supplicant made."""
    for octets in dumps(stock, "DPP: ECPrivateKey"):
        key = load_der_private_key(octets, None)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            yield key


def cleartexts(stock: Station) -> list[bytes]:
    """What wpa_supplicant sealed, or found behind a seal.

    As Initiator it shows the tag inside the response, and not what it seals in the confirm.
    """
    clear = dumps(stock, "DPP: AES-SIV cleartext")
    if clear[CONFIRM] == write_attributes((AttributeId.RESPONDER_TAG, stock.dump("DPP: R-auth"))):
        clear[CONFIRM] = write_attributes((AttributeId.INITIATOR_TAG, stock.dump("DPP: I-auth")))
    return clear


def dumps(stock: Station, label_: str) -> list[bytes]:
    """All octets that the debug output shows under a label, in order."""
    pattern = rf"{re.escape(label_)} - hexdump\(len=\d+\): ([0-9a-f ]*)"
    return [bytes.fromhex(each) for each in re.findall(pattern, stock.log.read_text("latin-1"))]


def scalar(key: ec.EllipticCurvePrivateKey) -> str:
    """The private number, 32 bytes in hexadecimal."""
    return key.private_numbers().private_value.to_bytes(32, "big").hex()


if __name__ == "__main__":
    main()
