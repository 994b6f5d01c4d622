# SPDX-License-Identifier: Apache-2.0
"""A small real network in namespaces, for system tests and benchmarks.

    device ──┐
    edge   ──┤ LAN 10.77.0.0/24, fd77::/64   gateway (bridge, router, dnsmasq)
             └──────────────────────────────────┤ 10.78.0.0/24, fd78::/64
                                             platform

Hosts on the LAN and the platform have `eth0`. Any cable can be bad (`Link`). Namespaces bear the
test's process id; everything ends with the context, and what a killed test run left behind is
swept away by the next. Needs root, iproute2 and, for DHCP, dnsmasq; a missing tool is an error.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Final, Self

LAN4: Final = "10.77.0."
LAN6: Final = "fd77::"
GATEWAY4: Final = "10.77.0.1"
GATEWAY6: Final = "fd77::1"
PLATFORM4: Final = "10.78.0.2"
PLATFORM6: Final = "fd78::2"

_PREFIX: Final = "homeport"
_NETNS: Final = Path("/run/netns")
_ETC: Final = Path("/etc/netns")  # `ip netns exec` lays these files over /etc
_LINK: Final = Path(__file__).with_name("link.py")
_LEASE: Final = Path(__file__).with_name("lease.py")
_numbers: Final = count()


@dataclass(frozen=True)
class Link:
    """How bad a cable is: delay and loss (0 to 1), each in either direction."""

    delay: timedelta = timedelta()
    loss: float = 0.0
    seed: str = "homeport"


class Lan:
    """A running network. Names of namespaces in all methods are the roles of the picture above.

    `hosts` are the LAN's; each has the static addresses `address4()` and `address6()`, unless
    `static` is false: then only link-local ones, until `lease()` or router advertisements.
    `cables` makes the LAN cable of a host a bad one, `uplink` the way from gateway to platform.
    `names` are host names that the gateway's DNS knows, with their addresses.
    """

    def __init__(
        self,
        hosts: Sequence[str] = ("device",),
        *,
        static: bool = True,
        cables: Mapping[str, Link] | None = None,
        uplink: Link | None = None,
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Take the plan; entering the context builds it."""
        self._hosts = tuple(hosts)
        self._static = static
        self._cables = dict(cables or {})
        self._uplink = uplink
        self._names = {name: tuple(addresses) for name, addresses in (names or {}).items()}
        self._run = f"{_PREFIX}-{os.getpid()}-{next(_numbers)}"
        self._closing = ExitStack()
        self._directory = Path()

    def __enter__(self) -> Self:
        """Build the network."""
        _require("ip", "dnsmasq")
        _sweep()
        try:
            self._directory = Path(self._closing.enter_context(tempfile.TemporaryDirectory()))
            for role in ("gateway", "platform", *self._hosts):
                self._add_namespace(role)
            self._build_gateway()
            for number, host in enumerate(self._hosts):
                self._plug(host, f"lan{number}", self._cables.get(host))
                self._ip("gateway", f"link set lan{number} master br0")
                if self._static:
                    self._address_host(host)
            self._build_platform()
            self.start_dnsmasq()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End every process and namespace of this network."""
        self._closing.close()

    def namespace(self, role: str) -> str:
        """Name a role's network namespace, for `ip netns exec`."""
        return f"{self._run}-{role}"

    def address4(self, host: str) -> str:
        """Static IPv4 address of a host on the LAN."""
        return f"{LAN4}{10 + self._hosts.index(host)}"

    def address6(self, host: str) -> str:
        """Static IPv6 address of a host on the LAN."""
        return f"{LAN6}{10 + self._hosts.index(host)}"

    def command(self, role: str, argv: Sequence[str | Path]) -> list[str]:
        """Wrap a command so that it runs inside a role's namespace."""
        return ["ip", "netns", "exec", self.namespace(role), *map(str, argv)]

    def run_in(
        self,
        role: str,
        argv: Sequence[str | Path],
        *,
        timeout: float = 60,
        check: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside a namespace to its end, output captured as text.

        With `check`, a status other than 0 fails the test and shows the output.
        """
        done = subprocess.run(
            self.command(role, argv),
            capture_output=True, text=True, timeout=timeout, check=False, env=env,
        )  # fmt: skip
        if check and done.returncode != 0:
            message = f"{argv[0]} in {role}: status {done.returncode}\n{done.stdout}{done.stderr}"
            raise AssertionError(message)
        return done

    def start_in(
        self, role: str, argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a command inside a namespace, with pipes; it is killed with the network."""
        process = subprocess.Popen(
            self.command(role, argv),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env=env,
        )  # fmt: skip
        self._closing.callback(_end, process)
        return process

    def start_dnsmasq(self, *options: str, dhcp4: bool = True, dhcp6: bool = True) -> None:
        """Start (or start again, with other options) the gateway's DNS and DHCP server.

        `options` are lines of its configuration: `dhcp-option-force=143,00:1a:…`. It answers DNS
        for `names`, leases 10.77.0.100 and up, and advertises fd77::/64 to hosts without static
        addresses.
        """
        self.stop_dnsmasq()
        configuration = self._directory / "dnsmasq.conf"
        lines = [*self._dnsmasq_lines(dhcp4=dhcp4, dhcp6=dhcp6), *options]
        configuration.write_text("\n".join(lines) + "\n")
        # It goes to the background only when it is ready to answer.
        self.run_in("gateway", ["dnsmasq", f"--conf-file={configuration}"])

    def stop_dnsmasq(self) -> None:
        """End the gateway's DNS and DHCP server, if it runs."""
        pid_file = self._directory / "dnsmasq.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text())
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _await_end(pid)
        pid_file.unlink()

    def dnsmasq_log(self) -> str:
        """What dnsmasq has logged, DHCP exchanges included."""
        return (self._directory / "dnsmasq.log").read_text()

    def lease(self, host: str) -> str:
        """Let a host get its IPv4 address and default route by DHCP; return the address."""
        address, prefix, router = self.run_in(host, [sys.executable, _LEASE, "eth0"]).stdout.split()
        self._ip(
            host, f"address add {address}/{prefix} dev eth0", f"route add default via {router}"
        )
        return address

    def unplug(self, host: str) -> None:
        """Pull a host's cable at the gateway's end."""
        self._ip("gateway", f"link set lan{self._hosts.index(host)} down")

    def plug(self, host: str) -> None:
        """Put a host's cable back."""
        self._ip("gateway", f"link set lan{self._hosts.index(host)} up")

    def _add_namespace(self, role: str) -> None:
        name = self.namespace(role)
        _ip(f"netns add {name}")
        self._closing.callback(_delete_namespace, name)
        (_ETC / name).mkdir(parents=True)
        (_ETC / name / "resolv.conf").write_text(f"nameserver {GATEWAY4}\n")
        # Duplicate address detection would keep every IPv6 address unusable for a second.
        self._sysctl(role, {"ipv6/conf/all/accept_dad": 0, "ipv6/conf/default/accept_dad": 0})
        self._ip(role, "link set lo up")

    def _build_gateway(self) -> None:
        self._sysctl("gateway", {"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1})
        self._ip(
            "gateway",
            "link add br0 type bridge mcast_snooping 0",
            "link set br0 up",
            f"address add {GATEWAY4}/24 dev br0",
            f"address add {GATEWAY6}/64 dev br0 nodad",
        )

    def _build_platform(self) -> None:
        self._plug("platform", "wan0", self._uplink)
        self._ip("gateway", "address add 10.78.0.1/24 dev wan0", "address add fd78::1/64 dev wan0")
        self._ip(
            "platform",
            f"address add {PLATFORM4}/24 dev eth0",
            f"address add {PLATFORM6}/64 dev eth0",
            "route add default via 10.78.0.1",
            "route add ::/0 via fd78::1",
        )
        # A long way is no Ethernet: finding neighbours must not cost a round trip of it.
        here, there = self._mac("gateway", "wan0"), self._mac("platform", "eth0")
        for address in ("10.78.0.1", "fd78::1"):
            self._ip(
                "platform", f"neighbour replace {address} lladdr {here} dev eth0 nud permanent"
            )
        for address in (PLATFORM4, PLATFORM6):
            self._ip(
                "gateway", f"neighbour replace {address} lladdr {there} dev wan0 nud permanent"
            )

    def _address_host(self, host: str) -> None:
        self._sysctl(host, {"ipv6/conf/eth0/accept_ra": 0})
        self._ip(
            host,
            f"address add {self.address4(host)}/24 dev eth0",
            f"address add {self.address6(host)}/64 dev eth0 nodad",
            f"route add default via {GATEWAY4}",
            f"route add ::/0 via {GATEWAY6}",
        )

    def _plug(self, role: str, port: str, link: Link | None) -> None:
        name = self.namespace(role)
        if link is None:
            self._ip("gateway", f"link add {port} type veth peer name eth0 netns {name}")
        else:
            self._start_link(f"{self.namespace('gateway')}:{port}", f"{name}:eth0", link)
        self._ip("gateway", f"link set {port} up")
        self._ip(role, "link set eth0 up")

    def _start_link(self, left: str, right: str, link: Link) -> None:
        process = subprocess.Popen(
            [sys.executable, _LINK, left, right, f"--delay={link.delay.total_seconds()}",
             f"--loss={link.loss}", f"--seed={link.seed}"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._closing.callback(_end, process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    def _dnsmasq_lines(self, *, dhcp4: bool, dhcp6: bool) -> Iterable[str]:
        yield from (
            "no-hosts",
            "no-resolv",
            "no-ping",
            "user=root",
            "interface=br0",
            "except-interface=lo",
        )
        yield from ("bind-interfaces", "log-dhcp", f"log-facility={self._directory}/dnsmasq.log")
        yield from (
            f"pid-file={self._directory}/dnsmasq.pid",
            f"dhcp-leasefile={self._directory}/leases",
        )
        for name, addresses in self._names.items():
            yield f"host-record={','.join((name, *addresses))}"
        if dhcp4:
            yield from ("dhcp-authoritative", "dhcp-range=10.77.0.100,10.77.0.199,255.255.255.0,1h")
        if dhcp6:
            yield from ("enable-ra", "dhcp-range=fd77::,ra-stateless,64,1h")

    def _mac(self, role: str, interface: str) -> str:
        return self.run_in(role, ["cat", f"/sys/class/net/{interface}/address"]).stdout.strip()

    def _sysctl(self, role: str, values: Mapping[str, int]) -> None:
        script = "; ".join(f"echo {value} > /proc/sys/net/{key}" for key, value in values.items())
        self.run_in(role, ["sh", "-ec", script])

    def _ip(self, role: str, *commands: str) -> None:
        _ip(*commands, namespace=self.namespace(role))


def _ip(*commands: str, namespace: str | None = None) -> None:
    inside = ["-n", namespace] if namespace else []
    done = subprocess.run(
        ["ip", *inside, "-batch", "-"],
        input="\n".join(commands) + "\n", capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    if done.returncode != 0:
        raise AssertionError(f"ip {commands}: {done.stderr}")


def _require(*tools: str) -> None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if os.geteuid() != 0:
        missing.append("root (network namespaces)")
    if missing:
        raise RuntimeError(f"system tests need: {', '.join(missing)}")


def _delete_namespace(name: str) -> None:
    inside = subprocess.run(
        ["ip", "netns", "pids", name], capture_output=True, text=True, check=False, timeout=30
    )
    pids = [int(pid) for pid in inside.stdout.split()]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    subprocess.run(["ip", "netns", "delete", name], check=False, timeout=30)
    shutil.rmtree(_ETC / name, ignore_errors=True)


def _sweep() -> None:
    """Delete what test runs left behind that were killed: their process id is no longer alive."""
    for path in _NETNS.glob(f"{_PREFIX}-*-*"):
        pid = path.name.split("-")[1]
        if pid.isdigit() and not Path("/proc", pid).exists():
            _delete_namespace(path.name)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()


def _await_end(pid: int) -> None:
    """Wait until a process that is not our child has ended; it may stay a zombie for a while."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.005)
    raise AssertionError(f"process {pid} does not end")
