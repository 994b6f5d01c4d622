# SPDX-License-Identifier: Apache-2.0
"""`homeport agent doctor`: check every step from the key to the broker, and advise."""

import argparse
import asyncio
import json
import logging

from homeport.agent.doctor.examine import examine
from homeport.agent.doctor.findings import Finding, Verdict
from homeport.agent.settings import AgentSettings


def doctor(settings: AgentSettings, options: argparse.Namespace) -> int:
    """Print one line a check; 1 if one failed."""
    # What a check finds stands in its line; what the code that it shares with the agent logs of it
    # would stand between the lines.
    logging.disable(logging.WARNING)
    try:
        found = asyncio.run(_all(settings, options.patience, as_json=options.json))
    finally:
        logging.disable(logging.NOTSET)
    if options.json:
        print(json.dumps([finding.as_dict() for finding in found], indent=2))
    return 1 if any(finding.verdict is Verdict.BAD for finding in found) else 0


async def _all(settings: AgentSettings, patience: float, *, as_json: bool) -> list[Finding]:
    found = []
    async for finding in examine(settings, patience):
        found.append(finding)
        if not as_json:
            print(finding.as_text(), flush=True)
    return found
