# SPDX-License-Identifier: Apache-2.0
"""Nouns of the field and the rules that hold whatever the protocol or the database."""
