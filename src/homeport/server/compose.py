# SPDX-License-Identifier: Apache-2.0
"""The platform's bill of materials: the only place where its parts are built and put together."""

import ipaddress
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from homeport.api.server.app import make_app
from homeport.api.server.event_hub import EventHub
from homeport.api.server.guessing import ClaimGuesses
from homeport.api.server.parts import Parts as PeopleParts
from homeport.api.server.people.authenticator import BySessionOrKey
from homeport.artefacts.audit_head import TYP as HEAD_TYP
from homeport.broker.embedded import EmbeddedBroker
from homeport.broker.link import BrokerLink
from homeport.broker.settings import EmbeddedSettings
from homeport.broker.settings import Listener as BrokerListener
from homeport.ca import LocalIssuer
from homeport.ca.profiles import BACKDATE, LDEVID
from homeport.ca.revocation import RevocationLists
from homeport.clock import Clock
from homeport.domain.audit import AuditEvent, Name
from homeport.errors import Code, HomeportError
from homeport.http.asgi import App
from homeport.http.problem import with_problems
from homeport.http.throttle import Throttle
from homeport.pki.certificates import der_of
from homeport.pki.jws import JwsSigner
from homeport.protocols.mqtt.commands import COMMAND_TYP
from homeport.protocols.mqtt.server import StateMessages
from homeport.protocols.mqtt.wire import WEBSOCKET_PATH, login_url
from homeport.protocols.native.server.answers import Answers, Site
from homeport.protocols.native.server.door import Limits, NativeDoor, Parts
from homeport.protocols.native.server.nonce import Nonces
from homeport.protocols.native.server.prove import Prover
from homeport.protocols.native.wire import ANSWER_TYP, Endpoint
from homeport.provisioning.admit import Admission, admit
from homeport.provisioning.policy import Policy
from homeport.provisioning.ports import Registry
from homeport.provisioning.waiting import WAKING, Waiting
from homeport.server.audit.exporting import Exporting
from homeport.server.audit.heads_file import HeadsFile
from homeport.server.audit.publishing import Publishing
from homeport.server.audit.sealing import Sealing
from homeport.server.audit.trail import Handler, Trail
from homeport.server.authorities import KnownAuthorities
from homeport.server.certificates.platform_keys import PlatformKeys
from homeport.server.doors import Doors
from homeport.server.listeners import Listener, Place
from homeport.server.metrics import CertificateExpiry, PlatformGauges, measured
from homeport.server.noting import note_answer, note_failure
from homeport.server.opening import (
    broker_access,
    broker_directory,
    open_keys,
    open_registry,
)
from homeport.server.operations import OperationsDoor
from homeport.server.people import make_sign_in, offer_set_up
from homeport.server.reactions.clearing import LEAVING, Clearing
from homeport.server.reactions.commanding import Commanding
from homeport.server.reactions.disconnecting import Disconnecting
from homeport.server.reactions.overdue import end_overdue
from homeport.server.reactions.pushing import NEWS, Pushing
from homeport.server.renewing import Renewing, Switch
from homeport.server.settings import ServerSettings

Tasks = Mapping[str, Callable[[], Coroutine[Any, Any, None]]]


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything built and open: doors that are bound, and the tasks to run."""

    listeners: Sequence[Listener]
    tasks: Tasks
    """By name; each runs until cancelled."""


@asynccontextmanager
async def compose(settings: ServerSettings, clock: Clock) -> AsyncIterator[Platform]:
    """Build the platform, top to bottom; HomeportError says what is in the way."""
    keys = open_keys(settings, clock.now())
    waiting = Waiting()
    async with open_registry(settings) as registry:
        await offer_set_up(settings, registry)
        known = KnownAuthorities(registry)
        await known.refresh()

        def door() -> NativeDoor:
            return make_door(settings, keys, registry, known, waiting, clock)

        switch = Switch(door())
        events = EventHub(registry, clock)
        devices = Listener(
            Doors(
                devices=measured(with_problems(switch, note_failure), "device"),
                people=measured(
                    make_people_door(settings, keys, registry, events, clock), "people"
                ),
            ),
            _device_place(settings),
            tls=keys.tls_file,
            ending=events.end_streams,
        )
        devices.bind()
        async with open_broker(settings, keys, clock) as (broker, link):
            operations = Listener(
                with_problems(_operations(registry, link, keys, clock), note_failure),
                _operations_place(settings),
            )
            operations.bind()
            CertificateExpiry(keys.expiries)
            PlatformGauges(waiting, link)
            disconnecting = Disconnecting(link, registry, clock)
            pushing = Pushing(link, registry, clock)
            commanding = Commanding(link, registry, clock, lambda: _command_signer(keys))
            clearing = Clearing(link, registry, clock)
            states = StateMessages(registry, commanding.tell)

            logins = make_device_throttle(settings, clock)

            async def admitted(fingerprint: str, client_id: str) -> Admission:
                # Also one that is refused keeps the right to knock at TLS: not at the registry.
                logins.take(fingerprint)
                return await registry.read(
                    lambda tx: admit(
                        tx, fingerprint=fingerprint, client_id=client_id, now=clock.now()
                    ),
                    is_urgent=True,
                )

            renewing = Renewing(keys, switch, door, devices, broker, clock)
            websockets = [login_url(settings.name, WEBSOCKET_PATH)]
            handlers = _handlers(known, waiting, disconnecting, commanding)
            handlers |= {name: [pushing.of_event] for name in NEWS}
            for name in LEAVING:
                handlers.setdefault(name, []).append(clearing.of_event)
            trail = Trail(registry, clock, handlers)
            yield Platform(
                listeners=(devices, operations),
                tasks={
                    "admitting": lambda: link.serve_callout(admitted, websockets),
                    "states": lambda: link.serve_states(states.handle),
                    "disconnecting": disconnecting.work,
                    "commanding": commanding.work,
                    "pushing": pushing.work,
                    "overdue": lambda: end_overdue(registry, clock),
                    "clearing": clearing.work,
                    "trail": trail.follow,
                    "events": events.follow,
                    "publishing": Publishing(registry, link.events(), clock).keep,
                    "sealing": make_sealing(settings, keys, registry, clock).keep,
                    "renewing": renewing.keep,
                    **_of_our_broker(broker, states),
                },
            )


def _of_our_broker(broker: EmbeddedBroker | None, states: StateMessages) -> Tasks:
    """Return the tasks that a given broker has no need of."""
    if broker is None:
        return {}
    return {"absences": lambda: broker.follow_starts(states.end_absent)}


@asynccontextmanager
async def open_broker(
    settings: ServerSettings, keys: PlatformKeys, clock: Clock
) -> AsyncIterator[tuple[EmbeddedBroker | None, BrokerLink]]:
    """Start our own broker, unless one is given, and connect to it."""
    if settings.broker.urls:
        async with BrokerLink(broker_access(settings), clock) as link:
            yield None, link
        return
    listen = settings.listen
    websocket = BrokerListener(listen.mqtt_address, listen.websocket_port)
    embedded = EmbeddedSettings(
        directory=broker_directory(settings),
        certificate=keys.tls_file,
        key=keys.tls_file,
        device_issuers=keys.issuing_file,
        mqtt=BrokerListener(listen.mqtt_address, listen.mqtt_port),
        websocket=websocket if listen.websocket_port else None,
    )
    async with EmbeddedBroker(embedded, clock) as broker, BrokerLink(broker.access, clock) as link:
        yield broker, link


def make_door(
    settings: ServerSettings,
    keys: PlatformKeys,
    registry: Registry,
    known: KnownAuthorities,
    waiting: Waiting,
    clock: Clock,
) -> NativeDoor:
    """Put the device's door together from the keys as they are now."""
    nonces = Nonces(keys.nonce_key)
    lifetime = settings.enrolment.certificate_lifetime
    # A short certificate is backdated by little: renewal counts from its beginning.
    profile = replace(LDEVID, lifetime=lifetime, backdate=min(BACKDATE, lifetime / 10))
    issuer = LocalIssuer(keys.issuing, profile)
    site = Site(
        endpoints=_endpoints(settings),
        anchors=tuple(der_of(anchor) for anchor in keys.platform_anchors()),
        issuer_chain=issuer.chain(),
    )
    return NativeDoor(
        Parts(
            name=settings.name,
            url=settings.url,
            registry=registry,
            issuer=issuer,
            policy=Policy(
                second_key=settings.enrolment.second_key,
                renewal_grace=settings.enrolment.renewal_grace,
            ),
            prover=Prover(settings.url, nonces, [keys.issuing.certificate]),
            nonces=nonces,
            answers=Answers(site, JwsSigner(keys.domain_key, ANSWER_TYP, keys.domain_x5c())),
            waiting=waiting,
            limits=make_limits(settings, clock),
            clock=clock,
            anchors=known.anchors,
            noted=note_answer,
        )
    )


def make_people_door(
    settings: ServerSettings,
    keys: PlatformKeys,
    registry: Registry,
    events: EventHub,
    clock: Clock,
) -> App:
    """Put the people's door together."""
    sign_in = make_sign_in(settings, keys.nonce_key, registry, clock)
    limits = make_limits(settings, clock)  # of its own: a crowd of devices shuts no person out
    return make_app(
        PeopleParts(
            registry=registry,
            authenticator=BySessionOrKey(registry, clock, sign_in.lifetimes),
            clock=clock,
            noted=note_failure,
            guesses=ClaimGuesses(clock),
            sources=limits.sources,
            proxies=limits.proxies,
            uploads=settings.data,  # /tmp may be in memory
            invitation_lifetime=settings.people.invitation_lifetime,
            events=events,
            sign_in=sign_in,
        )
    )


def make_sealing(
    settings: ServerSettings, keys: PlatformKeys, registry: Registry, clock: Clock
) -> Sealing:
    """Put together what seals the audit trail and exports its heads."""
    heads = settings.audit.heads
    return Sealing(
        registry,
        Exporting(registry, HeadsFile(heads) if heads else None),
        clock,
        signer=lambda: JwsSigner(keys.domain_key, HEAD_TYP, keys.domain_x5c()),
        platform=settings.name,
        every=settings.audit.seal_every,
    )


def make_limits(settings: ServerSettings, clock: Clock) -> Limits:
    """Return how fast is too fast."""
    rates = settings.rates
    try:
        proxies = tuple(ipaddress.ip_network(proxy) for proxy in rates.proxies)
    except ValueError as error:
        raise HomeportError(Code.SETTING_WRONG, f"rates.proxies: {error}") from error
    return Limits(
        sources=Throttle(rate=rates.source_per_second, burst=rates.source_burst, clock=clock),
        devices=make_device_throttle(settings, clock),
        proxies=proxies,
    )


def make_device_throttle(settings: ServerSettings, clock: Clock) -> Throttle:
    """Return how often one device may ask."""
    rates = settings.rates
    return Throttle(rate=rates.device_per_second, burst=rates.device_burst, clock=clock)


def _endpoints(settings: ServerSettings) -> tuple[Endpoint, ...]:
    listen = settings.listen
    mqtt = Endpoint(protocol="mqtt", host=settings.name, port=listen.mqtt_port)
    if not listen.websocket_port:
        return (mqtt,)
    websocket = Endpoint(
        protocol="mqtt-websocket",
        host=settings.name,
        port=listen.websocket_port,
        path=WEBSOCKET_PATH,
    )
    return (mqtt, websocket)


def _command_signer(keys: PlatformKeys) -> JwsSigner:
    return JwsSigner(keys.domain_key, COMMAND_TYP, keys.domain_x5c())


def _handlers(
    known: KnownAuthorities,
    waiting: Waiting,
    disconnecting: Disconnecting,
    commanding: Commanding,
) -> dict[Name, list[Handler]]:
    async def wake(event: AuditEvent) -> None:
        if event.device is not None:
            waiting.wake(event.device)

    handlers: dict[Name, list[Handler]] = {name: [wake] for name in WAKING}
    handlers[Name.CREDENTIAL_REVOKED].append(disconnecting.of_event)
    handlers[Name.DEVICE_QUARANTINED] = [disconnecting.of_event]
    handlers[Name.DEVICE_RELEASED] = [disconnecting.of_event]
    handlers[Name.COMMAND_ASKED] = [commanding.of_event]
    handlers[Name.AUTHORITY_TRUSTED] = [known.refresh]
    return handlers


def _operations(
    registry: Registry, link: BrokerLink, keys: PlatformKeys, clock: Clock
) -> OperationsDoor:
    async def registry_answers() -> bool:
        await registry.read(lambda tx: tx.audit.last())
        return True

    async def broker_answers() -> bool:
        return link.is_connected

    lists = RevocationLists(keys.issuing)

    async def crl() -> bytes:
        now = clock.now()
        return lists.current(await registry.read(lambda tx: tx.credentials.revoked(now)), now)

    return OperationsDoor({"registry": registry_answers, "broker": broker_answers}, crl)


def _device_place(settings: ServerSettings) -> Place:
    listen = settings.listen
    return Place(name="device door", host=listen.address, port=listen.port, setting="listen.port")


def _operations_place(settings: ServerSettings) -> Place:
    listen = settings.listen
    return Place(
        name="operations door",
        host=listen.operations_address,
        port=listen.operations_port,
        setting="listen.operations_port",
    )
