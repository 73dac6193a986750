# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matcher of entra_references_info: what counts as pointing at a host, and what is told when it cannot be known."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import plistlib
import time
import urllib.parse
import zlib
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.references import plan
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from lab.identity_providers import made

H = "auth.iij.jp"
SMARTKEY = ("jp.ad.iij.smartkey2", "id974476420")


def b64(content: str | bytes) -> str:
    return base64.b64encode(content if isinstance(content, bytes) else content.encode()).decode()


def look(item: Any, hosts: tuple[str, ...] = (H,), identifiers: tuple[str, ...] = SMARTKEY) -> list[tuple[str, str]]:
    found, _unopened = plan.Matcher(hosts, identifiers).look(item)
    return [(place.path, place.match) for place in found]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("https://www.auth.iij.jp/rp/cb", "www.auth.iij.jp"),
        ("AUTH.IIJ.JP", H),
        ("auth.iij.jp.", H),
        ("https://auth.iij.jp.:443/x", H),
        ("https://auth.iij.jp:8443", H),
        ("*.auth.iij.jp,*.reiji.example", "*.auth.iij.jp"),
        (".auth.iij.jp", H),  # a list of domains for cookies or proxies
        ("someone@auth.iij.jp", H),
        ("詳細はauth.iij.jpを参照", H),
        ("https%3A%2F%2Fwww%2Eauth%2Eiij%2Ejp%2F", "www.auth.iij.jp"),
        ("https%253A%252F%252Fwww%252Eauth.iij%252Ejp", "www.auth.iij.jp"),
        ("https://www&#46;auth&#46;iij&#46;jp", "www.auth.iij.jp"),
        ("https:\\/\\/www.auth.iij.jp\\/", "www.auth.iij.jp"),
        ("https://\uff41\uff55\uff54\uff48\u3002iij\u3002jp/", H),  # a browser takes full width and other stops for the same
        ("See auth.iij.jp. Then", H),
        ("https://auth.iij.jp@elsewhere.example/", H),
        ("<!--auth.iij.jp-->", H),
        ("--auth.iij.jp", H),
        ("auth.iij.jp--x.example", None),
        ("x--auth.iij.jp", None),
        (r"https://\x61uth\x2eiij\x2Ejp", H),
        (r"auth\u{2e}iij\u{00002E}jp", H),
        ("^https://auth[.]iij[.]jp/", H),
        (r"auth\U0000002eiij\x{2e}jp", H),
        (r'{"a": "{\"b\": \"a\\u0075th\\u002eiij.jp\"}",', H),  # JSON in JSON that was cut off
        ("https://auth%u002Eiij%u002ejp/", H),
        (r"\bauth\.iij\.jp\b", H),
        (r"\Qauth.iij.jp\E", H),
        (r'$hosts = "first\nauth.iij.jp"', H),  # a script
        (r"\\auth%2Eiij%2Ejp\share", H),
        (r"\\nauth.iij.jp\share", None),
        # what goes on, or has begun before, in whatever way that is written
        ("https://auth.iij.jp%2Eelsewhere.example/", None),
        ("https://auth.iij.jp%252Eelsewhere.example/", None),
        ("auth.iij.jp&#46;elsewhere.example", None),
        (r"^https://auth.iij.jp\.elsewhere\.example/", None),
        ("auth.iij.jp[.]elsewhere.example", None),
        ("not&#45;auth.iij.jp", None),
        (r"C:\sites\notauth.iij.jp", None),
        # what means it and others beside it
        ("*.iij.jp", "*.iij.jp"),
        ("https://*.iij.jp:443/*,*.reiji.example", "*.iij.jp"),
        ("https://[*.]iij.jp", "[*.]iij.jp"),  # a pattern of Chrome's policies
        ("*iij.jp", "*iij.jp"),
        ("localhost, .iij.jp", ".iij.jp"),
        (r"^https://[^/]*\.iij\.jp/", "*.iij.jp"),
        (r"(^|\.)iij\.jp$", ".)iij.jp"),
        (r"(\.|^)iij\.jp$", "|^)iij.jp"),
        (r"^https://([a-z0-9-]+\.)*iij\.jp/", "*iij.jp"),
        (r"^https://(.*\.)?iij\.jp/", "*.)?iij.jp"),
        (r"^(?:[\w-]+\.)+iij\.jp$", ".)+iij.jp"),
        (r"^.+iij\.jp$", ".+iij.jp"),
        (r"^(?:auth\.)?iij\.jp$", "auth.)?iij.jp"),
        (r"^(?:www\.)?auth\.iij\.jp$", H),
        (r"^(?:www\.)?iij\.jp$", None),
        (r"^(?:notauth\.)?iij\.jp$", None),
        (r"(^|\.)iij\.jp\.elsewhere\.example$", None),
        ("https://www.google.example/?iij.jp", None),
        ("sso*.iij.jp.elsewhere.example", None),
        ("www.iij.jp", None),
        ("例示.iij.jp", None),
        ("*.jp", None),
        ("*", None),
        ("xauth.iij.jp", None),
        ("https://xauth.iij.jp/ and https://auth.iij.jp/", H),
        ("https://auth.iij.jp.elsewhere.example/", None),
        ("https://auth.iij.jpn/", None),
        ("notauth-iij.jp", None),
        ("not-auth.iij.jp", None),
        ("my_auth.iij.jp", None),
        ("iij.jp", None),
        ("auth-iij-jp", None),
        ("", None),
    ],
)
def test_a_host_by_its_labels(text: str, match: str | None) -> None:
    assert look({"a": text}) == ([("a", match)] if match else [])


@pytest.mark.parametrize(
    "text", ["接続先は{}。IDは社員番号です", "接続先は{}．ID", "接続先は{}｡ID", "①{}②id.reiji.example", "IIJ™{}", "{}のＩＤ", "{}ＩＤ", "{}①"]
)
@pytest.mark.parametrize("what", [H, SMARTKEY[0]])
def test_in_a_sentence_in_japanese(text: str, what: str) -> None:
    """A full stop ends the sentence, whatever comes next, although a browser would take it for a dot of the name."""
    assert ("a", what) in look({"a": text.format(what)})


def test_a_name_in_japanese_in_a_sentence_in_japanese() -> None:
    assert look({"a": "接続先: 例示.example。ID"}, ("例示.example",)) == [("a", "例示.example")]


def test_a_short_host_has_a_short_payload() -> None:
    assert look({"a": b64("*.iij.jp")}) == [("a⇒", "*.iij.jp")]
    assert look({"a": b64("iij.jp"), "b": f"x {b64('https://iij.jp/')}"}, ("iij.jp",), ()) == [("a⇒", "iij.jp"), ("b⇒", "iij.jp")]


def test_a_host_above_is_not_a_host_beside() -> None:
    assert look({"a": "https://xiij.jp/ https://iij.jp.example"}, ("iij.jp",)) == []
    assert look({"a": "https://www.auth.iij.jp"}, ("iij.jp",)) == [("a", "www.auth.iij.jp")]


ASCII = "例示.example".encode("idna").decode()


@pytest.mark.parametrize("host", ["例示.example", ASCII, "例示。EXAMPLE."])
def test_a_host_in_another_script_in_both_forms(host: str) -> None:
    assert [match for _path, match in look({"a": f"https://sso.{ASCII}/", "b": "https://例示.example/", "c": "非例示.example"}, (host,))] == [
        f"sso.{ASCII}",
        "例示.example",
    ]


@pytest.mark.parametrize("host", ["faß.example", "xn--fa-hia.example"])
def test_a_letter_with_another_small_form_is_itself(host: str) -> None:
    """IDNA 2008 (RFC 5894 7.2) tells faß from fass."""
    found = look({"a": "https://sso.faß.example/", "b": "https://XN--FA-HIA.example/", "c": "https://fass.example/"}, (host,))
    assert found == [("a", "sso.faß.example"), ("b", "xn--fa-hia.example")]


@pytest.mark.parametrize("text", ["", "https://auth.iij.jp/", "jp", "auth.*.jp", "a b.example", "\x1b[31m.example"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(OffboardError) as caught:
        plan.Matcher([text])
    assert caught.value.code == "bad_option"


def test_an_empty_identifier_is_refused() -> None:
    with pytest.raises(OffboardError) as caught:
        plan.Matcher([H], [" "])
    assert caught.value.code == "bad_option"


PROFILE = "<plist><key>AuthServerAllowlist</key><string>*.auth.iij.jp</string></plist>"


@pytest.mark.parametrize(
    ("item", "path", "match"),
    [
        ({"web": {"redirectUris": ["https://x.example", "https://www.auth.iij.jp/cb"]}}, "web.redirectUris[1]", "www.auth.iij.jp"),
        ({"definition": ['{"ClaimsMappingPolicy":{"Value":"https://auth.iij.jp/claim"}}']}, "definition[0]→.ClaimsMappingPolicy.Value", H),
        ({"a": json.dumps({"b": json.dumps({"c": "\u0061uth\u002eiij.jp"})}).replace("auth.iij", "auth\\\\u002eiij")}, "a→.b→.c", H),
        ({"a": {"https://auth.iij.jp/claims": 1}}, "a.https://auth.iij.jp/claims", H),
        ({"payload": b64(PROFILE)}, "payload⇒", "*.auth.iij.jp"),
        ({"payload": b64("\ufeff" + PROFILE)}, "payload⇒", "*.auth.iij.jp"),
        ({"payload": b64(PROFILE.encode("utf-16-le"))}, "payload⇒", "*.auth.iij.jp"),
        ({"payload": b64(PROFILE.encode("utf-16-be"))}, "payload⇒", "*.auth.iij.jp"),
        ({"payload": b64(f"<data>\n  {b64(PROFILE)}\n</data>")}, "payload⇒⇒", "*.auth.iij.jp"),
        ({"payload": b64(f"data:text/xml;base64,{b64(PROFILE)}")}, "payload⇒⇒", "*.auth.iij.jp"),
        # of the last letter the second byte is missing, or there is one byte more in front
        ({"payload": b64(H.encode("utf-16-be"))}, "payload⇒", H),
        ({"payload": b64(b"\x30\x1e\x16" + H.encode("utf-16-be"))}, "payload⇒", H),
        ({"payload": b64(gzip.compress(gzip.compress(PROFILE.encode(), mtime=0), mtime=0))}, "payload⇒⇒⇒", "*.auth.iij.jp"),
        ({"payload": b64(gzip.compress(PROFILE.encode(), mtime=0)[:-9])}, "payload⇒⇒", "*.auth.iij.jp"),  # its end was cut off
        # nothing but the host, without padding: 15 letters
        ({"payload": b64(H).rstrip("=")}, "payload⇒", H),
        # a certificate: the address ends where the next tag (0x30, the digit 0) begins
        ({"certificate": b64(b"\x30\x82\xff\x86\x1fhttp://crl.auth.iij.jp\x30\x0a")}, "certificate⇒", "crl.auth.iij.jp"),
        ({"key": f"-----BEGIN CERTIFICATE-----\n{b64(PROFILE + 'x' * 90)}\n-----END CERTIFICATE-----\n"}, "key⇒", "*.auth.iij.jp"),
        ({"packageId": "jp.ad.iij.smartkey2"}, "packageId", SMARTKEY[0]),
        ({"appStoreUrl": "https://apps.apple.com/jp/app/iij-smartkey/id974476420?mt=8"}, "appStoreUrl", SMARTKEY[1]),
        ([["auth.iij.jp"]], "[0][0]", H),
        # a script, which is no JSON as a whole
        ({"script": r'$x = "https:\/\/auth\u002Eiij\u002ejp\/"'}, "script", H),
    ],
)
def test_whatever_holds_it_is_opened(item: Any, path: str, match: str) -> None:
    assert (path, match) in look(item)


ACS = f"https://{H}/saml/acs"
PROFILE_WITH_HOST = f"<plist><string>{H}</string></plist>".encode()
JWT = f"{b64('{}')}.{b64(json.dumps({'iss': ACS})).rstrip('=')}.{b64('signature')}"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b64(b64(b64(ACS))), "a⇒⇒⇒"),
        # a payload that is a part of a text: of a command, an address, a token, a list, a document
        ("powershell.exe -NoProfile -EncodedCommand " + b64(f"Start-Process {ACS}".encode("utf-16-le")), "a⇒"),
        (f"the value is {b64(ACS)} as agreed", "a⇒"),
        (b64(f"the value is {b64(ACS)} as agreed"), "a⇒⇒"),
        (f"url={b64(ACS)};x=1", "a⇒"),
        (f"key: {b64(ACS)}", "a⇒"),
        (f"a,{b64(ACS)},b", "a⇒"),
        (f"<data><![CDATA[{b64(ACS)}]]></data>", "a⇒"),
        (f"https://x.example/relay/{b64(ACS).rstrip('=')}", "a⇒"),
        (f"relay/{b64(ACS)}", "a⇒"),
        (f"relay-{b64(ACS)}", "a⇒"),
        (f"https://x.example/?q=x_{b64(ACS).rstrip('=')}&r=1", "a⇒"),
        (f"https://x.example/?q=token+{b64(ACS)}", "a⇒"),
        (b64(gzip.compress(b"first" * 9, mtime=0) + gzip.compress(ACS.encode(), mtime=0)), "a⇒⇒"),  # a file of two members
        (b64(gzip.compress(ACS[:-5].encode(), mtime=0) + gzip.compress(ACS[-5:].encode(), mtime=0)), "a⇒⇒"),  # the name in both
        # Japanese in front of it and behind it: in Shift_JIS the second byte of バ is the letter o
        (b64("# 認証サーバauth.iij.jpを使う".encode("cp932")), "a⇒"),
        (b64("# 認証サーバauth.iij.jpを使う".encode("utf-16-be")), "a⇒"),
        (b64("# 認証サーバauth.iij.jpを使う".encode("utf-16-le")), "a⇒"),
        (b64("認証サーバauth.iij.jpを使う".encode("iso-2022-jp")), "a⇒"),
        ("認証サーバauth.iij.jpを使う".encode("iso-2022-jp").decode(), "a"),
        *((b64(before + f"見よ {ACS}".encode(order)), "a⇒") for before in (b"", b"\x30") for order in ("utf-32-le", "utf-32-be")),
        # the lines of a mail (quoted-printable)
        (b64("server=3Dauth.ii=\r\nj.jp"), "a⇒"),
        ("see https://auth=2Eiij=2Ejp/", "a"),
        # a profile that was signed while it was read: in pieces (openssl cms -sign -stream)
        (b64(b"\x24\x80\x04\x0b<a>auth.iij\x04\x82\0\x07.jp</a>\0\0"), "a⇒"),
        ("&#" + "9" * 10_000 + "; auth&#" + "0" * 10_000 + "46;iij.jp", "a"),  # no number for Python
        (JWT, "a⇒→.iss"),
        (f"Bearer {JWT}", "a⇒→.iss"),
        # and one that is percent-encoded, or in character references, besides
        (urllib.parse.quote(f"data:application/xml;base64,{b64(ACS + '/1')}"), "a⇒"),
        (f"https://x.example/?RelayState={urllib.parse.quote(b64(ACS), safe='')}", "a⇒"),
        (urllib.parse.quote(json.dumps({"b": b64(ACS)})), "a→.b⇒"),
        (f"&lt;data v=&quot;{b64(ACS)}&quot;/&gt;", "a⇒"),
        (b64(urllib.parse.quote(ACS, safe="").replace(".", "%2E")), "a⇒"),
        # on several lines, as scripts write them
        (f'key = "{b64("x" * 45 + ACS)[:64]}' + r"\n" + f'{b64("x" * 45 + ACS)[64:]}"', "a⇒"),
        (f"<v><![CDATA[{base64.encodebytes(('x' * 42 + ACS).encode('utf-16-le')).decode()}]]></v>", "a⇒"),
        (f"key={b64('x' * 42 + ACS + '/x' * 9)[:76]}\r\n{b64('x' * 42 + ACS + '/x' * 9)[76:]}\r\nother=1", "a⇒"),
        # JSON in a text, whose slashes are escaped
        ('x = {"a": "' + b64("o\U0001f600o" + ACS).replace("/", "\\/") + '"}', "a⇒"),
        # what is compressed: a script in a command, a SAML request in an address (the redirect binding)
        (b64(gzip.compress(PROFILE_WITH_HOST, mtime=0)), "a⇒⇒"),
        (b64(zlib.compress(PROFILE_WITH_HOST)), "a⇒⇒"),
        (f"https://x.example/sso?SAMLRequest={urllib.parse.quote(b64(zlib.compress(PROFILE_WITH_HOST)[2:-4]), safe='')}&RelayState=1", "a⇒⇒"),
        # a pattern of a rule, whose dots are escaped
        (r"^https://auth\.iij\.jp/", "a"),
        (json.dumps({"pattern": r"^https://auth\.iij\.jp/"}), "a→.pattern"),
        # what a browser passes over in a host
        ("https://auth\u200b.iij.jp/", "a"),
        ("https://au\u00adth.iij.jp/", "a"),
    ],
)
def test_what_a_part_of_a_text_holds_is_opened(text: str, path: str) -> None:
    assert (path, H) in look({"a": text})


def test_what_is_opened_in_several_ways_counts_once() -> None:
    """Of what an object may have, a payload beside an ampersand takes no more than its own size."""
    payload = b64(". " * (plan.LARGEST // 6))
    assert plan.Matcher([H]).look({"a": f"<a>&amp;</a><data>{payload}</data>"}) == ([], [])


def listed(*texts: str) -> bytes:
    return plistlib.dumps(list(texts), fmt=plistlib.FMT_BINARY)


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        # before a text stands its length, which may be a letter
        (listed(f"{H}, *.reiji.example, intra.reiji.example, 12345678"), [("a⇒→[0]", H)]),
        (listed("*.iij.jp"), [("a⇒→[0]", "*.iij.jp")]),
        (plistlib.dumps({"a": PROFILE_WITH_HOST}, fmt=plistlib.FMT_BINARY), [("a⇒→.a⇒", H)]),
        (b"bplist00" + f" {H} ".encode(), [("a⇒", H)]),
        # whatever stands on the next line
        (f"key={b64(listed('https://auth.iij.jpn/', 'x' * 40))}\r\nother=1".encode(), []),
        (listed(f"not{H}", f"{H}.elsewhere.example"), []),
        (f"https://{H}.elsewhere.example/".encode("utf-16-le"), []),
        (f"https://{H}.elsewhere.example/".encode("utf-16-be"), []),
        (b"\x30\x82\xff\x82\x1d" + f"{H}.elsewhere.example".encode() + b"\x30", []),
        (b"\x30\x82\xff\x82\x0cx" + H.encode() + b"\x30", []),
        (b"\x24\x80\x04\x0b" + H.encode() + b"\x04\x81\x0d.else.example\0\0", []),
        (b"\x24\x80\x04\x84\xff\xff\xff\xff" + H.encode(), [("a⇒", H)]),
    ],
)  # fmt: skip
def test_what_binary_data_hold(payload: bytes, found: list[tuple[str, str]]) -> None:
    assert look({"a": b64(payload)}) == found


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("before", [b"", b"\x16"])
def test_a_host_in_another_script_in_both_orders(order: str, before: bytes) -> None:
    assert ("a⇒", "例示.example") in look({"a": b64(before + "https://例示.example/".encode(order))}, ("例示.example",))


@pytest.mark.parametrize("text", ["jp.ad.iij.smartkey2.debug", "xjp.ad.iij.smartkey2", "id9744764201", "jp.ad.iij.smartkey2x"])
def test_an_identifier_is_whole(text: str) -> None:
    assert look({"a": text}) == []


#: a certificate with its key, as a profile for phones or PCs carries it
PKCS_12 = pkcs12.serialize_key_and_certificates(
    b"person", made.key("A").private, made.key("A").certificate, None, serialization.BestAvailableEncryption(b"secret")
)


@pytest.mark.parametrize(
    ("item", "unopened"),
    [
        ({"omaSettings": [{"omaUri": "./x", "isEncrypted": True, "value": "****"}]}, ("omaSettings[0]", "encrypted")),
        ({"omaSettings": [{"secretReferenceValueId": "1"}]}, ("omaSettings[0]", "encrypted")),
        ({"settingInstance": {"value": {"valueState": "encryptedValueToken"}}}, ("settingInstance.value", "encrypted")),
        ({"payload": b64(plistlib.dumps({"EncryptedPayloadContent": b"\x30\x82"}))}, ("payload⇒", "encrypted")),
        (
            {"payload": b64(plistlib.dumps({"EncryptedPayloadContent": b"\x30\x82"}, fmt=plistlib.FMT_BINARY))},
            ("payload⇒→.EncryptedPayloadContent", "encrypted"),
        ),
        *(
            ({"payload": b64(b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01" + kind + b"\xa0\x80\x30\x80")}, ("payload⇒", "encrypted"))
            for kind in (b"\x07\x03", b"\x07\x06", b"\x09\x10\x01\x17")
        ),
        ({"payload": b64(f"<data>\n{base64.encodebytes(PKCS_12).decode()}</data>")}, ("payload⇒⇒", "encrypted")),
        ({"a": "x" * (plan.LARGEST + 1)}, ("a", "too_large")),
        ({"a": b64(b"PK\x03\x04" + bytes(40))}, ("a", "packed")),
        ({"a": b64(bz2.compress(b"https://auth.iij.jp/"))}, ("a", "packed")),
        ({"a": b64(lzma.compress(b"https://auth.iij.jp/"))}, ("a", "packed")),
        ({"a": b64(gzip.compress(b"x" * (plan.LARGEST + 1), mtime=0))}, ("a⇒", "too_large")),
        ({"a": b64(gzip.compress(b"x", mtime=0) * 10_000)}, ("a⇒", "too_large")),  # a file of very many members
    ],
)
def test_what_cannot_be_looked_at_is_told(item: Any, unopened: tuple[str, str]) -> None:
    assert [tuple(one) for one in plan.Matcher([H]).look(item)[1]] == [unopened]


def test_depth_is_bounded_and_told() -> None:
    deep: Any = "https://auth.iij.jp/"
    for _round in range(plan.DEEPEST + 5):
        deep = [deep]
    found, unopened = plan.Matcher([H]).look(deep)
    assert found == [] and [one.reason for one in unopened] == ["too_deep"]
    packed = "https://auth.iij.jp/"
    for _round in range(plan.DEEPEST // plan.PAYLOAD + 1):
        packed = b64(packed)
    assert [one.reason for one in plan.Matcher([H]).look(packed)[1]] == ["too_deep"]
    assert [one.reason for one in plan.Matcher([H]).look({"a": "[" * 200_000})[1]] == ["too_deep"]


def _listed(rounds: int, innermost: bytes) -> bytes:
    """A property list of lists in lists."""
    things = [*(b"\xa1" + number.to_bytes(2, "big") for number in range(1, rounds + 1)), innermost]
    places = b"".join((8 + 3 * number).to_bytes(4, "big") for number in range(rounds + 1))
    sizes = (len(things), 0, 8 + sum(map(len, things)))
    return b"bplist00" + b"".join(things) + places + bytes(6) + b"\4\2" + b"".join(size.to_bytes(8, "big") for size in sizes)


def test_what_is_packed_in_a_property_list_is_opened() -> None:
    packed = zlib.compress(b"https://auth.iij.jp/")
    assert plan.Matcher([H]).look({"a": b64(_listed(2, b"\x4f\x10" + bytes([len(packed)]) + packed))})[0]
    archive = b"PK\x03\x04" + bytes(6)
    assert [one.reason for one in plan.Matcher([H]).look({"a": b64(_listed(2, b"\x4a" + archive))})[1]] == ["packed"]
    assert [one.reason for one in plan.Matcher([H]).look({"a": b64(_listed(9_000, b"\x4a" + archive))})[1]] == ["too_deep"]


@pytest.mark.parametrize(("rounds", "found", "told"), [(1, True, []), (4, True, []), (5, False, ["too_deep"])])
def test_what_is_encoded_too_often_was_not_looked_at(rounds: int, found: bool, told: list[str]) -> None:
    text = "www%2Eauth%2Eiij%2Ejp"
    for _round in range(rounds - 1):
        text = text.replace("%", "%25")
    places, unopened = plan.Matcher([H]).look({"a": text})
    assert (bool(places), [one.reason for one in unopened]) == (found, told)


def test_nobody_makes_it_slow() -> None:
    hostile = {
        "a": "a." * 500_000,
        "b": "> " + "a" * 20 + " " * 500_000 + "!",
        "c": ("a" * 250 + "auth.iij.jp ") * 4_000,
        "d": "%25" * 200_000,
        "e": "-----BEGIN A-----" * 50_000,
        "f": "'" * 500_000,
        "h": ("A" * 40 + "\n") * 10_000 + "!",
        "j": "auth.iij.jp" * 90_000,
        "i": ("Ab1" * 14 + " \n" + " " * 50) * 3_000,
    }
    itself = b"\xaf\x10\x20" + bytes(32)  # a property list that holds itself 32 times
    hostile["g"] = b64(b"bplist00" + itself + b"\x08" + bytes(6) + b"\1\1" + b"".join(size.to_bytes(8, "big") for size in (1, 0, 8 + len(itself))))
    begun = time.process_time()
    found, _unopened = plan.Matcher([H]).look(hostile)
    assert time.process_time() - begun < 10
    assert found == []


def test_a_strangers_text_is_fit_for_a_terminal() -> None:
    item = {"id": "1\x1b", "displayName": "\x1b[2J\u202eevil\n", "x\x1b[31m": "https://auth.iij.jp"}
    found, _unopened = plan.Matcher([H]).look(item)
    shown = plan.row("application", item, found)
    assert not any(character in repr(shown).replace("\\n", "") for character in "\x1b\u202e\n")
    assert shown["places"] == [{"path": "x\\x1b[31m", "match": H, "opened": False}] and shown["name"] == "\\x1b[2J\\u202eevil\\n"


def test_an_object_that_points_there_is_looked_for_from_then_on() -> None:
    matcher = plan.Matcher([H])
    policy = {"conditions": {"locations": {"excludeLocations": ["0ca5ef5e-0000-4000-8000-000000000001"]}}}
    assert matcher.look(policy) == ([], [])
    matcher.also("0CA5EF5E-0000-4000-8000-000000000001")
    assert [place.path for place in matcher.look(policy)[0]] == ["conditions.locations.excludeLocations[0]"]


LOCATION = {"id": "l1", "displayName": "IIJ 大阪", "ipRanges": [{"cidrAddress": "192.0.2.0/26"}, {"cidrAddress": "2001:db8::/48"}]}


@pytest.mark.parametrize(
    ("named", "is_it"),
    [
        (["iij 大阪"], True),
        (["L1"], True),
        (["192.0.2.7"], True),
        (["192.0.0.0/16"], True),
        (["2001:db8::1"], True),
        (["192.0.2.64/26"], False),
        (["IIJ"], False),
        ([], False),
    ],
)
def test_named_locations_by_the_operators_list(named: list[str], is_it: bool) -> None:
    assert plan.is_named(LOCATION, named) is is_it


def test_custom_controls_are_named() -> None:
    assert plan.custom_controls({"grantControls": {"customAuthenticationFactors": ["IIJ\x1b"]}}) == ["IIJ\\x1b"]
    assert plan.custom_controls({"grantControls": None}) == plan.custom_controls({}) == []


def test_of_many_places_the_first_are_told_and_all_are_counted() -> None:
    item = {"id": "1", "replyUrls": [f"https://auth.iij.jp/{number}" for number in range(plan.MOST_PLACES + 7)]}
    shown = plan.row("service_principal", item, plan.Matcher([H]).look(item)[0])
    assert (len(shown["places"]), shown["places_count"]) == (plan.MOST_PLACES, plan.MOST_PLACES + 7)
    assert shown["why"].startswith("replyUrls[0] names auth.iij.jp; ") and shown["why"].endswith(f"; {plan.MOST_PLACES + 4} more places do")


def realm(**settings: Any) -> str:
    return json.dumps({"HomeRealmDiscoveryPolicy": settings})


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ([realm(AccelerateToFederatedDomain=True, PreferredDomain="Reiji.Example")], ["prefers_domain"]),
        ([realm(PreferredDomain="sub.reiji.example")], ["prefers_domain"]),
        ([realm(PreferredDomain=["other.example", "reiji.example"])], ["prefers_domain"]),
        ([realm(AccelerateToFederatedDomain=True, PreferredDomain="other.example")], []),
        ([realm(AccelerateToFederatedDomain=True)], ["accelerates"]),
        ([realm(AccelerateToFederatedDomain=False)], []),
        ([realm(DomainHintPolicy={"IgnoreDomainHintForDomains": ["reiji.example"]})], []),  # spares them the way to IIJ ID
        (['{"PreferredDomain": "reiji.example"}'], ["prefers_domain"]),
        (['{"homeRealmDiscoveryPolicy": {"preferredDomain": "reiji.example"}}'], ["prefers_domain"]),
        (['{"homerealmdiscoverypolicy": {"accelerateToFederatedDomain": "true"}}'], ["accelerates"]),
        (["[", "null", '"x"', '{"HomeRealmDiscoveryPolicy": 1}', 7, "[" * 200_000], []),
        ("x", []),
        (None, []),
    ],
)
def test_home_realm_discovery(definition: Any, expected: list[str]) -> None:
    found = plan.home_realm({"definition": definition}, {"reiji.example"})
    assert [one.phrase for one in found] == expected
    assert plan.home_realm({"definition": definition}, set()) == []
    told = plan.row("home_realm_discovery_policy", {"id": "1"}, found)["why"]
    assert "straight to" in told if found else told == ""


@pytest.mark.parametrize(("policy", "on"), [({"isEnabled": True, "feature": "passwordHashSync"}, True), ({"isEnabled": False}, False), ({}, False)])
def test_staged_rollout(policy: dict[str, Any], on: bool) -> None:
    why = plan.row("feature_rollout_policy", {"id": "1"}, plan.staged_rollout(policy))["why"]
    assert why == ("the staged rollout of passwordHashSync is on (isEnabled)" if on else "")


@pytest.mark.parametrize(
    ("code", "status", "text", "reason"),
    [
        ("permission_missing", 403, "Insufficient privileges to complete the operation.", "permission_missing"),
        ("permission_missing", 403, "Your tenant is not licensed for this feature.", "no_licence"),
        ("permission_missing", 403, "Tenant does not have a premium license", "no_licence"),
        ("bad_request", 400, "Request not applicable to target tenant.", "no_intune"),
        ("not_found", 404, "", "not_found"),
        ("server_error", 503, "the license server is down", "server_error"),
    ],
)
def test_why_it_was_not_shown(code: str, status: int, text: str, reason: str) -> None:
    assert plan.reason_of(code, status, text) == reason


@pytest.mark.parametrize(
    ("item", "key"),
    [
        ({"id": "0", plan.OF: "p"}, "p/0"),  # a setting of a settings catalog policy, the default language of a sign-in page
        ({"id": "AAAAAAAA-0000-4000-8000-000000000001", plan.OF: "p"}, "AAAAAAAA-0000-4000-8000-000000000001"),
        ({"id": "0"}, "0"),
        ({"tenantId": "t"}, "t"),
        ({}, "domain"),
    ],
)
def test_what_is_numbered_below_another_is_named_by_both(item, key):
    """Whoever accepts it accepts that one alone."""
    assert plan.identity("domain", item)["id"] == key
