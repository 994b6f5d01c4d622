# SPDX-License-Identifier: Apache-2.0
"""Make the vectors of the native protocol: tests/vectors/native, docs/protocols/native.md.

A recipe makes one request, good or bad, from a scene: a maker with its devices, and a platform. The
vectors are the recipes played in a scene of their own; the integration tests play the same ones
against a running platform. Certificates and signatures are made with `cryptography` directly, so
that our own builders and checkers do not vouch for each other.
"""
