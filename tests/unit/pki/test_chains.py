# SPDX-License-Identifier: Apache-2.0
"""Chains: makers' certificates as openssl writes them, and every way to be refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from homeport.errors import Code, HomeportError
from homeport.keys import FileKey
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.authority import (
    Issuer,
    build_intermediate,
    build_leaf,
    build_root,
    domain_signer_leaf,
    ldevid_leaf,
    server_leaf,
)
from homeport.pki.certificates import authority_id, der_of, device_id_of, load_bundle
from homeport.pki.chains import verify_idevid, verify_ldevid, verify_platform_signer
from homeport.pki.idevid import IdevIdMinter
from homeport.pki.issuers import IssuerCache

VECTORS = Path(__file__).parents[2] / "vectors" / "pki"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=90)


def vector(name: str) -> x509.Certificate:
    return load_bundle((VECTORS / f"{name}.pem").read_bytes())[0]


def new_key() -> FileKey:
    return FileKey("memory", ec.generate_private_key(ec.SECP256R1()))


def refusal(call, *arguments) -> Code:
    with pytest.raises(HomeportError) as caught:
        call(*arguments)
    return caught.value.code


ANCHORS = Anchors(Purpose.IDEVID, [vector("root")])
INTERMEDIATE = der_of(vector("intermediate"))


@pytest.fixture(params=["without cache", "with cache"])
def check(request):
    """`verify_idevid` by intermediates' names; with a cache, the second answer is compared."""
    cache = IssuerCache() if request.param == "with cache" else None

    def verify(leaf: str, *intermediates: str, anchors: Anchors = ANCHORS):
        ders = [der_of(vector(name)) for name in intermediates]
        if cache is not None:
            verify_idevid(vector("leaf-good"), [INTERMEDIATE], ANCHORS, cache)
            verify_idevid(
                vector("leaf-expired-issuer"), [der_of(vector("expired"))], ANCHORS, cache
            )
            assert len(cache) >= 2
            try:
                first = verify_idevid(vector(leaf), ders, anchors, cache)
            except HomeportError:
                pass
            else:
                assert verify_idevid(vector(leaf), ders, anchors, cache) == first
        return verify_idevid(vector(leaf), ders, anchors, cache)

    return verify


@pytest.mark.parametrize(
    "leaf",
    ["leaf-good", "leaf-bare", "leaf-san", "leaf-p384", "leaf-rsa2048", "leaf-ended"],
)
def test_accepted(check, leaf):
    chain = check(leaf, "intermediate")
    assert chain.leaf == vector(leaf)
    assert chain.issuer == vector("intermediate")
    assert chain.anchor == vector("root")
    assert chain.authority_id == authority_id(vector("root"))
    assert chain.public_key == vector(leaf).public_key()


def test_makers_ca_without_critical_constraints_and_key_usage(check):
    assert check("leaf-noncritical", "noncritical").issuer == vector("noncritical")


def test_issuer_that_expired_since_is_accepted_for_what_it_minted_before(check):
    assert vector("expired").not_valid_after_utc < datetime.now(UTC)
    assert check("leaf-expired-issuer", "expired").issuer == vector("expired")


def test_issuer_that_had_expired_is_refused(check):
    with pytest.raises(HomeportError) as caught:
        check("leaf-after-issuer", "expired")
    assert caught.value.code is Code.CHAIN_UNTRUSTED


def test_anchor_may_be_the_direct_issuer(check):
    anchors = Anchors(Purpose.IDEVID, [vector("intermediate"), vector("foreign")])
    assert check("leaf-good", anchors=anchors).anchor == vector("intermediate")
    assert check("leaf-good", "intermediate", anchors=anchors).anchor == vector("intermediate")
    assert check("leaf-foreign", anchors=anchors).anchor == vector("foreign")


@pytest.mark.parametrize(
    ("leaf", "intermediates", "code"),
    [
        ("leaf-foreign", [], Code.ISSUER_UNKNOWN),
        ("leaf-foreign", ["foreign"], Code.ISSUER_UNKNOWN),
        ("leaf-good", [], Code.ISSUER_UNKNOWN),
        ("leaf-good", ["noncritical"], Code.CHAIN_UNTRUSTED),
        ("leaf-from-device", ["notca", "intermediate"], Code.CHAIN_UNTRUSTED),
        ("leaf-encipher", ["intermediate"], Code.CHAIN_UNTRUSTED),
        ("leaf-critical", ["intermediate"], Code.CHAIN_UNTRUSTED),
        ("leaf-sha1", ["intermediate"], Code.CHAIN_UNTRUSTED),
        ("leaf-ca", ["intermediate"], Code.CHAIN_UNTRUSTED),
        ("intermediate", [], Code.CHAIN_UNTRUSTED),
        ("root", [], Code.CHAIN_UNTRUSTED),
        ("leaf-rsa1024", ["intermediate"], Code.KEY_UNSUITABLE),
        ("leaf-ed25519", ["intermediate"], Code.KEY_UNSUITABLE),
        ("leaf-p521", ["intermediate"], Code.KEY_UNSUITABLE),
    ],
)
def test_refused(check, leaf, intermediates, code):
    with pytest.raises(HomeportError) as caught:
        check(leaf, *intermediates)
    assert caught.value.code is code


def test_an_anchor_is_not_a_device():
    leaf = vector("leaf-good")
    anchors = Anchors(Purpose.IDEVID, [leaf, vector("root")])
    assert refusal(verify_idevid, leaf, [INTERMEDIATE], anchors) is Code.CHAIN_UNTRUSTED


def test_anchors_for_another_purpose_prove_nothing():
    for purpose in (Purpose.PLATFORM, Purpose.VOUCHER):
        anchors = Anchors(purpose, [vector("root")])
        assert refusal(verify_idevid, vector("leaf-good"), [INTERMEDIATE], anchors) is (
            Code.CHAIN_UNTRUSTED
        )


def test_no_anchors():
    anchors = Anchors(Purpose.IDEVID, [])
    assert len(anchors) == 0
    assert refusal(verify_idevid, vector("leaf-good"), [INTERMEDIATE], anchors) is (
        Code.ISSUER_UNKNOWN
    )


class Factory:
    """A root and an intermediate made by ourselves."""

    def __init__(self, name: str = "Factory") -> None:
        self.root_key, self.key = new_key(), new_key()
        self.root = build_root(self.root_key, f"{name} root", BEGIN, None)
        self.root_issuer = Issuer(self.root, self.root_key)
        self.certificate = build_intermediate(
            self.root_issuer, self.key.public_key(), f"{name} issuer", BEGIN, None
        )
        self.issuer = Issuer(self.certificate, self.key)
        self.x5c = [der_of(self.certificate)]

    def idevid(self, serial_number: str = "SN-1", not_before: datetime = BEGIN) -> x509.Certificate:
        minter = IdevIdMinter(self.certificate, self.key)
        return x509.load_der_x509_certificate(
            minter.mint(new_key().public_key(), serial_number, "M1", not_before)
        )


def test_a_forged_leaf_under_a_known_issuer():
    """Same names and the same intermediate, but signed by a stranger's key of that name."""
    factory, stranger = Factory(), Factory()
    anchors, cache = Anchors(Purpose.IDEVID, [factory.root]), IssuerCache()
    verify_idevid(factory.idevid(), factory.x5c, anchors, cache)
    assert refusal(verify_idevid, stranger.idevid(), factory.x5c, anchors, cache) is (
        Code.CHAIN_UNTRUSTED
    )


def test_the_cache_forgets_with_the_anchor():
    factory, other = Factory(), Factory("Other")
    leaf, cache = factory.idevid(), IssuerCache()
    verify_idevid(leaf, factory.x5c, Anchors(Purpose.IDEVID, [factory.root]), cache)
    removed = Anchors(Purpose.IDEVID, [other.root])
    assert refusal(verify_idevid, leaf, factory.x5c, removed, cache) is Code.ISSUER_UNKNOWN


def test_the_cache_is_bounded():
    cache = IssuerCache(capacity=2)
    for number in range(4):
        factory = Factory(f"F{number}")
        anchors = Anchors(Purpose.IDEVID, [factory.root])
        verify_idevid(factory.idevid(), factory.x5c, anchors, cache)
        assert len(cache) == min(number + 1, 2)


def constrained(factory: Factory, extension: x509.ExtensionType) -> x509.Certificate:
    return factory.root_issuer.sign(
        x509.CertificateBuilder()
        .subject_name(factory.certificate.subject)
        .public_key(factory.key.public_key())
        .not_valid_before(BEGIN)
        .not_valid_after(END)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(extension, critical=True)
    )


def test_chains_with_name_constraints_are_not_cached():
    factory, cache = Factory(), IssuerCache()
    subtree = [x509.DNSName("example.org")]
    certificate = constrained(factory, x509.NameConstraints(subtree, None))
    anchors = Anchors(Purpose.IDEVID, [factory.root])
    verify_idevid(factory.idevid(), [der_of(certificate)], anchors, cache)
    assert len(cache) == 0
    leaf = build_leaf(
        domain_leaf := server_leaf(new_key().public_key(), ["other.example"], BEGIN, END),
        factory.issuer,
    )
    assert domain_leaf.not_after == END
    assert refusal(verify_idevid, leaf, [der_of(certificate)], anchors, cache) is (
        Code.CHAIN_UNTRUSTED
    )


def test_a_maze_of_intermediates_is_not_walked():
    """Five certificates of one name and key sign each other: every step would have five ways."""
    factory, key = Factory(), new_key()
    maze = [der_of(build_root(key, "maze", BEGIN, None)) for _ in range(4)]
    door = Issuer(build_root(key, "maze", BEGIN, None), key)
    leaf = build_leaf(ldevid_leaf(new_key().public_key(), "d", "SN-1", BEGIN, END), door)
    anchors = Anchors(Purpose.IDEVID, [factory.root])
    with pytest.raises(HomeportError) as caught:
        verify_idevid(leaf, [*factory.x5c, *maze], anchors)
    assert caught.value.code is Code.CHAIN_UNTRUSTED
    assert caught.value.detail == "two certificates of one name in the chain"
    assert refusal(verify_platform_signer, maze, anchors, "n", None) is Code.PLATFORM_UNPROVEN


def test_an_issuer_whose_signatures_are_dear_is_not_asked():
    """An exponent as long as the modulus: 20 ms for each verification."""
    numbers = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    dear = rsa.RSAPublicNumbers(2**2000 + 1, numbers.n).public_key()
    factory = Factory()
    certificate = build_intermediate(factory.root_issuer, dear, "dear", BEGIN, None)
    anchors = Anchors(Purpose.IDEVID, [factory.root])
    assert refusal(verify_idevid, factory.idevid(), [der_of(certificate)], anchors) is (
        Code.KEY_UNSUITABLE
    )


def test_issuer_that_may_not_sign_certificates():
    factory = Factory()
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=False, crl_sign=False, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    x5c = [der_of(constrained(factory, usage))]
    anchors = Anchors(Purpose.IDEVID, [factory.root])
    assert refusal(verify_idevid, factory.idevid(), x5c, anchors) is Code.CHAIN_UNTRUSTED


def test_path_length():
    factory = Factory()
    below_key = new_key()
    below = build_intermediate(factory.issuer, below_key.public_key(), "too deep", BEGIN, None)
    leaf = build_leaf(
        ldevid_leaf(new_key().public_key(), "d", "SN-1", BEGIN, END), Issuer(below, below_key)
    )
    anchors = Anchors(Purpose.IDEVID, [factory.root])
    x5c = [der_of(below), *factory.x5c]
    assert refusal(verify_idevid, leaf, x5c, anchors) is Code.CHAIN_UNTRUSTED


class TestPlatformSigner:
    @pytest.fixture
    def platform(self) -> Factory:
        return Factory("Platform")

    @pytest.fixture
    def anchors(self, platform) -> Anchors:
        return Anchors(Purpose.PLATFORM, [platform.root])

    def chain(self, platform, names, describe=domain_signer_leaf) -> list[bytes]:
        leaf = build_leaf(describe(new_key().public_key(), names, BEGIN, END), platform.issuer)
        return [der_of(leaf), *platform.x5c]

    @pytest.mark.parametrize(
        ("names", "name"),
        [
            (["home.example"], "home.example"),
            (["other.example", "home.example"], "HOME.example."),
            (["192.0.2.1"], "192.0.2.1"),
            (["2001:db8::1"], "2001:db8:0::1"),
        ],
    )
    def test_accepted(self, platform, anchors, names, name):
        x5c = self.chain(platform, names)
        for now in (None, BEGIN + timedelta(days=1)):
            key = verify_platform_signer(x5c, anchors, name, now)
            assert key == x509.load_der_x509_certificate(x5c[0]).public_key()

    @pytest.mark.parametrize(
        "name", ["evil.example", "a.home.example", "example", "192.0.2.1", "", "*.example"]
    )
    def test_another_name(self, platform, anchors, name):
        x5c = self.chain(platform, ["home.example"])
        assert refusal(verify_platform_signer, x5c, anchors, name, None) is Code.PLATFORM_UNPROVEN

    def test_wildcards_are_not_expanded(self, platform, anchors):
        x5c = self.chain(platform, ["*.example"])
        assert refusal(verify_platform_signer, x5c, anchors, "home.example", None) is (
            Code.PLATFORM_UNPROVEN
        )

    def test_the_platforms_tls_certificate_does_not_sign_answers(self, platform, anchors):
        x5c = self.chain(platform, ["home.example"], server_leaf)
        assert refusal(verify_platform_signer, x5c, anchors, "home.example", None) is (
            Code.PLATFORM_UNPROVEN
        )

    def test_a_devices_identity_does_not_speak_for_the_platform(self, platform, anchors):
        """Even if the manufacturer used one root for both, and the device holds a valid key."""
        x5c = [der_of(platform.idevid()), *platform.x5c]
        assert refusal(verify_platform_signer, x5c, anchors, "home.example", None) is (
            Code.PLATFORM_UNPROVEN
        )

    def test_the_platforms_certificate_is_not_a_device(self, platform):
        leaf, *intermediates = self.chain(platform, ["home.example"])
        certificate = x509.load_der_x509_certificate(leaf)
        anchors = Anchors(Purpose.IDEVID, [platform.root])
        assert refusal(verify_idevid, certificate, intermediates, anchors) is Code.CHAIN_UNTRUSTED

    def test_anchors_for_devices_prove_no_platform(self, platform):
        x5c = self.chain(platform, ["home.example"])
        anchors = Anchors(Purpose.IDEVID, [platform.root])
        assert refusal(verify_platform_signer, x5c, anchors, "home.example", None) is (
            Code.PLATFORM_UNPROVEN
        )

    def test_time_counts_when_it_is_trusted(self, platform, anchors):
        x5c = self.chain(platform, ["home.example"])
        for now in (BEGIN - timedelta(days=1), END + timedelta(days=1)):
            assert refusal(verify_platform_signer, x5c, anchors, "home.example", now) is (
                Code.PLATFORM_UNPROVEN
            )

    def test_what_expired_before_the_floor_is_refused_without_a_clock(self, platform, anchors):
        x5c = self.chain(platform, ["home.example"])
        verify_platform_signer(x5c, anchors, "home.example", None, END)
        late = END + timedelta(seconds=1)
        assert refusal(verify_platform_signer, x5c, anchors, "home.example", None, late) is (
            Code.PLATFORM_UNPROVEN
        )

    @pytest.mark.parametrize("x5c", [[], [b""], [b"\x30\x00"], [b"x" * 9000]])
    def test_unreadable(self, anchors, x5c):
        assert refusal(verify_platform_signer, x5c, anchors, "home.example", None) is (
            Code.PLATFORM_UNPROVEN
        )

    def test_unknown_root(self, anchors):
        x5c = self.chain(Factory("Platform"), ["home.example"])
        assert refusal(verify_platform_signer, x5c, anchors, "home.example", None) is (
            Code.PLATFORM_UNPROVEN
        )


def test_ldevids_are_ours_or_not():
    ours, theirs = Factory(), Factory()
    leaf = build_leaf(ldevid_leaf(new_key().public_key(), "abc-1", "SN-1", BEGIN, END), ours.issuer)
    assert verify_ldevid(leaf, [theirs.certificate, ours.certificate]) == ours.certificate
    assert device_id_of(leaf) == "abc-1"
    assert refusal(verify_ldevid, leaf, [theirs.certificate]) is Code.CHAIN_UNTRUSTED
    assert refusal(verify_ldevid, leaf, []) is Code.CHAIN_UNTRUSTED
    assert refusal(verify_ldevid, ours.certificate, [ours.root]) is Code.CHAIN_UNTRUSTED
