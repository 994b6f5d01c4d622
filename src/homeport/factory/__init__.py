# SPDX-License-Identifier: Apache-2.0
"""The program on the production line: mints identities, prints labels, hands over.

A factory is a directory. It speaks to platforms only through artefacts.
"""
