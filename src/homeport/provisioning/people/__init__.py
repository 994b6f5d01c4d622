# SPDX-License-Identifier: Apache-2.0
"""People and programs: who signs in, who belongs where, and what they are given."""
