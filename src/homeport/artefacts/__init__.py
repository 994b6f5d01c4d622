# SPDX-License-Identifier: Apache-2.0
"""Signed things that travel without a connection: hand-over manifest, label, voucher.

No I/O except the streams given; what was read is hostile until its signature was proven.
"""
