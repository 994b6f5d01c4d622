# SPDX-License-Identifier: Apache-2.0
"""What each failure means in a sentence, and what to do about it: nothing but the table."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from homeport.errors.codes import Code, Kind


class Entry(NamedTuple):
    """One row of the catalogue: kind, what it means in a sentence, and what to do about it."""

    kind: Kind
    title: str
    advice: str


CATALOGUE: Final[Mapping[Code, Entry]] = {
    Code.ARCHIVE_DAMAGED: Entry(
        Kind.MALFORMED,
        "The factory's archive is damaged.",
        "Restore it from a backup; an archive is only ever added to, so the newest copy is best.",
    ),
    Code.MALFORMED: Entry(
        Kind.MALFORMED, "The input cannot be read.", "Compare it with the page of its format."
    ),
    Code.TOO_LARGE: Entry(
        Kind.MALFORMED, "The input is larger than allowed.", "Send less; the limit is in the docs."
    ),
    Code.TOO_SLOW: Entry(
        Kind.MALFORMED,
        "The input did not arrive in time.",
        "Check the link; send the whole request at once.",
    ),
    Code.CERTIFICATE_MALFORMED: Entry(
        Kind.MALFORMED,
        "A certificate cannot be read.",
        "Send X.509 in DER (base64 in x5c) or PEM in files.",
    ),
    Code.CSR_MALFORMED: Entry(
        Kind.MALFORMED,
        "The PKCS#10 request cannot be read.",
        "Send it in DER, as base64 with padding (PEM for the factory's commands).",
    ),
    Code.JWS_MALFORMED: Entry(
        Kind.MALFORMED,
        "The JWS cannot be read.",
        "Send the flattened JSON serialisation of RFC 7515 section 7.2.2.",
    ),
    Code.MANIFEST_MALFORMED: Entry(
        Kind.MALFORMED,
        "The hand-over manifest is damaged; nothing was imported.",
        "Get the file again from the factory; the line named is the first that is wrong.",
    ),
    Code.PASSWORD_UNSUITABLE: Entry(
        Kind.MALFORMED,
        "This password would be guessed too easily, or cannot be typed.",
        "Choose 12 characters or more, for instance four words that have nothing in common.",
    ),
    Code.SETTING_WRONG: Entry(
        Kind.MALFORMED, "A setting is wrong.", "See the settings reference; every fault is listed."
    ),
    Code.SALES_MALFORMED: Entry(
        Kind.MALFORMED,
        "The sales file has wrong lines; nothing was imported.",
        "Mend the lines that are listed, then import again.",
    ),
    Code.STATE_CORRUPT: Entry(
        Kind.MALFORMED,
        "The agent's state on disk cannot be read.",
        "Check the disk; homeport agent reset begins anew and keeps the device's own identity.",
    ),
    Code.TLS_FILES_WRONG: Entry(
        Kind.MALFORMED,
        "The TLS certificate or key of the platform cannot be used.",
        "Give a PEM chain, leaf first, that names the platform's host, and its plain key.",
    ),
    Code.METHOD_WRONG: Entry(
        Kind.MALFORMED,
        "There is something here, but not for this method.",
        "Use one of the methods that the Allow header names.",
    ),
    Code.ATTRIBUTE_MISFIT: Entry(
        Kind.MALFORMED,
        "An attribute does not fit the model's schema.",
        "See what the schema allows: homeport model schema show MODEL; or change the schema first.",
    ),
    Code.CONTEXT_LINES_WRONG: Entry(
        Kind.MALFORMED,
        "Some lines of the file cannot be taken; nothing was changed.",
        "Mend the lines that are listed, or ask for the good ones only.",
    ),
    Code.DPP_MALFORMED: Entry(
        Kind.MALFORMED,
        "A message of Wi-Fi Easy Connect cannot be read.",
        "Compare it with docs/protocols/provisioning-mode.md; what came is in the log.",
    ),
    Code.DPP_URI_MALFORMED: Entry(
        Kind.MALFORMED,
        "That is no bootstrapping URI of Wi-Fi Easy Connect.",
        "Scan the label again; the code begins with DPP: and ends with two semicolons.",
    ),
    Code.SCHEMA_MALFORMED: Entry(
        Kind.MALFORMED,
        "The schema cannot be used.",
        "docs/operate/context.md lists the words of JSON Schema that are checked here.",
    ),
    Code.ALGORITHM_REFUSED: Entry(
        Kind.UNPROVEN,
        "The signature algorithm does not fit the key.",
        "P-256 signs with ES256, P-384 with ES384, RSA (2048 bits or more) with PS256 or RS256.",
    ),
    Code.CHAIN_UNTRUSTED: Entry(
        Kind.UNPROVEN,
        "The certificate chain does not lead to a trust anchor for this purpose.",
        "Send the intermediates too, and check which trust anchors are installed.",
    ),
    Code.CONNECTOR_UNPROVEN: Entry(
        Kind.UNPROVEN,
        "The connector is not signed by the network that it names.",
        "Have the network configured again by its own configurator.",
    ),
    Code.CSR_UNPROVEN: Entry(
        Kind.UNPROVEN,
        "The PKCS#10 request is not signed by its own key.",
        "Sign the request with the private key whose public key it carries.",
    ),
    Code.DPP_PEER_UNPROVEN: Entry(
        Kind.UNPROVEN,
        "The other side did not prove the key that the label names.",
        "Scan the label of this very device; if it goes on, somebody is between you and it.",
    ),
    Code.ISSUER_UNKNOWN: Entry(
        Kind.UNPROVEN,
        "Nobody here knows the issuer of this device's identity.",
        "Import the manufacturer's hand-over manifest: homeport manifest import FILE --anchor PEM.",
    ),
    Code.MANIFEST_UNPROVEN: Entry(
        Kind.UNPROVEN,
        "The hand-over manifest is not signed by the factory that it names; nothing was imported.",
        "Check the --anchor file against the manufacturer's fingerprint, by another way than mail.",
    ),
    Code.NONCE_WRONG: Entry(
        Kind.UNPROVEN,
        "The nonce is old or not ours.",
        "Fetch a fresh one from /.well-known/homeport and sign again.",
    ),
    Code.PASSPHRASE_WRONG: Entry(
        Kind.UNPROVEN,
        "The passphrase is not the factory's.",
        "Name the file with the right one: passphrase = ... in factory.toml.",
    ),
    Code.PLATFORM_UNPROVEN: Entry(
        Kind.UNPROVEN,
        "The platform could not prove who it is.",
        "Check the address, the pinned name and the platform trust anchors of the device.",
    ),
    Code.PROVIDER_UNPROVEN: Entry(
        Kind.UNPROVEN,
        "The answer of the OpenID provider does not hold; nobody was signed in.",
        "Begin the sign-in again; if it stays so, the platform's log says what was wrong.",
    ),
    Code.SERIAL_NUMBER_MISMATCH: Entry(
        Kind.UNPROVEN,
        "The request names another serial number than the device's certificate.",
        "A device can ask only for itself.",
    ),
    Code.SET_UP_CODE_WRONG: Entry(
        Kind.UNPROVEN,
        "This is not the set-up code of this platform.",
        "Read it from the file set-up-code in the platform's data directory.",
    ),
    Code.SIGN_IN_NEEDED: Entry(
        Kind.UNPROVEN,
        "Nobody is signed in, or the sign-in is over.",
        "Sign in again, or send a valid API key: homeport login.",
    ),
    Code.SIGN_IN_REFUSED: Entry(
        Kind.UNPROVEN,
        "This name and this password do not sign anybody in.",
        "Check both. A forgotten password: ask the platform's operator for a code.",
    ),
    Code.SIGNATURE_WRONG: Entry(
        Kind.UNPROVEN,
        "The signature is wrong.",
        "Sign the bytes that are sent, with the leaf's key.",
    ),
    Code.URL_WRONG: Entry(
        Kind.UNPROVEN,
        "The request was signed for another platform.",
        "Sign for the URL that this platform gives at /.well-known/homeport.",
    ),
    Code.VOUCHER_UNPROVEN: Entry(
        Kind.UNPROVEN,
        "The voucher does not hold.",
        "Ask the manufacturer for a voucher for this device, this owner and this epoch.",
    ),
    Code.WIFI_PASSWORD_WRONG: Entry(
        Kind.UNPROVEN,
        "The Wi-Fi network does not take this password.",
        "Enter it again; all else that was done stays done.",
    ),
    Code.CALLER_REFUSED: Entry(
        Kind.REFUSED,
        "This program may not ask for that.",
        "Run it as root or as the user that the agent runs as.",
    ),
    Code.CERTIFICATE_EXPIRED: Entry(
        Kind.REFUSED,
        "The certificate expired too long ago to be renewed.",
        "The device enrols again with its IDevID; nothing needs to be done by hand.",
    ),
    Code.CLAIM_REFUSED: Entry(
        Kind.REFUSED,
        "No device has this serial number and claim code.",
        "Compare both with the label. A label's code serves the first owner only: a later one gets"
        " a fresh code from who owned it before, or from the operator.",
    ),
    Code.CLIENT_ID_WRONG: Entry(
        Kind.REFUSED,
        "The MQTT client id is not the id of the certificate's device.",
        "Connect with the device id of the enrolment's answer as client id.",
    ),
    Code.COMMAND_STALE: Entry(
        Kind.REFUSED,
        "The command does not count any more.",
        "Nothing has to be done: the platform says again what is still to be done.",
    ),
    Code.COMMAND_UNKNOWN: Entry(
        Kind.REFUSED,
        "The agent does not know this command.",
        "Update the agent on the device; it obeys renew, rekey and reset.",
    ),
    Code.CREDENTIAL_REPLACED: Entry(
        Kind.REFUSED,
        "A newer certificate of this device has been used; this one no longer counts.",
        "Use the newest one. If two devices share this identity, find out which is the copy.",
    ),
    Code.CREDENTIAL_REVOKED: Entry(
        Kind.REFUSED,
        "This credential was revoked.",
        "If that was a mistake: homeport device readmit; the device then enrols with a new key.",
    ),
    Code.CROSS_SITE: Entry(
        Kind.REFUSED,
        "This request did not come from a page of this platform.",
        "Pages send the token of GET /api/v1/session in X-CSRF-Token; programs use an API key.",
    ),
    Code.DEVICE_DECOMMISSIONED: Entry(
        Kind.REFUSED, "This device was taken out of service.", "Ask the operator of the platform."
    ),
    Code.DPP_INCOMPATIBLE: Entry(
        Kind.REFUSED,
        "The two sides cannot speak Wi-Fi Easy Connect with each other.",
        "One is an enrollee and one a configurator, both of release 2 with keys on P-256.",
    ),
    Code.DPP_REFUSED: Entry(
        Kind.REFUSED,
        "The other side refused, and gave a status as the reason.",
        "Look the status up in docs/protocols/provisioning-mode.md.",
    ),
    Code.EPOCH_STALE: Entry(
        Kind.REFUSED,
        "The ownership epoch is older than one already seen.",
        "A former owner cannot take the device back; get a voucher of the present epoch.",
    ),
    Code.KEY_REVOKED: Entry(
        Kind.REFUSED,
        "A revoked key is never certified again.",
        "Make a new key on the device: homeport agent reset.",
    ),
    Code.KEY_TAKEN: Entry(
        Kind.REFUSED,
        "Another device has a certificate for this key.",
        "Keys must not be copied between devices: homeport agent reset makes a new one.",
    ),
    Code.KEY_UNSUITABLE: Entry(
        Kind.REFUSED,
        "The kind of key is not allowed here.",
        "Use P-256 or P-384, or RSA with 2048 bits or more.",
    ),
    Code.PERSON_UNKNOWN: Entry(
        Kind.REFUSED,
        "The OpenID provider knows you, but this platform does not.",
        "Ask an admin of your tenant for an invitation, and sign in with it.",
    ),
    Code.PLATFORM_REFUSED: Entry(
        Kind.REFUSED,
        "The platform refuses, for a reason that this version does not know.",
        "Look at the device's timeline on the platform: homeport device show.",
    ),
    Code.PROFILE_REFUSED: Entry(
        Kind.REFUSED,
        "The certificate request does not fit the profile.",
        "See the profiles in the documentation of the CA.",
    ),
    Code.ROLE_INSUFFICIENT: Entry(
        Kind.REFUSED,
        "Your role does not allow this.",
        "Ask an admin of the tenant; docs/reference/roles.md says which role may do what.",
    ),
    Code.UPSTREAM_REFUSED: Entry(
        Kind.REFUSED,
        "The upstream does not let this device in.",
        "The device's timeline at the platform says why: revoked, replaced, expired, transferred.",
    ),
    Code.WIFI_REFUSED: Entry(
        Kind.REFUSED,
        "The Wi-Fi network does not let this device in.",
        "See that its security fits, and that the access point has no list of devices or is full.",
    ),
    Code.CREDENTIAL_UNKNOWN: Entry(
        Kind.UNKNOWN,
        "This platform did not issue this certificate.",
        "Look for a second platform with the same issuer, or a registry restored from a backup.",
    ),
    Code.DEVICE_UNKNOWN: Entry(
        Kind.UNKNOWN,
        "No such device.",
        "List what is there: homeport device list; at a factory: what it minted stands in its"
        " archive.jsonl and manifests.",
    ),
    Code.DPP_KEY_UNKNOWN: Entry(
        Kind.UNKNOWN,
        "The request is for another device: its bootstrapping key is not ours.",
        "Scan the label of this device.",
    ),
    Code.FILE_MISSING: Entry(Kind.UNKNOWN, "A file is not there.", "Check the path."),
    Code.INVITATION_UNKNOWN: Entry(
        Kind.UNKNOWN,
        "This invitation does not exist, was used, was revoked, or has expired.",
        "Ask whoever invited you for a new one.",
    ),
    Code.KEY_MISSING: Entry(
        Kind.UNKNOWN, "No key at this place.", "Check the key's URI, and for a token its label."
    ),
    Code.NOT_FOUND: Entry(Kind.UNKNOWN, "There is nothing here.", "Check the address."),
    Code.PLATFORM_ABSENT: Entry(
        Kind.UNKNOWN,
        "What answers at this address is no platform of ours.",
        "Check the address; try: curl -k ADDRESS/.well-known/homeport.",
    ),
    Code.TENANT_UNKNOWN: Entry(
        Kind.UNKNOWN, "No such tenant.", "Add it first: homeport tenant add NAME."
    ),
    Code.UPSTREAM_UNKNOWN: Entry(
        Kind.UNKNOWN, "No such upstream.", "List what is there with: homeport upstream list."
    ),
    Code.WIFI_NOT_FOUND: Entry(
        Kind.UNKNOWN,
        "The device does not see this Wi-Fi network.",
        "Check its name; go nearer; see whether it is on a band that the device does not have.",
    ),
    Code.AGENT_RUNNING: Entry(
        Kind.CONFLICT,
        "Another agent uses this state directory.",
        "End that one first (systemctl stop homeport-agent), or name another --state.",
    ),
    Code.ALREADY_EXISTS: Entry(
        Kind.CONFLICT, "There is one already.", "Use the present one, or another name or place."
    ),
    Code.CHANGED_MEANWHILE: Entry(
        Kind.CONFLICT,
        "Somebody else has changed it since you read it; nothing was changed now.",
        "Read it again, look at what is new, and send your change with the new ETag.",
    ),
    Code.CLAIM_TAKEN: Entry(
        Kind.CONFLICT,
        "Somebody else was faster to claim this device.",
        "If it is in front of you, show that you are there (press its button): that counts more"
        " than a code. Else ask the platform's operator.",
    ),
    Code.DEVICE_CONFLICT: Entry(
        Kind.CONFLICT,
        "What is said of this device contradicts what is known.",
        "Compare both sources; nothing was changed.",
    ),
    Code.DPP_OUT_OF_ORDER: Entry(
        Kind.CONFLICT,
        "A message of Wi-Fi Easy Connect came, or was to be sent, out of order.",
        "Begin again; each exchange goes through once.",
    ),
    Code.FACTORY_BUSY: Entry(
        Kind.CONFLICT,
        "Another program works on this factory's archive.",
        "Wait until it has ended; its lock is released by itself, also after a crash.",
    ),
    Code.IDEMPOTENCY_KEY_USED: Entry(
        Kind.CONFLICT,
        "This Idempotency-Key belongs to another request.",
        "Use a new key for every new request; repeat a request with its own key and body.",
    ),
    Code.LAST_ADMIN: Entry(
        Kind.CONFLICT,
        "Nobody would be left to decide here.",
        "Give another member the role first.",
    ),
    Code.SALES_CONFLICT: Entry(
        Kind.CONFLICT,
        "A sales record contradicts an earlier one.",
        "Correct the line, or cancel the earlier record first.",
    ),
    Code.SET_UP_ALREADY: Entry(
        Kind.CONFLICT,
        "This platform has an operator already.",
        "Sign in. On the platform's machine: homeport account add NAME --operator.",
    ),
    Code.TRANSITION_ILLEGAL: Entry(
        Kind.CONFLICT, "That cannot happen in this state.", "Look at the device's timeline."
    ),
    Code.TOO_MANY_REQUESTS: Entry(
        Kind.THROTTLED,
        "Too many requests in too short a time.",
        "Wait as long as Retry-After says; devices behind one address share its rate.",
    ),
    Code.AGENT_ABSENT: Entry(
        Kind.UNAVAILABLE,
        "No agent answers at this socket.",
        "Start it (systemctl start homeport-agent); your user must be in the socket's group.",
    ),
    Code.BROKER_UNAVAILABLE: Entry(
        Kind.UNAVAILABLE,
        "The message broker does not answer.",
        "See that homeport serve runs; its log says how the broker is.",
    ),
    Code.INTERNAL_ERROR: Entry(
        Kind.UNAVAILABLE,
        "Something went wrong here that should not have.",
        "Try again later; the platform's log says what happened, with the time of this answer.",
    ),
    Code.CLOCK_WRONG: Entry(
        Kind.UNAVAILABLE,
        "The device's clock is wrong and could not be set.",
        "Set it, run a time service, or give the agent CAP_SYS_TIME.",
    ),
    Code.DPP_LINK_LOST: Entry(
        Kind.UNAVAILABLE,
        "The other side of Wi-Fi Easy Connect cannot be reached any more.",
        "Go nearer, see that provisioning mode is on, and begin again.",
    ),
    Code.KEY_STORE_UNAVAILABLE: Entry(
        Kind.UNAVAILABLE,
        "The key store does not answer.",
        "Check the PKCS#11 module, the token's label and the PIN file; SoftHSM: SOFTHSM2_CONF.",
    ),
    Code.PLATFORM_UNREACHABLE: Entry(
        Kind.UNAVAILABLE,
        "The platform does not answer.",
        "Check cable, address, DNS and firewall: homeport agent doctor tries each step.",
    ),
    Code.PORT_OCCUPIED: Entry(
        Kind.UNAVAILABLE,
        "Another program listens on this port.",
        "End that program or set another port.",
    ),
    Code.PROVIDER_UNREACHABLE: Entry(
        Kind.UNAVAILABLE,
        "The OpenID provider does not answer.",
        "Sign in with a password, or try again later; check oidc.issuer in the settings.",
    ),
    Code.STORAGE_UNAVAILABLE: Entry(
        Kind.UNAVAILABLE,
        "What is stored cannot be read or written.",
        "Check the path, its owner and the disk.",
    ),
    Code.UPSTREAM_UNREACHABLE: Entry(
        Kind.UNAVAILABLE, "The upstream does not answer.", "Check network, firewall and address."
    ),
    Code.WIFI_NO_ADDRESS: Entry(
        Kind.UNAVAILABLE,
        "The device joined the Wi-Fi network, but got no address there.",
        "Check the network's DHCP server, and that a DHCP client serves the device's interface.",
    ),
    Code.WIFI_UNAVAILABLE: Entry(
        Kind.UNAVAILABLE,
        "The device's Wi-Fi cannot be used.",
        "Check that wpa_supplicant runs for the interface, and that the agent may use its socket.",
    ),
}
