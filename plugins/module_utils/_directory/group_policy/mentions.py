# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a file of a group policy mentions hosts or accounts. Pure."""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core.browser_hosts import Record, entries, is_broader, is_within, mentioned, zone_host
from ..._core.errors import OffboardError
from . import gpt_tmpl, preferences, registry_pol
from .accounts import Account, meant
from .registry import items

#: ASCII in UTF-16, of one byte order or the other
_WIDE = re.compile(rb"(?:[ -~]\0){4,}|(?:\0[ -~]){4,}")


@dataclass
class FileMentions:
    """What one file holds: `mentions` for the answer, the members of each right, and whether a password is in it."""

    mentions: list[Mapping[str, Any]] = field(default_factory=list)
    rights: Mapping[str, Sequence[str]] = field(default_factory=dict)
    has_password: bool = False


def _text(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    # host names and SIDs are ASCII in every other encoding; programs, and some editors, write UTF-16 without the mark
    return b"\n".join([data, *(found[0].replace(b"\0", b"") for found in _WIDE.finditer(data))]).decode("latin-1")


def _hits(text: str, names: Sequence[str], accounts: Sequence[Account]) -> list[str]:
    return [*mentioned(text, names), *(one.sid for one in accounts if _names_sid(text, one.sid))]


def _names_sid(text: str, sid: str) -> bool:
    """Whether a text has the SID, and not a longer one that begins with it."""
    return re.search(rf"{re.escape(sid)}(?![\d-])", text, re.IGNORECASE) is not None


def in_file(relative: str, data: bytes, names: Sequence[str], accounts: Sequence[Account]) -> FileMentions:
    r"""What the file `relative` (such as `Machine\Registry.pol`) mentions. Raises OffboardError `policy_unreadable`.

    A mention has `kind` (right, registry, preference, script or other), `file`, `where`, `value`, `found` and `changed_by`, the module that takes it out (empty
    where a person has to). A right's `value` is the entry, and `broader` stands where an entry of a known list means more than the hosts. Nobody's file is
    quoted beyond that, and nothing of one with a password.
    """
    parts = relative.casefold().split("\\")
    name = parts[-1]
    if name == "gpttmpl.inf":
        return _rights(relative, data, names, accounts)
    if name == "registry.pol":
        return FileMentions(list(_records(relative, data, names, accounts)))
    if "preferences" in parts and name.endswith(".xml"):
        return _preferences(relative, data, names, accounts)
    return FileMentions(in_text("script" if "scripts" in parts else "other", relative, data, names, accounts))


def in_text(kind: str, relative: str, data: bytes, names: Sequence[str], accounts: Sequence[Account]) -> list[Mapping[str, Any]]:
    """The mention, if it is one, of a file that is a text whatever its name. No module changes it."""
    hits = _hits(_text(data), names, accounts)
    return [_mention(kind, relative, "", "", hits)] if hits else []


def _mention(kind: str, file: str, where: str, value: str, found: list[str], changed_by: str = "", **more: Any) -> Mapping[str, Any]:
    return {"kind": kind, "file": file, "where": where, "value": value, "found": found, "changed_by": changed_by, **more}


def _rights(relative: str, data: bytes, names: Sequence[str], accounts: Sequence[Account]) -> FileMentions:
    rights = gpt_tmpl.rights(data)
    found = FileMentions(rights=rights)
    for right, members in rights.items():
        for member in members:
            if one := meant(member, accounts):
                found.mentions.append(_mention("right", relative, right, member, [one.sid], "group_policy_right"))
    found.mentions += _elsewhere(relative, data, names, accounts)
    return found


def _elsewhere(relative: str, data: bytes, names: Sequence[str], accounts: Sequence[Account]) -> Iterator[Mapping[str, Any]]:
    """What a template mentions beside its rights: registry values, restricted groups, permissions; and in a line of a right what is no plain member."""
    for where, pieces, is_right in gpt_tmpl.others(data):
        known = [one.sid for piece in pieces if (one := meant(piece, accounts))]
        hits = [] if is_right and known else [*known, *_hits(f"{where}={','.join(pieces)}", names, accounts)]
        if hits:
            yield _mention("other", relative, where, "", list(dict.fromkeys(hits)))


def _records(relative: str, data: bytes, names: Sequence[str], accounts: Sequence[Account]) -> Iterator[Mapping[str, Any]]:
    for record in registry_pol.parse(data):
        if record.name.casefold().startswith("**del"):  # sets nothing
            continue
        text = _read(record)
        hits = _hits(f"{record.key} {zone_host(record.key)} {record.name} {text or _text(record.data)}", names, accounts)
        listed = entries(record)
        broader = [entry for entry in listed if is_broader(entry, names)]
        if hits or broader:
            by = "group_policy_registry" if any(is_within(entry, names) for entry in listed) else ""
            yield _mention("registry", relative, f"{record.key}\\{record.name}", text, hits, by, **({"broader": broader} if broader else {}))


def _read(record: Record) -> str:
    """What a value of a text type says, also one that has a byte too many."""
    if record.type in (registry_pol.SZ, registry_pol.EXPAND_SZ, registry_pol.MULTI_SZ):
        return record.data[: len(record.data) // 2 * 2].decode("utf-16-le", "replace").rstrip("\0")
    return ""


def _said(item: preferences.Item) -> str:
    """What the value of an item says, whatever its type."""
    with contextlib.suppress(ValueError):
        if item.type == "REG_BINARY":
            return _text(bytes.fromhex(item.value))
    return " ".join([item.value, *item.strings])


def _preferences(relative: str, data: bytes, names: Sequence[str], accounts: Sequence[Account]) -> FileMentions:
    elements = preferences.elements(data)
    found = FileMentions(has_password=preferences.has_password(elements))
    listed = preferences.registry_items(elements)
    ours = {id(item) for item in items.to_delete(listed, names)[0]}
    for item in listed:
        # a zone has its host from right to left: ZoneMap\Domains\iij.jp\www1.auth
        turned = ".".join(part for part in reversed(item.key.split("\\")[-2:]))
        hits = _hits(f"{item.key} {turned} {item.name} {_said(item)}", names, accounts)
        broader = [entry for entry in items.entries(item) if is_broader(entry, names)]
        if hits or broader:
            told = {"uid": item.uid, "action": item.action, "disabled": item.disabled, "remove_policy": item.remove_policy}
            where = f"{item.hive}\\{item.key}\\{item.name}"
            by = "group_policy_registry" if id(item) in ours else ""
            found.mentions.append(_mention("preference", relative, where, item.value, hits, by, **told, **({"broader": broader} if broader else {})))
    values = [value for element in elements if "Registry" not in element.path for value in element.attributes.values()]
    values += ["".join(element.texts) for element in elements if not preferences.is_string(element)]
    hits = [hit for value in values for hit in _hits(value, names, accounts)]
    if hits:
        found.mentions.append(_mention("other", relative, "", "", list(dict.fromkeys(hits))))
    return found


def link(relative: str) -> dict[str, str]:
    """For a link, which is not followed: see `unreadable`."""
    return unreadable(relative, OffboardError(f"{relative} is a link, which is not followed", code="reparse_point"))


def unreadable(relative: str, error: OffboardError) -> dict[str, str]:
    """For a file that cannot be looked into: nothing was found there only because nobody could look."""
    return {"file": relative, "code": error.code, "msg": error.msg}
