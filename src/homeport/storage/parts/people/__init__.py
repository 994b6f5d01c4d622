# SPDX-License-Identifier: Apache-2.0
"""The ports of people and programs, one file each."""
