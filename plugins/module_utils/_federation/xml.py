# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML from strangers: read within limits, or refused with a reason."""

from __future__ import annotations

import codecs
import contextlib
import datetime
import re
from collections.abc import Iterator
from xml.parsers import expat

from .._core.errors import OffboardError
from .libraries import etree

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 200
#: Elements, attributes and namespace declarations together. A real aggregate has some 12,000 a megabyte; each costs up to 400 bytes of memory.
MAX_NODES = 150_000
#: The longest single tag, comment or instruction. The parsers hold such a piece in memory as a whole.
MAX_TOKEN_BYTES = 512 * 1024

_CHUNK = 64 * 1024

_DECLARATION = re.compile(r"\A<\?xml\s[^>]*\?>\s*")
#: where a document, or else a page, names its encoding
_NAMED_BY_XML = re.compile(rb"""\A<\?xml\s[^>]{0,200}?\bencoding\s*=\s*["']([\w.:-]+)""")
_NAMED_BY_PAGE = re.compile(rb"""<meta\b[^>]{0,300}?\bcharset\s*=\s*["']?\s*([\w.:-]+)""", re.I)
#: UTF-32's first, which begin with UTF-16's
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, ""),
)  # fmt: skip
#: Python's names of the encodings that documents have; it knows others, which are none
_ENCODINGS = re.compile(r"ascii|iso8859-\d+|cp125\d|koi8-[ru]|cp932|euc_jp|iso2022_jp|gbk|gb18030|big5|euc_kr|cp949")
#: names that mean what Windows has, as browsers and .NET take them (https://encoding.spec.whatwg.org/#names-and-labels), and those of Java and PHP
_OF_WINDOWS = {
    "shift_jis": "cp932", "windows-31j": "cp932", "cswindows31j": "cp932", "sjis-win": "cp932", "gb2312": "gbk",
    "eucjp-win": "euc_jp", "eucjp-ms": "euc_jp", "cp51932": "euc_jp",
}  # fmt: skip
_UNICODE = re.compile(r"utf[-_]?(?:8|16|32)(?:[-_]?[lb]e)?|ucs-?[24]|unicode")
_LOOKED_AT = 4096

_BEFORE_ROOT = re.compile(rb"\s*(?:<!--.*?-->|<\?.*?\?>)", re.S)

XSI = "http://www.w3.org/2001/XMLSchema-instance"

#: What each refusal means, for people. The keys are the stable codes.
REASONS = {
    "empty": "it is empty",
    "too_large": "it is larger than the limit of {limit} bytes",
    "dtd_forbidden": "it has a DOCTYPE: entities and default attributes could make readers see different values, so none is allowed",
    "not_xml": "it is not well-formed XML ({detail})",
    "too_deep": f"its elements are nested deeper than {MAX_DEPTH}",
    "too_complex": f"it has more than {MAX_NODES} elements, attributes and namespace declarations, "
    f"a single tag or comment of more than {MAX_TOKEN_BYTES} bytes, or more identity providers or certificates than any real document",
}


#: of letters that would be others in what is signed
NOT_UTF8 = "its letters are saved in another encoding than it says, or in one that it does not name; save it as UTF-8"


class XmlRefused(OffboardError):
    """XML that is not read at all; `code` is a key of REASONS."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(f"The document is refused: {REASONS[code].format(**values)}.", code=code)


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> etree._Element:
    """The root element of `data`. Raises XmlRefused.

    expat looks first, because it stops at a DOCTYPE and can be stopped while it reads: hardening libxml2's options is not enough,
    with resolve_entities=False it still applies default attributes and expands entities inside attributes.
    """
    if not data.strip():
        raise XmlRefused("empty")
    if len(data) > max_bytes:
        raise XmlRefused("too_large", limit=max_bytes)
    try:
        data = in_utf8(data)
        data.decode()
    except UnicodeError as exc:
        raise XmlRefused("not_xml", detail=NOT_UTF8) from exc
    _Scan().run(data)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise XmlRefused("not_xml", detail=_first_line(exc)) from exc
    if root.getroottree().docinfo.doctype:
        raise XmlRefused("dtd_forbidden")
    return root


def in_utf8(data: bytes, told: str = "") -> bytes:
    """What was saved or sent, in UTF-8, where it tells its encoding: by a byte order mark, by its zeros, by name, or as the caller was `told`; as it is
    where nothing tells one. Raises UnicodeError when it is in another one.

    The parsers know some encodings only, and none that Windows has put in the place of the one that the document names.
    """
    found = _encoding_of(data, told)
    if not found:
        return data
    text = data.decode(found, "replace" if found.startswith(("utf-16", "utf-32")) else "strict")
    return _DECLARATION.sub("", text.removeprefix("\ufeff")).encode("utf-8", "surrogatepass")


def _encoding_of(data: bytes, told: str) -> str:
    """The encoding that a text has to be brought out of; "" for UTF-8, and where nothing tells it."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    head = data[:_LOOKED_AT]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if even or odd:
        return "utf-16-be" if even > odd else "utf-16-le"
    named = _NAMED_BY_XML.match(data)
    if b"\x1b" not in data:  # of ISO-2022-JP, which looks like ASCII
        with contextlib.suppress(UnicodeError):
            data.decode()
            # whatever it said before it was saved or copied; what it cannot have been is the parsers' business
            return "utf-8" if named and named[1].lower() != b"utf-8" and _python_name(named[1].decode("ascii")) else ""
    named = named or _NAMED_BY_PAGE.search(head)
    return _python_name(named[1].decode("ascii") if named else told)


def _python_name(label: str) -> str:
    """ "" for what is no encoding of documents."""
    label = label.lower().removeprefix("x-")
    if _UNICODE.fullmatch(label):
        return "utf-8"  # there is nothing in it of UTF-16's, see above
    name = _OF_WINDOWS.get(label, label)
    with contextlib.suppress(LookupError, ValueError):
        name = codecs.lookup(name).name
    name = _OF_WINDOWS.get(name, name)
    return name if _ENCODINGS.fullmatch(name) else ""


class _Scan:
    """One pass of expat that builds nothing."""

    def __init__(self) -> None:
        self.depth = 0
        self.nodes = 0

    def run(self, data: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self.doctype
        parser.StartElementHandler = self.start
        parser.StartNamespaceDeclHandler = self.namespace
        parser.EndElementHandler = self.end
        view = memoryview(data)
        try:
            for begin in range(0, len(data), _CHUNK):
                chunk = view[begin : begin + _CHUNK]
                parser.Parse(chunk, False)
                if begin + len(chunk) - parser.CurrentByteIndex > MAX_TOKEN_BYTES:
                    raise XmlRefused("too_complex")
            parser.Parse(b"", True)
        # LookupError and ValueError: encodings that Python does not know, or that no document has
        except (expat.ExpatError, LookupError, ValueError) as exc:
            raise XmlRefused("not_xml", detail=_first_line(exc)) from exc

    def doctype(self, *_: object) -> None:
        raise XmlRefused("dtd_forbidden")

    def namespace(self, *_: object) -> None:
        self.nodes += 1

    def start(self, _name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.nodes += 1 + len(attributes)
        if self.depth > MAX_DEPTH:
            raise XmlRefused("too_deep")
        if self.nodes > MAX_NODES:
            raise XmlRefused("too_complex")

    def end(self, _name: str) -> None:
        self.depth -= 1


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0][:200]


def text(element: etree._Element | None) -> str:
    """The whole text of an element without surrounding white space; "" for None.

    A comment does not end it: readers that take `.text` see `https://sts.fabrikam.com` in `https://sts.fabrikam.com<!-- -->.evil.example`.
    """
    return "" if element is None else str(element.xpath("string()")).strip()


def behind_comments(data: bytes) -> bytes:
    """The beginning of what follows a document's declaration, comments, instructions and blanks. A loop, since one pattern for all could take for ever."""
    at = 0
    while before := _BEFORE_ROOT.match(data, at):
        at = before.end()
    return data[at : at + 4096].lstrip()


def date_time(value: str) -> datetime.datetime:
    """An xs:dateTime: blanks around it do not count, 24:00:00 is the next day's beginning; without a zone it is UTC (saml-core-2.0-os, 1.3.3).

    Raises ValueError.
    """
    text = value.strip(" \t\r\n")
    midnight = re.sub(r"T24:00:00(?:\.0+)?(?=Z|[+-]|\Z)", "T00:00:00", text)
    when = datetime.datetime.fromisoformat(midnight)
    if midnight != text:
        try:
            when += datetime.timedelta(days=1)
        except OverflowError as exc:
            raise ValueError(value) from exc
    return when if when.tzinfo else when.replace(tzinfo=datetime.UTC)


def children(element: etree._Element, *path: str) -> Iterator[etree._Element]:
    """The elements at `path`, a step of one level per name. Never descendants: those may be hidden in an Extensions element."""
    if not path:
        yield element
        return
    for child in element.iterchildren(path[0]):
        yield from children(child, *path[1:])


def xsi_type(element: etree._Element) -> str | None:
    """The element's xsi:type in Clark notation, the prefix resolved where it stands; None when there is none."""
    value = element.get(f"{{{XSI}}}type", "").strip()
    if not value:
        return None
    prefix, colon, local = value.rpartition(":")
    namespace = element.nsmap.get(prefix if colon else None)
    if colon and namespace is None:
        return None
    return f"{{{namespace}}}{local}" if namespace else local
