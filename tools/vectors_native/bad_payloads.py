# SPDX-License-Identifier: Apache-2.0
"""Requests to refuse for what a proven device says in them."""

from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from homeport.errors import Code
from tools.vectors_native.draft import ABSENT, base64
from tools.vectors_native.identities import certificate_request, p256, rsa_key, stolen_request
from tools.vectors_native.recipe import Recipes
from tools.vectors_native.scene import Scene

BAD = Recipes()


@BAD.refused(Code.SERIAL_NUMBER_MISMATCH, "3.3")
def serial_number_of_another_device(scene: Scene) -> bytes:
    """A device asks for another one's place."""
    return scene.enrol().with_payload(serial_number=scene.maker.next_number()).body()


@BAD.refused(Code.SERIAL_NUMBER_MISMATCH, "3.2")
def serial_number_in_other_case(scene: Scene) -> bytes:
    """Serial numbers are compared as they are."""
    number = scene.device.serial_number.lower()
    return scene.enrol().with_payload(serial_number=number).body()


@BAD.refused(Code.SERIAL_NUMBER_MISMATCH, "3.2")
def serial_number_twice_in_payload(scene: Scene) -> bytes:
    """`serial_number` occurs twice, the certificate's first: the last one counts."""
    return scene.enrol().with_text(lambda t: t[:-1] + b',"serial_number":"EX-999999"}').body()


@BAD.refused(Code.MALFORMED, "3.2")
def serial_number_too_long(scene: Scene) -> bytes:
    """The payload's serial number has 65 characters."""
    return scene.enrol().with_payload(serial_number="9" * 65).body()


@BAD.refused(Code.MALFORMED, "3.2")
def serial_number_is_a_number(scene: Scene) -> bytes:
    """The payload's serial number is a number."""
    return scene.enrol().with_payload(serial_number=17).body()


@BAD.refused(Code.MALFORMED, "3.2")
def model_with_control_characters(scene: Scene) -> bytes:
    """The model would clear the operator's terminal (ECMA-48 CSI)."""
    return scene.enrol().with_payload(model="EX-100\x1b[2J").body()


@BAD.refused(Code.MALFORMED, "3.2")
def model_empty(scene: Scene) -> bytes:
    """The model is an empty text."""
    return scene.enrol().with_payload(model="").body()


@BAD.refused(Code.MALFORMED, "3.2")
def model_too_long(scene: Scene) -> bytes:
    """The model has 65 characters."""
    return scene.enrol().with_payload(model="M" * 65).body()


@BAD.refused(Code.MALFORMED, "3.2")
def unknown_member(scene: Scene) -> bytes:
    """A member that nobody knows: perhaps a misspelt one that should have meant something."""
    return scene.enrol().with_payload(tenant="acme").body()


@BAD.refused(Code.MALFORMED, "3.2")
def unknown_network_member(scene: Scene) -> bytes:
    """A member of `network` that nobody knows."""
    return scene.enrol().with_payload(network={"ssid": "plant"}).body()


@BAD.refused(Code.MALFORMED, "3.2")
def network_with_too_many_addresses(scene: Scene) -> bytes:
    """`network` has 17 addresses."""
    return scene.enrol().with_payload(network={"addresses": ["192.0.2.1"] * 17}).body()


@BAD.refused(Code.MALFORMED, "3.2")
def version_of_tomorrow(scene: Scene) -> bytes:
    """`version` is 2."""
    return scene.enrol().with_payload(version=2).body()


@BAD.refused(Code.MALFORMED, "3.2")
def version_absent(scene: Scene) -> bytes:
    """There is no `version`."""
    return scene.enrol().with_payload(version=ABSENT).body()


@BAD.refused(Code.MALFORMED, "3.2")
def wait_too_long(scene: Scene) -> bytes:
    """The device wants to wait for 31 s."""
    return scene.enrol().with_payload(wait=31).body()


@BAD.refused(Code.MALFORMED, "3.2")
def wait_negative(scene: Scene) -> bytes:
    """The device wants to wait for less than nothing."""
    return scene.enrol().with_payload(wait=-1).body()


@BAD.refused(Code.MALFORMED, "3.2")
def wait_without_end(scene: Scene) -> bytes:
    """`wait` is a number that no machine holds."""
    return scene.enrol().with_text(lambda t: t.replace(b'"wait":0', b'"wait":1e999')).body()


@BAD.refused(Code.MALFORMED, "3.2")
def epoch_negative(scene: Scene) -> bytes:
    """The ownership epoch is -1."""
    return scene.enrol().with_payload(epoch=-1).body()


@BAD.refused(Code.MALFORMED, "3.2")
def epoch_too_high(scene: Scene) -> bytes:
    """The ownership epoch does not fit 31 bits."""
    return scene.enrol().with_payload(epoch=2**31).body()


@BAD.refused(Code.MALFORMED, "3.2")
def request_id_too_short(scene: Scene) -> bytes:
    """The request id has 15 characters."""
    return scene.enrol().with_payload(request_id="a" * 15).body()


@BAD.refused(Code.MALFORMED, "3.2")
def request_id_with_line_break(scene: Scene) -> bytes:
    """The request id ends in a line break, which many a `$` lets pass."""
    return scene.enrol().with_payload(request_id="a" * 24 + "\n").body()


@BAD.refused(Code.MALFORMED, "3.2")
def request_id_with_blank(scene: Scene) -> bytes:
    """The request id has a blank."""
    return scene.enrol().with_payload(request_id="a" * 12 + " " + "a" * 12).body()


@BAD.refused(Code.MALFORMED, "3.2")
def device_nonce_too_short(scene: Scene) -> bytes:
    """The device's nonce has 15 octets."""
    return scene.enrol().with_payload(device_nonce=base64(bytes(15))).body()


@BAD.refused(Code.MALFORMED, "3.2")
def device_nonce_absent(scene: Scene) -> bytes:
    """There is no nonce of the device: its answer could be an old one."""
    return scene.enrol().with_payload(device_nonce=ABSENT).body()


@BAD.refused(Code.MALFORMED, "3.2")
def csr_not_base64(scene: Scene) -> bytes:
    """The PKCS#10 request is PEM instead of base64."""
    pem = "-----BEGIN CERTIFICATE REQUEST-----\nMIH...\n-----END CERTIFICATE REQUEST-----\n"
    return scene.enrol().with_payload(csr=pem).body()


@BAD.refused(Code.MALFORMED, "3.2")
def csr_in_base64url(scene: Scene) -> bytes:
    """The PKCS#10 request is in base64url without padding; octets are base64 here."""
    text = urlsafe_b64encode(b"\xfb\xff" + certificate_request(p256())).rstrip(b"=")
    return scene.enrol().with_payload(csr=text.decode()).body()


@BAD.refused(Code.MALFORMED, "3.2")
def csr_absent(scene: Scene) -> bytes:
    """There is no PKCS#10 request."""
    return scene.enrol().with_payload(csr=ABSENT).body()


@BAD.refused(Code.MALFORMED, "3.2")
def csr_oversized(scene: Scene) -> bytes:
    """The PKCS#10 request has more than 8 kB."""
    return scene.enrol().with_payload(csr=base64(bytes(8_193))).body()


@BAD.refused(Code.CSR_MALFORMED, "3.3")
def csr_garbage(scene: Scene) -> bytes:
    """What stands in `csr` is no PKCS#10 request."""
    return scene.enrol().with_payload(csr=base64(b"not a request")).body()


@BAD.refused(Code.CSR_MALFORMED, "3.3")
def csr_is_a_certificate(scene: Scene) -> bytes:
    """`csr` holds the IDevID."""
    return scene.enrol().with_payload(csr=base64(scene.device.chain[0])).body()


@BAD.refused(Code.CSR_UNPROVEN, "3.3")
def csr_of_a_stolen_public_key(scene: Scene) -> bytes:
    """The PKCS#10 request is for a key that the sender does not have."""
    return scene.enrol().with_payload(csr=base64(stolen_request(p256(), p256()))).body()


@BAD.refused(Code.CSR_UNPROVEN, "5", kind="renew")
def csr_of_a_stolen_public_key_at_renewal(scene: Scene) -> bytes:
    """The same, with an LDevID."""
    return scene.renew().with_payload(csr=base64(stolen_request(p256(), p256()))).body()


@BAD.refused(Code.KEY_UNSUITABLE, "3.2")
def csr_key_rsa1024(scene: Scene) -> bytes:
    """The operational key is RSA with 1,024 bits."""
    return scene.enrol(key=rsa_key(1024)).body()


@BAD.refused(Code.KEY_UNSUITABLE, "3.2")
def csr_key_ed25519(scene: Scene) -> bytes:
    """The operational key is Ed25519."""
    return scene.enrol(key=ed25519.Ed25519PrivateKey.generate()).body()


@BAD.refused(Code.KEY_UNSUITABLE, "3.2")
def csr_key_p521(scene: Scene) -> bytes:
    """The operational key is P-521."""
    return scene.enrol(key=ec.generate_private_key(ec.SECP521R1())).body()


@BAD.refused(Code.KEY_UNSUITABLE, "3.2")
def csr_key_is_the_idevids(scene: Scene) -> bytes:
    """The operational key is the IDevID's, which a reset does not erase."""
    return scene.enrol(key=scene.device.key).body()


@BAD.refused(Code.MALFORMED, "3.2")
def payload_not_json(scene: Scene) -> bytes:
    """The signed payload is not JSON."""
    return scene.enrol().with_text(lambda _text: b"hello").body()


@BAD.refused(Code.MALFORMED, "3.2")
def payload_is_a_list(scene: Scene) -> bytes:
    """The signed payload is a list."""
    return scene.enrol().with_text(lambda text: b"[" + text + b"]").body()


@BAD.refused(Code.MALFORMED, "3.2")
def payload_not_utf8(scene: Scene) -> bytes:
    """A text in the signed payload is not UTF-8."""
    return scene.enrol().with_text(lambda t: t.replace(b"EX-100", b"EX-\xff\xfe")).body()


@BAD.refused(Code.MALFORMED, "3.2")
def payload_with_half_a_character(scene: Scene) -> bytes:
    """A text in the signed payload has half a surrogate pair, which no UTF-8 can hold."""
    return scene.enrol().with_text(lambda t: t.replace(b"EX-100", b"EX-\\ud800")).body()


@BAD.refused(Code.MALFORMED, "5", kind="renew")
def renewal_with_members_of_an_enrolment(scene: Scene) -> bytes:
    """A renewal names a serial number, which only an enrolment does."""
    return scene.renew().with_payload(serial_number="EX-000017").body()


@BAD.refused(Code.MALFORMED, "5", kind="renew")
def renewal_without_request_id(scene: Scene) -> bytes:
    """A renewal without request id."""
    return scene.renew().with_payload(request_id=ABSENT).body()
