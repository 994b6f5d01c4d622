# SPDX-License-Identifier: Apache-2.0
import json
from datetime import timedelta

import pytest

from homeport.errors import CATALOGUE, Code, HomeportError, Kind
from homeport.http.problem import PEOPLE, problem_of, status_of, with_problems

STATUS = {
    Kind.MALFORMED: 400,
    Kind.UNPROVEN: 401,
    Kind.REFUSED: 403,
    Kind.UNKNOWN: 404,
    Kind.CONFLICT: 409,
    Kind.THROTTLED: 429,
    Kind.UNAVAILABLE: 503,
}
NARROWER = {
    Code.TOO_LARGE: 413,
    Code.TOO_SLOW: 408,
    Code.METHOD_WRONG: 405,
    Code.CHANGED_MEANWHILE: 412,
    Code.INTERNAL_ERROR: 500,
}


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_the_status_of_its_kind_or_a_narrower_one(code):
    assert status_of(code) == NARROWER.get(code, STATUS[CATALOGUE[code].kind])


@pytest.mark.parametrize("code", list(Code))
def test_the_sender_is_told_less_than_is_logged(code):
    problem = problem_of(HomeportError(code, "/var/lib/secret-detail"))
    document = json.loads(problem.body)
    assert document == {
        "type": f"urn:homeport:error:{code}",
        "title": CATALOGUE[code].title,
        "status": problem.status,
        "code": code,
        "advice": CATALOGUE[code].advice,
    }
    assert dict(problem.headers)[b"content-type"] == b"application/problem+json"


def test_people_are_told_the_detail_but_nothing_that_drives_a_terminal():
    error = HomeportError(Code.DEVICE_UNKNOWN, "EX-1\x1b[2J")
    assert json.loads(problem_of(error, PEOPLE).body)["detail"] == "EX-1\\x1b[2J"


def test_people_sign_in_again_only_if_nobody_is_signed_in():
    unproven = [code for code in Code if CATALOGUE[code].kind is Kind.UNPROVEN]
    told = {code: problem_of(HomeportError(code), PEOPLE).status for code in unproven}
    assert told.pop(Code.SIGN_IN_NEEDED) == told.pop(Code.SIGN_IN_REFUSED) == 401
    assert set(told.values()) == {422}


def test_the_time_to_wait_is_rounded_up():
    error = HomeportError(Code.TOO_MANY_REQUESTS, retry_after=timedelta(seconds=1.2))
    problem = problem_of(error)
    assert dict(problem.headers)[b"retry-after"] == b"2"
    assert json.loads(problem.body)["retry_after"] == 2


def test_a_tiny_wait_is_not_zero():
    error = HomeportError(Code.TOO_MANY_REQUESTS, retry_after=timedelta(microseconds=1))
    assert dict(problem_of(error).headers)[b"retry-after"] == b"1"


def test_unauthenticated_names_a_scheme():
    headers = dict(problem_of(HomeportError(Code.SIGNATURE_WRONG)).headers)
    assert b"www-authenticate" in headers
    assert b"www-authenticate" not in dict(problem_of(HomeportError(Code.KEY_TAKEN)).headers)


@pytest.mark.parametrize("code", [Code.TOO_LARGE, Code.TOO_SLOW])
def test_a_connection_with_an_unread_body_is_closed(code):
    assert dict(problem_of(HomeportError(code)).headers)[b"connection"] == b"close"


class Sent(list[dict[str, object]]):
    async def __call__(self, message):
        self.append(message)


async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}


def guarded(error, begun=False):
    noted = []

    async def app(scope, receive, send):
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    return with_problems(app, lambda scope, raised: noted.append(raised)), noted


def run(app):
    import asyncio

    sent = Sent()
    asyncio.run(app({"type": "http"}, receive, sent))
    return sent


def test_what_the_app_raises_is_answered_and_noted():
    error = HomeportError(Code.DEVICE_UNKNOWN, "EX-1")
    app, noted = guarded(error)
    start, body = run(app)
    assert start["status"] == 404
    assert json.loads(body["body"])["code"] == "device-unknown"
    assert noted == [error]


def test_a_fault_of_ours_says_nothing_of_its_cause():
    app, noted = guarded(ZeroDivisionError("secret"))
    start, body = run(app)
    assert start["status"] == 500
    assert b"secret" not in body["body"]
    assert isinstance(noted[0], ZeroDivisionError)


def test_a_fault_within_the_response_ends_it():
    app, noted = guarded(HomeportError(Code.NOT_FOUND), begun=True)
    with pytest.raises(HomeportError):
        run(app)
    assert len(noted) == 1
