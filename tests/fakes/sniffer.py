# SPDX-License-Identifier: Apache-2.0
"""Looks at a cable: `python sniffer.py INTERFACE` prints a JSON line for each IPv4 packet.

{"at": seconds since 1970, "from": address, "to": address, "protocol": 6, "ports": [a, b],
"syn": …, "fin": …, "payload": bytes}; the first line is "ready".
"""

import json
import socket
import struct
import sys
import time

IPV4 = 0x0800
UDP, TCP = 17, 6
SYN, FIN, RST, ACK = 0x02, 0x01, 0x04, 0x10


def describe(frame: bytes) -> dict[str, object] | None:
    packet = frame[14:]
    head = (packet[0] & 15) * 4
    total, protocol = struct.unpack_from("!H", packet, 2)[0], packet[9]
    if protocol not in {UDP, TCP}:
        return None
    segment = packet[head:total]
    ports = struct.unpack_from("!HH", segment)
    found: dict[str, object] = {
        "from": socket.inet_ntoa(packet[12:16]),
        "to": socket.inet_ntoa(packet[16:20]),
        "protocol": protocol,
        "ports": ports,
        "payload": len(segment) - 8,
    }
    if protocol == TCP:
        flags = segment[13]
        found["payload"] = len(segment) - (segment[12] >> 4) * 4
        found |= {"syn": bool(flags & SYN), "fin": bool(flags & (FIN | RST))}
    return found


def main() -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.bind((sys.argv[1], 0))
        sys.stdout.write('"ready"\n')
        sys.stdout.flush()
        while True:
            frame = sock.recv(4096)
            at = time.time()
            if frame[12:14] != IPV4.to_bytes(2):
                continue
            if (found := describe(frame)) is not None:
                sys.stdout.write(json.dumps({"at": at} | found) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
