# SPDX-License-Identifier: Apache-2.0
"""One good request for every operation of the people's door, about things of the tenant acme.

`test_api_walk` sends each of them with credentials that must not get anything. A new operation
needs a row here: in the file of its group, by its operationId.
"""

from collections.abc import Mapping
from typing import Final

from unit.api.samples import devices, factories, ownership, people, places
from unit.api.samples.sample import Sample

SAMPLES: Final[Mapping[str, Sample]] = {
    **devices.SAMPLES,
    **factories.SAMPLES,
    **ownership.SAMPLES,
    **places.SAMPLES,
    **people.SAMPLES,
}
