# SPDX-License-Identifier: Apache-2.0
"""`homeport demo`."""

import argparse
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Parse and play; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="homeport demo",
        description="A factory, a platform and devices on this machine: minted, sold, plugged in,"
        " arrived. Needs no rights and no network but the loopback interface.",
    )
    parser.add_argument("--exit", action="store_true", help="end when every device arrived")
    options = parser.parse_args(arguments)
    from homeport.demo import play

    return play.main(ends_by_itself=options.exit)
