# SPDX-License-Identifier: Apache-2.0
"""Requests that prove who sent them, and are refused for what the platform knows.

The member `registry` of their vectors says what that is.
"""

import datetime as dt

from homeport.errors import Code
from tools.vectors_native.identities import p256
from tools.vectors_native.recipe import Recipes
from tools.vectors_native.registered import GRACE, Books, Registered
from tools.vectors_native.scene import Scene

BAD = Recipes()


def _with_device(scene: Scene, *, epoch: int = 1, state: str = "operational") -> Books:
    """The device that enrols, as the platform knows it."""
    device = scene.device
    books = Books(scene=scene)
    return books.device(device.serial_number, epoch=epoch, state=state, idevid=device.fingerprint)


@BAD.refused(Code.DEVICE_DECOMMISSIONED, "3.3", live=False)
def device_decommissioned(scene: Scene) -> Registered:
    """The device was decommissioned: nothing brings it back."""
    return _with_device(scene, state="decommissioned").know(scene.enrol())


@BAD.refused(Code.DEVICE_CONFLICT, "3.3", live=False)
def another_idevid_of_the_same_device(scene: Scene) -> Registered:
    """Issuer and serial number are known, but with another IDevID: a clone, or minted twice."""
    return Books(scene=scene).device(scene.device.serial_number).know(scene.enrol())


@BAD.refused(Code.KEY_TAKEN, "3.3", live=False)
def key_of_another_device(scene: Scene) -> Registered:
    """The operational key was certified for another device."""
    key = p256()
    books = Books(scene=scene).device(scene.maker.next_number()).certificate(key)
    return books.know(scene.enrol(key=key))


@BAD.refused(Code.KEY_REVOKED, "3.3", live=False)
def key_that_was_revoked(scene: Scene) -> Registered:
    """The device asks again for a key of which the certificate was revoked."""
    key = p256()
    return _with_device(scene).certificate(key, state="revoked").know(scene.enrol(key=key))


@BAD.refused(Code.EPOCH_STALE, "3.3", live=False)
def key_of_an_earlier_owner(scene: Scene) -> Registered:
    """The key was revoked when the device changed hands: it has to make another."""
    key = p256()
    books = _with_device(scene, epoch=2).certificate(key, state="revoked", epoch=1)
    return books.know(scene.enrol(key=key))


@BAD.refused(Code.CREDENTIAL_REVOKED, "3.3", live=False)
def device_that_is_barred(scene: Scene) -> Registered:
    """A person revoked the device; until it is readmitted another key helps no more."""
    books = _with_device(scene, state="revoked").certificate(p256(), state="revoked")
    return books.know(scene.enrol())


def _with_ldevid(
    scene: Scene, *, epoch: int = 1, state: str = "current", issued_under: int = 1
) -> Books:
    """The device that renews, and the certificate that it signs with."""
    ldevid = scene.ldevid
    books = Books(scene=scene).device(ldevid.serial_number, epoch=epoch)
    return books.certificate(
        ldevid.key, fingerprint=ldevid.fingerprint, state=state, epoch=issued_under
    )


@BAD.refused(Code.CHAIN_UNTRUSTED, "5", kind="renew", live=False)
def renewal_of_an_unknown_certificate(scene: Scene) -> Registered:
    """The platform's issuer has signed the certificate, but the platform does not know it."""
    return Books(scene=scene).device(scene.ldevid.serial_number).know(scene.renew())


@BAD.refused(Code.CREDENTIAL_REVOKED, "5", kind="renew", live=False)
def renewal_of_a_revoked_certificate(scene: Scene) -> Registered:
    """The certificate that signs was revoked."""
    return _with_ldevid(scene, state="revoked").know(scene.renew(key=p256()))


@BAD.refused(Code.CREDENTIAL_REPLACED, "5", kind="renew", live=False)
def renewal_of_a_replaced_certificate(scene: Scene) -> Registered:
    """A newer one has been seen at the broker: who has only this one has it from elsewhere."""
    return _with_ldevid(scene, state="replaced").know(scene.renew(key=p256()))


@BAD.refused(Code.EPOCH_STALE, "5", kind="renew", live=False)
def renewal_under_an_earlier_owner(scene: Scene) -> Registered:
    """The device has changed hands since the certificate was issued: it enrols anew."""
    return _with_ldevid(scene, epoch=2).know(scene.renew())


@BAD.refused(Code.CERTIFICATE_EXPIRED, "5", kind="renew", live=False)
def renewal_after_the_period_of_grace(scene: Scene) -> Registered:
    """The certificate ended a day longer ago than the platform's policy bears."""
    ended = scene.now - GRACE - dt.timedelta(days=1)
    began = ended - dt.timedelta(days=90)
    device = f"{scene.maker.root.id}-{scene.ldevid.serial_number}"
    old = scene.platform.ldevid(device, scene.ldevid.serial_number, began, ended)
    books = Books(scene=scene).device(old.serial_number)
    books.certificate(old.key, fingerprint=old.fingerprint, not_after=ended.isoformat())
    return books.know(scene.renew(old))


@BAD.refused(Code.KEY_TAKEN, "5", kind="renew", live=False)
def renewal_for_a_key_of_another_device(scene: Scene) -> Registered:
    """A device in order asks for a key that was certified for another."""
    key = p256()
    books = _with_ldevid(scene)
    return books.device(scene.maker.next_number()).certificate(key).know(scene.renew(key=key))


@BAD.refused(Code.KEY_REVOKED, "5", kind="renew", live=False)
def renewal_for_a_revoked_key(scene: Scene) -> Registered:
    """A device in order asks for an earlier key of its own that was revoked."""
    key = p256()
    return _with_ldevid(scene).certificate(key, state="revoked").know(scene.renew(key=key))
