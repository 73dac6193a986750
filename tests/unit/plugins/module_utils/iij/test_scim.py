# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._iij import scim

TOKEN = "eyJ-secret-token"


@pytest.fixture
def service(monkeypatch):
    """A server of this process: `answers` in turn, the last for ever; `seen` are the requests, `slept` the seconds that were waited."""
    slept: list[float] = []
    monkeypatch.setattr(scim.time, "sleep", slept.append)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.seen.append((self.path, self.headers["Authorization"]))
            status, headers, body = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.answers, server.slept = [], [(200, {}, b"{}")], slept
    server.url = f"http://127.0.0.1:{server.server_port}/scim/v2/"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_it_asks_below_the_address_with_the_token(service, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # what is meant for this machine goes through no proxy
    service.answers = [(200, {}, b'{"a": 1}')]
    assert scim.Scim(service.url, TOKEN).get("/Users", {"startIndex": 1, "count": 2}) == {"a": 1}
    assert service.seen == [("/scim/v2/Users?startIndex=1&count=2", f"Bearer {TOKEN}")]


@pytest.mark.parametrize(
    ("answers", "code", "asked"),
    [
        ([(401, {}, b"{}")], "unauthorized", 1),
        ([(403, {}, b"{}")], "permission_missing", 1),
        ([(404, {}, b"{}")], "not_found", 1),
        ([(400, {}, TOKEN.encode())], "http_status", 1),
        ([(501, {}, b"{}")], "http_status", 1),
        ([(302, {"Location": "http://127.0.0.1:1/"}, b"")], "redirect_refused", 1),
        ([(307, {"Location": "/elsewhere"}, b"")], "redirect_refused", 1),
        ([(429, {}, b"")], "throttled", scim.TRIES),
        ([(429, {"Retry-After": "901"}, b"")], "throttled", 1),
        ([(503, {}, b"")], "server_error", scim.TRIES),
        ([(200, {}, b"<html>")], "no_json", 1),
        ([(200, {}, b"[]")], "no_json", 1),
        ([(200, {}, b"\xff")], "no_json", 1),
        ([(200, {"Content-Length": "9"}, b"{}")], "unreachable", scim.TRIES),
        ([(200, {}, b'\xef\xbb\xbf{"a": 1}\r\n')], None, 1),  # with a byte order mark (RFC 8259 8.1)
        ([(429, {"Retry-After": "7"}, b""), (503, {}, b""), (200, {}, b"{}")], None, 3),
        ([(200, {"Content-Length": "9"}, b"{}"), (200, {}, b"{}")], None, 2),
    ],
)
def test_what_the_service_may_answer(service, answers, code, asked):
    service.answers = answers

    def get():
        try:
            scim.Scim(service.url, TOKEN).get("/Users")
        except OffboardError as exc:
            assert TOKEN not in f"{exc.msg}{exc.details}{exc.__cause__}"
            return exc.code
        return None

    assert get() == code and len(service.seen) == asked


def test_it_waits_as_it_is_asked_to(service):
    service.answers = [(429, {"Retry-After": "7"}, b""), (503, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, b""), (200, {}, b"{}")]
    client = scim.Scim(service.url, TOKEN, pause_ms=60_000)
    client.get("/Users")
    assert 7.0 in service.slept and sum(50 < seconds <= 60 for seconds in service.slept) == 2


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_each_form_of_a_date_is_utc(monkeypatch, zone):
    """RFC 9110 5.6.7; the old form of C's asctime names no zone."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    monkeypatch.setattr(scim.time, "time", lambda: 784111777.0 - 7)
    try:
        dates = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994")
        assert [scim._retry_after({"Retry-After": date}) for date in dates] == [7.0] * 3
    finally:
        monkeypatch.undo()
        time.tzset()


def test_an_answer_has_a_limit(service, monkeypatch):
    monkeypatch.setattr(scim, "MAX_BYTES", 10)
    service.answers = [(200, {}, b'{"a": "0123456789"}')]
    with pytest.raises(OffboardError, match="page_size") as caught:
        scim.Scim(service.url, TOKEN).get("/Users")
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(("url", "code"), [("http://127.0.0.1:1", "unreachable"), ("https://no-such-host.invalid", "host_unknown")])
def test_nobody_listens(monkeypatch, url, code):
    monkeypatch.setattr(scim.time, "sleep", lambda seconds: None)
    with pytest.raises(OffboardError) as caught:
        scim.Scim(url, TOKEN).get("/Users")
    assert caught.value.code == code


@pytest.mark.parametrize(
    "url",
    ["http://scim.auth.iij.jp/scim/v2", "http://10.0.0.1/", "ftp://127.0.0.1/", "https://", "https://user:pw@scim.auth.iij.jp", "https://a/?x=1", "https://a:b/",
     "https://a b/", "http://127.0.0.1.example.com/", "http://localhost.example.com/", ""],
)  # fmt: skip
def test_where_the_token_may_not_go(url):
    with pytest.raises(OffboardError) as caught:
        scim.Scim(url, TOKEN)
    assert caught.value.code == "url_invalid" and "pw" not in caught.value.msg


@pytest.mark.parametrize("token", ["", "x y", "a\r\nX: y", "鍵"])
def test_what_is_no_token(token):
    with pytest.raises(OffboardError) as caught:
        scim.Scim("https://scim.auth.iij.jp/scim/v2", token)
    assert caught.value.code == "bad_option" and (not token or token not in caught.value.msg)


@pytest.mark.parametrize("ca_file", ["/nowhere.pem", __file__])
def test_authorities_that_cannot_be_read(ca_file):
    with pytest.raises(OffboardError) as caught:
        scim.Scim("https://idp.example/scim/v2", TOKEN, ca_file=ca_file)
    assert caught.value.code == "ca_file_unusable" and ca_file in caught.value.msg
