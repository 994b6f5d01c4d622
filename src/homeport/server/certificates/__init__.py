# SPDX-License-Identifier: Apache-2.0
"""The platform's own certificates: how their files are made, kept and renewed."""
