# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules warn of, and what they say of their progress, in both languages: the part of the catalogue in `phrases` for the terminal. Pure."""

from __future__ import annotations

from .text import Text

#: what is counted, in Japanese
NOUNS: dict[str, str] = {
    "Linux accounts": "Linuxアカウント",
    "access rules": "アクセス規則",
    "accounts": "アカウント",
    "assignments": "割り当て",
    "browser settings": "ブラウザーの設定",
    "certificates": "証明書",
    "cron jobs": "cronジョブ",
    "directory objects": "ディレクトリのオブジェクト",
    "domains": "ドメイン",
    "entries of the sign-in log": "サインインログの項目",
    "federations": "フェデレーション",
    "files and folders": "ファイルとフォルダー",
    "group policies": "グループポリシー",
    "groups read one by one": "個別に読み取るグループ",
    "groups": "グループ",
    "guests": "ゲスト",
    "objects": "オブジェクト",
    "password filters": "パスワードフィルター",
    "products": "製品",
    "redemption orders": "引き換え順序",
    "registered methods": "登録済みの認証方法",
    "restarts": "再起動",
    "scheduled tasks": "スケジュールタスク",
    "snapshots": "スナップショット",
    "users": "利用者",
    "verdicts": "判定",
}

#: by name, as in `phrases`
WARNINGS: dict[str, Text] = {
    # what is being done, and waited for
    "waits_for_effect": Text("waiting {seconds} s more until the change is in effect", "変更が有効になるまであと{seconds}秒待機中"),
    "waits_for_last_change": Text(
        "waiting {seconds} s until the last change of federations and redemption order is in effect",
        "フェデレーションと引き換え順序の前回の変更が有効になるまで{seconds}秒待機中",
    ),
    "uninstalls": Text("uninstalling {name}", "{name} をアンインストール中"),
    "waits_for_installer": Text(
        "waiting for another installation to end before uninstalling {name}", "{name} のアンインストール前に、別のインストールの終了を待機中"
    ),
    "waits_for_uninstaller": Text("waiting for the uninstaller of {name}", "{name} のアンインストーラーの終了を待機中"),
    "waits_for_sent_down": Text("waiting for {host}, which a stopped run may have sent down", "中断した実行が再起動させた可能性のある {host} を待機中"),
    "waits_down": Text("waiting for {name} to go down", "{name} の停止を待機中"),
    "waits_back": Text("waiting for {name} to come back", "{name} の復帰を待機中"),
    "waits_healthy": Text("waiting for {name} to be healthy", "{name} の正常化を待機中"),
    "waits_for_old_account": Text("{mail}: waiting until the old account is gone everywhere", "{mail}: 古いアカウントが完全に消えるのを待機中"),
    "waits_for_new_account": Text("{mail}: waiting for the new account", "{mail}: 新しいアカウントの反映を待機中"),
    "puts_back": Text("{mail}: still to be put back: {number}", "{mail}: 元に戻す残りの項目: {number}件"),
    # of a check run
    "would_stop": Text("check mode: a real run would stop here. {why}", "チェックモード: 実際の実行ではここで停止します。{why}"),
    "planned_on": Text(
        "check mode: planned against what earlier planned changes would leave behind of {number} objects, not against today's state alone",
        "チェックモード: オブジェクト{number}件については、先に計画した変更が済んだものとして計画しています",
    ),
    "planned_with_snapshot": Text(
        "check mode: there is no snapshot at {path} yet; planned as if it were taken now",
        "チェックモード: {path} にはまだスナップショットがないため、今取得したものとして計画しています",
    ),
    # of what a stopped run began, and of disabled things
    "begun_not_looked_up": Text(
        "what a stopped run had begun could not be looked up, and stays unfinished in the journal: {msg}",
        "中断した実行が始めた作業を確認できませんでした。作業記録では未完了のままです。原文（英語）: {msg}",
    ),
    "stays_disabled": Text(
        "{name}: no task with this journal has disabled it, so it stays disabled; where it shall be enabled all the same, do that by hand",
        "{name}: この作業記録のタスクが無効化したものではないため、無効のままにします。有効にする場合は手作業で行ってください",
    ),
    # users and licences
    "passwords_unproven": Text(
        "{number} of the users with a password of the hand-over file count as having that one, because theirs was changed after it was written; whether it "
        "was to that one, only a journal could tell, and there is none",
        "引き渡しファイルにパスワードがある利用者のうち{number}人は、ファイルへの記録後にパスワードが変更されているため設定済みとみなします。"
        "そのパスワードに変更されたかどうかは作業記録でしか分かりませんが、作業記録がありません",
    ),
    "passwords_nowhere": Text(
        "the passwords of {number} users were set, as the journal tells, and {file} does not have them, so they are set no second time; where no other "
        "hand-over file has them (that one was lost, or an older one restored), restore it from a backup, or reset the passwords in the admin center",
        "利用者{number}人のパスワードは、作業記録では設定済みですが、{file} にないため、再設定しません。"
        "ほかの引き渡しファイルにもない場合（紛失した、古いものを復元した）は、バックアップから復元するか、管理センターでパスワードをリセットしてください",
    ),
    "left_out": Text(
        "a part of the change is left out for {number} of the users ({code}); see left_out in the plan",
        "利用者{number}人について変更の一部を省きます（{code}）。計画の left_out を参照してください",
    ),
    "seats_missing": Text(
        "{name}: {needed} seats are needed and {free} are free, {missing} are missing; who gets none counts as failed",
        "{name}: ライセンスが{needed}件必要ですが、空きは{free}件で、{missing}件不足しています。割り当てられない利用者は失敗として数えます",
    ),
    "seats_ended": Text(
        "{name}: {needed} seats are needed and {free} are free, {missing} are missing; who gets none counts as failed. The subscription is suspended or "
        "locked out: none of its seats can be assigned until it is renewed",
        "{name}: ライセンスが{needed}件必要ですが、空きは{free}件で、{missing}件不足しています。割り当てられない利用者は失敗として数えます。"
        "サブスクリプションが停止またはロックされているため、更新するまで割り当てできません",
    ),
    # domains, federations
    "saved_certificate_expired": Text(
        "{domain}: the signing certificate of the saved configuration expired on {date}",
        "{domain}: 保存した構成の署名証明書は {date} に期限が切れています",
    ),
    "order_is_for_the_next": Text(
        "Guests who have redeemed their invitation keep their identity provider; the order is for the next redemption.",
        "招待を引き換え済みのゲストのIDプロバイダーは変わりません。順序は次回の引き換えから適用されます。",
    ),
    "takes_effect": Text(
        "It takes 5 to 10 minutes until the change is in effect. Meanwhile nobody should redeem an invitation for these domains (wait: true waits that long).",
        "変更が有効になるまで5分から10分かかります。その間、これらのドメインの招待を引き換えないでください（wait: true でその時間待ちます）。",
    ),
    "metadata_says": Text("The metadata of {issuer}: {codes}.", "{issuer} のメタデータ: {codes}。"),
    "issuer_not_compared": Text(
        "The issuer could not be compared with that of this tenant's own domains {domains}: their federation is not readable.",
        "発行者を、このテナント自身のドメイン {domains} の発行者と比較できませんでした（フェデレーションを読み取れません）。",
    ),
    "no_metadata_address": Text(
        "Without metadata_exchange_uri Entra cannot renew the signing certificate by itself: somebody has to, before {date}.",
        "metadata_exchange_uri がないため、Entraは署名証明書を自動更新できません。{date} までに手作業で更新してください。",
    ),
    "certificate_expires_soon": Text("{certificate} expires in {days} days, on {date}.", "{certificate} はあと{days}日、{date} に期限が切れます。"),
    "certificate_is_older": Text(
        "The signing certificate with SHA-1 {thumbprint} began on {date}, before the one that it replaces ({before}): make sure that the partner signs with "
        "it.",
        "署名証明書（SHA-1 {thumbprint}）の有効期間の開始日 {date} は、置き換える証明書の開始日（{before}）より前です。取引先がこの証明書で"
        "署名していることを確認してください。",
    ),
    "certificate_not_renewed": Text("{name}: the certificate is not renewed. {msg}", "{name}: 証明書を更新しません。理由（英語）: {msg}"),
    "ws_trust_address": Text(
        "metadata_exchange_uri {address} looks like a WS-Trust metadata exchange, which answers with WSDL: Entra needs the address of federation metadata to "
        "renew the certificate.",
        "metadata_exchange_uri {address} はWS-Trustのメタデータ交換（WSDLを返す）のアドレスと思われます。証明書の更新には、フェデレーション"
        "メタデータのアドレスが必要です。",
    ),
    "near_the_limit": Text(
        "The tenant has {number} federations of at most {limit}, internal and external ones counted together.",
        "テナントのフェデレーションは{number}件です（内部と外部を合わせて最大{limit}件）。",
    ),
    "below_own_domain": Text(
        "{domain} lies below {parent}, which is verified in this tenant; Entra is known to refuse such domains with a TXT record.",
        "{domain} は、このテナントで検証済みの {parent} のサブドメインです。Entraはこのようなドメインを、TXTレコードがあっても拒否することが知られています。",
    ),
    "tenant_not_looked_up": Text(
        "Whether {domain} belongs to another Entra tenant could not be looked up.",
        "{domain} が別のEntraテナントに属しているかどうかを確認できませんでした。",
    ),
    "verified_elsewhere": Text(
        "{domain} is verified in another Entra tenant: its people sign in there first, and this federation is used only when the redemption order puts "
        "externalFederation before azureActiveDirectory (entra_redemption_order).",
        "{domain} は別のEntraテナントで検証済みです。利用者はまずそちらでサインインします。このフェデレーションが使われるのは、引き換え順序で "
        "externalFederation を azureActiveDirectory より前にした場合だけです（entra_redemption_order）。",
    ),
    # guests
    "guest_blocked": Text("{guest} is a guest of the tenant, but blocked.", "{guest} はテナントのゲストですが、サインインがブロックされています。"),
    "guest_deleted": Text(
        "A deleted guest stays among the deleted users for 30 days; until then state=restored brings it back, with its groups.",
        "削除したゲストは30日間、削除済みユーザーに残ります。その間は state=restored で、グループとともに元に戻せます。",
    ),
    "guest_made_again": Text(
        "The old account stays among the deleted users for 30 days. The new one gets what the copy in backup_dir tells; what the guest was given outside of "
        "the directory (shared files, channels, access packages, sponsors) is not in it. state=redemption_reset would keep all of that.",
        "元のアカウントは30日間、削除済みユーザーに残ります。新しいアカウントには backup_dir のコピーにあるものを与えます。ディレクトリ以外で"
        "ゲストに与えたもの（共有ファイル、チャネル、アクセスパッケージ、スポンサー）は含まれません。state=redemption_reset であればすべて"
        "維持されます。",
    ),
    "redirect_without_tenant": Text(
        "redirect_url {addresses} does not name the tenant. Guests of a direct federation meet an error there; use for example {example}.",
        "redirect_url {addresses} にテナントの指定がありません。直接フェデレーションのゲストにはエラーが表示されます。例: {example}",
    ),
    "redirect_doubtful": Text(
        "redirect_url {addresses} does not name the tenant. That is well where the application belongs to this tenant alone; guests of a direct federation "
        "cannot sign in by an address that all tenants share.",
        "redirect_url {addresses} にテナントの指定がありません。このテナント専用のアプリケーションであれば問題ありませんが、直接フェデレーションの"
        "ゲストは、全テナント共通のアドレスではサインインできません。",
    ),
    "guests_sign_in_unknown": Text(
        "Whether {domain} belongs to an Entra tenant could not be looked up; how its guests will sign in is not known.",
        "{domain} がEntraテナントに属しているかどうかを確認できないため、ゲストのサインイン方法は不明です。",
    ),
    "entra_comes_first": Text(
        "{domain} is served by the federation {federation}, but it belongs to an Entra tenant, and Entra comes first in the redemption order: guests would "
        "have to sign in there, and those without an account there cannot. Put externalFederation first with entra_redemption_order.",
        "{domain} にはフェデレーション {federation} がありますが、ドメインはEntraテナントに属しており、引き換え順序ではEntraが先です。ゲストは"
        "そちらでサインインすることになり、アカウントがないゲストはサインインできません。entra_redemption_order で externalFederation を先頭に"
        "してください。",
    ),
    "synced_in_part": Text(
        "{domain} belongs to an Entra tenant that is synced from a directory on premises. If it is synced in part only, guests whose accounts are not in the "
        "cloud cannot redeem. Direct federation does not help them; the e-mail one-time passcode does.",
        "{domain} は、オンプレミスのディレクトリと同期しているEntraテナントに属しています。同期が一部だけの場合、クラウドにアカウントがない"
        "ゲストは招待を引き換えられません。直接フェデレーションでは解決せず、メールのワンタイムパスコードが必要です。",
    ),
    # apps, Intune
    "deleted_several": Text(
        "{number} deleted {kind} objects have that client id; the one deleted last, {id}, is brought back",
        "そのクライアントIDの削除済みオブジェクト（{kind}）が{number}件あります。最後に削除した {id} を元に戻します",
    ),
    "deleted_several_saved": Text(
        "{number} deleted {kind} objects have that client id; the one that the snapshot holds, {id}, is brought back",
        "そのクライアントIDの削除済みオブジェクト（{kind}）が{number}件あります。スナップショットにある {id} を元に戻します",
    ),
    "not_in_intune": Text(
        "{kind} {id} is not in Intune (any more), so nothing is assigned by it. Was its id copied whole?",
        "{kind} {id} はIntuneにない（またはなくなった）ため、割り当てもありません。IDが正しくコピーされているか確認してください",
    ),
    "not_assigned": Text("{kind} {id} is not assigned to {target} (any more).", "{kind} {id} は {target} に割り当てられていません（またはなくなりました）。"),
    "filters_in_beta": Text(
        "Microsoft Graph shows filters of assignments in its beta only. If one has a filter, it would come back without; see beta.",
        "割り当てのフィルターはMicrosoft Graphのベータ版でしか読み取れません。フィルターがある場合、元に戻すとフィルターなしになります（beta を参照）。",
    ),
    # the directory, group policy
    "nothing_to_disable": Text("{dn}: there is no such object; nothing to disable", "{dn}: オブジェクトがないため、無効化するものはありません"),
    "never_seen": Text(
        "{dn}: there is no such object, and neither the snapshot nor the journal tells that there ever was. Is the name right?",
        "{dn}: オブジェクトがなく、スナップショットにも記録（ジャーナル）にも見当たりません。名前が正しいか確認してください",
    ),
    "no_such_guest": Text(
        "{name}: no guest has this address or name, and none who was deleted had. Is it spelled right?",
        "{name}: このアドレスまたは名前のゲストは、削除済みのものを含めて見当たりません。表記が正しいか確認してください",
    ),
    "federation_alike": Text(
        "No federation serves {domain}, so nothing is removed; but there are federations of {found}. Is one of them meant?",
        "{domain} のフェデレーションはないため、何も削除しません。ただし {found} のフェデレーションがあります。そのどれかを意図していないか確認してください",
    ),
    "group_stays": Text(
        "{dn}: a group cannot be enabled or disabled, so it is left as it is; state=absent removes it",
        "{dn}: グループは有効化・無効化できないため、そのままにします（state=absent で削除します）",
    ),
    "right_of_nobody": Text(
        "{name}: {members} was taken out of {right}, and is none of the accounts now. An account that was made again has another SID: give it the right by "
        "name (state=present)",
        "{name}: {members} は {right} から外されていますが、現在のアカウントのどれでもありません。作り直したアカウントはSIDが異なるため、"
        "名前を指定して権限を与えてください（state=present）",
    ),
    "right_denies": Text(
        "{name}: {right} denies; until the account is removed too, it may do what was denied to it there",
        "{name}: {right} は拒否の権利です。アカウントを削除するまで、拒否していたことがアカウントに許可されます",
    ),
    "item_is_mixed": Text(
        "{name}: the preference item {item} has a list with other hosts besides; take the hosts out of it by hand",
        "{name}: 基本設定の項目 {item} の一覧には他のホストもあります。該当するホストは手作業で外してください",
    ),
    "item_once": Text(
        "{name}: the preference item {item} is applied once and not again, so that clients would not see it changed into a deletion; replace it by hand with a "
        "new item that deletes the value, or takes the hosts out of it",
        "{name}: 基本設定の項目 {item} は一度だけ適用されるため、削除に変更しても適用済みの端末には反映されません。値を削除する（または該当するホストを除く）"
        "新しい項目を手作業で作成してください",
    ),
    "entry_is_broader": Text(
        "{name}: {place} has {entry}, which means more than the hosts, and stays; decide about it",
        "{name}: {place} の {entry} は対象のホスト以外も含むため、そのままにします。扱いを検討してください",
    ),
    "versions_not_compared": Text(
        "the versions on the domain controller {name} could not be compared: {msg}",
        "ドメインコントローラー {name} のバージョンを比較できませんでした。原文（英語）: {msg}",
    ),
    "replication_pending": Text(
        "the policy {name} ({guid}) has another version on {controller}; it is not replicated yet (replication_pending)",
        "ポリシー {name}（{guid}）は {controller} でバージョンが異なり、まだ複製されていません（replication_pending）",
    ),
    # machines
    "certificates_unreadable": Text(
        "{host}: {number} of the certificates cannot be read, so it is not known whose they are: {names}",
        "{host}: 証明書{number}件を読み取れないため、何の証明書か分かりません: {names}",
    ),
    "no_copy_of_a_setting": Text(
        "{path} has no copy of a setting of {host}, so there is nothing to bring back", "{path} に {host} の設定のコピーがないため、元に戻すものはありません"
    ),
    "users_not_signed_in": Text(
        "nothing is known of the settings of {number} of the users of {host}, who are not signed in: {names}",
        "{host} の利用者{number}人はサインインしていないため、設定を確認できません: {names}",
    ),
    "setting_is_broader": Text(
        "{path} has {entry}, which means more than the hosts, and stays; decide about it",
        "{path} の {entry} は対象のホスト以外も含むため、そのままにします。扱いを検討してください",
    ),
    "policy_brings_back": Text(
        "{value} comes back at the next refresh of the group policy {policies}, which sets it; take the hosts out of the policy first (group_policy_registry)",
        "{value} はグループポリシー {policies} で設定されているため、次回のポリシー更新で元に戻ります。先にポリシーからホストを外してください"
        "（group_policy_registry）",
    ),
    "a_policy_may_bring_back": Text(
        "if a group policy sets them, these come back at its next refresh; take the hosts out of the policy first (group_policy_registry): {values}",
        "グループポリシーで設定されている場合、次回のポリシー更新で元に戻ります。先にポリシーからホストを外してください（group_policy_registry）: {values}",
    ),
    "installed_for_one": Text(
        "{name} is installed for the account {account} alone, and only that account can uninstall it: sign in as it, or, where its files are gone, take its "
        "entry {key} out of the registry. It stays",
        "{name} はアカウント {account} だけにインストールされており、そのアカウントでのみアンインストールできます。そのアカウントでサインインするか、"
        "ファイルがない場合はレジストリの {key} を削除してください。このままにします",
    ),
    "not_restarted": Text(
        "{machines}: a password filter was unregistered there too, and the task does not name it, so it is not restarted",
        "{machines}: パスワードフィルターの登録を解除しましたが、タスクに指定がないため再起動しません",
    ),
    "orphan_crontab": Text(
        "{path} is the crontab of a user who does not exist; cron passes it over, and so does this task",
        "{path} は存在しない利用者のcrontabです。cronは実行しないため、このタスクでも対象にしません",
    ),
    "entries_name_it": Text(
        "{name} is named by other entries of OpenLDAP, which stay as they are: {entries}. Take it out of them by hand: another account of that name would have "
        "what they give",
        "{name} はOpenLDAPのほかのエントリーに登録されたままで、変更しません: {entries}。同じ名前のアカウントを作るとその権限が与えられるため、"
        "手動で外してください",
    ),
    "entries_not_searched": Text(
        "whether entries below {base} name {name} could not be found out",
        "{base} 以下のエントリーに {name} が登録されているかどうかを確認できませんでした",
    ),
    "timers_not_known": Text(
        "{path} cannot be read; whether that user has units of systemd is not known",
        "{path} を読み取れないため、その利用者のsystemdユニットの有無は不明です",
    ),
    "not_written_in_place": Text(
        "{name} lies on {file_system}, which does not write new contents over the old ones: what lay there stays on the disk until it is used again. Revoke "
        "the token.",
        "{name} は {file_system} 上にあり、上書きしても元の内容がディスクに残ります（領域が再利用されるまで）。トークンを失効させてください。",
    ),
}
