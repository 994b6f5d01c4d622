# SPDX-License-Identifier: Apache-2.0
"""Vouchers: those that hold, and one for every way to be refused."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from cryptography import x509

from homeport.artefacts.general_jws import general_from_flattened
from homeport.artefacts.signers import MANIFEST_SIGNER, VOUCHER_SIGNER
from homeport.artefacts.voucher import TYP, Voucher, idevid_issuer_of, issue_voucher
from homeport.pki import base64url, jws
from homeport.pki.certificates import der_of
from tools.vectors_artefacts.works import BEGIN, Signer, Works, memory_key

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
NONCE: Final = bytes(range(16))


@dataclass(frozen=True)
class Device:
    """What the device knows when it decides."""

    serial_number: str
    idevid_issuer: bytes | None
    epoch_floor: int = 2
    nonce: bytes | None = None
    now: datetime | None = NOW
    floor: datetime | None = None


def vectors(works: Works) -> Iterator[Mapping[str, Any]]:
    """Yield every vector."""
    idevid = x509.load_der_x509_certificate(works.line(17).idevid)
    device = Device("EX-000017", idevid_issuer_of(idevid))
    owner = der_of(Works().root)
    said = Voucher(
        serial_number="EX-000017",
        pinned_domain_cert=owner,
        epoch=2,
        created_on=BEGIN,
        idevid_issuer=device.idevid_issuer,
    )
    bench = _Bench(works, device, said)
    yield from _good(bench)
    yield from _by_others(bench)
    yield from _about_others(bench)
    yield from _at_other_times(bench)
    yield from _altered(bench)


class _Bench:
    """Makes vectors that differ from the good one in one thing."""

    def __init__(self, works: Works, device: Device, said: Voucher) -> None:
        self.works, self.device, self.said = works, device, said

    def issue(self, signer: Signer | None = None, **changes: Any) -> bytes:
        chosen = signer or self.works.voucher_signer
        return issue_voucher(replace(self.said, **changes), chosen.key, chosen.x5c)

    def raw(self, leafs: Mapping[str, Any], typ: str = TYP) -> bytes:
        """Sign leafs that `issue_voucher` would not write."""
        payload = json.dumps({"ietf-voucher:voucher": {**self.leafs(), **leafs}}).encode()
        signer = self.works.voucher_signer
        return general_from_flattened(jws.sign(payload, key=signer.key, typ=typ, x5c=signer.x5c))

    def leafs(self) -> dict[str, Any]:
        payload = base64url.decode(msgspec.json.decode(self.issue())["payload"])
        leafs: dict[str, Any] = json.loads(payload)["ietf-voucher:voucher"]
        return leafs

    def vector(
        self,
        name: str,
        about: str,
        voucher: bytes,
        refusal: tuple[str, str] | None = None,
        device: Device | None = None,
        anchors_for: str = "voucher",
    ) -> Mapping[str, Any]:
        knows = device or self.device
        anchor = self.works.root if anchors_for == "idevid" else self.works.voucher_root
        expected = {"verdict": "accepted", "epoch": self.said.epoch}
        if refusal:
            expected = {"verdict": "refused", "code": refusal[0], "reason": refusal[1]}
        return {
            "name": name,
            "description": about,
            "device": {
                "serial_number": knows.serial_number,
                "idevid_issuer": _text(knows.idevid_issuer),
                "epoch_floor": knows.epoch_floor,
                "nonce": _text(knows.nonce),
                "now": knows.now and knows.now.isoformat(),
                "floor": knows.floor and knows.floor.isoformat(),
                "anchors_for": anchors_for,
                "anchors": [_text(der_of(anchor))],
            },
            "voucher": voucher.decode(),
            "expected": expected,
        }

    def unproven(self, name: str, about: str, voucher: bytes, reason: str) -> Mapping[str, Any]:
        return self.vector(name, about, voucher, ("voucher-unproven", reason))


def _good(bench: _Bench) -> Iterator[Mapping[str, Any]]:
    device = bench.device
    yield bench.vector("good", "No nonce, no end; the device knows the time.", bench.issue())
    yield bench.vector(
        "good-nonce",
        "The device does not know the time; the voucher has its nonce.",
        bench.issue(nonce=NONCE),
        device=replace(device, now=None, nonce=NONCE),
    )
    yield bench.vector(
        "good-until",
        "The voucher has not ended yet.",
        bench.issue(expires_on=datetime(2026, 12, 1, tzinfo=UTC)),
    )
    yield bench.vector(
        "good-higher-epoch",
        "The device has seen a lower epoch.",
        bench.issue(),
        device=replace(device, epoch_floor=1),
    )
    yield bench.vector(
        "good-no-issuer",
        "Without idevid-issuer the serial number and the anchor decide.",
        bench.issue(idevid_issuer=None),
    )


def _by_others(bench: _Bench) -> Iterator[Mapping[str, Any]]:
    works, other = bench.works, Works()
    manifest_signer = Signer.under(works.voucher_issuer, MANIFEST_SIGNER)
    yield bench.unproven(
        "foreign-manufacturer",
        "Signed under the voucher anchor of another manufacturer.",
        bench.issue(other.voucher_signer),
        "candidates exhausted",
    )
    yield bench.unproven(
        "idevid-authority",
        "A voucher signer, but under the anchor for IDevIDs.",
        bench.issue(works.signer(VOUCHER_SIGNER)),
        "candidates exhausted",
    )
    yield bench.unproven(
        "signed-by-device",
        "Signed with the identity of a device.",
        bench.issue(works.device_signer(18)),
        "for another purpose",
    )
    yield bench.unproven(
        "other-usage",
        "Signed under the voucher anchor by a signer of manifests.",
        bench.issue(manifest_signer),
        "for another purpose",
    )
    key = memory_key()
    stolen = Signer(key, works.voucher_signer.certificate, works.voucher_signer.x5c)
    yield bench.unproven(
        "foreign-key",
        "The right chain, but signed with another key.",
        bench.issue(stolen),
        "signature",
    )
    bare = Signer(works.voucher_signer.key, works.voucher_signer.certificate, [])
    yield bench.unproven(
        "no-chain", "No x5c in the protected header.", bench.issue(bare), "no certificate"
    )
    root = Signer(works.voucher_root_key, works.voucher_root, [der_of(works.voucher_root)])
    yield bench.unproven(
        "signed-by-ca", "Signed by the anchor itself.", bench.issue(root), "a CA is not a leaf"
    )
    yield bench.vector(
        "anchors-for-idevids",
        "The device was given anchors for IDevIDs where voucher anchors belong.",
        bench.issue(works.signer(VOUCHER_SIGNER)),
        ("voucher-unproven", "anchors for idevid do not prove voucher"),
        anchors_for="idevid",
    )


def _about_others(bench: _Bench) -> Iterator[Mapping[str, Any]]:
    other = x509.load_der_x509_certificate(Works().line(17).idevid)
    yield bench.unproven(
        "other-device",
        "For another serial number.",
        bench.issue(serial_number="EX-000018"),
        "for another device",
    )
    yield bench.unproven(
        "other-issuer",
        "For another manufacturer's device of this number.",
        bench.issue(idevid_issuer=idevid_issuer_of(other)),
        "another manufacturer's device",
    )
    yield bench.vector(
        "epoch-backwards",
        "A former owner's voucher.",
        bench.issue(epoch=1),
        ("epoch-stale", "1 after 2"),
    )
    yield bench.unproven(
        "pinned-garbage",
        "The pinned domain certificate is none.",
        bench.issue(pinned_domain_cert=b"\x30\x03\x02\x01\x00"),
        "",
    )


def _at_other_times(bench: _Bench) -> Iterator[Mapping[str, Any]]:
    device, blind = bench.device, replace(bench.device, now=None)
    yield bench.unproven(
        "expired", "It ended an hour ago.",
        bench.issue(expires_on=datetime(2026, 11, 23, 11, tzinfo=UTC)), "it expired",
    )  # fmt: skip
    yield bench.vector(
        "no-time-no-nonce",
        "The device does not know the time, and the voucher has no nonce.",
        bench.issue(),
        ("voucher-unproven", "needs the device's nonce"),
        device=blind,
    )
    yield bench.vector(
        "no-time-but-end",
        "The device does not know the time; an end does not help it.",
        bench.issue(expires_on=datetime(2027, 1, 1, tzinfo=UTC)),
        ("voucher-unproven", "needs the device's nonce"),
        device=blind,
    )
    yield bench.vector(
        "other-nonce",
        "An old voucher with an old nonce, played again.",
        bench.issue(nonce=bytes(16)),
        ("voucher-unproven", "nonce is not the device's"),
        device=replace(blind, nonce=NONCE),
    )
    yield bench.vector(
        "nonce-not-asked",
        "A nonce although the device gave none: made for another run.",
        bench.issue(nonce=NONCE),
        ("voucher-unproven", "nonce is not the device's"),
        device=device,
    )
    both = {"nonce": _text(NONCE), "expires-on": "2027-01-01T00:00:00Z"}
    yield bench.unproven(
        "nonce-and-end", "RFC 8366 allows one of them.", bench.raw(both), "a nonce or an end"
    )


def _altered(bench: _Bench) -> Iterator[Mapping[str, Any]]:
    good = msgspec.json.decode(bench.issue())
    payload = base64url.decode(good["payload"]).replace(b"EX-000017", b"EX-000018")
    device = replace(bench.device, serial_number="EX-000018")
    yield bench.vector(
        "payload-altered",
        "The serial number was changed after signing.",
        json.dumps({**good, "payload": base64url.encode(payload).decode()}).encode(),
        ("voucher-unproven", "signature"),
        device=device,
    )
    yield bench.unproven(
        "two-signatures", "Several signatures: which of them counts is not defined.",
        json.dumps({**good, "signatures": good["signatures"] * 2}).encode(), "",
    )  # fmt: skip
    flat = json.dumps({"payload": good["payload"], **good["signatures"][0]}).encode()
    yield bench.unproven("flattened", "The flattened form, not the general one.", flat, "")
    yield bench.unproven(
        "other-type", "Signed for another purpose.", bench.raw({}, "homeport-manifest+jws"),
        "for another purpose",
    )  # fmt: skip
    yield bench.unproven(
        "revocation-checks", "It demands what the device cannot do.",
        bench.raw({"domain-cert-revocation-checks": True}), "revocation checks",
    )  # fmt: skip
    yield bench.unproven(
        "unknown-leaf", "A leaf that we do not know could be a condition.",
        bench.raw({"example:only-on-sundays": True}), "unknown field",
    )  # fmt: skip
    without = {k: v for k, v in bench.leafs().items() if "epoch" not in k}
    signer = bench.works.voucher_signer
    signed = jws.sign(
        json.dumps({"ietf-voucher:voucher": without}).encode(),
        key=signer.key, typ=TYP, x5c=signer.x5c,
    )  # fmt: skip
    yield bench.unproven(
        "no-epoch", "Another maker's voucher, without an epoch.", general_from_flattened(signed),
        "ownership-epoch",
    )  # fmt: skip
    header = json.loads(base64url.decode(good["signatures"][0]["protected"]))
    for algorithm in ("none", "HS256"):
        protected = base64url.encode(json.dumps({**header, "alg": algorithm}).encode()).decode()
        forged = {**good["signatures"][0], "protected": protected}
        yield bench.unproven(
            f"algorithm-{algorithm.lower()}", "The algorithm is the sender's choice.",
            json.dumps({**good, "signatures": [forged]}).encode(), "alg",
        )  # fmt: skip
    yield bench.unproven("truncated", "Half of it.", bench.issue()[:900], "")
    yield bench.unproven("too-large", "More than 8 kB.", bench.raw({"x": "y" * 9000}), "bytes")


def _text(octets: bytes | None) -> str | None:
    return None if octets is None else base64.b64encode(octets).decode()
