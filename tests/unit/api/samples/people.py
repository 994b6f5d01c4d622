# SPDX-License-Identifier: Apache-2.0
"""People, and requests about them and their programs.

What somebody does with his own account may be granted to strangers too: it is about themselves.
"""

from typing import Any, Final

from contract.registry_suite import NOW
from fakes.people import PASSWORD, QUICK
from fakes.people_door import OPERATOR, member, session_of
from homeport.domain.account import Account, Identity
from homeport.domain.api_key import ApiKey
from homeport.domain.membership import Invitation, Member, Purpose
from homeport.domain.people import Permission, Role
from homeport.domain.tokens import hash_token
from homeport.provisioning.ports import Transaction
from unit.api.samples.sample import Sample

ENGINEER: Final = member(Role.ENGINEER)
ADMIN: Final = member(Role.ADMIN)

CODE: Final = "code-of-acme"
TENANT: Final = {"tenant_name": "acme"}
MEMBER: Final = TENANT | {"account_id": "acme-member"}
INVITED: Final = TENANT | {"invitation_id": "acme-invitation"}
IDENTITY: Final = Identity(issuer="https://id", subject="42", account="1", linked_at=NOW)
KEY: Final = {"title": "erp", "scopes": ["devices:read"]}
OLD: Final = session_of("1", "old")


async def people(tx: Transaction) -> None:
    """Put in the operator, a member of acme, and what both were given."""
    olga = Account(
        id="1", name="olga", password_hash=QUICK.hash(PASSWORD), is_operator=True, made_at=NOW
    )
    await tx.accounts.put(olga)
    await tx.accounts.put(Account(id="acme-member", name="acme-member", made_at=NOW))
    await tx.members.put(
        Member(tenant="acme", account="acme-member", role=Role.VIEWER, joined_at=NOW)
    )
    for session in (session_of("1"), OLD):
        await tx.sessions.put(session)
    await tx.identities.add(IDENTITY)
    await tx.invitations.put(invitation("acme-invitation", CODE, tenant="acme", role=Role.VIEWER))
    await tx.invitations.put(invitation("op", "other", purpose=Purpose.OPERATOR))
    for key in (
        api_key("acme-key", tenant="acme"), api_key("olgas-key", account="1"), api_key("erp"),
    ):  # fmt: skip
        await tx.api_keys.put(key)


async def olga_is_a_member(tx: Transaction) -> None:
    """She is a viewer in acme."""
    await tx.members.put(Member(tenant="acme", account="1", role=Role.VIEWER, joined_at=NOW))


def invitation(identifier: str, code: str, **changes: Any) -> Invitation:
    """One that waits."""
    settings: dict[str, Any] = {
        "id": identifier, "code_hash": hash_token(code), "name": "new", "invited_by": "olga",
        "purpose": Purpose.MEMBER, "invited_at": NOW, "expires_at": NOW.replace(year=2099),
    }  # fmt: skip
    return Invitation(**settings | changes)


def api_key(identifier: str, **holder: Any) -> ApiKey:
    """One that nobody has the token of."""
    scopes = frozenset({Permission.DEVICES_READ})
    return ApiKey(
        id=identifier, secret_hash="00", title="erp", scopes=scopes, made_by="olga", made_at=NOW,
        **holder,
    )  # fmt: skip


def own(status: int = 200, **more: Any) -> Sample:
    """Something about oneself."""
    return Sample(caller=OPERATOR, status=status, anybody_may=True, **more)


SAMPLES: Final = {
    # before anybody is known
    "get_set_up": own(),
    "set_up": own(409, said={"code": "x", "name": "mallory", "password": PASSWORD}),
    "sign_in": own(201, said={"name": "olga", "password": PASSWORD}),
    "look_at_invitation": own(said={"code": CODE}),
    "accept": own(201, said={"code": CODE}),
    "get_provider": own(),
    "begin_sign_in": own(404, said={}),
    "come_back": own(404),
    # about oneself
    "get_session": own(),
    "sign_out": own(204),
    "get_own_account": own(),
    "put_own_password": own(204, said={"present": PASSWORD, "new": "some other four words"}),
    "list_own_sessions": own(),
    "end_other_sessions": own(204),
    "end_session": own(204, path={"session": OLD.id}),
    "list_own_identities": own(),
    "remove_own_identity": own(204, path={"identity": IDENTITY.id}),
    "begin_link": own(404, said={"present": PASSWORD}),
    "found_tenant": own(201, said={"name": "mine"}),
    "leave_tenant": own(204, path=TENANT, given=olga_is_a_member),
    "list_own_api_keys": own(),
    "make_own_api_key": own(201, said=KEY | {"present": PASSWORD}),
    "revoke_own_api_key": own(204, path={"key_id": "olgas-key"}),
    # a tenant's
    "change_a_tenant": Sample(path=TENANT, said={"title": "Acme SE"}, caller=ADMIN),
    "list_members": Sample(path=TENANT, caller=ENGINEER),
    "get_member": Sample(path=MEMBER, caller=ENGINEER),
    "change_member": Sample(path=MEMBER, said={"role": "engineer"}, caller=ADMIN),
    "remove_a_member": Sample(path=MEMBER, status=204, caller=ADMIN),
    "list_invitations": Sample(path=TENANT, caller=ENGINEER),
    "invite_member": Sample(
        path=TENANT, said={"name": "new", "role": "viewer"}, status=201, caller=ADMIN
    ),
    "revoke_a_members_invitation": Sample(path=INVITED, status=204, caller=ADMIN),
    "list_api_keys": Sample(path=TENANT, caller=ADMIN),
    "make_api_key": Sample(path=TENANT, said=KEY, status=201, caller=ADMIN),
    "revoke_api_key": Sample(path=TENANT | {"key_id": "acme-key"}, status=204, caller=ADMIN),
    # the platform's
    "list_accounts": Sample(),
    "get_account": Sample(path={"account_id": "acme-member"}),
    "change_account": Sample(path={"account_id": "acme-member"}, said={"is_disabled": True}),
    "offer_a_new_password": Sample(path={"account_id": "acme-member"}, status=201),
    "list_platform_invitations": Sample(),
    "invite_operator": Sample(said={"name": "op2"}, status=201),
    "revoke_platform_invitation": Sample(path={"invitation_id": "op"}, status=204),
    "list_platform_api_keys": Sample(),
    "make_platform_api_key": Sample(said=KEY, status=201),
    "revoke_platform_api_key": Sample(path={"key_id": "erp"}, status=204),
}
