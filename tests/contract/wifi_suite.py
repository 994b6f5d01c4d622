# SPDX-License-Identifier: Apache-2.0
"""What every `Wifi` is run through: the fake, and wpa_supplicant with a radio (tests/system).

A case is a coroutine that is given the air: a station, and the access points below around it.
Plain functions and asserts, so that a virtual machine need not load pytest for them.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from fakes.wifi import AccessPoint
from homeport.errors import Code, HomeportError
from homeport.radio.wifi import Profile, Security, Wifi

PASSPHRASE: Final = 'correct "horse" \\ #1'
"""With all that ends a quotation somewhere."""

PSK: Final = AccessPoint(ssid=b"Works", passphrase=PASSPHRASE)
SAE: Final = AccessPoint(ssid=b"Works WPA3", security=Security.SAE, passphrase=PASSPHRASE)
MIXED: Final = AccessPoint(ssid=b"Mixed", security=Security.PSK_SAE, passphrase=PASSPHRASE)
OPEN: Final = AccessPoint(ssid=b"Guests", security=Security.OPEN)
HIDDEN: Final = AccessPoint(ssid=b"Unseen", passphrase=PASSPHRASE, is_hidden=True)
HOSTILE: Final = AccessPoint(
    ssid=b'"\n\tpsk="x"\\ ${IFS}\xff\x1b[2J]', security=Security.SAE, passphrase=PASSPHRASE
)
NO_DHCP: Final = AccessPoint(ssid=b"No lease", passphrase=PASSPHRASE, has_dhcp=False)
REFUSING: Final = AccessPoint(ssid=b"Not you", security=Security.OPEN, is_refusing=True)
ACCESS_POINTS: Final = (PSK, SAE, MIXED, OPEN, HIDDEN, HOSTILE, NO_DHCP, REFUSING)


class Air(Protocol):
    """A station without a stored network, and the access points."""

    wifi: Wifi
    hurried: Wifi
    """The same station, for which nobody waits long until there is an address."""

    async def power_cut(self) -> None:
        """Switch the station off and on, and give it the time to join what it has stored."""
        ...


async def sees_what_is_there(air: Air) -> None:
    seen = await air.wifi.scan()
    visible = {each.ssid: each.security for each in ACCESS_POINTS if not each.is_hidden}
    assert {each.ssid: each.security for each in seen} == visible, seen
    assert len(seen) == len(visible)
    assert [each.signal for each in seen] == sorted((each.signal for each in seen), reverse=True)
    assert all(-110 < each.signal < 0 for each in seen), seen


async def joins_and_stays_after_a_power_cut(air: Air) -> None:
    assert await air.wifi.joined() is None
    await air.wifi.join(fitting(PSK))
    assert await air.wifi.joined() == PSK.ssid
    await air.power_cut()
    assert await air.wifi.joined() == PSK.ssid


async def joins_by_wpa3(air: Air) -> None:
    await joins(air, fitting(SAE))
    await air.power_cut()
    assert await air.wifi.joined() == SAE.ssid


async def joins_a_mixed_network(air: Air) -> None:
    await joins(air, fitting(MIXED, security=Security.SAE))
    await joins(air, fitting(MIXED))


async def takes_a_passphrase_to_wpa3(air: Air) -> None:
    await joins(air, fitting(SAE, security=Security.PSK_SAE))


async def joins_a_hidden_network_also_if_nobody_says_so(air: Air) -> None:
    await joins(air, fitting(HIDDEN))
    await air.wifi.forget()
    await joins(air, fitting(HIDDEN, is_hidden=True))


async def joins_an_open_network(air: Air) -> None:
    await joins(air, fitting(OPEN))


async def joins_a_network_with_a_hostile_name(air: Air) -> None:
    await joins(air, fitting(HOSTILE))
    await air.power_cut()
    assert await air.wifi.joined() == HOSTILE.ssid


async def tells_a_wrong_wpa2_password_and_takes_the_right_one_next(air: Air) -> None:
    await fails(air, fitting(PSK, passphrase="wrong horse"), Code.WIFI_PASSWORD_WRONG)
    assert await air.wifi.joined() is None
    await joins(air, fitting(PSK))


async def tells_a_wrong_wpa3_password_and_takes_the_right_one_next(air: Air) -> None:
    await fails(air, fitting(SAE, passphrase="wrong horse"), Code.WIFI_PASSWORD_WRONG)
    assert await air.wifi.joined() is None
    await joins(air, fitting(SAE))


async def tells_that_a_network_is_not_there(air: Air) -> None:
    nowhere = Profile(ssid=b"Nowhere", security=Security.PSK, passphrase=PASSPHRASE)
    await fails(air, nowhere, Code.WIFI_NOT_FOUND)


async def tells_that_there_is_no_address(air: Air) -> None:
    assert await failure(air.hurried, fitting(NO_DHCP)) is Code.WIFI_NO_ADDRESS
    assert await air.wifi.joined() is None


async def tells_that_it_is_refused(air: Air) -> None:
    await fails(air, fitting(REFUSING), Code.WIFI_REFUSED)


async def does_not_join_less_than_was_asked_for(air: Air) -> None:
    # An open network of the right name, and a WPA2 one for a WPA3 password: evil twins.
    guests = Profile(ssid=OPEN.ssid, security=Security.PSK, passphrase=PASSPHRASE)
    await fails(air, guests, Code.WIFI_REFUSED)
    await fails(air, fitting(PSK, security=Security.SAE), Code.WIFI_REFUSED)
    await fails(air, fitting(SAE, security=Security.OPEN, passphrase=""), Code.WIFI_REFUSED)


async def goes_back_to_the_earlier_network_when_joining_fails(air: Air) -> None:
    await air.wifi.join(fitting(PSK))
    await fails(air, fitting(SAE, passphrase="wrong horse"), Code.WIFI_PASSWORD_WRONG)
    assert await air.wifi.joined() == PSK.ssid
    # Even if it is the same network that was meant.
    await fails(air, fitting(PSK, passphrase="wrong horse"), Code.WIFI_PASSWORD_WRONG)
    assert await air.wifi.joined() == PSK.ssid
    await air.power_cut()
    assert await air.wifi.joined() == PSK.ssid


async def keeps_only_the_newest_network(air: Air) -> None:
    await air.wifi.join(fitting(PSK))
    await air.wifi.join(fitting(OPEN))
    await air.power_cut()
    assert await air.wifi.joined() == OPEN.ssid
    await air.wifi.forget()
    assert await air.wifi.joined() is None
    await air.power_cut()
    assert await air.wifi.joined() is None


CASES: Final[Mapping[str, Callable[[Air], Awaitable[None]]]] = {
    case.__name__: case
    for case in (
        sees_what_is_there,
        joins_and_stays_after_a_power_cut,
        joins_by_wpa3,
        joins_a_mixed_network,
        takes_a_passphrase_to_wpa3,
        joins_a_hidden_network_also_if_nobody_says_so,
        joins_an_open_network,
        joins_a_network_with_a_hostile_name,
        tells_a_wrong_wpa2_password_and_takes_the_right_one_next,
        tells_a_wrong_wpa3_password_and_takes_the_right_one_next,
        tells_that_a_network_is_not_there,
        tells_that_there_is_no_address,
        tells_that_it_is_refused,
        does_not_join_less_than_was_asked_for,
        goes_back_to_the_earlier_network_when_joining_fails,
        keeps_only_the_newest_network,
    )
}


async def joins(air: Air, profile: Profile) -> None:
    await air.wifi.join(profile)
    assert await air.wifi.joined() == profile.ssid


async def fails(air: Air, profile: Profile, code: Code) -> None:
    assert await failure(air.wifi, profile) is code


async def failure(wifi: Wifi, profile: Profile) -> Code | None:
    """How joining ends; None: well."""
    try:
        await wifi.join(profile)
    except HomeportError as error:
        return error.code
    return None


def fitting(
    access_point: AccessPoint,
    *,
    passphrase: str | None = None,
    security: Security | None = None,
    is_hidden: bool = False,
) -> Profile:
    """The profile that the access point takes, but for what the case has otherwise."""
    return Profile(
        ssid=access_point.ssid,
        security=security or access_point.security,
        passphrase=access_point.passphrase if passphrase is None else passphrase,
        is_hidden=is_hidden,
    )
