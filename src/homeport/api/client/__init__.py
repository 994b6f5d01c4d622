# SPDX-License-Identifier: Apache-2.0
"""Asking at the people's door: typed, with errors of the catalogue; over HTTPS or in-process."""
