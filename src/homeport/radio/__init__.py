# SPDX-License-Identifier: Apache-2.0
"""The radios of a device and of an installer: Wi-Fi and Bluetooth, behind small ports.

Nothing here knows what is said over them. Secrets cross the ports as text that is not shown
(`repr=False`), because `keys` is a room beside this one.
"""
