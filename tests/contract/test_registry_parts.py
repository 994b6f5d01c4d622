# SPDX-License-Identifier: Apache-2.0
"""The small parts: authorities, tenants, upstreams, vouchers, presence, audit trail."""

from contextlib import suppress
from dataclasses import replace

from contract.registry_suite import LATER, MAKER, NOW, OTHER_MAKER, device_id, event, opened
from homeport.domain.audit import Name
from homeport.domain.tenant import Tenant
from homeport.domain.upstream import Upstream, UpstreamKind
from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import Authority, Presence, StoredVoucher

__all__ = ["opened"]

AUTHORITY = Authority(id=MAKER, name="Maker Ltd", anchor=b"\x30\x00", trusted_at=NOW)
TENANT = Tenant(name="acme", title="Acme GmbH & Co. KG", default_upstream="here", added_at=NOW)
OURS = Upstream(name="here", kind=UpstreamKind.OURS, added_at=NOW)
EDGE = Upstream(
    name="edge", kind=UpstreamKind.PLATFORM, url="https://edge", anchor=b"\x30", added_at=NOW
)


def test_an_authority_is_returned_as_it_was_added(opened):
    opened.do(lambda tx: tx.authorities.add(AUTHORITY))
    assert opened.see(lambda tx: tx.authorities.get(MAKER)) == AUTHORITY
    assert opened.see(lambda tx: tx.authorities.get(OTHER_MAKER)) is None


def test_authorities_are_listed_by_id(opened):
    other = replace(AUTHORITY, id=OTHER_MAKER)
    for authority in (other, AUTHORITY):
        opened.do(lambda tx, authority=authority: tx.authorities.add(authority))
    assert list(opened.see(lambda tx: tx.authorities.all())) == [AUTHORITY, other]


def test_nothing_is_added_under_a_name_that_is_taken(opened):
    opened.do(lambda tx: tx.authorities.add(AUTHORITY))
    opened.do(lambda tx: tx.tenants.add(TENANT))
    opened.do(lambda tx: tx.upstreams.add(EDGE))
    opened.refuses(Code.ALREADY_EXISTS, lambda tx: tx.authorities.add(AUTHORITY))
    opened.refuses(Code.ALREADY_EXISTS, lambda tx: tx.tenants.add(replace(TENANT, title="No")))
    opened.refuses(Code.ALREADY_EXISTS, lambda tx: tx.upstreams.add(replace(OURS, name="edge")))
    assert opened.see(lambda tx: tx.tenants.get("acme")) == TENANT
    assert opened.see(lambda tx: tx.upstreams.get("edge")) == EDGE


def test_a_verb_may_go_on_after_such_a_refusal(opened):
    async def verb(tx):
        await tx.tenants.add(TENANT)
        with suppress(HomeportError):
            await tx.tenants.add(TENANT)
        await tx.tenants.add(replace(TENANT, name="bolt"))

    opened.do(verb)
    names = [tenant.name for tenant in opened.see(lambda tx: tx.tenants.all())]
    assert names == ["acme", "bolt"]


def test_tenants_are_listed_page_by_page(opened):
    for name in ("coil", "acme", "bolt"):
        opened.do(lambda tx, name=name: tx.tenants.add(replace(TENANT, name=name)))

    def page(after):
        return [t.name for t in opened.see(lambda tx: tx.tenants.page(after=after, limit=2))]

    assert (page(None), page("bolt"), page("coil")) == (["acme", "bolt"], ["coil"], [])


def test_upstreams_are_listed_by_name(opened):
    opened.do(lambda tx: tx.upstreams.add(OURS))
    opened.do(lambda tx: tx.upstreams.add(EDGE))
    assert list(opened.see(lambda tx: tx.upstreams.all())) == [EDGE, OURS]
    assert opened.see(lambda tx: tx.upstreams.get("nowhere")) is None


def test_the_voucher_of_the_highest_epoch_is_given(opened):
    def voucher(epoch, text=b"jws"):
        return StoredVoucher(device=device_id(), upstream="edge", epoch=epoch, voucher=text)

    for stored in (voucher(2), voucher(10), voucher(9), voucher(10, b"a later one")):
        opened.do(lambda tx, stored=stored: tx.vouchers.put(stored))
    found = opened.see(lambda tx: tx.vouchers.get(device_id(), "edge"))
    assert found == voucher(10, b"a later one")
    assert opened.see(lambda tx: tx.vouchers.get(device_id(), "here")) is None
    assert opened.see(lambda tx: tx.vouchers.get(device_id("SN-0002"), "edge")) is None


def test_presence_is_what_was_seen_last(opened):
    assert opened.see(lambda tx: tx.presence.get(device_id())) is None
    for presence in (Presence(online=True, since=NOW), Presence(online=False, since=LATER)):
        opened.do(lambda tx, presence=presence: tx.presence.put(device_id(), presence))
        assert opened.see(lambda tx: tx.presence.get(device_id())) == presence


def test_who_was_last_seen_online_long_ago_is_found_page_by_page(opened):
    ids = [device_id(f"SN-000{number}") for number in range(5)]
    seen = [(True, NOW), (False, NOW), (True, NOW), (True, LATER), (True, NOW)]
    for device, (online, since) in zip(ids, seen, strict=True):
        presence = Presence(online=online, since=since)
        opened.do(lambda tx, d=device, p=presence: tx.presence.put(d, p))

    def page(after):
        return list(opened.see(lambda tx: tx.presence.online(before=LATER, after=after, limit=2)))

    assert page(None) == [ids[0], ids[2]]
    assert page(ids[2]) == [ids[4]]
    assert page(ids[4]) == []


def test_audit_events_come_back_in_order_with_growing_cursors(opened):
    assert opened.see(lambda tx: tx.audit.last()) == 0
    here, there = device_id("SN-0001"), device_id("SN-0002")
    events = [
        event(Name.MANIFEST_IMPORTED, facts={"count": 2, "source": "größe \0 \"'"}),
        event(Name.DEVICE_REGISTERED, device=here, facts={"model": "m"}),
        event(Name.ENROLMENT_STARTED, device=there, enrolment="run-1"),
        event(Name.ENROLMENT_COMPLETED, device=here, actor="device", at=LATER),
    ]
    opened.do(lambda tx: tx.audit.record(*events[:3]))
    opened.do(lambda tx: tx.audit.record(events[3]))

    trail = opened.see(lambda tx: tx.audit.since(0))
    assert [replace(told, cursor=0) for told in trail] == events
    cursors = [told.cursor for told in trail]
    assert cursors == sorted(set(cursors))
    assert cursors[0] >= 1
    assert opened.see(lambda tx: tx.audit.last()) == cursors[-1]
    assert list(opened.see(lambda tx: tx.audit.of_device(here))) == [trail[1], trail[3]]


def test_audit_events_are_read_on_from_a_cursor(opened):
    opened.do(lambda tx: tx.audit.record(*(event(device=device_id()) for _ in range(5))))
    first = opened.see(lambda tx: tx.audit.since(0, limit=2))
    rest = opened.see(lambda tx: tx.audit.since(first[-1].cursor))
    assert (len(first), len(rest)) == (2, 3)
    story = opened.see(lambda tx: tx.audit.of_device(device_id(), after=first[-1].cursor, limit=2))
    assert list(story) == list(rest[:2])
    assert not opened.see(lambda tx: tx.audit.since(rest[-1].cursor))


def test_only_some_names_are_read_when_asked_for(opened):
    names = [Name.DEVICE_REGISTERED, Name.ENROLMENT_STARTED, Name.DEVICE_ASSIGNED] * 3
    opened.do(lambda tx: tx.audit.record(*(event(name, device=device_id()) for name in names)))
    wanted = {Name.DEVICE_ASSIGNED, Name.ENROLMENT_STARTED}
    first = opened.see(lambda tx: tx.audit.since(0, names=wanted, limit=4))
    rest = opened.see(lambda tx: tx.audit.since(first[-1].cursor, names=wanted))
    assert [told.name for told in (*first, *rest)] == [n for n in names if n in wanted]


def test_recording_nothing_records_nothing(opened):
    opened.do(lambda tx: tx.audit.record())
    assert opened.see(lambda tx: tx.audit.last()) == 0
