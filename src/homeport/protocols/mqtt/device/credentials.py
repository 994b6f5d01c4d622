# SPDX-License-Identifier: Apache-2.0
"""What a device shows the broker: key material for a library's TLS, and the WebSocket log-in."""

import ssl

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from homeport.clock import Clock
from homeport.errors import Code, HomeportError
from homeport.keys import KeyKind, open_key
from homeport.pki.certificates import der_of, load_bundle
from homeport.pki.jws import sign
from homeport.protocols.mqtt.device.uplink import UplinkSettings
from homeport.protocols.mqtt.wire import LOGIN_TYP, Login, encode, login_url


def file_key_pem(uri: str) -> bytes:
    """Read a key in a file as unencrypted PEM, for a library in this process."""
    key = open_key(uri)
    if key.kind is not KeyKind.FILE:
        raise HomeportError(Code.KEY_UNSUITABLE, "this MQTT library can use keys in files only")
    return key.crypto_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def password(settings: UplinkSettings, clock: Clock) -> str:
    """Sign the log-in for a WebSocket: there the broker is not told the TLS client certificate."""
    leaf = load_bundle(settings.certificate)[0]
    login = Login(client_id=settings.client_id, time=int(clock.now().timestamp()))
    url = login_url(settings.server_name, settings.websocket_path or "")
    signed = sign(
        encode(login), key=open_key(settings.key_uri), typ=LOGIN_TYP, url=url, x5c=[der_of(leaf)]
    )
    return signed.decode()


class NamedContext(ssl.SSLContext):
    """A TLS context that checks one name, whatever address was dialled."""

    server_name: str
    wrapped: ssl.SSLSocket | None = None
    """The last socket: paho forgets to close one whose handshake failed."""

    def wrap_socket(self, *args: object, **kwargs: object) -> ssl.SSLSocket:
        """Wrap, with our name for SNI and verification in place of the address."""
        kwargs["server_hostname"] = self.server_name
        self.wrapped = super().wrap_socket(*args, **kwargs)  # type: ignore[arg-type]
        return self.wrapped
