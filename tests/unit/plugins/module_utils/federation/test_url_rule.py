# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The URL rule, by families of cases."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import url_rule
from hypothesis import given
from hypothesis import strategies as st

#: domain, address, 2020, current (no_txt: allowed without a record; txt: with the right record; deny: never)
CASES = [
    ("fabrikam.example", "https://fabrikam.example/adfs", "allow", "no_txt"),
    ("FABRIKAM.example.", "https://STS.Fabrikam.example./adfs", "allow", "no_txt"),
    ("fabrikam.example", "https://sts.fabrikam.example?wa=wsignin1.0", "allow", "no_txt"),
    ("fabrikam.example", "https://sts.fabrikam.example/?u=a@b", "allow", "no_txt"),
    ("fabrikam.example", "https://fabrikamx.example/", "deny", "txt"),
    ("fabrikam.example", "https://xfabrikam.example/", "deny", "txt"),
    ("fabrikam.example", "https://fabrikam.example.evil.example/", "deny", "txt"),
    ("sts.fabrikam.example", "https://fabrikam.example/", "deny", "txt"),
    # schemes and forms
    ("fabrikam.example", "http://sts.fabrikam.example/", "deny", "deny"),
    ("fabrikam.example", "//sts.fabrikam.example/", "deny", "deny"),
    ("fabrikam.example", "https:/sts.fabrikam.example/", "deny", "deny"),
    ("fabrikam.example", "https://", "deny", "deny"),
    ("fabrikam.example", "sts.fabrikam.example", "deny", "deny"),
    # what browsers and RFC 3986 read differently
    ("fabrikam.example", "https://@sts.fabrikam.example/", "deny", "deny"),
    ("fabrikam.example", "https://evil.example?@sts.fabrikam.example/", "deny", "deny"),
    ("fabrikam.example", "https://evil.example\\@sts.fabrikam.example/", "deny", "deny"),
    ("fabrikam.example", "https://sts.fabrikam.example%00.evil.example/", "deny", "deny"),
    ("fabrikam.example", "https://sts.fabrikam\t.example/", "deny", "deny"),
    ("fabrikam.example", "https://sts.fabrikam.example/a b", "deny", "deny"),
    ("fabrikam.example", "https://sts_1.fabrikam.example/", "deny", "deny"),
    # ports
    ("fabrikam.example", "https://sts.fabrikam.example:9031/", "allow", "no_txt"),
    ("fabrikam.example", "https://sts.fabrikam.example:/", "allow", "no_txt"),
    ("fabrikam.example", "https://sts.fabrikam.example:0/", "deny", "deny"),
    ("fabrikam.example", "https://sts.fabrikam.example:65536/", "deny", "deny"),
    ("fabrikam.example", "https://sts.fabrikam.example:٤٤٣/", "deny", "deny"),
    ("fabrikam.example", "https://sts.fabrikam.example:443:443/", "deny", "deny"),
    # dots and lengths
    ("fabrikam.example", "https://sts.fabrikam.example../", "deny", "deny"),
    ("fabrikam.example", f"https://{'a.' * 120}fabrikam.example/", "deny", "deny"),
    ("fabrikam.example..", "https://sts.fabrikam.example/", "deny", "deny"),
    # IP addresses
    ("fabrikam.example", "https://192.0.2.10/", "deny", "deny"),
    ("fabrikam.example", "https://[2001:db8::1]/", "deny", "deny"),
    ("fabrikam.example", "https://3221225994/", "deny", "deny"),
    ("fabrikam.example", "https://0300.0.2.0x0a/", "deny", "deny"),
    ("192.0.2.10", "https://192.0.2.10/", "deny", "deny"),
    # international names
    ("xn--mller-kva.example", "https://sts.MÜLLER.example/", "allow", "no_txt"),
    ("株式会社例.jp", "https://認証abc.株式会社例.jp/", "allow", "no_txt"),
    ("fabrikam.example", "https://xn--a.fabrikam.example/", "deny", "deny"),  # an A-label that stands for none
    ("xn--a.example", "https://sts.xn--a.example/", "deny", "deny"),
    ("fabrikam.example", "https://xn--mller-kva.fabrikam.example/", "allow", "no_txt"),
    ("fabrikam.example", "https://XN--MLLER-KVA.fabrikam.example/", "allow", "no_txt"),
    ("m\u00fcllerk.example", "https://sts.m\u00fcller\u212a.example/", "deny", "deny"),
    ("\u00e5.example", "https://\u212b.example/", "deny", "deny"),  # the signs of Angstrom and Ohm, as that of Kelvin
    ("\u03c9.example", "https://sts.\u2126.example/", "deny", "deny"),
    ("\u00e5.example", "https://\u00c5.example/", "allow", "no_txt"),
    ("fabrikam.example", "https://sts.fabri\u212aam.example/", "deny", "deny"),  # the Kelvin sign, which lower-cases to k
    ("fabrikam.example", "https://sts.fabrıkam.example/", "deny", "txt"),  # a dotless i is a Latin letter of its own
    ("fabrikam.example", "https://sts.ｆabrikam.example/", "deny", "deny"),
    ("fabrikam.example", "https://sts.fab\u00adrikam.example/", "deny", "deny"),
    ("fabrikam.example", "https://sts.fab\u200drikam.example/", "deny", "deny"),
    ("fabrikam.example", "https://sts.mu\u0308ller.example/", "deny", "deny"),
    ("fabrikam.example", "https://sts.пример.example/", "deny", "txt"),
    # targets that are nobody's
    ("example", "https://fabrikam.example/", "deny", "deny"),
    ("ne.jp", "https://fabrikam.ne.jp/", "deny", "deny"),
    ("github.io", "https://anybody.github.io/", "deny", "deny"),
    ("*.fabrikam.example", "https://sts.fabrikam.example/", "deny", "deny"),
    ("https://fabrikam.example", "https://sts.fabrikam.example/", "deny", "deny"),
    (".fabrikam.example", "https://sts.fabrikam.example/", "deny", "deny"),
    # the nine providers of 2020
    *(("fabrikam.example", f"https://{prefix}{provider}/sso", "allow", "txt") for provider in url_rule.PROVIDERS for prefix in ("", "fabrikam.")),
    *(("fabrikam.example", f"https://evil{provider}/sso", "deny", "txt") for provider in url_rule.PROVIDERS),
    ("fabrikam.example", "https://google.com/sso", "deny", "txt"),
    ("fabrikam.example", "https://fabrikam.okta.com.evil.example/", "deny", "txt"),
]


@pytest.mark.parametrize(("domain", "url", "then", "current"), CASES)
def test_cases(domain: str, url: str, then: str, current: str) -> None:
    assert url_rule.check(domain, url, "2020").allowed is (then == "allow")
    without = url_rule.check(domain, url, "current", lambda _name: [])
    assert without.allowed is (current == "no_txt")
    assert bool(without.txt_record) is (current == "txt")
    if without.txt_record:
        assert url_rule.check(domain, url, "current", lambda _name: [without.txt_record]).allowed


@pytest.mark.parametrize(
    ("url", "rule", "told"),
    [
        ("https://[2001:db8::1]/", "url_host_invalid", "is an IP address"),
        ("https://[2001:db8::1]:8443/sso", "url_host_invalid", "is an IP address"),
        ("https://[::1]x/", "url_host_invalid", "is not a host"),
        ("https://[2001:db8::1/", "url_host_invalid", "is not"),
        ("https://192.0.2.10/", "url_host_invalid", "is an IP address"),
        ("https://sts.fabrikam.com/\u200b", "url_invalid", "nobody sees"),
        ("https://sts.fabrikam.com/adfs\u3164/ls", "url_invalid", "nobody sees"),  # the filler of Hangul
        ("https://sts.fabrikam.com/adfs/ls\ufe0f", "url_invalid", "nobody sees"),
        ("https://sts.fabrikam.com/adfs/ls\u2800", "url_invalid", "nobody sees"),
        ("https://sts.fabrikam.com/a\u202eb", "url_invalid", "nobody sees"),
        ("https://sts.fabrikam.com/?a=\u3000b", "url_invalid", "nobody sees"),
        ("https://sts.fabrikam.com/#\u00adb", "url_invalid", "nobody sees"),
        ("https://xn--ls8h.fabrikam.com", "url_host_invalid", "IDNA 2008 forbids"),
        ("https://\U0001f4a9.fabrikam.com", "url_host_invalid", "IDNA 2008 forbids"),
        ("https://xn--a.fabrikam.com", "url_host_invalid", "IDNA 2008 forbids"),  # a control character
        ("https://xn--9.fabrikam.com", "url_host_invalid", "stands for none"),
    ],
)
def test_the_reason_is_the_right_one(url: str, rule: str, told: str) -> None:
    verdict = url_rule.check("fabrikam.com", url)
    assert (verdict.rule, told in verdict.msg) == (rule, True), verdict.msg


def test_letters_behind_the_host_are_no_fault() -> None:
    assert url_rule.check("fabrikam.example", "https://sts.fabrikam.example/連携?a=é").allowed


@pytest.mark.parametrize("dot", "\u3002\uff0e\uff61")
def test_other_dots_part_no_labels(dot: str) -> None:
    assert url_rule.comparable(f"adele@fabrikam{dot}example") != "adele@fabrikam.example"
    assert not url_rule.check("fabrikam.example", f"https://sts.fabrikam{dot}example/").allowed


ADDRESS = "https://Idp.Conglomerate.example/sso?id=Abc"


@pytest.mark.parametrize(
    ("records", "rule"),
    [
        ([f"DirectFedAuthUrl={ADDRESS}"], "txt_record"),
        ([f" directfedauthurl = {ADDRESS} "], "txt_record"),
        (["v=spf1 -all", "DirectFedAuthUrl=https://other.example/", f"DirectFedAuthUrl={ADDRESS}"], "txt_record"),
        (["DirectFedAuthUrl=HTTPS://idp.conglomerate.example/sso?id=Abc"], "txt_record"),
        (["DirectFedAuthUrl=https://idp.conglomerate.example/sso?id=abc"], "txt_record_differs"),
        (["DirectFedAuthUrl=https://idp.conglomerate.example/sso"], "txt_record_differs"),
        ([f"DirectFedAuthUrl={ADDRESS}/"], "txt_record_differs"),
        ([f'"DirectFedAuthUrl={ADDRESS}"'], "txt_record_differs"),
        ([f"DirectFedAuthUrl: {ADDRESS}"], "txt_record_differs"),
        ([f"XDirectFedAuthUrl={ADDRESS}"], "txt_record_missing"),
        ([ADDRESS], "txt_record_missing"),
        ([], "txt_record_missing"),
    ],
)
def test_the_record_names_the_whole_address(records: list[str], rule: str) -> None:
    asked = []
    verdict = url_rule.check("Fabrikam.example.", ADDRESS, "current", lambda name: asked.append(name) or records)
    assert (verdict.rule, verdict.allowed) == (rule, rule == "txt_record")
    assert asked == ["fabrikam.example"]
    assert verdict.txt_record == f"DirectFedAuthUrl={ADDRESS}"


def test_no_record_is_looked_up_where_it_decides_nothing() -> None:
    def lookup(_name: str) -> list[str]:
        raise AssertionError("asked")

    assert url_rule.check("fabrikam.example", "https://sts.fabrikam.example/", "current", lookup).allowed
    assert not url_rule.check("fabrikam.example", "http://idp.example/", "current", lookup).allowed
    assert not url_rule.check("fabrikam.example", "https://idp.example/", "2020", lookup).allowed


def test_without_a_lookup_the_answer_is_not_known() -> None:
    verdict = url_rule.check("fabrikam.example", ADDRESS)
    assert (verdict.allowed, verdict.rule) == (False, "txt_record_unknown")


def test_an_unknown_profile_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="profile"):
        url_rule.check("fabrikam.example", ADDRESS, "newest")


PIECES = st.sampled_from(["https://", "fabrikam", ".example", "evil", ".", "@", ":", "/", "\\", "?", "#", "%2e", "443", "xn--", "ü", "а", " ", "\n", "[", "]"])


@given(domain=st.text(max_size=30) | st.lists(PIECES, max_size=6).map("".join), url=st.text(max_size=40) | st.lists(PIECES, max_size=12).map("".join))
def test_whatever_arrives_there_is_a_verdict(domain: str, url: str) -> None:
    for profile in url_rule.PROFILES:
        verdict = url_rule.check(domain, url, profile, lambda _name: [])
        assert verdict.msg
        if verdict.allowed:
            assert url.strip().lower().startswith("https://")


@given(st.lists(PIECES, max_size=10).map("".join))
def test_an_allowed_address_is_at_the_domain_for_every_reader(rest: str) -> None:
    url = f"https://{rest}"
    if url_rule.check("fabrikam.example", url, "current", lambda _name: []).allowed:
        authority = url.split("/")[2].split("?")[0].split("#")[0]
        assert "@" not in authority and "\\" not in url.split("/")[2]
        host = authority.split(":")[0].rstrip(".")
        assert host == "fabrikam.example" or host.endswith(".fabrikam.example")
