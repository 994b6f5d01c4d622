# SPDX-License-Identifier: Apache-2.0
"""Reset: forget the owner and everything that came from it.

What stays: the IDevID, the highest ownership epoch, the last signed time, and the manufacturer's
anchors once rotated. Keys go first: a power cut between leaves RESETTING on the disk, and the
next start finishes.
"""

from collections.abc import Iterable

from homeport.agent.journey import Event
from homeport.agent.memory.key_ring import KeyRing
from homeport.agent.memory.logbook import Logbook
from homeport.agent.memory.records import Saved
from homeport.agent.threads import to_its_end


async def forget(logbook: Logbook, keys: KeyRing) -> None:
    """Delete every operational key and empty the state; the journey is at RESETTING."""
    remaining = await to_its_end(_delete, keys_in(logbook.saved), keys)
    logbook.step(
        Event.FORGOTTEN,
        request=None,
        credential=None,
        earlier=None,
        platform=None,
        told=None,
        command=None,
        answered="",
        signed_time=0,
        retired=remaining,
    )


async def delete_retired(logbook: Logbook, keys: KeyRing) -> None:
    """Delete keys that are no longer needed; what cannot be deleted now stays on the list."""
    retired = logbook.saved.retired
    if not retired:
        return
    remaining = await to_its_end(_delete, retired, keys)
    if remaining != retired:
        logbook.note(retired=remaining)


def _delete(uris: Iterable[str], keys: KeyRing) -> tuple[str, ...]:
    return tuple(uri for uri in uris if not keys.delete(uri))


def keys_in(saved: Saved) -> frozenset[str]:
    """List the URIs of all keys that the state names."""
    held = (saved.request, saved.credential, saved.earlier)
    return frozenset(each.key for each in held if each is not None) | frozenset(saved.retired)
