# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata over https, within limits."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import string
import threading
import urllib.error
import urllib.request
from urllib.parse import quote, urlsplit, urlunsplit

from .._core.address import shown
from .._core.errors import OffboardError
from .._module import reaching
from . import url_rule, xml

MAX_REDIRECTS = 3


class FetchError(OffboardError):
    """Nothing that could be read as metadata came back; `code` says why.

    url_invalid (not https, with credentials, or with a host that is no name), ca_file_unusable, certificate_untrusted, host_unknown, unreachable, timeout,
    http_status,
    redirect_refused, too_large, empty.
    """


def fetch(url: str, *, ca_file: str | None = None, timeout: float = 30.0, max_bytes: int = xml.MAX_BYTES) -> bytes:
    """The bytes at an https address. Certificates are always checked.

    ca_file: PEM file with the authorities to trust instead of the system's. timeout: seconds for all of it, redirects included.
    Letters outside ASCII: in the host as A-labels of IDNA 2008, behind it percent-encoded (RFC 3987, 3.1).
    Follows up to MAX_REDIRECTS redirects, to https only. Sends no credentials, cookies or user name. Raises FetchError.
    """
    request = urllib.request.Request(_ascii(url, "url_invalid"), headers={"Accept": "application/samlmetadata+xml, application/xml, text/xml, */*;q=0.1"})
    with _Deadline(timeout) as deadline:
        # build_opener would add handlers for http, ftp and file. ProxyHandler: the controller's usual proxy variables hold here too.
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            _Https(_context(ca_file), deadline),
            _Redirects(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
        ):
            opener.add_handler(handler)
        try:
            with opener.open(request, timeout=timeout) as answer:
                data = _read(answer, url, max_bytes)
            if deadline.over:  # a connection that was ended looks like a short answer
                raise TimeoutError
        except FetchError:
            raise
        except UnicodeError as exc:  # a label too long for a name, behind a proxy
            raise FetchError(f"{shown(url)!r} has no host that can be asked.", code="url_invalid") from exc
        except (OSError, http.client.HTTPException) as exc:
            raise _error(url, exc, deadline) from exc
    if not data.strip():
        raise FetchError(f"{shown(url)} answered with nothing.", code="empty")
    return data


def _error(url: str, exc: Exception, deadline: _Deadline) -> FetchError:
    where = f"{shown(url)}{_way(url)}"
    reason = getattr(exc, "reason", None) if isinstance(exc, urllib.error.URLError) else exc
    if deadline.over or isinstance(reason, TimeoutError):
        return FetchError(f"{where} did not answer completely within {deadline.seconds:g} seconds.", code="timeout")
    if isinstance(exc, urllib.error.HTTPError) and 300 <= exc.code < 400:
        return FetchError(f"{where} redirects more than {MAX_REDIRECTS} times, or to something that is not https.", code="redirect_refused")
    if isinstance(exc, urllib.error.HTTPError):
        return FetchError(f"{where} answered HTTP {exc.code}, not metadata.", code="http_status", details={"status": exc.code})
    if isinstance(reason, ssl.SSLCertVerificationError):
        msg = f"The TLS certificate of {where} is not trusted: {reason.verify_message}. If an authority of your own signed it, give it in ca_file."
        return FetchError(msg, code="certificate_untrusted")
    if isinstance(reason, socket.gaierror):
        return FetchError(f"The host name of {where} cannot be resolved: {reason.strerror or reason}.", code="host_unknown")
    return FetchError(f"{where} cannot be read: {reason}.", code="unreachable")


def _way(url: str) -> str:
    """The machine that was asked in its stead, where the environment names one: the fault may be there."""
    proxy = urllib.request.getproxies().get("https", "").rpartition("@")[2].rpartition("//")[2].strip("/ ")
    return f" (by way of the proxy {proxy})" if proxy and not urllib.request.proxy_bypass(urlsplit(url).netloc) else ""


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise FetchError(f"ca_file {ca_file} cannot be read as PEM certificates: {exc}.", code="ca_file_unusable") from exc
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _read(answer: http.client.HTTPResponse, url: str, max_bytes: int) -> bytes:
    data = answer.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise FetchError(f"{shown(url)} sends more than {max_bytes} bytes.", code="too_large")
    length = answer.headers.get("Content-Length", "")
    if length.isdecimal() and len(data) < int(length):  # read(n) does not complain when the connection ends early
        raise http.client.IncompleteRead(data, int(length) - len(data))
    return data


def _ascii(url: str, code: str) -> str:
    """The address as it is asked for. Python's own codec for names knows IDNA 2003 only, for which straße.example is strasse.example."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0 and not url_rule.unseen(url)
        host = parts.netloc
        if not host.isascii():
            host = url_rule.host_name(url) + (f":{parts.port}" if parts.port else "")
        usable = usable and "%" not in host  # what a redirect makes of letters outside ASCII
        path, query = (quote(part, safe=string.punctuation) for part in (parts.path, parts.query))
    except (ValueError, OffboardError):  # UnicodeError is a ValueError
        usable = False
    if not usable:
        rule = "Metadata must come from https, without user name, blanks and marks that nobody sees, and from a host whose letters IDNA 2008 allows"
        raise FetchError(f"{shown(url)!r} is not asked. {rule}.", code=code)
    return urlunsplit(("https", host, path, query, ""))


class _Deadline:
    """Ends everything when the time is up: a socket's own time-out starts anew with every byte and every address, and names have none."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = reaching.now() + seconds
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for connection in self._sockets:
            connection.close()

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return reaching.now() >= self._end

    def create_connection(
        self, address: tuple[str, int], timeout: object = None, source_address: tuple[str, int] | None = None, **_options: object
    ) -> socket.socket:
        """As socket.create_connection, within what is left of the time."""
        connection = reaching.create_connection(address, max(self._end - reaching.now(), 0.001), source_address)
        connection.settimeout(max(self._end - reaching.now(), 0.001))
        self._sockets.append(connection.dup())  # the TLS layer takes the original's descriptor over
        return connection

    def _expire(self) -> None:
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, context: ssl.SSLContext, deadline: _Deadline) -> None:
        super().__init__(context=context)
        self._tls = context
        self._deadline = deadline

    def https_open(self, req):
        return self.do_open(self._connection, req)

    def _connection(self, host, **options) -> http.client.HTTPSConnection:
        connection = http.client.HTTPSConnection(host, context=self._tls, **options)
        connection._create_connection = self._deadline.create_connection  # type: ignore[attr-defined]  # its own hook for proxies
        return connection


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = MAX_REDIRECTS

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        fp.close()  # urllib would read what stands below a redirect, without end where that has none
        return super().redirect_request(req, fp, code, msg, headers, _ascii(newurl, "redirect_refused"))
