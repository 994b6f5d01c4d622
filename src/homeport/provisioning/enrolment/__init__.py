# SPDX-License-Identifier: Apache-2.0
"""The verb behind every protocol: find the device's place, then certify, park or redirect it."""
