# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata over https, against a server on loopback that misbehaves on demand."""

from __future__ import annotations

import http.server
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import fetch
from ansible_collections.offboard.iij_id.plugins.module_utils._module import reaching
from lab import paths, tls
from lab.identity_providers import made

DOCUMENT = made.entity().encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[dict[str, str]] = []
    sent = 0

    def do_GET(self) -> None:
        Handler.seen.append(dict(self.headers))
        self.close_connection = True
        base = f"https://localhost:{self.server.server_port}"
        match self.path.strip("/").split("/"):
            case ["good"]:
                self.reply(DOCUMENT)
            case ["redirect", "http"]:
                self.redirect(f"http://localhost:{self.server.server_port}/good")
            case ["redirect", "file" | "international" as where]:
                self.redirect({"file": "file:///etc/passwd", "international": "https://sträße.example/good"}[where])
            case [name] if name.startswith("%"):
                self.reply(self.path.encode())
            case ["redirect", "credentials"]:
                self.redirect(f"https://user:secret@localhost:{self.server.server_port}/good")
            case ["redirect", count]:
                self.redirect(f"{base}/redirect/{int(count) - 1}" if int(count) > 1 else f"{base}/good")
            case ["status", number]:
                self.reply(b"no", int(number))
            case ["empty" | "large" as size]:
                self.reply(b"\n" if size == "empty" else b" " * 3000)
            case ["cut"]:
                self.reply(DOCUMENT, length=len(DOCUMENT) + 10)
            case ["drip" | "drip-headers" as what]:
                self.drip(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" + DOCUMENT if what == "drip" else b"X: " + b"x" * 10_000))
            case ["endless"]:
                self.endless()
            case ["silent"]:
                time.sleep(3)
            case ["garbage"]:
                self.wfile.write(b"SSH-2.0-OpenSSH\r\n")

    def reply(self, body: bytes, status: int = 200, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def redirect(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def drip(self, data: bytes) -> None:
        try:
            for byte in data:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.02)
        except OSError:
            pass

    def endless(self) -> None:
        """A redirect without a length, and below it whatever the network carries."""
        try:
            self.send_response(302)
            self.send_header("Location", f"https://localhost:{self.server.server_port}/good")
            self.end_headers()
            while True:
                Handler.sent += self.wfile.write(b"x" * 65536)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of the server, and the file with the authority that signed its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    with mock.patch.object(paths, "STATE", folder):
        certificate, key = tls.server_certificate(folder / "server", ["localhost"])
        ca_file = paths.ca_file()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.socket = context.wrap_socket(running.socket, server_side=True)
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"https://localhost:{running.server_port}", ca_file
        running.shutdown()


def get(server: tuple[str, Path], path: str, **options: float) -> bytes:
    return fetch.fetch(f"{server[0]}/{path}", **{"ca_file": str(server[1]), "timeout": 5, **options})


@pytest.mark.parametrize("path", ["good", "redirect/1", "redirect/3"])
def test_what_is_fetched(server: tuple[str, Path], path: str) -> None:
    Handler.seen.clear()
    assert get(server, path) == DOCUMENT
    assert not {"Authorization", "Cookie", "Proxy-Authorization"} & {name for headers in Handler.seen for name in headers}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("redirect/4", "redirect_refused"),
        ("redirect/http", "redirect_refused"),
        ("redirect/file", "redirect_refused"),
        ("redirect/credentials", "redirect_refused"),
        ("status/404", "http_status"),
        ("status/500", "http_status"),
        ("status/401", "http_status"),
        ("empty", "empty"),
        ("large", "too_large"),
        ("cut", "unreachable"),
        ("garbage", "unreachable"),
    ],
)
def test_errors(server: tuple[str, Path], path: str, code: str) -> None:
    with pytest.raises(fetch.FetchError) as failed:
        get(server, path, max_bytes=2500)
    assert failed.value.code == code
    assert "secret" not in failed.value.msg


@pytest.mark.parametrize("path", ["drip", "drip-headers", "silent"])
def test_the_time_limit_holds_for_everything(server: tuple[str, Path], path: str) -> None:
    begin = time.monotonic()
    with pytest.raises(fetch.FetchError) as failed:
        get(server, path, timeout=0.5)
    assert failed.value.code == "timeout"
    assert time.monotonic() - begin < 2


def test_what_stands_below_a_redirect_is_not_read(server: tuple[str, Path]) -> None:
    """Without end it was kept in memory until the time was up: gigabytes."""
    assert get(server, "endless", timeout=1) == DOCUMENT
    assert Handler.sent < 50_000_000


@pytest.mark.parametrize(
    ("proxy", "told"),
    [("http://user:secret@127.0.0.1:1", "(by way of the proxy 127.0.0.1:1)"), ("nobody:secret@no-such-proxy.invalid:80/", "no-such-proxy.invalid:80)")],
)
def test_a_proxy_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch, proxy: str, told: str) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    monkeypatch.setenv("no_proxy", "other.example")
    with pytest.raises(fetch.FetchError) as failed:
        fetch.fetch("https://idp.fabrikam.example/", timeout=5)
    assert told in failed.value.msg and "secret" not in failed.value.msg
    monkeypatch.setenv("no_proxy", "idp.fabrikam.example,127.0.0.1")
    with pytest.raises(fetch.FetchError) as failed:
        fetch.fetch("https://127.0.0.1:1/", timeout=5)
    assert "proxy" not in failed.value.msg


@pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.1", True)])
def test_the_certificate_is_checked(server: tuple[str, Path], host: str, trusted: bool) -> None:
    """Its authority and its name."""
    with pytest.raises(fetch.FetchError) as failed:
        fetch.fetch(f"{server[0].replace('localhost', host)}/good", ca_file=str(server[1]) if trusted else None, timeout=5)
    assert failed.value.code == "certificate_untrusted"


@pytest.mark.parametrize("ca_file", ["/nowhere.pem", __file__])
def test_a_ca_file_that_is_none(ca_file: str) -> None:
    with pytest.raises(fetch.FetchError) as failed:
        fetch.fetch("https://localhost:1/", ca_file=ca_file)
    assert failed.value.code == "ca_file_unusable"
    assert ca_file in failed.value.msg


@pytest.mark.parametrize(
    "url",
    [
        "http://sts.fabrikam.example/", "file:///etc/passwd", "https://", "https://user:x@localhost/", "https://[", "https://localhost:x/", "https://a b/", "",
        "https://sts.fabri\u212aam.com/m", "https://sts。fabrikam.com/m", "https://sts.ｆabrikam.com/m", "https://sts.fab\u00adrikam.com/m", "https://é/m",
        "https://sts.fabrikam.com/\u200b", "https://sts.fabrikam.com/\u202em", "https://sts.fabrikam.com/\ud800", "https://sts.fabrikam.com/?a=\u3000",
        "https://straße.example:٤٤٣/", "https://stra%C3%9Fe.example/",
    ],
)  # fmt: skip
def test_addresses_that_are_not_asked(url: str) -> None:
    with pytest.raises(fetch.FetchError) as failed:
        fetch.fetch(url)
    assert failed.value.code == "url_invalid"


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://straße.example/m", "https://xn--strae-oqa.example/m"),
        ("https://sts.MÜLLER.example:8443/m#part", "https://sts.xn--mller-kva.example:8443/m"),
        ("https://127.0.0.1:1/連携/metadata.xml", "https://127.0.0.1:1/%E9%80%A3%E6%90%BA/metadata.xml"),
        ("https://localhost/a?b=é", "https://localhost/a?b=%C3%A9"),
        ("HTTPS://STS.fabrikam.example/a%20b?c=d&e=%2f", "https://STS.fabrikam.example/a%20b?c=d&e=%2f"),
        ("https://[::1]:1/", "https://[::1]:1/"),
    ],
)
def test_letters_outside_ascii(url: str, asked: str) -> None:
    assert fetch._ascii(url, "url_invalid") == asked


def test_letters_outside_ascii_are_asked_for(server: tuple[str, Path]) -> None:
    with pytest.raises(fetch.FetchError) as failed:
        fetch.fetch("https://127.0.0.1:1/連携/metadata.xml", timeout=5)
    assert failed.value.code == "unreachable"
    assert get(server, "連携?a=é") == b"/%E9%80%A3%E6%90%BA?a=%C3%A9"
    with pytest.raises(fetch.FetchError) as failed:
        get(server, "redirect/international")
    assert failed.value.code == "redirect_refused"


def test_a_host_that_is_not_there() -> None:
    for url, code in (("https://no-such-host.invalid/", "host_unknown"), ("https://127.0.0.1:1/", "unreachable")):
        with pytest.raises(fetch.FetchError) as failed:
            fetch.fetch(url, timeout=5)
        assert failed.value.code == code


class FakeNet:
    """A network with a clock of its own: an address lives, refuses, or is dead, and then takes as long as it is waited for."""

    def __init__(self, *addresses: str) -> None:
        self.addresses, self.at, self.tried = addresses, 1000.0, []

    def getaddrinfo(self, _host: str, port: int, **_: object) -> list[tuple]:
        return [(2, 1, 6, "", (address, port)) for address in self.addresses]

    def socket(self, *_: object) -> mock.Mock:
        connection = mock.Mock()
        connection.settimeout.side_effect = lambda seconds: setattr(connection, "wait", seconds)
        connection.connect.side_effect = lambda where: self.connect(connection.wait, where[0])
        return connection

    def connect(self, wait: float, address: str) -> None:
        self.tried.append(address)
        if address.startswith("dead"):
            self.at += wait
            raise TimeoutError
        if address.startswith("refuses"):
            raise ConnectionRefusedError(111, "Connection refused")


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch):
    def build(*addresses: str) -> FakeNet:
        made_one = FakeNet(*addresses)
        monkeypatch.setattr(reaching, "now", lambda: made_one.at)
        monkeypatch.setattr(reaching.socket, "getaddrinfo", made_one.getaddrinfo)
        monkeypatch.setattr(reaching.socket, "socket", made_one.socket)
        return made_one

    return build


def test_five_dead_addresses_share_the_time(net) -> None:
    dead = net(*(f"dead{number}" for number in range(5)))
    with pytest.raises(fetch.FetchError) as failed:
        fetch.fetch("https://idp.fabrikam.example/", timeout=2)
    assert failed.value.code == "timeout"
    assert (len(dead.tried), round(dead.at - 1000, 6)) == (5, 2.0)


@pytest.mark.parametrize("addresses", [("dead1", "dead2", "lives"), ("refuses", "lives"), ("dead1", "refuses", "lives")])
def test_a_dead_address_takes_no_time_from_those_behind_it(net, addresses: tuple[str, ...]) -> None:
    one = net(*addresses)
    with fetch._Deadline(2) as deadline:
        connection = deadline.create_connection(("idp.fabrikam.example", 443))
    assert one.tried == [*addresses]
    assert connection.wait == pytest.approx(1000 + 2 - one.at)
    assert connection.wait > 0.5


def test_all_refuse(net) -> None:
    net("refuses1", "refuses2")
    with pytest.raises(fetch.FetchError) as failed:
        fetch.fetch("https://idp.fabrikam.example/", timeout=2)
    assert failed.value.code == "unreachable"


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(reaching.socket, "getaddrinfo", lambda *_, **_options: answer.wait(60) and [])
    with pytest.raises(fetch.FetchError) as failed:
        fetch.fetch("https://idp.fabrikam.example/", timeout=0.05)
    assert (failed.value.code, answer.is_set()) == ("timeout", False)
    answer.set()


def test_a_name_that_is_none_is_an_error_of_ours() -> None:
    with pytest.raises(fetch.FetchError) as failed:
        fetch.fetch(f"https://{'a' * 64}.example/", timeout=5)
    assert failed.value.code == "host_unknown"
