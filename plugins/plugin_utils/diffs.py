# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences as `--diff` shows them: ansible-core writes mappings with every letter outside ASCII as an escape, and a certificate in full."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.offboard.iij_id.plugins.module_utils._core import plain
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError

#: the beginning of a DER sequence of 256 bytes or more, in base64, which may stand in lines
_CERTIFICATE = re.compile(r"\s*MII[A-Za-z0-9+/=\s]{200,}")


def for_people(diff: Any) -> Any:
    """A module's `diff` with its mappings as text; what has another form stays as it is."""
    return [_entry(item) for item in diff] if isinstance(diff, list) else _entry(diff)


def _entry(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return item
    return {name: _text(value) if name in ("before", "after") and isinstance(value, Mapping) else value for name, value in item.items()}


def _text(value: Mapping[str, Any]) -> str:
    return plain.to_json(_certificates(value), indent=4, sort_keys=True) + "\n" if value else ""


def _certificates(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _certificates(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_certificates(part) for part in value]
    return _certificate(value) if isinstance(value, str) and _CERTIFICATE.fullmatch(value) else value


def _certificate(text: str) -> str:
    from ansible_collections.offboard.iij_id.plugins.module_utils._federation import certificates  # only where there is one

    try:
        found = certificates.from_base64(text)
    except OffboardError:
        return text
    return f"{found.sha1.upper()}, until {found.not_after}"
