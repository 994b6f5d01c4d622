# SPDX-License-Identifier: Apache-2.0
"""What is done with a device after it arrived: commands, quarantine, transfers."""
