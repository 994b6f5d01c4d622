# SPDX-License-Identifier: Apache-2.0
"""An HTTPS server that would take whatever a device sends it, and writes down what it got.

`python rogue_server.py ADDRESS PORT PEM` serves the key and chain in PEM. It prints a JSON line
when it is ready, and one for each connection: what TLS said, or the bytes that came through it.
"""

import json
import socket
import ssl
import sys


def say(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def serve(connection: socket.socket, context: ssl.SSLContext) -> None:
    connection.settimeout(10)
    try:
        with context.wrap_socket(connection, server_side=True) as tls:
            # In TLS 1.3 the other side's refusal comes after our own handshake has ended.
            say(received=tls.recv(65536).decode("latin-1"))
    except OSError as error:
        say(refused=getattr(error, "reason", None) or str(error))


def main() -> None:
    address, port, pem = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with socket.create_server((address, int(port))) as listening:
        say(ready=True)
        while True:
            connection, _ = listening.accept()
            with connection:
                serve(connection, context)


if __name__ == "__main__":
    main()
