# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ansible inventory of the lab, for the demo and the tests: `$OFFBOARD_LAB/inventory/`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from . import company, names, paths
from .linux.part import LinuxPart

#: Encrypts snapshots and hand-over files of the lab. A throw-away, like paths.PASSWORD.
VAULT_PASSWORD = "lab-vault-password"


def decisions() -> dict[str, Any]:
    """The contents of `decisions.yml`, as the roles take them."""
    read: dict[str, Any] = names.called(yaml.safe_load(Path(__file__).with_name("decisions.yml").read_text(encoding="utf-8")))
    read["microsoft_365_accepted_references"] = [company.make_id(*named) for named in read["microsoft_365_accepted_references"]]
    return names.typed(read)


def tenant_vars(app: str = "offboard") -> dict[str, Any]:
    """How to reach the tenant, as the app registration with that key."""
    entry = company.app(app)
    return {
        "offboard_graph_url": paths.TENANT_URL,
        "offboard_authority": paths.TENANT_URL,
        "offboard_ca_file": str(paths.ca_file()),
        "offboard_tenant_id": names.typed(company.tenant_id()),
        "offboard_client_id": names.typed(entry["client_id"]),
        "offboard_client_secret": entry["secret"],
    }


def directory_vars() -> dict[str, Any]:
    """How to reach the directory. By address, since nobody resolves the lab's names; its certificate has the name."""
    return {
        "offboard_directory_host": paths.DC_ADDRESS,
        "offboard_directory_valid_names": [paths.DC_HOST],
        "offboard_directory_username": paths.AD_OPERATOR,
        "offboard_directory_password": paths.PASSWORD,
        "offboard_directory_ca_file": str(paths.ca_file()),
        # the operator may read group policies and not edit them
        "offboard_group_policy_username": paths.AD_ADMIN,
        "offboard_group_policy_password": paths.PASSWORD,
    }


def windows_vars() -> dict[str, Any]:
    """How to reach the Windows machines: Ansible's own connection variables."""
    return {
        "ansible_connection": "winrm",
        "ansible_port": paths.WINRM_HTTPS,
        "ansible_user": paths.WINDOWS_USER,
        "ansible_password": paths.PASSWORD,
        "ansible_winrm_transport": "ntlm",
        "ansible_winrm_scheme": "https",
        "ansible_winrm_ca_trust_path": str(paths.ca_file()),
    }


def write() -> Path:
    """Write the inventory and return its folder. Files that hold a password are readable by their owner only."""
    folder = paths.STATE / "inventory"
    machines = {names.machine(name): {"ansible_host": address} for name, address in paths.WINDOWS.items()}
    # the directory knows them by other names
    known_as = {names.machine("dcwin1"): paths.DC_HOST, names.machine("dcwin2"): paths.SECOND_DC_HOST}
    fleet = set(map(names.machine, paths.FLEET))
    controllers = set(known_as)
    localhost = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    agents = {
        "hosts": {name: host for name, host in machines.items() if name not in controllers | fleet},
        "children": {"iij_id_domain_controllers": {"hosts": {name: {**machines[name], "offboard_domain_controller": dc} for name, dc in known_as.items()}}},
    }
    # the first is a user's machine, too
    clients = {"hosts": {names.machine("sync01"): None} | {name: machines[name] for name in fleet}}
    children = {"iij_id_agents": agents, "iij_id_browser_machines": clients}
    linux = LinuxPart()
    of_linux = {"iij_id_linux_agents": {"hosts": hosts}} if (hosts := linux.inventory()) else {}
    _write(folder / "hosts.yml", {"all": {"hosts": {"localhost": localhost}, "children": {**children, **of_linux}}}, 0o644)
    _write(folder / "group_vars" / "all" / "lab.yml", tenant_vars() | directory_vars() | {"offboard_vault_password": VAULT_PASSWORD}, 0o600)
    _write(folder / "group_vars" / "all" / "decisions.yml", decisions(), 0o644)
    _write(folder / "group_vars" / "all" / "linux.yml", linux.decisions(), 0o644)
    for group in children:
        _write(folder / "group_vars" / group / "lab.yml", windows_vars(), 0o600)
    return folder


def _write(file: Path, data: dict[str, Any], mode: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    file.chmod(mode)
