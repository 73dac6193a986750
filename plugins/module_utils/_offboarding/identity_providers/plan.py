# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects of an identity provider sign people in to IIJ ID, how they are found, saved, switched off and removed; for its administrator. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from ..._core import names, plain
from ..._core.errors import OffboardError
from ..._core.sheet import Block, Code, Heading, Items, Paragraph, Table, listed
from ..._core.text import Text
from ..steps.plan import confirm_command

#: of the exit, that these objects are gone
_STEP = "identity_providers_unlinked"
TITLE = Text("Ending IIJ ID at your identity provider", "IDプロバイダー側でのIIJ IDの連携解除")
#: what stands in commands without being quoted
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def hosts_of(given: Iterable[str]) -> list[str]:
    """The hosts that are looked for. Raises OffboardError `bad_option` for what is no host name: it stands in commands."""
    hosts = list(dict.fromkeys(name for name in map(names.domain, given) if name))
    if wrong := [name for name in hosts if not _HOST.fullmatch(name)]:
        raise OffboardError(f"hosts: {plain.line(wrong[0])!r} is no host name such as auth.iij.jp", code="bad_option")
    if not hosts:
        raise OffboardError("hosts: without a host nothing can be looked for", code="bad_option")
    return hosts


def blocks(hosts: Sequence[str], products: Collection[str], company: str) -> list[Block]:
    """The sheet, with those of PRODUCTS that are asked for."""
    parts = [block for name, part in PRODUCTS.items() if name in products for block in part(hosts)]
    return [Heading(1, [TITLE]), *_opening(hosts, plain.line(company)), *parts, *_closing()]


def _opening(hosts: Sequence[str], company: str) -> Iterator[Block]:
    if company:
        yield Paragraph([Text.same(company)])
    yield Paragraph(
        [
            Text(
                "IIJ ID signs people in through your identity provider. It cannot be ended from the side of IIJ ID: an object of yours has to go. It is "
                "recognized by an address at one of these hosts, or below it: ",
                "IIJ IDは、貴社のIDプロバイダーを利用してサインインを行っています。IIJ ID側からは解除できないため、"
                "IDプロバイダー側の設定を削除します。対象は、次のホスト（またはその下位）のアドレスを含む設定です: ",
            ),
            *listed(hosts),
        ]
    )
    yield Heading(2, [Text("Order", "手順")])
    yield Items.in_order(
        Text("Begin when nobody signs in through IIJ ID any more.", "IIJ IDを経由したサインインがなくなってから始めます。"),
        Text("Find the objects, and keep what is printed.", "対象を探し、出力を保存します。"),
        Text("Switch them off, and wait some days. Switching on again is one command.", "無効化して数日待ちます。有効に戻すのは1コマンドです。"),
        Text("Remove them, search again and keep what is printed: it must be empty.", "削除して再度探し、出力を保存します（何も出力されないこと）。"),
    )
    yield Paragraph(
        [
            Text(
                "Touch nothing that also holds addresses of other services: take out the one address only.",
                "ほかのサービスのアドレスも含む設定は削除せず、該当するアドレスだけを取り除いてください。",
            )
        ]
    )


def _closing() -> Iterator[Block]:
    yield Heading(2, [Text("What to send back", "ご返送いただくもの")])
    yield Items(
        [
            [Text("what was found (before), and the last search (after)", "解除前に見つかった設定と、最後の検索の出力")],
            [Text("the day of the removal, and who did it", "削除した日と担当者")],
        ]
    )
    yield Paragraph(
        [
            Text(
                "The exit records it with its step, and keeps the outputs there as evidence:",
                "移行側では、次のコマンドで手順を確認済みにし、返送された出力を証跡として保管します:",
            )
        ]
    )
    yield Code("sh", f"{confirm_command([_STEP], 'RUN_FOLDER')} -e evidence=/path/before.txt,/path/after.txt")


def _kinds(*rows: tuple[Text, Text]) -> Table:
    return Table([Text("Object", "対象"), Text("Where the address stands", "アドレスの場所")], [[[name], [where]] for name, where in rows])


# -- AD FS


def adfs_search(hosts: Sequence[str]) -> str:
    """PowerShell that finds, and saves, what points at the hosts. A name that only looks like one (auth.iij.jp.example) is none."""
    listed = ", ".join(f"'{host}'" for host in hosts)
    return f"""\
$hosts = @({listed})
function Test-Ours($value) {{
  $uri = $null
  if (-not [uri]::TryCreate("$value", 'Absolute', [ref]$uri)) {{ return $false }}
  foreach ($name in $hosts) {{ if ($uri.Host -eq $name -or $uri.Host.EndsWith(".$name")) {{ return $true }} }}
  return $false
}}
$trusts = @(Get-AdfsRelyingPartyTrust | Where-Object {{
  @($_.Identifier) + @($_.SamlEndpoints | ForEach-Object {{ $_.Location, $_.ResponseLocation }}) + @($_.AdditionalWSFedEndpoint) +
    @($_.WSFedEndpoint, $_.MetadataUrl) | Where-Object {{ Test-Ours $_ }} }})
$applications = @(@(Get-AdfsServerApplication) + @(Get-AdfsNativeClientApplication) | Where-Object {{ $_.RedirectUri | Where-Object {{ Test-Ours $_ }} }})
$trusts | Format-List Name, Enabled, Identifier, SamlEndpoints, WSFedEndpoint, AdditionalWSFedEndpoint, MetadataUrl
$applications | Format-List Name, Enabled, Identifier, RedirectUri, ApplicationGroupIdentifier
$trusts, $applications | Export-Clixml -Depth 6 iij-id-adfs.xml"""


def _adfs(hosts: Sequence[str]) -> Iterator[Block]:
    yield Heading(2, [Text.same("AD FS")])
    yield _kinds(
        (
            Text("relying party trust", "証明書利用者信頼"),
            Text("identifier, SAML or WS-Federation endpoint, metadata", "識別子、SAML/WS-Federationのエンドポイント、メタデータ"),
        ),
        (
            Text("server or native application of an application group", "アプリケーション グループのサーバー/ネイティブ アプリケーション"),
            Text("redirect URI", "リダイレクトURI"),
        ),
    )
    yield Paragraph(
        [
            Text(
                "Find and save, in PowerShell on the primary AD FS server, as an administrator:",
                "検索と保存（プライマリAD FSサーバーのPowerShellで、管理者として）:",
            )
        ]
    )
    yield Code("powershell", adfs_search(hosts))
    yield Paragraph([Text("Switch off, with the names that were found:", "無効化（見つかった名前を指定します）:")])
    yield Code(
        "powershell",
        "Disable-AdfsRelyingPartyTrust -TargetName '<Name>'\nDisable-AdfsApplicationGroup -TargetApplicationGroupIdentifier '<ApplicationGroupIdentifier>'",
    )
    yield Paragraph([Text("Remove, days later:", "削除（数日後）:")])
    yield Code(
        "powershell",
        "Remove-AdfsRelyingPartyTrust -TargetName '<Name>'\nRemove-AdfsApplicationGroup -TargetApplicationGroupIdentifier '<ApplicationGroupIdentifier>'",
    )
    yield Paragraph(
        [
            Text(
                "A group may hold applications of others: look at all of its members first. Then remove only the one: ",
                "アプリケーション グループには、ほかのアプリケーションが含まれることがあります。先に全メンバーを確認し、"
                "含まれる場合は該当するものだけを削除します: ",
            ),
            "Remove-AdfsServerApplication",
            Text(" or ", "、"),
            "Remove-AdfsNativeClientApplication",
        ]
    )


# -- Microsoft Entra


def _entra(hosts: Sequence[str]) -> Iterator[Block]:
    listed = ", ".join(f"'{host}'" for host in hosts)
    yield Heading(2, [Text.same("Microsoft Entra")])
    yield _kinds(
        (Text("app registration", "アプリの登録"), Text("redirect URI (web, SPA, public client)", "リダイレクトURI（Web、SPA、パブリック クライアント）"))
    )
    yield Paragraph(
        [
            Text(
                "In the tenant of the exit the stage preflight looks itself. In another tenant:",
                "移行するテナント自体は、段階 preflight が検索します。別のテナントの場合:",
            ),
        ]
    )
    yield Code(
        "powershell",
        f"""\
Connect-MgGraph -Scopes Application.Read.All
$hosts = @({listed})
Get-MgApplication -All -Property Id, AppId, DisplayName, Web, Spa, PublicClient | Where-Object {{
  @($_.Web.RedirectUris) + @($_.Spa.RedirectUris) + @($_.PublicClient.RedirectUris) | Where-Object {{ $_ }} | Where-Object {{
    $name = ([uri]$_).Host; $hosts | Where-Object {{ $name -eq $_ -or "$name".EndsWith(".$_") }} }} }} |
  Format-List DisplayName, AppId, Id, @{{ n = 'RedirectUris'; e = {{ $_.Web.RedirectUris }} }}""",
    )
    yield Paragraph(
        [
            Text(
                "Switch off its enterprise application (Properties, Enabled for users to sign in: No). Days later delete the app "
                "registration; it can be restored for 30 days.",
                "エンタープライズ アプリケーションの「プロパティ」でサインインを無効（「いいえ」）にします。"
                "数日後にアプリの登録を削除します（30日間は復元できます）。",
            )
        ]
    )


# -- Okta


def _okta(hosts: Sequence[str]) -> Iterator[Block]:
    pattern = "|".join(re.escape(host) for host in hosts).replace("\\", "\\\\")
    yield Heading(2, [Text.same("Okta")])
    yield _kinds(
        (
            Text("application", "アプリケーション"),
            Text("sign-in redirect URI (OpenID Connect), single sign-on URL (SAML)", "サインインのリダイレクトURI（OIDC）、シングル サインオンURL（SAML）"),
        )
    )
    yield Code(
        "sh",
        f"""\
curl -sS -D headers -H "Authorization: SSWS $OKTA_TOKEN" "https://$OKTA_HOST/api/v1/apps?limit=200" > apps.json
grep -i 'rel="next"' headers   # a further page: call that address too
jq -r '.[] | select([.settings | .. | strings]
  | any(test("^https://([^/]*\\\\.)?({pattern})(:|/|$)"; "i"))) | [.id, .label, .status] | @tsv' apps.json""",
    )
    yield Paragraph([Text("Switch off, and days later remove:", "無効化と、数日後の削除:")])
    yield Code(
        "sh",
        """\
curl -sS -X POST -H "Authorization: SSWS $OKTA_TOKEN" "https://$OKTA_HOST/api/v1/apps/<id>/lifecycle/deactivate"
curl -sS -X DELETE -H "Authorization: SSWS $OKTA_TOKEN" "https://$OKTA_HOST/api/v1/apps/<id>\"""",
    )


# -- others


def _other(_hosts: Sequence[str]) -> Iterator[Block]:
    yield Heading(2, [Text("Other products", "その他の製品")])
    yield _kinds(
        (Text("OpenID Connect client", "OpenID Connectのクライアント"), Text("redirect URI", "リダイレクトURI")),
        (Text("SAML service provider", "SAMLのサービス プロバイダー"), Text("entity ID, assertion consumer service", "エンティティID、ACSのURL")),
    )
    yield Paragraph(
        [
            Text(
                "Look in the list of all clients or applications, also those that are switched off.",
                "無効なものを含め、すべてのクライアントとアプリケーションを確認してください。",
            )
        ]
    )


PRODUCTS: dict[str, Callable[[Sequence[str]], Iterator[Block]]] = {"adfs": _adfs, "entra": _entra, "okta": _okta, "other": _other}
