# SPDX-License-Identifier: Apache-2.0
"""The audit trail as a whole: the hash chain over it, and how its events are written elsewhere."""
