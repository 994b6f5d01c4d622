# SPDX-License-Identifier: Apache-2.0
"""The device's side of the native protocol: docs/protocols/native.md, sections in brackets."""

from homeport.protocols.native.device.answers import read_signed_answer
from homeport.protocols.native.device.exchange import PlatformConnection
from homeport.protocols.native.device.refusals import (
    PlatformRefusalError,
    printable,
    read_refusal,
)
from homeport.protocols.native.device.requests import (
    DeviceFacts,
    KeyRequest,
    Registering,
    SignedRequest,
    Signer,
    build_enrol_request,
    build_register_request,
    build_renew_request,
)
from homeport.protocols.native.device.transport import ClockBehindError, Proxy, Route
from homeport.protocols.native.device.trust import PlatformTrust, TimeSense

__all__ = [
    "ClockBehindError",
    "DeviceFacts",
    "KeyRequest",
    "PlatformConnection",
    "PlatformRefusalError",
    "PlatformTrust",
    "Proxy",
    "Registering",
    "Route",
    "SignedRequest",
    "Signer",
    "TimeSense",
    "build_enrol_request",
    "build_register_request",
    "build_renew_request",
    "printable",
    "read_refusal",
    "read_signed_answer",
]
