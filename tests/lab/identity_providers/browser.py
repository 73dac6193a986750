# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest's browser does between Entra and the identity provider: carries a request there, and the answer back."""

from __future__ import annotations

import base64
import html.parser
import http.client
import http.cookiejar
import socket
import ssl
import urllib.request
import zlib
from urllib.parse import urlencode, urljoin

from .. import paths
from . import made
from .part import AUDIENCE


class Browser:
    """Keeps cookies, follows redirects, and finds the lab's host names at the lab's address. Never posts an answer anywhere."""

    def __init__(self) -> None:
        context = ssl.create_default_context(cafile=str(paths.ca_file()))

        class Https(urllib.request.HTTPSHandler):
            def https_open(self, request):
                return self.do_open(_Connection, request, context=context)

        self._opener = urllib.request.build_opener(Https(), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), urllib.request.ProxyHandler({}))

    def saml(self, sign_in: str) -> str:
        """The base64 SAMLResponse to a request of Entra's form."""
        request = (
            f'<samlp:AuthnRequest xmlns:samlp="{made.SAMLP}" ID="_lab" Version="2.0" IssueInstant="2026-01-01T00:00:00Z" IsPassive="false"'
            f' AssertionConsumerServiceURL="{made.LOGIN}"><saml:Issuer xmlns:saml="{made.SAML2}">{AUDIENCE}</saml:Issuer></samlp:AuthnRequest>'
        )
        deflate = zlib.compressobj(wbits=-15)
        packed = base64.b64encode(deflate.compress(request.encode()) + deflate.flush()).decode()
        return self._answer(sign_in, {"SAMLRequest": packed, "RelayState": "lab"}, "SAMLResponse")

    def wsfed(self, sign_in: str) -> str:
        """The XML of the wresult to a request of Entra's form."""
        return self._answer(sign_in, {"wa": "wsignin1.0", "wtrealm": AUDIENCE, "wctx": "lab"}, "wresult")

    def _answer(self, sign_in: str, query: dict[str, str], field: str) -> str:
        url = f"{sign_in}{'&' if '?' in sign_in else '?'}{urlencode(query)}"
        with self._opener.open(url, timeout=30) as reply:
            page = reply.read().decode()
        form = _Form()
        form.feed(page)
        if field not in form.fields:
            raise AssertionError(f"{sign_in} answered without {field}: {page[:500]}")
        if urljoin(url, form.action) != made.LOGIN:
            raise AssertionError(f"the answer would go to {form.action}")
        return form.fields[field]


class _Connection(http.client.HTTPSConnection):
    def connect(self) -> None:
        self._create_connection = lambda address, *args: socket.create_connection((paths.IDP_ADDRESS, address[1]), *args)
        super().connect()


class _Form(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.action = given.get("action") or ""
        elif tag == "input" and (name := given.get("name")):
            self.fields[name] = given.get("value") or ""
