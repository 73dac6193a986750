# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what group_policy_info has found: which policies are edited, which a person decides about, and what is left in the end. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..._core import names
from ..._core.heads import some
from ..._core.policy_values import is_inactive, is_off, is_settled, named
from ..._core.text import Text
from .. import phrases
from ..finding import Finding
from ..going_back import Way
from .candidate import Candidate

if TYPE_CHECKING:
    from .judged import Confirmed, Facts

_NAMED = 5
KEPT = "offboard_kept_group_policies"


@dataclass(frozen=True)
class Edited:
    """One sort of edit: the module that does it, the variable that confirms policies for it, the stage, and what the policies have, in words."""

    module: str
    variable: str
    stage: str
    has: Text


EDITS = (
    Edited(
        "group_policy_right",
        "directory_sync_policies",
        "accounts",
        Text("gives accounts of IIJ ID user rights", "IIJ ID用アカウントにユーザー権利を与える設定"),
    ),
    Edited(
        "group_policy_registry",
        "integrated_windows_authentication_policies",
        "clients",
        Text("lets browsers sign in to IIJ ID", "ブラウザーにIIJ IDへの自動サインインを許可する設定"),
    ),
)


@dataclass(frozen=True)
class PolicyDecisions:
    """What the operator has decided: the GUIDs for each variable of EDITS, and of policies that stay as they are."""

    confirmed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    kept: Sequence[str] = ()

    def is_kept(self, guid: str) -> bool:
        """Whether the policy stays as it is."""
        return names.uuid(guid) in map(names.uuid, self.kept)

    def is_confirmed(self, edited: Edited, guid: str) -> bool:
        """Whether the policy is to be edited so."""
        return names.uuid(guid) in map(names.uuid, self.confirmed.get(edited.variable, ()))


def to_edit(found: Mapping[str, Any], decided: PolicyDecisions) -> Iterator[tuple[Edited, Mapping[str, Any], list[Mapping[str, Any]]]]:
    """Each policy that the modules can edit, with what they would take out; those that are kept are left out."""
    for policy in found.get("policies") or ():
        for edited in EDITS:
            mentions = [mention for mention in policy["mentions"] if mention.get("changed_by") == edited.module]
            if mentions and not decided.is_kept(policy["guid"]):
                yield edited, policy, mentions


def places(mentions: Sequence[Mapping[str, Any]]) -> str:
    """Where a policy mentions it, once each."""
    return some((mention["where"] or mention["file"] for mention in mentions), _NAMED, "; ")


def defining(found: Mapping[str, Any], right: str) -> list[str]:
    """The policies, by name and GUID, that say who has a user right. Where one applies, it counts, and not the machine's local policy."""
    wanted = right.casefold()
    there = (policy for policy in found.get("policies") or () if not is_off(policy, "hklm"))
    return [named(policy) for policy in there if wanted in map(str.casefold, policy.get("rights") or ())]


def findings(found: Mapping[str, Any], decided: PolicyDecisions, *, final: bool) -> Iterator[Finding]:
    """`found`: what group_policy_info returned, or its `failure` and `msg`: what was not read is never taken for clean."""
    if found.get("failure"):
        yield from _not_read(found, decided)
        return
    for edited, policy, mentions in to_edit(found, decided):
        confirmed = decided.is_confirmed(edited, policy["guid"])
        if final:
            yield _left(edited, policy, mentions, confirmed)
        elif not confirmed:
            yield _not_confirmed(edited, policy, mentions)
        else:
            yield _will_be_edited(edited, policy, mentions)
    yield from _by_hand(found, decided)
    yield from _inactive(found, decided)
    yield from _unreadable(found)
    yield from _scripts(found.get("netlogon") or {})
    yield from _unknown(found, decided)
    yield from _orphaned(found)


def _not_read(found: Mapping[str, Any], decided: PolicyDecisions) -> Iterator[Finding]:
    why = phrases.by_code(str((found.get("failure") or {}).get("code") or ""), str(found.get("msg") or ""))
    needed = any(decided.confirmed.values())
    yield Finding(
        "blocker" if needed else "warning",
        "group_policies_not_read",
        Text(
            f"The group policies were not looked at: {why.en}. What they still say of IIJ ID is not known. Give an account that may read SYSVOL on a domain "
            "controller that the controller of this run reaches by SMB (offboard_group_policy_host, offboard_group_policy_username); or set "
            "offboard_look_at_group_policies: false and look yourself, as the steps batch_logon_right_removed and spnego_settings_removed say.",
            f"グループポリシーを確認できませんでした: {why.ja}。IIJ IDに関する設定が残っているかどうかは不明です。SMBで到達できるドメインコントローラーと、"
            "SYSVOLを読めるアカウントを指定してください（offboard_group_policy_host、offboard_group_policy_username）。自動で確認しない場合は "
            "offboard_look_at_group_policies: false とし、手順 batch_logon_right_removed と spnego_settings_removed に従って人が確認してください。",
        ),
    )


def _not_confirmed(edited: Edited, policy: Mapping[str, Any], mentions: Sequence[Mapping[str, Any]]) -> Finding:
    where = places(mentions)
    return Finding(
        "blocker",
        "group_policy_not_confirmed",
        Text(
            f"The group policy {named(policy)} {edited.has.en}: {where}. Add '{policy['guid']}' to {edited.variable}, so that the stage {edited.stage} takes "
            f"that out, or to {KEPT}, if it shall stay.",
            f"グループポリシー {named(policy)} に、{edited.has.ja}があります: {where}。段階 {edited.stage} で取り除く場合は '{policy['guid']}' を "
            f"{edited.variable} に、残す場合は {KEPT} に追加してください。",
        ),
        (policy["guid"], policy["name"]),
    )


def _will_be_edited(edited: Edited, policy: Mapping[str, Any], mentions: Sequence[Mapping[str, Any]]) -> Finding:
    where = places(mentions)
    return Finding(
        "info",
        "group_policy_edited",
        Text(
            f"The stage {edited.stage} will edit the group policy {named(policy)}, which {edited.has.en}: {where}.",
            f"段階 {edited.stage} で編集するグループポリシー: {named(policy)}（{edited.has.ja}: {where}）",
        ),
        (policy["guid"], policy["name"]),
    )


def _left(edited: Edited, policy: Mapping[str, Any], mentions: Sequence[Mapping[str, Any]], confirmed: bool) -> Finding:
    where = places(mentions)
    out = (
        Text(f"Run the stage {edited.stage} again", f"段階 {edited.stage} を再実行してください")
        if confirmed
        else Text(
            f"Add '{policy['guid']}' to {edited.variable} and run the stage {edited.stage}",
            f"{edited.variable} に '{policy['guid']}' を追加し、段階 {edited.stage} を実行してください",
        )
    )
    return Finding(
        "blocker",
        "group_policy_points_at_iij",
        Text(
            f"The group policy {named(policy)} still {edited.has.en}: {where}. {out.en}, or add it to {KEPT}.",
            f"グループポリシー {named(policy)} に、{edited.has.ja}が残っています: {where}。{out.ja}（残す場合は {KEPT} に追加）。",
        ),
        (policy["guid"], policy["name"]),
    )


def _by_hand(found: Mapping[str, Any], decided: PolicyDecisions) -> Iterator[Finding]:
    """What no module changes: scripts, texts elsewhere, lists that mean IIJ ID and others."""
    for policy in found.get("policies") or ():
        if decided.is_kept(policy["guid"]):
            continue
        mentions = [one for one in policy["mentions"] if (not one.get("changed_by") or one.get("broader")) and not is_settled(one)]
        if mentions:
            where = places(mentions)
            yield Finding(
                "warning",
                "group_policy_by_hand",
                Text(
                    f"The group policy {named(policy)} mentions IIJ ID where only a person can decide: {where}. Edit it in the Group Policy Management "
                    f"Editor, or add '{policy['guid']}' to {KEPT}.",
                    f"グループポリシー {named(policy)} に、人の判断が必要なIIJ IDの記述があります: {where}。グループポリシー管理エディターで編集するか、"
                    f"'{policy['guid']}' を {KEPT} に追加してください。",
                ),
                (policy["guid"], policy["name"]),
            )


def _inactive(found: Mapping[str, Any], decided: PolicyDecisions) -> Iterator[Finding]:
    """Preference items that are switched off: nothing to be done, but to be known."""
    for policy in found.get("policies") or ():
        mentions = [one for one in policy["mentions"] if is_inactive(one)]
        if mentions and not decided.is_kept(policy["guid"]):
            where = places(mentions)
            yield Finding(
                "info",
                "group_policy_item_inactive",
                Text(
                    f"The group policy {named(policy)} has preference items for IIJ ID that are switched off, themselves or with their collection: {where}. "
                    "They set nothing, and stay as they are; who switches them on brings the hosts back. Delete them in the Group Policy Management Editor.",
                    f"グループポリシー {named(policy)} に、無効化されたIIJ IDの基本設定項目（項目自体またはコレクションが無効）があります: {where}。"
                    "現在は何も設定せず、変更もしませんが、有効にするとホストが元に戻ります。グループポリシー管理エディターで削除してください。",
                ),
                (policy["guid"], policy["name"]),
            )


def _unreadable(found: Mapping[str, Any]) -> Iterator[Finding]:
    broken = [(named(policy), item) for policy in found.get("policies") or () for item in policy["unreadable"]]
    broken += [(item["dn"], item) for item in found.get("unreadable_policies") or ()]
    for name, item in broken:
        why = phrases.by_code(str(item["code"]), str(item["msg"]))
        file = f" ({item['file']})" if item.get("file") else ""
        yield Finding(
            "warning",
            "group_policy_not_readable",
            Text(
                f"Nobody could look into the group policy {name}{file}: {why.en}. Look yourself.",
                f"グループポリシー {name}{file} を読めませんでした: {why.ja}。人が確認してください。",
            ),
            (name,),
        )


def _scripts(netlogon: Mapping[str, Any]) -> Iterator[Finding]:
    """The domain's own scripts folder, which belongs to no policy."""
    if mentions := netlogon.get("mentions"):
        where = places(mentions)
        yield Finding(
            "warning",
            "logon_scripts_by_hand",
            Text(
                f"Scripts in {netlogon['folder']} (NETLOGON) mention IIJ ID: {where}. Nothing here changes them; edit or remove them yourself.",
                f"{netlogon['folder']}（NETLOGON）のスクリプトにIIJ IDの記述があります: {where}。自動では変更しません。人が編集または削除してください。",
            ),
            tuple(dict.fromkeys(mention["file"] for mention in mentions)),
        )
    if unreadable := netlogon.get("unreadable"):
        why = phrases.by_code(str(unreadable[0]["code"]), str(unreadable[0]["msg"]))
        files = [item["file"] or netlogon["folder"] for item in unreadable]
        shown = some(files, _NAMED)
        yield Finding(
            "warning",
            "logon_scripts_not_readable",
            Text(
                f"Nobody could look into {shown} among the scripts in {netlogon['folder']} (NETLOGON): {why.en}. Look yourself.",
                f"{netlogon['folder']}（NETLOGON）のスクリプトのうち、読めなかったものがあります: {shown}（{why.ja}）。人が確認してください。",
            ),
            tuple(files),
        )


def _unknown(found: Mapping[str, Any], decided: PolicyDecisions) -> Iterator[Finding]:
    """GUIDs that somebody confirmed, and that no policy has: the stage would stop there."""
    there = {names.uuid(policy["guid"]) for policy in found.get("policies") or ()}
    there |= {names.uuid(item["dn"][3:41]) for item in found.get("unreadable_policies") or ()}  # CN={GUID},…
    for edited in EDITS:
        gone = [guid for guid in decided.confirmed.get(edited.variable, ()) if names.uuid(guid) not in there]
        if gone:
            yield Finding(
                "warning",
                "group_policy_not_found",
                Text(
                    f"{', '.join(gone)} of {edited.variable} is no group policy of this domain. It is gone already, or the GUID is wrong.",
                    f"{edited.variable} の {', '.join(gone)} というグループポリシーはこのドメインにありません（削除済みか、GUIDの誤り）。",
                ),
                tuple(gone),
            )


def _orphaned(found: Mapping[str, Any]) -> Iterator[Finding]:
    """Members of rights whose account is gone. Whose it was nobody can tell from the SID."""
    gone = found.get("orphaned") or ()
    if gone:
        shown = some((f"{item['member']} ({item['right']}, {item['guid']})" for item in gone), _NAMED)
        yield Finding(
            "info",
            "orphaned_rights",
            Text(
                f"Group policies give rights to accounts that are gone: {shown}. If one was IIJ ID's, take it out by its SID (group_policy_right).",
                f"削除済みのアカウントに権利を与えているグループポリシーがあります: {shown}。"
                "IIJ ID用のアカウントだったものは、SIDを指定して外せます（group_policy_right）。",
            ),
            tuple(dict.fromkeys(item["guid"] for item in gone)),
        )


def decided(confirmed: Confirmed) -> PolicyDecisions:
    """What was decided about group policies."""
    of_rights, of_registry = (edited.variable for edited in EDITS)
    return PolicyDecisions({of_rights: confirmed.right_policies, of_registry: confirmed.registry_policies}, confirmed.kept_policies)


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    if facts.group_policies is not None:
        yield from findings(facts.group_policies, decided(confirmed), final=final)


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """Policies to edit."""
    decisions = decided(confirmed)
    for edited, policy, mentions in to_edit(facts.group_policies or {}, decisions):
        if not decisions.is_confirmed(edited, policy["guid"]):
            where = places(mentions)
            yield Candidate(edited.variable, policy["guid"], Text(f"{policy['name']}: {where}.", f"{policy['name']}: {where}"))


#: What the exit does to it: kind and action of the changes, by the stage.
WORK = {"accounts": (("group_policy_right", "remove"),), "clients": (("group_policy_registry", "remove"),)}
#: How what the exit does to it is undone, for the manual.
WAYS = (
    Way(
        Text("accounts taken out of user rights of group policies", "グループポリシーのユーザー権利からのアカウントの除外"),
        Text("`restore` with `accounts`: what this exit took out is put back", "`restore` の `accounts`。この作業で外したものだけを戻します"),
        Text(
            "an account that was made again from LDIF has another SID: give it the right by name (the task warns)",
            "LDIF から作り直したアカウントは SID が変わります。権利は名前を指定して与えてください（タスクが警告します）",
        ),
    ),
    Way(
        Text("hosts taken out of group policies", "グループポリシーからのホストの削除"),
        Text("`restore` with `policies`: each edited file as it was", "`restore` の `policies`。編集した各ファイルを元の内容に戻します"),
        Text(
            "a file that somebody else has edited since stays (`setting_changed`); the copy is in `backups/policies`",
            "その後にほかの人が編集したファイルには触れません（`setting_changed`）。写しは `backups/policies` にあります",
        ),
    ),
)
