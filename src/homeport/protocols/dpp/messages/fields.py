# SPDX-License-Identifier: Apache-2.0
"""Fields that several messages have."""

from homeport.errors import Code, MalformedError
from homeport.protocols.dpp.wire.attributes import Attributes
from homeport.protocols.dpp.wire.vocabulary import AttributeId, Role


def read_version(clear: Attributes) -> int:
    """Return the version; a message without one is of release 1 (section 8.1)."""
    version = clear.optional(AttributeId.PROTOCOL_VERSION, 1)
    if version == b"\0":
        raise MalformedError("protocol version 0", Code.DPP_MALFORMED)
    return version[0] if version else 1


def read_role(octet: bytes) -> Role:
    """Return the roles; the other bits are reserved."""
    return Role(octet[0] & (Role.ENROLLEE | Role.CONFIGURATOR))
