# SPDX-License-Identifier: Apache-2.0
"""The agent as a program under libfaketime, whose clock can be stepped without the machine's.

libfaketime tells a process the time that stands in a file; stepping the clock here means writing
that file. Everything else is `homeport agent run`.
"""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

from homeport.agent.cli.run import run_in
from homeport.agent.compose import Outside
from homeport.agent.settings import AgentSettings

CAP_SYS_TIME = 1 << 25


def step(instant: datetime) -> None:
    """What `clock_settime` is elsewhere. The file holds local time; tests run with TZ=UTC."""
    # A file that is read while it is written would be a third time.
    target = Path(os.environ["FAKETIME_TIMESTAMP_FILE"])
    partial = target.with_suffix(".new")
    partial.write_text(f"@{instant + timedelta(seconds=1):%Y-%m-%d %H:%M:%S}")
    partial.replace(target)


def may_set_the_clock() -> bool:
    """Whether this process could set the machine's clock (capabilities(7))."""
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(effective.split()[1], 16) & CAP_SYS_TIME)


def main() -> int:
    """Run the agent; with "steps" its clock can be set, with "stuck" it cannot."""
    kind, identity, state, address = sys.argv[1:]
    settings = AgentSettings(identity=Path(identity), state=Path(state), address=address)
    if kind == "steps":
        return run_in(settings, Outside(step_clock=step, is_synchronised=lambda: False))
    if may_set_the_clock():
        return 3  # The test forgot to take the capability away; the machine's clock is dear.
    return run_in(settings, Outside())


if __name__ == "__main__":
    sys.exit(main())
