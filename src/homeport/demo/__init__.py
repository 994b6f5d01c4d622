# SPDX-License-Identifier: Apache-2.0
"""`homeport demo`: a factory, a platform and devices on this machine, real in every part.

It types the commands that a person would type, so what it shows is what they do.
"""
