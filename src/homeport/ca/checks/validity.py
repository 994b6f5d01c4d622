# SPDX-License-Identifier: Apache-2.0
"""The validity has a length, is now, and lies within that of the CA.

RFC 5280 section 6.1.3 (a) (2) checks each certificate at the same time, so a leaf that outlives
its issuer is a promise that nobody can keep.
"""

from homeport.ca.checks.plan import Plan
from homeport.errors import Code, HomeportError


def check_validity(plan: Plan) -> None:
    """Raise PROFILE_REFUSED otherwise."""
    now = plan.draft.now
    if not plan.ca_not_before <= now < plan.ca_not_after:
        detail = f"the CA's certificate is valid from {plan.ca_not_before} to {plan.ca_not_after}"
        raise HomeportError(Code.PROFILE_REFUSED, detail)
    if not plan.ca_not_before <= plan.not_before <= now < plan.not_after <= plan.ca_not_after:
        detail = f"validity from {plan.not_before} to {plan.not_after}"
        raise HomeportError(Code.PROFILE_REFUSED, detail)
