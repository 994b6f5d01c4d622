# SPDX-License-Identifier: Apache-2.0
"""What must hold before the CA signs: one rule a file, each with its citation.

A check takes the planned certificate, returns nothing, and raises KEY_UNSUITABLE or
PROFILE_REFUSED. Cheapest first. A new rule is a file here and a row in the table.

That the sender holds the private key is not among them: only a `ProvenCsr` gets this far. That the
key is not another device's, and was never revoked, is the registry's knowledge and checked there.
"""

from collections.abc import Callable
from typing import Final

from homeport.ca.checks.alternative_names import check_alternative_names
from homeport.ca.checks.key_algorithm import check_key_algorithm
from homeport.ca.checks.key_not_of_ca import check_key_not_of_ca
from homeport.ca.checks.plan import Plan
from homeport.ca.checks.rsa_close_primes import check_rsa_close_primes
from homeport.ca.checks.rsa_numbers import check_rsa_numbers
from homeport.ca.checks.rsa_roca import check_rsa_roca
from homeport.ca.checks.validity import check_validity

CHECKS: Final[tuple[Callable[[Plan], None], ...]] = (
    check_key_algorithm,
    check_validity,
    check_alternative_names,
    check_key_not_of_ca,
    check_rsa_numbers,
    check_rsa_roca,
    check_rsa_close_primes,
)

__all__ = ["CHECKS", "Plan"]
