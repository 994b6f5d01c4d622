# SPDX-License-Identifier: Apache-2.0
"""What may come late: contexts, schemas of attributes, twins."""
