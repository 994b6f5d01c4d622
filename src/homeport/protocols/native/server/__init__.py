# SPDX-License-Identifier: Apache-2.0
"""The platform's half of the native protocol: prove a request, ask the verbs, sign the answer."""
