# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read of a record, in both languages: the exit's own phrases and those of `_core.phrases`, found again in English, and told in Japanese. Pure."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

from .._core import codes
from .._core import phrases as common
from .._core.text import Text

#: the way out of a closed gate
GATE_AGAIN = Text(
    "Run offboard.iij_id.gate (it only reads, unless it switches IIJ ID's app off), then this stage again. Nothing was changed.",
    "offboard.iij_id.gate（IIJ IDのアプリを無効化する場合を除き読み取りのみ）を実行してから、この段階を再実行してください。何も変更していません。",
)

#: the way out where nobody knows who can sign in
DOMAINS_AGAIN = Text(
    "Run offboard.iij_id.domains from its beginning: it looks at the people before it converts a domain. Nothing was changed.",
    "offboard.iij_id.domains を最初から実行してください（ドメインの変換前に利用者を確認します）。何も変更していません。",
)

#: by name, as in `_core.phrases`; those that only the exit says
OF_EXIT: dict[str, Text] = {
    "no_snapshot_for_users": Text(
        "check mode: there is no snapshot at {path} yet, so nothing is planned for the users, and a real run would stop here: run offboard.iij_id.snapshot "
        "first",
        "チェックモード: {path} にはまだスナップショットがないため、利用者については計画していません。実際の実行ではここで停止します。先に "
        "offboard.iij_id.snapshot を実行してください",
    ),
    "no_client_id": Text("offboard_iij_client_id is empty", "offboard_iij_client_id が空です"),
    # why the gate is closed, or open
    "gate_open": Text("IIJ ID changes nothing any more.", "IIJ IDによる変更はもうありません。"),
    "gate_no_client_id": Text(
        "offboard_iij_client_id is empty, so the audit log cannot tell whether IIJ ID still changes the tenant. Set it to the Client ID that the console of "
        "IIJ ID shows for Microsoft 365, or set microsoft_365_evidence_hours: 0 to rely on the person's word.",
        "offboard_iij_client_id が空のため、IIJ IDがまだテナントを変更しているか監査ログで確認できません。IIJ IDコンソールのMicrosoft 365の設定に"
        "表示されるクライアントIDを指定するか、担当者の確認のみに頼る場合は microsoft_365_evidence_hours: 0 を設定してください。",
    ),
    "gate_no_app": Text(
        "The tenant has no application {client_id}, not even a deleted one, so nothing says that IIJ ID changes nothing any more. Is offboard_iij_client_id "
        "the Client ID that the console of IIJ ID shows? If the app was deleted over 30 days ago, set microsoft_365_evidence_hours: 0.",
        "テナントにアプリ {client_id} がなく（削除済みのものもなし）、IIJ IDによる変更がないことを確認できません。offboard_iij_client_id が"
        "IIJ IDコンソールのクライアントIDと一致するか確認してください。アプリを30日より前に削除した場合は microsoft_365_evidence_hours: 0 を"
        "設定してください。",
    ),
    "gate_clock": Text(
        "The clock of this machine and Microsoft's differ by {minutes} minutes, so nobody can say what IIJ ID did after its stop. Set this machine's clock "
        "(NTP), withdraw the step provisioning_stopped and confirm it again, since its time is of the wrong clock, and run this stage again.",
        "このマシンの時計とMicrosoftの時計が{minutes}分ずれているため、停止後にIIJ IDによる変更があったか判断できません。時計を合わせ（NTP）、"
        "手順 provisioning_stopped を取り消して確認し直し（日時がずれているため）、この段階を再実行してください。",
    ),
    "still_active": Text(
        "IIJ ID still changes the tenant (in the audit log {when}: {number}, the last one at {last}). What the next stages repair, IIJ ID would undo. "
        "{way_out}",
        "IIJ IDがまだテナントを変更しています（監査ログに{number}件、{when}、最後は {last}）。修復しても元に戻されます。{way_out}",
    ),
    "stop_later": Text(
        "IIJ ID's service principal was switched off at {at}, but an access token that it got before stays good for up to {minutes} minutes. "
        "Stop the provisioning in the console of IIJ ID at {until} or later: then the stop can block nobody. Until then its console shows errors, which is "
        "as it should be. When it is done, confirm the step {step} and run this stage again. (microsoft_365_token_minutes: 0 does not wait.)",
        "IIJ IDのサービスプリンシパルは {at} に無効化しましたが、それ以前に発行されたアクセストークンは最長{minutes}分間有効です。"
        "IIJ IDコンソールでのプロビジョニング停止は {until} 以降に行ってください（停止しても利用者はブロックされません）。それまでコンソールに"
        "エラーが表示されますが、問題ありません。停止後に手順 {step} を確認し、この段階を再実行してください。"
        "（microsoft_365_token_minutes: 0 で待たずに進みます。）",
    ),
    "still_federated": Text(
        "Still federated: {domains}. People sign in there through IIJ ID, so what this task does comes too early. Nothing was changed. Run "
        "offboard.iij_id.domains first.",
        "まだフェデレーションされています: {domains}。利用者がIIJ ID経由でサインインしているため、この作業にはまだ早すぎます。"
        "何も変更していません。先に offboard.iij_id.domains を実行してください。",
    ),
    "since": Text("since {start}", "{start} 以降"),
    "within_hours": Text("within the last {hours} hours", "直近{hours}時間"),
    "token_until": Text(
        "A token that its app got before it was switched off may be good until {until}: run this stage again after that.",
        "無効化前に発行されたトークンは {until} まで有効な可能性があります。その後にこの段階を再実行してください。",
    ),
    "off_for_everybody": Text(
        "Is the provisioning off for everybody? If it is, and these came of the stop itself, withdraw the step provisioning_stopped and confirm it "
        "again: what came before does not count. Else run this stage again later, or set microsoft_365_evidence_hours: 0 to rely on the person's word.",
        "すべての利用者のプロビジョニングが停止していますか。停止済みで、これが停止処理自体の記録であれば、手順 provisioning_stopped を取り消して"
        "確認し直してください（それ以前の記録は数えません）。そうでなければ後で再実行するか、担当者の確認のみに頼る場合は "
        "microsoft_365_evidence_hours: 0 を設定してください。",
    ),
    "gate_no_verdict": Text(
        f"The run folder holds no verdict of the gate, so nobody knows whether IIJ ID still changes the tenant. {GATE_AGAIN.en}",
        f"実行フォルダーにゲートの判定がなく、IIJ IDがまだテナントを変更しているか分かりません。{GATE_AGAIN.ja}",
    ),
    "gate_stays_closed": Text(
        f"The gate's verdict of {{at}} is that it stays closed: {{reasons}} {GATE_AGAIN.en}",
        f"ゲートは閉じたままです（{{at}} の判定）: {{reasons}}{GATE_AGAIN.ja}",
    ),
    "gate_doubted": Text(f"The gate's verdict {{why}}. {GATE_AGAIN.en}", f"ゲートの判定{{why}}。{GATE_AGAIN.ja}"),
    # why a verdict does not count: after "The verdict"
    "is_of_other_tenant": Text("is for the tenant {found}, and this task works on {tenant}", "はテナント {found} のもので、このタスクの対象は {tenant} です"),
    "is_yet_to_come": Text("is of {at}, which is yet to come; is a clock wrong?", "の日時 {at} が未来になっています（時計を確認してください）"),
    "is_too_old": Text(
        "is of {at}, older than the {hours} hours for which it is believed (offboard_gate_max_age_hours)",
        "は {at} のもので、有効期間の{hours}時間（offboard_gate_max_age_hours）を過ぎています",
    ),
    "is_before_app_back": Text(
        "is of {at}, and IIJ ID's app was brought back later, at {back}", "は {at} のもので、その後（{back}）にIIJ IDのアプリを元に戻しています"
    ),
    "is_of_before_the_stop": Text(
        "is of {at}, and the stop was confirmed later, at {stopped_at}; it says nothing of what came after that",
        "は {at} のもので、停止の確認（{stopped_at}）より前です。その後の変更を含みません",
    ),
    "is_of_other_domains": Text("was reached for {found}, not for {missing}", "は {found} についてのもので、{missing} が含まれていません"),
    # who can sign in
    "sign_in_not_judged": Text(
        f"The run folder does not say whether everybody could sign in after the conversion: nobody has looked. {DOMAINS_AGAIN.en}",
        f"変換後に全員がサインインできるかどうかの記録が実行フォルダーにありません（未確認）。{DOMAINS_AGAIN.ja}",
    ),
    "sign_in_doubted": Text(f"The verdict on who can sign in {{why}}. {DOMAINS_AGAIN.en}", f"サインイン可否の判定{{why}}。{DOMAINS_AGAIN.ja}"),
    "sign_in_no_way": Text(
        "of {at} is that {number} of the users will have no way to sign in: {names}. Let them have a password, name who signs in otherwise in "
        "microsoft_365_signs_in_otherwise, or accept it by name (microsoft_365_accepted_no_way_in) or number (microsoft_365_accepted_no_way_in_count)",
        "（{at}）では、{number}人にサインインの手段がありません: {names}。パスワードを設定するか、他の方法でサインインする利用者を "
        "microsoft_365_signs_in_otherwise に指定するか、名前（microsoft_365_accepted_no_way_in）または人数"
        "（microsoft_365_accepted_no_way_in_count）で許容してください",
    ),
    # what a run folder lacks
    "no_run_folder": Text(
        "There is no run folder {folder}, and none was made. Give the same -i and -e as in the run itself (offboard_run_dir; in AWX the inventory has it); if "
        "nothing was run yet, begin with offboard.iij_id.preflight.",
        "実行フォルダー {folder} がありません（作成もしていません）。実行時と同じ -i と -e を指定してください（offboard_run_dir。AWX では"
        "インベントリーの変数）。まだ何も実行していない場合は offboard.iij_id.preflight から始めてください。",
    ),
    "run_folder_is_file": Text(
        "There is no run folder {folder} (that is a file), and none was made. Give the same -i and -e as in the run itself (offboard_run_dir; in AWX the "
        "inventory has it); if nothing was run yet, begin with offboard.iij_id.preflight.",
        "{folder} は実行フォルダーではなくファイルです。実行時と同じ -i と -e を指定してください（offboard_run_dir。AWX では"
        "インベントリーの変数）。まだ何も実行していない場合は offboard.iij_id.preflight から始めてください。",
    ),
    "no_step": Text("There is no step {step}. Recorded steps: {steps}.", "手順 {step} はありません。記録済みの手順: {steps}。"),
    "no_step_yet": Text(
        "There is no step {step}. Recorded steps: none is recorded yet; run the stage preflight first.",
        "手順 {step} はまだ記録されていません。先に preflight を実行してください。",
    ),
    "requires_missing": Text(
        "What this task writes lies in the run folder of an exit ({folder} holds {files}), and it does not say what must be true there before it changes "
        "anything. Nothing was changed. Play the stage, or give `requires` as the roles do; for work that is no part of the exit, give a journal of its own "
        "elsewhere.",
        "このタスクの書き込み先は脱退作業の実行フォルダー（{folder} に {files} があります）ですが、変更前に満たすべき条件の指定がありません。"
        "何も変更していません。段階のプレイブックを実行するか、ロールと同様に `requires` を指定してください。脱退以外の作業では、別の場所の作業記録を"
        "指定してください。",
    ),
    "no_snapshot": Text(
        "There is no complete snapshot in {folder}. Nothing is changed without one: run offboard.iij_id.snapshot first, or name the run folder that has it by "
        "offboard_run_dir.",
        "{folder} に完全なスナップショットがありません。スナップショットなしでは何も変更しません。先に offboard.iij_id.snapshot を実行するか、"
        "スナップショットのある実行フォルダーを offboard_run_dir に指定してください。",
    ),
    "snapshot_lost": Text(
        "There is no {path}, although the journal has one of {taken}, and later changes of what it held, the last of {changed}. A new one would keep what the "
        "exit has changed as if it had been so before, so none was taken. Restore it from a backup.",
        "{path} がありませんが、ジャーナルには {taken} の保存と、その後の対象の変更（最後は {changed}）が記録されています。取り直すと、変更後の状態が"
        "変更前の状態として残るため、保存していません。バックアップから復元してください。",
    ),
    "snapshot_lacks": Text(
        "The snapshot {folder} of {taken} does not hold {names}, so nothing could bring it back. Nothing was changed. A snapshot is never overwritten: take "
        "one in a run folder of its own (offboard_run_dir) for what it lacks; users who were given a name of these domains since can be left out "
        "(microsoft_365_exclude), and are then a person's to look after.",
        "スナップショット {folder}（{taken}）に {names} がないため、元に戻せません。何も変更していません。スナップショットは上書きされません。"
        "不足分は別の実行フォルダー（offboard_run_dir）で取得してください。取得後にこれらのドメインの名前になった利用者は microsoft_365_exclude で除外し、"
        "個別に対応できます。",
    ),
    "snapshot_of_other_tenant": Text(
        "The snapshot {folder} was taken of the tenant {found}, and this task works on {tenant}: it says nothing about that one. Nothing was changed. Use the "
        "run folder of this tenant (offboard_run_dir).",
        "スナップショット {folder} はテナント {found} のもので、このタスクの対象 {tenant} のものではありません。何も変更していません。対象テナントの"
        "実行フォルダー（offboard_run_dir）を使用してください。",
    ),
    "no_saved_file": Text(
        "There is no {name} in {folder}. Nothing is changed that was not saved before: run offboard.iij_id.snapshot first, or name the run folder that has it "
        "by offboard_run_dir.",
        "{folder} に {name} がありません。保存していないものは変更しません。先に offboard.iij_id.snapshot を実行するか、保存済みの実行フォルダーを "
        "offboard_run_dir に指定してください。",
    ),
    "not_saved": Text(
        "The snapshot {folder} does not hold {names}: they were not named when it was taken. Nothing was changed. Run offboard.iij_id.snapshot again; it "
        "saves what is named now in addition.",
        "スナップショット {folder} に {names} がありません（取得時に指定されていませんでした）。何も変更していません。offboard.iij_id.snapshot を"
        "再実行してください（今指定されているものを追加で保存します）。",
    ),
    # how to go back
    "undo_withdraw": Text("withdraw the step {step}", "手順 {step} の確認を取り消す"),
    "undo_confirm": Text("confirm the step {step} again", "手順 {step} を再度確認する"),
}
PHRASES: dict[str, Text] = common.PHRASES | OF_EXIT


def told(name: str, /, **values: Text | str | int) -> Text:
    """A phrase of either catalogue with its values, of which a Text is in the language of the phrase. Raises KeyError for one that is in neither."""
    both = {field: value if isinstance(value, Text) else Text.same(str(value)) for field, value in values.items()}
    phrase = PHRASES[name]
    return Text(phrase.en.format(**{field: value.en for field, value in both.items()}), phrase.ja.format(**{field: value.ja for field, value in both.items()}))


def english(which: str, /, **values: str | int) -> str:
    """A phrase of either catalogue with its values, as records keep it."""
    return PHRASES[which].en.format(**values)


def joined(parts: list[Text], english: str = "; ", japanese: str = "、") -> Text:
    """Several, one after the other."""
    return Text(english.join(part.en for part in parts), japanese.join(part.ja for part in parts))


#: characters of the Japanese by which a text that has been told in both languages is known
_ALREADY = 10
#: objects that are named with a refusal
_NAMED = 5
#: values that are phrases themselves
_NESTED = frozenset({"when", "way_out", "reasons", "why"})


@functools.cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """What an English phrase looks like, those with the most words first: they say the most."""
    made = {}
    for name, text in PHRASES.items():
        parts = [(re.escape(literal), field) for literal, field, _spec, _conversion in string.Formatter().parse(text.en)]
        made[name] = re.compile("".join(literal + (f"(?P<{field}>.+?)" if field else "") for literal, field in parts), re.DOTALL)
    words = {name: len(re.sub(r"{\w+}", "", text.en)) for name, text in PHRASES.items()}
    return sorted(made.items(), key=lambda item: -words[item[0]])


def understood(record: str) -> Text | None:
    """A phrase of a record in both languages; None when the catalogue has none like it."""
    for name, pattern in _patterns():
        if found := pattern.fullmatch(record):
            values = found.groupdict()
            values |= {field: _nested(values[field]) for field in _NESTED & values.keys()}
            return Text(record, PHRASES[name].ja.format(**values))
    return None


def in_language(record: str, language: str) -> str:
    """A record as its reader wants it; as it is where the catalogue has none like it, and where it has been told in both languages."""
    found = understood(record) if language else None
    return record if found is None or f" / {found.ja[:_ALREADY]}" in record else found.told(language)


def _nested(record: str) -> str:
    """A phrase in a phrase, in Japanese; an English sentence that the catalogue has not is called that."""
    if (found := understood(record)) is not None:
        return found.ja
    return f"原文（英語）: {record}" if record.endswith(".") and not in_japanese(record) else record


def in_japanese(record: str) -> bool:
    """Whether a sentence of it is Japanese. Of an English one, the names of people, groups and folders may be."""
    return "。" in record


def reasons(records: list[str]) -> Text:
    """Several phrases of a record. One that the catalogue has not (it was written by another release) is shown as it is."""
    return joined([understood(record) or Text.same(record) for record in records])


def first_of(records: Sequence[str], limit: int = 10) -> Text:
    """So many phrases of a record as `reasons` has them, and how many more there are."""
    told, more = joined([understood(record) or Text.same(record) for record in records[:limit]], ", ", "、"), len(records) - limit
    return Text(f"{told.en} (+{more})", f"{told.ja}（ほか{more}件）") if more > 0 else told


def _japanese(record: str) -> str:
    found = understood(record)
    return found.ja if found else record


def refused(refusal: Mapping[str, Any]) -> Text:
    """A refusal of a record (`rule`, `msg`, `objects`, `allow_with`), with what would allow it."""
    allow, objects = str(refusal.get("allow_with") or ""), list(refusal.get("objects") or ())
    told = by_code(str(refusal["rule"]), str(refusal["msg"]))
    about = f"（{', '.join(objects[:_NAMED])}{f' ほか{len(objects) - _NAMED}件' if len(objects) > _NAMED else ''}）" if objects else ""
    return Text(
        told.en + (f" Allowed by: {allow}." if allow else ""),
        f"{told.ja}{'' if understood(str(refusal['msg'])) else about}。" + (f"許可する設定: {_japanese(allow)}" if allow else ""),
    )


#: as Microsoft writes permissions: Policy.Read.All, Domain-InternalFederation.Read.All
_PERMISSION = re.compile(r"(?<![\w.-])[A-Z][A-Za-z]+(?:-[A-Z][A-Za-z]+)*(?:\.[A-Z][A-Za-z]+)+\b")


def permissions(japanese: str, *messages: str) -> str:
    """`japanese` with the permissions of Microsoft Graph that English messages name."""
    found = dict.fromkeys(name for msg in messages for name in _PERMISSION.findall(msg))
    return f"{japanese}（{', '.join(found)}）" if found else japanese


def by_code(code: str, msg: str) -> Text:
    """A message whose words only the English has (an error, a refusal, a reason to leave somebody alone): in Japanese what its code means."""
    meaning = codes.meaning(code)
    return understood(msg) or Text(msg, permissions(meaning.ja.rstrip("。") if meaning else f"コード {code}" if code else "理由は英語の記録を参照", msg))
