# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarting one machine: what marks its start, asking for the restart, and being back."""

from __future__ import annotations

from .._core.errors import OffboardError
from . import registry

_WINDOWS = r"HKLM\SYSTEM\CurrentControlSet\Control\Windows"
_PRODUCT = r"HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions"
_WARNING_SECONDS = 5
#: winerror.h
_ACCESS_DENIED, _SHUTDOWN_IN_PROGRESS, _SHUTDOWN_IS_SCHEDULED, _PRIVILEGE_NOT_HELD = 5, 1115, 1190, 1314
#: after these the machine may have been asked or not
_MAY_BE_ASKED = ("connection_lost", "timeout")
#: of those shutdown.exe answers with, the ones after which the machine goes down all the same: somebody else has asked for it
UNDER_WAY = {_SHUTDOWN_IS_SCHEDULED: "scheduled", _SHUTDOWN_IN_PROGRESS: "in_progress"}


def boot_mark(machine: registry.RegistryConnection) -> str:
    """Changes with every clean restart, and not after a crash: when Windows last shut down. Empty before the first clean shutdown.

    A process id is no mark (that of lsass is often the same again), and what `systeminfo` prints depends on the language.
    Raises OffboardError `registry_unreadable`.
    """
    return registry.read(machine, _WINDOWS)[0].text("ShutdownTime")


def is_domain_controller(machine: registry.RegistryConnection) -> bool:
    """Whether Windows says that it is one (ProductType LanmanNT). Raises OffboardError `registry_unreadable`."""
    return (registry.read(machine, _PRODUCT)[0].text("ProductType") or "").casefold() == "lanmannt"


def ask(machine: registry.RegistryConnection, why: str) -> str:
    """Ask for a restart with a few seconds' warning: "" or, when it was under way already, the word of `UNDER_WAY`.

    Where the answer is lost, whether it was asked for is seen by the machine going down. Raises OffboardError `restart_refused`.
    """
    arguments = ("/r", "/t", str(_WARNING_SECONDS), "/d", "p:4:1", "/c", why)
    try:
        code = machine.run("shutdown.exe", *arguments).exit_code
    except OffboardError as exc:
        if exc.code not in _MAY_BE_ASKED:
            raise
        return ""
    if code == 0 or code in UNDER_WAY:
        return UNDER_WAY.get(code, "")
    right = "; the account lacks the right to shut the machine down (from a remote system)" if code in (_ACCESS_DENIED, _PRIVILEGE_NOT_HELD) else ""
    raise OffboardError(f"{machine.host}: Windows refused the restart (exit code {code}){right}", code="restart_refused")
