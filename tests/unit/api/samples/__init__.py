# SPDX-License-Identifier: Apache-2.0
"""One good request for every operation of the people's door, about things of the tenant acme.

`test_api_walk` sends each of them with credentials that must not get anything. A new operation
needs a row here: in the file of its group, by its operationId.
"""

from collections.abc import Mapping
from typing import Final

from unit.api.samples import contexts, devices, factories, life, ownership, people, places, trail
from unit.api.samples.sample import Sample

SAMPLES: Final[Mapping[str, Sample]] = {
    **contexts.SAMPLES,
    **devices.SAMPLES,
    **life.SAMPLES,
    **factories.SAMPLES,
    **ownership.SAMPLES,
    **places.SAMPLES,
    **people.SAMPLES,
    **trail.SAMPLES,
}

AWAITED: Final = frozenset(
    {
        "change_a_tenant",
        "follow_events",  # has no end: integration/test_event_streams.py
        "get_set_up",
        "set_up",
        "get_session",
        "sign_in",
        "sign_out",
        "get_own_account",
        "put_own_password",
        "list_own_sessions",
        "end_other_sessions",
        "end_session",
        "list_own_identities",
        "remove_own_identity",
        "found_tenant",
        "leave_tenant",
        "list_own_api_keys",
        "make_own_api_key",
        "revoke_own_api_key",
        "list_accounts",
        "get_account",
        "change_account",
        "offer_a_new_password",
        "list_members",
        "get_member",
        "change_member",
        "remove_a_member",
        "list_invitations",
        "invite_member",
        "revoke_a_members_invitation",
        "list_platform_invitations",
        "invite_operator",
        "revoke_platform_invitation",
        "look_at_invitation",
        "accept",
        "list_api_keys",
        "make_api_key",
        "revoke_api_key",
        "list_platform_api_keys",
        "make_platform_api_key",
        "revoke_platform_api_key",
    }
)
"""Operations of signing in and of members, whose samples come with their own file."""
