# SPDX-License-Identifier: Apache-2.0
"""A platform, as people ask it: one object for each of its resources."""

from collections.abc import Iterable

from homeport.api.client.asking import Asking, document
from homeport.api.client.contexts import Contexts
from homeport.api.client.devices import Devices
from homeport.api.client.life import Life, Transfers
from homeport.api.client.ownership import Claims
from homeport.api.client.people import People
from homeport.api.client.transport import Transport
from homeport.api.wire.artefacts import Authority, ManifestReport, NewAuthority, VoucherReport
from homeport.api.wire.places import NewTenant, NewUpstream, Tenant, TenantChange, Upstream


class Platform:
    """What is asked at a people's door; every refusal is a HomeportError."""

    def __init__(self, transport: Transport) -> None:
        """Ask on this way."""
        self.asking = asking = Asking(transport)
        self.devices = Devices(asking)
        self.claims = Claims(asking)
        self.contexts = Contexts(asking)
        self.life = Life(asking)
        self.transfers = Transfers(asking)
        self.people = People(asking)
        self.tenants = Tenants(asking)
        self.upstreams = Upstreams(asking)
        self.factories = Factories(asking)


class Tenants:
    """`/tenants`."""

    def __init__(self, asking: Asking) -> None:
        """Ask there."""
        self._asking = asking

    def all(self) -> list[Tenant]:
        """Return all that one may see."""
        return [each for page in self._asking.pages(Tenant, "tenants") for each in page.items]

    def add(self, name: str, *, title: str, upstream: str) -> Tenant:
        """Add one."""
        new = document(NewTenant, name=name, title=title, upstream=upstream)
        return self._asking.post(Tenant, "tenants", said=new)

    def change(self, name: str, *, title: str | None, upstream: str | None) -> Tenant:
        """Change title and default upstream; None stays as it is."""
        said = document(TenantChange, title=title, upstream=upstream).model_dump()
        return self._asking.change(Tenant, "PATCH", "tenants", name, said=said)


class Upstreams:
    """`/upstreams`."""

    def __init__(self, asking: Asking) -> None:
        """Ask there."""
        self._asking = asking

    def all(self) -> list[Upstream]:
        """Return all."""
        return [each for page in self._asking.pages(Upstream, "upstreams") for each in page.items]

    def add(self, name: str, *, url: str, domain_certificate: str) -> Upstream:
        """Add another platform; its domain certificate is PEM."""
        new = document(NewUpstream, name=name, url=url, domain_certificate=domain_certificate)
        return self._asking.post(Upstream, "upstreams", said=new)


class Factories:
    """`/authorities`, `/manifests`, `/vouchers`."""

    def __init__(self, asking: Asking) -> None:
        """Ask there."""
        self._asking = asking

    def authorities(self) -> list[Authority]:
        """Return the issuers of device identities that are trusted."""
        pages = self._asking.pages(Authority, "authorities")
        return [each for page in pages for each in page.items]

    def trust(self, name: str, anchor: str) -> Authority:
        """Trust one more."""
        new = document(NewAuthority, name=name, anchor=anchor)
        return self._asking.post(Authority, "authorities", said=new)

    def import_manifest(self, manifest: bytes | Iterable[bytes]) -> ManifestReport:
        """Register the devices of a manifest whose authority is trusted."""
        media_type = "application/octet-stream"
        return self._asking.send(ManifestReport, "manifests", body=manifest, media_type=media_type)

    def file_voucher(self, voucher: bytes) -> VoucherReport:
        """File an ownership voucher."""
        media_type = "application/voucher-jws+json"
        return self._asking.send(VoucherReport, "vouchers", body=voucher, media_type=media_type)
