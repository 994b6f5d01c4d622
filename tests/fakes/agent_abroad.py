# SPDX-License-Identifier: Apache-2.0
"""The agent as a program under libfaketime, whose clock can be stepped without the machine's.

libfaketime tells a process the time that stands in a file; stepping the clock here means writing
that file. Everything else is `homeport agent run`.
"""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

import homeport.agent.cli.run as program
from homeport.agent.compose import Outside, compose

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
    kind, *arguments = sys.argv[1:]
    if kind == "stuck":
        if may_set_the_clock():
            return 3  # The test forgot to take the capability away; the machine's clock is dear.
        from homeport.__main__ import main as homeport

        return homeport(["agent", "run", *arguments])
    program.compose = lambda settings: compose(  # type: ignore[assignment]
        settings, Outside(step_clock=step, is_synchronised=lambda: False)
    )
    from homeport.agent.cli import main as agent

    return agent(["run", *arguments])


if __name__ == "__main__":
    sys.exit(main())
