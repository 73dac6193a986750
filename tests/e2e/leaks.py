# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where secrets must not be: the process list while a playbook runs, and everything that it leaves behind."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import threading
import urllib.parse
from collections.abc import Iterable
from pathlib import Path

_POLL_SECONDS = 0.1
#: An access token of the lab, as of Entra ID, is a JSON Web Token.
TOKEN = re.compile(rb"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")


class ProcessWatch:
    """Command lines and environments of all processes of this network namespace, sampled during `with`."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._network = os.readlink("/proc/self/ns/net")

    def __enter__(self) -> ProcessWatch:
        self._stop.clear()
        self._thread = threading.Thread(target=self._follow, name="process list", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._thread is not None
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            for process in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):  # it has ended meanwhile
                    if os.readlink(process / "ns/net") == self._network:
                        self.seen.add((process / "cmdline").read_bytes())
                        self.seen.add((process / "environ").read_bytes())


def forms(secret: str) -> set[bytes]:
    """A secret as it may appear: plain, escaped for JSON or a URL, in base64 (at any of the three offsets)."""
    plain = secret.encode()
    found = {plain, urllib.parse.quote(secret, safe="").encode(), urllib.parse.quote_plus(secret).encode()}
    found.add(secret.encode("unicode_escape"))
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + plain)
        # the first and the last characters also depend on what stands beside the secret
        found.add(encoded[(0, 2, 3)[offset] : -4])
    return {form for form in found if len(form) > 6}


def leaks(text: bytes, secrets: Iterable[str]) -> list[str]:
    """Which of the secrets are in the text."""
    return [secret for secret in secrets if any(form in text for form in forms(secret))]
