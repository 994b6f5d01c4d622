# SPDX-License-Identifier: Apache-2.0
"""A device that only discovers: prints each candidate as a JSON line, its log to standard error.

Run inside a namespace: `python discover.py [--pinned URL] [--default URL] [--take NUMBER]`. Every
candidate is taken to have failed, so all sources are asked, until NUMBER candidates were given;
`--announce` then announces the device until standard input ends.
"""

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict

from homeport.agent.discovery.discover import discovering, standard_stages
from homeport.agent.discovery.interfaces import interfaces_up, network_facts
from homeport.agent.discovery.services import Announcement, announcing


def say(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def run(chosen: argparse.Namespace) -> None:
    interfaces = interfaces_up()
    say({"interfaces": [asdict(network_facts(each)) for each in interfaces]})
    began = time.monotonic()
    failed = []
    stages = standard_stages(pinned=chosen.pinned, default=chosen.default, interfaces=interfaces)
    async with discovering(stages) as candidates:
        async for candidate in candidates:
            say({**asdict(candidate), "after": time.monotonic() - began})
            failed.append(candidate.url)
            if len(failed) == chosen.take:
                break
    if chosen.announce:
        async with announcing(Announcement("Pump 3", "SN-000123", tuple(failed))):
            say({"announced": failed})
            await asyncio.to_thread(sys.stdin.read)
    say({"ended": time.monotonic() - began})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pinned")
    parser.add_argument("--default")
    parser.add_argument("--announce", action="store_true")
    parser.add_argument("--take", type=int)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    with suppress(KeyboardInterrupt):
        asyncio.run(run(chosen))


if __name__ == "__main__":
    main()
