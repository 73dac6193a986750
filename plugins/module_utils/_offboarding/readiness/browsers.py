# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what win_browser_sign_in_info has found on the machines of iij_id_browser_machines. Pure.

There may be thousands of machines: a finding counts them, and names a few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._core.text import Text
from ..finding import Finding
from .clients import NAMED, some

VARIABLE = "integrated_windows_authentication_browser_settings"

Machines = Mapping[str, Mapping[str, Any]]


def with_settings(machines: Machines) -> dict[str, list[str]]:
    """The machines that have entries of nothing but the hosts, and where."""
    found = {name: [one["path"] for one in machine.get("settings") or () if one["entries"]] for name, machine in machines.items()}
    return {name: paths for name, paths in found.items() if paths}


def findings(machines: Machines, decided: str, *, final: bool) -> Iterator[Finding]:
    """`machines`: what was read of each. `decided`: absent, keep, or empty where nobody has decided."""
    found = with_settings(machines)
    if found and decided != "keep":
        yield _settings(found, decided, final)
    yield from _not_signed_in(machines)
    yield from _broader(machines)


def _settings(found: Mapping[str, list[str]], decided: str, final: bool) -> Finding:
    example = next(iter(found.values()))[0]
    number = len(found)
    if not decided:
        out = Text(
            f"Set {VARIABLE}: absent, so that the stage clients takes them out, or keep",
            f"段階 clients で取り除く場合は {VARIABLE}: absent、残す場合は keep を設定してください",
        )
    elif final:
        out = Text("Run the stage clients again", "段階 clients を再実行してください")
    else:
        out = Text("The stage clients takes them out", "段階 clients で取り除きます")
    return Finding(
        "blocker" if final or not decided else "info",
        "browser_settings_left" if final else "browser_settings_found",
        Text(
            f"Browsers of {number} machine{'' if number == 1 else 's'} sign in to IIJ ID by themselves: {some(found)} (such as {example}). {out.en}.",
            f"{number}台のマシンのブラウザーに、IIJ IDへ自動サインインする設定があります: {some(found)}（例: {example}）。{out.ja}。",
        ),
        tuple(list(found)[:NAMED]),
    )


def _not_signed_in(machines: Machines) -> Iterator[Finding]:
    away = {name: [one["name"] or one["sid"] for one in machine.get("users_not_signed_in") or ()] for name, machine in machines.items()}
    away = {name: who for name, who in away.items() if who}
    if away:
        number = sum(map(len, away.values()))
        shown = some(f"{who} ({name})" for name, people in away.items() for who in people)
        yield Finding(
            "warning",
            "browser_users_not_seen",
            Text(
                f"Nothing is known of the browser settings of {number} users who are not signed in on their machines: {shown}. Run the stage clients again "
                "when they are, or let a preference item of a group policy delete their values.",
                f"サインインしていない利用者{number}人のブラウザー設定は確認できません: {shown}。サインイン中に段階 clients を再実行するか、"
                "グループポリシーの基本設定で値を削除してください。",
            ),
            tuple(list(away)[:NAMED]),
        )


def _broader(machines: Machines) -> Iterator[Finding]:
    wide: dict[str, list[str]] = {}
    for name, machine in machines.items():
        for one in machine.get("settings") or ():
            for entry in one["broader"]:
                wide.setdefault(f"{entry} ({one['path']})", []).append(name)
        for zone in machine.get("automatic_logon") or ():
            wide.setdefault(f"1A00=0 ({zone['path']})", []).append(name)
    if wide:
        shown = some(f"{what}: {some(which)}" for what, which in wide.items())
        yield Finding(
            "warning",
            "browser_entries_broader",
            Text(
                f"Entries that mean IIJ ID and others, and zones with automatic logon, stay, since only a person can decide about them: {shown}.",
                f"IIJ ID以外も含む設定や、自動ログオンのゾーンは変更しません。人が判断してください: {shown}。",
            ),
            tuple(list(wide)[:NAMED]),
        )
