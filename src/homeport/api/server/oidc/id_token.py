# SPDX-License-Identifier: Apache-2.0
"""Check an ID token (OpenID Connect Core section 3.1.3.7). No I/O: the keys are given.

The algorithm must fit the provider's key and be one of ours: never `none`, never a MAC, whatever
the token says (RFC 8725 section 3.1).
"""

import hmac
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from joserfc import jwk, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry, extract_compact

from homeport.errors import Code, HomeportError

Keys: TypeAlias = Sequence[RSAKey | ECKey]

LEEWAY: Final = timedelta(minutes=1)
"""How far the provider's clock and ours may be apart."""

SUBJECT_MAX: Final = 255
"""Characters of `sub` (section 2)."""

KEYS_MAX: Final = 20
"""Keys of a provider that are looked at; a rotation has three."""

_ALGORITHMS: Final = {
    "RSA": ("RS256", "PS256"),
    "P-256": ("ES256",),
    "P-384": ("ES384",),
}

RSA_BITS_MIN: Final = 2048


class _Registry(JWSRegistry):
    """What a token's header may be: some providers put a chain there, and members of their own."""

    max_header_length = 16 * 1024

    def __init__(self, algorithms: Collection[str]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)


_ANY: Final = _Registry(())
_REGISTRIES: Final = {kind: _Registry(names) for kind, names in _ALGORITHMS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the token must say."""

    issuer: str
    client_id: str
    nonce: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who signed in at the provider."""

    issuer: str
    subject: str
    suggested_name: str | None
    """What the provider calls the person; for the name of a new account, never to find one."""


def read_keys(document: object) -> Keys:
    """Return the keys of a JWK set (RFC 7517) that may sign; others are passed over."""
    members = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(members, list):
        raise _unproven("the provider's JWK set cannot be read")
    return [key for member in members[:KEYS_MAX] if (key := _read_key(member)) is not None]


def check_id_token(token: str, keys: Keys, expected: Expected) -> Person:
    """Return who it is about; HomeportError(PROVIDER_UNPROVEN) says in its detail what is wrong."""
    claims = _verified(token, keys)
    if claims.get("iss") != expected.issuer:
        raise _unproven("iss is another issuer")
    _check_audience(claims, expected.client_id)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not _same(nonce, expected.nonce):
        raise _unproven("nonce is not that of this sign-in")
    _check_times(claims, expected.now)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX:
        raise _unproven("sub is not there or too long")
    if not (subject.isascii() and subject.isprintable()):
        raise _unproven("sub has characters that it may not have")
    return Person(issuer=expected.issuer, subject=subject, suggested_name=_suggested_name(claims))


def names_unknown_key(token: str, keys: Keys) -> bool:
    """Say whether the token names a key that is not there: the provider may have a new one."""
    return bool(keys) and not _candidates(_key_id(token), keys)


def _verified(token: str, keys: Keys) -> Mapping[str, Any]:
    for key in _candidates(_key_id(token), keys):
        kind = key.curve_name if isinstance(key, ECKey) else "RSA"
        try:
            return jwt.decode(token, key, registry=_REGISTRIES[kind]).claims
        except (JoseError, ValueError, TypeError):
            continue
    raise _unproven("the signature is by no key of the provider")


def _key_id(token: str) -> str | None:
    """Return the key that the token names, before anything is verified."""
    try:
        named = extract_compact(token.encode(), registry=_ANY).headers().get("kid")
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise _unproven("the ID token cannot be read") from error
    return named if isinstance(named, str) else None


def _candidates(key_id: str | None, keys: Keys) -> Keys:
    return [key for key in keys if key_id is None or key.kid in (None, key_id)]


def _read_key(member: object) -> RSAKey | ECKey | None:
    if not isinstance(member, dict) or member.get("use", "sig") != "sig":
        return None
    try:
        with warnings.catch_warnings():  # of short keys, which are passed over below
            warnings.simplefilter("ignore")
            key = jwk.import_key(member)
        if isinstance(key, RSAKey):
            return key if key.public_key.key_size >= RSA_BITS_MIN else None
        return key if isinstance(key, ECKey) and key.curve_name in _ALGORITHMS else None
    except (JoseError, ValueError, TypeError):
        return None


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise _unproven("aud is another client")
    if claims.get("azp", client_id) != client_id:
        raise _unproven("azp is another client")
    if len(audiences) > 1 and "azp" not in claims:
        raise _unproven("several audiences and no azp")


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    expires, issued = _instant(claims.get("exp")), _instant(claims.get("iat"))
    if expires is None or now >= expires + LEEWAY:
        raise _unproven("exp is not there or over")
    if issued is None or issued > now + LEEWAY:
        raise _unproven("iat is not there or in the future")


def _instant(value: object) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _suggested_name(claims: Mapping[str, Any]) -> str | None:
    """An address only if the provider verified it: people take it for one's own."""
    email, name = claims.get("email"), claims.get("preferred_username")
    if isinstance(email, str) and claims.get("email_verified") is True:
        return email.lower()
    return name.lower() if isinstance(name, str) and "@" not in name else None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _unproven(why: str) -> HomeportError:
    return HomeportError(Code.PROVIDER_UNPROVEN, why)
