# SPDX-License-Identifier: Apache-2.0
"""The wheel with `[agent]` alone works in an empty environment, and drags in nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from architecture.source_tree import ROOT
from fakes.live import LiveFactory, LivePlatform
from fakes.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ARRIVE_SECONDS = 60

NOT_ON_DEVICES = (
    "alembic", "argon2", "click", "fastapi", "granian", "hatchling", "nats", "nkeys",
    "prometheus_client", "pydantic", "pytest", "reportlab", "rich", "segno", "sqlalchemy",
    "starlette", "structlog", "typer", "uvloop",
)  # fmt: skip

IMPORT_ALL = """
import importlib, pkgutil, homeport
for module in pkgutil.walk_packages(homeport.__path__, "homeport."):
    name = module.name
    if name.startswith("homeport.agent") or name.split(".")[-1] in {"device", "wire"}:
        importlib.import_module(name)
        print(name)
"""

IMPORT_NONE = """
import importlib.util, sys
print([name for name in sys.argv[1:] if importlib.util.find_spec(name)])
"""


def clean() -> dict[str, str]:
    """The environment without the clone's paths."""
    return {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "VIRTUAL_ENV"}}


def run(*command: str | Path, cwd: Path) -> str:
    """Run it as a stranger would: away from the clone, without its paths."""
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=clean(), text=True, capture_output=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    [wheel] = folder.glob("homeport-*.whl")
    return wheel


@pytest.fixture(scope="module")
def device(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel and the extra `[agent]`, nothing else."""
    folder = tmp_path_factory.mktemp("device")
    run(sys.executable, "-m", "venv", folder / "env", cwd=folder)
    programs = folder / "env" / "bin"
    install = (programs / "python", "-m", "pip", "install", "--quiet")
    run(*install, "--require-hashes", "-r", ROOT / "requirements" / "agent.lock", cwd=folder)
    run(*install, "--no-deps", wheel, cwd=folder)
    return programs


def test_the_agent_starts(device, tmp_path):
    assert "run" in run(device / "homeport", "agent", "--help", cwd=tmp_path)


def test_the_agent_brings_its_device_home(device, tmp_path):
    """Not only its help: a platform beside it, and nothing but `[agent]` on the device."""
    with LivePlatform(tmp_path) as platform:
        platform.operate("tenant", "add", "acme")
        [store] = LiveFactory(tmp_path / "factory", platform).mint(1)
        platform.sell(store.name, "acme")
        state = tmp_path / "state"
        options = ("--identity", store, "--state", state, "--address", platform.address)
        command = (device / "homeport", "agent", "run", *options)
        with (tmp_path / "agent.log").open("wb") as log:
            agent = subprocess.Popen(command, cwd=tmp_path, env=clean(), stdout=log, stderr=log)
        try:
            wait_until(lambda: state_of(platform, store.name) == "operational", ARRIVE_SECONDS)
            told = run(device / "homeport", "agent", "status", "--state", state, cwd=tmp_path)
            assert "operational" in told
        finally:
            agent.terminate()
            assert agent.wait(20) == 0, (tmp_path / "agent.log").read_text()


def state_of(platform: LivePlatform, serial_number: str) -> str:
    listed = json.loads(platform.operate("device", "list", "--json"))
    return next((d["state"] for d in listed if d["serial_number"] == serial_number), "never seen")


def test_the_hashed_list_is_the_extra(device, tmp_path):
    assert "No broken requirements" in run(device / "python", "-m", "pip", "check", cwd=tmp_path)


def test_everything_that_runs_on_a_device_can_be_imported(device, tmp_path):
    modules = run(device / "python", "-W", "error", "-c", IMPORT_ALL, cwd=tmp_path).split()
    assert "homeport.agent" in modules


def test_nothing_of_the_platform_is_installed(device, tmp_path):
    present = run(device / "python", "-c", IMPORT_NONE, *NOT_ON_DEVICES, cwd=tmp_path)
    assert present.strip() == "[]"
