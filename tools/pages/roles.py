# SPDX-License-Identifier: Apache-2.0
"""docs/reference/roles.md, from `homeport.domain.people.PERMISSIONS`."""

from typing import Final

from homeport.domain.api_key import OPERATOR_ONLY
from homeport.domain.people import PERMISSIONS, Permission
from tools.pages.markdown import table

INTRODUCTION: Final = """\
# Roles

A role counts in one tenant; one person may have another one in each. The platform's operator may
everything everywhere. An API key may what its scopes name, and never more than whose key it is.
What one may not see answers as if it were not there.

"""

MEANING: Final = {
    Permission.DEVICES_READ: "see devices, their timeline and their messages' state",
    Permission.DEVICES_CLAIM: "register and claim devices, confirm them by presence",
    Permission.DEVICES_CONTEXT: "name, tags, attributes, location, twin",
    Permission.DEVICES_OPERATE: "renew, rekey, revoke, quarantine, reset, replace, decide on keys",
    Permission.DEVICES_TRANSFER: "offer and accept transfers, decommission",
    Permission.SALES_WRITE: "record sales",
    Permission.TENANT_READ: "see the tenant and the upstreams",
    Permission.TENANT_WRITE: "change title, default upstream and the schemas of models",
    Permission.MEMBERS_READ: "see members and invitations",
    Permission.MEMBERS_WRITE: "invite, change roles, remove; API keys of the tenant",
    Permission.AUDIT_READ: "read and export the tenant's audit trail",
    Permission.PLATFORM_OPERATE: "tenants, upstreams, manifests, vouchers, accounts",
}


def page() -> str:
    """One row a permission, one column a role."""
    heads = ("permission", *PERMISSIONS, "operator", "what it is for")
    rows = [
        (
            f"`{permission}`",
            *("yes" if permission in allowed else "" for allowed in PERMISSIONS.values()),
            "yes",
            MEANING[permission],
        )
        for permission in Permission
    ]
    keys = ", ".join(f"`{scope}`" for scope in sorted(OPERATOR_ONLY))
    return INTRODUCTION + table(heads, rows) + f"\nNot for a tenant's API keys: {keys}.\n"
