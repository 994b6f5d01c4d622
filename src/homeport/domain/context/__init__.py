# SPDX-License-Identifier: Apache-2.0
"""What is known of a device that may come late: its context, and the twin that carries it there."""
