# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to change in the registry settings of group policies. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...._core import phrases
from ...._core.browser_hosts import entries, is_broader, without
from ...._core.model import Change, Object, Skip
from ...._core.plan import Plan
from .. import changes, history, preferences, registry_pol
from ..changes import DIGEST, INI, VERSION
from . import items

KIND = "group_policy_registry"
POL, ITEMS = "registry.pol", r"preferences\registry\registry.xml"
_UNDO, _UNDO_RETURN = (phrases.english("undo_group_policy_registry", state=state) for state in ("present", "absent"))


def scope(relative: str) -> str | None:
    """`machine` or `user` for a file that is edited, None for any other."""
    side, _unused, rest = relative.casefold().partition("\\")
    return side if side in ("machine", "user") and rest in (POL, ITEMS) else None


def describe(guid: str, relative: str, name: str, version: int, in_ini: int, content: str) -> Object:
    """`content` is the digest of the file."""
    return Object(KIND, f"{guid}\\{relative}", name, {VERSION: version, INI: in_ini, DIGEST: content})


def file_of(identity: str) -> str:
    """The file in the id of an object or a change."""
    return identity[39:]


def _by_policy(current: Iterable[Object]) -> dict[str, list[Object]]:
    """The files by the GUIDs of their policies."""
    found: dict[str, list[Object]] = {}
    for item in current:
        found.setdefault(item.id[:38], []).append(item)
    return found


def plan(
    current: Iterable[Object], names: Sequence[str], old: Mapping[str, bytes], digest: Callable[[bytes], str], begun: Mapping[str, Change]
) -> tuple[Plan, dict[str, bytes]]:
    """One change for each file, and what it is to hold, by its id. `old`: what the files hold; `begun`: what stopped runs had begun.

    `mentioned` of its facts: whether any file has any of the names.
    """
    result = Plan()
    new: dict[str, bytes] = {}
    for guid, files in _by_policy(current).items():
        edits = []
        for item in files:
            with changes.named(item.name, guid, file_of(item.id)):
                before, after, new[item.id] = _edit(item, old[item.id], names, result.warnings)
            result.facts["mentioned"] = bool(before or result.warnings or result.facts.get("mentioned"))
            side = scope(file_of(item.id)) or "machine"
            edits.append(changes.FileEdit(item.id, side, before, after, item.state[DIGEST], digest(new[item.id])))
        work = changes.PolicyWork(KIND, guid, files[0].name, "remove", _UNDO, files[0].state[VERSION], files[0].state[INI])
        found, refusals = changes.of_policy(work, edits, begun)
        result.refusals += refusals
        result.unchanged += len(files) - len(found)
        for change in found:
            result.changes.append(change)
    return result, new


def plan_return(
    current: Iterable[Object], done: Sequence[Change], old: Mapping[str, bytes], saved: Callable[[str, str], bytes], begun: Mapping[str, Change]
) -> tuple[Plan, dict[str, bytes]]:
    """The way back: each file that runs with this journal have edited, as it was before the first of them. `saved`: the copy of a file, by id and digest.

    One that somebody else has edited since is skipped: their work would be lost with ours.
    """
    result = Plan()
    new: dict[str, bytes] = {}
    for guid, files in _by_policy(current).items():
        edits = []
        for item in files:
            now = item.state[DIGEST]
            before = history.original(done, item.id, now)
            if before == now and history.edited_since(done, item.id, now):
                result.skipped.append(_changed(item))
                continue
            new[item.id] = old[item.id] if before == now else saved(item.id, before)
            with changes.named(item.name, guid, file_of(item.id)):
                shown = _differing(item, old[item.id], new[item.id])
            edits.append(changes.FileEdit(item.id, scope(file_of(item.id)) or "machine", *shown, now, before))
        work = changes.PolicyWork(KIND, guid, files[0].name, "restore", _UNDO_RETURN, files[0].state[VERSION], files[0].state[INI])
        found, refusals = changes.of_policy(work, edits, begun)
        result.refusals += refusals
        result.unchanged += len(edits) - len(found)
        for change in found:
            result.changes.append(change)
    return result, new


def _changed(item: Object) -> Skip:
    return Skip(
        KIND,
        item.id,
        item.name,
        "setting_changed",
        f"{file_of(item.id)} of the policy {item.name} has been edited by somebody else since; what was taken out is in the copy of the policy in backup_dir, "
        "to be set by hand in the Group Policy Management Editor",
    )


def _differing(item: Object, old: bytes, new: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """What shows of the difference of two contents of a file."""
    before, after = (_shown_file(item, data) for data in (old, new))
    names = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {key: before.get(key) for key in names}, {key: after.get(key) for key in names}


def _shown_file(item: Object, data: bytes) -> dict[str, Any]:
    if file_of(item.id).casefold().endswith(ITEMS):
        return _by_name((_shown_item(one), one.action) for one in preferences.registry_items(preferences.elements(data)))
    return _shown(registry_pol.parse(data))


def _shown_item(one: preferences.Item) -> str:
    return f"{one.uid} {one.hive}\\{one.key}\\{one.name}"


def _edit(item: Object, data: bytes, names: Sequence[str], warnings: list[str]) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """What shows of the change, before and after, and the file with it."""
    if file_of(item.id).casefold().endswith(ITEMS):
        every = preferences.registry_items(preferences.elements(data))
        ours, by_hand = items.to_delete(every, names)
        wide = [(_shown_item(one), entry) for one in every for entry in items.entries(one) if is_broader(entry, names)]
        warnings += [phrases.english("entry_is_broader", name=item.name, place=place, entry=entry) for place, entry in wide]
        warnings += [phrases.english("item_once" if one.once else "item_is_mixed", name=item.name, item=one.uid) for one in by_hand]
        shown = _by_name((_shown_item(one), one.action) for one in ours)
        return shown, dict.fromkeys(shown, "D"), preferences.deleting(data, ours)
    listed = registry_pol.parse(data)
    broader = [(record, entry) for record in listed for entry in entries(record) if is_broader(entry, names)]
    warnings += [phrases.english("entry_is_broader", name=item.name, place=rf"{one.key}\{one.name}", entry=entry) for one, entry in broader]
    rest = registry_pol.pack(without(listed, names))
    return *_differing(item, data, rest), rest


def _shown(listed: Iterable[registry_pol.Record]) -> dict[str, Any]:
    """The records by their names, as people read them."""
    return _by_name((f"{record.key}\\{record.name}", record.text if record.text is not None else record.data.hex()) for record in listed)


def _by_name(named: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """What has a name, by it; one that stands there again has a number."""
    result: dict[str, Any] = {}
    for name, value in named:
        count = 1
        while (shown := name if count == 1 else f"{name} ({count})") in result:
            count += 1
        result[shown] = value
    return result
