# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines of iij_id_browser_machines, of which there may be thousands: what was read of each kind, and of which nothing was. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._core import codes
from ..._core.heads import some
from ..._core.text import Text
from .. import phrases
from ..finding import Finding

if TYPE_CHECKING:
    from .judged import Confirmed, Facts

#: machines, users and entries that a finding names; the others are counted
NAMED = 10

Clients = Mapping[str, Mapping[str, Any] | None]  # pylint: disable=unsupported-binary-operation


def of(machines: Clients, kind: str) -> dict[str, Mapping[str, Any]]:
    """What was read of one kind, by machine; those that were not read are left out."""
    return {name: machine[kind] for name, machine in machines.items() if machine and not machine.get("error") and machine.get(kind)}


def not_read(machines: Clients, *, final: bool) -> Iterator[Finding]:
    """The machines of which nothing is known, by the reason. An error with an empty code is one of the run itself, not of a machine that is switched off."""
    unread: dict[tuple[Text, bool], list[str]] = {}
    for name, machine in machines.items():
        if machine is None or machine.get("error"):
            msg = str((machine or {}).get("error") or phrases.english("not_looked_at"))
            code = str((machine or {}).get("code") or "")
            # by the code, since each machine's own message names the machine
            key = (codes.meaning(code) or phrases.by_code(code, msg), (machine or {}).get("code") == "")
            unread.setdefault(key, []).append(name)
    for (meaning, of_the_run), which in unread.items():
        why = Text(meaning.en.rstrip("."), meaning.ja.rstrip("。"))
        yield Finding(
            "blocker" if final or of_the_run else "warning",
            "client_not_readable",
            Text(
                f"{len(which)} of {len(machines)} machines of iij_id_browser_machines could not be looked at ({why.en}): {some(which)}. What IIJ ID left on "
                "them is not known. Run the stage clients again when they are on, or take them out of the group and see to them with the steps "
                "spnego_settings_removed and device_certificates_deleted.",
                f"iij_id_browser_machines の{len(machines)}台中{len(which)}台を確認できませんでした（{why.ja}）: {some(which)}。IIJ IDの設定が"
                "残っているかどうかは不明です。"
                "電源が入っているときに段階 clients を再実行するか、グループから外して"
                "手順 spnego_settings_removed と device_certificates_deleted で対応してください。",
            ),
            tuple(which[:NAMED]),
        )


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """The machines themselves. What is on them, browsers.py and certificates.py judge."""
    yield from not_read(facts.clients or {}, final=final)
