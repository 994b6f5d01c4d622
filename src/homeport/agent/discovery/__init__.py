# SPDX-License-Identifier: Apache-2.0
"""Finding the platform: an ordered list of addresses that others gave, none of them believed.

Order (docs/decisions, discovery): pinned setting, DHCP options 143 and 136, DNS-SD, the
manufacturer's default. A candidate is an address and nothing more: who answers there proves
itself to the protocol that asks, by trust anchor and name or by voucher.
"""
