# SPDX-License-Identifier: Apache-2.0
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from homeport.ca import CertificateAuthority, LocalIssuer, RevocationLists, Ticket
from homeport.ca.drafts import ldevid_draft
from homeport.domain.credential import Credential, CredentialState
from homeport.domain.device import DeviceId
from homeport.errors import Code, HomeportError
from homeport.keys import FileKey
from homeport.pki.authority import Issuer, build_intermediate, build_root
from homeport.pki.requests import ProvenCsr

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MADE = datetime(2026, 1, 1, tzinfo=UTC)
DEVICE = DeviceId("abcdefghijklmnop", "EX-000017")
REQUEST = ProvenCsr(ec.generate_private_key(ec.SECP256R1()).public_key(), b"")


def make_key():
    return FileKey("file:/nowhere", ec.generate_private_key(ec.SECP256R1()))


def authority(record=None, years=10, key=None):
    root_key = make_key()
    root = build_root(root_key, "Test root", MADE, 20)
    key = key or make_key()
    made = build_intermediate(Issuer(root, root_key), key.public_key(), "Test issuing", MADE, years)
    return CertificateAuthority([made, root], key, *([record] if record else []))


def test_what_is_signed_was_recorded_before():
    tickets: list[Ticket] = []
    ca = authority(tickets.append)
    ticket = ca.prepare(ldevid_draft(DEVICE, REQUEST, NOW))
    assert tickets == [ticket]
    issued = ca.issue(ticket)
    certificate = x509.load_der_x509_certificate(issued.certificate)
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert ticket.serial_number == certificate.serial_number
    assert ticket.key_identifier == identifier.digest
    assert ticket.not_after == certificate.not_valid_after_utc
    assert ticket.about == str(DEVICE)
    assert ticket.profile == "ldevid"


def test_the_record_is_a_log_line(caplog):
    ca = authority()
    with caplog.at_level(logging.DEBUG, "homeport.ca"):
        ticket = ca.prepare(ldevid_draft(DEVICE, REQUEST, NOW))
    fields = vars(caplog.records[-1])["homeport_fields"]
    assert fields["certificate"] == f"{ticket.serial_number:x}"
    assert fields["subject"] == str(DEVICE)


def test_nothing_is_recorded_or_signed_when_a_check_fails():
    tickets: list[Ticket] = []
    ca = authority(tickets.append)
    late = NOW + timedelta(days=365 * 11)
    with pytest.raises(HomeportError) as caught:
        LocalIssuer(ca).issue(DEVICE, REQUEST, late)
    assert caught.value.code is Code.PROFILE_REFUSED
    assert tickets == []


def test_a_ticket_is_good_for_one_certificate():
    ca = authority()
    ticket = ca.prepare(ldevid_draft(DEVICE, REQUEST, NOW))
    ca.issue(ticket)
    with pytest.raises(HomeportError) as caught:
        ca.issue(ticket)
    assert caught.value.code is Code.INTERNAL_ERROR


def test_also_when_threads_race_for_it():
    ca = authority()

    def outcome(ticket):
        try:
            return ca.issue(ticket).serial_number
        except HomeportError:
            return None

    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            ticket = ca.prepare(ldevid_draft(DEVICE, REQUEST, NOW))
            issued = list(pool.map(outcome, [ticket] * 8))
            assert sorted(issued, key=str)[:1] == [ticket.serial_number]
            assert issued.count(None) == 7


def test_a_ticket_whose_signature_failed_is_spent():
    class Unplugged(FileKey):
        def crypto_key(self):
            class Broken:
                pass

            return Broken()

    key = ec.generate_private_key(ec.SECP256R1())
    ca = authority(key=Unplugged("file:/nowhere", key))
    ticket = ca.prepare(ldevid_draft(DEVICE, REQUEST, NOW))
    with pytest.raises(TypeError):
        ca.issue(ticket)
    with pytest.raises(HomeportError):
        ca.issue(ticket)


def test_no_certificate_outlives_its_ca():
    ca = authority(years=1)
    issued = LocalIssuer(ca).issue(DEVICE, REQUEST, MADE + timedelta(days=330))
    assert issued.not_after == ca.not_after
    assert issued.not_after - issued.not_before < timedelta(days=36)


def test_none_begins_before_its_ca():
    issued = LocalIssuer(authority()).issue(DEVICE, REQUEST, MADE + timedelta(minutes=1))
    assert issued.not_before == MADE


def test_the_key_of_the_ca_gets_no_certificate():
    key = make_key()
    request = ProvenCsr(key.public_key(), b"")
    with pytest.raises(HomeportError) as caught:
        LocalIssuer(authority(key=key)).issue(DEVICE, request, NOW)
    assert caught.value.code is Code.KEY_UNSUITABLE


def test_a_key_that_is_not_the_cas_is_refused():
    root_key = make_key()
    root = build_root(root_key, "Test root", MADE, 20)
    with pytest.raises(HomeportError) as caught:
        CertificateAuthority([root], make_key())
    assert caught.value.code is Code.SETTING_WRONG


def test_long_ids_are_whole_in_the_uri_and_short_in_the_common_name():
    device = DeviceId("abcdefghijklmnop", "\N{SNOWMAN}" * 20)
    issued = LocalIssuer(authority()).issue(device, REQUEST, NOW)
    certificate = x509.load_der_x509_certificate(issued.certificate)
    (name,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert name.value == str(device)[:64]


# --- revocation -----------------------------------------------------------------------------------


def credential(issued, revoked_at=NOW):
    return Credential(
        fingerprint=issued.fingerprint,
        device=DEVICE,
        enrolment="e",
        request_id="r",
        key_hash="k",
        serial_number=issued.serial_number,
        not_before=issued.not_before,
        not_after=issued.not_after,
        epoch=1,
        certificate=issued.certificate,
        state=CredentialState.REVOKED,
        revoked_at=revoked_at,
    )


def test_the_list_names_exactly_the_revoked():
    ca = authority()
    issued = [LocalIssuer(ca).issue(DEVICE, REQUEST, NOW) for _ in range(3)]
    lists = RevocationLists(ca)
    crl = x509.load_der_x509_crl(lists.current([credential(issued[0])], NOW))
    assert crl.is_signature_valid(ca.certificate.public_key())
    assert crl.issuer == ca.certificate.subject
    assert [row.serial_number for row in crl] == [issued[0].serial_number]
    assert crl.get_revoked_certificate_by_serial_number(issued[1].serial_number) is None
    assert crl.next_update_utc == NOW + timedelta(days=7)


def test_an_unchanged_list_is_signed_once_a_day():
    ca = authority()
    lists = RevocationLists(ca)
    revoked = [credential(LocalIssuer(ca).issue(DEVICE, REQUEST, NOW))]
    first = lists.current(revoked, NOW)
    assert lists.current(revoked, NOW + timedelta(hours=23)) == first
    assert lists.current(revoked, NOW + timedelta(hours=25)) != first


def number_of(crl):
    parsed = x509.load_der_x509_crl(crl)
    return parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_a_changed_list_is_signed_at_once_with_a_higher_number():
    ca = authority()
    lists = RevocationLists(ca)
    first = lists.current([], NOW)
    second = lists.current([credential(LocalIssuer(ca).issue(DEVICE, REQUEST, NOW))], NOW)
    third = lists.current([], NOW)
    assert number_of(first) < number_of(second) < number_of(third)


def test_numbers_rise_over_restarts_and_when_the_clock_goes_back():
    ca = authority()
    before = number_of(RevocationLists(ca).current([], NOW))
    lists = RevocationLists(ca)
    after = number_of(lists.current([], NOW + timedelta(seconds=1)))
    back = number_of(lists.current([], NOW - timedelta(days=1)))
    assert before < after < back
