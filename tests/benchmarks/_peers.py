# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other tools against the same tenant. They only know Microsoft's own addresses: in a mount namespace these are the tenant's."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from dev import environment
from dev.places import CACHE
from dev.say import Failure, step

from benchmarks._harness import Missing, Tenant, tenant

_HOSTS = ("login.microsoftonline.com", "graph.microsoft.com")
_ADDRESS, _PORT = "127.0.0.77", 443
_M365 = "@pnp/cli-microsoft365@11"
_MSAL = "@azure/msal-node@3"


@contextlib.contextmanager
def microsoft() -> Iterator[tuple[Tenant, list[str], dict[str, str]]]:
    """A tenant at Microsoft's addresses; what a command line begins with to find it there, and the variables to trust it."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        raise Missing("other tools find the tenant only in a mount namespace with its own /etc/hosts and on port 443, which needs root")
    with tempfile.TemporaryDirectory(prefix="offboard-bench-peer-") as home, tenant(_ADDRESS, _PORT, _HOSTS) as running:
        hosts = Path(home, "hosts")
        hosts.write_text(f"127.0.0.1 localhost\n{_ADDRESS} {' '.join(_HOSTS)}\n")
        inside = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]
        trusted = dict.fromkeys(("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(running.ca_file))
        yield running, inside, {"HOME": home, **trusted}


def azure_collection() -> Path:
    """An environment with azure.azcollection and all that it asks for: 1.8 GB."""
    try:
        return environment.venv("azure", environment.PYTHON, [], "ansible", inner="ansible_collections/azure/azcollection/requirements.txt")
    except Failure as failure:
        raise Missing(f"azure.azcollection cannot be installed here: {failure}") from failure


def m365() -> Path:
    """CLI for Microsoft 365: its program."""
    return _installed(_M365, "cli-microsoft365-11") / "node_modules/.bin/m365"


def msal_node() -> Path:
    """Microsoft's sign-in library for Node.js: the folder in which scripts find it."""
    return _installed(_MSAL, "msal-node-3")


def _installed(package: str, name: str) -> Path:
    if not shutil.which("npm"):
        raise Missing(f"{package} needs npm, which is not installed")
    folder = CACHE / "node" / name
    with environment.made_once(folder, "node_modules") as needed:
        if needed:
            with step(f"npm install {package}"):
                try:
                    _npm(["install", "--no-fund", "--no-audit", "--ignore-scripts", "--prefix", str(folder), package])
                except Failure as failure:
                    raise Missing(f"{package} cannot be installed here: {failure}") from failure
    return folder


def _npm(words: Sequence[str]) -> None:
    environment.checked(["npm", *words], "npm")
