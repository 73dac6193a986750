# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an answer of Microsoft Graph points at given hosts: every string of it is looked at, whatever property it stands in. Pure.

There is no list of properties that one could have forgotten. What a string holds is opened too: JSON, base64 (a profile's payload, a certificate, a part of
a token), what is compressed in it, percent-encoding, character references and the dots of patterns. What could not be opened is told, and never passes for
"nothing there".
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import ipaddress
import json
import math
import plistlib
import re
import unicodedata
import urllib.parse
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from ..._core import names, phrases, plain
from ..._core.errors import OffboardError
from ..domains.plan import root_of

#: How deep lists in lists are gone into, how many of these a payload counts for, and how many characters of one object, opened payloads included,
#: are looked at.
DEEPEST, PAYLOAD, LARGEST = 40, 4, 8_000_000
#: How many places of one object are told.
MOST_PLACES = 50
#: Characters of an address that browsers and servers take.
_LONGEST_ADDRESS = 2_000
#: Characters of a path; a property's name may be a stranger's text.
_LONGEST_PATH = 300
#: Characters of names of properties that are kept in mind, and how many names.
_LONGEST_NAME, _MOST_NAMES = 100, 10_000

_LABEL = "a-z0-9_-"
_IN_A_NAME = "abcdefghijklmnopqrstuvwxyz0123456789_-*."
#: whole texts, elements, data addresses, PEM, of so many characters; possessive, so that no stranger's text takes long
_BASE64 = r"(?:^|[>\"']|base64,)\s*+([A-Za-z0-9+/_][A-Za-z0-9+/_\s-]{%d,}+={0,2}+)\s*+(?=$|[<\"'])"
#: a word of a text that may be one: after a name, in an address, in a command, as a part of a token (JWT)
_WORD = r"[A-Za-z0-9+/_-]{%d,}+={0,2}+"
#: how a certificate begins in base64
_DER = "MII"
#: signs of base64 that stand between words, too: relay_aHR0cHM6, q=a+aHR0cHM6
_GLUE = re.compile("[+/_-]")
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----([A-Za-z0-9+/=\s]*+)-----END")
#: lines of one payload, whatever stands around them
_LINES = re.compile(r"(?<![A-Za-z0-9+/_-])((?:[A-Za-z0-9+/_-]{32,}+[ \t]*+\r?\n\s*+)++(?:[A-Za-z0-9+/_-]++={0,2}+(?=[\s<\"'\]),;]|$))?)")
_BLANKS = re.compile(r"\s+")
#: a profile of Apple's for one device alone (its key says so), and what is encrypted by its object identifier: CMS enveloped-data (RFC 5652 6.1) and
#: encrypted-data (8; the certificates of a PKCS #12 file are that), authenticated-enveloped-data (RFC 5083 2.1)
_PKCS = b"\x2a\x86\x48\x86\xf7\x0d\x01".decode("latin-1")
_ENCRYPTED = ("EncryptedPayloadContent", *(_PKCS + kind for kind in ("\x07\x03", "\x07\x06", "\x09\x10\x01\x17")))
#: a full stop in other scripts, which a browser takes for one, and what it passes over in a host (UTS #46)
_STOPS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": ".", **dict.fromkeys("\u00ad\u200b\u2060\ufeff")})


#: what switches to other letters (ISO-2022-JP: RFC 1468), whose last character is one that a name would begin with
_SWITCH = re.compile("\x1b[$(][$(]?[@-Z]")


class Reference(NamedTuple):
    """One place of an object. `match` is the host or identifier as it stands there; `opened` when it stood inside of a payload.

    phrase: by which of `_core/phrases.py` it is told; empty: that the place names it.
    """

    path: str
    match: str
    opened: bool
    phrase: str = ""


class Accepted(NamedTuple):
    """What a person has accepted, in lower case: objects that may go on pointing there, and kinds or objects that they have looked at themselves."""

    references: frozenset[str] = frozenset()
    not_looked_at: frozenset[str] = frozenset()

    @classmethod
    def of(cls, references: Iterable[str], not_looked_at: Iterable[str]) -> Accepted:
        """Of the module's options. An empty answer accepts nothing."""
        return cls(*(frozenset(map(names.uuid, given)) - {""} for given in (references, not_looked_at)))

    def has(self, record: str, row: Mapping[str, Any]) -> bool:
        """Whether the row of `references` or `not_looked_at` is accepted."""
        if record == "references":
            return names.uuid(row["id"]) in self.references
        return names.uuid(row["kind"]) in self.not_looked_at or names.uuid(row["id"]) in self.not_looked_at


class Unopened(NamedTuple):
    """A value of an object that could not be looked at: `encrypted`, `packed`, `too_deep` or `too_large`."""

    path: str
    reason: str


def as_host(text: str) -> str:
    """A host name as it is compared. Raises OffboardError `bad_option` for what is none (an address with a path, a pattern)."""
    host = names.domain(text.strip().removeprefix("*."))
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", host):
        raise OffboardError(f"hosts: {text!r} is no host name such as auth.iij.jp; everything below a host counts too", code="bad_option")
    return host


@dataclass(frozen=True)
class _Word:
    """A host (`subdomains`), the end of a pattern that means one besides others (`pattern`), or another identifier, in the form in which texts are searched
    for it."""

    text: str
    subdomains: bool = False
    pattern: bool = False


#: of a regular expression, whose dots are read already: (^|.)iij.jp, (.|^)iij.jp, (.*.)?iij.jp, (?:[a-z]+.)+iij.jp, .+iij.jp
_IN_EXPRESSIONS = (".)", "|^)", ".)?", ".)+", ".+")


def _patterns(host: str) -> Iterator[str]:
    """What means a host and those beside it: *.iij.jp, .iij.jp and, in policies of browsers, *iij.jp and [*.]iij.jp."""
    label, _dot, above = host.partition(".")
    if "." in above:
        yield from (f"{label}.){above}", f"{label}.)?{above}")
    while "." in above:
        yield from (f"{before}{above}" for before in (".", "*", "[*.]", *_IN_EXPRESSIONS))
        above = above.partition(".")[2]


class Matcher:
    """Looks for hosts, and everything below them, and for identifiers that stand for the same service (an app's package name)."""

    def __init__(self, hosts: Iterable[str], identifiers: Iterable[str] = ()) -> None:
        """Raises OffboardError `bad_option`."""
        self._words: dict[str, _Word] = {}
        for host in hosts:
            name = as_host(host)
            for form in (name, names.readable(name)):
                self._words[form] = _Word(form, subdomains=True)
                for pattern in _patterns(form):
                    self._words.setdefault(pattern, _Word(pattern, pattern=True))
        for text in identifiers:
            if not (word := _folded(text).strip()):
                raise OffboardError("identifiers: an empty text is found everywhere", code="bad_option")
            self._words.setdefault(word, _Word(word))
        self._compile()
        #: Characters of the shortest base64 that can hold one of them, as a whole text, and as a word of one, in which patterns are not looked for
        self.shortest, self.shortest_word = (
            min((math.ceil(len(word.text.encode()) * 4 / 3) for word in self._words.values() if not (word.pattern and bare)), default=1)
            for bare in (False, True)
        )
        self.orders = ("utf-16-le",) if all(map(str.isascii, self._words)) else ("utf-16-le", "utf-16-be")
        plain_words = [word.text for word in self._words.values() if not word.pattern]
        #: what data hold that name one of them: in Shift_JIS and the like, and in UTF-16 of either order
        self.encoded, self.wide = tuple(map(str.encode, plain_words)), tuple(word.encode("utf-16-be")[1:] for word in plain_words)
        self.base64, self.word = re.compile(_BASE64 % (self.shortest - 1)), re.compile(_WORD % self.shortest_word)

    def _compile(self) -> None:
        self._any = re.compile("|".join(re.escape(word) for word in sorted(self._words, key=len, reverse=True)) or "(?!)")
        self._empty_names: set[str] = set()

    def also(self, identifier: str) -> None:
        """From here on this is looked for too: the id of an object that points there, so that who uses it is found."""
        self._words.setdefault(_folded(identifier), _Word(_folded(identifier)))
        self._compile()

    def look(self, item: Any) -> tuple[list[Reference], list[Unopened]]:
        """Where it points at what is looked for, each place and match once; and what of it could not be looked at."""
        walk = _Walk(self)
        walk.value(item, "", 0, False)
        return list(dict.fromkeys(walk.found)), list(dict.fromkeys(walk.unopened))

    def is_empty(self, name: str) -> bool:
        """Whether a property's name is known to hold nothing: those of Microsoft Graph come with every object."""
        if name in self._empty_names:
            return True
        if len(name) > _LONGEST_NAME:
            return False
        walk = _Walk(self)
        walk.text(name, "", 0, False)
        if walk.found or walk.unopened:
            return False
        if len(self._empty_names) < _MOST_NAMES:
            self._empty_names.add(name)
        return True

    def matches(self, text: str, binary: bool = False) -> Iterator[str]:
        """The hosts and identifiers in a text, each as it stands there in lower case. In `binary` data a name may end where the next thing begins."""
        for folded in _readings(text):
            yield from self._in_reading(folded, binary)

    def _in_reading(self, folded: str, binary: bool) -> Iterator[str]:
        at = 0
        while hit := self._any.search(folded, at):
            at = hit.start() + 1
            word = self._words[hit[0]]
            # decoded, since only then "%2Eexample" goes on
            before, after = map(_plainest, (folded[max(0, hit.start() - 253) : hit.start()], folded[hit.end() : hit.end() + 64]))
            if not _begins(word, before) or not _ends(word, after, binary):
                continue
            at = hit.end()
            below = before[len(before.rstrip(_IN_A_NAME)) :].lstrip(".-") if word.subdomains or word.pattern else ""
            yield below + word.text


def _begins(word: _Word, before: str) -> bool:
    if word.subdomains and before.endswith("-"):  # no name begins with it: <!--auth.iij.jp-->
        before = before.rstrip("-") or " "
    if not before:
        return True
    if word.pattern or not word.text[0].isascii():
        return not re.match(r"[\w-]", before[-1])
    return not re.match(rf"[{_LABEL}]" if word.subdomains else r"[a-z0-9_.-]", before[-1])


def _ends(word: _Word, after: str, binary: bool) -> bool:
    if binary:
        return not re.match(r"\.[a-z0-9_-]", after)
    if not word.subdomains and not word.pattern:
        return not re.match(r"[a-z0-9_-]|\.[a-z0-9]", after)
    # a dot may end the name itself, or the sentence
    return not re.match(r"-*[a-z0-9]|\.[a-z0-9_-]", after)


def _readings(text: str) -> Iterable[str]:
    """As a browser takes it, and as it stands in a sentence: "①auth.iij.jp。ID" goes on behind its full stop for a browser alone."""
    return (_folded(text),) if text.isascii() else dict.fromkeys((_folded(text), text.lower()))


def _folded(text: str) -> str:
    if "\x1b" in text:
        text = _SWITCH.sub(" ", text)
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).translate(_STOPS).lower()


class _Walk:
    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._left = LARGEST
        #: payloads that were opened, with their places: a text that is decoded in several ways has them each time
        self._opened: set[tuple[str, str]] = set()
        self.found: list[Reference] = []
        self.unopened: list[Unopened] = []

    def value(self, node: Any, path: str, depth: int, opened: bool) -> None:
        self._left -= 10  # of lists in lists too: a property list may hold itself
        if depth > DEEPEST:
            self.unopened.append(Unopened(path, "too_deep"))
        elif self._left < 0:
            self.unopened.append(Unopened(path, "too_large"))
        elif isinstance(node, Mapping):
            if _encrypted(node):
                self.unopened.append(Unopened(path, "encrypted"))
            for name, item in node.items():
                below = _below(path, str(name))
                if not self._matcher.is_empty(str(name)):  # it may be an address
                    self.text(str(name), below, depth, opened)
                self.value(item, below, depth + 1, opened)
        elif isinstance(node, (list, tuple)):
            for index, item in enumerate(node):
                self.value(item, f"{path}[{index}]", depth + 1, opened)
        elif isinstance(node, str):
            self.text(node, path, depth, opened)
        elif isinstance(node, bytes):
            self._data(node, path, depth)

    def text(self, text: str, path: str, depth: int, opened: bool, binary: bool = False) -> None:
        """A string, and what is in it."""
        self._left -= len(text)
        if self._left < 0:
            self.unopened.append(Unopened(path, "too_large"))
            return
        self._search(text, path, opened, binary)
        if any(sign in text for sign in _ENCRYPTED):
            self.unopened.append(Unopened(path, "encrypted"))
        if _QUOTED.search(text):  # not opened then: base64 ends with these signs, too
            self._search(_QUOTED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "", text), path, opened, binary)
        if _may_be_plainer(text):
            self._decoded(text, path, depth, opened, binary)
        self._open(text, path, depth)

    def _open(self, text: str, path: str, depth: int) -> None:
        """What a string holds."""
        shortest = self._matcher.shortest_word
        if len(text) < self._matcher.shortest:
            return
        if depth >= DEEPEST:
            self.unopened.append(Unopened(path, "too_deep"))
            return
        start = text.lstrip()[:1]
        if start and start in '{["':
            try:
                inner = json.loads(text)
            except ValueError:
                pass
            except RecursionError:
                self.unopened.append(Unopened(path, "too_deep"))
            else:
                self.value(inner, f"{path}→", depth + PAYLOAD, True)
        for run in (*_PEM.finditer(text), *_LINES.finditer(text)):
            lines = _BLANKS.sub("", run[1])
            self._payload(lines if len(lines.rstrip("=")) % 4 != 1 else run[1].rsplit(None, 1)[0], path, depth)  # else a word of what follows is in it
        at, rest = 0, []
        for run in self._matcher.base64.finditer(text):
            before = len(self.found)
            self._payload(run[1], path, depth)
            pieces = run[1].split()
            whole = len(pieces) > 1 or len(run[1]) > _LONGEST_ADDRESS or len(self.found) > before or run[1].startswith(_DER) or _no_payload(run[1])
            if whole and all(len(piece) >= shortest for piece in pieces[:-1]):  # else it may be a sentence or an address, in which one word is a payload
                rest.append(text[at : run.start(1)])
                at = run.end(1)
        for word in self._matcher.word.findall(" ".join([*rest, text[at:]]) if at else text):
            if not _no_payload(word):
                for piece in dict.fromkeys((word, *_GLUE.split(word))):
                    if len(piece) >= shortest:
                        self._payload(piece, path, depth)

    def _search(self, text: str, path: str, opened: bool, binary: bool) -> None:
        room = MOST_PLACES * 20 - len(self.found)
        self.found += (Reference(path, match, opened) for match in islice(self._matcher.matches(text, binary), max(0, room)))

    def _decoded(self, text: str, path: str, depth: int, opened: bool, binary: bool) -> None:
        """Percent-encoding, character references, escapes of letters and the dots of patterns, also of one another."""
        for plainer in _rounds(text):
            text = plainer
            self._search(text, path, opened, binary)
            self._open(text, path, depth)
        if _plainer(text) != text:
            self.unopened.append(Unopened(path, "too_deep"))

    def _payload(self, run: str, path: str, depth: int) -> None:
        packed = _BLANKS.sub("", run).replace("-", "+").replace("_", "/").rstrip("=")
        if (path, packed) in self._opened:
            return
        self._opened.add((path, packed))
        try:
            inner = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
        except (binascii.Error, ValueError):
            return
        self._data(inner, path, depth)

    def _data(self, inner: bytes, path: str, depth: int) -> None:
        """What is binary, and what is packed in it."""
        below, inner = f"{path}⇒", _in_one_piece(inner)
        if _ARCHIVE.match(inner):
            self.unopened.append(Unopened(path, "packed"))
        self._bytes(inner, below, depth)
        while inner := self._inflated(inner, below):
            below, depth = f"{below}⇒", depth + PAYLOAD
            if depth >= DEEPEST:
                self.unopened.append(Unopened(path, "too_deep"))
                return
            self._bytes(inner, below, depth)

    def _inflated(self, packed: bytes, path: str) -> bytes:
        """What gzip, zlib or DEFLATE alone (a SAML request in an address) has packed; of gzip and zlib, whose head tells them, also of what was cut off."""
        for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
            stream = zlib.decompressobj(window)
            try:
                inner = stream.decompress(packed, max(1, self._left))
            except zlib.error:
                continue
            if stream.unconsumed_tail:
                self.unopened.append(Unopened(path, "too_large"))
            elif stream.eof or window > zlib.MAX_WBITS:
                return inner + self._members(stream.unused_data, path, self._left - len(inner))
        return b""

    def _members(self, packed: bytes, path: str, left: int) -> bytes:
        """What the further members of a gzip file have packed, which goes on in the next one (RFC 1952 2.2)."""
        found: list[bytes] = []
        while packed.startswith(_GZIP):
            stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                found.append(stream.decompress(packed, max(1, left)))
            except zlib.error:
                break
            left -= len(found[-1])
            packed = stream.unused_data
            if stream.unconsumed_tail or (packed and len(found) >= _MOST_MEMBERS):
                self.unopened.append(Unopened(path, "too_large"))
                break
        return b"".join(found)

    def _bytes(self, inner: bytes, below: str, depth: int) -> None:
        if inner.startswith(b"bplist"):
            with contextlib.suppress(plistlib.InvalidFileException):
                try:
                    self.value(plistlib.loads(inner), f"{below}→", depth + PAYLOAD, True)
                except RecursionError:
                    self.unopened.append(Unopened(below, "too_deep"))
                return
        try:
            self.text(inner.decode("utf-8-sig"), below, depth + PAYLOAD, True)
            if b"\0" not in inner:
                return
        except UnicodeDecodeError:
            self.text(inner.decode("latin-1"), below, depth + PAYLOAD, True, binary=True)
            # as scripts in Japan are written: the second byte of a letter may be an ASCII letter, with which a name would begin
            small = inner.lower()
            if any(name in small for name in self._matcher.encoded):
                self._search(inner.decode("cp932", errors="replace"), below, True, binary=True)
        if wide := _UTF_32.search(inner):
            self.text(inner[wide.start() :].decode("utf-32-be" if wide[0].startswith(b"\0") else "utf-32-le", "replace"), below, depth + PAYLOAD, True)
        if b"\0" in inner:
            for start in (0, 1):  # UTF-16 of both orders: of ASCII one of them is the other, a byte further
                for order in self._matcher.orders:
                    self.text((inner[start:] + b"\0").decode(order, errors="ignore"), below, depth + PAYLOAD, True)
            small = inner.lower()
            if any(name in small for name in self._matcher.wide):  # but for the last letter of a name, behind which another script begins
                for start in (0, 1):
                    self._search((inner[start:] + b"\0").decode("utf-16-be", errors="ignore"), below, True, False)


#: letters of four bytes each
_UTF_32 = re.compile(rb"(?:[!-~]\0{3}){4}|(?:\0{3}[!-~]){4}")
#: an octet string in pieces, as who signs a profile while reading it writes one (X.690 8.7.3, 8.1.3.6), and how the next piece begins
_PIECES, _PIECE = b"\x24\x80\x04", re.compile(rb"\x04(?:([\0-\x7f])|\x81(.)|\x82(..)|\x83(...)|\x84(....))", re.DOTALL)


def _in_one_piece(data: bytes) -> bytes:
    """What no name is torn in by the heads of pieces."""
    parts, at = [], 0
    while (start := data.find(_PIECES, at)) >= 0:
        parts.append(data[at:start])
        at = start + 2
        while head := _PIECE.match(data, at):
            at = head.end() + int.from_bytes(head[head.lastindex or 0], "big")
            parts.append(data[head.end() : at])
    return b"".join([*parts, data[at:]]) if parts else data


#: what begins a member of a gzip file, and how many are read
_GZIP, _MOST_MEMBERS = b"\x1f\x8b", 100
#: what begins an archive that is not opened: zip (also what Office and Intune make of it), 7z, bzip2, xz, RAR, CAB, zstd
_ARCHIVE = re.compile(rb"PK\x03\x04|7z\xbc\xaf\x27\x1c|BZh[1-9]1AY|\xfd7zXZ\0|Rar!\x1a\x07|MSCF\0{4}|\x28\xb5\x2f\xfd")
#: a letter as JSON, scripts and patterns write it, in a text that is none of these as a whole
_ESCAPE = re.compile(
    r"(?:(?-i:\\U0000)|(?:(?<!\\)\\++|%)u)(?!d[89a-f])([0-9a-f]{4})|(?<!\\)\\++[ux]\{0*([0-9a-f]{1,4})\}|(?<!\\)\\++x([0-9a-f]{2})", re.IGNORECASE
)
#: a full stop, colon, hyphen or equals sign of a mail (quoted-printable), and the end of a line that it has put into a name
_QUOTED = re.compile(r"=(?:(2[DE]|3[AD])|\r?\n(?=[A-Za-z0-9.]))")
#: the end of a line, a tab, and what stands for no letter in a pattern (\b, \Q), as they are written there; not what the host of \\host begins with
_NO_LETTER = re.compile(r"(?<!\\)\\[nrtfbqs]", re.IGNORECASE)


def _plainer(text: str) -> str:
    letters = _NO_LETTER.sub(" ", _ESCAPE.sub(lambda found: chr(int(found[found.lastindex or 0], 16)), text))
    return plain.unescaped(urllib.parse.unquote(letters, errors="replace")).replace("\\.", ".").replace("\\/", "/").replace("[.]", ".")


def _no_payload(word: str) -> bool:
    """An id, a name, a path."""
    return word.islower() or word.isupper()


def _may_be_plainer(text: str) -> bool:
    return "%" in text or "&" in text or "\\" in text or "[.]" in text


def _rounds(text: str) -> Iterator[str]:
    """The text decoded once, twice and so on, while that changes it."""
    for _round in range(4):
        if not _may_be_plainer(text):
            return
        plainer = _plainer(text)
        if plainer == text:
            return
        yield plainer
        text = plainer


def _plainest(text: str) -> str:
    for plainer in _rounds(text):
        text = plainer
    return text


def _below(path: str, name: str) -> str:
    shown = plain.line(name)
    return f"{path}.{shown}"[:_LONGEST_PATH] if path else shown[:_LONGEST_PATH]


def _encrypted(node: Mapping[str, Any]) -> bool:
    """Intune keeps secrets of profiles to itself: omaSettings with isEncrypted or secretReferenceValueId, settings with a valueState."""
    return node.get("isEncrypted") is True or bool(node.get("secretReferenceValueId")) or str(node.get("valueState") or "").startswith("encrypted")


def is_named(location: Mapping[str, Any], named: Iterable[str]) -> bool:
    """Whether the operator's list has this named location of Conditional Access: by its id, its name, or an address range that overlaps."""
    ranges = [network for item in location.get("ipRanges") or () if (network := _network(str((item or {}).get("cidrAddress") or ""))) is not None]
    for text in named:
        if names.uuid(text) in names.uuids(str(location.get(name) or "") for name in ("id", "displayName")):
            return True
        wanted = _network(text)
        if wanted is not None and any(wanted.version == one.version and wanted.overlaps(one) for one in ranges):
            return True
    return False


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def custom_controls(policy: Mapping[str, Any]) -> list[str]:
    """Names of the custom controls that a policy of Conditional Access sends people to. Where they lead, Microsoft Graph does not show."""
    controls = policy.get("grantControls")
    custom = controls.get("customAuthenticationFactors") if isinstance(controls, Mapping) else None
    return [plain.line(str(name)) for name in custom] if isinstance(custom, list) else []


def home_realm(policy: Mapping[str, Any], domains: Collection[str]) -> list[Reference]:
    """Where a home realm discovery policy sends people straight to one of the domains, or to whichever federated domain is the only one.

    Microsoft: PreferredDomain must be a federated domain, and who cannot sign in there is trapped; without it the only federated domain is taken, if there is
    exactly one (learn.microsoft.com/entra/identity/enterprise-apps/home-realm-discovery-policy). domains: those that are to be converted, in lower case.
    """
    definitions = policy.get("definition")
    found = []
    for index, text in enumerate(definitions if isinstance(definitions, list) else ()):
        settings = _settings(text)
        preferred = settings.get("preferreddomain")
        places = preferred if isinstance(preferred, list) else [preferred] if preferred else []
        named = [str(name) for name in places if root_of(names.domain(str(name)), domains) is not None]
        found += [Reference(f"definition[{index}]→", name, True, "prefers_domain") for name in named]
        if settings.get("acceleratetofederateddomain") in (True, "true", "True") and not places and domains:
            found.append(Reference(f"definition[{index}]→", "AccelerateToFederatedDomain", True, "accelerates"))
    return found


def _settings(text: Any) -> dict[str, Any]:
    """Of a policy, by their names in small letters: Microsoft does not say that they have case."""
    try:
        inner = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    inner = _folded_names(inner)
    return _folded_names(inner.get("homerealmdiscoverypolicy", inner))


def _folded_names(value: Any) -> dict[str, Any]:
    return {str(name).lower(): item for name, item in value.items()} if isinstance(value, Mapping) else {}


def staged_rollout(policy: Mapping[str, Any]) -> list[Reference]:
    """Whether a staged rollout is on. It names no domain: whoever is in its groups signs in with Entra already."""
    return [Reference("isEnabled", str(policy.get("feature") or ""), False, "rollout_on")] if policy.get("isEnabled") is True else []


def row(kind: str, item: Mapping[str, Any], found: Sequence[Reference]) -> dict[str, Any]:
    """One object of the results, with the first of its places; every text of a stranger in it is fit for a terminal."""
    places = [{"path": one.path, "match": plain.line(one.match), "opened": one.opened} for one in found[:MOST_PLACES]]
    told = [_told(one) for one in found[:3]]
    if len(found) > 3:
        told.append(phrases.english("more_places", number=len(found) - 3))
    return {**identity(kind, item), "places": places, "places_count": len(found), "why": "; ".join(told)}


def _told(one: Reference) -> str:
    return phrases.english(one.phrase or ("payload_names" if one.opened else "place_names"), path=one.path, match=plain.line(one.match))


#: what an object lies below (the domain of a federation), added by the reader; no name of Graph's has a blank
OF = "lies below"


def identity(kind: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """What tells an object from others. Where Graph numbers the objects below another (settings of a policy, languages of a sign-in page), both ids do."""
    name = item.get("displayName") or item.get("name") or item.get("domainName") or item.get("id") or ""
    key, of = str(item.get("id") or item.get("tenantId") or kind), str(item.get(OF) or "")
    if of and not names.is_uuid(names.uuid(key)):
        key = f"{of}/{key}"
    return {
        "of": plain.line(of),
        "kind": kind,
        "id": plain.line(key),
        "name": plain.line(str(name)),
        "client_id": plain.line(str(item.get("appId") or "")),
    }


def open_row(kind: str, item: Mapping[str, Any] | None, path: str, reason: str, words: str) -> dict[str, Any]:
    """One line of what was not looked at: a place of an object, an object, or (None) all objects of the kind."""
    shown = identity(kind, item) if item is not None else {"kind": kind, "id": "", "name": "", "client_id": "", "of": ""}
    return {**shown, "path": path, "reason": reason, "msg": plain.line(words)}


#: Why a part of the tenant, or of an object, was not looked at; the words for people are in `_offboarding/references.py`.
REASONS = frozenset(
    {
        "permission_missing",
        "delegated_only",
        "no_licence",
        "no_intune",
        "beta_not_allowed",
        "encrypted",
        "packed",
        "too_deep",
        "too_large",
        "target_not_shown",
        "custom_control",
    }
)


def reason_of(code: str, status: int, text: str) -> str:
    """Why Microsoft Graph refused to show something: one of `REASONS`, or the code of the error itself."""
    if status in (400, 403) and re.search(r"not applicable to target tenant", text, re.IGNORECASE):
        return "no_intune"
    if status in (400, 402, 403) and re.search(r"licen[cs]e|premium", text, re.IGNORECASE):
        return "no_licence"
    return code
