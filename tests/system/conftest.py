# SPDX-License-Identifier: Apache-2.0
"""What the system tests share: one factory for all sites."""

import pytest

from fakes.site import Works


@pytest.fixture(scope="session")
def works(tmp_path_factory: pytest.TempPathFactory) -> Works:
    """A factory that has minted enough devices for every test, sold and unsold ones."""
    return Works.make(tmp_path_factory.mktemp("works"), sold=40, unsold=4)
