# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one client of IIJ ID's SCIM service: GET only. The token goes to the one address that was given, and into no message."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import http.client
import ipaddress
import math
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from .._core import strict_json
from .._core.address import shown
from .._core.errors import OffboardError
from .._module import reaching

#: Bytes of one answer; a page of 1000 users has some 3 MB.
MAX_BYTES = 64 * 1024 * 1024
#: How often a request is sent that was not answered, or with an error of the service's own. All are GET, so sending again does no harm.
TRIES = 5

_AGAIN = {429, 500, 502, 503, 504}
_CODES = {401: "unauthorized", 403: "permission_missing", 404: "not_found", 429: "throttled"}
_HELP = {
    400: "Perhaps page_size is larger than it allows.",
    401: "The access token is not accepted: it has ended, was revoked, or its owner was disabled. Issue another one in the console of IIJ ID.",
    403: "The access token lacks a scope; it needs escim_read_users and escim_read_groups.",
    404: "Is scim_url right?",
}


class Scim:
    """A service below one address. Answers are JSON objects."""

    def __init__(self, url: str, token: str, *, ca_file: str | None = None, timeout: int = 60, pause_ms: int = 0, max_wait_seconds: int = 900) -> None:
        """url: https, or http on loopback. ca_file: PEM file with the authorities to trust instead of the system's. timeout: seconds for a step of an
        answer. pause_ms: between two requests. max_wait_seconds: the longest Retry-After that is waited for. Raises OffboardError `url_invalid`,
        `bad_option`, `ca_file_unusable`."""
        self._url = url.rstrip("/")
        loopback = _check(self._url)
        if not token or not all("!" <= character <= "~" for character in token):
            raise OffboardError(
                "The access token is empty, or holds a character that no token has, for instance a blank or the end of a line.", code="bad_option"
            )
        self._headers = {"Accept": "application/scim+json, application/json", "Authorization": f"Bearer {token}"}
        self._timeout, self._pause, self._max_wait = timeout, pause_ms / 1000, max_wait_seconds
        self._opener = urllib.request.OpenerDirector()  # build_opener would follow redirects, and take the token with them
        self._opener.add_handler(urllib.request.ProxyHandler({} if loopback else None))
        self._opener.add_handler(_Http() if urlsplit(self._url).scheme == "http" else _Https(context=_context(ca_file)))
        self._next = 0.0

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The object at `path`. Raises OffboardError, whose words quote neither the token nor what was answered: `unauthorized`, `permission_missing`,
        `not_found`, `throttled`, `redirect_refused`, `server_error`, `http_status`, `host_unknown`,
        `unreachable`, `timeout`, `certificate_untrusted`, `too_large`,
        `no_json`."""
        address = f"{self._url}{path}{'?' + urlencode(query) if query else ''}"
        for left in reversed(range(TRIES)):
            time.sleep(max(self._next - time.monotonic(), 0))
            self._next = time.monotonic() + self._pause
            try:
                status, headers, body = self._exchange(address)
            except OffboardError as exc:
                if exc.code not in ("unreachable", "host_unknown", "timeout") or not left:
                    raise
                wait: float | None = None
            else:
                if status == 200:
                    return _object(address, body)
                if status not in _AGAIN or not left:
                    raise _refused(address, status)
                wait = _retry_after(headers)
            self._wait(address, 2.0 ** (TRIES - 1 - left) if wait is None else wait)
        raise OffboardError("nothing was asked", code="unreachable")  # never: there is one try at least

    def _wait(self, address: str, seconds: float) -> None:
        if seconds > self._max_wait:
            raise OffboardError(
                f"{shown(address)} asks to wait {seconds:.0f} seconds, which is longer than max_wait_seconds ({self._max_wait}). Run it again later.",
                code="throttled",
                details={"retry_after": math.ceil(min(seconds, 10**9))},
            )
        time.sleep(seconds)

    def _exchange(self, address: str) -> tuple[int, Mapping[str, str], bytes]:
        request = urllib.request.Request(address, headers=self._headers)
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                body = answer.read(MAX_BYTES + 1)
                length = answer.headers.get("Content-Length", "")
        except (OSError, http.client.HTTPException) as exc:
            raise _lost(address, exc) from None
        if len(body) > MAX_BYTES:
            raise OffboardError(f"{shown(address)} answers with more than {MAX_BYTES} bytes. Take a smaller page_size.", code="too_large")
        if length.isdecimal() and len(body) < int(length):  # read(n) does not complain when the connection ends early
            raise _lost(address, http.client.IncompleteRead(b""))
        return answer.status, answer.headers, body


def _sharing(connection: type[http.client.HTTPConnection]) -> Callable[..., Any]:
    """Connections whose host's addresses share the time-out."""

    def made(host: str, **options: Any) -> http.client.HTTPConnection:
        one = connection(host, **options)
        one._create_connection = reaching.create_connection  # type: ignore[attr-defined]  # its own hook for proxies
        return one

    return made


class _Http(urllib.request.HTTPHandler):
    def do_open(self, http_class: Any, req: Any, **options: Any) -> Any:
        return super().do_open(_sharing(http_class), req, **options)


class _Https(urllib.request.HTTPSHandler):
    def do_open(self, http_class: Any, req: Any, **options: Any) -> Any:
        return super().do_open(_sharing(http_class), req, **options)


def _check(url: str) -> bool:
    """Whether the address is this machine's own. Raises OffboardError `url_invalid`."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
        usable = bool(host) and parts.username is None and not parts.query and not parts.fragment and all("!" <= character <= "~" for character in url)
    except ValueError:
        usable, host, parts = False, "", urlsplit("")
    loopback = host == "localhost"
    with contextlib.suppress(ValueError):
        loopback = ipaddress.ip_address(host).is_loopback
    if not usable or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise OffboardError(f"{shown(url)!r} is no https address without user name and query, which the access token may be sent to.", code="url_invalid")
    return loopback


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as exc:
        raise OffboardError(f"ca_file {ca_file} cannot be read as PEM certificates: {exc}.", code="ca_file_unusable") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _lost(address: str, exc: Exception) -> OffboardError:
    reason = exc.reason if isinstance(exc, urllib.error.URLError) else exc
    if isinstance(reason, TimeoutError):
        return OffboardError(f"{shown(address)} did not answer in time.", code="timeout")
    if isinstance(reason, ssl.SSLCertVerificationError):
        return OffboardError(f"The TLS certificate of {shown(address)} is not trusted: {reason.verify_message}.", code="certificate_untrusted")
    if isinstance(reason, socket.gaierror):
        return OffboardError(f"The host name of {shown(address)} cannot be resolved. Is scim_url right?", code="host_unknown")
    why = reason.strerror if isinstance(reason, OSError) and reason.strerror else type(reason).__name__
    return OffboardError(f"{shown(address)} cannot be reached: {why}.", code="unreachable")


def _refused(address: str, status: int) -> OffboardError:
    if 300 <= status < 400:
        return OffboardError(f"{shown(address)} redirects (HTTP {status}). It was not followed, since the token would go with it.", code="redirect_refused")
    code = _CODES.get(status, "server_error" if status in _AGAIN else "http_status")
    said = f"{shown(address)} answered HTTP {status}{f' {TRIES} times' if status in _AGAIN else ''}. {_HELP.get(status, '')}".strip()
    return OffboardError(said, code=code, details={"status": status})


def _object(address: str, body: bytes) -> dict[str, Any]:
    try:
        found = strict_json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise OffboardError(f"{shown(address)} answered with success, and with something that is no JSON object. Is scim_url right?", code="no_json")
    return found


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After (a number or a date) asks to wait; None without one."""
    value = headers.get("Retry-After") or ""
    with contextlib.suppress(ValueError):
        seconds = float(value)
        return None if math.isnan(seconds) else max(0.0, seconds)
    with contextlib.suppress(ValueError, TypeError, IndexError, OverflowError):
        at = email.utils.parsedate_to_datetime(value)  # without a zone in one of HTTP's three forms, which is UTC too
        return max(0.0, (at if at.tzinfo else at.replace(tzinfo=datetime.UTC)).timestamp() - time.time())
    return None
