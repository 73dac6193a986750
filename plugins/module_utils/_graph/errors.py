# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong between us and Microsoft Graph, in words: refused, throttled, not reachable, lost on the way."""

from __future__ import annotations

import contextlib
import email.utils
import json
import math
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any

from .._core import plain
from .._core.errors import OffboardError
from . import permissions, sdk

#: Seconds. A longer Retry-After is an error that says so: a task that silently sleeps for an hour looks dead.
MAX_RETRY_AFTER = 900
#: Seconds to wait for a connection, and for an answer.
CONNECT_TIMEOUT, ANSWER_TIMEOUT = 30.0, 100.0


class GraphError(OffboardError):
    """Microsoft Graph refused. `status` is the HTTP status, `graph_code` the error code of the body."""

    def __init__(self, msg: str, *, code: str, status: int = 0, graph_code: str = "", request_id: str = "") -> None:
        facts = {"status": status, "graph_code": graph_code, "request_id": request_id}
        super().__init__(msg, code=code, details={name: value for name, value in facts.items() if value})
        self.status = status
        self.graph_code = graph_code


class SignInFailed(GraphError):
    """The sign-in service gives the application no token."""


class AnswerLost(GraphError):
    """A write was sent, and whether it was carried out is not known. Read before writing again."""


#: A refusal with one of these says nothing of the connection.
_OF_THE_LIST = {"foreign_next_link", "duplicate_page", "no_list", "throttled"}


def about_one_part(exc: GraphError, signed_in: bool) -> bool:
    """Whether the refusal is about this part of the tenant alone, so that the others can still be read. signed_in: something was read before."""
    lost = not exc.status and exc.code not in _OF_THE_LIST
    return not (isinstance(exc, SignInFailed) or lost or (exc.status == 401 and not signed_in))


#: what JSON may escape of a character beyond U+FFFF: one half alone is no text that a file or Ansible could hold
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


def json_object(content: bytes) -> dict[str, Any]:
    """A body as a dict; empty when there is none or when it is not a JSON object (a gateway's HTML page)."""
    try:
        value = json.loads(content) if content else {}
    except (ValueError, RecursionError):
        return {}
    if _HALF.search(content):
        value = plain.whole(value)
    return value if isinstance(value, dict) else {}


def is_list(body: Mapping[str, Any]) -> bool:
    """Whether a body is a list of Microsoft Graph: one of objects."""
    values = body.get("value")
    return isinstance(values, list) and all(isinstance(item, dict) for item in values)


def folded(headers: Mapping[str, Any] | None) -> dict[str, str]:
    return {name.casefold(): str(value) for name, value in (headers or {}).items()}


def _date(text: str) -> float | None:
    """Of a header; None for what is no date."""
    with contextlib.suppress(ValueError, TypeError, IndexError, OverflowError):
        return email.utils.parsedate_to_datetime(text).timestamp()
    return None


def clock_ahead(headers: Mapping[str, str]) -> float | None:
    """By how many seconds this machine's clock is ahead of the one that wrote the answer's Date; None without one."""
    at = _date(headers.get("date") or "")
    return None if at is None else time.time() - at


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After (a number or a date) asks to wait; None without one."""
    value = headers.get("retry-after") or headers.get("Retry-After")
    if not value:
        return None
    with contextlib.suppress(ValueError):
        seconds = float(value)
        return 0.0 if math.isnan(seconds) else max(0.0, seconds)
    at = _date(value)
    return None if at is None else max(0.0, at - time.time())


_CODES = {400: "bad_request", 401: "unauthorized", 403: "permission_missing", 404: "not_found", 409: "conflict", 429: "throttled"}


#: refusals (403) that no permission mends: the tenant, or who asks, has too many objects, or an object is too large; the tenant has no licence for it.
#: learn.microsoft.com/graph/resolve-auth-errors has none of them; microsoft-graph-docs#21469, azure-powershell#3074
_NOT_FOR_LACK_OF_PERMISSIONS = {"Directory_QuotaExceeded", "Directory_ResourceSizeExceeded", "Authentication_RequestFromNonPremiumTenantOrB2CTenant"}


def refused_request(method: str, path: str, body: Mapping[str, Any] | None, status: int, answer: Mapping[str, Any], headers: Mapping[str, str]) -> GraphError:
    """A refused request in words. The body of the request, which may hold a password, is never quoted."""
    said_error = answer.get("error")
    error: Mapping[str, Any] = said_error if isinstance(said_error, dict) else {}
    graph_code, text = str(error.get("code") or ""), str(error.get("message") or "").strip()
    inner = error.get("innerError") or error.get("innererror") or {}
    request_id = headers.get("request-id") or (inner.get("request-id", "") if isinstance(inner, dict) else "")
    plain = path.partition("?")[0]
    said = f"Graph answered {status}{f' {graph_code}' if graph_code else ''}{f': {text}' if text else ''}"
    msg = f"{method} {plain}: {said}"
    if not msg.endswith("."):
        msg += "."
    if status == 403 and graph_code not in _NOT_FOR_LACK_OF_PERMISSIONS:
        msg += " " + permissions.sentence(permissions.needed(method, path, body))
    elif status == 401:
        msg += " The access token was refused: it has expired, was made for another service, or the application was switched off."
    code = _CODES.get(status, "server_error" if status >= 500 else "refused")
    return GraphError(msg, code=code, status=status, graph_code=graph_code, request_id=str(request_id or ""))


def too_long(seconds: float) -> GraphError:
    return GraphError(
        f"Graph asks to wait {seconds:.0f} s, more than the {MAX_RETRY_AFTER} s that are waited for at most; run the task again later",
        code="throttled",
        status=429,
    )


def causes(exc: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        inner = next((arg for arg in exc.args if isinstance(arg, BaseException)), None)
        exc = exc.__cause__ or exc.__context__ or inner or getattr(exc, "reason", None) or getattr(exc, "inner_exception", None)
        if not isinstance(exc, BaseException):
            return


UNKNOWN_HOST = re.compile(r"name or service not known|nodename nor servname|no address associated|name resolution|getaddrinfo", re.IGNORECASE)


def transport_error(exc: Exception, address: str, method: str, path: str, ca_file: str | None) -> GraphError:
    """Why there is no answer: `certificate_untrusted`, `host_unknown`, `unreachable` (nothing was sent), `timeout`, `connection_lost`."""
    chain = list(causes(exc))
    text = " ".join(str(cause) for cause in chain)
    if "CERTIFICATE_VERIFY_FAILED" in text or any(isinstance(cause, ssl.SSLCertVerificationError) for cause in chain):
        trusted = f"the authorities in ca_file {ca_file}" if ca_file else "this machine's certificate authorities"
        return GraphError(
            f"The certificate of {address} is not trusted by {trusted}. If a proxy inspects TLS or the address is a lab, put its authority (PEM) into ca_file.",
            code="certificate_untrusted",
        )
    if UNKNOWN_HOST.search(text):
        return GraphError(f"The host name in {address} is unknown (DNS). Check graph_url, authority and cloud.", code="host_unknown")
    if any(isinstance(cause, (sdk.httpx.ConnectError, sdk.httpx.ConnectTimeout, sdk.ServiceRequestError)) for cause in chain):
        return GraphError(f"No connection to {address}: {exc}. Check the address, the network and the proxy.", code="unreachable")
    if isinstance(exc, sdk.httpx.TimeoutException):
        return GraphError(f"{method} {path.partition('?')[0]}: {address} did not answer within {ANSWER_TIMEOUT:.0f} s.", code="timeout")
    return GraphError(f"{method} {path.partition('?')[0]}: the connection to {address} broke ({type(exc).__name__}).", code="connection_lost")
