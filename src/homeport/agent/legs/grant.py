# SPDX-License-Identifier: Apache-2.0
"""What a device takes from a signed answer: a certificate for its own key, or another platform.

The answer is the platform's word already; here the device checks that the word makes sense for
*it*: its key, its id, an epoch that does not run backwards. What outlives a reset is written down
first, so that a power cut between the two writes leaves the stricter floor.
"""

import logging
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from homeport.address import platform_url
from homeport.agent.identity import Identity
from homeport.agent.journey import Event
from homeport.agent.memory.logbook import Logbook
from homeport.agent.memory.records import Credential, KeyRequested, Platform
from homeport.agent.platforms import Approach
from homeport.agent.timekeeping import Timekeeper
from homeport.artefacts.voucher import idevid_issuer_of, verify_voucher
from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import PublicKey
from homeport.pki.certificates import (
    der_of,
    device_id_of,
    parse_certificate,
    public_key_of,
    spki_of,
)
from homeport.protocols.native.wire import Enrolled, Redirect

logger = logging.getLogger(__name__)

EARLIEST_RENEWAL: Final = 0.5
"""Share of the time that is left when a certificate arrives. A platform that wants it renewed
sooner, or at a time that has passed, would have the whole fleet renew without end."""
TOPIC_FORBIDDEN: Final = frozenset("#+\0")
"""Wildcards, which the agent would publish to or hear from others' topics."""


def accept_certificate(
    answer: Enrolled,
    logbook: Logbook,
    approach: Approach,
    request: KeyRequested,
    public_key: PublicKey,
) -> None:
    """Check what was granted and write it down; the journey goes on to CONNECTING.

    Raise EPOCH_STALE, or MalformedError for a grant that is not for this device.
    """
    platform = replace(approach.platform(), anchors=answer.anchors)
    credential = _credential(answer, platform, request.key, public_key)
    if answer.epoch < logbook.lifetime.epoch:
        detail = f"{answer.epoch} after {logbook.lifetime.epoch}"
        raise HomeportError(Code.EPOCH_STALE, detail)
    if approach.is_home:
        logbook.raise_floor(epoch=answer.epoch, anchors=answer.anchors)
    # Elsewhere the voucher alone says the epoch: an owner who could raise it by himself would shut
    # all later ones out.
    saved = logbook.saved
    dropped = [each.key for each in (saved.credential, saved.earlier) if each]
    if request.is_renewal:
        # The old one counts until the broker has seen the new one.
        dropped = [saved.earlier.key] if saved.earlier else []
    kept = {request.key, saved.credential.key if request.is_renewal and saved.credential else ""}
    logbook.step(
        Event.CERTIFICATE_GIVEN,
        credential=credential,
        earlier=saved.credential if request.is_renewal else None,
        request=None,
        told=None,
        platform=None if approach.is_home else platform,
        retired=(*saved.retired, *(key for key in dropped if key not in kept)),
    )


def accept_redirect(
    answer: Redirect, logbook: Logbook, identity: Identity, timekeeper: Timekeeper
) -> Platform:
    """Verify the voucher of a redirect, write the new platform down and return it.

    The voucher may carry the nonce of the request that was answered, and must where the clock is
    wrong and stays so. Raise VOUCHER_UNPROVEN, EPOCH_STALE, MalformedError.
    """
    url = platform_url(answer.url)
    voucher = verify_voucher(
        answer.voucher,
        anchors=identity.vouchers,
        serial_number=identity.device.serial_number,
        epoch_floor=logbook.lifetime.epoch,
        idevid_issuer=idevid_issuer_of(parse_certificate(identity.idevid.chain[0])),
        nonce=answer.device_nonce,
        now=timekeeper.trusted_now(),
        floor=timekeeper.floor,
    )
    platform = Platform(
        name=urlsplit(url).hostname or "",
        url=url,
        anchors=(der_of(voucher.pinned_domain_cert),),
        is_home=False,
    )
    logbook.raise_floor(epoch=voucher.epoch)
    logbook.step(Event.REDIRECTED, platform=platform, told=None)
    logger.info("a voucher of epoch %d sends this device to %s", voucher.epoch, url)
    return platform


def _earliest_renewal(now: int, ends: int) -> int:
    return now + int((ends - now) * EARLIEST_RENEWAL)


def _credential(
    answer: Enrolled, platform: Platform, key: str, public_key: PublicKey
) -> Credential:
    leaf = parse_certificate(answer.certificate[0])
    ends = int(leaf.not_valid_after_utc.timestamp())
    if spki_of(public_key_of(leaf)) != spki_of(public_key):
        raise MalformedError("the certificate is for another key")
    if device_id_of(leaf) != answer.device:
        raise MalformedError("the certificate names another device than the answer")
    if not TOPIC_FORBIDDEN.isdisjoint(answer.topics) or answer.topics.endswith("/"):
        raise MalformedError("the topics' prefix is none")
    return Credential(
        device=answer.device,
        tenant=answer.tenant,
        upstream=answer.upstream,
        epoch=answer.epoch,
        certificate=answer.certificate,
        not_before=int(leaf.not_valid_before_utc.timestamp()),
        not_after=ends,
        renew_at=min(max(answer.renew_at, _earliest_renewal(answer.time, ends)), ends),
        key=key,
        endpoints=answer.endpoints,
        topics=answer.topics,
        platform=platform,
    )
