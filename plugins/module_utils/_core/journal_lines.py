# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journal's lines tell without being decoded, which of 100,000 takes a second: its keys have an order and no spaces. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from . import journal
from .kinds import OF_RUN_FOLDER, OF_TENANT
from .times import NEVER, as_time

_OUTCOME, _AT, _BEGUN_AT = b'{"record":"outcome"', re.compile(rb'"at":"([^"]*)"'), re.compile(rb'"begun_at":"([^"]*)"')
_DONE, _OF_KIND = b'"status":"done"', re.compile(rb'"kind":"([^"]*)"')
_OF_OBJECT = re.compile(rb'"kind":"([^"]*)","id":"((?:[^"\\]|\\.)*)"')
_NOBODY_KNOWS = tuple(b'"code":"%s"' % code.encode() for code in sorted(journal.NOBODY_KNOWS))
#: What the journal has of a restart by the run itself; the machine comes first in the id of what lies on it.
_RESTART = b'"kind":"windows_restart"'
#: one that came back and is not healthy was restarted all the same
_WAS_RESTARTED = (b'"status":"done"', b'"restarted":true')
#: by the stage itself, or by the uninstaller of the agent
_UNREGISTERED = (b'"action":"unregister","status":"done"', b'"password_filters_gone":[')
_MACHINE = re.compile(rb'"id":"([^"/\\\\]+)')
_APP, _BACK = (b'"kind":"application"', b'"kind":"service_principal"'), (b'"action":"restore"', b'"action":"enable"')
_TENANT = re.compile(rb'^\{"record":"(?:intent|outcome)",[^{}]*?"kind":"(?:%s)"' % "|".join(sorted(OF_TENANT)).encode())


def is_of_tenant(line: bytes) -> bool:
    """Whether it is of something that lies in a tenant."""
    return _TENANT.match(line) is not None


def recorded_at(line: bytes) -> str:
    """When that line was recorded (RFC 3339); empty where it does not say."""
    return at[1].decode(errors="replace") if (at := _AT.search(line)) else ""


def begun_at(line: bytes) -> str:
    """The same, but of what a stopped run has done, and only a later one has seen, when it was begun."""
    return at[1].decode(errors="replace") if (at := _BEGUN_AT.search(line)) else recorded_at(line)


def outcome_at(line: bytes) -> str:
    """When the outcome of that line was recorded (RFC 3339); empty for any other line."""
    return recorded_at(line) if line.startswith(_OUTCOME) else ""


def recent(lines: Iterable[bytes], since: str) -> Iterator[bytes]:
    """Without those that were recorded before that time (RFC 3339), as far as one look at their bytes tells; all where it is none."""
    start = _second(since)
    return (line for line in lines if not _is_before(line, start))


def recent_of(lines: Iterable[bytes], since: Mapping[str, str], behind: Mapping[str, int] | None = None) -> Iterator[bytes]:
    """`recent`, of objects of those kinds alone, each with its time; and the lines that do not say of what kind they are.

    behind: of kinds whose time is that of a line, its number: what comes behind it was recorded later, whatever a clock that was wrong then or is now says.
    """
    starts = {kind.encode(): _second(at) for kind, at in since.items()}
    places = {kind.encode(): number for kind, number in (behind or {}).items()}
    for number, line in enumerate(lines):
        kind = _OF_KIND.search(line)
        if kind is None:
            yield line
        elif (place := places.get(kind[1])) is not None:
            if number > place:
                yield line
        elif (start := starts.get(kind[1])) is not None and not _is_before(line, start):
            yield line


def _second(since: str) -> bytes:
    moment = as_time(since)
    return moment.isoformat(timespec="seconds")[:19].encode() if moment != NEVER else b""


def _is_before(line: bytes, start: bytes) -> bool:
    at = line.find(b'"at":"')
    return at >= 0 and line[at + 25 : at + 27] == b'Z"' and line[at + 6 : at + 25] < start


def may_have_been(ended: bytes) -> bool:
    """Whether a change may have been carried out, of whose intent this is the outcome, empty where a kill left it without one, and no record says so."""
    return not ended or any(code in ended for code in _NOBODY_KNOWS)


def _did_something(ended: bytes) -> bool:
    """Whether something was changed, or may have been, by its outcome."""
    return _DONE in ended or b'"steps_done":["' in ended or may_have_been(ended)


def unregistered(line: bytes) -> bool:
    """Whether an outcome says that a password filter is no longer registered, whoever took it away. Windows keeps it until the restart."""
    # also where the uninstaller was seen to have worked only by a later run, which cannot know what it took away
    return any(mark in line for mark in _UNREGISTERED) or (b'"action":"uninstall","status":"done"' in line and b'"exit_code"' not in line)


def brings_app_back(line: bytes) -> bool:
    """Whether it is of an app registration or its service principal that comes back, or is switched on: whoever signs in as it can work again."""
    return any(mark in line for mark in _APP) and any(mark in line for mark in _BACK)


def app_brought_back(line: bytes) -> bool:
    """Whether an outcome says so."""
    return _DONE in line and brings_app_back(line)


def last_change(lines: Iterable[bytes], since: str) -> str:
    """When the journal last recorded that something was changed, or may have been (RFC 3339), other than in the run folder's own files; empty where nothing
    was since that time."""
    found = ""
    for intent, ended in journal.paired(recent(lines, since)):
        line = ended or intent
        if _did_something(ended) and (kind := _OF_KIND.search(line)) and kind[1].decode(errors="replace") not in OF_RUN_FOLDER:
            found = max(found, recorded_at(line), key=as_time)
    return found


def changed_since_saved(lines: Iterable[bytes], is_saved: Callable[[bytes], bool], is_held: Callable[[str, str], bool]) -> tuple[str, str]:
    """When the journal has something saved in the run folder, and when the last change behind it, done or perhaps done, of what that holds (RFC 3339); empty
    for none.

    is_saved: whether the line of an outcome that was done is of that file or folder; is_held: whether a kind and an id are of what it holds.
    """
    taken, changed = "", ""
    for intent, ended in journal.paired(lines):
        line = ended or intent
        if not (found := _OF_OBJECT.search(line)):
            continue
        if _DONE in ended and is_saved(ended):
            taken, changed = recorded_at(line), ""
        elif taken and is_held(found[1].decode(errors="replace"), found[2].decode(errors="replace")) and _did_something(ended):
            changed = recorded_at(line)
    return taken, changed


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
            gone.pop(host, None)  # a restart that stands before it was none since, whatever a clock says that was wrong
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
