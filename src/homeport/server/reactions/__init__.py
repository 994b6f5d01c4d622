# SPDX-License-Identifier: Apache-2.0
"""What follows from an event of the trail, done beside it: the broker is told, devices are told."""
