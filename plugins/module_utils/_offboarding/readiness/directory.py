# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts in Active Directory that were made for IIJ ID. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..._core import dn
from ..._core.heads import some
from ..._core.text import Text
from .. import phrases
from ..finding import Finding
from ..going_back import Way
from . import group_policies
from .candidate import Candidate

if TYPE_CHECKING:
    from .judged import Confirmed, Facts


def not_given(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    if facts.directory_objects is not None:
        return
    if confirmed.accounts:
        accounts = tuple(confirmed.accounts)
        yield Finding(
            "blocker",
            "directory_not_given",
            Text(
                f"{some(accounts, 3)} shall be disabled or removed, but offboard_directory_host names no domain controller, so nobody can see or "
                "change them. "
                "Set it, or take them out of directory_sync_accounts and integrated_windows_authentication_accounts.",
                f"{some(accounts, 3)} を無効化または削除する指定ですが、offboard_directory_host にドメインコントローラーがないため、確認も変更もできません。"
                "offboard_directory_host を設定するか、directory_sync_accounts と integrated_windows_authentication_accounts から外してください。",
            ),
            accounts,
        )
    elif facts.needs_directory:
        options = tuple(facts.needs_directory)
        yield Finding(
            "warning",
            "directory_not_given",
            Text(
                f"{some(options)} made accounts in Active Directory, but offboard_directory_host is empty: Active Directory is left alone, and they stay.",
                f"{some(options)} はActive Directoryにアカウントを作りますが、offboard_directory_host が空のため、"
                "Active Directoryは確認も変更もせず、アカウントは残ります。",
            ),
            options,
        )


#: Windows' own accounts and groups, by SID or by the part of the name after the backslash
_BUILT_IN = re.compile(
    r"(?i)(S-1-5-(18|19|20|32-\d+|4|11|80-.*|82-.*)|S-1-1-0|((NT AUTHORITY|BUILTIN|NT SERVICE|IIS APPPOOL)\\.*)|"
    r"(.*\\)?(LOCAL ?SYSTEM|SYSTEM|LOCAL ?SERVICE|NETWORK ?SERVICE|INTERACTIVE|Administrators|Users))|"
)


def _task_accounts(facts: Facts) -> Iterator[Finding]:
    """Who runs the agents' scheduled tasks. Who is known to Active Directory as a candidate, or confirmed, is not named twice."""
    known = {
        str(item[name]).casefold() for item in facts.directory_objects or () for name in ("sAMAccountName", "objectSid", "userPrincipalName") if item.get(name)
    }
    who: dict[str, list[tuple[str, str]]] = {}
    for machine, found in (facts.machines or {}).items():
        for task in (found or {}).get("tasks") or ():
            account = str(task.get("run_as") or "")
            if not _BUILT_IN.fullmatch(account) and not known & {account.casefold(), account.rpartition("\\")[2].casefold()}:
                who.setdefault(account, []).append((machine, task["name"]))
    for account, places in who.items():
        where = ", ".join(f"{task} ({machine})" for machine, task in places)
        yield Finding(
            "warning",
            "task_account",
            Text(
                f"{account} runs {where}. If it was made for IIJ ID, add its distinguished name to directory_sync_accounts; else it stays.",
                f"{where} は {account} で実行されています。IIJ IDのために作られたアカウントであれば、識別名（DN）を directory_sync_accounts に"
                "追加してください。"
                "追加しなければ残ります。",
            ),
            (account, *(machine for machine, _task in places)),
        )


_BATCH_LOGON = "SeBatchLogonRight"


def _local_rights(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """What a person takes out of the servers' local policies, where the right was given there, and where a group policy decides instead of them."""
    accounts = [item for item in facts.directory_objects or () if item.get("objectSid") and any(dn.means(name, item) for name in confirmed.accounts)]
    if not accounts:
        return
    shown = some(f"*{item['objectSid']} ({item['dn']})" for item in accounts)
    defining = group_policies.defining(facts.group_policies or {}, _BATCH_LOGON)
    wins = Text("", "")
    if defining:
        which = some(defining)
        wins = Text(
            f" {which} define this right: where one applies, it wins over the local policy, and a change there does nothing. Edit the policy instead.",
            f"この権利は {which} が定義しています。適用されるマシンではローカルポリシーより優先され、ローカルの変更は効きません。ポリシーを編集してください。",
        )
    elif facts.group_policies is None or facts.group_policies.get("failure"):
        wins = Text(
            " Where a group policy defines this right, it wins over the local policy; nobody has looked at them.",
            "この権利を定義するグループポリシーがあれば、そちらが優先されます（グループポリシーは確認していません）。",
        )
    yield Finding(
        "info",
        "local_right_entries",
        Text(
            f"Local policies of servers are not seen from here. Where one gives {_BATCH_LOGON}, the entries to take out are {shown}. An entry stays there as "
            f"a SID when the account is gone.{wins.en}",
            f"サーバーのローカルポリシーは確認できません。{_BATCH_LOGON} がローカルで与えられている場合に削除する項目: {shown}。"
            f"アカウントの削除後はSIDの表示で残ります。{wins.ja}",
        ),
        tuple(item["objectSid"] for item in accounts),
    )


def findings(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    yield from not_given(facts, confirmed)
    yield from _task_accounts(facts)
    yield from _local_rights(facts, confirmed)
    for item in facts.directory_objects or ():
        if any(dn.means(name, item) for name in confirmed.accounts):
            continue
        confirm = item.get("confirm_as") or item["dn"]
        refused = phrases.joined([phrases.refused(refusal) for refusal in item.get("removal_refusals") or ()], " ", "")
        why = phrases.reasons(item["found_by"])
        yield Finding(
            "warning",
            "account_candidate",
            Text(
                f"{item['dn']} may have been made for IIJ ID ({why.en}) and is not confirmed, so it will stay. Where it was, confirm it as '{confirm}'."
                + (f" Its removal would be refused: {refused.en}" if refused.en else ""),
                f"{item['dn']} はIIJ IDのために作られた可能性があります（{why.ja}）。確認されていないため残ります。該当する場合は '{confirm}' と"
                "して確認してください。" + (f" 削除は拒否されます: {refused.ja}" if refused.ja else ""),
            ),
            (item["dn"],),
        )
    for item in facts.directory_unusable:
        why, msg = phrases.reasons(item["found_by"]), phrases.by_code(str(item.get("code") or ""), item["msg"])
        yield Finding(
            "warning",
            "account_not_found",
            Text(f"{item['name']} ({why.en}): {msg.en}", f"{item['name']}（{why.ja}）: {msg.ja}"),
            (item["name"],),
        )


def left(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """Those that can still sign in at the end."""
    yield from not_given(facts, confirmed)
    yield from _local_rights(facts, confirmed)
    for item in facts.directory_objects or ():
        if item.get("enabled") and any(dn.means(name, item) for name in confirmed.accounts):
            text = Text(f"{item['dn']}, which was made for IIJ ID, is still enabled.", f"IIJ ID用のアカウント {item['dn']} がまだ有効です。")
            yield Finding("blocker", "account_enabled", text, (item["dn"],))


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    yield from left(facts, confirmed) if final else findings(facts, confirmed)


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """A domain controller, and accounts."""
    if facts.directory_objects is None and (facts.needs_directory or confirmed.accounts):
        options = ", ".join(facts.needs_directory) or "accounts"
        told = Text(f"Needed for {options}; write the name of one.", f"{options} に必要です。ホスト名を記入してください。")
        yield Candidate("offboard_directory_host", "", told)
    for item in facts.directory_objects or ():
        if not any(dn.means(name, item) for name in confirmed.accounts):
            why = phrases.reasons(list(item["found_by"]))
            refused = phrases.joined([phrases.refused(refusal) for refusal in item.get("removal_refusals") or ()], " ", "")
            more = Text(f" Its removal would be refused: {refused.en}", f" 削除は拒否されます: {refused.ja}") if refused.en else Text("", "")
            by_name = all(reason.startswith("servicePrincipalName ") for reason in item["found_by"])
            variable = "integrated_windows_authentication_accounts" if by_name else "directory_sync_accounts"
            told = Text(f"{item['dn']}: {why.en}.{more.en}", f"{item['dn']}: {why.ja}{more.ja}")
            yield Candidate(variable, item.get("confirm_as") or item["dn"], told)


#: What the exit does to it: kind and action of the changes, by the stage.
WORK = {"accounts": (("directory_object", "disable"), ("directory_object", "delete"))}
#: How what the exit does to it is undone, for the manual.
WAYS = (
    Way(
        Text("AD account disabled", "AD アカウントの無効化"),
        Text(
            "`restore` with `accounts`, or `directory_object` with `state: enabled`", "`restore` の `accounts`、または `directory_object` の `state: enabled`"
        ),
        Text(
            "`restore` enables those that this exit has disabled, by the journal",
            "`restore` が有効化するのは、この作業で無効化したもの（ジャーナルによる）だけです",
        ),
    ),
    Way(
        Text("AD account removed", "AD アカウントの削除"),
        Text(
            "`restore` with `accounts`, or `directory_object` with `state: present` and the `backup_dir`: a new object out of the saved "
            "LDIF, with a new SID, disabled and without its password; with the AD recycle bin, restore it there instead",
            "`restore` の `accounts`、または `directory_object` の `state: present` と `backup_dir`。保存した LDIF から、新しい SID の新し"
            "いオブジェクトを、無効かつパスワードなしで作ります。AD のごみ箱が有効なら、代わりにそこから復元してください",
        ),
        Text("rights granted to the old SID are lost. So the default is to disable.", "以前の SID に与えた権限は失われます。そのため既定は「無効化」です"),
    ),
)
