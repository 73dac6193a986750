# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sign-in log says of the users of converted domains: arrived, tried and failed, not seen yet. Pure."""

from __future__ import annotations

import datetime
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..._core import names, plain
from ..._core.marks import Marks, mark
from ..._core.text import Text, counted

ARRIVED, FAILED, NOT_SEEN, BLOCKED, NOT_KNOWN = "arrived", "failed", "not_seen", "blocked", "not_known"
STATES = (ARRIVED, FAILED, NOT_SEEN, BLOCKED, NOT_KNOWN)
#: as the watch of the certificates has them
SEVERITIES = ("ok", "warning", "critical", "unknown")

#: So many sign-ins with a wrong name or password from one address are told: an attack, or passwords handed to the wrong people.
SUSPICIOUS = 20
MOST_ADDRESSES = 10_000
#: Entries that are told apart at once. The log is in the order of time, so that what comes twice comes soon again.
_RECENT = 20_000
_WRONG_PASSWORD = 50126
#: of Int32, which Graph's errors are
_LARGEST_CODE = 2**31


class SignInError(NamedTuple):
    """An error of the sign-in service. on_the_way: the user is asked for something, and may go on by themselves. untried: they have not even been asked yet,
    so that it takes no other error's place."""

    reason: Text
    remedy: Text
    on_the_way: bool = False
    untried: bool = False


_ENROL = Text(
    "They register a second factor where the sign-in asks for it. If a policy forbids that where they are, let them do it at the office, or give them a "
    "Temporary Access Pass.",
    "画面の案内に従って認証方法を登録する。その場所での登録がポリシーで禁止されている場合は、社内で登録するか、一時アクセスパスを発行する。",
)
_REGISTER_ELSEWHERE = Text(
    "Let them do it at the office or on another device, or give them a Temporary Access Pass.", "社内や別の端末で登録するか、一時アクセスパスを発行する。"
)
_CACHED = Text(
    "Let them close the browser and sign in anew. If it stays, look whether the domain is managed (entra_domain_info): the change takes up to an hour.",
    "ブラウザーを閉じてサインインし直す。続く場合は、ドメインがマネージドか（entra_domain_info で）確認する（反映に最大1時間かかる）。",
)

_ANSWER = Text(
    "They answer the request. Without their device, give them a Temporary Access Pass.", "要求に応答する。端末がない場合は一時アクセスパスを発行する。"
)
_SIGN_IN = Text("They sign in where the page or the app asks for it.", "画面またはアプリの案内に従ってサインインする。")

#: learn.microsoft.com/entra/identity-platform/reference-error-codes
CODES: Mapping[int, SignInError] = {
    50126: SignInError(
        Text("Wrong user name or password.", "ユーザー名またはパスワードが違う。"),
        Text(
            "Compare with their letter; they may type the old password. Else give them a new one (stage passwords, or by hand).",
            "通知書の内容と照合する（旧パスワードを入力している場合もある）。解決しなければ新しいパスワードを設定する。",
        ),
    ),
    50055: SignInError(
        Text("The password has to be changed first.", "パスワードの変更が必要。"),
        Text("They change it where the sign-in asks for it.", "画面の案内に従って変更する。"),
        on_the_way=True,
    ),
    50053: SignInError(
        Text("Locked after too many wrong attempts, or from an address that is known for attacks.", "試行回数の超過、または悪意のあるIPアドレスによるロック。"),
        Text(
            "Wait for the lock to end (a minute, longer each time), and look for a program that still uses the old password.",
            "ロックの解除を待つ（最初は1分、繰り返すと長くなる）。旧パスワードを使い続けるプログラムがないか確認する。",
        ),
    ),
    50057: SignInError(
        Text("The account is disabled.", "アカウントが無効。"),
        Text(
            "Run the stage users, or enable them by microsoft_365_also_enable (whoever is not in the snapshot by microsoft_365_users_src).",
            "usersの段階を再実行するか、microsoft_365_also_enable（スナップショットにない利用者は microsoft_365_users_src）に指定する。",
        ),
    ),
    50034: SignInError(
        Text("There is no such user in the tenant.", "テナントに該当する利用者がいない。"),
        Text("They have to sign in with their user principal name.", "ユーザープリンシパル名でサインインする。"),
    ),
    50056: SignInError(
        Text("There is no password for the user in Entra.", "Entraにパスワードが登録されていない。"),
        Text(
            "Run the stage passwords; for synchronized users look whether password hashes are synchronized.",
            "passwordsの段階を再実行する。同期された利用者はパスワードハッシュ同期を確認する。",
        ),
    ),
    50072: SignInError(Text("A second factor has to be registered.", "認証方法の登録が必要。"), _ENROL, on_the_way=True),
    50079: SignInError(Text("A second factor has to be registered.", "認証方法の登録が必要。"), _ENROL, on_the_way=True),
    50074: SignInError(
        Text("The second factor was asked for and not given.", "多要素認証が完了していない。"),
        _ANSWER,
        on_the_way=True,
    ),
    50076: SignInError(
        Text("A second factor is asked for.", "多要素認証が必要。"),
        _ANSWER,
        on_the_way=True,
    ),
    50078: SignInError(Text("The second factor is too old for the policy.", "多要素認証の有効期限切れ。"), _ANSWER, on_the_way=True),
    50158: SignInError(
        Text("The second factor of another provider was not given.", "外部プロバイダーの多要素認証が完了していない。"),
        Text(
            "They answer it there. If the provider is IIJ ID, take it out of the policy of Conditional Access (entra_references_info finds custom controls).",
            "外部プロバイダーの画面で応答する。IIJ IDの場合は、条件付きアクセスのポリシーから外す（カスタムコントロールはentra_references_infoで確認）。",
        ),
    ),
    500121: SignInError(
        Text("The second factor was refused, or not given in time.", "多要素認証が拒否されたか、時間内に完了しなかった。"),
        Text(
            "They try again; without their device, give them a Temporary Access Pass. If it was not they who tried, somebody has their password.",
            "もう一度試す。端末がない場合は一時アクセスパスを発行する。本人の操作でない場合はパスワードが漏れている。",
        ),
    ),
    50125: SignInError(
        Text("A reset of the password, or what that needs, has to be registered first.", "パスワードのリセット、またはそのための登録が必要。"),
        Text("They do so where the sign-in asks for it.", "画面の案内に従って操作する。"),
        on_the_way=True,
    ),
    50058: SignInError(Text("Not signed in yet.", "まだサインインしていない。"), _SIGN_IN, on_the_way=True, untried=True),
    16000: SignInError(Text("Asked with which account to sign in.", "アカウントの選択中。"), _SIGN_IN, on_the_way=True, untried=True),
    **dict.fromkeys(
        (50132, 50133),
        SignInError(Text("The session ended with the new password.", "パスワードの変更によりセッションが終了した。"), _SIGN_IN, on_the_way=True, untried=True),
    ),
    **dict.fromkeys(
        (50089, 70008, 700082, 700084, 70043),
        SignInError(Text("The session, or the page, is too old.", "セッションまたは画面の有効期限切れ。"), _SIGN_IN, on_the_way=True, untried=True),
    ),
    **dict.fromkeys(
        (50168, 51006, 81004, 81005, 81006, 81007, 81009, 81010, 81011, 81012),
        SignInError(
            Text(
                "Signing in without being asked (the Windows account, Kerberos) did not work.",
                "自動サインイン（Windowsのアカウント、Kerberos）ができなかった。",
            ),
            _SIGN_IN,
            on_the_way=True,
            untried=True,
        ),
    ),
    50173: SignInError(
        Text("The session of before the conversion was revoked.", "変換前のセッションが取り消された。"), _SIGN_IN, on_the_way=True, untried=True
    ),
    50140: SignInError(
        Text("Asked whether to stay signed in.", "サインイン状態の維持の確認中。"), Text("They answer it.", "画面の質問に答える。"), on_the_way=True
    ),
    50199: SignInError(
        Text("Asked whether it is the app that they meant.", "サインイン先のアプリの確認中。"), Text("They answer it.", "画面の質問に答える。"), on_the_way=True
    ),
    50135: SignInError(
        Text("The password has to be changed, since it may be known to others.", "漏えいのおそれがあるため、パスワードの変更が必要。"),
        Text("They change it where the sign-in asks for it.", "画面の案内に従って変更する。"),
        on_the_way=True,
    ),
    50144: SignInError(
        Text("The password in Active Directory has expired.", "Active Directoryのパスワードの期限切れ。"),
        Text("They change it in Active Directory.", "Active Directoryでパスワードを変更する。"),
    ),
    50107: SignInError(Text("It still asks for the federation that is no more.", "廃止したフェデレーションを参照している。"), _CACHED),
    50008: SignInError(Text("It still came with a token of the federation.", "フェデレーションのトークンが使われている。"), _CACHED),
    53000: SignInError(
        Text("Conditional Access wants a compliant device.", "条件付きアクセスが準拠済みデバイスを要求している。"),
        Text("Enrol the device, or exclude the user while that is done.", "デバイスを登録するか、その間は対象から除外する。"),
    ),
    53001: SignInError(
        Text("Conditional Access wants a device of the domain.", "条件付きアクセスがドメイン参加済みデバイスを要求している。"),
        Text("They use such a device, or exclude the user while it is joined.", "該当するデバイスを使うか、参加させるまで対象から除外する。"),
    ),
    50097: SignInError(Text("The device has to prove itself.", "デバイスの認証が必要。"), _SIGN_IN, on_the_way=True),
    50129: SignInError(Text("The device has to be registered.", "デバイスの登録が必要。"), _SIGN_IN, on_the_way=True),
    53002: SignInError(
        Text("Conditional Access wants an approved app.", "条件付きアクセスが承認済みアプリを要求している。"),
        Text("They use one of the approved apps.", "承認済みアプリを使う。"),
    ),
    53004: SignInError(
        Text("A second factor has to be registered, and the risk forbids it.", "認証方法の登録が必要だが、リスクにより禁止されている。"), _REGISTER_ELSEWHERE
    ),
    53010: SignInError(
        Text("A second factor has to be registered, and a policy forbids it there.", "認証方法の登録が必要だが、その場所や端末ではポリシーで禁止されている。"),
        _REGISTER_ELSEWHERE,
    ),
    **dict.fromkeys(
        (530032, 530035),
        SignInError(
            Text(
                "The security defaults or another security policy of the tenant block it.",
                "セキュリティの既定値群などのテナントのポリシーによりブロックされた。",
            ),
            Text("Legacy clients have to be replaced; else look which policy it was.", "レガシークライアントは置き換え、そうでなければポリシーを確認する。"),
        ),
    ),
    **dict.fromkeys(
        (80001, 80002, 80005, 80007, 80010, 80013, 80014),
        SignInError(
            Text("The agents of pass-through authentication could not check the password.", "パススルー認証のエージェントがパスワードを検証できなかった。"),
            Text("Look at the agents, and whether they reach a domain controller.", "エージェントの状態と、ドメインコントローラーへの接続を確認する。"),
        ),
    ),
    **dict.fromkeys(
        (70001, 700016, 7000112),
        SignInError(
            Text("The application is disabled, or is no more.", "アプリケーションが無効か、存在しない。"),
            Text(
                "Of IIJ ID's application that is as it should be: they open the other service itself. Any other one is to be enabled again.",
                "IIJ IDのアプリケーションなら想定どおりで、利用先のサービスを直接開く。それ以外は有効に戻す。",
            ),
        ),
    ),
    53003: SignInError(
        Text("Conditional Access blocks it.", "条件付きアクセスによりブロックされた。"),
        Text(
            "The entry in the admin center names the policy. Legacy clients have to be replaced; else correct the policy.",
            "管理センターのログでポリシーを確認する。レガシークライアントは置き換え、そうでなければポリシーを見直す。",
        ),
    ),
    50105: SignInError(
        Text("The user is not assigned to the application.", "アプリケーションに割り当てられていない。"),
        Text("Assign the user, or a group of theirs, to the application.", "利用者またはグループをアプリに割り当てる。"),
    ),
    **dict.fromkeys(
        (65001, 90094, 90095),
        SignInError(
            Text("Nobody has consented to the application.", "アプリケーションへの同意がない。"),
            Text("An administrator consents to it.", "管理者が同意する。"),
        ),
    ),
}
_OTHER = SignInError(
    Text("Another error of the sign-in service.", "その他のエラー。"),
    Text("Look the code up at https://login.microsoftonline.com/error.", "https://login.microsoftonline.com/error でコードを調べる。"),
)


def code_of(number: int) -> SignInError:
    """What an error means; a general word for one that is not in the table."""
    return CODES.get(number, _OTHER)


def moment(text: str) -> int:
    """Seconds since 1970. Raises ValueError, also for a time without a zone."""
    found = datetime.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without a zone")
    return int(found.timestamp())


def text_of(seconds: int) -> str:
    """RFC 3339, UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Recent:
    """Whether something came lately; of the last ones only, so that it stays small."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, ...], None] = {}

    def has(self, *one: str) -> bool:
        """Whether it did; from now on it has."""
        if one in self._last:
            return True
        self._last[one] = None
        if len(self._last) > _RECENT:
            del self._last[next(iter(self._last))]
        return False


class Log:
    """What the log has told so far, in some 20 bytes for each user of the domains, whatever the number of entries."""

    def __init__(self, since: Iterable[tuple[str, int]]) -> None:
        """since: of each user the id, and from when on a sign-in counts."""
        of: dict[int, int] = {}  # few different times: the conversions of the domains
        marks, times = array("Q"), array("H")
        for user_id, start in since:
            marks.append(mark(names.uuid(user_id)))
            times.append(of.setdefault(start, len(of)))
        self._starts = list(of)
        self._users = Marks(marks)
        count = len(self._users)
        self._start = array("H", bytes(2 * count))
        for one, time in zip(marks, times, strict=True):
            self._start[self._users.place_of(one)] = time
        self._arrived, self._failed, self._code = array("q", bytes(8 * count)), array("q", bytes(8 * count)), array("q", bytes(8 * count))
        #: how many entries of the users there were, and addresses by the number of wrong passwords
        self.entries = 0
        self._addresses: Counter[str] = Counter()
        #: whether there were more addresses than are counted
        self.addresses_cut = False
        self._seen, self._wrong = _Recent(), _Recent()

    def add(self, entry: Mapping[str, Any]) -> None:
        """One entry, in whatever order. What is no sign-in of one of the users after the conversion, or tells no outcome, is passed over; so is what no
        person did: a program goes on with a token from before."""
        place = self._users.place(mark(names.uuid(str(entry.get("userId") or ""))))
        if place is None:
            return
        status = entry.get("status")
        number = status.get("errorCode") if isinstance(status, Mapping) else None
        try:
            at = moment(str(entry.get("createdDateTime")))
        except (ValueError, OverflowError):
            return
        if at < self._starts[self._start[place]] or not isinstance(number, int) or isinstance(number, bool) or abs(number) > _LARGEST_CODE:
            return
        key = str(entry.get("id") or "")
        if entry.get("isInteractive") is False or (key and self._seen.has(key)):
            return
        self.entries += 1
        if number == 0:
            self._arrived[place] = min(self._arrived[place] or at, at)
        elif self._counts_more(place, at, number):
            self._failed[place], self._code[place] = at, number
        if number == _WRONG_PASSWORD:
            self._wrong_password(str(place), entry)

    def _counts_more(self, place: int, at: int, number: int) -> bool:
        """Whether it takes the place of the user's last failure. Of two in the same second the first one stays: the log begins with the newest."""
        there = self._code[place]
        if there and (told := code_of(number).untried) != code_of(there).untried:
            return not told
        return at > self._failed[place]

    def _wrong_password(self, user: str, entry: Mapping[str, Any]) -> None:
        """Once for each sign-in: who types again, and a client that sends again, do so with the same correlationId."""
        address, sign_in = str(entry.get("ipAddress") or ""), str(entry.get("correlationId") or "")
        if not address or (sign_in and self._wrong.has(user, sign_in, address)):
            return
        if address in self._addresses or len(self._addresses) < MOST_ADDRESSES:
            self._addresses[address] += 1
        else:
            self.addresses_cut = True

    def of(self, user_id: str) -> Seen | None:
        """What is known of one user; None of whom nobody looked for."""
        place = self._users.place(mark(names.uuid(user_id)))
        if place is None:
            return None
        return Seen(self._arrived[place], self._failed[place], self._code[place])

    def suspicious(self) -> list[dict[str, Any]]:
        """Addresses with many wrong passwords, the worst first."""
        return [{"address": plain.line(str(name)), "count": count} for name, count in self._addresses.most_common(10) if count >= SUSPICIOUS]


class Seen(NamedTuple):
    """Of one user: their first sign-in and their last failure (seconds since 1970, 0 without one), and its code."""

    arrived: int
    failed: int
    code: int


NOTHING_SEEN = Seen(0, 0, 0)


def state_of(seen: Seen, enabled: bool, why_not_known: str) -> tuple[str, str]:
    """(state, reason) of one user. why_not_known: why nothing in the log is not the same as no sign-in; empty when it is."""
    if seen.arrived:
        return ARRIVED, ""
    if seen.code:
        return FAILED, ""
    if not enabled:
        return BLOCKED, ""
    return (NOT_KNOWN, why_not_known) if why_not_known else (NOT_SEEN, "")


def severity(states: Mapping[str, int], codes: Mapping[int, int], late: bool, suspicious: bool, converted: bool = True) -> str:
    """How grave it is. late: it is so long since the conversion that everybody should have been seen. converted: any domain was converted at all."""
    if not converted:
        return "ok"
    if any(count and not code_of(number).on_the_way for number, count in codes.items()) or suspicious:
        return "critical"
    if states.get(NOT_KNOWN):
        return "unknown"
    return "warning" if states.get(FAILED) or (late and states.get(NOT_SEEN)) else "ok"


#: What the summary calls the parts that may not be looked at, and the reasons.
_PARTS = {"sign_in_log": Text("the sign-in log", "サインインログ"), "addresses": Text("the addresses of wrong passwords", "パスワード誤りの送信元アドレス")}
_REASONS = {
    "no_licence": Text("it needs Microsoft Entra ID P1", "Microsoft Entra ID P1が必要"),
    "permission_missing": Text("a permission is missing", "権限がない"),
    "too_many": Text("there are too many entries", "件数が多すぎる"),
}


def summary(found: Mapping[str, Any]) -> Text:
    if not any(domain["since"] for domain in found["domains"]):
        return Text("No domain was converted yet, as far as the journal knows.", "ジャーナルによると、変換済みのドメインはまだありません。")
    counts = found["counts"]
    english = f"{counts[ARRIVED]} of {counted(found['total'], 'user', 'users')} arrived, {counts[FAILED]} tried and failed, {counts[NOT_SEEN]} not seen yet"
    japanese = f"{found['total']}人中{counts[ARRIVED]}人がサインイン済み、{counts[FAILED]}人が失敗、{counts[NOT_SEEN]}人は未確認"
    if counts[BLOCKED]:
        english, japanese = f"{english}, {counts[BLOCKED]} blocked", f"{japanese}、{counts[BLOCKED]}人はブロック中"
    if counts[NOT_KNOWN]:
        english, japanese = f"{english}, {counts[NOT_KNOWN]} not known", f"{japanese}、{counts[NOT_KNOWN]}人は不明"
    for part in found["not_looked_at"]:
        what = _PARTS.get(part["part"], Text.same(part["part"]))
        why = _REASONS.get(part["reason"], Text(part["reason"], f"コード {part['reason']}"))
        english, japanese = f"{english}; {what.en} could not be looked at whole ({why.en})", f"{japanese}（{what.ja}をすべては確認できません: {why.ja}）"
    return Text(f"{english}.", f"{japanese}。")


def prometheus(found: Mapping[str, Any], now: int) -> str:
    """The same in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/)."""
    prefix = "entra_arrivals"
    samples: dict[str, tuple[str, Sequence[str]]] = {
        "users": (
            "Users of a converted domain by state.",
            [f'{{domain="{row["domain"]}",state="{state}"}} {row["counts"][state]}' for row in found["domains"] for state in STATES],
        ),
        "converted_timestamp_seconds": (
            "From when on sign-ins count.",
            [f'{{domain="{row["domain"]}"}} {moment(row["since"])}' for row in found["domains"] if row["since"]],
        ),
        "failures": ("Users who tried and failed, by the last error.", [f'{{code="{row["code"]}"}} {row["count"]}' for row in found["failures"]]),
        "severity": ("0 ok, 1 warning, 2 critical, 3 unknown.", [f" {SEVERITIES.index(found['severity'])}"]),
        "checked_timestamp_seconds": ("When the sign-in log was read.", [f" {now}"]),
    }
    lines = []
    for name, (text, values) in samples.items():
        lines += [f"# HELP {prefix}_{name} {text}", f"# TYPE {prefix}_{name} gauge", *(f"{prefix}_{name}{value}" for value in values)]
    return "\n".join(lines) + "\n"
