# SPDX-License-Identifier: Apache-2.0
"""Object identifiers and names that our certificates carry.

`DOMAIN_SIGNER` is ours: an extended key usage for the key that signs a platform's answers. It
lies under 2.25, the arc for UUIDs (ITU-T X.667), and stands for the UUID
6f0c1c1e-7d0a-4b53-9a44-3f1f3c2d9b57. A TLS server certificate or a device's identity under the
same trust anchors does not carry it, so neither can answer for a platform.
"""

from datetime import UTC, datetime
from typing import Final

from cryptography.x509 import ObjectIdentifier

DOMAIN_SIGNER: Final = ObjectIdentifier("2.25.147607185417439928704113280383695297367")

HARDWARE_MODULE_NAME: Final = ObjectIdentifier("1.3.6.1.5.5.7.8.4")
"""id-on-hardwareModuleName (RFC 4108 section 5): type and serial number of the hardware."""

DEVICE_URI: Final = "urn:homeport:device:"
"""In an LDevID, the subjectAltName URI is this and the device id."""

NO_EXPIRY: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""GeneralizedTime 99991231235959Z: no well-defined expiration (RFC 5280 section 4.1.2.5)."""
