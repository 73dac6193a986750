# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iij_id_export with many users: memory stays flat, and one request is one page."""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dev.say import Failure, say

from benchmarks._harness import environment, main, options, run_play
from benchmarks._table import Row, report, text

FIGURES = ("iij_id_export, {users:,} users: CPU · memory · requests", "iij_id_export、{users:,} 人: CPU・メモリー・リクエスト数")
MEMORY = ("memory, {many:,} / {few:,} users", "メモリー、{many:,} 人 / {few:,} 人")
DETAILS = (
    "a service that gives {page} users or groups an answer, with a group of {group} for each {group} users; two readings of what was written included",
    "1 回の応答で {page} 件を返すサービス、{group} 人ごとに 1 グループ。書き込み後の読み直しを含む",
)
PAGE, GROUP = 100, 100
CORE, JP = "urn:ietf:params:scim:schemas:core:2.0:", "urn:oidfj:params:scim:schemas:extention:enterprisejp:2.0:User"


def user(number: int) -> dict[str, Any]:
    """Of the size of IIJ ID's (the example of its manual has some 1,200 bytes)."""
    return {
        "schemas": [f"{CORE}User", JP], "id": f"{number:08}-7f0a-4d2e-9a65-0d5d8d0b7f11", "userName": f"user{number:06}@reiji.example", "active": True,
        "name": {"familyName": "例示", "givenName": f"太郎{number}"}, "displayName": f"例示 太郎{number}", "title": "主任",
        "emails": [{"value": f"user{number:06}@reiji.example", "type": "work", "primary": True}], "phoneNumbers": [{"value": "+81 3 0000 0000"}],
        "groups": [{"value": f"group-{number // GROUP:06}", "type": "direct"}], JP: {"familyNameKana": "レイジ", "givenNameKana": "タロウ"},
        "meta": {"resourceType": "User", "created": "2020-04-01T00:00:00Z", "lastModified": "2026-04-01T00:00:00Z", "note": "x" * 300},
    }  # fmt: skip


def group(number: int, users: int) -> dict[str, Any]:
    """The users who name it."""
    members = [{"value": user(one)["id"], "type": "User"} for one in range(number * GROUP, min(users, (number + 1) * GROUP))]
    return {"schemas": [f"{CORE}Group"], "id": f"group-{number:06}", "displayName": f"営業{number}課", "members": members}


@contextlib.contextmanager
def service(users: int) -> Iterator[tuple[str, list[str]]]:
    """A service with so many users: its address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _mark, query = self.path.partition("?")
            asked.append(path)
            start = int(urllib.parse.parse_qs(query).get("startIndex", ["1"])[0]) - 1
            total = {"/Users": users, "/Groups": -(-users // GROUP)}.get(path)
            if total is None:
                self.send_error(404)
                return
            numbers = range(start, min(total, start + PAGE))
            resources = [user(number) if path == "/Users" else group(number, users) for number in numbers]
            body = json.dumps({"totalResults": total, "Resources": resources}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            """Nothing: `asked` has it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def measure(users: int, venv: Path) -> tuple[float, int, int]:
    """CPU in seconds, memory in bytes, requests."""
    with service(users) as (url, asked), tempfile.TemporaryDirectory(prefix="offboard-bench-") as folder:
        given = {"path": f"{folder}/export", "scim_url": url, "access_token": "token", "vault_password": "password", "page_size": PAGE}
        shown = {"ansible.builtin.debug": {"msg": "kept:{{ answer.users }}:{{ answer.groups_cut }}:{{ answer.groups_not_checked }}:{{ answer.complete }}:"}}
        usage = run_play([{"offboard.iij_id.iij_id_export": given, "register": "answer"}, shown], venv)
        if not re.search(f"kept:{users}:0:0:True:", usage.output):
            raise Failure(f"not all of {users} users were kept:\n{usage.output[-2000:]}")
        return usage.cpu, usage.peak, len(asked)


def run(users: Sequence[int], write: bool, venv: Path) -> list[Row]:
    """The rows of the table."""
    rows, found = [], {}
    for number in users:
        found[number] = cpu, peak, requests = measure(number, venv)
        rows.append(Row(text(*FIGURES, users=number), cpu, shown=f"{cpu:.1f} s · {peak / 1e6:.0f} MB · {requests:,}"))
        say(f"    {number} users: {rows[-1].shown}")
    few, many = users[0], users[-1]
    rows.append(Row(text(*MEMORY, few=few, many=many), found[many][1] / found[few][1], 2, at_most=1.4))
    report("export", rows, venv, text(*DETAILS, page=PAGE, group=GROUP), write)
    return rows


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=[10_000, 100_000], help="numbers of users (default: 10000 100000)")
    given = parser.parse_args()
    main(lambda: run(given.users, given.write, environment()) and None)
