# SPDX-License-Identifier: Apache-2.0
"""A registry in memory: one file for each group of ports, as in `homeport.provisioning.ports`."""

from fakes.registry.registry import FakeRegistry, FakeTransaction

__all__ = ["FakeRegistry", "FakeTransaction"]
