# SPDX-License-Identifier: Apache-2.0
"""The NATS server's configuration, as text. It holds public keys and paths, never a secret.

Pure: settings and public keys in, text out. Blocks are broken into lines because the server's
parser trips over nested braces on one line. Reference:
https://docs.nats.io/running-a-nats-service/configuration
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from homeport.broker.settings import EmbeddedSettings, Listener
from homeport.errors import Code, HomeportError

TLS_SECONDS: Final = 15
"""For the handshake. A signature in a TPM over a link with 2 s round trips ends in time; half-open
connections of a port scan do not pile up."""
LOG_IN_SECONDS: Final = 6
"""For CONNECT and our answer to the callout; longer than `callout.ANSWER_SECONDS`, so that a slow
registry is a refusal with a reason. While nobody answers, this is how long a device waits."""
_PLAIN: Final = re.compile(r'[^"\\\x00-\x1f\x7f]+')


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKeys:
    """nkeys that the server must know, public halves."""

    platform: str
    system: str
    issuer: str


def render(
    settings: EmbeddedSettings, *, account: str, client_port: int, keys: PublicKeys, pid_file: Path
) -> str:
    """Write the configuration; HomeportError(SETTING_WRONG) for a path that cannot be quoted."""
    sections = [
        _general(settings, client_port, pid_file),
        _accounts(account, keys),
        _listener("mqtt", settings.mqtt, settings, _MQTT),
    ]
    if settings.websocket:
        sections.append(_listener("websocket", settings.websocket, settings, ""))
    return "\n".join(sections)


# QoS 2 has no use here and keeps state for each message. An acknowledgement must not wait for ours.
_MQTT: Final = """\
  reject_qos2_publish: true
  ack_wait: "30s"
"""


def _general(settings: EmbeddedSettings, client_port: int, pid_file: Path) -> str:
    # sync_interval: an acknowledged message survives a power cut. No monitoring port: it has no
    # access control. server_name: MQTT sessions are kept under it, so it must not change.
    # default_max_consumers: one for each device; from 2.15 on it is 1000, and no further device
    # would get its subscription.
    return f"""\
listen: "127.0.0.1:{client_port}"
server_name: "homeport"
pid_file: {_quoted(pid_file)}
logtime: false
max_payload: {settings.message_bytes}
max_connections: {settings.connections}
max_control_line: 4096
write_deadline: "10s"
lame_duck_duration: "30s"
jetstream {{
  store_dir: {_quoted(settings.directory / "jetstream")}
  max_memory_store: 67108864
  max_file_store: {settings.storage_bytes}
  sync_interval: always
  limits {{
    default_max_consumers: -1
  }}
}}
"""


def _accounts(account: str, keys: PublicKeys) -> str:
    return f"""\
accounts {{
  {account} {{
    jetstream: enabled
    users: [
      {{ nkey: {keys.platform} }}
    ]
  }}
  SYSTEM {{
    users: [
      {{ nkey: {keys.system} }}
    ]
  }}
}}
system_account: SYSTEM
authorization {{
  timeout: {LOG_IN_SECONDS}
  auth_callout {{
    issuer: {keys.issuer}
    auth_users: [ {keys.platform}, {keys.system} ]
    account: {account}
  }}
}}
"""


def _listener(name: str, place: Listener, settings: EmbeddedSettings, more: str) -> str:
    return f"""\
{name} {{
  host: {_quoted(place.host)}
  port: {place.port}
{more}  tls {{
    cert_file: {_quoted(settings.certificate)}
    key_file: {_quoted(settings.key)}
    ca_file: {_quoted(settings.device_issuers)}
    verify: true
    timeout: {TLS_SECONDS}
  }}
}}
"""


def _quoted(value: Path | str) -> str:
    text = str(value)
    if not _PLAIN.fullmatch(text):
        raise HomeportError(Code.SETTING_WRONG, f"quotes or control characters: {text!r}")
    return f'"{text}"'
