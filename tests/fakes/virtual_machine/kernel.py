# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel and a first root file system for it, made once for each version in build/vm."""

import fcntl
import gzip
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CACHE: Final = Path(__file__).parents[3] / "build" / "vm"
INIT: Final = Path(__file__).with_name("init.sh")
BUSYBOX: Final = Path("/bin/busybox")
"""Of busybox-static: it has no libraries beside it here."""
RADIOS: Final = 2
FETCH_SECONDS: Final = 300
"""70 MB."""

MODULES: Final = (
    *("virtio_pci", "9p", "9pnet_virtio", "overlay"),  # the root file system
    *("virtio_net", "bridge", "af_packet"),
    *("mac80211_hwsim", "ccm", "cmac", "gcm", "ctr"),  # radios, and ciphers they ask for by name
)
"""In this order, each with what it depends on before it."""

_KERNEL_PACKAGE: Final = re.compile(r"Depends: (linux-image-[0-9][^\s]*)")
_DEPENDS: Final = re.compile(rb"\0depends=([^\0]*)\0")
_DIRECTORY: Final = 0o040755
_PROGRAM: Final = 0o100755
_FILE: Final = 0o100644


@dataclass(frozen=True, slots=True)
class Kernel:
    """What QEMU starts."""

    image: Path
    initramfs: Path


def fetch_kernel() -> Kernel:
    """Return the kernel of the newest package, from the cache if it is there."""
    package = _newest()
    CACHE.mkdir(parents=True, exist_ok=True)
    home = CACHE / package
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as making:
                _extract(package, Path(making) / package).rename(home)
        # Made anew each time, as init.sh may have changed; another run may be reading it.
        partial = home / "initramfs.partial"
        partial.write_bytes(gzip.compress(_archive(home), compresslevel=1, mtime=0))
        initramfs = partial.rename(home / "initramfs.gz")
    return Kernel(home / "vmlinuz", initramfs)


def _newest() -> str:
    """Return the kernel package's name; a machine may have come without apt's lists."""
    depends = ["apt-cache", "depends", "linux-image-amd64"]
    known = subprocess.run(depends, capture_output=True, text=True, check=False).stdout
    found = _KERNEL_PACKAGE.search(known)
    if not found and os.geteuid() == 0:
        _run(["apt-get", "update", "-qq"])
        found = _KERNEL_PACKAGE.search(_run(depends))
    if not found:
        raise RuntimeError("apt-cache knows no linux-image-amd64: run apt-get update")
    return found[1]


def _extract(package: str, home: Path) -> Path:
    """Download the package and keep the kernel and its modules."""
    home.mkdir()
    with tempfile.TemporaryDirectory(dir=CACHE) as downloads:
        _run(["apt-get", "download", "-qq", package], cwd=downloads)
        (deb,) = Path(downloads).glob("*.deb")
        contents = Path(downloads) / "contents.tar"
        with contents.open("wb") as file:
            subprocess.run(
                ["dpkg-deb", "--fsys-tarfile", deb], stdout=file, check=True, timeout=FETCH_SECONDS
            )
        with tarfile.open(contents) as archive:
            for member in archive:
                name = Path(member.name).name
                if name.startswith("vmlinuz-") and member.isfile():
                    _copy(archive, member, home / "vmlinuz")
                elif name.endswith(".ko"):
                    _copy(archive, member, home / name.replace("-", "_"))
    return home


def _copy(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    content = archive.extractfile(member)
    assert content is not None
    with target.open("wb") as file:
        shutil.copyfileobj(content, file)


def _in_order(home: Path, names: Sequence[str]) -> list[str]:
    """The modules and all that they depend on, dependencies first, each once."""
    order: list[str] = []

    def add(name: str) -> None:
        module = home / f"{name}.ko"
        if name in order or not module.exists():  # some are built into the kernel
            return
        found = _DEPENDS.search(module.read_bytes())
        for needed in (found[1].decode() if found else "").split(","):
            add(needed.replace("-", "_"))
        order.append(name)

    for name in names:
        add(name)
    return order


def _archive(home: Path) -> bytes:
    """The initramfs, in the format of cpio (Documentation/driver-api/early-userspace)."""
    order = _in_order(home, MODULES)
    parameters = {"mac80211_hwsim": f"radios={RADIOS}"}
    lines = [f"{name}.ko {parameters.get(name, '')}".rstrip() for name in order]
    parts = [
        *(_entry(name, _DIRECTORY, b"") for name in _DIRECTORIES),
        _entry("init", _PROGRAM, INIT.read_bytes()),
        _entry("bin/busybox", _PROGRAM, BUSYBOX.read_bytes()),
        _entry("modules/order", _FILE, "\n".join([*lines, ""]).encode()),
        *(_entry(f"modules/{n}.ko", _FILE, (home / f"{n}.ko").read_bytes()) for n in order),
        _entry("TRAILER!!!", 0, b""),
    ]
    return b"".join(parts)


_DIRECTORIES: Final = ("bin", "dev", "modules", "new", "proc", "ro", "rw", "sys")


def _entry(name: str, mode: int, content: bytes) -> bytes:
    numbers = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(f"{number:08x}".encode() for number in numbers)
    return b"".join(_padded([head + name.encode() + b"\0", content]))


def _padded(parts: Sequence[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield part + bytes(-len(part) % 4)


def _run(command: Sequence[str], cwd: str | None = None) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr} (is apt-get update needed?)")
    return done.stdout
