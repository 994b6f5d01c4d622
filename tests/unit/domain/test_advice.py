# SPDX-License-Identifier: Apache-2.0
"""Advice holds commands that people copy: a serial number must stay one word of them."""

import shlex

import pytest

from homeport.domain.device import DeviceId
from homeport.domain.enrolment import Fact, advice_on


@pytest.mark.parametrize("serial_number", ["EX-000017", "EX 17", "$(reboot)", "'; reboot #"])
def test_a_serial_number_is_one_word_of_the_command(serial_number):
    advice = advice_on(Fact.OWNER, DeviceId("abcdefghijklmnop", serial_number))
    command = advice[advice.index("homeport ") : advice.index(", or import")]
    words = ["homeport", "device", "assign", serial_number, "--tenant", "NAME"]
    assert shlex.split(command) == words
