# SPDX-License-Identifier: Apache-2.0
"""Random sequences of sales, claims, contacts, transfers, revocations, ends: what always holds.

One owner at a time; no credential of a former owner works; no device without a reason for its
state; every change of owner has its entry in the ledger; epochs never run backwards.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fakes.verbs import CODE, DEVICE, Platform
from homeport.domain.credential import CredentialState
from homeport.domain.ledger import LEDGER
from homeport.domain.life.offer import Offer
from homeport.domain.ownership import HELD, Ownership
from homeport.errors import HomeportError
from homeport.provisioning.admit import admit
from homeport.provisioning.complete import complete
from homeport.provisioning.enrolment.outcome import Outcome
from homeport.provisioning.life.decommission import decommission, recommission
from homeport.provisioning.life.offer import offer
from homeport.provisioning.life.offer_ends import decline
from homeport.provisioning.life.offer_ends import withdraw as withdraw_offer
from homeport.provisioning.life.reset import reset
from homeport.provisioning.life.take_over import Buyer, take_over
from homeport.provisioning.ownership.assign import assign
from homeport.provisioning.ownership.claim_codes import make_code
from homeport.provisioning.ownership.claim_ends import withdraw
from homeport.provisioning.ownership.presence import show_presence
from homeport.provisioning.revoke import readmit, revoke

Result = TypeVar("Result")
TENANTS = st.sampled_from(["acme", "other"])
SERIAL = DEVICE.serial_number


class Owners(RuleBasedStateMachine):
    """One device, and everybody who says that it is theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.p = Platform()
        self.keys = 0
        self.orders = 0
        self.code = CODE
        self.offer_code: str | None = None
        self.given: dict[str, tuple[str, int]] = {}
        """Fingerprints, with the owner and the epoch that they were issued under."""
        self.epochs = [0]
        self.owners: list[str | None] = [None]

    def run(self, work: Awaitable[Result]) -> Result:
        async def awaited() -> Result:
            return await work

        return self.runner.run(awaited())

    def tries(self, work: Awaitable[Any]) -> Any:
        """Do what may be refused; a refusal changes nothing."""
        try:
            return self.run(work)
        except HomeportError:
            return None

    @initialize(minted=st.booleans())
    def begin(self, minted: bool) -> None:
        self.run(self.p.begin())
        if minted:
            self.run(self.p.mint())

    @property
    def known(self) -> Any:
        return self.p.registry.rows.devices.get(DEVICE)

    # --- what people say --------------------------------------------------------------------------

    @rule(tenant=TENANTS, action=st.sampled_from(["sale", "correction", "cancellation"]))
    def says_a_record(self, tenant: str, action: str) -> None:
        self.orders += 1
        columns = "serial_number,tenant,action,reference"
        self.tries(self.p.sell(f"{SERIAL},{tenant},{action},{self.orders}", columns))

    @rule(tenant=TENANTS)
    def sells_a_range(self, tenant: str) -> None:
        self.tries(self.p.sell(f"EX-000001..EX-000100,{tenant}"))

    @rule(tenant=TENANTS)
    def sells_the_model(self, tenant: str) -> None:
        line = f"EX-100,{DEVICE.authority},{tenant},correction"
        self.tries(self.p.sell(line, "model,authority,tenant,action"))

    @rule(tenant=TENANTS)
    def claims(self, tenant: str) -> None:
        self.tries(self.p.claim(tenant, self.code))

    @rule()
    def withdraws(self) -> None:
        pending = self.run(self.p.verb(lambda tx: tx.claims.pending(DEVICE)))
        if pending is not None:
            self.tries(self.p.verb(lambda tx: withdraw(tx, pending, actor="a", now=self.p.now)))

    @rule(tenant=TENANTS)
    def stands_there(self, tenant: str) -> None:
        if device := self.known:
            now = self.p.now
            self.tries(
                self.p.verb(lambda tx: show_presence(tx, device, tenant, actor="a", now=now))
            )

    @rule(tenant=TENANTS)
    def assigns(self, tenant: str) -> None:
        if device := self.known:
            now = self.p.now
            self.tries(self.p.verb(lambda tx: assign(tx, device, tenant, None, actor="o", now=now)))

    @rule()
    def makes_a_fresh_code(self) -> None:
        if device := self.known:
            work = self.p.verb(lambda tx: make_code(tx, device, actor="o", now=self.p.now))
            self.code = self.tries(work) or self.code

    @rule()
    def revokes(self) -> None:
        if device := self.known:
            now = self.p.now
            self.tries(self.p.verb(lambda tx: revoke(tx, device, "lost", actor="o", now=now)))

    @rule()
    def readmits(self) -> None:
        if device := self.known:
            self.tries(self.p.verb(lambda tx: readmit(tx, device, actor="o", now=self.p.now)))

    # --- transfers, ends and the way back ---------------------------------------------------------

    @rule(buyer=st.sampled_from(["acme", "other", None]))
    def offers(self, buyer: str | None) -> None:
        if device := self.known:
            now = self.p.now
            made = self.tries(self.p.verb(lambda tx: offer(tx, device, buyer, actor="a", now=now)))
            self.offer_code = made.code if made is not None else self.offer_code

    @rule(tenant=TENANTS, knows_code=st.booleans())
    def accepts(self, tenant: str, knows_code: bool) -> None:
        if standing := self.open_offer():
            buyer = Buyer(tenant=tenant, code=self.offer_code if knows_code else None)
            now = self.p.now
            taken = self.tries(
                self.p.verb(lambda tx: take_over(tx, standing, buyer, actor="b", now=now))
            )
            self.code = taken.claim_code if taken is not None else self.code

    @rule(end=st.sampled_from([decline, withdraw_offer]))
    def ends_the_offer(self, end: Any) -> None:
        if standing := self.open_offer():
            self.tries(self.p.verb(lambda tx: end(tx, standing, actor="a", now=self.p.now)))

    def open_offer(self) -> Offer | None:
        return self.run(self.p.verb(lambda tx: tx.offers.open_of(DEVICE)))

    @rule()
    def decommissions(self) -> None:
        if device := self.known:
            now = self.p.now
            self.tries(self.p.verb(lambda tx: decommission(tx, device, actor="a", now=now)))

    @rule(tenant=st.sampled_from(["acme", "other", None]))
    def recommissions(self, tenant: str | None) -> None:
        if device := self.known:
            now = self.p.now
            self.tries(self.p.verb(lambda tx: recommission(tx, device, tenant, actor="o", now=now)))

    @rule(keeps=st.booleans())
    def resets(self, keeps: bool) -> None:
        if device := self.known:
            now = self.p.now
            self.tries(
                self.p.verb(lambda tx: reset(tx, device, keeps_context=keeps, actor="a", now=now))
            )

    # --- what the device does ---------------------------------------------------------------------

    @rule(fresh=st.booleans())
    def enrols(self, fresh: bool) -> None:
        self.keys += fresh or self.keys == 0
        key = f"k{self.keys}"
        came_of = self.run(self.p.ask(key=key, request=key))
        if isinstance(came_of, Outcome) and came_of.credential is not None:
            device = self.known
            assert device.tenant is not None, "nobody's device got a certificate"
            self.given.setdefault(
                came_of.credential.fingerprint, (device.tenant, came_of.credential.epoch)
            )

    @rule()
    def says_its_first_word(self) -> None:
        if self.given and self.known.tenant is not None:
            fingerprint = list(self.given)[-1]
            self.run(
                self.p.verb(
                    lambda tx: complete(
                        tx,
                        tenant=self.known.tenant,
                        device=DEVICE,
                        fingerprint=fingerprint,
                        online=True,
                        now=self.p.now,
                    )
                )
            )

    # --- what holds -------------------------------------------------------------------------------

    @invariant()
    def an_owner_in_these_states_and_in_no_other(self) -> None:
        if device := self.known:
            assert (device.tenant is not None) == (device.ownership in HELD)
            assert (device.proof is not None) == (device.ownership in HELD)

    @invariant()
    def a_pending_claim_in_this_state_and_in_no_other(self) -> None:
        if device := self.known:
            pending = self.run(self.p.verb(lambda tx: tx.claims.pending(DEVICE)))
            assert (pending is not None) == (device.ownership is Ownership.CLAIMED)

    @invariant()
    def epochs_never_run_backwards_and_count_owners(self) -> None:
        if device := self.known:
            assert device.epoch >= self.epochs[-1]
            if device.tenant not in (None, self.owners[-1]):
                assert device.epoch > self.epochs[-1]
            self.epochs.append(device.epoch)
            self.owners.append(device.tenant)

    @invariant()
    def no_credential_of_a_former_owner_works(self) -> None:
        device = self.known
        for fingerprint, (tenant, epoch) in self.given.items():
            if self.is_admitted(fingerprint):
                assert (tenant, epoch) == (device.tenant, device.epoch)

    def is_admitted(self, fingerprint: str) -> bool:
        """Ask as the broker does."""
        client, now = str(DEVICE), self.p.now
        asked = self.p.verb(
            lambda tx: admit(tx, fingerprint=fingerprint, client_id=client, now=now)
        )
        return self.tries(asked) is not None

    @invariant()
    def one_credential_at_most_is_of_the_present_owner(self) -> None:
        credentials = self.p.registry.rows.credentials.values()
        current = [c for c in credentials if c.state is CredentialState.CURRENT]
        assert all(c.epoch == self.known.epoch for c in current)

    @invariant()
    def the_ledger_tells_of_every_owner(self) -> None:
        if device := self.known:
            events = [
                e for e in self.p.registry.rows.audit if e.name in LEDGER and e.device == DEVICE
            ]
            told = {int(e.facts.get("epoch", 0)): e.tenant for e in events if "epoch" in e.facts}
            if device.tenant is not None:
                assert told[device.epoch] == device.tenant
            assert len({e for e in told if e}) == len(set(self.epochs) - {0})

    def teardown(self) -> None:
        self.runner.close()


Owners.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestOwners = Owners.TestCase
