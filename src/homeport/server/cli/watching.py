# SPDX-License-Identifier: Apache-2.0
"""Watch devices' messages arrive at the broker, for people and for `homeport demo`."""

import json
import sys

from homeport.domain.topics import Topic
from homeport.errors import HomeportError
from homeport.server.cli.session import now, say
from homeport.server.compose import open_broker_link
from homeport.server.settings import ServerSettings
