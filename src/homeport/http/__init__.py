# SPDX-License-Identifier: Apache-2.0
"""The little HTTP that all doors share: problem documents, limits, deadlines, throttles."""
