# SPDX-License-Identifier: Apache-2.0
"""What arrives in files from outside: manifests, sales records, vouchers; all of it or nothing."""
