# SPDX-License-Identifier: Apache-2.0
"""What the running platform does with its audit trail: seal it, export heads, publish events."""
