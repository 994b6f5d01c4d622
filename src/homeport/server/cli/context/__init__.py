# SPDX-License-Identifier: Apache-2.0
"""`homeport device context`, `device twin` and `model schema`."""
