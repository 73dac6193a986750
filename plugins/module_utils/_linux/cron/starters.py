# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts programs besides cron: units of systemd and jobs of at. They are told, and stopped by a person. Pure."""

from __future__ import annotations

import contextlib
import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import redaction
from .. import shell
from .plan import Programs, reasons

#: systemd: %h, %i and the like; what stands before the path of a program, and its second word
_SPECIFIER = re.compile(r"%(.)")
_EXEC_FLAGS = re.compile(r"([-@:+!|]*)(.*)", re.DOTALL)
_SECOND_WORD = re.compile(r"""(\s*(?:"[^"]*"|'[^']*'|\S+))\s+(?:"[^"]*"|'[^']*'|\S+)""")
#: at: behind the variables of its job it changes into a folder, and ends when it cannot
_END_OF_SURROUNDINGS = re.compile(r"^cd .*?^}$\n?", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Starter:
    """A unit of systemd and what its service starts, or a job of at."""

    name: str
    path: str
    #: "": the machine's; "*": every user's
    user: str
    #: whether it will start it; else somebody has to start the unit
    enabled: bool
    commands: Sequence[str]
    programs: Programs
    #: how it is stopped, as a command of root
    stop: str
    #: the account under which the programs run; "": the one whose it is
    runs_as: str = ""
    #: of a unit; "" of a job of at
    service: str = ""

    @property
    def by(self) -> str:
        """Whose it is to start it."""
        return "systemd" if self.service else "at"

    @property
    def is_timer(self) -> bool:
        return self.name.endswith(".timer")


def of_unit(answer: Mapping[str, Any]) -> Starter:
    """A unit as the machine gave it."""
    user, home = answer["user"], answer["home"]
    prefix, _at, instance = answer["service"].rpartition(".")[0].partition("@")
    known = {"%": "%", "i": instance, "p": prefix, **({"h": home} if home else {}), **({"u": user} if user not in ("", "*") else {})}

    def expanded(text: str) -> str:
        return _SPECIFIER.sub(lambda found: known.get(found[1], found[0]), text)

    environment = {"HOME": home} if home else {}
    for line in answer["environment"]:
        with contextlib.suppress(ValueError):  # a quote that nobody closes, of which systemd makes nothing either
            environment |= {name: value for name, equals, value in (word.partition("=") for word in shlex.split(expanded(line))) if equals}
    folder = shell.variables(expanded(answer["folder"]).removeprefix("-"), environment)
    commands, programs = [], []
    for written in answer["commands"]:
        flags, command = _EXEC_FLAGS.fullmatch(expanded(written)).groups()  # type: ignore[union-attr]
        if "@" in flags:  # the second word is what the program is told to be called
            command = _SECOND_WORD.sub(r"\1", command, count=1)
        commands.append(command)
        programs += shell.started(command, folder or home or "/", environment)
    return Starter(
        answer["name"], answer["path"], user, answer["enabled"], commands, tuple(programs), _stop(answer), expanded(answer["runs_as"]), answer["service"]
    )


def _stop(answer: Mapping[str, Any]) -> str:
    """A command for root to copy: names of users and of their units are strangers' texts."""
    name = shlex.quote(answer["name"])
    verb = "stop" if posixpath.dirname(answer["path"]).endswith("/transient") else "disable --now"
    if answer["user"] == "*":
        return f"systemctl --global disable {name}"
    if not answer["user"]:
        return f"systemctl {verb} {name}"
    user, runtime = shlex.quote(answer["user"]), f"XDG_RUNTIME_DIR=/run/user/{answer['uid']}"
    return f"runuser -u {user} -- env {runtime} systemctl --user {verb} {name}"


def of_at(answer: Mapping[str, Any]) -> Starter:
    """A job of at as the machine gave it. Its variables, the whole environment of who made it, are told to nobody."""
    script, home = answer["script"], answer["home"]
    behind = _END_OF_SURROUNDINGS.split(script, maxsplit=1)[1:]
    commands = [line for text in behind for line in text.splitlines() if line.strip()]
    programs = shell.started(script, home, {"HOME": home, "LOGNAME": answer["user"]})
    number = answer["number"]
    return Starter(f"at:{number}", answer["path"], answer["user"], True, commands, tuple(programs), f"atrm {number}")


def meant(found: Iterable[Starter], command_paths: Sequence[str], real: Mapping[str, str], excepted: Sequence[str]) -> list[tuple[Starter, list[str]]]:
    """Those that start what is meant, and why; all where no path is given. `excepted`: names and paths of those that are not meant."""
    told = ((one, [reason for pair in one.programs for reason in reasons(pair, command_paths, real)]) for one in found)
    return [(one, why) for one, why in told if (why or not command_paths) and not {one.name, one.path} & set(excepted)]


def told(found: Iterable[tuple[Starter, list[str]]]) -> dict[str, list[dict[str, Any]]]:
    """For people and other modules: `timers` of systemd, and `other_starts`."""
    answer: dict[str, list[dict[str, Any]]] = {"timers": [], "other_starts": []}
    for one, why in found:
        own = {"timer": one.name, "service": one.service} if one.is_timer else {"name": one.name}
        shown = [redaction.command_line(command) for command in one.commands]
        answer["timers" if one.is_timer else "other_starts"].append(
            {**own, "path": one.path, "user": one.user, "runs_as": one.runs_as, "enabled": one.enabled, "commands": shown, "why": why, "stop": one.stop}
        )
    return answer
