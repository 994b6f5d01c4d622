# SPDX-License-Identifier: Apache-2.0
"""What a platform answers [4]: believed only with the domain key's signature over this request.

TLS is not enough: what ends TLS may be a load balancer or a proxy in somebody else's hands, and
the same answer also travels without TLS (inside Wi-Fi Easy Connect).
"""

import hmac
from collections.abc import Sequence
from typing import NoReturn

from homeport.errors import Code, HomeportError, MalformedError
from homeport.pki import jws
from homeport.pki.certificates import parse_certificate
from homeport.pki.chains import verify_platform_signer
from homeport.protocols.native.device.requests import SignedRequest
from homeport.protocols.native.device.trust import PlatformTrust, TimeSense
from homeport.protocols.native.wire import (
    ANSWER_MAX_BYTES,
    ANSWER_TYP,
    VERSION,
    AnyAnswer,
    Enrolled,
    read_answer,
)


def read_signed_answer(
    body: bytes, request: SignedRequest, trust: PlatformTrust, sense: TimeSense
) -> AnyAnswer:
    """Verify an answer and read it.

    Raise PLATFORM_UNPROVEN if the signature, its signer (chain, purpose, name, dates), the
    device's nonce or the request's hash is wrong, MalformedError if it cannot be read.
    """
    signed = _parse(body)
    if signed.header.typ != ANSWER_TYP or signed.header.x5c is None:
        _unproven("what was signed is no answer")
    signer = verify_platform_signer(
        signed.header.x5c, trust.anchors, trust.name, sense.now, sense.floor
    )
    try:
        payload = jws.verify(signed, signer)
    except MalformedError:
        raise
    except HomeportError as error:
        raise HomeportError(Code.PLATFORM_UNPROVEN, f"answer: {error}") from None
    answer = read_answer(payload)
    _check_time(answer, signed.header.x5c[0])
    if isinstance(answer, Enrolled):
        _check_anchors(answer, signed.header.x5c, trust, sense)
    # Both are looked at, so that the time says nothing about which was wrong.
    is_mine = hmac.compare_digest(answer.device_nonce, request.device_nonce)
    is_this = hmac.compare_digest(answer.request_hash, request.hash)
    if not is_mine & is_this:
        _unproven("an answer to another request")
    if answer.version != VERSION:
        raise MalformedError(f"answer of version {answer.version}")
    return answer


def _parse(body: bytes) -> jws.UnverifiedJws:
    try:
        return jws.parse(body, limit=ANSWER_MAX_BYTES)
    except MalformedError:
        raise
    except HomeportError as error:  # an algorithm that is none of ours
        raise HomeportError(Code.PLATFORM_UNPROVEN, f"answer: {error}") from None


def _check_time(answer: AnyAnswer, leaf: bytes) -> None:
    """Refuse a time after the end of the very certificate that signed it.

    The device keeps the latest signed time for good: a platform whose clock stands in another
    decade would make every certificate of the present look expired.
    """
    if answer.time > parse_certificate(leaf).not_valid_after_utc.timestamp():
        _unproven("its time is after the end of its own certificate")


def _check_anchors(
    answer: Enrolled, x5c: Sequence[bytes], trust: PlatformTrust, sense: TimeSense
) -> None:
    """Refuse anchors under which this very answer would not hold: they would lock the device out.

    A rotation therefore sends the old and the new anchor together before it signs with the new.
    """
    try:
        rotated = PlatformTrust.of(trust.name, answer.anchors)
        verify_platform_signer(x5c, rotated.anchors, trust.name, sense.now, sense.floor)
    except HomeportError as error:
        _unproven(f"its anchors do not prove itself: {error.detail}")


def _unproven(detail: str) -> NoReturn:
    raise HomeportError(Code.PLATFORM_UNPROVEN, detail)
