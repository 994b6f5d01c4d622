# SPDX-License-Identifier: Apache-2.0
"""Names for certificates that we make: subjects, alternative names, the name of the hardware."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from homeport.errors import Code, HomeportError
from homeport.pki.names import DEVICE_URI, HARDWARE_MODULE_NAME

NAME_LIMIT: Final = 64
"""Characters of a commonName or serialNumber (ub-common-name, RFC 5280 appendix A.1)."""
SHORT_LENGTH: Final = 127
"""DER lengths up to here take one byte (X.690 section 8.1.3.4)."""

_PRINTABLE: Final = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*")
"""The alphabet of a PrintableString (X.680 section 41.4): no underscore, no number sign."""


class HardwareModule(NamedTuple):
    """Which hardware this is (RFC 4108 section 5): the type's OID and the maker's number."""

    type: x509.ObjectIdentifier
    serial_number: bytes


def device_subject(serial_number: str, common_name: str | None = None) -> x509.Name:
    """Return a subject with the serial number, and perhaps a common name before it.

    Raise PROFILE_REFUSED if one is empty, longer than 64 characters or has control characters.
    """
    return x509.Name(
        [
            *([_attribute(NameOID.COMMON_NAME, common_name)] if common_name else []),
            _attribute(NameOID.SERIAL_NUMBER, serial_number),
        ]
    )


def common_name(name: str) -> x509.Name:
    """Return a subject with a common name alone; raise PROFILE_REFUSED as `device_subject`."""
    return x509.Name([_attribute(NameOID.COMMON_NAME, name)])


def platform_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    """Return DNS names and IP addresses as subjectAltName; raise PROFILE_REFUSED if one is bad."""
    return x509.SubjectAlternativeName([_platform_name(name) for name in names])


def device_name(device_id: str) -> x509.SubjectAlternativeName:
    """Return the subjectAltName of an LDevID: `urn:homeport:device:ID`."""
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(DEVICE_URI + device_id)])


def hardware_name(hardware: HardwareModule) -> x509.SubjectAlternativeName:
    """Return the HardwareModuleName of an IDevID as subjectAltName (802.1AR section 8.10.4).

    Raise PROFILE_REFUSED if type and number together take more than about 120 bytes.
    """
    # An extendedKeyUsage is a SEQUENCE OF OID: without its two bytes of header, the OID in DER.
    content = x509.ExtendedKeyUsage([hardware.type]).public_bytes()[2:]
    content += bytes([0x04, len(hardware.serial_number) & 0xFF]) + hardware.serial_number
    if len(content) > SHORT_LENGTH:
        raise HomeportError(Code.PROFILE_REFUSED, "the hardware module name is too long")
    value = bytes([0x30, len(content)]) + content
    return x509.SubjectAlternativeName([x509.OtherName(HARDWARE_MODULE_NAME, value)])


def _attribute(oid: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    if not 0 < len(value) <= NAME_LIMIT or not value.isprintable():
        raise HomeportError(Code.PROFILE_REFUSED, f"a name in a certificate: {value[:80]!r}")
    if oid == NameOID.SERIAL_NUMBER and not _PRINTABLE.fullmatch(value):
        # X.520 says PrintableString, which such serial numbers do not fit; `cryptography` would
        # write one that nobody can read. Readers take the UTF8String.
        return x509.NameAttribute(oid, value, _ASN1Type.UTF8String)
    return x509.NameAttribute(oid, value)


def _platform_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name.rstrip(".").lower())
    except ValueError as error:
        raise HomeportError(Code.PROFILE_REFUSED, f"{name!r}: {error}") from None
