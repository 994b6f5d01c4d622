# SPDX-License-Identifier: Apache-2.0
"""The platform's keys: made once, whatever interrupts the making; renewed; given by operators."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from homeport.ca.establish import sign_intermediate_request
from homeport.errors import Code, HomeportError
from homeport.keys import make_key, open_key
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.authority import Issuer, build_leaf, build_root, server_leaf
from homeport.pki.certificates import load_bundle, pem_of
from homeport.pki.chains import verify_platform_signer
from homeport.server.certificates import establishing
from homeport.server.certificates.files import replace_file
from homeport.server.certificates.offline_root import install_chain, request_chain
from homeport.server.certificates.places import Intermediate, KeyPlaces
from homeport.server.certificates.platform_keys import open_platform_keys
from homeport.server.certificates.tls import TlsFiles, check_pair, covers, read_pair

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAME = "platform.example"


@pytest.fixture
def places(tmp_path):
    return KeyPlaces(directory=tmp_path / "keys", names=(NAME, "10.0.0.5", "fd00::5"))


def contents(places):
    return {
        path.name: path.read_bytes() for path in places.directory.iterdir() if path.name != ".lock"
    }


def code_of(function, *args):
    with pytest.raises(HomeportError) as caught:
        function(*args)
    return caught.value.code


def test_the_second_run_makes_nothing(places):
    first = open_platform_keys(places, NOW)
    files = contents(places)
    second = open_platform_keys(places, NOW + timedelta(days=1))
    assert contents(places) == files
    assert second.nonce_key == first.nonce_key
    assert second.domain_x5c() == first.domain_x5c()


def test_nobody_else_can_read(places):
    open_platform_keys(places, NOW)
    assert places.directory.stat().st_mode & 0o777 == 0o700
    modes = {path.stat().st_mode & 0o777 for path in places.directory.iterdir()}
    assert modes == {0o600}


def test_a_directory_open_to_others_is_refused(places):
    places.directory.mkdir(mode=0o755)
    places.directory.chmod(0o755)
    assert code_of(open_platform_keys, places, NOW) is Code.SETTING_WRONG


def test_devices_believe_the_domain_key_by_every_name(places):
    keys = open_platform_keys(places, NOW)
    anchors = Anchors(Purpose.PLATFORM, load_bundle(keys.platform_anchors_pem()))
    for name in places.names:
        verified = verify_platform_signer(keys.domain_x5c(), anchors, name, NOW)
        assert verified == keys.domain_key.public_key()


def test_the_tls_certificate_is_for_all_names(places):
    keys = open_platform_keys(places, NOW)
    pair = read_pair(TlsFiles(keys.tls_file, keys.tls_file))
    check_pair(pair, places.names, NOW)
    assert len(pair.chain) == 2
    assert not covers(pair.leaf, "other.example")


@pytest.mark.parametrize(
    ("name", "purpose"),
    [("issuing", ExtendedKeyUsageOID.CLIENT_AUTH), ("services", ExtendedKeyUsageOID.SERVER_AUTH)],
)
def test_intermediates_are_limited_to_their_purpose(places, name, purpose):
    keys = open_platform_keys(places, NOW)
    certificate = getattr(keys, name).certificate
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert purpose in usages
    assert {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH} - set(usages)


def test_killed_after_any_file_the_next_run_goes_on(places, monkeypatch):
    """Each run may write one file more; what is there stays as it is."""
    writes: list[str] = []

    class Killed(BaseException):
        pass

    def limited(real):
        def write(*args, **kwargs):
            if writes:
                raise Killed
            writes.append(str(args[0]))
            return real(*args, **kwargs)

        return write

    monkeypatch.setattr(establishing, "replace_file", limited(replace_file))
    monkeypatch.setattr(establishing, "make_key", limited(make_key))
    before: dict[str, bytes] = {}
    for _ in range(20):
        writes.clear()
        try:
            open_platform_keys(places, NOW)
        except Killed:
            pass
        else:
            break
        after = contents(places)
        assert before.items() <= after.items()
        assert len(after) == len(before) + 1
        before = after
    # The tenth file was the last, and that run ended well.
    assert len(contents(places)) == 10
    keys = open_platform_keys(places, NOW)
    anchors = Anchors(Purpose.PLATFORM, keys.platform_anchors())
    signer = verify_platform_signer(keys.domain_x5c(), anchors, NAME, NOW)
    assert signer == keys.domain_key.public_key()


def test_what_a_killed_writer_left_is_removed(places):
    open_platform_keys(places, NOW)
    (places.directory / ".root.pem.0123456789abcdef").write_bytes(b"half")
    open_platform_keys(places, NOW)
    assert not list(places.directory.glob(".root*"))


def test_two_processes_at_once_make_one_set(places):
    program = (
        "import sys;from pathlib import Path;from datetime import datetime,UTC;"
        "from homeport.server.certificates.places import KeyPlaces;"
        "from homeport.server.certificates.platform_keys import open_platform_keys;"
        f"k=open_platform_keys(KeyPlaces(directory=Path(sys.argv[1]),names=({NAME!r},)),"
        "datetime(2026,11,23,tzinfo=UTC));print(k.nonce_key.hex(),k.server.serial_number)"
    )
    command = [sys.executable, "-c", program, str(places.directory)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    said = {process.communicate(timeout=60)[0] for process in running}
    assert len(said) == 1
    assert said != {b""}


def test_a_lost_root_certificate_is_not_made_anew(places):
    open_platform_keys(places, NOW)
    (places.directory / "root.pem").unlink()
    assert code_of(open_platform_keys, places, NOW) is Code.FILE_MISSING


def test_a_lost_issuing_key_is_not_made_anew(places):
    open_platform_keys(places, NOW)
    (places.directory / "issuing.key").unlink()
    assert code_of(open_platform_keys, places, NOW) is Code.KEY_MISSING


def test_a_wrong_key_is_named(places):
    open_platform_keys(places, NOW)
    (places.directory / "issuing.key").unlink()
    make_key(f"file:{places.directory}/issuing.key")
    assert code_of(open_platform_keys, places, NOW) is Code.SETTING_WRONG


def test_another_host_name_gets_other_certificates_under_the_same_cas(places, tmp_path):
    first = open_platform_keys(places, NOW)
    moved = KeyPlaces(directory=places.directory, names=("new.example",))
    second = open_platform_keys(moved, NOW)
    assert covers(second.server, "new.example")
    assert not covers(second.server, NAME)
    assert covers(second.domain_chain[0], "new.example")
    assert second.domain_key.public_key() == first.domain_key.public_key()
    assert second.issuing.certificate == first.issuing.certificate


def test_renewal_at_two_thirds(places):
    keys = open_platform_keys(places, NOW)
    server, domain = keys.server, keys.domain_chain[0]
    assert not keys.refresh(NOW + timedelta(days=59))
    refreshed = keys.refresh(NOW + timedelta(days=61))
    assert refreshed.tls
    assert refreshed.domain
    assert not refreshed.issuing
    assert keys.server != server
    assert keys.domain_chain[0] != domain
    assert keys.domain_chain[0].public_key() == domain.public_key()
    on_disk = read_pair(TlsFiles(keys.tls_file, keys.tls_file))
    assert on_disk.leaf == keys.server
    assert not keys.refresh(NOW + timedelta(days=61))


def test_intermediates_are_renewed_with_their_key(places):
    keys = open_platform_keys(places, NOW)
    before = keys.issuing.certificate
    later = NOW + timedelta(days=365 * 7)
    assert keys.refresh(later).issuing
    assert keys.issuing.certificate != before
    assert keys.issuing.certificate.public_key() == before.public_key()
    assert keys.issuing.certificate.subject == before.subject


def test_without_the_root_key_leaves_are_renewed_and_intermediates_stay(places):
    keys = open_platform_keys(places, NOW)
    (places.directory / "root.key").rename(places.directory.parent / "safe")
    before = keys.issuing.certificate
    refreshed = keys.refresh(NOW + timedelta(days=365 * 7))
    assert refreshed.tls
    assert not refreshed.issuing
    assert keys.issuing.certificate == before
    assert open_platform_keys(places, NOW).issuing.certificate == before


def test_certificates_made_under_a_wrong_clock_are_made_again(places):
    keys = open_platform_keys(places, NOW + timedelta(days=10))
    assert keys.refresh(NOW).tls
    assert keys.server.not_valid_before_utc <= NOW


def test_issuing_key_in_a_token(places, soft_token, tmp_path):
    uri = soft_token.uri("issuing")
    places = KeyPlaces(directory=tmp_path / "keys", names=(NAME,), issuing_key=uri)
    keys = open_platform_keys(places, NOW)
    assert keys.issuing.certificate.public_key() == open_key(uri).public_key()
    assert not (places.directory / "issuing.key").exists()
    assert open_platform_keys(places, NOW).issuing.certificate == keys.issuing.certificate


# --- a root that is elsewhere ---------------------------------------------------------------------


@pytest.fixture
def company(tmp_path):
    key = make_key(f"file:{tmp_path}/company.key", "P-384")
    return Issuer(build_root(key, "Company root", NOW - timedelta(days=900), 20), key)


def signed_by(company, request, name):
    made = sign_intermediate_request(company, request, f"Company {name}", name.purposes, NOW)
    return pem_of(made, company.certificate)


def test_under_an_offline_root(places, company):
    for name in Intermediate:
        chain = signed_by(company, request_chain(places, name), name)
        install_chain(places, name, chain, NOW)
    keys = open_platform_keys(places, NOW)
    assert keys.root == company.certificate
    assert not (places.directory / "root.key").exists()
    anchors = Anchors(Purpose.PLATFORM, [company.certificate])
    signer = verify_platform_signer(keys.domain_x5c(), anchors, NAME, NOW)
    assert signer == keys.domain_key.public_key()


def test_with_half_the_chains_it_says_what_to_do(places, company):
    name = Intermediate.ISSUING
    install_chain(places, name, signed_by(company, request_chain(places, name), name), NOW)
    with pytest.raises(HomeportError, match="homeport ca request services"):
        open_platform_keys(places, NOW)


def test_a_chain_of_the_other_purpose_is_refused(places, company):
    request = request_chain(places, Intermediate.ISSUING)
    wrong = sign_intermediate_request(
        company, request, "Wrong", Intermediate.SERVICES.purposes, NOW
    )
    chain = pem_of(wrong, company.certificate)
    assert code_of(install_chain, places, Intermediate.ISSUING, chain, NOW) is Code.CHAIN_UNTRUSTED
    assert not (places.directory / "issuing.pem").exists()


def test_chains_that_do_not_hold_are_refused(places, company, tmp_path):
    name = Intermediate.ISSUING
    good = signed_by(company, request_chain(places, name), name)
    made, root = load_bundle(good)
    other = build_root(make_key(f"file:{tmp_path}/x.key"), "Company root", NOW, 20)
    foreign = sign_intermediate_request(
        company, request_chain(places, Intermediate.SERVICES), "X", name.purposes, NOW
    )
    wrong = [
        pem_of(made),
        pem_of(root, made),
        pem_of(made, other),
        pem_of(foreign, root),
        pem_of(made, root, root, root, root, root),
    ]
    for chain in wrong:
        assert code_of(install_chain, places, name, chain, NOW) is Code.CHAIN_UNTRUSTED
    late = NOW + timedelta(days=365 * 11)
    assert code_of(install_chain, places, name, good, late) is Code.CHAIN_UNTRUSTED


def test_another_root_is_refused(places, company):
    open_platform_keys(places, NOW)
    name = Intermediate.ISSUING
    chain = signed_by(company, request_chain(places, name), name)
    assert code_of(install_chain, places, name, chain, NOW) is Code.CHAIN_UNTRUSTED


# --- files of the operator ------------------------------------------------------------------------


class Operator:
    """Somebody's ACME client: writes certificate and key files."""

    def __init__(self, directory):
        directory.mkdir()
        key = make_key(f"file:{directory}/ca.key")
        root = build_root(key, "Public root", NOW - timedelta(days=900), 20)
        self.root = directory / "root.pem"
        self.root.write_bytes(pem_of(root))
        self.issuer = Issuer(root, key)
        self.files = TlsFiles(directory / "fullchain.pem", directory / "privkey.pem")

    def make(self, names=(NAME,), start=NOW, days=90):
        key = ec.generate_private_key(ec.SECP256R1())
        end = start + timedelta(days=days)
        leaf = build_leaf(server_leaf(key.public_key(), list(names), start, end), self.issuer)
        return pem_of(leaf), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def write(self, certificate, key):
        self.files.certificate.write_bytes(certificate)
        self.files.key.write_bytes(key)


@pytest.fixture
def operator(tmp_path):
    operator = Operator(tmp_path / "operator")
    operator.write(*operator.make())
    return operator


@pytest.fixture
def given(places, operator):
    return KeyPlaces(
        directory=places.directory, names=(NAME,), tls=operator.files, tls_anchors=operator.root
    )


def test_the_operators_certificate_is_served_and_its_root_trusted(given, operator):
    keys = open_platform_keys(given, NOW)
    served = read_pair(TlsFiles(keys.tls_file, keys.tls_file))
    assert served.leaf == load_bundle(operator.files.certificate.read_bytes())[0]
    assert load_bundle(operator.root.read_bytes())[0] in keys.platform_anchors()
    assert keys.root in keys.platform_anchors()
    assert not keys.refresh(NOW + timedelta(days=59))


def test_without_the_setting_our_own_is_made_again(given, places):
    open_platform_keys(given, NOW)
    keys = open_platform_keys(places, NOW)
    assert keys.server.issuer == keys.services.certificate.subject


def test_replaced_files_are_taken(given, operator):
    keys = open_platform_keys(given, NOW)
    certificate, key = operator.make(start=NOW + timedelta(days=60))
    operator.write(certificate, key)
    assert keys.refresh(NOW + timedelta(days=61)).tls
    assert keys.server == load_bundle(certificate)[0]
    assert read_pair(TlsFiles(keys.tls_file, keys.tls_file)).leaf == keys.server
    assert not keys.refresh(NOW + timedelta(days=61))


def test_expired_files_do_not_keep_our_own_from_being_renewed(given):
    keys = open_platform_keys(given, NOW)
    refreshed = keys.refresh(NOW + timedelta(days=100))
    assert refreshed.domain
    assert not refreshed.tls


def test_half_a_replacement_is_not_taken_until_it_is_whole(given, operator):
    keys = open_platform_keys(given, NOW)
    old = keys.server
    certificate, key = operator.make()
    operator.files.certificate.write_bytes(certificate)
    assert not keys.refresh(NOW).tls
    assert keys.server == old
    assert read_pair(TlsFiles(keys.tls_file, keys.tls_file)).leaf == old
    operator.files.key.write_bytes(key)
    assert keys.refresh(NOW).tls
    assert keys.server == load_bundle(certificate)[0]


def test_replaced_links_are_taken(given, operator, tmp_path):
    """Certbot's `live/` and Kubernetes' secrets: the name stays, the link moves."""
    for path in (operator.files.certificate, operator.files.key):
        target = tmp_path / f"1-{path.name}"
        path.rename(target)
        path.symlink_to(target)
    keys = open_platform_keys(given, NOW)
    certificate, key = operator.make()
    for path, content in ((operator.files.certificate, certificate), (operator.files.key, key)):
        target = tmp_path / f"2-{path.name}"
        target.write_bytes(content)
        link = tmp_path / "link"
        link.symlink_to(target)
        link.replace(path)
    assert keys.refresh(NOW).tls
    assert keys.server == load_bundle(certificate)[0]


def test_lost_files_leave_the_present_one(given, operator):
    keys = open_platform_keys(given, NOW)
    operator.files.key.unlink()
    assert not keys.refresh(NOW)
    assert code_of(open_platform_keys, given, NOW) is Code.FILE_MISSING


def encrypted(key_pem):
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(key_pem, None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("expired", "valid from"),
        ("not yet", "valid from"),
        ("other name", "does not name platform.example"),
        ("other key", "is not the key of the certificate"),
        ("encrypted", "is encrypted"),
        ("no key", "not a private key in PEM"),
        ("no certificate", "fullchain.pem"),
        ("a client's", "not for TLS servers"),
    ],
)
def test_what_is_wrong_with_the_files_is_said(given, operator, fault, said):
    certificate, key = operator.make()
    match fault:
        case "expired":
            certificate, key = operator.make(start=NOW - timedelta(days=100))
        case "not yet":
            certificate, key = operator.make(start=NOW + timedelta(days=1))
        case "other name":
            certificate, key = operator.make(names=["other.example"])
        case "other key":
            _, key = operator.make()
        case "encrypted":
            key = encrypted(key)
        case "no key":
            key = certificate
        case "no certificate":
            certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        case "a client's":
            keys = open_platform_keys(
                KeyPlaces(directory=given.directory.parent / "other", names=(NAME,)), NOW
            )
            certificate = pem_of(*keys.domain_chain)
            key = (keys.places.directory / "domain.key").read_bytes()
        case _:
            raise AssertionError
    operator.write(certificate, key)
    with pytest.raises(HomeportError, match=said) as caught:
        open_platform_keys(given, NOW)
    assert caught.value.code is Code.TLS_FILES_WRONG


def test_a_wildcard_of_the_operator_covers_one_label(operator):
    leaf = load_bundle(operator.make(names=["*.example"])[0])[0]
    assert covers(leaf, "platform.example")
    assert not covers(leaf, "a.platform.example")
    assert not covers(leaf, "example")


def test_refreshing_in_threads_is_safe(places):
    """A writer is alone, also against others in its own process."""
    keys = open_platform_keys(places, NOW)
    later = NOW + timedelta(days=61)
    threads = [threading.Thread(target=keys.refresh, args=(later,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_pair(TlsFiles(keys.tls_file, keys.tls_file)).leaf == keys.server
