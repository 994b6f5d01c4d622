# SPDX-License-Identifier: Apache-2.0
"""What the agent remembers: saved before it acts, so that a power cut ends in the same place."""
