# SPDX-License-Identifier: Apache-2.0
"""What runs on the device: finds its platform, enrols, connects, renews, and serves programs."""
