# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ansible inventory of the lab, for the demo and the tests: `$OFFBOARD_LAB/inventory/`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from . import company, paths


def tenant_vars(app: str = "offboard") -> dict[str, Any]:
    """How to reach the tenant, as the app registration with that key."""
    entry = company.app(app)
    return {
        "entra_graph_url": paths.TENANT_URL,
        "entra_authority": paths.TENANT_URL,
        "entra_ca_path": str(paths.ca_file()),
        "entra_tenant_id": company.tenant_id(),
        "entra_client_id": entry["client_id"],
        "entra_client_secret": entry["secret"],
    }


def directory_vars() -> dict[str, Any]:
    return {
        "directory_server": paths.DC_HOST,
        "directory_address": paths.DC_ADDRESS,
        "directory_base": paths.AD_BASE,
        "directory_bind_user": paths.AD_ADMIN,
        "directory_bind_password": paths.PASSWORD,
        "directory_ca_path": str(paths.ca_file()),
    }


def windows_vars() -> dict[str, Any]:
    return {
        "ansible_connection": "winrm",
        "ansible_port": paths.WINRM_HTTPS,
        "ansible_user": paths.WINDOWS_USER,
        "ansible_password": paths.PASSWORD,
        "ansible_winrm_transport": "basic",
        "ansible_winrm_scheme": "https",
        "ansible_winrm_ca_trust_path": str(paths.ca_file()),
    }


def write() -> Path:
    """Write the inventory and return its folder. Files that hold a password are readable by their owner only."""
    folder = paths.STATE / "inventory"
    hosts = {
        "all": {
            "children": {
                "windows": {"hosts": {name: {"ansible_host": address} for name, address in paths.WINDOWS.items()}},
                "controller": {"hosts": {"localhost": {"ansible_connection": "local"}}},
            }
        }
    }
    _write(folder / "hosts.yml", hosts, 0o644)
    _write(folder / "group_vars" / "all" / "lab.yml", tenant_vars() | directory_vars(), 0o600)
    _write(folder / "group_vars" / "windows" / "lab.yml", windows_vars(), 0o600)
    return folder


def _write(file: Path, data: dict[str, Any], mode: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    file.chmod(mode)
