# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users are told before and after their sign-in changes, from the company's own values. Pure.

No password is in a notice; those are in the letters of handover_letters.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from ..._core.sheet import Block, Heading, Items, Link, Paragraph, Table, listed
from ..._core.text import Text

FOLDER = "notices"
#: Where people register a second factor: learn.microsoft.com/entra/identity/authentication/concept-registration-mfa-sspr-combined
REGISTRATION = "https://aka.ms/mysecurityinfo"
_WEEKDAYS = "月火水木金土日"
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Company:
    """What a company fills in."""

    name: str
    domains: tuple[str, ...]
    #: the day on which the sign-in changes
    day: Text
    sign_in_address: str
    help_desk: str
    #: passwords of entra_users: generate, temporary_access_pass or keep
    passwords: str
    #: whether people whose password comes from Active Directory go on with it
    windows_password: bool
    hosts: tuple[str, ...]
    #: who issued the device certificates, as people see it; empty when it is not known
    certificate_issuer: str
    links: tuple[str, ...]


@dataclass(frozen=True)
class Notice:
    """One notice. file: a name for files, without ending; steps: ids of the steps of a person that it belongs to."""

    topic: str
    file: str
    steps: tuple[str, ...]
    title: Text
    blocks: Sequence[Block]


def day_of(day: datetime.date, at: str) -> Text:
    english = f"{_DAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"
    japanese = f"{day.year}年{day.month}月{day.day}日（{_WEEKDAYS[day.weekday()]}）"
    return Text(f"{english}, {at}" if at else english, f"{japanese}{at}" if at else japanese)


def notices(company: Company, topics: Collection[str]) -> list[Notice]:
    """Those of the topics, in the order of TOPICS."""
    return [
        Notice(topic, file, steps, title, [Heading(1, [title]), *_opening(company), *body(company), *_closing(company)])
        for topic, (file, steps, title, body) in TOPICS.items()
        if topic in topics
    ]


def of_step(step: str) -> str:
    """The file of the notice for a step of a person, relative to the run folder; empty when there is none."""
    return next((f"{FOLDER}/{file}.html" for file, steps, _title, _body in TOPICS.values() if step in steps), "")


def _opening(company: Company) -> Iterator[Block]:
    if company.name:
        yield Paragraph([Text.same(company.name)])
    ends = [f"@{name}" for name in company.domains]
    english, japanese = " or ".join(filter(None, (", ".join(ends[:-1]), ends[-1]))), "、".join(ends)
    yield Paragraph([Text(f"For everybody whose user name ends with {english}.", f"対象: ユーザー名が {japanese} で終わる方")])


def _closing(company: Company) -> Iterator[Block]:
    yield Heading(2, [Text("Questions", "お問い合わせ") if company.help_desk or company.links else Text("Please note", "ご注意")])
    if company.help_desk:
        yield Paragraph([Text.same(company.help_desk)])
    for address in company.links:
        yield Paragraph([Link(address)])
    yield Paragraph(
        [
            Text(
                "Nobody of us asks for your password by mail or telephone. Enter it only on the sign-in page whose address you have typed yourself or taken "
                "from your bookmarks.",
                "メールや電話でパスワードをお尋ねすることはありません。パスワードは、ご自身で入力したアドレスまたはブックマークから開いたサインイン画面だけに"
                "入力してください。",
            )
        ]
    )


# -- the change itself

_PASSWORDS: dict[str, Text] = {
    "generate": Text(
        "You get a new password before that day, in a letter or from your manager. You choose one of your own when you first sign in.",
        "新しいパスワードは、当日までに書面または上長からお渡しします。初回のサインイン時に、ご自身のパスワードに変更していただきます。",
    ),
    "temporary_access_pass": Text(
        "You get a Temporary Access Pass, in a letter or from your manager. It is valid for a limited time; with it you register a sign-in method of your own.",
        "一時アクセスパスを、書面または上長からお渡しします。有効期限内にサインインし、ご自身の認証方法を登録していただきます。",
    ),
    "keep": Text("Your password of Microsoft 365 stays as it is.", "Microsoft 365のパスワードは変わりません。"),
}


#: Whether it is a pass; whoever goes on with the password of Windows reads of it above.
_ENTER = {
    False: Text("Enter your user name, then your password.", "ユーザー名を入力し、続けてパスワードを入力します。"),
    True: Text(
        "Enter your user name, then your Temporary Access Pass (or your password, if you got no pass).",
        "ユーザー名を入力し、続けて一時アクセスパス（お渡ししていない方はパスワード）を入力します。",
    ),
}


def _change(company: Company) -> Iterator[Block]:
    day = company.day
    yield Paragraph(
        [
            Text(
                f"On {day.en} the sign-in to Microsoft 365 (mail, Teams, files) changes. Until then you sign in as before.",
                f"{day.ja}に、Microsoft 365（メール、Teams、ファイルなど）のサインイン方法が変わります。それまでは、これまでどおりサインインしてください。",
            )
        ]
    )
    yield Heading(2, [Text("What changes", "変更点")])
    yield Table(
        [Text("What", "項目"), Text("Until then", "変更前"), Text("From then on", "変更後")],
        [
            [[Text("Sign-in page", "サインイン画面")], [Text.same("IIJ ID")], [Text("Microsoft's own", "Microsoftの画面")]],
            [[Text("User name", "ユーザー名")], [Text("your mail address or the like", "メールアドレスなど")], [Text("the same", "変更なし")]],
            [
                [Text("Password", "パスワード")],
                [Text("that of IIJ ID", "IIJ IDのパスワード")],
                [Text("that of Microsoft 365, see below", "Microsoft 365のパスワード（下記参照）")],
            ],
            [
                [Text("Second factor", "多要素認証")],
                [Text("that of IIJ ID (SmartKey, certificate, security key)", "IIJ IDの認証（SmartKey、証明書、セキュリティキー）")],
                [Text("that which you register with Microsoft", "Microsoftに登録した認証方法")],
            ],
            [[Text("Mail, files, settings", "メール、ファイル、設定")], [Text.same("–")], [Text("nothing changes", "変更なし")]],
        ],
    )
    yield Heading(2, [Text("Your password", "パスワード")])
    password: list[Text] = [_PASSWORDS[company.passwords]]
    if company.windows_password:
        password.append(
            Text(
                "If your PC belongs to the company's Windows domain and you have been told so: you use the password with which you sign in to that PC.",
                "会社のWindowsドメインに参加しているPCをお使いで、その旨の案内を受けた方は、PCへのサインインと同じパスワードを使います。",
            )
        )
    yield Items.points(*password)
    yield Heading(2, [Text("What you do on that day", "当日の手順")])
    yield Items.in_order(
        [Text("Open ", "次のアドレスを開きます: "), Link(company.sign_in_address)],
        _ENTER[company.passwords == "temporary_access_pass"],
        [
            Text(
                "When you are asked, register a second factor. You can do it here too: ",
                "求められたら、多要素認証の方法を登録します。次のページでも登録できます: ",
            ),
            Link(REGISTRATION),
        ],
        Text(
            "Sign in again in Outlook and Teams, and in the mail app of your phone.",
            "OutlookとTeams、スマートフォンのメールアプリでも、もう一度サインインします。",
        ),
        Text(
            "Replace bookmarks that lead to the old sign-in page.",
            "以前のサインイン画面を登録したブックマークがあれば、新しいアドレスに登録し直します。",
        ),
    )
    yield Heading(2, [Text("If it does not work", "うまくいかないとき")])
    yield Items.points(
        Text(
            "The old sign-in page still appears: close all windows of the browser and open the address above again.",
            "以前のサインイン画面が表示される場合は、ブラウザーのすべてのウィンドウを閉じてから、上のアドレスを開き直してください。",
        ),
        Text(
            "A scanner, a program or an old mail client cannot sign in any more: tell the help desk; it may need other settings.",
            "複合機、プログラム、古いメールソフトがサインインできなくなった場合は、設定の変更が必要なことがあります。ご連絡ください。",
        ),
        Text("Do not try the same password many times: the account is locked for a while.", "同じパスワードを何度も試すと、一定時間ロックされます。"),
    )


# -- IIJ SmartKey


def _smartkey(company: Company) -> Iterator[Block]:
    yield _until(company, Text("IIJ SmartKey", "IIJ SmartKey"))
    yield Heading(2, [Text("Keep the app if …", "アプリを残す場合")])
    yield Items.points(
        Text(
            "… it shows one-time passwords of other services too (an online shop, a bank, another company's service). They would be lost with the app, and you "
            "could not sign in there any more.",
            "他のサービス（ネットショップ、銀行、他社のサービスなど）のワンタイムパスワードも表示している場合。アプリを削除すると登録も失われ、それらのサービスに"
            "サインインできなくなります。",
        ),
        Text("… you do not know. Ask before you remove it.", "分からない場合。削除する前にお問い合わせください。"),
    )
    yield Paragraph(
        [
            Text(
                "To remove it nevertheless, first open the security settings of each of these services and register another app there. Removing the app "
                "switches off nothing at the service.",
                "それでも削除したい場合は、先に各サービスのセキュリティ設定で別のアプリを登録してください。アプリを削除しても、サービス側の設定は解除されません。",
            )
        ]
    )
    yield Heading(2, [Text("Otherwise remove it", "それ以外の場合はアプリを削除")])
    yield Items.in_order(
        Text(
            f"Wait until {company.day.en}, and until you have signed in the new way.", f"{company.day.ja}を過ぎ、新しい方法でサインインできたことを確かめます。"
        ),
        Text(
            "iPhone, iPad: touch and hold the icon of IIJ SmartKey, then Remove App, Delete App.",
            "iPhone、iPad: IIJ SmartKeyのアイコンを長押しし、「アプリを削除」を選びます。",
        ),
        Text(
            "Android: touch and hold the icon of IIJ SmartKey, then Uninstall.",
            "Android: IIJ SmartKeyのアイコンを長押しし、「アンインストール」を選びます。",
        ),
    )


def _until(company: Company, what: Text) -> Block:
    return Paragraph(
        [
            Text(
                f"From {company.day.en} on, {what.en} is not asked for any more when you sign in to Microsoft 365. Remove nothing before that day: "
                "you need it until then.",
                f"{company.day.ja}以降、Microsoft 365のサインインに{what.ja}は使いません。それまでは必要ですので、削除しないでください。",
            )
        ]
    )


# -- certificates


def _certificates(company: Company) -> Iterator[Block]:
    yield _until(company, Text("the device certificate of IIJ ID", "IIJ IDのデバイス証明書"))
    if company.certificate_issuer:
        yield Paragraph([Text("Remove only certificates with this issuer: ", "削除するのは、発行者が次の証明書だけです: "), company.certificate_issuer])
    yield Paragraph(
        [
            Text(
                "Other certificates may be needed for the network, VPN or mail. If you are not sure which one it is, remove none and ask.",
                "ほかの証明書は、ネットワーク、VPN、メールなどで使っていることがあります。どれか判断できないときは、削除せずにお問い合わせください。",
            )
        ]
    )
    yield Heading(2, [Text("Windows (Edge, Chrome)", "Windows（Edge、Chrome）")])
    yield Items.in_order(
        [
            Text("Press the Windows key and R, enter ", "WindowsキーとRキーを同時に押し、次を入力してOKを選びます: "),
            "certmgr.msc",
            Text(" and press Enter.", ""),
        ],
        Text("Open Personal, then Certificates.", "「個人」→「証明書」を開きます。"),
        Text("Look at the column Issued By.", "「発行者」の列を確かめます。"),
        Text("Right-click the certificate, choose Delete and confirm.", "証明書を右クリックし、「削除」を選んで確認します。"),
    )
    yield Heading(2, [Text.same("macOS")])
    yield Items.in_order(
        Text("Open Keychain Access (search for it with Spotlight).", "「キーチェーンアクセス」を開きます（Spotlightで検索できます）。"),
        Text("Choose the keychain login, then My Certificates.", "キーチェーン「ログイン」で「自分の証明書」を選びます。"),
        Text(
            "Open the triangle beside the certificate: select the private key below it as well.",
            "証明書の左の三角を開き、その下の秘密鍵も一緒に選びます。",
        ),
        Text("Press the delete key and confirm.", "deleteキーを押して確認します。"),
    )
    yield Heading(2, [Text("iPhone, iPad", "iPhone、iPad")])
    yield Items.in_order(
        Text("Open Settings, General, VPN & Device Management.", "「設定」→「一般」→「VPNとデバイス管理」を開きます。"),
        Text(
            "Choose the profile with the certificate. One that the company's management put there cannot be removed, and need not be.",
            "証明書のプロファイルを選びます。会社の端末管理が配布したものは削除できず、その必要もありません。",
        ),
        Text("Choose Remove Profile and confirm with your passcode.", "「プロファイルを削除」を選び、パスコードで確認します。"),
    )
    yield Heading(2, [Text.same("Android")])
    yield Items.in_order(
        Text(
            "Open Settings and search for 'user credentials' (often Security, Encryption & credentials).",
            "「設定」で「認証情報」を検索します（多くは「セキュリティ」→「暗号化と認証情報」にあります）。",
        ),
        Text("Choose the certificate and remove it.", "証明書を選び、削除します。"),
        Text(
            "Do not choose 'clear credentials': that removes all of them.",
            "「認証ストレージの消去」は選ばないでください。すべての証明書が削除されます。",
        ),
    )
    yield Heading(2, [Text.same("Firefox")])
    yield Items.in_order(
        Text(
            "Open Settings, Privacy & Security, then Certificates, View Certificates.", "「設定」→「プライバシーとセキュリティ」→「証明書を表示」を開きます。"
        ),
        Text("Choose the tab Your Certificates.", "「あなたの証明書」タブを選びます。"),
        Text("Select the certificate, choose Delete and confirm.", "証明書を選び、「削除」を選んで確認します。"),
    )


# -- browsers


def _browsers(company: Company) -> Iterator[Block]:
    yield Paragraph(
        [
            Text(
                f"Until {company.day.en} your browser may sign in to IIJ ID with the account of your PC. These settings are not needed afterwards. Where "
                "the company has set them, they go by themselves; look only for what you have entered yourself.",
                f"{company.day.ja}までは、PCのアカウントでIIJ IDに自動的にサインインする設定がブラウザーに入っていることがあります。以後は不要です。"
                "会社が配布した設定は会社側で削除しますので、ご自身で入力した設定だけを確かめてください。",
            )
        ]
    )
    yield Paragraph(
        [
            Text("Remove only entries with these names, and leave all others: ", "次の名前を含む項目だけを削除し、ほかは残してください: "),
            *listed(company.hosts),
        ]
    )
    yield Heading(2, [Text("Windows (Edge, Chrome)", "Windows（Edge、Chrome）")])
    yield Items.in_order(
        [
            Text("Press the Windows key and R, enter ", "WindowsキーとRキーを同時に押し、次を入力してOKを選びます: "),
            "inetcpl.cpl",
            Text(" and press Enter.", ""),
        ],
        Text("Open the tab Security, Local intranet, Sites, Advanced.", "「セキュリティ」タブ→「ローカル イントラネット」→「サイト」→「詳細設定」を開きます。"),
        Text("Select the entry and choose Remove. Do the same for Trusted sites.", "項目を選び、「削除」を選びます。「信頼済みサイト」も同様に確かめます。"),
    )
    yield Heading(2, [Text.same("Firefox")])
    yield Items.in_order(
        [Text("Enter in the address bar: ", "アドレスバーに次を入力します: "), "about:config"],
        [Text("Search for ", "次の名前を検索します: "), "negotiate-auth"],
        [
            Text("In ", "次の2つの値から、その名前だけを消します（コンマで区切られたほかの値は残します）: "),
            "network.negotiate-auth.trusted-uris",
            Text(" and ", "、"),
            "network.negotiate-auth.delegation-uris",
            Text(" take out that name alone; other values, set apart by commas, stay.", ""),
        ],
    )
    yield Heading(2, [Text.same("macOS")])
    yield Paragraph(
        [
            Text(
                "Safari needs nothing. Settings of Edge and Chrome come from the company's management and are removed there.",
                "Safariでは何も必要ありません。EdgeとChromeの設定は会社の端末管理が配布しているため、会社側で削除します。",
            )
        ]
    )


# -- security keys


def _security_keys(company: Company) -> Iterator[Block]:
    yield Paragraph(
        [
            Text(
                f"From {company.day.en} on, a security key (FIDO2) that you registered with IIJ ID does not sign you in any more. You can go on using the same "
                "key: register it with Microsoft.",
                f"{company.day.ja}以降、IIJ IDに登録したセキュリティキー（FIDO2）ではサインインできません。同じキーをMicrosoftに登録すれば、引き続き使えます。",
            )
        ]
    )
    yield Heading(2, [Text("Register it anew", "登録し直す手順")])
    yield Items.in_order(
        [Text("Sign in the new way and open ", "新しい方法でサインインし、次のページを開きます: "), Link(REGISTRATION)],
        Text("Choose Add sign-in method, then Security key.", "「サインイン方法の追加」→「セキュリティ キー」を選びます。"),
        Text("Follow the page: connect the key, enter its PIN, touch it.", "画面の案内に従い、キーを接続し、PINを入力して、キーに触れます。"),
        Text("If it is not offered, ask the help desk.", "表示されない場合は、お問い合わせください。"),
    )
    yield Paragraph(
        [
            Text(
                "Do not reset the key. The old entry on it does no harm, and a reset removes those of all other services too.",
                "キーをリセットしないでください。以前の登録が残っていても問題はなく、リセットするとほかのサービスの登録もすべて失われます。",
            )
        ]
    )


#: topic → file, steps of a person, title, body
TOPICS: dict[str, tuple[str, tuple[str, ...], Text, Callable[[Company], Iterator[Block]]]] = {
    "sign_in": (
        "sign-in",
        ("sign_in_methods_ready", "passwords_handed_over"),
        Text("Your sign-in to Microsoft 365 changes", "Microsoft 365のサインイン方法変更のお知らせ"),
        _change,
    ),
    "smartkey": (
        "smartkey",
        ("smartkey_uninstalled",),
        Text("The app IIJ SmartKey on your phone", "スマートフォンのアプリ「IIJ SmartKey」について"),
        _smartkey,
    ),
    "certificates": (
        "certificates",
        ("device_certificates_deleted",),
        Text("The certificate of IIJ ID on your PC and phone", "PCとスマートフォンのIIJ ID証明書の削除について"),
        _certificates,
    ),
    "browsers": ("browsers", ("spnego_settings_removed",), Text("Settings of your browser", "ブラウザーの設定の削除について"), _browsers),
    "security_keys": ("security-keys", (), Text("Your security key (FIDO2)", "セキュリティキー（FIDO2）の再登録について"), _security_keys),
}
