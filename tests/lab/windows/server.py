# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process behind all Windows machines: WinRM over HTTP and HTTPS, authentication, power, and the lab's control socket.

Started by `WindowsPart` inside `tree.namespace`; ends with everything it started.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import spnego

from .. import paths, tls
from . import machine as machines
from .winrm import Dropped, Fault, Limits, Log, Rules, Service, fault_body

STATE = paths.part_state("windows")
CONTROL = STATE / "control.sock"
REQUESTS = STATE / "requests.jsonl"

_OFF_SECONDS = 2.0
_WATCH_SECONDS = 0.2
_BASIC = 'Basic realm="WSMAN"'
_BOUNDARY = b"--Encrypted Boundary"
_ACCESS_DENIED_UNENCRYPTED = 2150858917


def machine_prefix(name: str) -> Path:
    """The disk of a machine."""
    return STATE / "machines" / name


class _Handler(BaseHTTPRequestHandler):
    """One connection; NTLM authenticates the connection, not the request."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Microsoft-HTTPAPI/2.0", ""
    wbufsize = -1
    server: _Listener

    def log_message(self, format: str, *args: object) -> None:
        """No access log: the commands are logged."""

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._context: spnego.ContextProxy | None = None
        self._user: str | None = None
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def _reply(self, status: int, body: bytes = b"", kind: str = "application/soap+xml;charset=UTF-8", headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if body:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _challenge(self) -> None:
        offers = ["Negotiate", *([_BASIC] if self._basic else [])]
        self._reply(401, headers=tuple(("WWW-Authenticate", offer) for offer in offers))

    @property
    def _basic(self) -> bool:
        """Whether a name and a password in clear are taken: never over HTTP, and not as Windows comes."""
        return self.server.encrypted and self.server.service.limits.basic

    def _authenticate(self) -> tuple[tuple[str, str], ...] | None:
        """Headers for the answer when the user is known, None when an answer has been sent already."""
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        match scheme:
            case "Basic" if self._basic:
                name, _, password = base64.b64decode(token).decode(errors="replace").partition(":")
                self._user = name if name.rpartition("\\")[2].lower() == paths.WINDOWS_USER and password == paths.PASSWORD else None
            case "Negotiate" | "NTLM":
                data = base64.b64decode(token)
                if self._context is None or self._context.complete:
                    protocol = "ntlm" if data.startswith(b"NTLMSSP\0") else "negotiate"
                    self._context, self._user = spnego.server(protocol=protocol, options=spnego.NegotiateOptions.wrapping_winrm), None
                try:
                    answer = self._context.step(data)
                except spnego.exceptions.SpnegoError:
                    self._context = None
                else:
                    headers = (("WWW-Authenticate", f"{scheme} {base64.b64encode(answer).decode()}"),) if answer else ()
                    if not self._context.complete:
                        self._reply(401, headers=headers)
                        return None
                    self._user = self._context.client_principal
                    return headers
        if self._user is None:
            self._challenge()
            return None
        return ()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = self._authenticate()
        if headers is None:
            return None
        if not body:
            return self._reply(200, headers=headers)
        kind = self.headers.get("Content-Type") or ""
        sealed = "multipart/encrypted" in kind
        if sealed:
            body = self._unseal(body)
        elif not self.server.encrypted:
            fault = Fault(_ACCESS_DENIED_UNENCRYPTED, "w:AccessDenied", "Unencrypted traffic is currently disabled in the service configuration.")
            return self._reply(500, fault_body(fault), headers=headers)
        assert self._user is not None
        try:
            status, answer = self.server.service.handle(body, self._user)
        except Dropped:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return None
        if sealed:
            protocol = re.search('protocol="([^"]+)"', kind)
            name = protocol[1] if protocol else "application/HTTP-SPNEGO-session-encrypted"
            return self._reply(status, self._seal(answer, name), f'multipart/encrypted;protocol="{name}";boundary="Encrypted Boundary"', headers)
        return self._reply(status, answer, headers=headers)

    def _unseal(self, body: bytes) -> bytes:
        """[MS-WSMV] 2.2.9.1: the second part is a signature with its length in front, then the sealed message."""
        assert self._context is not None
        part = body.split(_BOUNDARY + b"\r\n")[2].removesuffix(_BOUNDARY + b"--\r\n")
        part = part.removeprefix(b"\tContent-Type: application/octet-stream\r\n")
        size = struct.unpack("<i", part[:4])[0]
        return self._context.unwrap_winrm(part[4 : 4 + size], part[4 + size :])

    def _seal(self, body: bytes, protocol: str) -> bytes:
        assert self._context is not None
        sealed = self._context.wrap_winrm(body)
        original = f"type=application/soap+xml;charset=UTF-8;Length={len(body) + sealed.padding_length}"
        head = f"\tContent-Type: {protocol}\r\n\tOriginalContent: {original}\r\n".encode()
        signature = struct.pack("<i", len(sealed.header)) + sealed.header
        return _BOUNDARY + b"\r\n" + head + _BOUNDARY + b"\r\n\tContent-Type: application/octet-stream\r\n" + signature + sealed.data + _BOUNDARY + b"--\r\n"


class _Listener(ThreadingHTTPServer):
    """One port of one machine."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service: Service, address: str, port: int, context: ssl.SSLContext | None) -> None:
        super().__init__((address, port), _Handler)
        self.service, self.encrypted = service, context is not None
        self.connections: set[socket.socket] = set()
        if context:  # the handshake is made in the connection's own thread
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # a client that goes away is no news
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Host:
    """A machine on the network."""

    def __init__(self, name: str, rules: Rules, log: Log) -> None:
        self.address = paths.WINDOWS[name]
        self.machine = machines.Machine(name, machine_prefix(name))
        self.service = Service(self.machine, rules, log)
        self.ready = threading.Event()
        certificate, key = tls.server_certificate(STATE / "tls" / name, [name, self.address])
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)
        self._listeners: list[_Listener] = []
        self._power = threading.RLock()

    def power_on(self) -> None:
        with self._power:
            self.machine.boot()
            if not self._listeners:
                ports = ((paths.WINRM_HTTP, None), (paths.WINRM_HTTPS, self._tls))
                self._listeners = [_Listener(self.service, self.address, port, context) for port, context in ports]
            self.ready.set()

    def _leave_network(self) -> None:
        self.ready.clear()
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.close()
        self.service.forget_shells()

    def power_off(self) -> None:
        with self._power:
            self._leave_network()
            self.machine.power_off()

    def reboot(self) -> None:
        with self._power:
            self._leave_network()
            self.machine.reboot(_OFF_SECONDS)
            self.power_on()

    def watch(self) -> None:
        """Carry out what shutdown.exe asked for. A machine that died by itself, as a setup may make it, comes back."""
        request = self.machine.prefix / machines.SHUTDOWN_REQUEST
        self.power_on()
        while True:
            time.sleep(_WATCH_SECONDS)
            self.service.close_idle()
            with self._power:
                if not self.ready.is_set():
                    continue
                if not self.machine.on:
                    self._leave_network()
                    self.machine.power_off()
                    self.power_on()
                    continue
                try:
                    kind, seconds = request.read_text().split()
                    due = request.stat().st_mtime + int(seconds)
                except (OSError, ValueError):
                    continue
                if time.time() >= due:
                    request.unlink(missing_ok=True)
                    if kind == "r":
                        self.reboot()
                    else:
                        self.power_off()


class Control:
    """What tests and the lab itself may ask for, besides WinRM; nothing here is in the request log."""

    def __init__(self, hosts: dict[str, Host], rules: Rules) -> None:
        self._hosts, self._rules = hosts, rules

    def answer(self, request: dict) -> object:
        """One request, `{"do": NAME, ...}`; raises what went wrong."""
        does: dict[str, Callable[..., object]] = {
            "ready": lambda: {name: host.ready.is_set() for name, host in self._hosts.items()},
            "rules": lambda rules: self._rules.set(rules),
            "run": lambda machine, line, seconds=120: self._hosts[machine].machine.run(line, seconds),
            "power_off": lambda machine: self._hosts[machine].power_off(),
            "power_on": lambda machine: self._hosts[machine].power_on(),
            "limits": self._limits,
            "reboot": lambda machine: self._hosts[machine].reboot(),
        }
        return does[request.pop("do")](**request)

    def _limits(self, **values: Any) -> None:
        """On every machine; what is not named is as a fresh Windows has it."""
        for host in self._hosts.values():
            host.service.limits = Limits(**values)

    def listen(self) -> None:
        control = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    reply: dict[str, object] = {"answer": control.answer(json.loads(self.rfile.readline()))}
                except Exception as error:  # the asker gets it, whatever it is
                    reply = {"error": f"{type(error).__name__}: {error}"}
                self.wfile.write(json.dumps(reply).encode() + b"\n")

        CONTROL.unlink(missing_ok=True)
        server = socketserver.ThreadingUnixStreamServer(str(CONTROL), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()


def ask(do: str, patience: float = 120, /, **arguments: object) -> object:
    """Ask a running server, for at most `patience` seconds. OSError when none runs, RuntimeError when it cannot do it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(patience)
        client.connect(str(CONTROL))
        client.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
        with client.makefile("rb") as stream:
            reply = json.loads(stream.readline() or b'{"error": "the server went away"}')
    if "error" in reply:
        raise RuntimeError(f"lab server: {do}: {reply['error']}")
    return reply["answer"]


def reap(main: Callable[[], None]) -> None:
    """Run `main` in a child, and be the process 1 that reaps orphans: every Wine process becomes one."""
    child = os.fork()
    if child == 0:
        main()
        os._exit(0)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        pid, status = os.wait()
        if pid == child:
            sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)


def main() -> None:
    users = STATE / "ntlm-users"
    users.touch(mode=0o600)
    domains = ["", ".", *paths.WINDOWS]
    users.write_text("".join(f"{domain}:{paths.WINDOWS_USER}:{paths.PASSWORD}\n" for domain in domains))
    os.environ["NTLM_USER_FILE"] = str(users)
    rules, log = Rules(), Log(REQUESTS)
    for address in paths.WINDOWS.values():
        for port in (paths.WINRM_HTTP, paths.WINRM_HTTPS):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((address, port))
                except OSError as error:
                    sys.exit(f"{address}:{port} cannot be used ({error.strerror}): another lab runs, or another program listens there")
    hosts = {name: Host(name, rules, log) for name in paths.WINDOWS if machine_prefix(name).exists()}
    for host in hosts.values():
        threading.Thread(target=host.watch, name=host.machine.name, daemon=True).start()
    Control(hosts, rules).listen()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()
    # switch off properly, so that every registry is on disk; whatever is left dies with the namespace
    threads = [threading.Thread(target=host.power_off) for host in hosts.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)


if __name__ == "__main__":
    reap(main)
