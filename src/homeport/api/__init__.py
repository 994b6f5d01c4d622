# SPDX-License-Identifier: Apache-2.0
"""The people's door: REST for people and their programs, with a typed client.

`wire` says what goes over it, `server` answers, `client` asks; `openapi.json` is the same in a
language of the world's, written by `make docs` and served as it is.
"""

from pathlib import Path
from typing import Final

PREFIX: Final = "/api/v1"
"""Before every path of the people's door; everything else at its address is the device's."""

DOCUMENT: Final = Path(__file__).parent / "openapi.json"
