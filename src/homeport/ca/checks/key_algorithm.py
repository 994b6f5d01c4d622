# SPDX-License-Identifier: Apache-2.0
"""The key is of a kind that the profile allows: P-256, P-384, RSA of 2048 to 4096 bits.

NIST SP 800-57 part 1 table 4 (112 bits of security and more); IEEE 802.1AR-2018 section 9 names
the two curves and RSA-2048. Ed25519 and P-521 are sound, but the tokens and brokers of our field
do not have them.
"""

from homeport.ca.checks.plan import Plan
from homeport.errors import Code, HomeportError
from homeport.keys import default_algorithm


def check_key_algorithm(plan: Plan) -> None:
    """Raise KEY_UNSUITABLE for any other kind of key."""
    algorithm = default_algorithm(plan.draft.public_key)
    if algorithm not in plan.draft.profile.algorithms:
        detail = f"{algorithm} in profile {plan.draft.profile.name}"
        raise HomeportError(Code.KEY_UNSUITABLE, detail)
