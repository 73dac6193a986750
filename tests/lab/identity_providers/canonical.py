# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures as others make them: canonical bytes from the recommendations' text, without lxml and signxml, which read them.

https://www.w3.org/TR/xml-c14n (1.0), https://www.w3.org/TR/xml-c14n11 (1.1), https://www.w3.org/TR/xml-exc-c14n. No DOCTYPE; no several xml:base with 1.1.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.dom import Node, minidom

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from .made import DS, Key

ENVELOPED = f"{DS}enveloped-signature"
RSA, PSS = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
XML, XMLNS = "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"


@dataclass(frozen=True)
class Method:
    """One way to canonicalise; prefixes: the PrefixList of InclusiveNamespaces."""

    name: str
    uri: str
    exclusive: bool = False
    comments: bool = False
    prefixes: str = ""

    def element(self, tag: str) -> str:
        """`tag` with this algorithm."""
        inside = f'<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="{self.prefixes}"/>' if self.prefixes else ""
        return f'<{tag} Algorithm="{self.uri}">{inside}</{tag}>'


METHODS = [
    Method("1.0", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
    Method("1.0 with comments", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments", comments=True),
    Method("1.1", "http://www.w3.org/2006/12/xml-c14n11"),
    Method("1.1 with comments", "http://www.w3.org/2006/12/xml-c14n11#WithComments", comments=True),
    Method("exclusive", "http://www.w3.org/2001/10/xml-exc-c14n#", exclusive=True),
    Method("exclusive with comments", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments", exclusive=True, comments=True),
    Method("exclusive with prefixes", "http://www.w3.org/2001/10/xml-exc-c14n#", exclusive=True, prefixes="x none"),
]


def canonical(element: minidom.Element, method: Method, *, comments: bool = False, leave_out: minidom.Element | None = None) -> bytes:
    """The canonical bytes of an element of a document."""
    return "".join(_node(element, method, comments, leave_out, {}, apex=True)).encode()


def _node(node: Any, method: Method, comments: bool, leave_out: minidom.Element | None, rendered: dict[str, str], *, apex: bool = False) -> Iterator[str]:
    if node is leave_out:
        return
    if node.nodeType in (Node.TEXT_NODE, Node.CDATA_SECTION_NODE):
        yield node.data.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
    elif node.nodeType == Node.PROCESSING_INSTRUCTION_NODE:
        yield f"<?{node.target} {node.data}?>" if node.data else f"<?{node.target}?>"
    elif node.nodeType == Node.COMMENT_NODE:
        if comments:
            yield f"<!--{node.data}-->"
    else:
        yield f"<{node.tagName}"
        rendered = dict(rendered)
        for prefix, uri in sorted(_namespaces(node, method).items()):
            if rendered.get(prefix, "") != uri:
                rendered[prefix] = uri
                yield f' xmlns{":" if prefix else ""}{prefix}="{_value(uri)}"'
        for _key, name, value in sorted(_attributes(node, inherit=apex and not method.exclusive, xml_id="c14n11" not in method.uri)):
            yield f' {name}="{_value(value)}"'
        yield ">"
        for child in node.childNodes:
            yield from _node(child, method, comments, leave_out, rendered)
        yield f"</{node.tagName}>"


def _value(text: str) -> str:
    for char, reference in (("&", "&amp;"), ("<", "&lt;"), ('"', "&quot;"), ("\t", "&#x9;"), ("\n", "&#xA;"), ("\r", "&#xD;")):
        text = text.replace(char, reference)
    return text


def _lineage(node: Any) -> Iterator[minidom.Element]:
    while node is not None and node.nodeType == Node.ELEMENT_NODE:
        yield node
        node = node.parentNode


def _in_scope(node: minidom.Element) -> dict[str, str]:
    found = {"": ""}
    for one in reversed(list(_lineage(node))):
        for attribute in one.attributes.values():
            if attribute.namespaceURI == XMLNS:
                found["" if attribute.name == "xmlns" else attribute.localName] = attribute.value or ""
    return {prefix: uri for prefix, uri in found.items() if prefix != "xml"}


def _namespaces(node: minidom.Element, method: Method) -> dict[str, str]:
    found = _in_scope(node)
    if not method.exclusive:
        return found
    used = {node.prefix or ""} | {one.prefix for one in node.attributes.values() if one.prefix and one.namespaceURI != XMLNS}
    used |= {"" if prefix == "#default" else prefix for prefix in method.prefixes.split()}
    return {prefix: uri for prefix, uri in found.items() if prefix in used}


def _attributes(node: minidom.Element, *, inherit: bool, xml_id: bool) -> Iterator[tuple[tuple[str, str], str, str]]:
    found = {}
    for one in reversed(list(_lineage(node)) if inherit else [node]):
        for attribute in one.attributes.values():
            own = one is node
            taken_along = attribute.namespaceURI == XML and (xml_id or attribute.localName != "id")
            if attribute.namespaceURI != XMLNS and (own or taken_along):
                found[attribute.name] = ((attribute.namespaceURI or "", attribute.localName or attribute.name), attribute.name, attribute.value)
    yield from found.values()


def element(document: str, identifier: str) -> minidom.Element:
    """The element of the document with that ID."""
    parsed = minidom.parseString(document.encode())
    (found,) = [one for one in parsed.getElementsByTagName("*") if identifier in (one.getAttribute("ID"), one.getAttribute("AssertionID"))]
    return found


def signed(
    document: str,
    place: str,
    identifier: str,
    by: Key,
    *,
    info: Method,
    reference: Method | None,
    prefix: str = "ds",
    declared: bool = True,
    whole_document: bool = False,
    pss: bool = False,
) -> str:
    """`document` with a signature over the element `identifier` where `place` stands. reference: its canonicalisation, None when it names none.

    declared: whether the prefix is declared at the signature itself, and not above. whole_document: the reference is to all of it, which `identifier` is the
    root of. pss: RSASSA-PSS.
    """
    colon = f"{prefix}:" if prefix else ""
    namespace = f' xmlns{":" if prefix else ""}{prefix}="{DS}"' if declared else ""
    alone = canonical(element(document.replace(place, ""), identifier), reference or METHODS[0])  # comments of a reference within the document never count
    if whole_document:
        nodes = minidom.parseString(document.replace(place, "").encode()).childNodes
        root = next(number for number, one in enumerate(nodes) if one.nodeType == Node.ELEMENT_NODE)
        beside = ["".join(_node(one, METHODS[0], False, None, {})) for one in nodes]
        before, after = (f"{text}\n" for text in beside[:root] if text), (f"\n{text}" for text in beside[root + 1 :] if text)
        alone = "".join(before).encode() + alone + "".join(after).encode()
    transforms = f'<{colon}Transform Algorithm="{ENVELOPED}"/>' + (reference.element(f"{colon}Transform") if reference else "")
    text = (
        f"<{colon}Signature{namespace}>\n<{colon}SignedInfo>{info.element(f'{colon}CanonicalizationMethod')}<!-- inside -->\n"
        f'  <{colon}SignatureMethod Algorithm="{PSS if pss else RSA}"/>'
        f'<{colon}Reference URI="{"" if whole_document else f"#{identifier}"}"><{colon}Transforms>{transforms}</{colon}Transforms>'
        f'<{colon}DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        f"<{colon}DigestValue>{base64.b64encode(hashlib.sha256(alone).digest()).decode()}</{colon}DigestValue></{colon}Reference></{colon}SignedInfo>"
        f"<{colon}SignatureValue>SIGNED</{colon}SignatureValue><{colon}KeyInfo><{colon}X509Data><{colon}X509Certificate>{by.base64}</{colon}X509Certificate>"
        f"</{colon}X509Data></{colon}KeyInfo></{colon}Signature>"
    )
    whole = document.replace(place, text)
    (signature,) = [one for one in element(whole, identifier).childNodes if one.nodeType == Node.ELEMENT_NODE and one.localName == "Signature"]
    (inside,) = [one for one in signature.childNodes if one.nodeType == Node.ELEMENT_NODE and one.localName == "SignedInfo"]
    private: Any = by.private
    how = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32) if pss else padding.PKCS1v15()
    value = private.sign(canonical(inside, info, comments=info.comments), how, hashes.SHA256())
    return whole.replace("SIGNED", base64.b64encode(value).decode())
