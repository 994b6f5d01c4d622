# SPDX-License-Identifier: Apache-2.0
"""The numbers of Wi-Fi Easy Connect (sections 8.1 and 8.2): nothing but tables.

Only those that release 2 needs for authentication, configuration and its results. PKEX,
reconfiguration and chirping have numbers of their own, which this package passes over.
"""

from enum import IntEnum, IntFlag
from typing import Final

VERSION: Final = 2
"""Of the protocol; what we say we speak. There is no TCP in release 1."""
TCP_PORT: Final = 8908
SSID_MAX: Final = 32
"""Octets of a network's name (802.11 section 9.4.2.2)."""


class ActionType(IntEnum):
    """DPP frame types of public action frames (section 8.2)."""

    AUTHENTICATION_REQUEST = 0
    AUTHENTICATION_RESPONSE = 1
    AUTHENTICATION_CONFIRM = 2
    CONFIGURATION_RESULT = 11
    CONNECTION_STATUS_RESULT = 12


class AttributeId(IntEnum):
    """Attributes (section 8.1)."""

    STATUS = 0x1000
    INITIATOR_KEY_HASH = 0x1001
    RESPONDER_KEY_HASH = 0x1002
    INITIATOR_PROTOCOL_KEY = 0x1003
    WRAPPED_DATA = 0x1004
    INITIATOR_NONCE = 0x1005
    INITIATOR_CAPABILITIES = 0x1006
    RESPONDER_NONCE = 0x1007
    RESPONDER_CAPABILITIES = 0x1008
    RESPONDER_PROTOCOL_KEY = 0x1009
    INITIATOR_TAG = 0x100A
    RESPONDER_TAG = 0x100B
    CONFIGURATION_OBJECT = 0x100C
    CONFIGURATION_ATTRIBUTES = 0x100E
    ENROLLEE_NONCE = 0x1014
    CHANNEL = 0x1018
    PROTOCOL_VERSION = 0x1019
    SEND_CONNECTION_STATUS = 0x101B
    CONNECTION_STATUS = 0x101C


class Status(IntEnum):
    """What a side says of a request (section 8.1)."""

    OK = 0
    NOT_COMPATIBLE = 1
    AUTHENTICATION_FAILURE = 2
    UNWRAP_FAILURE = 3
    BAD_GROUP = 4
    CONFIGURE_FAILURE = 5
    RESPONSE_PENDING = 6
    INVALID_CONNECTOR = 7
    NO_MATCH = 8
    CONFIGURATION_REJECTED = 9
    NO_ACCESS_POINT = 10
    CONFIGURE_PENDING = 11
    REQUEST_NEEDED = 12
    """CSR needed: the Enrollee is to ask again, with what is missing."""
    REQUEST_BAD = 13


class Role(IntFlag):
    """What a side is ready to be (section 8.1); one bit is a role, both are a choice."""

    ENROLLEE = 1
    CONFIGURATOR = 2
