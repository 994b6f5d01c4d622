# SPDX-License-Identifier: Apache-2.0
"""One run of the virtual machine: start it, wait for it, see what it printed."""

import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

import pytest

from fakes.virtual_machine.kernel import BUSYBOX, fetch_kernel

QEMU: Final = "qemu-system-x86_64"
MEMORY: Final = "1500"
"""MiB."""
COMMAND_LINE: Final = "console=ttyS0 quiet panic=-1 mitigations=off nokaslr net.ifnames=0"
SHARE: Final = "/run/host"
"""The shared directory, in the guest."""
CABLE: Final = "10.0.3.100:7000"
"""Where a program in the guest reaches the port of a `Cable`."""
ENDED: Final = "ended"

GUEST: Final = """\
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
cd {directory}
{command} >{share}/output 2>&1
echo $? >{share}/{ended}
sync
echo o >/proc/sysrq-trigger
exec sleep 60
"""


class NetworkLink(Protocol):
    """An interface of the guest."""

    def netdev(self) -> str:
        """What QEMU is to make behind it, without its id."""
        ...


@dataclass(frozen=True, slots=True)
class Uplink:
    """QEMU's own network: a DHCP server, and the host's loopback as 10.0.2.2."""

    is_closed: bool = False
    """Nothing but the DHCP server."""

    def netdev(self) -> str:
        return f"user,restrict={'on' if self.is_closed else 'off'}"


@dataclass(frozen=True, slots=True)
class Cable:
    """One port of the host's loopback, and nothing else."""

    port: int

    def netdev(self) -> str:
        where = f"guestfwd=tcp:{CABLE}-tcp:127.0.0.1:{self.port}"
        return f"user,restrict=on,net=10.0.3.0/24,{where}"


def require_virtual_machine() -> None:
    """Skip where no virtual machine can be had (in CI a skip is a failure)."""
    lacking = [name for name in (QEMU, "apt-get", "dpkg-deb") if shutil.which(name) is None]
    lacking += [] if BUSYBOX.exists() else ["busybox-static"]
    lacking += [] if platform.machine() == "x86_64" else ["an x86_64 machine"]
    if lacking:
        pytest.skip(f"the virtual machine needs {', '.join(lacking)}")


class VirtualMachine:
    """Runs one program in a guest; use as a context manager."""

    def __init__(
        self,
        home: Path,
        program: Sequence[str | Path],
        *,
        links: Sequence[NetworkLink] = (Uplink(is_closed=True),),
    ) -> None:
        """Take a directory of its own, the program, and the guest's interfaces `eth0`, `eth1`."""
        self.home = home
        self.share = home / "share"
        self._program = program
        self._links = links
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start; the guest needs some five seconds until its program begins."""
        self.share.mkdir(parents=True)
        (self.share / "guest.sh").write_text(self._guest())
        with (self.home / "qemu").open("wb") as output:
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Pull the plug, if it still runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def wait(self, seconds: float) -> str:
        """Wait until the program has ended well; return what it printed."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not at its end after {seconds} s\n{self.story()}") from None
        ended = self.share / ENDED
        if not ended.exists() or ended.read_text() != "0\n":
            raise AssertionError(f"the program in the guest failed\n{self.story()}")
        return (self.share / "output").read_text(errors="replace")

    def story(self) -> str:
        """What QEMU, kernel and program printed, for whoever looks for a fault."""
        files = (self.home / "qemu", self.home / "console", self.share / "output")
        texts = [path.read_text(errors="replace")[-8_000:] for path in files if path.exists()]
        return "\n---\n".join(texts)

    def _guest(self) -> str:
        environment = {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOMEPORT_SHARE": SHARE,
        }
        words = [f"{name}={value}" for name, value in environment.items()]
        command = shlex.join(["env", *words, *map(str, self._program)])
        directory = shlex.quote(str(Path.cwd()))
        return GUEST.format(command=command, directory=directory, share=SHARE, ended=ENDED)

    def _command(self) -> list[str]:
        kernel = fetch_kernel()
        command = [
            *(QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", MEMORY),
            *("-nodefaults", "-no-reboot", "-display", "none"),
            *("-serial", f"file:{self.home / 'console'}"),
            *("-object", "rng-random,id=random,filename=/dev/urandom"),
            *("-device", "virtio-rng-pci,rng=random"),
            *("-kernel", str(kernel.image), "-initrd", str(kernel.initramfs)),
            *("-append", COMMAND_LINE),
            *("-virtfs", f"{_shared('root', Path('/'))},readonly=on,multidevs=remap"),
            *("-virtfs", _shared("share", self.share)),
        ]
        for number, link in enumerate(self._links):
            command += ["-netdev", f"{link.netdev()},id=net{number}"]
            command += ["-device", f"virtio-net-pci,netdev=net{number},romfile="]
        return command


def _shared(tag: str, path: Path) -> str:
    return f"local,path={path},mount_tag={tag},security_model=none"
