# SPDX-License-Identifier: Apache-2.0
"""Who the device is, as the factory wrote it: the identity directory, read and checked.

    device.toml    model, serial number, where the keys are, the manufacturer's platform
    idevid.pem     IDevID and intermediates, without root
    platform.pem   trust anchors for the platform
    vouchers.pem   trust anchors for vouchers; without it the device accepts none

Three kinds of anchor, three files, three types: none stands in for another.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from homeport.address import platform_url
from homeport.errors import Code, HomeportError, MalformedError
from homeport.keys import open_key
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import (
    der_of,
    load_bundle,
    public_key_of,
    spki_of,
    subject_serial_number,
)
from homeport.protocols.native.device import PlatformTrust, Signer
from homeport.settings import load

DEVICE_FILE: Final = "device.toml"


@dataclass(frozen=True)
class HomeSettings:
    """`[platform]` of device.toml: the manufacturer's platform."""

    name: str
    """Host name that its certificates carry: pinned."""
    url: str = ""
    """Default address."""
    address: str = ""
    """If set, only this address is tried."""


@dataclass(frozen=True)
class DeviceSettings:
    """device.toml."""

    model: str
    """The maker's name of its kind."""
    serial_number: str
    """The maker's number, as in the IDevID."""
    idevid_key: str
    """URI of the IDevID's private key; a relative `file:` is below this directory."""
    platform: HomeSettings
    operational_keys: str = "file:"
    """Where LDevID keys are made: "file:" is the state directory, or a PKCS#11 URI of a token."""

    def __post_init__(self) -> None:
        """Refuse a place for keys that is neither."""
        if self.operational_keys != "file:" and not self.operational_keys.startswith("pkcs11:"):
            raise ValueError('operational_keys is "file:" or begins with pkcs11:')


@dataclass(frozen=True)
class Identity:
    """What a device is born with."""

    device: DeviceSettings
    idevid: Signer
    home: PlatformTrust
    """The manufacturer's platform, as pinned at the factory."""
    vouchers: Anchors


def load_identity(directory: Path) -> Identity:
    """Read the identity directory and open the IDevID's key.

    Raise FILE_MISSING, SETTING_WRONG, MalformedError, KEY_MISSING, KEY_STORE_UNAVAILABLE.
    """
    device = load_device_settings(directory)
    certificates = load_bundle(_read(directory / "idevid.pem"))
    if subject_serial_number(certificates[0]) != device.serial_number:
        raise _wrong(directory / "idevid.pem", "is another device's: the serial number differs")
    key = open_key(absolute_uri(device.idevid_key, directory))
    if spki_of(key.public_key()) != spki_of(public_key_of(certificates[0])):
        raise _wrong(directory / "idevid.pem", "does not belong to idevid_key")
    anchors = [der_of(anchor) for anchor in load_bundle(_read(directory / "platform.pem"))]
    return Identity(
        device,
        Signer(key, tuple(der_of(certificate) for certificate in certificates)),
        PlatformTrust.of(device.platform.name, anchors),
        _voucher_anchors(directory / "vouchers.pem"),
    )


def load_device_settings(directory: Path) -> DeviceSettings:
    """Read device.toml; raise FILE_MISSING, SETTING_WRONG."""
    device = load(DeviceSettings, directory / DEVICE_FILE)
    for url in filter(None, (device.platform.url, device.platform.address)):
        try:
            platform_url(url)
        except MalformedError as error:
            raise _wrong(directory / DEVICE_FILE, f"{url}: {error.detail}") from None
    return device


def absolute_uri(uri: str, directory: Path) -> str:
    """Make a relative `file:` URI absolute, below the directory; leave others as they are."""
    scheme, colon, rest = uri.partition(":")
    if scheme != "file" or not colon or rest.startswith("/"):
        return uri
    return f"file:{directory.absolute() / rest}"


def _voucher_anchors(path: Path) -> Anchors:
    certificates = load_bundle(_read(path)) if path.exists() else []
    return Anchors(Purpose.VOUCHER, certificates)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise HomeportError(Code.FILE_MISSING, str(path)) from None
    except OSError as error:
        raise _wrong(path, error.strerror or "cannot be read") from None


def _wrong(path: Path, why: str) -> HomeportError:
    return HomeportError(Code.SETTING_WRONG, f"{path} {why}")
