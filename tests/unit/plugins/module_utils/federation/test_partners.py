# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of partners, and the sheet for each one's administrator."""

from __future__ import annotations

import html.parser
import re
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core import sheet as sheets
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import info, partner_sheet, partners, service
from ansible_collections.offboard.iij_id.plugins.modules import federation_metadata_info
from lab.identity_providers import made

TENANT = made.TENANT
ACS = "https://login.microsoftonline.com/login.srf"
EMAIL = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
IMMUTABLE_ID = "http://schemas.microsoft.com/LiveID/Federation/2008/05/ImmutableID"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


def asked(*entries: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What the module returns."""
    params = {"tenant_id": TENANT, "cloud": "global", "tenant_type": "workforce", "login_url": None, "organization": "Reiji Shoji", "links": [],
              "profile": "current", "files_from": None, "at": made.NOW.isoformat(), **options}  # fmt: skip
    return info.partners_info({"partners": [{"state": "present", **entry} for entry in entries], **params})


def sheet(entry: dict[str, Any], **options: Any) -> dict[str, Any]:
    (found,) = asked({"name": "Fabrikam", "domains": ["fabrikam.example"], **entry}, **options)["sheets"]
    return found


# -- the service, by cloud and tenant


@pytest.mark.parametrize(
    ("cloud", "options", "login_url", "audience", "global_audience", "link"),
    [
        ("global", {}, ACS, f"https://login.microsoftonline.com/{TENANT}/", "urn:federation:MicrosoftOnline", f"https://myapps.microsoft.com/?tenantid={TENANT}"),
        ("us_gov_l4", {}, "https://login.microsoftonline.us/login.srf", f"https://login.microsoftonline.us/{TENANT}/", "urn:federation:MicrosoftOnline",
         f"https://portal.azure.us/{TENANT}"),
        ("us_gov_l5", {}, "https://login.microsoftonline.us/login.srf", f"https://login.microsoftonline.us/{TENANT}/", "urn:federation:MicrosoftOnline",
         f"https://portal.azure.us/{TENANT}"),
        ("china", {}, "https://login.partner.microsoftonline.cn/login.srf", f"https://login.partner.microsoftonline.cn/{TENANT}/",
         "urn:federation:partner.microsoftonline.cn", f"https://portal.azure.cn/{TENANT}"),
        ("global", {"tenant_type": "external"}, f"https://{TENANT}.ciamlogin.com/login.srf", f"https://login.microsoftonline.com/{TENANT}/",
         "urn:federation:MicrosoftOnline", f"https://myapps.microsoft.com/?tenantid={TENANT}"),
        ("china", {"login_url": "https://login.chinacloudapi.cn/login.srf"}, "https://login.chinacloudapi.cn/login.srf",
         f"https://login.chinacloudapi.cn/{TENANT}/", "urn:federation:partner.microsoftonline.cn", f"https://portal.azure.cn/{TENANT}"),
    ],
)  # fmt: skip
def test_values_by_cloud_and_tenant(cloud: str, options: dict[str, str], login_url: str, audience: str, global_audience: str, link: str) -> None:
    found = service.service(TENANT.upper(), cloud, **options)
    assert (found.login_url, found.audience, found.global_audience, found.links[0]) == (login_url, audience, global_audience, link)
    assert found.documented is (cloud == "global")
    one = sheet({}, cloud=cloud, **options)
    for text in (*one["markdown"].values(), one["html"]):
        for value in (login_url, audience, global_audience, link, EMAIL, IMMUTABLE_ID, PERSISTENT):
            assert value in text, value
        assert ("follow from the sign-in address" in text or "サインイン先から導いた" in text) is not found.documented
        other = "login.microsoftonline.com" if cloud != "global" else "microsoftonline.us"
        assert other not in text, "nothing of another cloud"


def test_a_token_for_each_cloud_is_judged_by_the_same_values() -> None:
    for cloud in service.CLOUDS:
        found = service.service(TENANT, cloud)
        assert service.audiences("any", TENANT, found.login_url) == [found.global_audience, found.audience]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"tenant_id": "reiji.example"}, "tenant_id_invalid"),
        ({"tenant_id": ""}, "tenant_id_invalid"),
        ({"login_url": "http://login.example/login.srf"}, "bad_option"),
        ({"cloud": "china", "tenant_type": "external"}, "bad_option"),
        ({"at": "yesterday"}, "time_invalid"),
    ],
)
def test_options_that_cannot_be(options: dict[str, str], code: str) -> None:
    with pytest.raises(OffboardError) as refused:
        sheet({}, **options)
    assert refused.value.code == code


def test_who_has_given_no_tenant_is_told_where_to_give_it() -> None:
    with pytest.raises(OffboardError, match=r"AZURE_TENANT_ID.*guest_federation_tenant_id"):
        sheet({}, tenant_id=" ")


# -- the list


@pytest.mark.parametrize(
    ("entries", "code", "words"),
    [
        ([], "bad_option", "empty"),
        ([{"name": " ", "domains": ["a.example"]}], "bad_option", "number 1"),
        ([{"name": "A", "domains": []}], "bad_option", "A: there is no domain"),
        ([{"name": "A", "domains": ["a.example"]}, {"name": "a", "domains": ["b.example"]}], "duplicate_partner", "a is there twice"),
        (
            [{"name": "A", "domains": ["x.example"]}, {"name": "B", "domains": ["y.example", "X.example."]}],
            "duplicate_domain",
            "x.example belongs to A and to B",
        ),
        ([{"name": "A", "domains": ["x.example"]}, {"name": "B", "domains": ["x.example"], "state": "absent"}], "duplicate_domain", "A and to B"),
        ([{"name": "A", "domains": ["co.jp"]}], "domain_is_public_suffix", "A: "),
        ([{"name": "A", "domains": ["adele@a.example"]}], "domain_invalid", "A: "),
        ([{"name": "A", "domains": ["a.example"], "protocol": "oidc"}], "protocol_unknown", "A: "),
        ([{"name": "A", "domains": ["a.example"], "metadata": {"url": "https://a.example/", "path": "a.xml"}}], "bad_option", "exactly one"),
        ([{"name": "A", "domains": ["a.example"], "metadata": {"entity_id": "x"}}], "bad_option", "exactly one"),
        ([{"name": "A", "domains": ["a.example"], "guests": [{"mail": "adele@b.example"}]}], "guest_domain", "A: the guest adele@b.example"),
        ([{"name": "A", "domains": ["a.example"], "guests": [{"mail": "adele"}]}], "mail_invalid", "A: 'adele'"),
        ([{"name": "A", "domains": ["a.example"], "guests": [{"mail": "ad ele@a.example"}]}], "mail_invalid", "A: 'ad ele@a.example'"),
        ([{"name": "A", "domains": ["a.example"], "guests": [{"mail": "x@a.example"}, {"mail": "X@A.example."}]}], "bad_option", "there twice"),
        ([{"name": "A", "domains": ["a.example"], "signing_certificate": "MIIC"}], "certificate_invalid", "A: "),
        ([{"name": "A", "domains": ["a.example"], "signing_certificate": "-----BEGIN PRIVATE KEY-----\nAAAA"}], "private_key", "A: "),
    ],
)
def test_a_list_that_contradicts_itself_is_refused(entries: list[dict[str, Any]], code: str, words: str) -> None:
    with pytest.raises(OffboardError) as refused:
        asked(*entries)
    assert (refused.value.code, words in refused.value.msg) == (code, True), refused.value.msg


def test_the_list_in_the_form_of_graph() -> None:
    found = asked({"name": " Fabrikam ", "domains": ["Fabrikam.Example", "müller.example"], "protocol": "Samlp", "signing_certificate": made.key().pem})
    (partner,) = found["partners"]
    assert (partner["name"], partner["domains"], partner["protocol"]) == ("Fabrikam", ["fabrikam.example", "xn--mller-kva.example"], "saml")
    assert partner["signing_certificate"] == made.key().base64
    assert found["problems"] == []


@pytest.mark.parametrize(
    ("partner", "guest", "expected"),
    [
        ({}, {}, {"redirect_url": f"https://myapps.microsoft.com/?tenantid={TENANT}"}),
        ({"message_body": "Hello", "language": "ja-JP"}, {"language": "en-US", "cc": None},
         {"redirect_url": f"https://myapps.microsoft.com/?tenantid={TENANT}", "message_body": "Hello", "language": "en-US"}),
        ({"redirect_url": "https://a.example/"}, {"send_message": False}, {"redirect_url": "https://a.example/", "send_message": False}),
    ],
)  # fmt: skip
def test_a_guest_gets_what_the_partner_says_unless_told_otherwise(partner: dict[str, Any], guest: dict[str, Any], expected: dict[str, Any]) -> None:
    found = asked({"name": "A", "domains": ["a.example"], "guests": [{"mail": "taro@A.example", **guest}], **partner})
    assert found["partners"][0]["guests"] == [{"mail": "taro@A.example", **expected}]


def test_a_certificate_in_a_file(tmp_path) -> None:
    (tmp_path / "a.pem").write_text(made.key().pem)
    entry = {"name": "A", "domains": ["a.example"], "signing_certificate_path": str(tmp_path / "a.pem")}
    assert asked(entry)["partners"][0]["signing_certificate"] == made.key().base64
    relative = {**entry, "signing_certificate_path": "a.pem", "metadata": {"path": "m.xml"}, "token": "captured"}
    (partner,) = asked(relative, files_from=str(tmp_path))["partners"]
    assert (partner["signing_certificate"], partner["metadata"]["path"], partner["token"]) == (
        made.key().base64,
        str(tmp_path / "m.xml"),
        str(tmp_path / "captured"),
    )
    for change, code in (({"signing_certificate": made.key().pem}, "bad_option"), ({"signing_certificate_path": str(tmp_path / "b.pem")}, "file_read_failed")):
        with pytest.raises(OffboardError) as refused:
            asked(entry | change)
        assert refused.value.code == code


def test_there_is_no_sheet_for_an_absent_partner() -> None:
    found = asked({"name": "A", "domains": ["a.example"], "state": "absent"}, {"name": "B", "domains": ["b.example"]})
    assert [one["name"] for one in found["sheets"]] == ["B"]


def test_metadata_that_cannot_be_read_is_a_problem_of_one_partner(tmp_path) -> None:
    found = asked(
        {"name": "A", "domains": ["a.example"], "metadata": {"path": str(tmp_path / "none.xml")}},
        {"name": "B", "domains": ["b.example"], "metadata": {"content": "<!DOCTYPE x><x/>"}},
        {"name": "C", "domains": ["c.example"], "metadata": {"content": made.entity(made.saml_role())}, "protocol": "wsFed"},
        {"name": "D", "domains": ["d.example"]},
    )
    assert [(one["name"], one["code"]) for one in found["problems"]] == [("A", "file_read_failed"), ("B", "dtd_forbidden"), ("C", "protocol_not_offered")]
    assert [one["name"] for one in found["sheets"]] == ["A", "B", "C", "D"]


# -- what is required of one partner


@pytest.mark.parametrize(
    ("entry", "protocols"),
    [
        ({}, ["saml", "wsFed"]),
        ({"protocol": "WsFed"}, ["wsFed"]),
        ({"metadata": {"content": made.entity(made.saml_role())}}, ["saml"]),
        ({"metadata": {"content": made.entity(made.wsfed_role())}}, ["wsFed"]),
        ({"metadata": {"content": made.entity(made.saml_role(), made.wsfed_role())}}, ["saml", "wsFed"]),
        ({"metadata": {"content": made.entity(made.saml_role(), made.wsfed_role())}, "protocol": "saml"}, ["saml"]),
    ],
)
def test_the_protocols_and_their_claims(entry: dict[str, Any], protocols: list[str]) -> None:
    one = sheet(entry)
    need = one["requirements"]
    assert need["protocols"] == protocols
    assert need["claims"] == {name: {"saml": [EMAIL], "wsFed": [IMMUTABLE_ID, EMAIL]}[name] for name in protocols}
    assert need["name_id_format"] == (PERSISTENT if "saml" in protocols else None)
    text = one["markdown"]["en"]
    assert ("AssertionConsumerService" in text, "PassiveRequestorEndpoint" in text) == ("saml" in protocols, "wsFed" in protocols)
    assert (PERSISTENT in text, IMMUTABLE_ID in text) == ("saml" in protocols, "wsFed" in protocols)


DNS = [
    ("fabrikam.example", "https://sts.fabrikam.example/adfs/ls/", "current", "sub_host", False, None),
    (
        "fabrikam.example",
        "https://fabrikam.okta.com/app/x/sso/saml",
        "current",
        "txt_record_unknown",
        True,
        "DirectFedAuthUrl=https://fabrikam.okta.com/app/x/sso/saml",
    ),
    ("fabrikam.example", "https://fabrikam.okta.com/app/x/sso/saml", "2020", "provider", False, None),
    ("fabrikam.example", "https://other.example/", "2020", "host_not_allowed", True, None),
    ("fabrikam.example", "http://sts.fabrikam.example/", "current", "url_not_https", True, None),
]


@pytest.mark.parametrize(("domain", "address", "profile", "rule", "needed", "record"), DNS)
def test_the_record_that_the_url_rule_needs(domain: str, address: str, profile: str, rule: str, needed: bool, record: str | None) -> None:
    one = sheet({"domains": [domain], "passive_sign_in_uri": address}, profile=profile)
    (dns,) = one["requirements"]["dns"]
    assert (dns["rule"], dns["needed"], dns["txt_record"]) == (rule, needed, record)
    assert (f'{domain}. IN TXT "{record}"' in one["markdown"]["ja"]) is (record is not None)
    assert ("Entra does not accept" in one["markdown"]["en"]) is (needed and record is None)
    assert ("No record is needed" in one["markdown"]["en"]) is not needed


def test_a_domain_each_needs_its_record() -> None:
    one = sheet({"domains": ["fabrikam.example", "fabrikam-japan.example"], "metadata": {"content": made.entity(made.saml_role(), made.wsfed_role())}})
    assert [(item["domain"], item["needed"]) for item in one["requirements"]["dns"]] == [("fabrikam.example", False), ("fabrikam-japan.example", True)]


def test_a_long_or_odd_record_is_written_as_zone_files_want_it() -> None:
    """Strings of at most 255 bytes, one after the other, which a resolver joins."""
    address = "https://idp.woodgrove.example/" + "a" * 300 + '/"\\ö'
    parts = partners.quoted(f"DirectFedAuthUrl={address}")
    assert len(parts) == 2

    def unescape(part: str) -> bytes:
        return re.sub(rb"\\(\d{3})", lambda found: bytes([int(found[1])]), part[1:-1].encode())

    assert b"".join(map(unescape, parts)).decode() == f"DirectFedAuthUrl={address}"
    assert all(len(unescape(part)) <= 255 for part in parts)


@pytest.mark.parametrize(
    ("entry", "adfs"),
    [
        ({}, True),
        ({"passive_sign_in_uri": "https://sts.fabrikam.example/adfs/ls/"}, True),
        ({"passive_sign_in_uri": "https://fabrikam.example/idp/sso"}, False),
    ],
)
def test_adfs_is_described_where_it_may_be_adfs(entry: dict[str, Any], adfs: bool) -> None:
    assert ("Add-AdfsRelyingPartyTrust" in sheet(entry)["markdown"]["en"]) is adfs


# -- AD FS


@pytest.mark.parametrize("name", ["saml", "wsFed"])
def test_adfs_commands(name: str) -> None:
    text = partners.adfs_commands("Reiji's 麗侍", service.service(TENANT), name)
    assert f"-Identifier $identifiers -{'SamlEndpoint $endpoint' if name == 'saml' else f'WSFedEndpoint {chr(39)}{ACS}{chr(39)}'}" in text
    assert f"@('https://login.microsoftonline.com/{TENANT}/')" in text
    assert "-Name 'Reiji''s 麗侍'" in text
    assert f'types = ("{EMAIL}"), query = ";mail;{{0}}"' in text
    if name == "saml":
        assert f"New-AdfsSamlEndpoint -Binding POST -Protocol SAMLAssertionConsumer -Uri '{ACS}'" in text
        assert f'claimproperties/format"] = "{PERSISTENT}"' in text
    else:
        assert f'types = ("{IMMUTABLE_ID}")' in text
        assert r'regexreplace(c.Value, "(?<domain>[^\\]+)\\(?<user>.+)", "${user}")' in text
    rules = re.search(r"@'\n(.*?)\n'@", text, re.DOTALL)
    assert rules, "a here-string that expands nothing"
    for rule in re.split(r"\n\n", rules[1]):
        assert rule.endswith(";")
        assert rule.count("(") == rule.count(")")
        assert rule.count('"') % 2 == 0


@pytest.mark.parametrize("name", ["'; Remove-Item C:\\ -Recurse #", "\u2019; Get-Date; \u2018", "a\nGet-Date", "$(Get-Date)"])
def test_a_name_cannot_become_a_command(name: str) -> None:
    """PowerShell's own rule: a single-quoted string ends at a quote (one of four kinds) that is not doubled."""
    line = next(line for line in partners.adfs_commands(name, service.service(TENANT), "saml").splitlines() if line.startswith("Add-AdfsRelyingPartyTrust"))
    assert re.match(r"Add-AdfsRelyingPartyTrust -Name '(?:[^'\u2018-\u201b]|(['\u2018-\u201b])\1)*' -Identifier ", line), line


# -- what is known of the partner


def test_what_the_metadata_says_is_shown_and_its_faults_are_named() -> None:
    entity = made.entity(made.saml_role(made.key_descriptor(made.key(end=-1)), formats=("1.1:nameid-format:emailAddress",), WantAuthnRequestsSigned="true"))
    one = sheet({"metadata": {"content": entity}})
    text = one["markdown"]["en"]
    for words in (made.ISSUER, made.SIGN_IN, "wants signed requests", "does not offer the persistent NameID", "expired signing certificate"):
        assert words in text, words
    sha1 = one["requirements"]["known"]["certificate"]["sha1"].upper()
    assert sha1 in text


def test_a_certificate_that_may_not_be_the_active_one_is_not_shown() -> None:
    entity = made.entity(made.saml_role(made.key_descriptor(made.key("B")) + made.key_descriptor(made.key("A"))))
    known = sheet({"metadata": {"content": entity}})["requirements"]["known"]
    assert known["certificate"] is None
    given = sheet({"metadata": {"content": entity}, "signing_certificate": made.key("A").pem})["requirements"]["known"]
    assert given["certificate"]["base64"] == made.key("A").base64


def test_two_protocols_with_different_keys_show_none() -> None:
    entity = made.entity(made.saml_role(made.key_descriptor(made.key("A"))), made.wsfed_role(made.key_descriptor(made.key("B"))))
    assert sheet({"metadata": {"content": entity}})["requirements"]["known"]["certificate"] is None
    assert sheet({"metadata": {"content": entity}, "protocol": "wsFed"})["requirements"]["known"]["certificate"]["base64"] == made.key("B").base64


# -- the texts


class _Page(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


EVIL = "https://sts.fabrikam.example/</code><script>alert(1)</script>`|\n# x"


def test_what_a_partner_says_does_not_become_markup() -> None:
    one = sheet({"name": "<b>F & Co</b>", "issuer_uri": EVIL, "passive_sign_in_uri": "https://sts.fabrikam.example/`x`|<i>"})
    page = _Page(one["html"])
    assert page.open == []
    assert not page.tags & {"script", "b", "i", "a", "img"}
    assert "<script>alert(1)</script>" in page.text
    for text in one["markdown"].values():
        assert "\n# x" not in text
        row = next(line for line in text.splitlines() if "<script>" in line)
        assert re.fullmatch(r"\| [^|]+ \| ``.*\\\|.*`` \|", row), row


def test_both_languages_say_the_same() -> None:
    one = sheet({"metadata": {"content": made.entity(made.saml_role(), made.wsfed_role())}, "domains": ["fabrikam.example", "other.example"]})
    shapes = []
    for sheet_text in one["markdown"].values():
        text = re.sub(r"```\w+\n(.*?)```", lambda code: f"`{code[1]}`", sheet_text, flags=re.DOTALL)
        lines = text.splitlines()
        shapes.append(
            ([re.match(r"#*", line)[0] for line in lines if line.startswith("#")], text.count("\n| "), text.count("\n- "), re.findall(r"`[^`]+`", text))
        )
    assert shapes[0] == shapes[1]
    assert re.search(r"[\u3040-\u30ff]", one["markdown"]["en"]) is None
    page = _Page(one["html"]).text
    assert all(words in page for words in ("設定依頼書", "settings for"))


def test_the_sheet_is_the_same_every_time() -> None:
    assert asked({"name": "F", "domains": ["f.example"]}) == asked({"name": "F", "domains": ["f.example"]})


def test_every_warning_of_metadata_has_its_sentence() -> None:
    """Those that a partner's administrator can do something about; the others are named here."""
    nothing_to_do = {"certificate_unreadable", "certificate_signature_weak", "metadata_signed_by_unknown_key", "saml", "wsfed"}
    documented = yaml.safe_load(federation_metadata_info.RETURN)
    texts = [*documented["identity_providers"]["contains"]["warnings"]["description"], documented["document_warnings"]["description"]]
    assert set(re.findall(r"V\(([a-z_]+)", " ".join(texts))) - nothing_to_do == set(partner_sheet.WARNINGS)


def test_lines_of_code_do_not_end_their_fence():
    written = sheets.markdown([sheets.Code("dns", "a\n```\n[x](https://evil.example)\n")], "en")
    assert written.startswith("````dns\n") and written.endswith("\n````\n")
