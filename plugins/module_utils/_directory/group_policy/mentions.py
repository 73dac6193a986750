# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a file of a group policy mentions hosts or accounts. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core.browser_hosts import entries
from ..._core.errors import OffboardError
from . import gpt_tmpl, hosts, preferences, registry_pol
from .accounts import Account, meant


@dataclass
class Found:
    """What one file holds: `mentions` for the answer, the members of each right, and whether a password is in it."""

    mentions: list[Mapping[str, Any]] = field(default_factory=list)
    rights: Mapping[str, Sequence[str]] = field(default_factory=dict)
    has_password: bool = False


def _text(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    return data.decode("latin-1")  # host names and SIDs are ASCII in every other encoding


def _hits(text: str, names: Sequence[str], accounts: Sequence[Account]) -> list[str]:
    folded = text.upper()
    return [*hosts.mentioned(text, names), *(one.sid for one in accounts if one.sid.upper() in folded)]


def in_file(relative: str, data: bytes, names: Sequence[str], accounts: Sequence[Account]) -> Found:
    r"""What the file `relative` (such as `Machine\Registry.pol`) mentions. Raises OffboardError `policy_unreadable`.

    A mention has `kind` (right, registry, preference, script or other), `file`, `where`, `value` and `found`; a right's `value` is the entry, and
    `broader` stands where an entry of a known list means more than the hosts. Nobody's file is quoted beyond that, and nothing of one with a password.
    """
    parts = relative.casefold().split("\\")
    name = parts[-1]
    if name == "gpttmpl.inf":
        return _rights(relative, data, names, accounts)
    if name == "registry.pol":
        return Found(list(_records(relative, data, names, accounts)))
    if "preferences" in parts and name.endswith(".xml"):
        return _preferences(relative, data, names, accounts)
    hits = _hits(_text(data), names, accounts)
    kind = "script" if "scripts" in parts else "other"
    return Found([{"kind": kind, "file": relative, "where": "", "value": "", "found": hits}] if hits else [])


def _rights(relative: str, data: bytes, names: Sequence[str], accounts: Sequence[Account]) -> Found:
    rights = gpt_tmpl.rights(data)
    found = Found(rights=rights)
    for right, members in rights.items():
        for member in members:
            if one := meant(member, accounts):
                found.mentions.append({"kind": "right", "file": relative, "where": right, "value": member, "found": [one.sid]})
    if hits := hosts.mentioned(_text(data), names):  # a registry value of the security settings
        found.mentions.append({"kind": "other", "file": relative, "where": "", "value": "", "found": hits})
    return found


def _records(relative: str, data: bytes, names: Sequence[str], accounts: Sequence[Account]) -> Iterator[Mapping[str, Any]]:
    for record in registry_pol.parse(data):
        text = record.text or ""
        hits = _hits(f"{record.key} {record.name} {text}", names, accounts)
        broader = [entry for entry in entries(record) if hosts.is_broader(entry, names)]
        if hits or broader:
            more = {"broader": broader} if broader else {}
            yield {"kind": "registry", "file": relative, "where": f"{record.key}\\{record.name}", "value": text, "found": hits, **more}


def _preferences(relative: str, data: bytes, names: Sequence[str], accounts: Sequence[Account]) -> Found:
    elements = preferences.elements(data)
    found = Found(has_password=preferences.has_password(elements))
    for item in preferences.registry_items(elements):
        # a zone has its host from right to left: ZoneMap\Domains\iij.jp\www1.auth
        turned = ".".join(part for part in reversed(item.key.split("\\")[-2:]))
        if hits := _hits(f"{item.key} {turned} {item.name} {item.value}", names, accounts):
            told = {"uid": item.uid, "action": item.action, "disabled": item.disabled, "remove_policy": item.remove_policy}
            where = f"{item.hive}\\{item.key}\\{item.name}"
            found.mentions.append({"kind": "preference", "file": relative, "where": where, "value": item.value, "found": hits, **told})
    others = [element for element in elements if "Registry" not in element.path]
    hits = [hit for element in others for value in element.attributes.values() for hit in _hits(value, names, accounts)]
    if hits:
        found.mentions.append({"kind": "other", "file": relative, "where": "", "value": "", "found": list(dict.fromkeys(hits))})
    return found


def unreadable(relative: str, error: OffboardError) -> dict[str, str]:
    """For a file that cannot be looked into: nothing was found there only because nobody could look."""
    return {"file": relative, "code": error.code, "msg": error.msg}
