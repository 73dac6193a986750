# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sign-in answer in what people save of it. Pure; nothing of what was saved stands in a message.

Browsers offer many ways: the body of the request as it is or as a table, the whole request as a curl, fetch or PowerShell command, the recording as
HAR (JSON), the provider's page with the form in it. Exactly one answer must be in it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from .._core.errors import OffboardError

#: the form fields that hold an answer: SAML 2.0's HTTP-POST binding, WS-Federation
FIELDS = ("SAMLResponse", "wresult")
#: A recording holds far more than the answer.
MAX_RECORDING_BYTES = 50 * 1024 * 1024

WHAT_TO_SAVE = (
    "Save, of the request to login.srf in the browser's developer tools (F12, Network, tick Preserve log before signing in), the form data with "
    "SAMLResponse or wresult, or copy that request as cURL, or export the recording as HAR."
)

#: in a form's body, wherever that stands: in a command, below the headers of a request. Base64 that was decoded once too often has blanks for +.
_FORM = re.compile(r"(?<![A-Za-z0-9_])(?:SAMLResponse=([A-Za-z0-9+/=% ]{8,})|wresult=([A-Za-z0-9+/=%._~*-]{8,}))")
#: in a table of form data: the name, then on the same line or on the next ones the value, perhaps in quotes
_NAME = re.compile(r"""^[ \t]*["']?(?:SAMLResponse|wresult)["']?(?:[ \t]*[:=]|[ \t]|[ \t]*$)\s*["']?""", re.M)
#: where such a value ends
_NEXT = re.compile(r"""["']|^[ \t]*(?:[A-Za-z]\w*[ \t]*[:\t]|(?:RelayState|SAMLResponse|wresult|wctx|wa)\b)""", re.M)


class TokenRefused(OffboardError):
    """Nothing that is a sign-in answer. Its text never appears in the message."""


def decode(data: bytes, max_bytes: int) -> bytes:
    """The XML in what was saved: XML itself, the base64 value, form data in any of the forms above. Raises TokenRefused.

    max_bytes: of the answer; a recording may have MAX_RECORDING_BYTES.
    """
    body = data.removeprefix(b"\xef\xbb\xbf").strip()
    recording, page = body[:1] in (b"{", b"["), _is_html(body)
    if len(data) > (MAX_RECORDING_BYTES if recording else max_bytes * 2):
        limit = MAX_RECORDING_BYTES if recording else max_bytes
        raise TokenRefused(f"The token is refused: it is larger than {limit} bytes.", code="too_large")
    if b"\x00" in body[:4] or (body.startswith(b"<") and not page):  # UTF-16 has a zero byte there
        return body if body.startswith(b"<") else data
    text = body.decode("utf-8", "replace").replace("\r\n", "\n")
    if page:
        return _only(list(_of_html(text)), "page")
    if recording:
        return _only(list(_of_json(text)), "recording")
    found = [("", value) for value in _texts(text)]
    return _only(found, "text") if found else _xml_of(text)


def _only(found: list[tuple[str, str]], what: str) -> bytes:
    """The one answer of `found` (address that it was posted to, value); of several the one that went to Entra."""
    if not found:
        raise TokenRefused(f"The token is refused: the {what} holds no form field SAMLResponse or wresult. {WHAT_TO_SAVE}", code="not_a_token")
    answers = {_xml_of(value): address for address, value in found}
    to_entra = {answer for answer, address in answers.items() if re.search(r"/login\.srf(?:[?#]|$)", address)}
    chosen = to_entra or set(answers)
    if len(chosen) > 1:
        msg = f"The {what} holds {len(chosen)} sign-in answers. Save only the request to login.srf that was refused."
        raise TokenRefused(msg, code="ambiguous_match")
    return chosen.pop()


def _xml_of(value: str) -> bytes:
    """The XML of a field's value, which may still be percent-encoded, or have been decoded once too often. Raises TokenRefused."""
    value = value.strip()
    if not value.startswith("<"):
        value = unquote_plus(value).strip() if "%" in value else value
    if value.startswith("<"):
        return value.encode("utf-8", "surrogatepass")
    try:
        # where it was decoded once too often, the + signs of base64 have become blanks
        return base64.b64decode("".join(value.replace(" ", "+").split()), validate=True)
    except (binascii.Error, ValueError):
        msg = "The token is refused: it is neither XML, nor base64, nor form data with SAMLResponse or wresult."
        raise TokenRefused(f"{msg} {WHAT_TO_SAVE}", code="not_a_token") from None


def _texts(text: str) -> Iterator[str]:
    """Of form data, commands and tables."""
    if re.match(r"[\w.%+-]+=", text):
        try:
            form = parse_qs(text, max_num_fields=50)
        except ValueError:
            form = {}
        if values := [value for name in FIELDS for value in form.get(name, ())]:
            yield from values
            return
    # cmd.exe's curl has ^ before every special character, and % twice or as ^%
    plain = (text.replace("^\n", "").replace("^", "") if re.search(r"\^[\"%&]", text) else text).replace("%%", "%")
    values = [saml or wsfed for saml, wsfed in _FORM.findall(plain)]
    yield from values
    if values:
        return
    for name in _NAME.finditer(plain):
        value = plain[name.end() :]
        if value.startswith("<"):
            yield value[: value.rfind(">") + 1]
        else:
            end = _NEXT.search(value)
            yield value[: end.start()] if end else value


def _of_json(text: str) -> Iterator[tuple[str, str]]:
    """Of a HAR file, and of whatever else is JSON: {name: value}, {"name": …, "value": …}, [name, value], form bodies in texts."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        yield from (("", value) for value in _texts(text))  # a command or a table that begins with a bracket
        return
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        address, item = waiting.pop()
        if isinstance(item, dict):
            address = item["url"] if isinstance(item.get("url"), str) else address
            request = item.get("request")
            if isinstance(request, dict) and isinstance(request.get("url"), str):
                address = request["url"]
            if item.get("name") in FIELDS and isinstance(item.get("value"), str):
                yield address, item["value"]
            for name, inner in item.items():
                if name in FIELDS:
                    yield from ((address, one) for one in (inner if isinstance(inner, list) else [inner]) if isinstance(one, str))
                else:
                    waiting.append((address, inner))
        elif isinstance(item, list):
            if len(item) == 2 and item[0] in FIELDS and isinstance(item[1], str):
                yield address, item[1]
            else:
                waiting.extend((address, inner) for inner in item)
        elif isinstance(item, str) and any(f"{name}=" in item for name in FIELDS):
            yield from ((address, saml or wsfed) for saml, wsfed in _FORM.findall(item))


def _is_html(body: bytes) -> bool:
    return bool(re.match(rb"(?i)(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|form|input)\b", body[:4096], re.S))


class _Form(HTMLParser):
    """The fields of a page's forms, with where the form goes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.action = ""
        self.found: list[tuple[str, str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action") or ""
        elif tag == "input" and given.get("name") in FIELDS:
            self.found.append((self.action, given.get("value") or ""))
        elif tag == "textarea" and given.get("name") in FIELDS:
            self._inside = True
            self.found.append((self.action, ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "textarea"

    def handle_data(self, data: str) -> None:
        if self._inside:
            address, value = self.found[-1]
            self.found[-1] = (address, value + data)


def _of_html(text: str) -> Iterator[tuple[str, str]]:
    page = _Form()
    with contextlib.suppress(AssertionError):  # what html.parser raises at a marked section that it does not know
        page.feed(text)
        page.close()
    yield from page.found
