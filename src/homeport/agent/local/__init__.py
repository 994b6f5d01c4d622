# SPDX-License-Identifier: Apache-2.0
"""The agent's door for programs on the same device: a Unix socket, one JSON object a line."""
