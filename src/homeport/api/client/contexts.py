# SPDX-License-Identifier: Apache-2.0
"""What is known of devices, what they are told, and which attributes their models have."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from homeport.api.client.asking import Asking
from homeport.api.wire.context import Context, ImportReport, Schema, Twin


class Contexts:
    """`/devices/{id}/context`, `/twin` and what is below `/tenants/{name}`."""

    def __init__(self, asking: Asking) -> None:
        """Ask there."""
        self._asking = asking

    def get(self, device: str) -> Context:
        """Read what is known of a device."""
        return self._asking.get(Context, "devices", device, "context")

    def change(self, device: str, patch: Mapping[str, Any]) -> Context:
        """Apply a merge patch to it."""
        return self._asking.change(Context, "PATCH", "devices", device, "context", said=patch)

    def twin(self, device: str) -> Twin:
        """Read what a device is told and says."""
        return self._asking.get(Twin, "devices", device, "twin")

    def tell(self, device: str, patch: Mapping[str, Any]) -> Twin:
        """Apply a merge patch to its settings."""
        return self._asking.change(Twin, "PATCH", "devices", device, "twin", said=patch)

    def schema(self, tenant: str, model: str) -> Schema:
        """Read a tenant's schema of a model."""
        return self._asking.get(Schema, "tenants", tenant, "models", model, "schema")

    def put_schema(self, tenant: str, model: str, document: Mapping[str, Any]) -> Schema:
        """Say a tenant's schema of a model."""
        path = ("tenants", tenant, "models", model, "schema")
        return self._asking.change(Schema, "PUT", *path, said=document)

    def all(self, tenant: str) -> Iterator[Context]:
        """Read all of a tenant's."""
        for page in self._asking.pages(Context, "tenants", tenant, "contexts"):
            yield from page.items

    def import_file(
        self, tenant: str, file: bytes | Iterable[bytes], *, good_lines: bool, dry_run: bool
    ) -> ImportReport:
        """Change many by a CSV file."""
        return self._asking.send(
            ImportReport,
            "tenants",
            tenant,
            "contexts",
            "import",
            body=file,
            media_type="text/csv",
            query={"good_lines": good_lines, "dry_run": dry_run},
        )
