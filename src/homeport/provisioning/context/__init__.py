# SPDX-License-Identifier: Apache-2.0
"""Verbs about what may come late: a device's context, the schema of its attributes, its twin."""
