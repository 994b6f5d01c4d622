# SPDX-License-Identifier: Apache-2.0
"""Carriers: the byte stream that brings frames, and the two runs over it. The only I/O here."""
