# SPDX-License-Identifier: Apache-2.0
"""The doctor: every step from the key to the broker, each with a finding and an advice."""
