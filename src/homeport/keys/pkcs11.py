# SPDX-License-Identifier: Apache-2.0
"""Private keys in PKCS#11 tokens: made inside, used inside, never to leave (RFC 7512 URIs).

New keys are EC, SENSITIVE, not EXTRACTABLE and persistent; the public half is stored beside, so
that the key can be opened again. CKM_ECDSA signs a hash that we computed.
"""

import secrets
from collections.abc import Iterator
from typing import Final, NoReturn, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from pkcs11 import (
    Attribute,
    KeyType,
    Mechanism,
    Object,
    ObjectClass,
    PrivateKey,
    PublicKey,
    Session,
)
from pkcs11.types import SignMixin
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from homeport.errors import Code, HomeportError
from homeport.keys.algorithms import ECDSA, SignatureAlgorithm, algorithms_of, der_from_jose
from homeport.keys.file import curve_named
from homeport.keys.private_key import KeyKind
from homeport.keys.token import Token, token_of
from homeport.keys.uri import Pkcs11Uri

ID_SIZE: Final = 16
"""Bytes of a random CKA_ID: it ties the halves of a key pair together in the token."""

ONLY_SIGNS: Final = "a key in a token only signs, and never leaves it"

Buffer = bytes | bytearray | memoryview


class Pkcs11Key:
    """A private key that stays in its token."""

    kind: Final = KeyKind.PKCS11

    def __init__(self, uri: Pkcs11Uri, token: Token, public_key: ec.EllipticCurvePublicKey) -> None:
        """Take the key's place and its public half, read from the token."""
        self.uri: Final = uri.text
        self._place = uri
        self._token = token
        self._public_key = public_key
        self._algorithm = algorithms_of(public_key)[0]
        self._found: tuple[Session, SignMixin] | None = None

    def __repr__(self) -> str:
        return f"Pkcs11Key({self.uri!r})"

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the public half."""
        return self._public_key

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """Hash here, sign in the token; JOSE form. Raise ALGORITHM_REFUSED if it does not fit."""
        if algorithm is not self._algorithm:
            raise HomeportError(Code.ALGORITHM_REFUSED, f"{algorithm} with {self._algorithm}")
        digest = hashes.Hash(ECDSA[algorithm].algorithm)  # type: ignore[arg-type]
        digest.update(data)
        return self.sign_digest(digest.finalize())

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign a hash; r and s side by side. Raise KEY_STORE_UNAVAILABLE, KEY_MISSING."""
        return self._token.run(lambda session: self._sign(session, digest))

    def crypto_key(self) -> ec.EllipticCurvePrivateKey:
        """Return the key for the builders of `cryptography.x509`; it signs in the token."""
        return TokenEllipticCurveKey(self)

    def _sign(self, session: Session, digest: bytes) -> bytes:
        # The handle is kept while the session lives: looking it up costs more than signing.
        if self._found is None or self._found[0] is not session:
            self._found = (session, cast("SignMixin", _find_private(session, self._place)))
        signature: bytes = self._found[1].sign(digest, mechanism=Mechanism.ECDSA)
        return signature


class TokenEllipticCurveKey(ec.EllipticCurvePrivateKey):
    """What `cryptography` sees of a token's key: it can sign and nothing else."""

    def __init__(self, key: Pkcs11Key) -> None:
        """Wrap the key."""
        self._key = key

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the public half."""
        return self._key.public_key()

    @property
    def curve(self) -> ec.EllipticCurve:
        """The curve of the key."""
        return self._key.public_key().curve

    @property
    def key_size(self) -> int:
        """The size of the curve in bits."""
        return self._key.public_key().key_size

    def sign(self, data: Buffer, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """Hash and sign; DER, as `cryptography` wants it."""
        algorithm = signature_algorithm.algorithm
        if isinstance(algorithm, Prehashed):
            return der_from_jose(self._key.sign_digest(bytes(data)))
        digest = hashes.Hash(algorithm)
        digest.update(data)
        return der_from_jose(self._key.sign_digest(digest.finalize()))

    def exchange(self, *_: object, **__: object) -> NoReturn:
        """Refuse: keys of this room only sign."""
        raise UnsupportedAlgorithm(ONLY_SIGNS)

    def private_numbers(self) -> NoReturn:
        """Refuse: the key does not leave the token."""
        raise UnsupportedAlgorithm(ONLY_SIGNS)

    def private_bytes(self, *_: object, **__: object) -> NoReturn:
        """Refuse: the key does not leave the token."""
        raise UnsupportedAlgorithm(ONLY_SIGNS)

    def __copy__(self) -> "TokenEllipticCurveKey":
        return self

    def __deepcopy__(self, memo: object) -> "TokenEllipticCurveKey":
        return self


def open_pkcs11_key(uri: Pkcs11Uri) -> Pkcs11Key:
    """Find a key in its token.

    Raise KEY_MISSING if it is not there (or several are), KEY_STORE_UNAVAILABLE if the token does
    not answer or refuses the PIN, KEY_UNSUITABLE if it is not EC.
    """
    token = token_of(uri)
    return Pkcs11Key(uri, token, token.run(lambda session: _read_public(session, uri)))


def make_pkcs11_key(uri: Pkcs11Uri, curve: str) -> Pkcs11Key:
    """Make a key pair in the token; raise ALREADY_EXISTS rather than make a second of that name."""
    oid = curve_named(curve).name

    def make(session: Session) -> ec.EllipticCurvePublicKey:
        if any(_objects(session, uri, ObjectClass.PRIVATE_KEY)):
            raise HomeportError(Code.ALREADY_EXISTS, f"a key in token {uri.token!r}")
        parameters = session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(oid)}, local=True
        )
        public, _ = parameters.generate_keypair(
            id=uri.id or secrets.token_bytes(ID_SIZE),
            label=uri.object,
            store=True,
            private_template={
                Attribute.SENSITIVE: True,
                Attribute.EXTRACTABLE: False,
                Attribute.SIGN: True,
                Attribute.DERIVE: False,
            },
            public_template={Attribute.DERIVE: False},
        )
        return _load_public(encode_ec_public_key(public))

    token = token_of(uri)
    return Pkcs11Key(uri, token, token.run(make))


def delete_pkcs11_key(uri: Pkcs11Uri) -> None:
    """Destroy both halves; raise KEY_MISSING if there is no private one."""

    def delete(session: Session) -> None:
        identity = _find_private(session, uri)[Attribute.ID]
        for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
            for found in list(_objects(session, uri, kind)):
                if found[Attribute.ID] == identity:
                    found.destroy()

    token_of(uri).run(delete)


def _template(uri: Pkcs11Uri, kind: ObjectClass) -> dict[Attribute, object]:
    template: dict[Attribute, object] = {Attribute.CLASS: kind}
    if uri.object is not None:
        template[Attribute.LABEL] = uri.object
    if uri.id is not None:
        template[Attribute.ID] = uri.id
    return template


def _objects(session: Session, uri: Pkcs11Uri, kind: ObjectClass) -> Iterator[Object]:
    return session.get_objects(_template(uri, kind))


def _find_private(session: Session, uri: Pkcs11Uri) -> PrivateKey:
    found = list(_objects(session, uri, ObjectClass.PRIVATE_KEY))
    if len(found) != 1:
        what = "no such key" if not found else "several keys of that name; add id="
        raise HomeportError(Code.KEY_MISSING, f"token {uri.token!r}: {what}")
    return cast("PrivateKey", found[0])


def _read_public(session: Session, uri: Pkcs11Uri) -> ec.EllipticCurvePublicKey:
    private = _find_private(session, uri)
    if private.key_type is not KeyType.EC:
        raise HomeportError(Code.KEY_UNSUITABLE, f"token {uri.token!r}: not an EC key")
    identity = private[Attribute.ID]
    for public in session.get_objects(
        {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.ID: identity}
    ):
        return _load_public(encode_ec_public_key(cast("PublicKey", public)))
    # Some tokens keep no public object but tell the point with the private key (section 6.3.4).
    return _load_public(encode_ec_public_key(cast("PublicKey", private)))


def _load_public(der: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        raise HomeportError(Code.KEY_UNSUITABLE, "the token's public key cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise HomeportError(Code.KEY_UNSUITABLE, "not an EC key")
    return key
