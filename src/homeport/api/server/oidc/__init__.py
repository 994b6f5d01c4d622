# SPDX-License-Identifier: Apache-2.0
"""Signing in at an OpenID provider: OpenID Connect Core 1.0, authorisation code with PKCE."""
