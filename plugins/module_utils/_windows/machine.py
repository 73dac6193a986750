# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Windows machine holds of several kinds, read in one session; each kind also alone, for its `_info` module."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from .._module import one_session
from .._module.one_session import Kind
from .browser_sign_in import resource as browser_sign_in
from .certificates import resource as certificates
from .client import Answer, Client
from .connection import Connection
from .files import resource as files
from .password_filter import resource as password_filter
from .software import resource as software
from .tasks import resource as tasks


class Look(Client):
    """A machine that is looked at, as it is at one moment: several readers ask for the same keys, and the registry is asked each thing once.

    Keys that a reader asks for one after the other are asked for with one command: a command is several requests, on each of thousands of machines.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._answers: dict[tuple[str, ...], Answer] = {}

    def run(self, *arguments: str, **how: Any) -> Answer:
        if arguments[:2] != ("reg.exe", "query"):
            return super().run(*arguments, **how)
        if arguments not in self._answers:
            for together in certificates.QUERIES:
                if arguments in together:
                    self._ask(together)
        if arguments not in self._answers:
            self._answers[arguments] = super().run(*arguments, **how)
        return self._answers[arguments]

    def _ask(self, queries: Sequence[tuple[str, ...]]) -> None:
        """Keep the answers to these. Whatever does not look as expected is left to be asked for by itself."""
        mark = f"{uuid.uuid4()}:"  # a line that no value of the registry can be made to hold
        answer = self.cmd("&".join(f"{subprocess.list2cmdline(query)} 2>nul&&echo {mark}0||echo {mark}1" for query in queries))
        parts = re.split(rf"^{mark}([01])[ ]*\r?\n".encode(), answer.stdout, flags=re.MULTILINE)
        if len(parts) == 2 * len(queries) + 1 and not parts[-1].strip():
            self._answers |= {query: Answer(int(code), text, b"") for query, text, code in zip(queries, parts[::2], parts[1::2], strict=False)}


_TEXTS: dict[str, Any] = {"type": "list", "elements": "str", "default": []}

#: How each kind is read, under the name of its option of win_machine_info.
READ: dict[str, Kind[Client]] = {
    "software": Kind(software.InfoOptions.of, software.info),
    "scheduled_tasks": Kind(tasks.InfoOptions.of, tasks.info),
    "files": Kind(files.InfoOptions.of, files.info),
    "password_filters": Kind(password_filter.InfoOptions.of, password_filter.info),
    "browser_sign_in": Kind(browser_sign_in.InfoOptions.of, browser_sign_in.info),
    "certificates": Kind(certificates.InfoOptions.of, certificates.info),
}
#: The options of each kind, those of its own `_info` module.
OPTIONS: dict[str, dict[str, Any]] = {
    "software": {"name_patterns": _TEXTS, "publisher_patterns": _TEXTS, "folders": _TEXTS, "products": {"type": "list", "elements": "dict", "default": []}},
    "scheduled_tasks": {"action_paths": _TEXTS, "except_names": _TEXTS},
    "files": {"paths": {"type": "list", "elements": "str", "required": True}, "yaml_values": {"type": "dict", "default": {}}},
    "password_filters": {
        "folders": {"type": "list", "elements": "str", "default": [r"C:\Program Files\IIJ ID Service Password Sync\dll"]},
        "names": {"type": "list", "elements": "str", "default": []},
    },
    "browser_sign_in": {"hosts": {"type": "list", "elements": "str", "required": True}},
    "certificates": {"issuers": _TEXTS, "thumbprints": _TEXTS, "firefox": {"type": "bool", "default": True}},
}


def _connect(params: Mapping[str, Any]) -> Look:
    return Look(Connection.from_params(params))


def info_of(kind: str) -> one_session.Info:
    """The reader of one kind, with a session of its own."""
    return one_session.of_one(_connect, READ[kind])


#: What win_machine_info returns: of each kind that is asked for what its own module returns.
info = one_session.of_all(_connect, READ)
