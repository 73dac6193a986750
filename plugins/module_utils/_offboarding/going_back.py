# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be undone, how, and with which limit: for the manual, and for the playbook `restore`. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from .._core.text import Text


class WayBack(NamedTuple):
    """What of a role brings something back."""

    role: str
    tasks_from: str


#: By the word of `offboard_restore`, what is played on the controller. In this order: what was done last is undone first.
ON_CONTROLLER: dict[str, tuple[WayBack, ...]] = {
    "accounts": (
        WayBack("directory_sync", "restore_accounts"),
        WayBack("directory_sync", "openldap_restore"),
        WayBack("integrated_windows_authentication", "restore_accounts"),
    ),
    "app": (WayBack("microsoft_365", "restore_app"),),
    "domains": (WayBack("microsoft_365", "restore_domains"),),
    "policies": (WayBack("integrated_windows_authentication", "restore_policies"),),
    "intune": (WayBack("multi_factor_authentication", "restore_intune"),),
    "users": (WayBack("microsoft_365", "restore_users"),),
    # on machines alone
    "tasks": (),
}


def entries(words: Collection[str]) -> list[WayBack]:
    """What is played on the controller for these words, in the order of all."""
    return [entry for word, found in ON_CONTROLLER.items() if word in words for entry in found]


class Way(NamedTuple):
    """What was done, how to go back, and the limit."""

    done: Text
    how: Text
    limit: Text


_NONE = Text("–", "–")
_HEAD = Way(Text("what was done", "行ったこと"), Text("how to go back", "戻し方"), Text("limit", "限界"))
WAYS: tuple[Way, ...] = (
    Way(
        Text(
            "scheduled tasks disabled",
            "スケジュールタスクの無効化",
        ),
        Text(
            "`restore` with `tasks`, or enable them in Task Scheduler",
            "`restore` の `tasks`、またはタスクスケジューラで有効化",
        ),
        Text(
            "`restore` enables those that this exit has disabled, by the journal",
            "`restore` が有効化するのは、この作業で無効化したもの（ジャーナルによる）だけです",
        ),
    ),
    Way(
        Text(
            "IIJ's service principal disabled (the hard guard)",
            "IIJのサービスプリンシパルの無効化（ハードガード）",
        ),
        Text(
            "`restore` with `app`, or `entra_app` with `enabled: true`",
            "`restore` の `app`、または `entra_app` の `enabled: true`",
        ),
        Text(
            "`restore` enables it only where this exit has disabled it, by the journal",
            "`restore` が有効化するのは、この作業で無効化した場合（ジャーナルによる）だけです",
        ),
    ),
    Way(
        Text(
            "users unblocked, licences put back",
            "利用者のブロック解除・ライセンス再付与",
        ),
        Text(
            "by hand: nothing here blocks a user or takes a licence because a snapshot says so. `restore` with `users` does what the stage "
            "does: who was enabled is enabled, with the licences of that time",
            "手作業。スナップショットを理由に利用者をブロックしたりライセンスを外したりすることはありません。`restore` の `users` は段階 "
            "`users` と同じく、当時有効だった人を有効にし、当時のライセンスを付けます",
        ),
        Text(
            "a licence taken for over 30 days: the mailbox is gone (Exchange keeps it 30 days)",
            "ライセンスが 30 日を超えて外れていると、メールボックスは失われます（Exchange の保持期間）",
        ),
    ),
    Way(
        Text(
            "domain converted to managed",
            "ドメインのマネージド化",
        ),
        Text(
            "`restore` with `domains` posts the saved federation configuration again",
            "`restore` の `domains` が保存済みのフェデレーション設定を再登録します",
        ),
        Text(
            "IIJ ID must still serve it; passwords set meanwhile stay set",
            "IIJ ID側がまだ動いていること。設定したパスワードは残ります",
        ),
    ),
    Way(
        Text(
            "password set",
            "パスワード設定",
        ),
        Text(
            "cannot be undone; the former one is unknown",
            "取り消せません（以前のものは分かりません）",
        ),
        Text(
            "the hand-over file holds the new one",
            "新しいパスワードは引き渡しファイルにあります",
        ),
    ),
    Way(
        Text(
            "IIJ's app removed",
            "IIJのアプリの削除",
        ),
        Text(
            "`restore` with `app`, or `entra_app` with `state: present`",
            "`restore` の `app`、または `entra_app` の `state: present`",
        ),
        Text(
            "30 days; its secrets come back, consent has to be checked",
            "30 日以内。シークレットは戻りますが、同意は確認が必要です",
        ),
    ),
    Way(
        Text(
            "AD account disabled",
            "AD アカウントの無効化",
        ),
        Text(
            "`restore` with `accounts`, or `directory_object` with `state: enabled`",
            "`restore` の `accounts`、または `directory_object` の `state: enabled`",
        ),
        Text(
            "`restore` enables those that this exit has disabled, by the journal",
            "`restore` が有効化するのは、この作業で無効化したもの（ジャーナルによる）だけです",
        ),
    ),
    Way(
        Text(
            "AD account removed",
            "AD アカウントの削除",
        ),
        Text(
            "`restore` with `accounts`, or `directory_object` with `state: present` and the `backup_dir`: a new object out of the saved "
            "LDIF, with a new SID, disabled and without its password; with the AD recycle bin, restore it there instead",
            "`restore` の `accounts`、または `directory_object` の `state: present` と `backup_dir`。保存した LDIF から、新しい SID の新し"
            "いオブジェクトを、無効かつパスワードなしで作ります。AD のごみ箱が有効なら、代わりにそこから復元してください",
        ),
        Text(
            "rights granted to the old SID are lost. So the default is to disable.",
            "以前の SID に与えた権限は失われます。そのため既定は「無効化」です",
        ),
    ),
    Way(
        Text(
            "accounts taken out of user rights of group policies",
            "グループポリシーのユーザー権利からのアカウントの除外",
        ),
        Text(
            "`restore` with `accounts`: what this exit took out is put back",
            "`restore` の `accounts`。この作業で外したものだけを戻します",
        ),
        Text(
            "an account that was made again from LDIF has another SID: give it the right by name (the task warns)",
            "LDIF から作り直したアカウントは SID が変わります。権利は名前を指定して与えてください（タスクが警告します）",
        ),
    ),
    Way(
        Text(
            "hosts taken out of group policies",
            "グループポリシーからのホストの削除",
        ),
        Text(
            "`restore` with `policies`: each edited file as it was",
            "`restore` の `policies`。編集した各ファイルを元の内容に戻します",
        ),
        Text(
            "a file that somebody else has edited since stays (`setting_changed`); the copy is in `backups/policies`",
            "その後にほかの人が編集したファイルには触れません（`setting_changed`）。写しは `backups/policies` にあります",
        ),
    ),
    Way(
        Text(
            "agent uninstalled",
            "エージェントのアンインストール",
        ),
        Text(
            "install it again; config.yml and secret.yml were removed on purpose",
            "再インストール。config.yml と secret.yml は意図して消しています",
        ),
        Text(
            "the IIJ token is not kept",
            "IIJのトークンは保存しません",
        ),
    ),
    Way(
        Text(
            "hosts taken out of a machine's browsers and zones",
            "マシンのブラウザーとゾーンからのホストの削除",
        ),
        Text(
            "`restore` with `policies`, or `win_browser_sign_in` with `state: present` and the same `backup_dir`",
            "`restore` の `policies`、または同じ `backup_dir` で `win_browser_sign_in` の `state: present`",
        ),
        Text(
            "a setting that somebody has changed since, or of a user who is not signed in, stays",
            "その後に変更された設定と、サインインしていない利用者の設定には触れません",
        ),
    ),
    Way(
        Text(
            "assignment in Intune removed",
            "Intune の割り当ての削除",
        ),
        Text(
            "`restore` with `intune`, or `intune_assignment` with `state: present` and the same journal: with target, intent and settings as they were",
            "`restore` の `intune`、または同じ `journal` で `intune_assignment` の `state: present`。割り当て先、目的、設定は元のとおりです",
        ),
        Text(
            "its id in Graph is new; a filter comes back only when Graph's beta was allowed; certificates of a profile are issued anew",
            "Graph での ID は変わります。フィルターは beta を許可していた場合だけ戻ります。プロファイルの証明書は新しく発行されます",
        ),
    ),
    Way(
        Text(
            "device certificate removed",
            "デバイス証明書の削除",
        ),
        Text(
            "the certificate is in `backups/certificates`; its private key is gone",
            "証明書は `backups/certificates` にありますが、秘密鍵は戻りません",
        ),
        Text(
            "enrol it again",
            "発行し直してください",
        ),
    ),
    Way(
        Text(
            "cron jobs disabled",
            "cron ジョブの無効化",
        ),
        Text(
            "`restore` with `tasks`, or `linux_cron_job` with `state: present`",
            "`restore` の `tasks`、または `linux_cron_job` の `state: present`",
        ),
        Text(
            "–",
            "なし",
        ),
    ),
    Way(
        Text(
            "cron jobs removed",
            "cron ジョブの削除",
        ),
        Text(
            "put the line back out of the saved copy of the crontab in `backups/` (`ansible-vault decrypt`)",
            "`backups/` に保存した crontab の写しから行を戻します（`ansible-vault decrypt`）",
        ),
        Text(
            "the agent is gone as well",
            "エージェントも削除済みです",
        ),
    ),
    Way(
        Text(
            "account of OpenLDAP removed, taken out of its access rules",
            "OpenLDAP のアカウントの削除、アクセス規則からの除外",
        ),
        Text(
            "`restore` with `accounts`, or `openldap_entry` and `openldap_access` with `state: present` and the same `backup_dir`; it has its password again",
            "`restore` の `accounts`、または同じ `backup_dir` で `openldap_entry` と `openldap_access` の `state: present`。パスワードも戻ります",
        ),
        Text(
            "a rule that somebody has changed since stays, and is named; `entryUUID` is new",
            "その後に変更された規則は変えずに示します。`entryUUID` は新しくなります",
        ),
    ),
    Way(
        Text(
            "secrets removed from disk",
            "ディスク上の秘密情報の消去",
        ),
        Text(
            "cannot be undone",
            "取り消せません",
        ),
        Text(
            "meant so",
            "意図どおりです",
        ),
    ),
)


def table(language: str) -> str:
    """All ways as a table of the manual."""
    lines = ["| " + " | ".join(getattr(part, language) for part in way) + " |" for way in (_HEAD, *WAYS)]
    return "\n".join([lines[0], "|---|---|---|", *lines[1:]]) + "\n"
