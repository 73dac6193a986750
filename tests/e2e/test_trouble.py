# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trouble: each gives one clear message and a non-zero exit, loses nothing, and the others go on where that is safe."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest
from lab.evidence import Watch
from lab.inventory import tenant_vars
from lab.tenant.part import control
from lab.windows.part import WindowsPart

from .conftest import open_gate, reset
from .expected import PEOPLE, gets_password
from .playbooks import Operator

pytestmark = [pytest.mark.lab, pytest.mark.long]

NOTHING: dict[str, list[str]] = {"tenant": [], "directory": [], "windows": []}
SHARED = "CN=iij-shared,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example"
IWA = "CN=iij-iwa,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example"
MACHINES = ("sync01", "dcwin1", "dcwin2")


@pytest.fixture(scope="module")
def operator(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """The gate is open, and nothing behind it was done."""
    reset()
    operator = Operator(tmp_path_factory.mktemp("trouble"))
    open_gate(operator)
    operator.run("accounts", offboard_options=["integrated_windows_authentication"]).failed("iwa_unlinked")
    operator.confirm("iwa_unlinked")
    return operator


def _only(option: str) -> dict[str, Any]:
    return {"offboard_options": [option]}


def _as_app(key: str) -> dict[str, Any]:
    """Sign in as another app registration of the lab."""
    return {name: value for name, value in tenant_vars(key).items() if name in ("offboard_client_id", "offboard_client_secret")}


MICROSOFT_365 = _only("microsoft_365")
IWA_ONLY = _only("integrated_windows_authentication")

TROUBLE: dict[str, tuple[str, Callable[[], dict[str, Any]], tuple[str, ...]]] = {
    "wrong client secret": (
        "domains",
        lambda: MICROSOFT_365 | {"offboard_client_secret": "not-the-secret"},
        ("client secret|client_secret|AADSTS7000215",),
    ),
    "expired client secret": ("domains", lambda: MICROSOFT_365 | _as_app("iij_old"), ("expired",)),
    "missing permission": ("domains", lambda: MICROSOFT_365 | _as_app("readonly"), ("Domain",)),
    "unknown host of Graph": ("domains", lambda: MICROSOFT_365 | {"offboard_graph_url": "https://graph.invalid"}, ("graph.invalid",)),
    "untrusted certificate of the tenant": ("domains", lambda: MICROSOFT_365 | {"offboard_ca_file": certifi.where()}, ("certificate", "ca_file")),
    "a domain that is not IIJ ID's": (
        "domains",
        lambda: MICROSOFT_365 | {"microsoft_365_domains": ["reiji.example", "reiji-lab.example"]},
        ("reiji-lab.example", "sts.reiji-lab.example", "expected_idp_hosts"),
    ),
    "wrong password of the directory": ("accounts", lambda: IWA_ONLY | {"offboard_directory_password": "not-the-password"}, ("password",)),
    "unknown host of the directory": ("accounts", lambda: IWA_ONLY | {"offboard_directory_host": "dc9.invalid"}, ("dc9.invalid",)),
    "untrusted certificate of the directory": ("accounts", lambda: IWA_ONLY | {"offboard_directory_ca_file": certifi.where()}, ("certificate", "ca_file")),
    "an account with another service principal name": (
        "accounts",
        lambda: IWA_ONLY | {"integrated_windows_authentication_accounts": [IWA, SHARED]},
        ("iij-shared", "MSSQLSvc/db.ad.reiji.example:1433", "allowed_spns"),
    ),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_one_clear_message_and_nothing_written(operator: Operator, name: str) -> None:
    stage, variables, patterns = TROUBLE[name]
    watch = Watch()
    run = operator.run(stage, **variables()).failed(*patterns)
    assert len(run.messages) == 1
    assert watch.new() == NOTHING


@pytest.mark.parametrize(
    ("variables", "pattern"),
    [({"ansible_winrm_ca_trust_path": certifi.where()}, "certificate"), ({"ansible_password": "not-the-password"}, "password|user name|refused|401")],
    ids=["untrusted certificate", "wrong password"],
)
def test_windows_machines_that_cannot_be_used(operator: Operator, variables: dict[str, Any], pattern: str) -> None:
    """Tried on all, told for each, one summary in the end."""
    watch = Watch()
    run = operator.run("freeze", **variables).failed(*MACHINES, pattern)
    assert len(run.messages) == len(MACHINES) + 1
    assert watch.new() == NOTHING


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of its own that is nearly full."""
    tmp_path.joinpath("tiny").mkdir()
    folder = tmp_path / "tiny"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_hand_over_folder(operator: Operator, tiny: Path) -> None:
    """No password is set that was not handed over; with space again, everybody gets one."""
    operator.run("users").must()
    domain = control().call("PATCH", "/_lab/objects/domains/reiji-group.example", {"authenticationType": "Managed"})
    assert domain.status == 200
    few = MICROSOFT_365 | {"microsoft_365_domains": ["reiji-group.example"], "microsoft_365_handover_file": str(tiny / "handover.yml")}
    watch = Watch()
    run = operator.run("passwords", **few).failed("handover.yml", "space")
    assert len(run.messages) == 1
    assert watch.new() == NOTHING
    assert sorted(path.name for path in tiny.iterdir()) == [".handover.yml.lock", "handover.yml.lock"]
    subprocess.run(["mount", "-o", "remount,size=10m", str(tiny)], check=True)
    operator.run("passwords", **few).must()
    count = sum(person.domain == "reiji-group.example" and gets_password(person) for person in PEOPLE)
    assert len([line for line in watch.new()["tenant"] if line.startswith("PATCH /v1.0/users/")]) == count


def _installed(part: WindowsPart, product: str) -> set[str]:
    """The machines that have the product."""
    key = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
    return {machine for machine in MACHINES if f"IIJ ID Service {product}" in part.run(machine, rf'reg.exe query "{key}" /s /reg:64')[1]}


@pytest.fixture
def windows(operator: Operator) -> Iterator[WindowsPart]:
    """The Windows machines with both agents, freshly made; faults are gone afterwards."""
    part = WindowsPart()
    part.reset()
    yield part
    part.reset()


def test_machine_switched_off(windows: WindowsPart, tmp_path: Path) -> None:
    """The others and the tenant are saved; it is named, and saved when it is back."""
    operator = Operator(tmp_path)
    saved = operator.run_dir / "snapshot" / "machines"
    windows.power("dcwin2", "off")
    operator.run("snapshot").failed("1 of 3 machines failed", "dcwin2", "others are done")
    assert {file.name for file in saved.glob("*.yml")} == {"sync01.yml", "dcwin1.yml"}
    windows.power("dcwin2", "on")
    operator.run("snapshot").must()
    assert {file.name for file in saved.glob("*.yml")} == {f"{machine}.yml" for machine in MACHINES}


def test_uninstaller_that_fails(operator: Operator, windows: WindowsPart) -> None:
    """On the server, which comes first: the domain controllers do not suffer for it."""
    windows.fault("sync01", "directory_sync", "fail")
    operator.run("agents").failed("1 of 3 machines failed", "sync01", "uninstaller of IIJ ID Service Directory Sync failed")
    assert _installed(windows, "Directory Sync") == {"sync01"}
    assert _installed(windows, "Password Sync") == set()
    windows.fault("sync01", "directory_sync", None)
    operator.run("agents").must()
    assert _installed(windows, "Directory Sync") == set()


def test_uninstaller_that_hangs_on_a_domain_controller(operator: Operator, windows: WindowsPart) -> None:
    """It is ended after the time given, and the domain controller behind it is left alone."""
    windows.fault("dcwin1", "password_sync", "hang")
    before = windows.fingerprint("dcwin2")
    operator.run("agents", directory_sync_uninstall_timeout_minutes=1).failed("Password Sync", "did not finish within 1 minutes")
    assert _installed(windows, "Directory Sync") == set()
    assert windows.fingerprint("dcwin2") == before
    windows.fault("dcwin1", "password_sync", None)
    operator.run("agents").must()
    assert _installed(windows, "Password Sync") == set()
