# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab's state and caches lie, and every address, port and lab password. One place per fact."""

from __future__ import annotations

import os
from pathlib import Path

from . import names

CACHE = Path(os.environ.get("OFFBOARD_CACHE") or Path.home() / ".cache" / "offboard-iij-id")
STATE = Path(os.environ.get("OFFBOARD_LAB") or CACHE / "lab")

# Throw-away passwords of a lab that listens on loopback only. No real system uses them.
PASSWORD = "Lab-Passw0rd!"

# Entra tenant: Graph and the sign-in service share one TLS port.
TENANT_ADDRESS = "127.0.0.31"
TENANT_PORT = 8443
TENANT_URL = f"https://{TENANT_ADDRESS}:{TENANT_PORT}"

# Identity providers of two partner companies, behind one TLS port; simpleSAMLphp itself speaks plain HTTP.
IDP_ADDRESS = "127.0.0.41"
IDP_PORT = 8443
IDP_PHP_PORT = 18445
IDP_URL = f"https://{IDP_ADDRESS}:{IDP_PORT}"

# Active Directory. Samba's LDAP ports are fixed (389, 636), so the address is what varies.
DC_ADDRESS = "127.0.0.61"
DC_HOST = names.called("dc1.ad.reiji.example")
SECOND_DC_ADDRESS = "127.0.0.62"  # only while a test wants two: lab/directory/second.py
SECOND_DC_HOST = names.called("dc2.ad.reiji.example")
AD_REALM = names.called("AD.REIJI.EXAMPLE")
AD_NETBIOS = names.called("REIJI")
AD_BASE = names.called("DC=ad,DC=reiji,DC=example")
AD_ADMIN = names.called("Administrator@ad.reiji.example")
AD_OPERATOR = names.called("offboard@ad.reiji.example")  # delegated: company.yml, directory.operator

# The Linux machine of tests; its sshd takes a free port.
LINUX_ADDRESS = "127.0.0.71"

# Windows machines: real WinRM ports, one loopback address each.
#: Users' machines besides, each like sync01, for measurements; OFFBOARD_LAB_FLEET says how many.
FLEET = {f"pc{number:02}": f"127.0.2.{number}" for number in range(1, 1 + int(os.environ.get("OFFBOARD_LAB_FLEET") or 0))}
WINDOWS = {"sync01": "127.0.1.11", "dcwin1": "127.0.1.12", "dcwin2": "127.0.1.13"} | FLEET
WINRM_HTTP, WINRM_HTTPS = 5985, 5986
WINDOWS_USER = "offboard"


def part_state(name: str) -> Path:
    """The state folder of a part, made when missing."""
    path = STATE / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def ca_file() -> Path:
    """The lab CA's certificate (PEM), to be trusted by every client of the lab."""
    return STATE / "tls" / "ca.pem"
