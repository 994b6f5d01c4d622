# SPDX-License-Identifier: Apache-2.0
"""An edge on the LAN as far as DNS-SD goes: announces itself, lists devices that wait.

`python edge.py HOST PORT ADDRESS` announces `_homeport._tcp` and prints a JSON line whenever a
device announces itself or says goodbye. Written with zeroconf's own names, not with ours.
"""

import json
import socket
import sys

from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf


def say(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Listener(ServiceListener):
    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        found = zc.get_service_info(type_, name, 3000)
        assert found is not None
        say(
            {
                "added": name,
                "txt": found.text.decode("latin-1"),
                "addresses": found.parsed_scoped_addresses(IPVersion.V4Only),
                "port": found.port,
            }
        )

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None: ...

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        say({"removed": name})


def main() -> None:
    host, port, address = sys.argv[1:]
    zeroconf = Zeroconf(ip_version=IPVersion.All)
    kind = "_homeport._tcp.local."
    zeroconf.register_service(
        ServiceInfo(
            kind,
            f"{host} here.{kind}",
            addresses=[socket.inet_aton(address)],
            port=int(port),
            properties={"path": "/evil", "url": "https://evil.example"},
            server=f"{host}.local.",
        )
    )
    ServiceBrowser(zeroconf, "_homeport-device._tcp.local.", Listener())
    say("ready")
    sys.stdin.read()
    zeroconf.close()


if __name__ == "__main__":
    main()
