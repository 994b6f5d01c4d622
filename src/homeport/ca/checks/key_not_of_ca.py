# SPDX-License-Identifier: Apache-2.0
"""The key is not one of the CA's own.

Whoever could use it could sign certificates; and a leaf with the CA's key has the CA's key
identifier (RFC 5280 section 4.2.1.1), so path builders take one for the other.
"""

from homeport.ca.checks.plan import Plan
from homeport.errors import Code, HomeportError


def check_key_not_of_ca(plan: Plan) -> None:
    """Raise KEY_UNSUITABLE if the key belongs to this CA or one above it."""
    if plan.draft.public_key in plan.ca_keys:
        raise HomeportError(Code.KEY_UNSUITABLE, "the key is that of a certification authority")
