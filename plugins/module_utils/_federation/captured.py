# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sign-in answer in what people save of it. Pure; nothing of what was saved stands in a message.

Browsers offer many ways: the body of the request as it is or as a table, the whole request as a curl, fetch or PowerShell command, the recording as
HAR (JSON), the provider's page with the form in it, also as one file (MHTML) or as its source is shown. Proxies write XML of their own around the
request. Exactly one answer must be in it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import email
import itertools
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from .._core.errors import OffboardError
from .._core.plain import unescaped
from . import xml
from .libraries import etree

#: the form fields that hold an answer: SAML 2.0's HTTP-POST binding, WS-Federation
FIELDS = ("SAMLResponse", "wresult")
_FIELDS_LOWER = tuple(name.lower() for name in FIELDS)
#: A recording holds far more than the answer.
MAX_RECORDING_BYTES = 50 * 1024 * 1024
#: A page as one file has the provider's pictures in it.
_MAX_ARCHIVE_BYTES = 10 * 1024 * 1024
#: of such a page or a mail, and of what holds others; the parser goes down by one call for each
_MAX_PARTS, _MAX_NESTED = 20_000, 50
#: of a form; what has more is none
_MAX_FIELDS = 50
#: of what was deflated; the parser refuses less than that
_MAX_INFLATED = 4 * 1024 * 1024

WHAT_TO_SAVE = (
    "Save, of the request to login.srf in the browser's developer tools (F12, Network, tick Preserve log before signing in), the form data with "
    "SAMLResponse or wresult, or copy that request as cURL, or export the recording as HAR."
)

#: what people save instead, by how it begins; what may be in it is not searched
_OTHERS = (
    (re.compile(rb"\x1f\x8b|PK\x03\x04|BZh|7z\xbc\xaf|\xfd7zXZ|\x28\xb5\x2f\xfd"), "compressed, or an archive such as Fiddler's SAZ"),
    (re.compile(rb"bplist"), "a web archive of Safari, or another binary property list"),
)

#: in front of an answer: blanks, byte order marks, blanks without width
_IN_FRONT = re.compile(r"\A[\s\ufeff\u200b-\u200f\u2060]+")
_BYTES_IN_FRONT = re.compile(rb"\A(?:\s|\xef\xbb\xbf|\xe2\x80[\x8b-\x8f]|\xe2\x81\xa0)+")
_FIELD_OF_PAGE = re.compile(r"<(?:form|input|textarea)\b", re.I)
#: where form data that is not encoded holds XML
_XML_IN_FORM = re.compile(r"(?<![A-Za-z0-9_])wresult=\s*(?=<)")
#: in a form's body, wherever that stands: in a command, below the headers of a request. Base64 that was decoded once too often has blanks for +.
_FORM = re.compile(r"(?<![A-Za-z0-9_])(?:SAMLResponse=([A-Za-z0-9+/=% ]{8,})|wresult=([A-Za-z0-9+/=%._~*-]{8,}))")
#: in a table of form data, or in a program: the name, then on the same line or on the next ones the value, perhaps in quotes
_NAME = re.compile(r"""(?<![A-Za-z0-9_])(?:SAMLResponse|wresult)["']?(?:[ \t]*[:=]|[ \t]|[ \t]*$)\s*["']?""", re.M)
#: where such a value ends
_NEXT = re.compile(r"""["']|^--|^[ \t]*(?:[A-Za-z]\w*[ \t]*[:\t]|(?:RelayState|SAMLResponse|wresult|wctx|wa)\b)""", re.M)
#: where an answer begins in the midst of a text
_BEGIN = re.compile(r"<((?:[\w.-]+:)?(?:Response|RequestSecurityTokenResponse(?:Collection)?))[\s>]")
#: base64 of what begins with <, perhaps percent-encoded, perhaps on several lines
_BASE64_OF_XML = re.compile(r"(?<![A-Za-z0-9+/])P[A-P](?:[A-Za-z0-9+/=]|%(?:25)*(?:2[BFbf]|3[Dd])|\\?\n){100,}")
#: base64 of anything, likewise, without = at its end
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]|\\?\n){200,}")
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.S)
#: in front of a line: marks of a quotation; its number, with what parts it from the line
_QUOTED = re.compile(r"^(?:> ?)+")
_NUMBER = re.compile(r"[ \t]*([0-9]{1,9})([.:|)]?[ \t]*)")
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff]")
#: quotes that a program has escaped, where XML has an attribute
_ESCAPED_QUOTE = re.compile(r"""=\\["']""")
#: how often a value may have been percent-encoded
_ENCODED = 3


class TokenRefused(OffboardError):
    """Nothing that is a sign-in answer. Its text never appears in the message."""


def decode(data: bytes, max_bytes: int) -> bytes:
    """The XML in what was saved: XML itself, the base64 value, form data in any of the forms above. Raises TokenRefused.

    max_bytes: of the answer; a recording may have MAX_RECORDING_BYTES.
    """
    if other := next((what for begin, what in _OTHERS if begin.match(data)), ""):
        raise TokenRefused(f"The token is refused: it is {other}. {WHAT_TO_SAVE}", code="not_a_token")
    body = _part_of_archive(_without_margin(_utf8(data)))
    recording, page = body[:1] in (b"{", b"["), _is_html(body)
    if len(body) > (MAX_RECORDING_BYTES if recording else max_bytes * 2):
        limit = MAX_RECORDING_BYTES if recording else max_bytes
        raise TokenRefused(f"The token is refused: it is larger than {limit} bytes. {WHAT_TO_SAVE}", code="too_large")
    text = body.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    document = text.startswith("<") and not page
    if not body or (document and _is_answer(text)):
        return body
    what = "page" if page else "recording" if recording else "text"
    try:
        found = _by_name(text, page, recording)
        return _xml_of(text) if what == "text" and not document and not found else _only(found, what)
    except TokenRefused as exc:
        if exc.code != "not_a_token":
            raise
        if found := list(_anywhere(text)) or _shown(text):
            return _only(found, what)
        if document:
            return body
        raise


def _is_answer(document: str) -> bool:
    declared = document.find("<!DOCTYPE")  # sought once: a pattern would go through all of a text for each
    if declared >= 0 and (declaration := _DOCTYPE.match(document, declared)):
        document = document[:declared] + document[declaration.end() :]
    root = xml.behind_comments(document.encode("utf-8", "surrogateescape"))
    return _BEGIN.match(root.decode("utf-8", "surrogateescape")) is not None


def _by_name(text: str, page: bool, recording: bool) -> list[tuple[str, str]]:
    """What stands behind the name of its form field, or is shown."""
    if recording:
        return list(_of_json(text))
    found = list(_of_html(text)) if page or _FIELD_OF_PAGE.search(text) else []
    return found or ([] if page else [("", value) for value in _texts(text)]) or _shown(text)


def _utf8(data: bytes, told: str = "") -> bytes:
    """In UTF-8, if it tells its encoding, and nothing in front. Where it is in another one after all, only the letters of the answer itself count:
    see `_xml_of`.
    """
    data = _BYTES_IN_FRONT.sub(b"", data)
    with contextlib.suppress(UnicodeError):
        data = xml.in_utf8(data, told)
    return _BYTES_IN_FRONT.sub(b"", data)


def _without_margin(body: bytes) -> bytes:
    """Without what a mail or an editor has put in front of every line: marks of a quotation, numbers, these also on lines of their own."""
    if not re.match(rb">|[0-9]+(?:\W|$)", body):
        return body
    lines = body.decode("utf-8", "surrogateescape").rstrip().replace("\r\n", "\n").split("\n")
    if all(line.startswith(">") or not line.strip() for line in lines):
        lines = [_QUOTED.sub("", line) for line in lines]
    else:
        apart = lines[0].strip().isdecimal()
        numbered = lines[::2] if apart else lines
        numbers = [found for line in numbered if (found := _NUMBER.match(line))]
        first = numbers[0]
        if [int(found[1]) for found in numbers] != [int(first[1]) + n for n in range(len(numbered))]:
            return body
        # a line may be indented further than the first one
        lines = lines[1::2] if apart else [found.string[found.end(1) + min(len(found[2]), len(first[2])) :] for found in numbers]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _part_of_archive(body: bytes) -> bytes:
    """The page in what browsers save as one file (MHTML, RFC 2557), or what a mail carries; anything else as it is."""
    if len(body) > _MAX_ARCHIVE_BYTES or not re.match(rb"(?i)[a-z][\w-]*:(?s:.{0,4000})^mime-version:", body, re.M):
        return body
    if body.count(b"\n--") > _MAX_PARTS or len(re.findall(rb"(?i)\b(?:multipart|message)/", body)) > _MAX_NESTED:
        return body
    parts = [part for part in email.message_from_bytes(body).walk() if not part.is_multipart()]
    parts.sort(key=lambda part: part.get_content_type() not in ("text/html", "application/xhtml+xml"))  # a page's scripts name the fields too
    contents = [(part.get_payload(decode=True), part.get_content_charset("")) for part in parts]
    saved = (_utf8(content, encoding) for content, encoding in contents if isinstance(content, bytes))
    return next((part for part in saved if any(name.encode() in part for name in FIELDS)), body)


def _anywhere(text: str) -> Iterator[tuple[str, str]]:
    """An answer in base64 whose name is spelled, or stands, as nobody foresaw: in a program, a log, a table, a page's source with colours; or its form."""
    text = _UNSEEN.sub("", unescaped(re.sub(r"<!\[CDATA\[|]]>|<[^<>]*>", "\n", text)))
    text = re.sub(r"\\+u00(2[bf]|3d)", lambda found: chr(int(found[1], 16)), re.sub(r"\\+/", "/", text), flags=re.I)
    for begin in itertools.islice(_BASE64_OF_XML.finditer(re.sub(r"^[> \t]+", "", text, flags=re.M)), _MAX_FIELDS):
        for value in (begin[0], begin[0].partition("\n\n")[0], begin[0].partition("\n")[0]):  # what follows on other lines may be something else
            with contextlib.suppress(TokenRefused):
                if _BEGIN.search(_xml_of(value.replace("\\\n", "")).decode("utf-8", "replace")):
                    yield "", value.replace("\\\n", "")
                    break
    for whole in _BASE64.finditer(text):  # a form, a request, a page
        for value in (re.sub(r"\\?\n", "", whole[0]), max(whole[0].split("\n"), key=len)):  # what stands before may be a word
            with contextlib.suppress(binascii.Error, ValueError):
                inner = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("utf-8", "replace")
                if _names_a_field(inner):
                    yield from _by_name(inner, _is_html(inner.encode()), False)
                    break


def _shown(text: str) -> list[tuple[str, str]]:
    """An answer in the midst of a text, or in a text that shows a page's source."""
    if begin := _BEGIN.search(text):
        end = text.find(">", text.rfind(f"</{begin[1]}"))
        return [("", text[begin.start() : end + 1])] if end > begin.start() else []
    if "&lt;" not in text:
        return []
    plain = unescaped(text)
    return list(_of_html(plain)) or (_shown(plain) if _BEGIN.search(plain) else [])


def _only(found: list[tuple[str, str]], what: str) -> bytes:
    """The one answer of `found` (address that it was posted to, value); of several the one that went to Entra."""
    if not found:
        raise TokenRefused(f"The token is refused: the {what} holds no form field SAMLResponse or wresult. {WHAT_TO_SAVE}", code="not_a_token")
    answers, refused = [], None
    for address, value in found:
        try:
            answers.append((_xml_of(value), address))
        except TokenRefused as exc:
            refused = exc
    if refused and not answers:
        raise refused
    to_entra = {answer for answer, address in answers if re.search(r"/login\.srf(?:[?#]|$)", address)}
    chosen = to_entra or {answer for answer, _address in answers}
    if len(chosen) > 1:
        msg = f"The {what} holds {len(chosen)} sign-in answers. Save only the request to login.srf that was refused."
        raise TokenRefused(msg, code="ambiguous_match")
    return chosen.pop()


def _xml_of(value: str, *, inside: bool = False) -> bytes:
    """The XML of a field's value, which may still be percent-encoded, or have been decoded once too often. Raises TokenRefused.

    inside: it was base64 of this already.
    """
    value = _IN_FRONT.sub("", value)
    for _again in range(_ENCODED):
        if value.startswith("<") or "%" not in value:
            break
        value = _IN_FRONT.sub("", unquote_plus(value))
    if value.startswith("<"):
        if _ESCAPED_QUOTE.search(value):
            value = re.sub(r"\\([\"'/\\])", r"\1", value)
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise TokenRefused(f"The token is refused: {xml.NOT_UTF8}.", code="not_xml") from None
    cut = None
    for spelling in _spellings(value):
        try:
            found = _unpacked(base64.b64decode(spelling, validate=True), inside)
        except (binascii.Error, ValueError):
            continue
        if found.rstrip().endswith(b">"):
            return found
        cut = cut or found
    if cut:
        return cut
    msg = "The token is refused: it is neither XML, nor base64 of XML, nor form data with SAMLResponse or wresult."
    raise TokenRefused(f"{msg} {WHAT_TO_SAVE}", code="not_a_token")


def _spellings(value: str) -> Iterator[str]:
    """The base64 that a text may be, likeliest first. Where it was decoded once too often, the + signs have become blanks."""
    value = re.sub(r"\\r|\\n|&#(?:1[03]|x0*[ad]);", "\n", value, flags=re.I).lstrip("\"'` \t\r\n")
    if (end := value.rstrip(" \t\r\n"))[-1:] in tuple("\"'`,;"):
        value = end.rstrip("\"'`,; \t\r\n")
    # blanks where a line begins or ends are none of its own; at the end of all they may be, also before a last line break
    for text in (value, value.rstrip("\r\n")):
        *lines, last = re.split(r"[\r\n]+", text)
        yield ("".join(line.strip(" \t") for line in lines) + last.lstrip(" \t")).replace(" ", "+")
    # for addresses (RFC 4648, 5) it has - and _, and no = at the end
    bare = "".join(value.split()).translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    yield bare + "=" * (-len(bare) % 4)


def _unpacked(data: bytes, inside: bool) -> bytes:
    """The XML in what was base64: as it is, deflated as by the HTTP-Redirect binding, or in base64 once more. Raises ValueError."""
    plain = _utf8(data)
    if _is_html(plain):
        raise ValueError
    if plain.startswith(b"<"):
        return plain
    for form in (-zlib.MAX_WBITS, zlib.MAX_WBITS | 32):  # bare, or as zlib and gzip have it
        with contextlib.suppress(zlib.error):
            inflated = zlib.decompressobj(form).decompress(data, _MAX_INFLATED)
            if inflated.startswith(b"<"):
                return inflated
    if inside or not plain.isascii():
        raise ValueError
    try:
        return _xml_of(plain.decode("ascii"), inside=True)
    except TokenRefused:
        raise ValueError from None


def _texts(text: str) -> Iterator[str]:
    """Of form data, commands and tables."""
    if _XML_IN_FORM.search(text):
        yield from _of_form(text)
        return
    # two bodies on lines of their own would be one with a strange value
    if re.match(r"[\w.%+-]+=", text) and sum(text.count(f"{name}=") for name in FIELDS) < 2:
        try:
            form = parse_qs(text, max_num_fields=_MAX_FIELDS)
        except ValueError:
            form = {}
        if values := [value for name in FIELDS for value in form.get(name, ())]:
            yield from values
            return
    # cmd.exe's curl has ^ before every special character, and % twice or as ^%
    plain = (text.replace("^\n", "").replace("^", "") if re.search(r"\^[\"%&]", text) else text).replace("%%", "%")
    values = _of_form(plain)
    yield from values
    if values:
        return
    names = [*itertools.islice(_NAME.finditer(plain), _MAX_FIELDS)]
    for name, end_of_value in zip(names, [*(one.start() for one in names[1:]), len(plain)], strict=False):
        value = plain[name.end() : end_of_value]
        if value.startswith("<"):
            yield value[: value.rfind(">") + 1]
        else:
            end = _NEXT.search(value)
            yield value[: end.start()] if end else value


def _of_form(text: str) -> list[str]:
    """Of a form's body, wherever it stands in a text."""
    if bare := _XML_IN_FORM.search(text):
        return [text[bare.end() : text.rfind(">") + 1]]
    return [saml or wsfed for saml, wsfed in _FORM.findall(text)]


def _of_json(text: str) -> Iterator[tuple[str, str]]:
    """Of a HAR file, and of whatever else is JSON: {name: value}, {"name": …, "value": …}, [name, value], form bodies in texts."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        yield from (("", value) for value in _texts(text))  # a command or a table that begins with a bracket
        return
    waiting: list[tuple[str, Any]] = [("", value)]
    pages: list[str] = []
    none = True
    while waiting:
        address, item = waiting.pop()
        address = (_address(item) if isinstance(item, dict) else "") or address
        found, inner = _of_item(item)
        if isinstance(item, str) and _names_a_field(item):
            pages.append(item)
        waiting.extend((address, one) for one in inner)
        none = none and not found
        yield from ((address, one) for one in found)
    if none:  # the provider's page, where the request that it makes was not recorded
        for page in pages:
            yield from _of_html(page)


def _names_a_field(text: str) -> bool:
    return any(name in text for name in FIELDS)


def _of_item(item: Any) -> tuple[list[str], list[Any]]:
    """What one value of JSON holds of a form's fields, and the values in it that are still to be looked at. SAML-tracer, which hides what was posted
    if it is told to, has the XML as `saml` beside it.
    """
    if isinstance(item, str):
        return (_of_form(item) if _names_a_field(item) else []), []
    if isinstance(item, list):
        is_pair = len(item) == 2 and _is_field(item[0]) and isinstance(item[1], str)
        return ([item[1]], []) if is_pair else ([], item)
    return _of_object(item) if isinstance(item, dict) else ([], [])


def _of_object(item: dict[str, Any]) -> tuple[list[str], list[Any]]:
    found = [item["value"]] if _is_field(item.get("name")) and isinstance(item.get("value"), str) else []
    if isinstance(xml_text := item.get("saml"), str) and _BEGIN.match(xml_text):
        found.append(xml_text)
    for name, inner in item.items():
        if _is_field(name):
            found += [one for one in (inner if isinstance(inner, list) else [inner]) if isinstance(one, str)]
    encoded = item.get("encoding") == "base64"
    return found, [_plain(inner) if encoded and name == "text" else inner for name, inner in item.items() if not _is_field(name)]


def _address(item: dict[str, Any]) -> str:
    """Where the request of a HAR file's entry, or of another object, goes."""
    request = item.get("request")
    url = request.get("url") if isinstance(request, dict) else item.get("url")
    return url if isinstance(url, str) else ""


def _plain(text: Any) -> Any:
    """What a HAR file holds as base64."""
    try:
        return base64.b64decode(text).decode("utf-8", "replace")
    except (binascii.Error, TypeError, ValueError):
        return text


def _is_field(name: object) -> bool:
    """Programs' logs write samlResponse too."""
    return isinstance(name, str) and name.lower() in _FIELDS_LOWER


def _is_html(body: bytes) -> bool:
    """A page, or a piece of one: its root has neither prefix nor namespace. Answers have both, or one of them."""
    root = xml.behind_comments(body).partition(b">")[0]
    if re.match(rb"(?i)<(?:!doctype\s+html|html|head|body|form|input)\b", root):
        return True
    if not re.match(rb"<[A-Za-z]", root) or b"xmlns" in root or b":" in root.split(maxsplit=1)[0]:
        return False
    return _FIELD_OF_PAGE.search(body.decode("latin-1")) is not None


#: Bytes that no encoding explains, and by which an answer is known to be no forgery, stand for themselves while libxml2, which has no such letters, reads.
_HELD = {letter: 0xF0000 + letter for letter in range(0xD800, 0xE000)}
_GIVEN_BACK = {other: letter for letter, other in _HELD.items()}


def _of_html(text: str) -> Iterator[tuple[str, str]]:
    """The fields of a page's forms, with where the form goes."""
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True)
    try:
        page = etree.fromstring(text.translate(_HELD).encode(), parser)
    except etree.LxmlError:
        return
    action = ""
    for element in page.iter("form", "input", "textarea") if page is not None else ():
        if element.tag == "form":
            action = element.get("action", "")
        elif _is_field(element.get("name")):
            value = element.get("value", "") if element.tag == "input" else "".join(element.itertext())
            yield action, value.translate(_GIVEN_BACK)
