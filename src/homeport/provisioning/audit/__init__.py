# SPDX-License-Identifier: Apache-2.0
"""The audit trail's hash chain: sealing it, and verifying it."""
