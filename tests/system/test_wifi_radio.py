# SPDX-License-Identifier: Apache-2.0
"""Wi-Fi by stock programs with a radio, in a virtual machine: wpa_supplicant keeps the contract.

One boot runs all cases (a minute); here each is a test of its own.
"""

import json
import sys

import pytest

from contract.wifi_suite import CASES
from fakes.virtual_machine.machine import VirtualMachine, require_virtual_machine
from fakes.virtual_machine.wifi_cases import RADIO_CASES, RESULTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

LIMIT_SECONDS = 300.0
"""Five times what it takes."""


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each case failed with; nothing for those that passed."""
    require_virtual_machine()
    program = [sys.executable, "-m", "fakes.virtual_machine.wifi_cases"]
    with VirtualMachine(tmp_path_factory.mktemp("radio") / "vm", program) as machine:
        machine.wait(LIMIT_SECONDS)
    lines = (machine.share / RESULTS).read_text().splitlines()
    return {result["case"]: result["failure"] for result in map(json.loads, lines)}


@pytest.mark.parametrize("case", [*CASES, *RADIO_CASES])
def test_wpa_supplicant(case: str, failures: dict[str, str]):
    assert failures[case] == "", failures[case]
