# SPDX-License-Identifier: Apache-2.0
"""An intermediate under a root that is elsewhere: offline, or the company's own PKI.

Two steps with a person between them: `request_chain` writes what the root is to sign,
`install_chain` puts in what came back. Both can be repeated.
"""

from datetime import datetime

from homeport.ca.establish import check_chain, request_intermediate
from homeport.errors import Code, HomeportError
from homeport.keys import PrivateKey, make_key, open_key
from homeport.pki.certificates import load_bundle, pem_of
from homeport.server.certificates.files import (
    make_private_directory,
    only_writer,
    replace_file,
)
from homeport.server.certificates.places import Intermediate, KeyPlaces, load_chain


def request_chain(places: KeyPlaces, name: Intermediate) -> bytes:
    """Return a PKCS#10 request (PEM) for the intermediate; its key is made if there is none.

    Raise KEY_STORE_UNAVAILABLE or SETTING_WRONG if the key cannot be opened or made.
    """
    make_private_directory(places.directory)
    with only_writer(places.directory):
        key = _open_or_make(places.key_uri(name))
    return request_intermediate(key, f"Homeport {name} {places.names[0]}"[:64], name.purposes)


def install_chain(places: KeyPlaces, name: Intermediate, chain_pem: bytes, now: datetime) -> None:
    """Put in the chain that the root's owner sent: intermediate first, root last.

    The first one brings the root with it; later ones must lead to the same. Raise CHAIN_UNTRUSTED
    that says what is wrong, KEY_MISSING before any request, CERTIFICATE_MALFORMED.
    """
    with only_writer(places.directory):
        chain = load_bundle(chain_pem)
        check_chain(chain, open_key(places.key_uri(name)).public_key(), name.purposes, now)
        root = places.path("root.pem")
        if root.exists() and load_chain(root)[0] != chain[-1]:
            raise HomeportError(Code.CHAIN_UNTRUSTED, f"another root than that of {root}")
        replace_file(root, pem_of(chain[-1]))
        replace_file(places.path(f"{name}.pem"), pem_of(*chain))


def _open_or_make(uri: str) -> PrivateKey:
    try:
        return open_key(uri)
    except HomeportError as error:
        if error.code is not Code.KEY_MISSING:
            raise
    return make_key(uri)
