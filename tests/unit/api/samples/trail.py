# SPDX-License-Identifier: Apache-2.0
"""Requests about what happened."""

from typing import Final

from fakes.people_door import member
from homeport.domain.people import Role
from unit.api.samples.devices import VIEWER
from unit.api.samples.sample import Sample

ADMIN: Final = member(Role.ADMIN)

SAMPLES: Final = {
    "list_events": Sample(caller=ADMIN, query={"order": "newest"}),
    "export_events": Sample(caller=ADMIN),
    "list_heads": Sample(),
    # A stream has no end, so this door has none: who is told what is tried on a real one, in
    # integration/test_event_streams.py. Whoever gets as far as this answer was let in.
    "follow_events": Sample(caller=VIEWER, status=404),
}
