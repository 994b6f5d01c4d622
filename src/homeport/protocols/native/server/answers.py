# SPDX-License-Identifier: Apache-2.0
"""What a run's state is called in this protocol: [4] of docs/protocols/native.md.

The `match` has no default: a new state does not type-check until it has an answer here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeport.domain.credential import Credential, renewal_time
from homeport.domain.device import Device
from homeport.domain.enrolment import PARKED, Fact, State
from homeport.domain.topics import device_prefix
from homeport.errors import Code, HomeportError
from homeport.pki.jws import JwsSigner
from homeport.protocols.native.server.nonce import Nonces
from homeport.protocols.native.wire import (
    VERSION,
    WAIT_MAX_SECONDS,
    AnyAnswer,
    Endpoint,
    Enrolled,
    Parked,
    Redirect,
    encode,
)
from homeport.provisioning.enrolment.outcome import Outcome

RETRY_AFTER_SECONDS: Final = 2
"""Rest between two long polls: forgives a platform that answers at once."""

_DETAIL: Final = {
    Fact.OWNER: "The platform does not know yet whose device this is.",
    Fact.UPSTREAM: "The device's upstream cannot take it yet.",
    Fact.DECISION: "Another key is in use for this identity; a person has to decide.",
}


@dataclass(frozen=True, slots=True)
class Binding:
    """What ties an answer to its request."""

    device_nonce: bytes
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Site:
    """What this platform tells every device that it takes in."""

    endpoints: tuple[Endpoint, ...]
    anchors: tuple[bytes, ...]
    """Platform trust anchors, DER."""
    issuer_chain: Sequence[bytes]
    """Of the operational certificates, DER, without the root."""


class Answers:
    """Puts outcomes into words and signs them with the domain key."""

    def __init__(self, site: Site, signer: JwsSigner) -> None:
        """Take what to tell, and who signs it."""
        self._site, self._signer = site, signer

    def to_outcome(
        self, outcome: Outcome, binding: Binding, nonces: Nonces, now: datetime
    ) -> bytes:
        """Return the signed answer to an enrolment request; a parked device gets a nonce, too."""
        return self._sign(self._answer(outcome, binding, nonces, now))

    def to_renewal(
        self, device: Device, credential: Credential, binding: Binding, now: datetime
    ) -> bytes:
        """Return the signed answer to a renewal."""
        return self._sign(self._enrolled(device, credential, binding, int(now.timestamp())))

    def _answer(
        self, outcome: Outcome, binding: Binding, nonces: Nonces, at: datetime
    ) -> AnyAnswer:
        state, now = outcome.run.state, int(at.timestamp())
        match state:
            case State.ISSUED | State.OPERATIONAL:
                if outcome.credential is None:
                    raise HomeportError(Code.TRANSITION_ILLEGAL, f"{state} without a certificate")
                return self._enrolled(outcome.device, outcome.credential, binding, now)
            case State.AWAITING_OWNER | State.AWAITING_UPSTREAM | State.AWAITING_DECISION:
                return _parked(PARKED[state], binding, nonces.make(at), now)
            case State.REDIRECTED:
                return _redirect(outcome, binding, now)
            case State.PROVEN | State.ASSIGNED:
                raise HomeportError(Code.TRANSITION_ILLEGAL, f"the verb stopped in {state}")
            case State.SUPERSEDED | State.REFUSED:
                raise HomeportError(Code.KEY_REVOKED, state)
            case State.REVOKED:
                raise HomeportError(Code.CREDENTIAL_REVOKED, state)

    def _enrolled(
        self, device: Device, credential: Credential, binding: Binding, now: int
    ) -> Enrolled:
        tenant = device.tenant or ""
        renew_at = renewal_time(credential.not_before, credential.not_after)
        return Enrolled(
            version=VERSION,
            device_nonce=binding.device_nonce,
            request_hash=binding.request_hash,
            time=now,
            device=str(device.id),
            tenant=tenant,
            upstream=device.upstream or "",
            epoch=credential.epoch,
            certificate=(credential.certificate, *self._site.issuer_chain),
            renew_at=int(renew_at.timestamp()),
            endpoints=self._site.endpoints,
            topics=device_prefix(tenant, device.id),
            anchors=self._site.anchors,
        )

    def _sign(self, answer: AnyAnswer) -> bytes:
        return self._signer.sign(encode(answer))


def _parked(fact: Fact, binding: Binding, nonce: str, now: int) -> Parked:
    return Parked(
        version=VERSION,
        device_nonce=binding.device_nonce,
        request_hash=binding.request_hash,
        time=now,
        missing=fact,
        detail=_DETAIL[fact],
        nonce=nonce,
        wait=WAIT_MAX_SECONDS,
        retry_after=RETRY_AFTER_SECONDS,
    )


def _redirect(outcome: Outcome, binding: Binding, now: int) -> Redirect:
    redirection = outcome.redirection
    if redirection is None or redirection.upstream.url is None:
        raise HomeportError(Code.TRANSITION_ILLEGAL, "redirected to nowhere")
    return Redirect(
        version=VERSION,
        device_nonce=binding.device_nonce,
        request_hash=binding.request_hash,
        time=now,
        url=redirection.upstream.url,
        voucher=redirection.voucher,
    )
