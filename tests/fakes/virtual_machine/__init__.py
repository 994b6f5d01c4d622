# SPDX-License-Identifier: Apache-2.0
"""A virtual machine with Debian's kernel: for what needs a radio, which no namespace can give.

QEMU emulates the processor (no KVM, no root). The guest's root file system is the host's own,
read-only over 9p, under a layer in memory: what is installed here, the clone and its environment
are there under the same paths, and nothing that the guest does stays. It has two simulated radios
(mac80211_hwsim), `wlan0` and `wlan1`. The kernel comes from the Debian package, once, to build/vm.

    from fakes.virtual_machine.machine import VirtualMachine

    with VirtualMachine(tmp_path / "vm", [sys.executable, "-m", "fakes.something"]) as machine:
        machine.wait(60)                   # until the program in the guest has ended
    (machine.share / "result").read_text() # the one directory that both sides write

Programs start slowly there (asyncio takes a second, pytest four), so a guest's program imports
little. It runs as root, with the host's PYTHONPATH and the share's path in $HOMEPORT_SHARE; what
it prints is in `share/output`, what the kernel prints in `console`.

**Wi-Fi.** `fakes.virtual_machine.radio.Radio`, in the guest, puts up hostapd with any number of
access points on `wlan1`, in a network namespace of its own, and stock wpa_supplicant with a DHCP
client on `wlan0`. The access points are bridged to `eth0`.

**An agent in the guest, all else on the host** (a button to first message with real Wi-Fi):

    links=(Uplink(), Cable(port=ether_port))

`Uplink` is `eth0`: QEMU's own network behind the access points, with a DHCP server; the host's
loopback is 10.0.2.2 there, so a platform or broker that listens on the host's 127.0.0.1:8443 is
https://10.0.2.2:8443 for a device that has joined, and cannot be reached before. `Uplink(
is_closed=True)` has the DHCP server and nothing else.
`Cable` is the next interface (`eth1`), which reaches one port of the host's loopback and nothing
else: whatever connects to 10.0.3.100:7000 in the guest is connected to it. Give it the HCI port of
a virtual Bluetooth controller (`bumble:tcp-client:10.0.3.100:7000` in the guest). The connection
is made when the machine starts, so the port has to listen by then, and there is one. The guest's
program has to give the interface its address: `ip address add 10.0.3.15/24 dev eth1`.
"""
