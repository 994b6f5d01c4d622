# SPDX-License-Identifier: Apache-2.0
"""Recipes for the vectors of what travels without a connection: manifests, labels, vouchers."""
