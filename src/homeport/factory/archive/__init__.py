# SPDX-License-Identifier: Apache-2.0
"""Where minted devices are kept: `file` (one writer, torn ends), `records`, `sealing`, `census`."""
