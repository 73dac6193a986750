# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab and the tests take over from whoever starts them: nothing that changes how a program behaves.

Tickets, proxies, languages, settings of Ansible, of Azure's libraries and of LDAP clients, the home folder and the umask are the user's own.
Only what is downloaded goes the user's way: see `download`. Nothing but Python's standard library here: `./dev` begins with it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from . import paths

_THEIRS = re.compile(
    r"(?i)(ANSIBLE|ARM|AZURE|IDENTITY|IMDS|LC|MOLECULE|MSI|XDG)_.*|(KRB5|LDAP).*|LANG(UAGE)?|.*_PROXY|NETRC|SSLKEYLOGFILE"
    r"|PYTHON(DONTWRITEBYTECODE|INSPECT|IOENCODING|OPTIMIZE|STARTUP|UTF8|WARNINGS)"
)
#: where a variable of the user's waits for a download
_KEPT = "OFFBOARD_DOWNLOAD_"
UMASK = 0o022


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program of the lab or of the tests. Cleaning twice changes nothing."""
    home = paths.CACHE / "home"
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in environment.items() if name.startswith("OFFBOARD_") or not _THEIRS.fullmatch(name)}
    theirs = {name: value for name, value in environment.items() if name not in kept}
    if _KEPT + "HOME" not in kept:  # else what is here now is ours already
        theirs["HOME"] = environment.get("HOME") or str(Path.home())
        kept |= {_KEPT + name: value for name, value in theirs.items()}
    git = Path(kept[_KEPT + "HOME"], ".gitconfig")  # it may say that the checkout, which belongs to another account, can be trusted
    return {
        **kept,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        # of its own for each process: else /tmp/krb5cc_UID is read, and smbclient takes that ticket instead of the lab's password
        "KRB5CCNAME": "MEMORY:offboard",
        "OFFBOARD_CACHE": str(paths.CACHE),
        "OFFBOARD_LAB": str(paths.STATE),
        **({"GIT_CONFIG_GLOBAL": str(git)} if "GIT_CONFIG_GLOBAL" not in kept and git.exists() else {}),
    }


def download(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program that fetches something: with the user's proxies and home folder, where package managers have their settings."""
    theirs = {name.removeprefix(_KEPT): value for name, value in environment.items() if name.startswith(_KEPT)}
    return {name: value for name, value in environment.items() if not name.startswith(_KEPT)} | theirs


def home() -> Path:
    """The user's own home folder."""
    return Path(os.environ.get(_KEPT + "HOME") or Path.home())


def apply() -> None:
    """Clean the environment of this process, and its umask."""
    cleaned = clean(os.environ)
    os.environ.clear()
    os.environ.update(cleaned)
    os.umask(UMASK)
