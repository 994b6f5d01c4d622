# SPDX-License-Identifier: Apache-2.0
"""`homeport device ...`: one group of verbs a file."""
