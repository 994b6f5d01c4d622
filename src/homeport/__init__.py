# SPDX-License-Identifier: Apache-2.0
"""Homeport brings every device home: from the factory to the system it belongs to."""

from typing import Final

VERSION: Final = "0.1.0"
