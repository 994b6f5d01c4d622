# SPDX-License-Identifier: Apache-2.0
"""Do what a request asks once, however often it is sent: the Idempotency-Key of the people's door.

The answer is kept in the transaction of the change, so there is no moment in which one of them is
there without the other. A request that was refused leaves nothing behind and may be sent again.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from homeport.errors import Code, HomeportError
from homeport.provisioning.ports import KeptAnswer, Transaction

KEPT_FOR: Final = timedelta(days=1)
"""A program that repeats a request does so within minutes; a person's script, the next morning."""


async def once(
    tx: Transaction,
    key: tuple[str, str],
    request: str,
    work: Callable[[], Awaitable[str]],
    *,
    now: datetime,
) -> str:
    """Do the work and keep its answer, or return the answer of before without doing anything.

    `key` is who asks and the key that they gave; `request` is a hash of all that was asked.
    IDEMPOTENCY_KEY_USED if the key came with another request.
    """
    await tx.answers.forget(now - KEPT_FOR)
    before = await tx.answers.get(*key)
    if before is not None:
        if before.request != request:
            raise HomeportError(Code.IDEMPOTENCY_KEY_USED, key[1])
        return before.answer
    answer = await work()
    caller, name = key
    kept = KeptAnswer(caller=caller, key=name, request=request, answer=answer, kept_at=now)
    await tx.answers.put(kept)
    return answer
