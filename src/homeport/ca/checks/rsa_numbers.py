# SPDX-License-Identifier: Apache-2.0
"""An RSA key has a usual exponent and no small factor.

NIST SP 800-89 section 5.3.3 and CA/Browser Forum Baseline Requirements section 6.1.6: the exponent
is odd and from 2^16+1 to 2^256-1; the modulus is odd and has no factor below 752.
"""

import math
from typing import Final

from homeport.ca.checks.plan import Plan
from homeport.errors import Code, HomeportError
from homeport.keys.algorithms import is_rsa

EXPONENTS: Final = range(2**16 + 1, 2**256, 2)

FACTOR_LIMIT: Final = 752

_SMALL_NUMBERS: Final = math.factorial(FACTOR_LIMIT - 1)
"""Shares a factor with exactly those moduli that have one below the limit."""


def check_rsa_numbers(plan: Plan) -> None:
    """Raise KEY_UNSUITABLE otherwise."""
    key = plan.draft.public_key
    if not is_rsa(key):
        return
    numbers = key.public_numbers()
    if numbers.e not in EXPONENTS:
        raise HomeportError(Code.KEY_UNSUITABLE, "RSA exponent out of range")
    if math.gcd(numbers.n, _SMALL_NUMBERS) != 1:
        raise HomeportError(Code.KEY_UNSUITABLE, "RSA modulus with a small factor")
