# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of Directory Sync for Linux in OpenLDAP: what was found, what nobody has confirmed, what is left. Pure.

OpenLDAP is `clauses`, `mentions`, `settings`, `entries`, `named_in` and `not_searched`: for each account (DN) what openldap_access_info and
openldap_entry_info return under `clauses`, `mentions`, `settings`, `entry`, `named_in` and `not_searched`; or `error` and `code`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..._core import dn
from ..._core.heads import some
from ..._core.text import Text
from .. import phrases
from ..finding import Finding
from ..going_back import Way
from . import linux
from .candidate import Candidate

if TYPE_CHECKING:
    from .judged import Confirmed, Facts


@dataclass(frozen=True)
class OpenldapDecisions:
    """What the operator has said: accounts (DN) to take out of the access rules, and to remove."""

    access: Sequence[str] = ()
    entries: Sequence[str] = ()


def _entry(openldap: Mapping[str, Any] | None, account: str) -> Mapping[str, Any]:
    """What was found at the name; empty where there is none."""
    return ((openldap or {}).get("entries") or {}).get(account) or {}


def _named(openldap: Mapping[str, Any] | None, account: str, among: Iterable[str]) -> bool:
    """Whether one of the confirmations means the same entry: by its entryUUID, by its name, or as this one was written."""
    entry = _entry(openldap, account)
    item = {"dn": entry.get("dn") or "", "objectGUID": entry.get("entryUUID") or ""}
    return any(dn.account_key(account) == dn.account_key(other) or (entry and dn.means(other, item)) for other in among)


def _by_account(openldap: Mapping[str, Any] | None, kind: str) -> Iterator[tuple[str, Any]]:
    """What there is, by account; of none that has nothing."""
    return ((account, found) for account, found in ((openldap or {}).get(kind) or {}).items() if found)


def _clauses(found: Iterable[Mapping[str, Any]]) -> str:
    return "; ".join(f"{clause['what']} by {clause['clause']}" for clause in found)


def _unlisted(openldap: Mapping[str, Any] | None, said: OpenldapDecisions) -> Iterator[tuple[str, str, str]]:
    """Of the accounts that are confirmed for one thing only: the variable of the other, the account, and what was found of it."""
    for account, clauses in _by_account(openldap, "clauses"):
        if not _named(openldap, account, said.access):
            yield "directory_sync_openldap_access", _confirmed_as(openldap, account), _clauses(clauses)
    for account, entry in _by_account(openldap, "entries"):
        if not _named(openldap, account, said.entries):
            yield "directory_sync_openldap_entries", _confirmed_as(openldap, account), ", ".join(entry["objectClass"])


def _confirmed_as(openldap: Mapping[str, Any] | None, account: str) -> str:
    """With the entryUUID, where there is such an entry, so that no other one can take its name over."""
    entry = _entry(openldap, account)
    return dn.extended(entry["entryUUID"], entry["dn"]) if entry.get("entryUUID") else account


def _unknown(openldap: Mapping[str, Any] | None, said: OpenldapDecisions) -> Iterator[Finding]:
    """Blockers where accounts are confirmed, and nobody could look at them."""
    accounts = tuple(dict.fromkeys((*said.access, *said.entries)))
    if openldap is None and accounts:
        yield Finding(
            "blocker",
            "openldap_not_given",
            Text(
                f"{', '.join(accounts[:3])} shall be taken out of OpenLDAP, but neither directory_sync_openldap_host nor directory_sync_openldap_socket names "
                "a server, so nobody can see or change it. Set one, or take it out of directory_sync_openldap_access and directory_sync_openldap_entries.",
                f"{', '.join(accounts[:3])} をOpenLDAPから外す指定ですが、directory_sync_openldap_host と directory_sync_openldap_socket の"
                "どちらにもサーバーがないため、確認も変更もできません。設定するか、directory_sync_openldap_access と "
                "directory_sync_openldap_entries から外してください。",
            ),
            accounts,
        )
    elif openldap is not None and openldap.get("error"):
        why = phrases.by_code(str(openldap.get("code") or ""), str(openldap["error"]))
        yield Finding("blocker", "openldap_not_readable", Text(f"OpenLDAP could not be looked at: {why.en}", f"OpenLDAPを確認できませんでした: {why.ja}"))


def preflight(openldap: Mapping[str, Any] | None, said: OpenldapDecisions, *, with_agents: bool) -> Iterator[Finding]:
    """What nobody has confirmed, and what nobody has looked at. `with_agents`: whether a Linux machine has something of Directory Sync."""
    yield from _unknown(openldap, said)
    if openldap is None and not said.access and not said.entries and with_agents:
        yield Finding(
            "warning",
            "openldap_not_given",
            Text(
                "Directory Sync for Linux reads OpenLDAP with an account of its own, and neither directory_sync_openldap_host nor "
                "directory_sync_openldap_socket names a server: OpenLDAP is left alone, and the account stays.",
                "Directory Sync for Linuxは専用のアカウントでOpenLDAPを読み取りますが、directory_sync_openldap_host も directory_sync_openldap_socket も"
                "空のため、OpenLDAPは確認も変更もせず、アカウントは残ります。",
            ),
        )
    yield from _candidates(openldap, said)
    for account in (openldap or {}).get("entries") or ():
        if not _entry(openldap, account) and not ((openldap or {}).get("clauses") or {}).get(account):
            yield Finding(
                "warning",
                "account_not_found",
                Text(
                    f"OpenLDAP has no entry {account}, and no access rule names it. It is gone already, or the name is wrong.",
                    f"OpenLDAPにエントリー {account} はなく、アクセス規則にもありません。削除済みか、名前の誤りです。",
                ),
                (account,),
            )
    for account, mentions in _by_account(openldap, "mentions"):
        told = _clauses(mentions)
        yield Finding(
            "warning",
            "openldap_mentions",
            Text(
                f"OpenLDAP has access rules of groups, sets or patterns, in which {account} may be; they stay: {told}.",
                f"OpenLDAPのアクセス規則のうち、グループ、セット、パターンによるものに {account} が含まれる可能性があります（変更しません）: {told}",
            ),
            (account,),
        )


def _candidates(openldap: Mapping[str, Any] | None, said: OpenldapDecisions) -> Iterator[Finding]:
    for variable, account, what in _unlisted(openldap, said):
        yield Finding(
            "warning",
            "openldap_account_candidate",
            Text(
                f"OpenLDAP still has {account} ({what}), which {variable} does not name, so that will stay. Add it there.",
                f"OpenLDAPに {account}（{what}）がありますが、{variable} にないため残ります。追加してください。",
            ),
            (account,),
        )


def present(openldap: Mapping[str, Any] | None, said: OpenldapDecisions) -> Iterator[Finding]:
    """Of the final gate: blockers for what is confirmed and still there."""
    yield from _unknown(openldap, said)
    for account, clauses in _by_account(openldap, "clauses"):
        if _named(openldap, account, said.access):
            yield Finding(
                "blocker",
                "openldap_access_present",
                Text(
                    f"OpenLDAP's access rules still name {account}: {_clauses(clauses)}.",
                    f"OpenLDAPのアクセス規則に {account} が残っています: {_clauses(clauses)}",
                ),
                (account,),
            )
    for account, _entry in _by_account(openldap, "entries"):
        if _named(openldap, account, said.entries):
            yield Finding(
                "blocker",
                "openldap_entry_present",
                Text(f"{account}, which was made for IIJ ID, is still in OpenLDAP.", f"IIJ ID用のアカウント {account} がまだOpenLDAPにあります。"),
                (account,),
            )
    yield from _candidates(openldap, said)


def _settings(openldap: Mapping[str, Any] | None) -> Iterator[Finding]:
    """What of the server's configuration a person looks at."""
    for account, settings in _by_account(openldap, "settings"):
        shown = some(f"{one['attribute']}{one['index']} ({one['entry']})" for one in settings)
        yield Finding(
            "warning",
            "openldap_settings",
            Text(
                f"OpenLDAP's configuration names {account} beside its access rules: {shown}. Nothing changes that; take it out by hand, before the account "
                "goes where a replication signs in as it (olcSyncrepl).",
                f"OpenLDAPの設定に、アクセス規則以外にも {account} があります: {shown}。自動では変更しません。人が外してください。複製（olcSyncrepl）が"
                "このアカウントでサインインしている場合は、アカウントの削除前に行ってください。",
            ),
            (account,),
        )


def _others(openldap: Mapping[str, Any] | None) -> Iterator[Finding]:
    """What of the entries a person looks at: they keep the name of an account that is gone."""
    for account, named_in in _by_account(openldap, "named_in"):
        shown = some(f"{one['dn']} ({one['attribute']})" for one in named_in)
        yield Finding(
            "warning",
            "openldap_named_in",
            Text(
                f"Entries of OpenLDAP name {account}: {shown}. Nothing changes them; take it out of them by hand, as another account of that name would have "
                "what they give.",
                f"OpenLDAPのエントリーに {account} が登録されています: {shown}。自動では変更しません。同じ名前のアカウントを作るとその権限が与えられるため、"
                "手動で外してください。",
            ),
            (account,),
        )
    for account, bases in _by_account(openldap, "not_searched"):
        yield Finding(
            "warning",
            "openldap_not_searched",
            Text(
                f"Whether entries of OpenLDAP name {account} could not be found out below {some(bases)}. Look for it there by hand.",
                f"{some(bases)} 以下のOpenLDAPのエントリーに {account} が登録されているか確認できませんでした。手動で確認してください。",
            ),
            (account,),
        )


def decided(confirmed: Confirmed) -> OpenldapDecisions:
    """What was said of OpenLDAP."""
    return OpenldapDecisions(access=confirmed.openldap_access, entries=confirmed.openldap_entries)


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    said = decided(confirmed)
    with_agents = any(linux.left(machine, linux.decided(confirmed)) for machine in (facts.linux_machines or {}).values())
    yield from present(facts.openldap, said) if final else preflight(facts.openldap, said, with_agents=with_agents)
    yield from _settings(facts.openldap)
    yield from _others(facts.openldap)


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """The accounts, where they are confirmed for one thing only."""
    for variable, account, what in _unlisted(facts.openldap, decided(confirmed)):
        yield Candidate(variable, account, Text(f"OpenLDAP has {what}.", f"OpenLDAPにあります: {what}"))


#: What the exit does to it: kind and action of the changes, by the stage.
WORK = {"accounts": (("openldap_access", "update"), ("openldap_entry", "delete"))}
#: How what the exit does to it is undone, for the manual.
WAYS = (
    Way(
        Text("account of OpenLDAP removed, taken out of its access rules", "OpenLDAP のアカウントの削除、アクセス規則からの除外"),
        Text(
            "`restore` with `accounts`, or `openldap_entry` and `openldap_access` with `state: present` and the same `backup_dir`; it has its password again",
            "`restore` の `accounts`、または同じ `backup_dir` で `openldap_entry` と `openldap_access` の `state: present`。パスワードも戻ります",
        ),
        Text(
            "a rule that somebody has changed since stays, and is named; `entryUUID` is new",
            "その後に変更された規則は変えずに示します。`entryUUID` は新しくなります",
        ),
    ),
)
