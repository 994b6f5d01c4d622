# SPDX-License-Identifier: Apache-2.0
"""The kinds of failure, and their stable names."""

from enum import StrEnum


class Kind(StrEnum):
    """What sort of failure it is, whatever the door."""

    MALFORMED = "malformed"  # cannot be read
    UNPROVEN = "unproven"  # read, but not shown to be true
    REFUSED = "refused"  # true, but not allowed
    UNKNOWN = "unknown"  # names something that is not there
    CONFLICT = "conflict"  # does not fit what is already there
    THROTTLED = "throttled"  # too much, too fast
    UNAVAILABLE = "unavailable"  # not now


class Code(StrEnum):
    """Stable names of failures. A code never changes its meaning and is never used again."""

    # malformed
    ARCHIVE_DAMAGED = "archive-damaged"
    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    TOO_SLOW = "too-slow"
    CERTIFICATE_MALFORMED = "certificate-malformed"
    CSR_MALFORMED = "csr-malformed"
    JWS_MALFORMED = "jws-malformed"
    MANIFEST_MALFORMED = "manifest-malformed"
    PASSWORD_UNSUITABLE = "password-unsuitable"  # noqa: S105  (a name, not a password)
    SETTING_WRONG = "setting-wrong"
    SALES_MALFORMED = "sales-malformed"
    STATE_CORRUPT = "state-corrupt"
    TLS_FILES_WRONG = "tls-files-wrong"
    METHOD_WRONG = "method-wrong"
    ATTRIBUTE_MISFIT = "attribute-misfit"
    CONTEXT_LINES_WRONG = "context-lines-wrong"
    DPP_MALFORMED = "dpp-malformed"
    DPP_URI_MALFORMED = "dpp-uri-malformed"
    SCHEMA_MALFORMED = "schema-malformed"
    # unproven
    ALGORITHM_REFUSED = "algorithm-refused"
    CHAIN_UNTRUSTED = "chain-untrusted"
    CONNECTOR_UNPROVEN = "connector-unproven"
    CSR_UNPROVEN = "csr-unproven"
    DPP_PEER_UNPROVEN = "dpp-peer-unproven"
    ISSUER_UNKNOWN = "issuer-unknown"
    MANIFEST_UNPROVEN = "manifest-unproven"
    NONCE_WRONG = "nonce-wrong"
    PASSPHRASE_WRONG = "passphrase-wrong"  # noqa: S105  (a name, not a passphrase)
    PLATFORM_UNPROVEN = "platform-unproven"
    PROVIDER_UNPROVEN = "provider-unproven"
    SERIAL_NUMBER_MISMATCH = "serial-number-mismatch"
    SET_UP_CODE_WRONG = "set-up-code-wrong"
    SIGN_IN_NEEDED = "sign-in-needed"
    SIGN_IN_REFUSED = "sign-in-refused"
    SIGNATURE_WRONG = "signature-wrong"
    URL_WRONG = "url-wrong"
    VOUCHER_UNPROVEN = "voucher-unproven"
    WIFI_PASSWORD_WRONG = "wifi-password-wrong"  # noqa: S105  (a name, not a password)
    # refused
    CALLER_REFUSED = "caller-refused"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CLAIM_REFUSED = "claim-refused"
    CLIENT_ID_WRONG = "client-id-wrong"
    COMMAND_STALE = "command-stale"
    COMMAND_UNKNOWN = "command-unknown"
    CREDENTIAL_REPLACED = "credential-replaced"
    CREDENTIAL_REVOKED = "credential-revoked"
    CROSS_SITE = "cross-site"
    DEVICE_DECOMMISSIONED = "device-decommissioned"
    DPP_INCOMPATIBLE = "dpp-incompatible"
    DPP_REFUSED = "dpp-refused"
    EPOCH_STALE = "epoch-stale"
    KEY_REVOKED = "key-revoked"
    KEY_TAKEN = "key-taken"
    KEY_UNSUITABLE = "key-unsuitable"
    PERSON_UNKNOWN = "person-unknown"
    PLATFORM_REFUSED = "platform-refused"
    PROFILE_REFUSED = "profile-refused"
    ROLE_INSUFFICIENT = "role-insufficient"
    UPSTREAM_REFUSED = "upstream-refused"
    WIFI_REFUSED = "wifi-refused"
    # unknown
    CREDENTIAL_UNKNOWN = "credential-unknown"
    DEVICE_UNKNOWN = "device-unknown"
    DPP_KEY_UNKNOWN = "dpp-key-unknown"
    FILE_MISSING = "file-missing"
    INVITATION_UNKNOWN = "invitation-unknown"
    KEY_MISSING = "key-missing"
    NOT_FOUND = "not-found"
    PLATFORM_ABSENT = "platform-absent"
    TENANT_UNKNOWN = "tenant-unknown"
    UPSTREAM_UNKNOWN = "upstream-unknown"
    WIFI_NOT_FOUND = "wifi-not-found"
    # conflict
    AGENT_RUNNING = "agent-running"
    ALREADY_EXISTS = "already-exists"
    CHANGED_MEANWHILE = "changed-meanwhile"
    CLAIM_TAKEN = "claim-taken"
    DEVICE_CONFLICT = "device-conflict"
    DPP_OUT_OF_ORDER = "dpp-out-of-order"
    FACTORY_BUSY = "factory-busy"
    IDEMPOTENCY_KEY_USED = "idempotency-key-used"
    LAST_ADMIN = "last-admin"
    SALES_CONFLICT = "sales-conflict"
    SET_UP_ALREADY = "set-up-already"
    TRANSITION_ILLEGAL = "transition-illegal"
    # throttled
    TOO_MANY_REQUESTS = "too-many-requests"
    # unavailable
    AGENT_ABSENT = "agent-absent"
    BROKER_UNAVAILABLE = "broker-unavailable"
    INTERNAL_ERROR = "internal-error"
    CLOCK_WRONG = "clock-wrong"
    DPP_LINK_LOST = "dpp-link-lost"
    KEY_STORE_UNAVAILABLE = "key-store-unavailable"
    PLATFORM_UNREACHABLE = "platform-unreachable"
    PORT_OCCUPIED = "port-occupied"
    PROVIDER_UNREACHABLE = "provider-unreachable"
    STORAGE_UNAVAILABLE = "storage-unavailable"
    UPSTREAM_UNREACHABLE = "upstream-unreachable"
    WIFI_NO_ADDRESS = "wifi-no-address"
    WIFI_UNAVAILABLE = "wifi-unavailable"
