# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journal's lines tell without being decoded, which of 100,000 takes a second: its keys have an order and no spaces. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .kinds import OF_RUN_FOLDER
from .times import as_time

_OUTCOME, _AT = b'{"record":"outcome"', re.compile(rb'"at":"([^"]*)"')
_DONE, _OF_KIND = b'"status":"done"', re.compile(rb'"kind":"([^"]*)"')
#: What the journal has of a restart by the run itself; the machine comes first in the id of what lies on it.
_RESTART = b'"kind":"windows_restart"'
#: one that came back and is not healthy was restarted all the same
_WAS_RESTARTED = (b'"status":"done"', b'"restarted":true')
#: by the stage itself, or by the uninstaller of the agent
_UNREGISTERED = (b'"action":"unregister","status":"done"', b'"password_filters_gone":[')
_MACHINE = re.compile(rb'"id":"([^"/\\\\]+)')


_APP = (b'"kind":"application"', b'"kind":"service_principal"')
_BACK = (b'"action":"restore","status":"done"', b'"action":"enable","status":"done"')


def outcome_at(line: bytes) -> str:
    """When the outcome of that line was recorded (RFC 3339); empty for any other line."""
    return at[1].decode(errors="replace") if line.startswith(_OUTCOME) and (at := _AT.search(line)) else ""


def unregistered(line: bytes) -> bool:
    """Whether an outcome says that a password filter is no longer registered, whoever took it away. Windows keeps it until the restart."""
    # also where the uninstaller was seen to have worked only by a later run, which cannot know what it took away
    return any(mark in line for mark in _UNREGISTERED) or (b'"action":"uninstall","status":"done"' in line and b'"exit_code"' not in line)


def app_brought_back(line: bytes) -> bool:
    """Whether an outcome says that an app registration or its service principal came back, or was switched on: whoever signs in as it can work again."""
    return any(mark in line for mark in _APP) and any(mark in line for mark in _BACK)


def last_change(lines: Iterable[bytes]) -> str:
    """When the journal last recorded that something was changed (RFC 3339), other than in the run folder's own files; empty where nothing was."""
    found = ""
    for line in lines:
        if _DONE in line and (at := outcome_at(line)) and (kind := _OF_KIND.search(line)) and kind[1].decode(errors="replace") not in OF_RUN_FOLDER:
            found = max(found, at, key=as_time)
    return found


def restarts(lines: Iterable[bytes]) -> tuple[dict[str, str], dict[str, str]]:
    """Machines that still hold a password filter which was unregistered, and since when (RFC 3339); and the others, each with when it was restarted since.

    By a run: what a person has restarted stands in no journal.
    """
    waiting: dict[str, str] = {}
    gone: dict[str, str] = {}
    for line in lines:
        if not (at := outcome_at(line)) or not (machine := _MACHINE.search(line)):
            continue
        host = machine[1].decode(errors="replace")
        if unregistered(line):
            waiting[host] = max(waiting.get(host, ""), at, key=as_time)
        else:
            _note_restart(gone, host, at, line)
    over = {host: gone[host] for host, since in waiting.items() if host in gone and as_time(since) < as_time(gone[host])}
    return {host: since for host, since in waiting.items() if host not in over}, over


def restarted(lines: Iterable[bytes]) -> dict[str, str]:
    """The machines that a run has restarted, and when it last did (RFC 3339)."""
    gone: dict[str, str] = {}
    for line in lines:
        if (at := outcome_at(line)) and (machine := _MACHINE.search(line)):
            _note_restart(gone, machine[1].decode(errors="replace"), at, line)
    return gone


def _note_restart(gone: dict[str, str], host: str, when: str, line: bytes) -> None:
    if _RESTART not in line:
        return
    if any(mark in line for mark in _WAS_RESTARTED):
        gone[host] = max(gone.get(host, ""), when, key=as_time)
    else:
        gone.pop(host, None)
