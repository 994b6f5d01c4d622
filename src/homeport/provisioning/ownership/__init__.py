# SPDX-License-Identifier: Apache-2.0
"""What gives a device its owner: sale, assignment, claim, presence; and the ledger of it."""
