# SPDX-License-Identifier: Apache-2.0
"""One good request for every operation of the people's door, about things of the tenant acme.

`test_api_walk` sends each of them with credentials that must not get anything. A new operation
needs a row here: in the file of its group, by its operationId.
"""

from collections.abc import Mapping
from typing import Final

from unit.api.samples import contexts, devices, factories, life, ownership, people, places, trail
from unit.api.samples.sample import Sample

SAMPLES: Final[Mapping[str, Sample]] = {
    **contexts.SAMPLES,
    **devices.SAMPLES,
    **life.SAMPLES,
    **factories.SAMPLES,
    **ownership.SAMPLES,
    **places.SAMPLES,
    **people.SAMPLES,
    **trail.SAMPLES,
}
