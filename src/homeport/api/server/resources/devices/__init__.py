# SPDX-License-Identifier: Apache-2.0
"""`/devices`: lists, single ones, and what people decide about them."""
