# SPDX-License-Identifier: Apache-2.0
"""What arrives in files: manifests, sales records, vouchers."""
