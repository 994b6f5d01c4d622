# SPDX-License-Identifier: Apache-2.0
"""The state directory: private, atomic, and never lost in silence."""

import os
import stat
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.agent.journey import Event, State
from homeport.agent.memory.durable import DurableFile
from homeport.agent.memory.key_ring import KeyRing, new_request_id
from homeport.agent.memory.logbook import Logbook
from homeport.agent.memory.records import KeyRequested, Lifetime, Saved
from homeport.agent.memory.store import Store, forget_damaged, locked
from homeport.clock import SystemClock
from homeport.errors import Code, HomeportError

ONE = Saved(journey=State.DISCOVERING, since=1)
TWO = Saved(journey=State.ENROLLING, since=2)


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "state"


def test_what_was_saved_is_there_again(directory):
    Store(directory).save(ONE)
    assert Store(directory).saved == ONE


def test_nobody_else_can_look_inside(directory):
    directory.mkdir(mode=0o755)
    store = Store(directory)
    store.save(ONE)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "state.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((directory / "keys").stat().st_mode) == 0o700


def damage(path):
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)


def test_a_damaged_version_is_replaced_by_the_one_before(directory, caplog):
    store = Store(directory)
    store.save(ONE)
    store.save(TWO)
    damage(directory / "state.json")
    again = Store(directory)
    assert again.saved == ONE
    assert "damaged" in caplog.text
    again.save(TWO)
    damage(directory / "state.json")
    assert Store(directory).saved == ONE, "the damaged version did not take the good one's place"


@pytest.mark.parametrize("content", [b"", b"{}", b"{}\n", b"\x00" * 400, b"{}\nsha256:00\n"])
def test_a_state_that_cannot_be_read_stops_the_agent(directory, content):
    Store(directory)
    (directory / "state.json").write_bytes(content)
    with pytest.raises(HomeportError) as caught:
        Store(directory)
    assert caught.value.code is Code.STATE_CORRUPT


@given(st.binary(max_size=300))
def test_any_bytes_are_a_state_or_an_error(tmp_path_factory, content):
    directory = tmp_path_factory.mktemp("state")
    DurableFile(directory / "state.json").write(content)
    try:
        Store(directory)
    except HomeportError as error:
        assert error.code is Code.STATE_CORRUPT  # noqa: PT017


def test_a_later_format_is_not_misread(directory):
    Store(directory).save(Saved(format=2, since=5))
    with pytest.raises(HomeportError) as caught:
        Store(directory)
    assert caught.value.code is Code.STATE_CORRUPT


def test_a_half_written_file_changes_nothing(directory):
    Store(directory).save(ONE)
    (directory / "state.json.new").write_bytes(b'{"journey":"oper')
    assert Store(directory).saved == ONE


def test_a_full_disk_leaves_the_old_state(directory):
    store = Store(directory)
    store.save(ONE)
    (directory / "state.json.new").mkdir()  # nothing can be written there
    with pytest.raises(HomeportError) as caught:
        store.save(TWO)
    assert caught.value.code is Code.STORAGE_UNAVAILABLE
    assert store.saved == Store(directory).saved == ONE


def test_the_floor_never_runs_backwards(directory):
    store = Store(directory)
    store.save_lifetime(Lifetime(epoch=5, signed_time=100))
    store.save_lifetime(Lifetime(epoch=4, signed_time=99))
    assert (store.lifetime.epoch, store.lifetime.signed_time) == (5, 100)


def test_a_damaged_state_is_put_aside_and_the_floor_stays(directory):
    store = Store(directory)
    store.save_lifetime(Lifetime(epoch=5))
    store.save(ONE)
    damage(directory / "state.json")
    forget_damaged(directory)
    again = Store(directory)
    assert (again.saved, again.lifetime.epoch) == (Saved(), 5)
    assert (directory / "state.json.damaged").exists()


def test_a_damaged_floor_is_not_forgotten(directory):
    store = Store(directory)
    store.save_lifetime(Lifetime(epoch=5))
    damage(directory / "lifetime.json")
    with pytest.raises(HomeportError) as caught:
        forget_damaged(directory)
    assert caught.value.code is Code.STATE_CORRUPT


def test_only_home_sets_the_time_for_life(directory):
    store = Store(directory)
    logbook = Logbook(store, SystemClock(), lambda: None)
    logbook.keep_time(datetime(2027, 1, 1, tzinfo=UTC), is_home=True)
    logbook.keep_time(datetime(2199, 1, 1, tzinfo=UTC), is_home=False)
    logbook.keep_time(datetime(2030, 1, 1, tzinfo=UTC), is_home=False)
    assert datetime.fromtimestamp(store.lifetime.signed_time, UTC).year == 2027
    assert datetime.fromtimestamp(store.saved.signed_time, UTC).year == 2199


def test_a_lock_ends_with_its_holder(directory):
    child = os.fork()
    if child == 0:
        with locked(directory):
            os._exit(0)
    os.waitpid(child, 0)
    with locked(directory):
        pass


def test_a_step_that_cannot_be_changes_nothing(directory):
    store = Store(directory)
    logbook = Logbook(store, SystemClock(), lambda: None)
    with pytest.raises(HomeportError) as caught:
        logbook.step(Event.BROKER_ACCEPTED, request=None)
    assert caught.value.code is Code.TRANSITION_ILLEGAL
    assert Store(directory).saved == Saved()


def test_keys_in_files_are_made_once_and_swept(tmp_path):
    ring = KeyRing("file:", tmp_path)
    uri = ring.uri_for(new_request_id())
    made = ring.open_or_make(uri)
    assert ring.open_or_make(uri).public_key() == made.public_key()
    (tmp_path / ".half-made.pem.1234").write_text("")
    other = ring.open_or_make(ring.uri_for(new_request_id()))
    ring.sweep(frozenset({uri}))
    assert [f"file:{path}" for path in tmp_path.iterdir()] == [uri]
    assert ring.delete(other.uri)
    assert ring.delete(uri)
    assert ring.delete(uri), "what is gone is deleted"


def test_keys_in_a_token_are_named_after_their_request(tmp_path, soft_token):
    place = soft_token.uri("x").replace(";object=x", "")
    ring = KeyRing(place, tmp_path)
    request = KeyRequested(request_id=new_request_id(), key="", is_renewal=False)
    uri = ring.uri_for(request.request_id)
    assert f";object=homeport-{request.request_id}?" in uri
    made = ring.open_or_make(uri)
    assert ring.open_or_make(uri).public_key() == made.public_key()
    assert made.kind == "pkcs11"
    assert ring.delete(uri)


def test_a_token_that_is_away_keeps_its_keys_on_the_list(tmp_path):
    ring = KeyRing("pkcs11:token=none?module-path=/nowhere.so", tmp_path)
    assert not ring.delete(ring.uri_for("a" * 32))
