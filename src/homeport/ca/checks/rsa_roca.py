# SPDX-License-Identifier: Apache-2.0
"""An RSA key was not made by a library with the ROCA weakness (CVE-2017-15361).

Infineon's RSALib 1.02.013, in TPMs and smart cards of many makers, made primes of the form
k*M + (65537^a mod M), M being the product of the first primes. So a weak modulus is a power of
65537 modulo each of those primes; a sound one is, for all of them at once, by chance of one in
a hundred million. Nemec et al., "The Return of Coppersmith's Attack", ACM CCS 2017, section 2.1.
"""

from typing import Final

from homeport.ca.checks.plan import Plan
from homeport.errors import Code, HomeportError
from homeport.keys.algorithms import is_rsa

GENERATOR: Final = 65537

PRIME_LIMIT: Final = 167
"""The largest prime in M for the shortest keys; M of longer keys contains all of these."""


def _powers(prime: int) -> frozenset[int]:
    found = {1}
    power = GENERATOR % prime
    while power not in found:
        found.add(power)
        power = power * GENERATOR % prime
    return frozenset(found)


_PRIMES: Final = tuple(
    number
    for number in range(3, PRIME_LIMIT + 1)
    if all(number % factor for factor in range(2, number))
)
_POWERS: Final = {prime: _powers(prime) for prime in _PRIMES}


def check_rsa_roca(plan: Plan) -> None:
    """Raise KEY_UNSUITABLE for a key with the fingerprint."""
    key = plan.draft.public_key
    if not is_rsa(key):
        return
    modulus = key.public_numbers().n
    if all(modulus % prime in powers for prime, powers in _POWERS.items()):
        raise HomeportError(Code.KEY_UNSUITABLE, "RSA key with the ROCA weakness (CVE-2017-15361)")
