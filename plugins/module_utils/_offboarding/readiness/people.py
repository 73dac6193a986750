# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each user at the end: enabled as meant, licensed as meant, with a way to sign in. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._core.heads import few
from ..._core.text import Text, counted
from ..._core.times import SKEW
from ..finding import Finding
from ..quiet import mostly

if TYPE_CHECKING:
    from .judged import Confirmed, Facts

#: where the role has the same module write everybody
_FILE = "results/users_readiness.jsonl"
#: What entra_users_readiness_info tells of users: severity, the sentence (what is so, and the way out).
SENTENCES = {
    "user_blocked": (
        "blocker",
        Text(
            "are blocked, but were enabled in the snapshot or are named to be enabled. Run the stage users again; leave out by microsoft_365_exclude who shall "
            "stay blocked",
            "はスナップショットでは有効（または有効にする指定）ですが、ブロックされています。usersの段階を再実行してください。ブロックのままでよい利用者は "
            "microsoft_365_exclude に指定してください",
        ),
    ),
    "user_enabled_not_meant": (
        "blocker",
        Text(
            "are enabled, but were blocked in the snapshot or are named to be blocked. Block them, or name them to be enabled in microsoft_365_also_enable or "
            "microsoft_365_users_src",
            "はスナップショットではブロックされていた（または無効にする指定）ですが、有効になっています。ブロックするか、有効にする利用者として "
            "microsoft_365_also_enable か microsoft_365_users_src に指定してください",
        ),
    ),
    "licence_missing": (
        "blocker",
        Text(
            "do not have the licences that they had in the snapshot, or that microsoft_365_users_src names. Run the stage users again, and see "
            "results/users.jsonl for those that were refused; who shall have others is said in microsoft_365_users_src",
            "にはスナップショット（または microsoft_365_users_src）のライセンスがありません。usersの段階を再実行し、拒否された利用者は results/users.jsonl を"
            "確認してください。別のライセンスにする利用者は microsoft_365_users_src に指定してください",
        ),
    ),
    "group_licence_missing": (
        "blocker",
        Text(
            "do not have the licences that a group gave them in the snapshot, which the tool cannot put back. Make them members again; who shall have "
            "others is said in microsoft_365_users_src",
            "にはスナップショットでグループから割り当てられていたライセンスがありません（本ツールでは戻せません）。グループのメンバーに戻してください。"
            "別のライセンスにする利用者は microsoft_365_users_src に指定してください",
        ),
    ),
    "blocked_before_snapshot": (
        "info",
        Text(
            "are blocked, as they were in the snapshot, and the exit left them so. Was it IIJ ID that had blocked them? Whoever shall work is named in "
            "microsoft_365_also_enable",
            "はブロックされており、スナップショット時も同じだったため、そのままにしました（IIJ IDによるブロックでないか確認してください）。"
            "復帰させる利用者は microsoft_365_also_enable に指定してください",
        ),
    ),
    "licence_not_as_meant": (
        "warning",
        Text("have other licences or service plans than meant", "のライセンスまたはサービスプランが意図と異なります"),
    ),
    "licence_gone": (
        "warning",
        Text("had a licence in the snapshot that the tenant has no longer", "がスナップショット時に持っていたライセンスは、テナントにもうありません"),
    ),
    "user_gone": ("warning", Text("are in the snapshot, and not in the tenant any more", "はスナップショットにありますが、テナントにもういません")),
    "named_nobody": (
        "blocker",
        Text(
            "are named by microsoft_365_users_src or microsoft_365_also_enable, and nobody is called so, so that whoever is meant was left as they were. "
            "Correct the name (the object id, or the user principal name of today; in microsoft_365_also_enable that of the snapshot) and run the stage users "
            "again, or take it out",
            "は microsoft_365_users_src または microsoft_365_also_enable に指定されていますが、該当する利用者がおらず、意図した人には何も行われていません。"
            "指定を修正（オブジェクトIDか現在のユーザープリンシパル名。microsoft_365_also_enable はスナップショット時のもの）してusersの段階を再実行するか、"
            "指定を外してください",
        ),
    ),
    "new_user_blocked": (
        "warning",
        Text(
            "are not in the snapshot and are blocked, and nobody has said whether they shall be. Was it IIJ ID's stop? Say in microsoft_365_users_src whether "
            "each is to be enabled",
            "はスナップショットになく、ブロックされています（IIJ IDの停止によるものか確認してください）。microsoft_365_users_src に、有効にするか"
            "どうかを指定してください",
        ),
    ),
    "new_user_unlicensed": (
        "warning",
        Text(
            "are not in the snapshot and have no licence, while most of their domain had one then. Say in microsoft_365_users_src which licences they "
            "shall have, or that they shall have none (set: [])",
            "はスナップショットになく、ライセンスがありません（ドメインの大半の利用者にはスナップショット時にライセンスあり）。microsoft_365_users_src に"
            "ライセンスを指定するか、不要であれば空（set: []）を指定してください",
        ),
    ),
    "domain_is_federated": ("blocker", Text("are in a domain that is still federated", "のドメインはまだフェデレーションされています")),
    "no_way_in": (
        "blocker",
        Text(
            "are enabled, and nothing shows a way to sign in: no password that was set since their domain was converted, and no pass. Run the stage "
            "passwords for "
            "their domain; who signs in otherwise is named in microsoft_365_signs_in_otherwise",
            "は有効ですが、サインインの手段を確認できません（ドメイン変換後に設定したパスワードも、パスもありません）。passwordsの段階を再実行してください。"
            "別の方法でサインインする利用者は microsoft_365_signs_in_otherwise に指定してください",
        ),
    ),
    "moved_without_password": (
        "blocker",
        Text(
            "were renamed out of the domains of the exit since the snapshot, and nothing shows a password that was set since. Give them one (entra_users with "
            "their ids); who signs in otherwise is named in microsoft_365_signs_in_otherwise",
            "はスナップショットの後に対象ドメイン外のユーザー名に変わっており、その後に設定したパスワードを確認できません。entra_users にIDを指定して"
            "パスワードを設定してください。別の方法でサインインする利用者は microsoft_365_signs_in_otherwise に指定してください",
        ),
    ),
    "access_pass_ended": (
        "blocker",
        Text(
            "were given a Temporary Access Pass that has ended or is not there any more, and no password. Give them another one; who has registered another "
            "method is named in "
            "microsoft_365_signs_in_otherwise",
            "の一時アクセスパスは期限切れか削除済みで、パスワードもありません。新しいパスを発行するか、別の方法を登録済みなら "
            "microsoft_365_signs_in_otherwise に指定してください",
        ),
    ),
}


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """In the end: each user of the exit is enabled as meant, licensed as meant, and has a way to sign in."""
    people = facts.people
    if people is None or not final:
        return
    if not people["snapshot_taken"]:
        yield Finding(
            "blocker",
            "users_not_compared",
            Text(
                "There is no snapshot to compare the users with, so nobody can say who shall be enabled and licensed. Name the run folder that has it by "
                "offboard_run_dir.",
                "利用者を比較するスナップショットがなく、誰が有効でライセンスを持つべきか判断できません。offboard_run_dir に"
                "スナップショットのある実行フォルダーを"
                "指定してください。",
            ),
        )
    done = {step["id"] for step in facts.steps or () if step["done"]}
    for code, count in people["counts"].items():
        names = tuple(item["name"] for item in people["exceptions"] if item["code"] == code)
        yield _told(code, int(count), names, done, people, facts.now)
    for domain in people["domains"]:
        if mostly(domain["stays_blocked"], domain["total"], confirmed.max_blocked_percent):
            name, blocked, total = domain["domain"], domain["stays_blocked"], domain["total"]
            yield Finding(
                "blocker",
                "mostly_blocked",
                Text(
                    f"{name}: {blocked} of {counted(total, 'user is', 'users are')} blocked, and the snapshot says that they were before the exit. "
                    "Was it taken after IIJ ID's stop had "
                    "blocked them? Name those who shall work in microsoft_365_also_enable and run the stage users; if it is right so, raise "
                    "microsoft_365_max_blocked_percent.",
                    f"{name}: 利用者{total}人のうち{blocked}人がブロックされており、スナップショットでも同じです。プロビジョニング停止後に"
                    "スナップショットをとった"
                    "可能性があります。復帰させる利用者を microsoft_365_also_enable に指定してusersの段階を実行してください。意図どおりであれば "
                    "microsoft_365_max_blocked_percent を上げてください。",
                ),
                (name,),
            )
        if mostly(gone := domain.get("gone", 0), domain["total"] + gone, confirmed.max_blocked_percent):
            name, total = domain["domain"], domain["total"]
            yield Finding(
                "blocker",
                "mostly_gone",
                Text(
                    f"{name}: {gone} users who were enabled in the snapshot are not in the tenant any more, which has {total} of that domain now. Did IIJ "
                    "ID's stop, or somebody else, delete them? Entra keeps deleted users for 30 days: restore them (Users > Deleted users) and run the "
                    "stage users; if it is right so, raise microsoft_365_max_blocked_percent.",
                    f"{name}: スナップショットで有効だった利用者{gone}人がテナントにいません（現在このドメインの利用者は{total}人）。"
                    "IIJ IDの停止などで削除されていませんか。削除済みの利用者は30日間保持されます。Entra管理センターで復元し、usersの段階を実行してください。"
                    "意図どおりであれば microsoft_365_max_blocked_percent を上げてください。",
                ),
                (name,),
            )
    if people["left_alone"]:
        left = people["left_alone"]
        yield Finding(
            "info",
            "users_left_alone",
            Text(
                f"{counted(left, 'user', 'users')} of microsoft_365_exclude {'was' if left == 1 else 'were'} not judged.",
                f"microsoft_365_exclude の{left}人は確認していません。",
            ),
        )


#: Entra Connect synchronizes every 30 minutes by default (Microsoft, "Microsoft Entra Connect Sync: Scheduler"): so late, it has failed many times.
_SYNC_HOURS = 24


def _late(last: str | None, now: str) -> bool:
    """Whether the tenant's last synchronization is missing, or too long ago for password hashes to be the users'."""
    age = datetime.datetime.fromisoformat(now) - datetime.datetime.fromisoformat(last) if last else None
    return age is None or not -SKEW <= age <= datetime.timedelta(hours=_SYNC_HOURS)


def _told(code: str, count: int, names: tuple[str, ...], done: Collection[str], people: Mapping[str, Any], now: str) -> Finding:
    shown, more = few(names, count), Text("", "")
    if count > min(len(names), 10):
        more = Text(f" All are in {_FILE}.", f"。全員の一覧は {_FILE} にあります。")
    word = Text("", "")
    if code == "administrator_without_password":
        severity = "warning" if "administrators_have_passwords" in done else "blocker"
        told = Text(
            "are administrators, whom the tool may not give a password, and nothing shows one that was set since their domain was converted",
            "は管理者で、本ツールはパスワードを設定できず、ドメイン変換後のパスワードも確認できません",
        )
        word = Text("; the step administrators_have_passwords is all that speaks for them", "（手順 administrators_have_passwords の確認のみ）")
    elif code == "password_is_synced":
        severity, word = _hashes(done, people["synchronization"], now)
        told = Text(
            "sign in with their Active Directory password, if its hash is synchronized",
            "はパスワードハッシュ同期によりActive Directoryのパスワードでサインインします",
        )
    else:
        severity, told = SENTENCES[code]
    who = f"{count} users {told.en}" if count > 1 else f"1 user {_of_one(told.en)}"
    return Finding(severity, code, Text(f"{who}{word.en}: {shown}.{more.en}", f"{count}人{told.ja}{word.ja}: {shown}{more.ja}"), names)


#: What becomes of these words at the beginning, and after a comma, where the sentence is of one user.
_ONE = {"are": "is", "were": "was", "do": "does", "have": "has", "sign": "signs"}


def _of_one(told: str) -> str:
    """What is told of several users, of one."""
    said = re.sub(r"^(are|were|do|have|sign)\b", lambda found: _ONE[found[1]], told)
    said = re.sub(r"(?<=, but )(are|were)\b|(?<= or )(are)\b|(?<= snapshot and )(are|have)\b", lambda found: _ONE[found[0]], said, count=2)
    return said.replace("is administrators, whom", "is an administrator, whom")


def _hashes(done: Collection[str], synchronization: Mapping[str, Any], now: str) -> tuple[str, Text]:
    """The severity, and what speaks for it, that users have the password of Active Directory."""
    if "password_hash_sync_verified" not in done or not synchronization["enabled"]:
        return "blocker", Text(
            ", but the step password_hash_sync_verified is not confirmed, or the tenant is synchronized no longer",
            "が、手順 password_hash_sync_verified が未確認か、テナントの同期が停止しています",
        )
    said = Text("; the step password_hash_sync_verified says so", "（手順 password_hash_sync_verified の確認による）")
    last = synchronization["last"]
    if not _late(last, now):
        return "info", said
    if not last:
        return "warning", Text(f"{said.en}, but the tenant never was", "（手順 password_hash_sync_verified の確認によるが、同期の記録なし）")
    return "warning", Text(
        f"{said.en}, but the tenant was last synchronized at {last}, more than {_SYNC_HOURS} hours ago",
        f"（手順 password_hash_sync_verified の確認によるが、最終同期 {last} から {_SYNC_HOURS} 時間以上経過）",
    )
