# SPDX-License-Identifier: Apache-2.0
"""The audit trail: its events, the search in them, and the heads of the chain over them."""
