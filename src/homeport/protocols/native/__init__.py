# SPDX-License-Identifier: Apache-2.0
"""Homeport's own enrolment protocol over HTTPS: docs/protocols/native.md."""
