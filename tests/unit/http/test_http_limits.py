# SPDX-License-Identifier: Apache-2.0
import asyncio
from datetime import timedelta

import pytest

from homeport.errors import Code, HomeportError, MalformedError
from homeport.http.limits import read_body


def sender(*chunks, then="nothing"):
    """Chunks of a body; afterwards its end, silence, or the sender goes away."""
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if then == "end":
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    if then == "away":
        messages.append({"type": "http.disconnect"})

    async def receive():
        if messages:
            return messages.pop(0)
        return await asyncio.Event().wait()

    return receive


def read(receive, *, length=None, limit=10):
    headers = [] if length is None else [(b"content-length", length)]
    deadline = timedelta(milliseconds=20)
    return asyncio.run(read_body({"headers": headers}, receive, limit=limit, deadline=deadline))


def code_of(*args, **kwargs):
    with pytest.raises(HomeportError) as caught:
        read(*args, **kwargs)
    return caught.value.code


def test_a_body_in_pieces():
    assert read(sender(b"abc", b"", b"defghij", then="end")) == b"abcdefghij"


def test_the_announced_length_is_the_end():
    assert read(sender(b"abc", b"de"), length=b"5") == b"abcde"


def test_no_body():
    assert read(sender(then="end")) == b""


def test_one_byte_too_many():
    assert code_of(sender(b"0123456789", b"0", then="end")) is Code.TOO_LARGE


def test_an_announced_body_is_refused_unread():
    async def receive():
        raise AssertionError

    assert code_of(receive, length=b"11") is Code.TOO_LARGE


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"", b" 5", b"9" * 5000, "٣".encode()])
def test_a_length_that_is_none(length):
    with pytest.raises(MalformedError):
        read(sender(then="end"), length=length)


def test_half_a_body_is_not_waited_for():
    assert code_of(sender(b"abc")) is Code.TOO_SLOW


def test_a_body_that_trickles_is_not_waited_for():
    async def receive():
        await asyncio.sleep(0.004)
        return {"type": "http.request", "body": b"", "more_body": True}

    assert code_of(receive) is Code.TOO_SLOW


def test_a_sender_that_goes_away():
    with pytest.raises(MalformedError):
        read(sender(b"abc", then="away"))
