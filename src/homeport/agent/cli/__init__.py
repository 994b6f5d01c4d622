# SPDX-License-Identifier: Apache-2.0
"""`homeport agent VERB`: one file a verb; a command gathers inputs and prints."""

from homeport.agent.cli.command import main

__all__ = ["main"]
