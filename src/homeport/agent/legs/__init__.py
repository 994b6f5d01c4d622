# SPDX-License-Identifier: Apache-2.0
"""The legs of the journey: enrolling, connecting, renewing; and the visit that they share."""
