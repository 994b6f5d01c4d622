# SPDX-License-Identifier: Apache-2.0
"""The registry's rows: the only room that knows SQL."""
