# SPDX-License-Identifier: Apache-2.0
"""Wi-Fi Easy Connect (DPP) release 2 on P-256, both roles: docs/protocols/provisioning-mode.md.

The core has no I/O: `Enrollee` and `Configurator` take frames and return frames and events. Either
may be the `Initiator`, who knows the other's label, or the `Responder`, whose label it is.
`carriers` runs them over a byte stream. Of the rest of Homeport this package needs `errors` and
`keys` alone.

Section numbers are those of the Wi-Fi Easy Connect specification, as far as they were at hand; for
what stands on the wire the reference is wpa_supplicant 2.10, against which all of it is tested.

Not here yet, and where it goes: mutual authentication (L and BI in `exchange/schedule.py`, the key
hash in `messages/authentication_*.py`, a Responder that waits for a label), 802.1X (`Akm` and
`Credential`), other curves (`points.py`), NFC hand-over (a carrier of the same URI).
"""

from homeport.protocols.dpp.configuration.connector import (
    Connector,
    Group,
    sign_connector,
    signing_key,
    verify_connector,
)
from homeport.protocols.dpp.configuration.credential import Akm, Credential
from homeport.protocols.dpp.configuration.objects import (
    ConfigurationObject,
    ConfigurationRequest,
    ConnectionStatus,
    Network,
)
from homeport.protocols.dpp.configuration.provisioning import (
    Challenge,
    Demand,
    ProvisioningAnswer,
    ProvisioningRequest,
)
from homeport.protocols.dpp.configuration.seen_networks import SeenNetwork
from homeport.protocols.dpp.exchange.authenticated import (
    Accepted,
    Asked,
    Authenticated,
    Configured,
    DppError,
    Event,
    Joined,
    MoreNeeded,
    Postponed,
    Step,
)
from homeport.protocols.dpp.exchange.configurator import Configurator
from homeport.protocols.dpp.exchange.enrollee import Enrollee
from homeport.protocols.dpp.exchange.initiator import Initiator
from homeport.protocols.dpp.exchange.responder import Responder
from homeport.protocols.dpp.exchange.states import State
from homeport.protocols.dpp.points import KeyAgreement
from homeport.protocols.dpp.uri import BootstrappingUri, Channel, read_uri, write_uri
from homeport.protocols.dpp.wire.vocabulary import TCP_PORT, Role, Status

__all__ = [
    "TCP_PORT",
    "Accepted",
    "Akm",
    "Asked",
    "Authenticated",
    "BootstrappingUri",
    "Challenge",
    "Channel",
    "ConfigurationObject",
    "ConfigurationRequest",
    "Configurator",
    "Configured",
    "ConnectionStatus",
    "Connector",
    "Credential",
    "Demand",
    "DppError",
    "Enrollee",
    "Event",
    "Group",
    "Initiator",
    "Joined",
    "KeyAgreement",
    "MoreNeeded",
    "Network",
    "Postponed",
    "ProvisioningAnswer",
    "ProvisioningRequest",
    "Responder",
    "Role",
    "SeenNetwork",
    "State",
    "Status",
    "Step",
    "read_uri",
    "sign_connector",
    "signing_key",
    "verify_connector",
    "write_uri",
]
