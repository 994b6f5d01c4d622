# SPDX-License-Identifier: Apache-2.0
"""One folder per protocol: `wire` (messages), and one part for each party that takes a side."""
