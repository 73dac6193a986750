# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import names
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError

ID = "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11"


#: forms of .NET and PowerShell, of code, of a word processor and of a Japanese keyboard
PASTED = [ID.replace("-", ""), f"({ID})", f"{{ {ID} }}", f'"{ID}"', f"'{ID}'", *(ID.replace("-", char) for char in "\u2010\u2013\u2212\u30fc\uff0d")]


@pytest.mark.parametrize(
    "text", [ID, ID.upper(), f" {ID}\t", f"{{{ID.upper()}}}", f"urn:uuid:{ID}", f"\u200b{ID}\ufeff", "\uff10" + ID[1:], f"\u3000{ID}\xa0", *PASTED]
)
def test_an_id_however_it_was_pasted(text):
    assert names.uuid(text) == ID
    assert names.user(text) == ID


def test_a_user_is_met_by_the_id_or_by_the_name():
    both = names.of_user(ID.upper(), "Taro@A.example")
    assert both == names.users([f"{{{ID}}}", "taro@a.example "])
    assert not both.isdisjoint(names.users(["TARO@a.example"])) and both.isdisjoint(names.users(["hanako@a.example", ""]))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (" A.Example. ", "a.example"),
        ("@a.example", "a.example"),
        ("ａ．example", "a.example"),
        ("a。example", "a.example"),
        ("日本語.jp", "xn--wgv71a119e.jp"),
        ("XN--WGV71A119E.JP", "xn--wgv71a119e.jp"),
        ("か\u3099.jp", names.domain("が.jp")),
        ("", ""),
        ("ß" * 80 + ".jp", "ß" * 80 + ".jp"),  # no DNS name; it must not break anything
        # each of these is another domain than that of the letters they resemble
        ("straße.example", "xn--strae-oqa.example"),
        ("STRAẞE.example", "xn--strae-oqa.example"),
        ("ς.example", "xn--3xa.example"),
        ("fabri\u212aam.com", "fabri\u212aam.com"),
        ("\u017fts.example", "\u017fts.example"),
        ("\ufb01.example", "\ufb01.example"),
        ("ﾃﾞｰﾀ.example", names.domain("データ.example")),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("日" * 80 + ".jp", "日" * 80 + ".jp"),
    ],
)
def test_a_domain(text, name):
    assert names.domain(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Taro@A.example ", "taro@a.example"),
        ("Taro@A.example.", "taro@a.example"),
        ("ｔａｒｏ＠ａ．example", "taro@a.example"),
        ("taro@日本語.jp", "taro@xn--wgv71a119e.jp"),
        ("@日本語.jp", "@xn--wgv71a119e.jp"),
        ("taro\u200b@a.example\u202c", "taro@a.example"),
        ("taro", "taro"),
        ("strauß@a.example", "strauß@a.example"),
        ("ma\u212ae@a.example", "ma\u212ae@a.example"),
        ("taro@straße.example", "taro@xn--strae-oqa.example"),
    ],
)
def test_a_user(text, name):
    assert names.user(text) == name
    assert names.users([text, "", " "]) == {name}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("auth.iij.jp", "auth.iij.jp"),
        (" AUTH.IIJ.JP. ", "auth.iij.jp"),
        ("https://auth.iij.jp/login?x=1", "auth.iij.jp"),
        ("auth.iij.jp:443", "auth.iij.jp"),
        # an IPv6 address has no port without brackets, and two of them are two machines
        ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8::2", "2001:db8::2"),
        ("[2001:db8::1]:5986", "2001:db8::1"),
        ("https://[2001:db8::1]:5986/wsman", "2001:db8::1"),
        ("auth.iij.jp/login", "auth.iij.jp"),
        ("*.iij.jp", "iij.jp"),
        (".iij.jp", "iij.jp"),
        ("ａｕｔｈ．iij.jp", "auth.iij.jp"),
        ("*", "*"),
        ("https://[", ""),
        (" ", ""),
    ],
)
def test_a_host(text, name):
    assert names.host(text) == name


@pytest.mark.parametrize(
    ("host", "expected", "matches"),
    [
        ("auth.iij.jp", ["auth.iij.jp"], True),
        ("www.auth.iij.jp", ["auth.iij.jp"], True),
        ("WWW.AUTH.IIJ.JP.", ["auth.iij.jp"], True),
        ("evilauth.iij.jp", ["auth.iij.jp"], False),
        ("auth.iij.jp.evil.example", ["auth.iij.jp"], False),
        ("www.auth.iij.jp", [".auth.iij.jp"], True),
        ("www.auth.iij.jp", ["https://AUTH.iij.jp/", ""], True),
        ("anything", ["*"], True),
        ("", ["auth.iij.jp", ""], False),
    ],
)
def test_which_host_is_meant(host, expected, matches):
    assert names.is_under(names.host(host), names.idp_hosts(expected)) is matches


@pytest.mark.parametrize("given", [[], [""], [" ", "\u3000"]])
def test_no_host_at_all_is_a_mistake(given):
    with pytest.raises(OffboardError) as caught:
        names.idp_hosts(given)
    assert caught.value.code == "bad_option"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Taro <taro@a.example>", "taro@a.example"),
        ("<taro@a.example>,", "taro@a.example"),
        ("mailto:taro@a.example", "taro@a.example"),
        ("\u300ctaro@a.example\u300d", "taro@a.example"),
        ("\u3010\uff54aro@a.example\u3011\uff63", "taro@a.example"),
        ("SMTP:Taro@a.example;", "taro@a.example"),
        ("taro@a.example、", "taro@a.example"),
        ("taro@a.example\uff64", "taro@a.example"),
        ("太郎@日本語.jp", "太郎@xn--wgv71a119e.jp"),
        ("'taro@a.example'", "taro@a.example"),
        ("o'brien@a.example", "o'brien@a.example"),
        ("taro_b.example#EXT#@a.example", "taro_b.example#ext#@a.example"),
        (ID.upper(), ID),
    ],
)
def test_one_user_out_of_a_mail(text, name):
    assert names.user(text) == name
    assert names.is_user(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u3000", "/", f"{ID}/memberOf", "taro", "@a.example", "a@b.example;c@d.example", "a@b.example c@d.example", "a@b.example,c@d.example",
     "['a@b.example']", "{'upn': 'a@b.example'}", "https://graph.microsoft.com/v1.0/users/a@b.example", "None", "taro @ a.example",
     "«a@b.example»", "a@b.example、c", "a@b..example", "a@.example",
     "a\x00@b.example", "a@b\x7f.example", "\ud800@b.example", "a@\udfff.example", f"{'a' * 400}@b.example"],
)  # fmt: skip
def test_what_names_no_single_user(text):
    assert not names.is_user(text)
