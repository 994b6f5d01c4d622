# SPDX-License-Identifier: Apache-2.0
"""The production line by its commands, with keys in files."""

import json
import stat
import tomllib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from fakes.factory_line import FactoryLine, line, make_line
from homeport.artefacts.claim_code import hash_claim_code, parse_claim_code
from homeport.artefacts.label import parse_label, verify_label
from homeport.artefacts.voucher import idevid_issuer_of, verify_voucher
from homeport.errors import HomeportError
from homeport.factory.cli import main
from homeport.keys import open_key
from homeport.pki.anchors import Anchors, Purpose
from homeport.pki.certificates import (
    authority_id,
    fingerprint,
    load_bundle,
    pem_of,
    public_key_of,
    spki_of,
    subject_serial_number,
)
from homeport.pki.chains import verify_idevid
from homeport.pki.names import NO_EXPIRY
from homeport.pki.requests import build_request
from homeport.pki.subjects import HardwareModule, hardware_name
from tools.vectors_artefacts.works import BEGIN, Works, memory_key

__all__ = ["line"]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_init_makes_two_authorities_that_do_not_stand_in_for_each_other(line):
    factory = line.factory
    assert authority_id(factory.anchor) == factory.authority
    assert factory.anchor != factory.voucher_anchor
    for certificate in (factory.anchor, factory.idevid_chain[0], factory.voucher_anchor):
        assert certificate.not_valid_after_utc == NO_EXPIRY
    anchors = Anchors(Purpose.IDEVID, [factory.anchor])
    signer, *issuers = factory.manifest_x5c
    # A manifest's signer is no device: it has no serial number to be known by.
    verified = verify_idevid(x509.load_der_x509_certificate(signer), issuers, anchors)
    with pytest.raises(HomeportError):
        subject_serial_number(verified.leaf)


def test_init_keeps_its_secrets_to_itself(line):
    secrets = [line.directory / "passphrase", line.directory / "archive.jsonl"]
    secrets += sorted((line.directory / "keys").iterdir())
    assert [mode(path) for path in secrets] == [0o600] * len(secrets)
    assert mode(line.directory) == 0o700
    for key in (line.directory / "keys").iterdir():
        with pytest.raises(HomeportError):
            open_key(f"file:{key}")


def test_init_never_touches_what_is_there(line):
    before = {path: path.read_bytes() for path in line.directory.rglob("*") if path.is_file()}
    error = line.refused(
        "init", "--name", "Other", "--label-host", "label.example", "--platform-name", "p",
        "--platform-url", "https://p",
    )  # fmt: skip
    assert error["code"] == "already-exists"
    after = {path: path.read_bytes() for path in line.directory.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--name", "A" * 41),
        ("--label-host", "http://label.example/"),
        ("--label-host", "https://" + "a" * 60 + ".example/"),
        ("--label-host", "bad host"),
        ("--label-host", "https://label.example/?page"),
        ("--platform-name", "not a name!"),
        ("--platform-name", ""),
        ("--platform-url", "http://platform.example"),
        ("--platform-url", "https://platform.example:99999"),
        ("--platform-url", "https://platform.example:8443/a?b"),
        ("--platform-url", "https://user@platform.example"),
        ("--key", "pkcs11:object=one"),
        ("--issuer-key", "file:/nowhere"),
    ],
)
def test_init_refuses_what_cannot_work_and_leaves_nothing(tmp_path, option, value):
    options = {"--name": "W", "--label-host": "l.example", "--platform-name": "p"}
    options |= {"--platform-url": "https://p", option: value}
    flat = [part for pair in options.items() for part in pair]
    error = FactoryLine(tmp_path / "works").refused("init", *flat)
    assert error["code"] == "setting-wrong"
    assert list(tmp_path.iterdir()) == []


def test_the_roots_may_go_offline(line):
    for name in ("idevid-root", "voucher-root"):
        (line.directory / "keys" / f"{name}.pem").unlink()
    line.run("mint", "--model", "EX-100", "--count", 1)
    line.run("hand-over", "-o", line.directory / "m.jsonl")
    anchor = line.directory / "voucher-anchor.pem"
    voucher = line.directory / "v.vjj"
    line.run(
        "voucher", "--serial-number", "EX-100-000001", "--domain-cert", anchor, "--epoch", 1,
        "-o", voucher,
    )  # fmt: skip
    assert voucher.exists()


def test_mint_makes_identities_that_lead_to_the_anchor(line):
    line.run("mint", "--model", "EX-100", "--count", 3)
    assert line.serial_numbers() == ["EX-100-000001", "EX-100-000002", "EX-100-000003"]
    anchors = Anchors(Purpose.IDEVID, [line.factory.anchor])
    issuers = [each.public_bytes(Encoding.DER) for each in line.factory.idevid_chain]
    for record in line.devices():
        certificate = x509.load_der_x509_certificate(record.idevid)
        assert verify_idevid(certificate, issuers, anchors).authority_id == line.factory.authority
        assert subject_serial_number(certificate) == record.serial_number
        assert certificate.not_valid_after_utc == NO_EXPIRY


def test_counting_goes_on_where_the_prefix_ended(line):
    numbers = ("--serial-prefix", "EX-", "--width", 4)
    line.run("mint", "--model", "EX-100", "--count", 2, *numbers)
    line.run("mint", "--model", "EX-200", "--count", 2, *numbers)
    assert line.serial_numbers() == ["EX-0001", "EX-0002", "EX-0003", "EX-0004"]


def test_with_a_start_the_same_command_is_idempotent(line):
    order = ("--model", "EX-100", "--count", 5, "--start", 10)
    assert line.run("mint", *order)["minted"] == 5
    again = line.run("mint", *order)
    assert (again["minted"], again["already"]) == (0, 5)
    assert len(line.serial_numbers()) == 5


def test_a_serial_number_of_another_order_is_refused(line):
    line.run("mint", "--model", "EX-100", "--count", 5, "--start", 10)
    error = line.refused("mint", "--model", "EX-100", "--count", 2, "--start", 14)
    assert error["code"] == "already-exists"
    assert "EX-100-000014" in error["detail"]
    assert len(line.serial_numbers()) == 5


def test_serial_numbers_may_come_from_a_file(line, tmp_path):
    numbers = tmp_path / "numbers.txt"
    numbers.write_text("\ufeffA/1\n\n  B 2  \nÄ-3\n", encoding="utf-8")
    line.run("mint", "--model", "EX-100", "--serial-file", numbers, "--split", tmp_path / "out")
    assert line.serial_numbers() == ["A/1", "B 2", "Ä-3"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "=C3=84-3", "A=2F1", "B=202",
    ]  # fmt: skip
    assert line.run("mint", "--model", "EX-100", "--serial-file", numbers)["already"] == 3
    error = line.refused("mint", "--model", "EX-200", "--serial-file", numbers)
    assert error["code"] == "already-exists"


@pytest.mark.parametrize(
    ("content", "line_number"), [("A\nB\nA\n", 3), ("A\n\x07\n", 2), (f"{'A' * 65}\n", 1)]
)
def test_a_bad_file_of_serial_numbers_is_refused_with_the_line(
    line, tmp_path, content, line_number
):
    numbers = tmp_path / "numbers.txt"
    numbers.write_text(content)
    error = line.refused("mint", "--model", "EX-100", "--serial-file", numbers)
    assert f"line {line_number}:" in error["detail"]
    assert line.serial_numbers() == []


def test_a_key_made_outside_gets_its_identity_by_request(line, tmp_path):
    key = memory_key()
    request = tmp_path / "one.csr"
    request.write_bytes(build_request(key, "EXT-1"))
    answer = line.run("mint", "--model", "EX-100", "--csr", request, "--split", tmp_path / "out")
    assert answer["minted"] == 1
    [record] = line.devices()
    assert record.hardware_identity == "external"
    certified = public_key_of(x509.load_der_x509_certificate(record.idevid))
    assert spki_of(certified) == spki_of(key.public_key())
    assert not (tmp_path / "out" / "EXT-1" / "idevid.key").exists()
    # One key for two devices never.
    other = tmp_path / "two.csr"
    other.write_bytes(build_request(key, "EXT-2"))
    assert line.refused("mint", "--model", "EX-100", "--csr", other)["code"] == "key-taken"
    assert len(line.devices()) == 1


def test_a_forged_request_is_refused_with_its_file(line, tmp_path):
    forged = bytearray(build_request(memory_key(), "EXT-1"))
    forged[-1] ^= 1
    request = tmp_path / "forged.csr"
    request.write_bytes(forged)
    error = line.refused("mint", "--model", "EX-100", "--csr", request)
    assert error["code"] == "csr-unproven"
    assert "forged.csr" in error["detail"]


def test_split_writes_what_a_device_needs_and_keeps_it_secret(line, tmp_path):
    stores = tmp_path / "stores"
    line.run("mint", "--model", "EX-100", "--count", 2, "--split", stores)
    store = stores / "EX-100-000002"
    settings = tomllib.loads((store / "device.toml").read_text())
    assert settings == {
        "model": "EX-100",
        "serial_number": "EX-100-000002",
        "idevid_key": "file:idevid.key",
        "operational_keys": "file:",
        "platform": {"name": "platform.example", "url": "https://platform.example:8443"},
    }
    leaf, *issuers = load_bundle((store / "idevid.pem").read_bytes())
    assert line.factory.anchor not in issuers
    key = load_pem_private_key((store / "idevid.key").read_bytes(), None)
    assert key.public_key() == leaf.public_key()
    assert load_bundle((store / "vouchers.pem").read_bytes()) == [line.factory.voucher_anchor]
    assert {name: mode(store / name) for name in ("idevid.key", "dpp.key", "label.json")} == {
        "idevid.key": 0o600, "dpp.key": 0o600, "label.json": 0o600,
    }  # fmt: skip
    assert mode(store) == mode(stores) == 0o700


def test_label_manifest_and_store_bind_the_same_keys(line, tmp_path):
    line.run("mint", "--model", "EX-100", "--count", 1, "--split", tmp_path / "stores")
    line.run("hand-over", "-o", tmp_path / "m.jsonl")
    store = tmp_path / "stores" / "EX-100-000001"
    printed = json.loads((store / "label.json").read_text())
    label = parse_label(printed["url"])
    verify_label(label, line.factory.manifest_key.public_key())
    [device] = line.manifest(tmp_path / "m.jsonl")
    assert device.idevid_fingerprint == label.idevid_hash.hex()
    code = parse_claim_code(printed["claim_code"])
    assert device.claim_code_hash == hash_claim_code(code).hex() == label.claim_code_hash.hex()
    dpp_key = load_pem_private_key((store / "dpp.key").read_bytes(), None)
    assert label.dpp_uri == printed["dpp_uri"]
    assert device.dpp_key is not None
    assert device.dpp_key.endswith(label.dpp_point)
    assert isinstance(dpp_key, ec.EllipticCurvePrivateKey)
    assert spki_of(dpp_key.public_key())[-64:-32] == label.dpp_point[1:]
    assert code not in (tmp_path / "m.jsonl").read_text()
    assert code not in (line.directory / "archive.jsonl").read_text()


def test_hand_over_takes_what_was_minted_since(line, tmp_path):
    line.run("mint", "--model", "EX-100", "--count", 2)
    assert line.run("hand-over", "-o", tmp_path / "all.jsonl")["devices"] == 2
    later = line.refused("hand-over", "-o", tmp_path / "none.jsonl", "--since", "2999-01-01")
    assert later["code"] == "not-found"
    assert not (tmp_path / "none.jsonl").exists()
    again = line.refused("hand-over", "-o", tmp_path / "all.jsonl")
    assert again["code"] == "already-exists"
    nowhere = line.refused("hand-over", "-o", tmp_path / "no" / "such" / "folder.jsonl")
    assert nowhere["code"] == "file-missing"
    assert line.refused("hand-over", "-o", tmp_path / "x", "--since", "once")["code"] == (
        "setting-wrong"
    )


def test_a_type_of_hardware_is_in_every_identity(line):
    kind = "1.3.6.1.4.1.32473.7"
    order = ("--model", "EX-100", "--count", 2, "--start", 1)
    line.run("mint", *order, "--hardware-type", kind)
    for record in line.devices():
        idevid = x509.load_der_x509_certificate(record.idevid)
        names = idevid.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        [name] = names.get_values_for_type(x509.OtherName)
        hardware = HardwareModule(x509.ObjectIdentifier(kind), record.serial_number.encode())
        assert x509.SubjectAlternativeName([name]) == hardware_name(hardware)
    assert line.run("mint", *order, "--hardware-type", kind)["minted"] == 0
    assert line.refused("mint", *order)["code"] == "already-exists", "another kind of device"


@pytest.mark.parametrize("kind", ["", "hardware", "1.2." + ".".join(["999999999"] * 30)])
def test_a_type_that_is_none_is_refused_before_minting(line, kind, tmp_path):
    (tmp_path / "numbers").write_text("SN-1\n")
    for wish in (("--count", 1), ("--serial-file", tmp_path / "numbers")):
        error = line.refused("mint", "--model", "M", *wish, "--hardware-type", kind)
        assert error["code"] == "setting-wrong"
    assert line.run("show")["orders"] == []


def test_a_voucher_that_has_ended_already_is_not_issued(line, tmp_path):
    line.run("mint", "--model", "EX-100", "--count", 1)
    (tmp_path / "owner.pem").write_bytes(pem_of(Works().root))
    error = line.refused(
        "voucher", "--serial-number", "EX-100-000001", "--domain-cert", tmp_path / "owner.pem",
        "--epoch", 1, "-o", tmp_path / "v", "--expires", "2001-01-01",
    )  # fmt: skip
    assert error["code"] == "setting-wrong"
    assert "2001-01-01" in error["detail"]
    assert not (tmp_path / "v").exists()


def test_vouchers_hold_at_the_device(line, tmp_path):
    line.run("mint", "--model", "EX-100", "--count", 2)
    owner = Works().root
    (tmp_path / "owner.pem").write_bytes(pem_of(owner))
    line.run(
        "voucher", "--serial-number", "EX-100-000001", "--serial-number", "EX-100-000002",
        "--domain-cert", tmp_path / "owner.pem", "--epoch", 4, "--expires", "2999-01-01",
        "-o", tmp_path / "vouchers",
    )  # fmt: skip
    device = line.devices()[1]
    proven = verify_voucher(
        (tmp_path / "vouchers" / "EX-100-000002.vjj").read_bytes(),
        anchors=Anchors(Purpose.VOUCHER, [line.factory.voucher_anchor]),
        serial_number="EX-100-000002",
        epoch_floor=4,
        idevid_issuer=idevid_issuer_of(x509.load_der_x509_certificate(device.idevid)),
        now=BEGIN,
    )
    assert fingerprint(proven.pinned_domain_cert) == fingerprint(owner)


def test_no_voucher_for_a_device_of_others(line, tmp_path):
    (tmp_path / "owner.pem").write_bytes(pem_of(Works().root))
    error = line.refused(
        "voucher", "--serial-number", "EX-1", "--domain-cert", tmp_path / "owner.pem",
        "--epoch", 1, "-o", tmp_path / "v",
    )  # fmt: skip
    assert error["code"] == "device-unknown"
    assert not (tmp_path / "v").exists()


def test_an_existing_ca_can_issue(tmp_path):
    works = Works()
    key = tmp_path / "issuer key.pem"
    private = works.issuer_key.crypto_key()
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pem_of(works.issuer, works.root))
    line = make_line(tmp_path, "--issuer-cert", chain, "--issuer-key", key)
    assert line.factory.authority == authority_id(works.root)
    line.run("mint", "--model", "EX-100", "--count", 1)
    line.run("hand-over", "-o", tmp_path / "m.jsonl")
    assert len(line.manifest(tmp_path / "m.jsonl")) == 1


def test_another_passphrase_is_told_before_anything_is_written(line):
    line.run("mint", "--model", "EX-100", "--count", 1)
    (line.directory / "passphrase").write_text("another\n")
    error = line.refused("mint", "--model", "EX-100", "--count", 1)
    assert error["code"] == "passphrase-wrong"
    assert len(line.run("show")["orders"]) == 1
    assert len(line.devices()) == 1


def test_a_passphrase_file_that_is_not_there_is_named(tmp_path):
    secret = tmp_path / "secret"
    line = FactoryLine(tmp_path / "works")
    platform = ["--platform-name", "p.example", "--platform-url", "https://p.example"]
    label = ["--name", "W", "--label-host", "l.example"]
    error = line.refused("init", *label, *platform, "--passphrase-file", secret)
    assert error["code"] == "file-missing"
    assert str(secret) in error["detail"]
    assert not line.directory.exists()


def test_a_place_that_cannot_hold_a_factory_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    line = FactoryLine(tmp_path / "file" / "works")
    platform = ["--platform-name", "p.example", "--platform-url", "https://p.example"]
    error = line.refused("init", "--name", "W", "--label-host", "l.example", *platform)
    assert error["code"] == "storage-unavailable"
    assert str(tmp_path / "file") in error["detail"]


def test_a_given_passphrase_stays_where_it_is(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("correct horse battery staple\n")
    line = make_line(tmp_path, "--passphrase-file", secret)
    assert not (line.directory / "passphrase").exists()
    line.run("mint", "--model", "EX-100", "--count", 1)
    secret.unlink()
    assert (
        line.refused("mint", "--model", "EX-100", "--count", 1)["code"] == "key-store-unavailable"
    )


def test_show_counts(line):
    line.run("mint", "--model", "EX-100", "--count", 3)
    shown = line.run("show")
    assert shown["devices"] == 3
    assert [(order["model"], order["count"], order["minted"]) for order in shown["orders"]] == [
        ("EX-100", 3, 3)
    ]


def test_where_no_factory_is_it_is_said(tmp_path):
    assert FactoryLine(tmp_path).refused("show")["code"] == "file-missing"


def test_split_without_platform_anchors_is_refused_before_minting(line, tmp_path):
    (line.directory / "platform-anchors.pem").unlink()
    error = line.refused("mint", "--model", "EX-100", "--count", 1, "--split", tmp_path / "s")
    assert error["code"] == "file-missing"
    assert line.serial_numbers() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["mint", "works", "--model", "M"],
        ["mint", "works", "--model", "M", "--count", "0"],
        ["labels", "works"],
        ["labels", "works", "--pdf", "x.pdf", "--sheet", "papyrus"],
        ["no-such-verb"],
        [],
    ],
)
def test_misuse_is_told_from_failure(arguments, capsys):
    assert main(arguments) == 2


def test_people_get_words_and_advice(line, tmp_path, capsys):
    assert main(["mint", str(line.directory), "--model", "EX-100", "--count", "2"]) == 0
    said = capsys.readouterr()
    assert "2 devices minted: EX-100-000001 to EX-100-000002" in said.out
    assert "for development only" in said.err
    assert main(["mint", str(line.directory), "--model", "EX-200", "--count", "1"]) == 0
    assert "1 device minted: EX-200-000001." in capsys.readouterr().out
    assert main(["show", str(line.directory)]) == 0
    assert "Example Works" in capsys.readouterr().out
    assert main(["hand-over", str(tmp_path), "-o", str(tmp_path / "m")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "file-missing" in said.err
