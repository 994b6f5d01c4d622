# SPDX-License-Identifier: Apache-2.0
"""What is done with devices after they arrived: one at a time, many at once, between tenants."""
