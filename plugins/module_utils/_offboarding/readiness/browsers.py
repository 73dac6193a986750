# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what win_browser_sign_in_info has found on the machines of iij_id_browser_machines. Pure.

There may be thousands of machines: a finding counts them, and names a few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._core.heads import some
from ..._core.policy_values import Value, named, written
from ..._core.text import Text, counted
from ..finding import Finding
from ..going_back import Way
from . import clients, group_policies
from .candidate import Candidate
from .clients import NAMED

if TYPE_CHECKING:
    from .judged import Confirmed, Facts

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


def from_policies(machines: Machines, found: Mapping[str, Any], decided: group_policies.PolicyDecisions) -> Iterator[Finding]:
    """What taking a value off a machine alone does not end: which policy sets it (`found`: what group_policy_info returned), and what none of them explains."""
    setting: dict[str, tuple[Value, dict[str, None], list[str]]] = {}
    unexplained: dict[str, list[str]] = {}
    wanted = list(written(found.get("policies") or ()))
    for name, machine in machines.items():
        for one in machine.get("settings") or ():
            values = [value for value in wanted if value.is_set_at(one["path"])]
            for value in values:
                _value, where, which = setting.setdefault(value.policy["guid"], (value, {}, []))
                where[value.where] = None
                which.append(name)
            if one["entries"] and one.get("policy") and not values:
                unexplained.setdefault(one["path"], []).append(name)
    for value, where, which in setting.values():
        yield _brought_back(value.policy, list(where), list(dict.fromkeys(which)), decided)
    if unexplained:
        yield _unexplained(unexplained)


def policies_of(machines: Machines, found: Mapping[str, Any]) -> list[str]:
    """The policies, by name and GUID, that set something of what the machines have."""
    paths = {one["path"] for machine in machines.values() for one in machine.get("settings") or ()}
    return list(dict.fromkeys(named(value.policy) for value in written(found.get("policies") or ()) if any(value.is_set_at(path) for path in paths)))


def _brought_back(policy: Mapping[str, Any], where: list[str], which: list[str], decided: group_policies.PolicyDecisions) -> Finding:
    """One policy, and the machines on which it was seen at work."""
    confirmed = any(one.module == "group_policy_registry" and decided.is_confirmed(one, policy["guid"]) for one in group_policies.EDITS)
    edited = confirmed and not decided.is_kept(policy["guid"])
    out = (
        Text("The stage clients edits it first", "段階 clients が先に編集します")
        if edited
        else Text("As long as it does, nothing that is taken out on the machines stays out", "この設定がある限り、マシンで取り除いても元に戻ります")
    )
    number, places = len(which), some(where)
    return Finding(
        "info" if edited else "warning",
        "browser_settings_of_policy",
        Text(
            f"The group policy {named(policy)} sets {places}, and brings it back at each refresh on {number} "
            f"machine{'' if number == 1 else 's'}: {some(which)}. {out.en}.",
            f"グループポリシー {named(policy)} が {places} を設定しており、更新のたびに{number}台で元に戻します: {some(which)}。{out.ja}。",
        ),
        (policy["guid"], policy["name"], *which[:NAMED]),
    )


def _unexplained(values: Mapping[str, list[str]]) -> Finding:
    shown = some(f"{path} ({some(which)})" for path, which in values.items())
    return Finding(
        "warning",
        "browser_settings_of_no_policy",
        Text(
            f"Values of policies on machines that no group policy of the domain (that could be read) sets: {shown}. They are a local policy's (gpedit.msc), "
            "Intune's or another management's, which bring them back; or of a policy that has been edited, and the machine has not refreshed since.",
            f"ポリシーの値のうち、ドメインのグループポリシー（読み取れたもの）にないものがあります: {shown}。ローカルポリシー（gpedit.msc）や"
            "Intuneなどの管理ツールの設定であれば元に戻ります。編集済みのポリシーがまだ更新されていないマシンの可能性もあります。",
        ),
        tuple(list(values)[:NAMED]),
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
                f"Nothing is known of the browser settings of {counted(number, 'user who is', 'users who are')} not signed in on their machines: "
                f"{shown}. Run the stage clients again when they are, or let a preference item of a group policy delete their values.",
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


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """Settings on machines, and the policies that bring them back."""
    if facts.clients is None:
        return
    found = clients.of(facts.clients, "browsers")
    yield from findings(found, confirmed.browser_settings, final=final)
    if confirmed.browser_settings != "keep" and facts.group_policies and not facts.group_policies.get("failure"):
        yield from from_policies(found, facts.group_policies, group_policies.decided(confirmed))


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """What becomes of settings that are there."""
    found = clients.of(facts.clients or {}, "browsers")
    machines = with_settings(found)
    if machines and not confirmed.browser_settings:
        policies = ", ".join(policies_of(found, facts.group_policies or {}))
        told = Text(
            f"{counted(len(machines), 'machine has', 'machines have')} some." + (f" Group policies bring them back: {policies}." if policies else ""),
            f"{len(machines)}台にあります。" + (f"グループポリシーが元に戻します: {policies}。" if policies else ""),
        )
        yield Candidate(VARIABLE, "absent", told)


#: What the exit does to it: kind and action of the changes, by the stage.
WORK = {"clients": (("windows_browser_sign_in", "remove"),)}
#: How what the exit does to it is undone, for the manual.
WAYS = (
    Way(
        Text("hosts taken out of a machine's browsers and zones", "マシンのブラウザーとゾーンからのホストの削除"),
        Text(
            "`restore` with `policies`, or `win_browser_sign_in` with `state: present` and the same `backup_dir`",
            "`restore` の `policies`、または同じ `backup_dir` で `win_browser_sign_in` の `state: present`",
        ),
        Text(
            "a setting that somebody has changed since, or of a user who is not signed in, stays",
            "その後に変更された設定と、サインインしていない利用者の設定には触れません",
        ),
    ),
)
