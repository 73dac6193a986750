# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet for a partner's administrator, in Japanese and English; `_core.sheet` renders it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .._core.sheet import Block, Code, Heading, Items, Line, Paragraph, Table, listed
from .._core.text import Text
from .partners import SAML, Requirements, adfs_commands

_PROTOCOL_NAMES = {SAML: "SAML 2.0", "wsFed": "WS-Federation"}
_ITEM, _VALUE = Text("Item", "項目"), Text("Value", "値")

#: What a partner can do about its metadata; the codes are those of metadata.py, without the protocol and the certificate.
WARNINGS = {
    "want_authn_requests_signed": Text(
        "Your identity provider wants signed requests. Entra does not sign them in this kind of federation: switch that off.",
        "IDプロバイダーが署名付き要求を求めています。この種のフェデレーションではEntraは要求に署名しないため、この設定を無効にしてください。",
    ),
    "nameid_persistent_not_offered": Text(
        "The metadata does not offer the persistent NameID format, which is required.",
        "メタデータに必須のpersistent形式のNameIDがありません。",
    ),
    "issuer_not_uri": Text("The issuer (entity ID) is no URI, which Entra demands.", "発行者（エンティティID）がURIではありません。EntraではURIが必須です。"),
    "issuer_whitespace": Text("The issuer (entity ID) holds white space.", "発行者（エンティティID）に空白文字が含まれています。"),
    "issuer_too_long": Text("The issuer (entity ID) is longer than 1024 characters.", "発行者（エンティティID）が1024文字を超えています。"),
    "issuer_is_template": Text(
        "The issuer is a template, not that of your tenant: give the metadata of your own tenant.",
        "発行者がひな形のままです。自社テナントのメタデータを指定してください。",
    ),
    "metadata_expired": Text("The metadata is past its validUntil.", "メタデータの有効期限（validUntil）が切れています。"),
    "valid_until_invalid": Text("The validUntil of the metadata is no time.", "メタデータのvalidUntilが日時として読めません。"),
    "metadata_signature_not_verified": Text("The signature of the metadata itself does not verify.", "メタデータ自体の署名を検証できません。"),
    "certificate_expired": Text("The metadata lists an expired signing certificate.", "メタデータに期限切れの署名証明書が含まれています。"),
    "certificate_not_yet_valid": Text(
        "The metadata lists a signing certificate that is not valid yet.", "メタデータにまだ有効期間に入っていない署名証明書が含まれています。"
    ),
    "key_weak": Text("A signing key is shorter than 2048 bits.", "2048ビット未満の署名鍵があります。"),
    "key_not_rsa": Text("A signing key is no RSA key; Entra takes RSA keys only.", "RSA以外の署名鍵があります。EntraはRSA鍵のみを受け入れます。"),
    "several_signing_certificates": Text(
        "The metadata lists several signing certificates: tell us which one signs now, and before another one does.",
        "署名証明書が複数あります。現在署名に使用しているものをお知らせください。切り替える場合は事前にご連絡ください。",
    ),
}

#: What a user sees, and what the partner does about it; docs/en/partners.md has all codes.
_ERRORS = (
    (
        "AADSTS5000811",
        Text(
            "The token is signed with another key than the certificate that we have: send us the one in use.",
            "当社が持つ証明書とは別の鍵で署名されています。使用中の証明書をお送りください。",
        ),
    ),
    (
        "AADSTS50107",
        Text(
            "The issuer differs from the one that we have (compare byte for byte), or the sign-in was started at your side: use a link as above.",
            "発行者が当社の設定と一致していない（1文字単位で比較）か、貴社側からサインインを開始しています。上記のリンクを使用してください。",
        ),
    ),
    (
        "AADSTS500089",
        Text(
            "Destination, audience, NameID or the times are not as above; check the clock as well.",
            "宛先、対象ユーザー、NameID、時刻のいずれかが上記と異なります。時計のずれも確認してください。",
        ),
    ),
    (
        "AADSTS500082",
        Text(
            "Your side answered with an error, often because it offers no persistent NameID.",
            "貴社側がエラーを返しています。多くの場合、persistent形式のNameIDが未設定です。",
        ),
    ),
    (
        "AADSTS5000819",
        Text(
            "The e-mail claim is missing, has a short name, or is of another domain.",
            "メールアドレスのクレームがない、短い名前になっている、または別のドメインです。",
        ),
    ),
    ("AADSTS90020", Text("ImmutableID is missing (WS-Federation).", "ImmutableIDがありません（WS-Federation）。")),
    ("AADSTS50020, AADSTS51004", Text("The person is not invited: tell us.", "招待されていない方です。当社にご連絡ください。")),
)

_SOURCES = ("https://learn.microsoft.com/entra/external-id/direct-federation", "https://learn.microsoft.com/entra/external-id/direct-federation-adfs")


def blocks(need: Requirements, organization: str, links: Sequence[str] = ()) -> list[Block]:
    """The sheet. organization: who asks, "" when it has no name here. links: further addresses to test with, which carry the tenant."""
    return [
        *_opening(need, organization),
        *_values(need),
        *_adfs(need, organization),
        *_dns(need),
        *_known(need),
        *_send(),
        *_test([*need.service.links, *links]),
        Heading(2, [Text("Sources", "出典")]),
        Items([[source] for source in _SOURCES]),
    ]


def _opening(need: Requirements, organization: str) -> Iterator[Block]:
    who = Text.same(organization) if organization else Text("our company", "当社")
    yield Heading(1, [Text("Sign-in with your own accounts: settings for ", "自社アカウントでのサインインの設定依頼書: "), Text.same(need.name)])
    yield Paragraph(
        [
            Text("People of ", ""),
            *listed(need.domains),
            Text(" who are guests of ", "のゲストが、"),
            who,
            Text(
                " shall sign in at your own identity provider (Microsoft Entra: SAML/WS-Fed identity provider federation). Please set it up "
                "as follows, and send us what is listed under 'What we need from you'.",
                "のリソースに貴社のIDプロバイダーでサインインできるようにします（Microsoft Entraの「SAML/WS-Fed IDプロバイダー フェデレーション」、"
                "旧称「直接フェデレーション」）。以下のとおり設定し、「ご提供いただくもの」をお送りください。",
            ),
        ]
    )
    yield Table(
        [_ITEM, _VALUE],
        [
            [[Text("Our tenant ID", "当社のテナントID")], [need.service.tenant_id]],
            [[Text("Your mail domains", "貴社のメールドメイン")], listed(need.domains)],
            [[Text("Protocol", "プロトコル")], [Text.same(", ".join(_PROTOCOL_NAMES[name] for name in need.protocols))]],
        ],
    )
    if len(need.protocols) > 1:
        yield Paragraph(
            [
                Text(
                    "Both protocols are described; one is enough. For AD FS Microsoft recommends WS-Federation. Tell us which one you take.",
                    "両方を記載していますが、どちらか一方で結構です。AD FSの場合、MicrosoftはWS-Federationを推奨しています。選択したものをお知らせください。",
                )
            ]
        )


def _values(need: Requirements) -> Iterator[Block]:
    service = need.service
    for name in need.protocols:
        saml = name == SAML
        yield Heading(2, [Text("Values for ", "設定値: "), Text.same(_PROTOCOL_NAMES[name])])
        endpoint = Text(
            "AssertionConsumerService (HTTP-POST); also Destination and Recipient", "AssertionConsumerService（HTTP-POST。DestinationとRecipientも同じ）"
        )
        rows: list[Sequence[Line]] = [
            [[endpoint if saml else Text("PassiveRequestorEndpoint (wreply)", "PassiveRequestorEndpoint（wreply）")], [service.login_url]],
            [
                [
                    Text(
                        "Audience of our tenant, required for new federations; note the slash at the end",
                        "対象ユーザー（Audience）。当社テナント用。新規では必須（末尾の / に注意）",
                    )
                ],
                [service.audience],
            ],
            [
                [
                    Text(
                        "Audience, global form: accept it as well if your product takes several; federations of before 2022 use it",
                        "対象ユーザー（Audience）の全テナント共通形式。複数設定できる製品では併せて許可。2022年より前のフェデレーションが使用",
                    )
                ],
                [service.global_audience],
            ],
        ]
        if saml:
            rows.append([[Text("Issuer of our requests (service provider's entity ID)", "当社からの要求の発行者（SPのエンティティID）")], [service.audience]])
            rows.append([[Text("NameID format", "NameIDの形式")], [str(need.name_id_format)]])
        for claim in need.claims[name]:
            rows.append([[Text("Claim, required", "クレーム（必須）")], [claim]])  # noqa: PERF401 - the types are those of `rows` only this way
        yield Table([_ITEM, _VALUE], rows)
        yield Items(
            [
                [
                    Text(
                        "The claim's name is the whole URI. The mail address must be of one of your domains above.",
                        "クレーム名はURI全体です。メールアドレスは上記のドメインのものに限ります。",
                    )
                ],
                [
                    Text(
                        "NameID: a value that stays the same for a person and is never given to another one.",
                        "NameIDは、利用者ごとに不変で、他の人に再利用されない値にしてください。",
                    )
                ]
                if saml
                else [
                    Text(
                        "ImmutableID: a value that stays the same for a person, such as objectGUID in base64.",
                        "ImmutableIDは、利用者ごとに不変の値にしてください（例: objectGUIDのbase64）。",
                    )
                ],
                [
                    Text(
                        "Sign the assertion with RSA-SHA256 and a key of at least 2048 bits. Do not encrypt it.",
                        "アサーションには2048ビット以上のRSA鍵とSHA-256で署名してください。暗号化はしないでください。",
                    )
                ],
                *([[Text("Do not demand signed requests.", "署名付き要求を必須にしないでください。")]] if saml else []),
            ]
        )
    if service.metadata and SAML in need.protocols:
        yield Paragraph(
            [
                Text("Products that import metadata: ", "メタデータを読み込める製品では "),
                service.metadata,
                Text(
                    " holds the endpoint and the global form only; add the audience of our tenant by hand.",
                    " を使用できますが、全テナント共通形式のみのため、当社テナント用の対象ユーザーを手動で追加してください。",
                ),
            ]
        )
    if not service.documented:
        yield Paragraph(
            [
                Text(
                    "These values follow from the sign-in address of our cloud. Compare them with Issuer and AssertionConsumerServiceURL of our first request.",
                    "これらの値は当社クラウドのサインイン先から導いたものです。最初の要求のIssuerとAssertionConsumerServiceURLと一致することを確認してください。",
                )
            ]
        )


def _adfs(need: Requirements, organization: str) -> Iterator[Block]:
    if not need.adfs:
        return
    yield Heading(2, [Text("If your identity provider is AD FS", "IDプロバイダーがAD FSの場合")])
    yield Paragraph(
        [Text("Run this in PowerShell on the primary AD FS server, as an administrator:", "プライマリAD FSサーバーのPowerShellで、管理者として実行します。")]
    )
    for name in need.protocols:
        yield Heading(3, [Text.same(_PROTOCOL_NAMES[name])])
        yield Code("powershell", adfs_commands(f"{organization or 'Microsoft Entra'} {need.service.tenant_id}", need.service, name))
    yield Paragraph(
        [
            Text(
                "It makes a relying party trust with the claim rules of Microsoft's guide. An identifier can be in one trust only: if you have Microsoft 365 "
                "of your own, the global one stays where it is. Look before AD FS changes its token-signing certificate: ",
                "Microsoftの手順書と同じ要求規則を持つ証明書利用者信頼が作成されます。識別子は1つの信頼にしか登録できないため、貴社がMicrosoft 365を"
                "ご利用の場合、共通の識別子は既存の信頼に残ります。AD FSのトークン署名証明書の切り替え予定は次のコマンドで確認できます: ",
            ),
            "Get-AdfsCertificate -CertificateType Token-Signing",
        ]
    )


def _dns(need: Requirements) -> Iterator[Block]:
    yield Heading(2, [Text.same("DNS")])
    lines = [item.zone_line for item in need.dns if item.zone_line]
    if not need.dns:
        yield Paragraph(
            [
                Text(
                    "Nothing, if the host of your sign-in address is your mail domain or inside it. Otherwise add a TXT record at each mail domain, with the "
                    "whole sign-in address:",
                    "サインイン先のホストが、メールドメインそのもの、またはその配下であれば不要です。それ以外の場合は、メールドメインごとに、サインイン先の"
                    "URL全体を記載したTXTレコードを追加してください。",
                )
            ]
        )
        yield Code("dns", "".join(f'{domain}. IN TXT "DirectFedAuthUrl=https://..."\n' for domain in need.domains))
    elif lines:
        yield Paragraph(
            [
                Text(
                    "Your sign-in address does not lie inside every mail domain. Add this record before we start; do not remove it later:",
                    "サインイン先がメールドメインの配下にないため、設定前に次のレコードを追加してください。以後も削除しないでください。",
                )
            ]
        )
        yield Code("dns", "".join(f"{line}\n" for line in lines))
    refused = [item for item in need.dns if item.needed and item.txt_record is None]
    for item in refused:
        yield Paragraph(
            [
                Text("Entra does not accept this sign-in address, whatever DNS says: ", "このサインイン先はDNSの設定に関わらずEntraで受け入れられません: "),
                item.domain,
                Text.same(f" ({item.rule})"),
            ]
        )
    if need.dns and not lines and not refused:
        yield Paragraph(
            [
                Text(
                    "No record is needed: your sign-in address lies inside your mail domain.",
                    "レコードは不要です。サインイン先がメールドメインの配下にあります。",
                )
            ]
        )


def _known(need: Requirements) -> Iterator[Block]:
    known = need.known
    rows: list[Sequence[Line]] = []
    if known.issuer_uri:
        rows.append([[Text("Issuer (entity ID)", "発行者（エンティティID）")], [known.issuer_uri]])
    for name, address in known.passive_sign_in_uris.items():
        rows.append([[Text("Sign-in address, ", "サインイン先 "), Text.same(_PROTOCOL_NAMES[name])], [address]])
    if known.certificate is not None:
        rows += [
            [[Text("Thumbprint (SHA-1) of the signing certificate", "署名証明書の拇印（SHA-1）")], [known.certificate.sha1.upper()]],
            [[Text("It ends on", "その有効期限")], [known.certificate.not_after[:10]]],
        ]
    if not rows:
        return
    yield Heading(2, [Text("What we know of your identity provider", "当社が把握している貴社のIDプロバイダー")])
    yield Paragraph([Text("Please compare. The issuer counts byte for byte.", "内容をご確認ください。発行者は1文字単位で一致する必要があります。")])
    yield Table([_ITEM, _VALUE], rows)
    names = dict.fromkeys(re.sub(r"^(saml|wsfed):", "", warning).partition(":")[0] for warning in known.warnings)
    if found := [[WARNINGS[name]] for name in names if name in WARNINGS]:
        yield Paragraph([Text("Please look at this:", "次の点をご確認ください。")])
        yield Items(found)


def _send() -> Iterator[Block]:
    yield Heading(2, [Text("What we need from you", "ご提供いただくもの")])
    yield Items(
        [
            [
                Text(
                    "The https address of your federation metadata, or the file if there is no address. With the address Entra can follow a new certificate; "
                    "without it we have to be told.",
                    "フェデレーション メタデータのhttpsのURL（ない場合はファイル）。URLがあればEntraが証明書の更新に追随できます。なければ都度ご連絡ください。",
                )
            ],
            [
                Text(
                    "Or: issuer, sign-in address (https) and public signing certificate. Never send a private key.",
                    "または、発行者、サインイン先（https）、署名用の公開証明書。秘密鍵は絶対に送らないでください。",
                )
            ],
            [
                Text(
                    "Notice before your signing key changes, and as soon as the new one signs: we have to switch at the same time, or nobody can sign in.",
                    "署名鍵を変更する前と、新しい鍵で署名を開始した時点でのご連絡。同時に切り替えないと誰もサインインできなくなります。",
                )
            ],
            [
                Text(
                    "The mail addresses of the people to invite, and one person who tests with us.",
                    "招待する方のメールアドレスと、接続試験にご協力いただける方1名。",
                )
            ],
        ]
    )


def _test(links: Sequence[str]) -> Iterator[Block]:
    yield Heading(2, [Text("How to test", "試験方法")])
    yield Items(
        [
            [
                Text(
                    "Wait for our invitation. After we have set it up, 10 minutes must pass before anybody redeems one.",
                    "当社からの招待をお待ちください。当社での設定後、招待の利用までに10分ほどお待ちいただきます。",
                )
            ],
            [
                Text("Open a link that carries our tenant, in a private window:", "プライベート ウィンドウで、当社テナントを含む次のリンクを開きます。"),
                *listed(links),
            ],
            [
                Text(
                    "Your sign-in page appears, then you are back at our side. A page without the tenant, or a start from your own portal, ends with an error.",
                    "貴社のサインイン画面が表示され、サインイン後に当社側へ戻れば成功です。テナントを含まないページや貴社ポータルからの開始はエラーになります。",
                )
            ],
            [
                Text(
                    "If an error appears, send us its number and the time. Never send a captured sign-in answer by mail: it is a key to an account.",
                    "エラーになった場合は、番号と時刻をお知らせください。取得したサインイン応答はアカウントの鍵にあたるため、メールで送らないでください。",
                )
            ],
        ],
        numbered=True,
    )
    yield Table([Text("Error", "エラー"), Text("What to do", "対処")], [[[code], [text]] for code, text in _ERRORS])
