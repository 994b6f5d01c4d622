# SPDX-License-Identifier: Apache-2.0
"""Requests to refuse for their form, algorithm, signature, url or nonce."""

import datetime as dt

from cryptography.hazmat.primitives.asymmetric import ec

from homeport.errors import Code
from tools.vectors_native.draft import ABSENT, as_json, base64url, sign_ecdsa_der, sign_es256
from tools.vectors_native.identities import p256, rsa_key
from tools.vectors_native.recipe import Recipes
from tools.vectors_native.scene import NonceSource, Scene

BAD = Recipes()
NONCE_LIFETIME = dt.timedelta(minutes=5)


@BAD.refused(Code.SIGNATURE_WRONG, "3.3")
def payload_altered(scene: Scene) -> bytes:
    """One member of the payload was changed after signing."""
    draft = scene.enrol()
    parts = draft.parts()
    return as_json(
        {**parts, "payload": base64url(draft.with_payload(model="EX-999").payload_text())}
    )


@BAD.refused(Code.SIGNATURE_WRONG, "3.3")
def protected_altered(scene: Scene) -> bytes:
    """Another fresh nonce of this platform was put into the protected header after signing."""
    draft = scene.enrol()
    parts = draft.parts()
    other = draft.with_header(nonce=scene.nonce())
    return as_json({**parts, "protected": base64url(as_json(other.header))})


@BAD.refused(Code.SIGNATURE_WRONG, "3.3")
def signature_altered(scene: Scene) -> bytes:
    """One bit of the signature is another."""

    def flipped(key: object, data: bytes) -> bytes:
        signature = bytearray(sign_es256(key, data))  # type: ignore[arg-type]
        signature[40] ^= 1
        return bytes(signature)

    return scene.enrol().body(flipped)


@BAD.refused(Code.SIGNATURE_WRONG, "3.3")
def signature_of_zeros(scene: Scene) -> bytes:
    """R and s are zero, which a careless verifier accepts for every message (CVE-2022-21449)."""
    return scene.enrol().body(lambda _key, _data: bytes(64))


@BAD.refused(Code.SIGNATURE_WRONG, "3.3")
def signature_empty(scene: Scene) -> bytes:
    """The signature is empty, though the algorithm is right."""
    return scene.enrol().body(lambda _key, _data: b"")


@BAD.refused(Code.SIGNATURE_WRONG, "3.3")
def signature_in_der(scene: Scene) -> bytes:
    """The signature is in the form of X.509 instead of r and s side by side."""
    return scene.enrol().body(sign_ecdsa_der)


@BAD.refused(Code.SIGNATURE_WRONG, "3.3")
def signature_by_another_key(scene: Scene) -> bytes:
    """The certificate is this device's, the signature another's: a copied chain proves nothing."""
    other = p256()
    return scene.enrol().body(lambda _key, data: sign_es256(other, data))


@BAD.refused(Code.ALGORITHM_REFUSED, "3.1")
def algorithm_none(scene: Scene) -> bytes:
    """`alg` is none and the signature empty (RFC 8725 section 2.1)."""
    return scene.enrol().with_header(alg="none").body()


@BAD.refused(Code.ALGORITHM_REFUSED, "3.1")
def algorithm_hs256(scene: Scene) -> bytes:
    """`alg` is HS256 with the public key as secret (RFC 8725 section 2.1)."""
    return scene.enrol().with_header(alg="HS256").body()


@BAD.refused(Code.ALGORITHM_REFUSED, "3.1")
def algorithm_rs256_with_ec_key(scene: Scene) -> bytes:
    """`alg` is RS256, the key P-256."""
    return scene.enrol().with_header(alg="RS256").body(sign_es256)


@BAD.refused(Code.ALGORITHM_REFUSED, "3.1")
def algorithm_es384_with_p256_key(scene: Scene) -> bytes:
    """`alg` is ES384, and really is the signature's, but the key is P-256."""
    return scene.enrol().with_header(alg="ES384").body()


@BAD.refused(Code.ALGORITHM_REFUSED, "3.1")
def algorithm_es256_with_p384_key(scene: Scene) -> bytes:
    """`alg` is ES256, the key P-384."""
    signer = scene.maker.device(key=ec.generate_private_key(ec.SECP384R1()))
    return scene.enrol(signer).with_header(alg="ES256").body(lambda _key, _data: bytes(64))


@BAD.refused(Code.ALGORITHM_REFUSED, "3.1")
def algorithm_es256_with_rsa_key(scene: Scene) -> bytes:
    """`alg` is ES256, the key RSA."""
    signer = scene.maker.device(scene.maker.rsa_root, rsa_key())
    return scene.enrol(signer).with_header(alg="ES256").body(lambda _key, _data: bytes(64))


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def algorithm_absent(scene: Scene) -> bytes:
    """There is no `alg`."""
    draft = scene.enrol()
    return as_json(draft.signed_over(as_json({**draft.header, "alg": ABSENT})))


@BAD.refused(Code.URL_WRONG, "3.1")
def url_of_another_platform(scene: Scene) -> bytes:
    """A rogue platform forwards a request that was signed for it."""
    url = "https://rogue.example/.well-known/homeport/enrol"
    return scene.enrol().with_header(url=url).body()


@BAD.refused(Code.URL_WRONG, "3.1")
def url_absent(scene: Scene) -> bytes:
    """The request does not say for whom it was signed."""
    return scene.enrol().with_header(url=ABSENT).body()


@BAD.refused(Code.URL_WRONG, "3.1")
def url_of_the_other_door(scene: Scene) -> bytes:
    """An enrolment that was signed for the renewal's URL."""
    url = scene.url + "/.well-known/homeport/renew"
    return scene.enrol().with_header(url=url).body()


@BAD.refused(Code.URL_WRONG, "3.1")
def url_in_capitals(scene: Scene) -> bytes:
    """URLs are compared octet by octet: one that means the same is another."""
    draft = scene.enrol()
    return draft.with_header(url=str(draft.header["url"]).replace("https", "HTTPS")).body()


@BAD.refused(Code.URL_WRONG, "3.1")
def url_twice(scene: Scene) -> bytes:
    """`url` occurs twice, ours first: the last one counts (RFC 7515 section 4)."""
    draft = scene.enrol()
    rogue = b',"url":"https://rogue.example/.well-known/homeport/enrol"}'
    return as_json(draft.signed_over(as_json(draft.header)[:-1] + rogue))


@BAD.refused(Code.NONCE_WRONG, "2", live=False)
def nonce_old(scene: Scene) -> bytes:
    """The nonce is a second older than its lifetime."""
    nonce = scene.past_nonce(NONCE_LIFETIME + dt.timedelta(seconds=1))
    return scene.enrol().with_header(nonce=nonce).body()


@BAD.refused(Code.NONCE_WRONG, "2", live=False)
def nonce_of_a_former_owner(scene: Scene) -> bytes:
    """A former owner let the device sign a request in advance, 400 days ago."""
    nonce = scene.past_nonce(dt.timedelta(days=400))
    return scene.enrol().with_header(nonce=nonce).body()


@BAD.refused(Code.NONCE_WRONG, "2", live=False)
def nonce_of_the_future(scene: Scene) -> bytes:
    """The nonce will be made in a minute: a clock was turned back, or the key was guessed."""
    nonce = scene.past_nonce(-dt.timedelta(minutes=1))
    return scene.enrol().with_header(nonce=nonce).body()


@BAD.refused(Code.NONCE_WRONG, "2")
def nonce_foreign(scene: Scene) -> bytes:
    """The nonce was made with another platform's key."""
    return scene.enrol().with_header(nonce=NonceSource(bytes(32)).make(scene.now)).body()


@BAD.refused(Code.NONCE_WRONG, "2")
def nonce_altered(scene: Scene) -> bytes:
    """One character of the nonce is another."""
    nonce = scene.nonce()
    altered = nonce[:4] + ("A" if nonce[4] != "A" else "B") + nonce[5:]
    return scene.enrol().with_header(nonce=altered).body()


@BAD.refused(Code.NONCE_WRONG, "2")
def nonce_cut(scene: Scene) -> bytes:
    """Half of the nonce is missing, and with it what proves that it is ours."""
    return scene.enrol().with_header(nonce=scene.nonce()[:20]).body()


@BAD.refused(Code.NONCE_WRONG, "2")
def nonce_absent(scene: Scene) -> bytes:
    """There is no nonce."""
    return scene.enrol().with_header(nonce=ABSENT).body()


@BAD.refused(Code.NONCE_WRONG, "2")
def nonce_empty(scene: Scene) -> bytes:
    """The nonce is an empty text."""
    return scene.enrol().with_header(nonce="").body()


@BAD.refused(Code.NONCE_WRONG, "2")
def nonce_not_ascii(scene: Scene) -> bytes:
    """The nonce is made of characters that no base64 has."""
    return scene.enrol().with_header(nonce="№" * 44).body()


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def typ_absent(scene: Scene) -> bytes:
    """The request does not say what it is."""
    return scene.enrol().with_header(typ=ABSENT).body()


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def typ_of_an_answer(scene: Scene) -> bytes:
    """A JWS for another purpose (RFC 8725 section 3.11)."""
    return scene.enrol().with_header(typ="homeport-answer+jws").body()


@BAD.refused(Code.JWS_MALFORMED, "5", kind="renew")
def typ_of_an_enrolment_at_renewal(scene: Scene) -> bytes:
    """An LDevID signs what it calls an enrolment, and sends it to be renewed."""
    return scene.renew().with_header(typ="homeport-enrol+jws").body()


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def typ_of_a_renewal_at_enrolment(scene: Scene) -> bytes:
    """An IDevID signs what it calls a renewal, and sends it to enrol."""
    return scene.enrol().with_header(typ="homeport-renew+jws").body()


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def critical_member(scene: Scene) -> bytes:
    """`crit` names an extension that we do not know (RFC 7515 section 4.1.11)."""
    return scene.enrol().with_header(crit=["exp"], exp=1).body()


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def critical_member_empty(scene: Scene) -> bytes:
    """`crit` names nothing, which RFC 7515 section 4.1.11 forbids."""
    return scene.enrol().with_header(crit=[]).body()


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def unprotected_header(scene: Scene) -> bytes:
    """There is an unprotected header, which the signature does not cover."""
    return as_json({**scene.enrol().parts(), "header": {"kid": "1"}})


@BAD.refused(Code.JWS_MALFORMED, "3")
def general_serialisation(scene: Scene) -> bytes:
    """The general JSON form with its list of signatures, of which one might be looked at."""
    parts = scene.enrol().parts()
    payload = parts.pop("payload")
    return as_json({"payload": payload, "signatures": [parts]})


@BAD.refused(Code.JWS_MALFORMED, "3")
def compact_serialisation(scene: Scene) -> bytes:
    """The compact form."""
    parts = scene.enrol().parts()
    return ".".join(parts[name] for name in ("protected", "payload", "signature")).encode()


@BAD.refused(Code.JWS_MALFORMED, "3")
def padded_base64url(scene: Scene) -> bytes:
    """The payload's base64url has padding, so two texts would give one payload."""
    parts = scene.enrol().with_text(lambda text: text + b" " * (-(len(text) + 2) % 3)).parts()
    return as_json({**parts, "payload": parts["payload"] + "="})


@BAD.refused(Code.JWS_MALFORMED, "3")
def protected_not_base64url(scene: Scene) -> bytes:
    """The protected header holds a sign that no base64url has."""
    parts = scene.enrol().parts()
    return as_json({**parts, "protected": "!" + parts["protected"][1:]})


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def protected_not_json(scene: Scene) -> bytes:
    """The protected header is not JSON."""
    return as_json({**scene.enrol().parts(), "protected": base64url(b"alg: ES256")})


@BAD.refused(Code.JWS_MALFORMED, "3")
def signature_absent(scene: Scene) -> bytes:
    """There is no signature."""
    return as_json({**scene.enrol().parts(), "signature": ABSENT})


@BAD.refused(Code.JWS_MALFORMED, "3")
def truncated(scene: Scene) -> bytes:
    """The body ends in the middle."""
    body = scene.enrol().body()
    return body[: len(body) // 2]


@BAD.refused(Code.JWS_MALFORMED, "3")
def empty(_scene: Scene) -> bytes:
    """There is no body."""
    return b""


@BAD.refused(Code.JWS_MALFORMED, "3")
def not_json(_scene: Scene) -> bytes:
    """A form, as a browser sends it."""
    return b"serial_number=EX-000017&model=EX-100"


@BAD.refused(Code.JWS_MALFORMED, "3")
def not_utf8(scene: Scene) -> bytes:
    """A text in the body is not UTF-8."""
    return scene.enrol().body().replace(b'"payload":"', b'"payload":"\xff\xfe')


@BAD.refused(Code.JWS_MALFORMED, "3")
def nested_deeply(_scene: Scene) -> bytes:
    """Ten thousand lists within each other, to exhaust a reader's stack."""
    return b'{"payload":' + b"[" * 10_000 + b"]" * 10_000 + b"}"


@BAD.refused(Code.JWS_MALFORMED, "3")
def member_of_another_type(scene: Scene) -> bytes:
    """The signature is a number."""
    return as_json({**scene.enrol().parts(), "signature": 1})


@BAD.refused(Code.TOO_LARGE, "3")
def oversized(scene: Scene) -> bytes:
    """A right request, filled up to one octet more than 32 kB."""
    body = scene.enrol().body()
    return body[:-1] + b" " * (32 * 1024 + 1 - len(body)) + b"}"


@BAD.refused(Code.JWS_MALFORMED, "3.1")
def url_too_long(scene: Scene) -> bytes:
    """`url` has 5,000 characters."""
    draft = scene.enrol()
    return draft.with_header(url=str(draft.header["url"]) + "?" + "a" * 5_000).body()
