# SPDX-License-Identifier: Apache-2.0
"""examples/enrol.sh believes no answer that is not the platform's, for it and for this request."""

import subprocess
from pathlib import Path

import msgspec
import pytest

from fakes.awkward_platform import DAY, Authority, FakePlatform, fake_site
from homeport.pki.authority import build_leaf, domain_signer_leaf, server_leaf
from homeport.pki.certificates import der_of
from homeport.protocols.native.wire import AnyAnswer, Redirect

SCRIPT = Path(__file__).parents[2] / "examples" / "enrol.sh"


@pytest.fixture
def site(tmp_path):
    with fake_site(tmp_path) as made:
        yield made


def enrol(site: tuple[FakePlatform, Path]) -> subprocess.CompletedProcess[str]:
    platform, store = site
    command = [SCRIPT, "--address", platform.url, store, store.parent / "state"]
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=60
    )


def fails(site: tuple[FakePlatform, Path], reason: str) -> None:
    done = enrol(site)
    assert (done.returncode, reason in done.stderr) == (1, True), done.stderr
    assert not (site[1].parent / "state" / "ldevid.pem").exists()


def other(answer: AnyAnswer, member: str) -> AnyAnswer:
    """The answer with one octet of a member changed."""
    octets: bytes = getattr(answer, member)
    return msgspec.structs.replace(answer, **{member: bytes([octets[0] ^ 1]) + octets[1:]})


def test_the_honest_platform_is_believed(site):
    done = enrol(site)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("member", ["device_nonce", "request_hash"])
def test_an_answer_to_another_request(site, member):
    site[0].change(spoil=lambda answer: other(answer, member))
    fails(site, "an answer to another request")


def test_another_kind_of_message(site):
    site[0].change(typ="homeport-enrol+jws")
    fails(site, "what was signed is no answer")


def test_a_signer_under_another_anchor(site, tmp_path):
    platform = site[0]
    rogue = Authority(tmp_path / "rogue", "Rogue", platform.began)
    key = rogue.new_key()
    names, end = [platform.name], platform.began + 3650 * DAY
    leaf = domain_signer_leaf(key.public_key(), names, platform.began, end)
    platform.change(signer=(key, (der_of(build_leaf(leaf, rogue.issuer)),)))
    fails(site, "the answer's signer is not the platform")


@pytest.mark.parametrize(
    ("make", "name", "reason"),
    [
        (domain_signer_leaf, "another.test", "the answer's signer is not the platform"),
        (server_leaf, "platform.test", "the certificate is not for answers"),
    ],
)
def test_a_certificate_for_something_else(site, make, name, reason):
    platform = site[0]
    key = platform.authority.new_key()
    leaf = make(key.public_key(), [name], platform.began, platform.began + 3650 * DAY)
    platform.change(signer=(key, (der_of(build_leaf(leaf, platform.authority.issuer)),)))
    fails(site, reason)


def test_a_signature_by_another_key(site):
    platform = site[0]
    platform.change(signer=(platform.authority.new_key(), platform.domain_chain))
    fails(site, "the answer's signature is wrong")


def test_a_platform_that_wants_a_request_for_another(site):
    """It would forward the request there."""
    site[0].change(greeting={"enrol": "https://another.test/.well-known/homeport/enrol"})
    fails(site, "the platform names another")
    assert site[0].enrolments == []


def test_tls_for_another_name(site):
    platform = site[0]
    platform.use_tls(platform.authority, ["another.test"])
    fails(site, "no platform at")
    assert platform.greeted == 0


def test_tls_under_another_anchor(site, tmp_path):
    platform = site[0]
    platform.use_tls(Authority(tmp_path / "rogue", "Rogue", platform.began), [platform.name])
    fails(site, "no platform at")
    assert platform.greeted == 0


def test_a_redirection_is_told_and_not_followed(site):
    bound = {"version": 1, "device_nonce": bytes(16), "request_hash": bytes(32), "time": 0}
    redirect = msgspec.convert(
        {**bound, "result": "redirect", "url": "https://edge.test", "voucher": b"v"}, Redirect
    )
    site[0].change(redirect=lambda _request: redirect)
    done = enrol(site)
    assert done.returncode == 3, done.stderr
    assert "https://edge.test" in done.stdout
