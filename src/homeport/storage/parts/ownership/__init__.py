# SPDX-License-Identifier: Apache-2.0
"""Whose devices are: sales, claims, and the devices that they speak of."""
