# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Partners' DNS: a server on loopback that knows TXT records."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


def answer(query: dns.message.Message, records: Mapping[str, Sequence[str]]) -> dns.message.Message:
    """A name that has no records does not exist."""
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA | dns.flags.RA
    question = query.question[0]
    texts = records.get(question.name.to_text(omit_final_dot=True).lower(), ())
    if not texts:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    for text in texts:
        parts = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))  # a string of a record holds 255 bytes
        reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "TXT", parts))
    return reply


@contextlib.contextmanager
def serving(records: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, int]]:
    """(address, UDP port) of a server that answers from `records`, by name in lower case, as they are at that moment."""

    class Handler(socketserver.DatagramRequestHandler):
        def handle(self) -> None:
            self.wfile.write(answer(dns.message.from_wire(self.rfile.read()), records).to_wire())

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, name="dns", daemon=True).start()
        try:
            yield str(server.server_address[0]), int(server.server_address[1])
        finally:
            server.shutdown()
