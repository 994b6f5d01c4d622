# SPDX-License-Identifier: Apache-2.0
"""Certificates, requests, signatures and chains; pure over bytes.

Reading foreign bytes: `certificates`, `requests`, `jws`, `base64url`. Trusting them: `anchors`,
`chains`, `issuers`. Making our own: `authority`, `idevid`, `subjects`, `names`.
"""
