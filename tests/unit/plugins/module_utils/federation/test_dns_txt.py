# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TXT look-ups, against a DNS server of the tests' own on loopback."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import dns_txt, url_rule

ADDRESS = "https://idp.conglomerate.example/sso?id=" + "a" * 300
RECORD = f"DirectFedAuthUrl={ADDRESS}"


def in_pieces(text: str) -> str:
    """A TXT record in master file form: strings of at most 255 bytes."""
    return " ".join(f'"{text[n : n + 255]}"' for n in range(0, len(text), 255))


RECORDS = {
    "fabrikam.example.": ['"v=spf1 -all"', in_pieces(RECORD)],
    "xn--mller-kva.example.": [in_pieces(RECORD)],
    "big.example.": [f'"{n:04d}{"x" * 240}"' for n in range(30)],
    "alone.example.": [],
}


class Handler(socketserver.BaseRequestHandler):
    """Answers from RECORDS. servfail.example fails, silent.example gets no answer, big.example does not fit into a datagram."""

    def handle(self) -> None:
        if isinstance(self.request, tuple):
            reply = self.answer(self.request[0], 1200)
            if reply:
                self.request[1].sendto(reply, self.client_address)
        else:
            size = int.from_bytes(self.request.recv(2), "big")
            reply = self.answer(self.request.recv(size), 65535)
            self.request.sendall(len(reply).to_bytes(2, "big") + reply)

    @staticmethod
    def answer(data: bytes, limit: int) -> bytes:
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text().lower()
        if name == "silent.example.":
            return b""
        reply = dns.message.make_response(query, recursion_available=True)
        if name == "servfail.example.":
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif name not in RECORDS:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif RECORDS[name]:
            reply.answer.append(dns.rrset.from_text_list(name, 60, "IN", "TXT", RECORDS[name]))
        wire = reply.to_wire(max_size=65535)
        if len(wire) > limit:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
            wire = reply.to_wire()
        return wire


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with contextlib.ExitStack() as servers:
        for _try in range(20):  # a port that is free for both
            udp = servers.enter_context(socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler))
            number = udp.server_address[1]
            with contextlib.suppress(OSError):
                tcp = servers.enter_context(socketserver.ThreadingTCPServer(("127.0.0.1", number), Handler))
                break
        for server in (udp, tcp):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield number
        udp.shutdown()
        tcp.shutdown()


@pytest.mark.parametrize(
    ("name", "count"),
    [("fabrikam.example", 2), ("big.example", 30), ("alone.example", 0), ("nowhere.example", 0)],
)
def test_the_records_in_full(port: int, name: str, count: int) -> None:
    texts = dns_txt.txt_lookup(["127.0.0.1"], port=port, timeout=5)(name)
    assert len(texts) == count
    assert all(len(text) == 244 for text in texts) or RECORD in texts


@pytest.mark.parametrize(("domain", "rule"), [("fabrikam.example", "txt_record"), ("Müller.example", "txt_record"), ("nowhere.example", "txt_record_missing")])
def test_the_url_rule_with_real_answers(port: int, domain: str, rule: str) -> None:
    lookup = dns_txt.txt_lookup(["127.0.0.1"], port=port, timeout=5)
    assert url_rule.check(domain, ADDRESS, "current", lookup).rule == rule


@pytest.mark.parametrize("name", ["servfail.example", "silent.example"])
def test_no_answer_is_not_no_record(port: int, name: str) -> None:
    with pytest.raises(OffboardError) as failed:
        dns_txt.txt_lookup(["127.0.0.1"], port=port, timeout=0.5)(name)
    assert failed.value.code == "dns_failed"
    assert name in failed.value.msg


def test_a_closed_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        closed = one.getsockname()[1]
    with pytest.raises(OffboardError) as failed:
        dns_txt.txt_lookup(["127.0.0.1"], port=closed, timeout=0.5)("fabrikam.example")
    assert failed.value.code == "dns_failed"


def test_a_resolver_must_be_an_address() -> None:
    with pytest.raises(OffboardError) as refused:
        dns_txt.txt_lookup(["dns.example"])
    assert refused.value.code == "dns_failed"
