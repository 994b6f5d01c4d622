# SPDX-License-Identifier: Apache-2.0
"""What is done with a device after its first message, one verb a file: each atomic and recorded."""
