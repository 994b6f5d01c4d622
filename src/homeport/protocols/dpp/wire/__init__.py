# SPDX-License-Identifier: Apache-2.0
"""Octets and frames, without keys: attributes, action frames, GAS frames, framing."""
