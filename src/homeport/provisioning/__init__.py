# SPDX-License-Identifier: Apache-2.0
"""What the platform does, one verb per file; what the verbs need is in `ports`."""
