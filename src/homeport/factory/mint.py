# SPDX-License-Identifier: Apache-2.0
"""Mint: key, IDevID, DPP key and claim code for each serial number, into the archive."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice

from cryptography.hazmat.primitives.asymmetric import ec

from homeport.artefacts.claim_code import hash_claim_code, make_claim_code
from homeport.artefacts.dpp_key import compressed_point, dpp_spki
from homeport.factory.archive.file import BATCH, ArchiveWriter
from homeport.factory.archive.records import DeviceRecord, Order
from homeport.factory.archive.sealing import DeviceSecrets
from homeport.factory.factory import Factory
from homeport.factory.key_sources import KeySource, pkcs8

TOKEN_BATCH = 16
"""Devices for each fsync when a token makes the keys: it is a hundred times slower than the disk,
and a crash should not cost more than a second of its work."""


def mint(
    factory: Factory,
    archive: ArchiveWriter,
    keys: KeySource,
    work: tuple[Order, Iterable[str]],
    now: datetime,
    report: Callable[[int], None],
) -> int:
    """Mint the serial numbers under their order; return how many.

    They must not be in the archive yet. `report` is told the number of devices of each batch once
    they are on the disk. Interrupted at any moment, what is in the archive is minted, and what is
    not is not.
    """
    order, serial_numbers = work
    station = _Station(factory, keys, order, now.replace(microsecond=0))
    count = 0
    size = BATCH if keys.hardware_identity == "file" else TOKEN_BATCH
    for batch in _batches(serial_numbers, size):
        records = [station.make(serial_number) for serial_number in batch]
        archive.add(records)
        count += len(records)
        report(len(records))
    return count


class _Station:
    """Makes one device after the other; what they share is kept at hand."""

    def __init__(self, factory: Factory, keys: KeySource, order: Order, now: datetime) -> None:
        self._minter = factory.minter
        self._seal = factory.seal
        self._keys = keys
        self._order = order
        self._now = now
        self._at = int(now.timestamp())

    def make(self, serial_number: str) -> DeviceRecord:
        key = self._keys.key_for(serial_number)
        dpp_key = ec.generate_private_key(ec.SECP256R1())
        claim_code = make_claim_code()
        secrets = DeviceSecrets(key.private_key, pkcs8(dpp_key), claim_code)
        hardware = self._order.hardware(serial_number)
        idevid = self._minter.mint(
            key.public_key, serial_number, self._order.model, self._now, hardware
        )
        return DeviceRecord(
            order=self._order.id,
            at=self._at,
            serial_number=serial_number,
            model=self._order.model,
            hardware_identity=self._keys.hardware_identity,
            idevid=idevid,
            idevid_key=key.uri,
            dpp_key=dpp_spki(compressed_point(dpp_key.public_key())),
            claim_code_hash=hash_claim_code(claim_code).hex(),
            sealed=self._seal.close(secrets, serial_number),
        )


def _batches(serial_numbers: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(serial_numbers)
    while batch := list(islice(rest, size)):
        yield batch
