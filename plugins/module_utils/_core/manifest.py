# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest says of saved files: what they hold, whose it is, and when it was so. In clear, without personal data. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .names import visible
from .times import moment

#: of the tenant's part of a snapshot
NAME = "manifest.json"
#: instead of a list of domains
ALL = "all"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"(?!\.\.?$)[^/\\\x00]+")


def parse(content: Any) -> dict[str, Any]:
    """The manifest of a tenant's snapshot. Raises ValueError, which quotes nothing, for what is not complete."""
    found = _checked(content)
    if not isinstance(found.get("tenant_id"), str) or not visible(found["tenant_id"]):
        raise ValueError("it does not say which tenant it was taken of")
    for name in ("domains", "federated", "apps", "app_objects"):
        _texts(found, name)
    if found.get("users") != ALL:
        _texts(found, "users")
    if not isinstance(found.get("organization", ""), str):
        raise ValueError("the organization's name is no text")
    counts = found.get("counts")
    if not isinstance(counts, Mapping) or not all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in counts.values()):
        raise ValueError("it does not count what it holds")
    return found


def parse_saved(content: Any) -> dict[str, Any]:
    """The manifest of one file beside it: `objects` (ids), and whose they are, `directory`, `machine`, `tenant_id`. Raises ValueError."""
    found = _checked(content)
    _texts(found, "objects")
    for name in ("directory", "machine", "tenant_id"):
        if not isinstance(found.get(name, ""), str):
            raise ValueError(f"{name} is no text")
    return found


def _checked(content: Any) -> dict[str, Any]:
    if not isinstance(content, Mapping) or content.get("format") != 1 or content["format"] is True:
        raise ValueError("it is no manifest of a snapshot")
    moment(content.get("taken"))
    files = content.get("files")
    if not isinstance(files, list) or not files or not all(map(_is_file, files)):
        raise ValueError("it does not list the files")
    return dict(content)


def _is_file(entry: Any) -> bool:
    return (
        isinstance(entry, Mapping)
        and isinstance(entry.get("name"), str)
        and _FILE.fullmatch(entry["name"]) is not None
        and isinstance(entry.get("sha256"), str)
        and _DIGEST.fullmatch(entry["sha256"]) is not None
    )


def _texts(found: Mapping[str, Any], name: str) -> None:
    if not isinstance(found.get(name), list) or not all(isinstance(item, str) for item in found[name]):
        raise ValueError(f"it does not say what {name} it holds")


def further(path: str) -> Iterator[str]:
    """A saved file, and those that were added later because it is never overwritten: directory.yml, directory-2.yml, …"""
    stem, dot, ending = path.rpartition(".")
    yield path
    number = 2
    while True:
        yield f"{stem}-{number}{dot}{ending}"
        number += 1
