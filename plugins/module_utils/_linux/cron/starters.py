# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts programs besides cron: units of systemd, jobs of at, scripts of the boot, tables of incron. They are told, and stopped by a person. Pure."""

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
from .plan import Programs, StartedIn, reasons

#: systemd: %h, %i and the like; what stands before the path of a program, and its second word
_SPECIFIER = re.compile(r"%(.)")
_EXEC_FLAGS = re.compile(r"([-@:+!|]*)(.*)", re.DOTALL)
_SECOND_WORD = re.compile(r"""(\s*(?:"[^"]*"|'[^']*'|\S+))\s+(?:"[^"]*"|'[^']*'|\S+)""")
#: at: behind the variables of its job it changes into a folder, and ends when it cannot
_END_OF_SURROUNDINGS = re.compile(r"^cd .*?^}$\n?", re.DOTALL | re.MULTILINE)
#: a line of incron: the path, in which blanks are escaped, the events, and the command
_TABLE = re.compile(r"\s*(?:\\.|[^\s\\])+\s+\S+\s+(.+)")


@dataclass(frozen=True)
class Starter:
    """A unit of systemd and what its service starts, a job of at, a script of the boot, or a table of incron."""

    #: whose it is to start it: systemd, at, init, incron
    by: str
    name: str
    path: str
    #: "": the machine's; "*": every user's
    user: str
    #: whether it will start it; else somebody has to start the unit
    enabled: bool
    commands: Sequence[str]
    programs: Programs
    started_in: StartedIn
    #: how it is stopped, as a command of root
    stop: str
    #: the account under which the programs run; "": the one whose it is
    runs_as: str = ""
    #: of a unit; else the name by which systemd knows it, if any
    service: str = ""
    #: what those programs start in their turn
    through: Programs = ()

    @property
    def called(self) -> tuple[str, ...]:
        """By which names others have it started; a script of the boot also by that of its unit."""
        return (self.name, self.service) if self.by == "init" else (self.name,)

    @property
    def is_timer(self) -> bool:
        return self.name.endswith(".timer")


def of_unit(answer: Mapping[str, Any]) -> Starter:
    """A unit as the machine gave it."""
    user, home = answer["user"], answer["home"]
    known = {"%": "%", **_of_its_name(answer["service"]), **({"h": home} if home else {}), **({"u": user} if user not in ("", "*") else {})}

    def expanded(text: str) -> str:
        return _SPECIFIER.sub(lambda found: known.get(found[1], found[0]), text)

    environment = {"HOME": home} if home else {}
    for line in answer["environment"]:
        environment |= _assigned(expanded(line))
    for text in answer["environment_files"]:
        for line in text.replace("\\\n", " ").splitlines():
            environment |= _assigned(line) if "=" in line and not line.lstrip().startswith(("#", ";")) else {}
    folder = shell.variables(expanded(answer["folder"]).removeprefix("-"), environment)
    commands: list[str] = []
    for written in answer["commands"]:
        flags, command = _EXEC_FLAGS.fullmatch(expanded(written)).groups()  # type: ignore[union-attr]
        if "@" in flags:  # the second word is what the program is told to be called
            command = _SECOND_WORD.sub(r"\1", command, count=1)
        commands.append(command)
    here = StartedIn(folder or home or "/", environment, commands)
    whose = expanded(answer["runs_as"])
    return Starter("systemd", answer["name"], answer["path"], user, answer["enabled"], commands, here.started(), here, _stop(answer), whose, answer["service"])


def _of_its_name(service: str) -> dict[str, str]:
    """What the specifiers of systemd.unit(5) mean that tell the name, and parts of it."""
    name = service.rpartition(".")[0]
    prefix, _at, instance = name.partition("@")
    last = prefix.rpartition("-")[2]

    def unescaped(text: str) -> str:
        return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), text.replace("-", "/"))

    path = "/" + unescaped(instance or prefix).removeprefix("/")
    return {"i": instance, "I": unescaped(instance), "p": prefix, "P": unescaped(prefix), "n": service, "N": name, "j": last, "J": unescaped(last), "f": path}


def _assigned(line: str) -> dict[str, str]:
    """The variables of a line; none where a quote is not closed, of which systemd makes nothing either."""
    with contextlib.suppress(ValueError):
        return {name: value for name, equals, value in (word.partition("=") for word in shlex.split(line)) if equals}
    return {}


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
    here = StartedIn(home, {"HOME": home, "LOGNAME": answer["user"]}, (script,))
    number = answer["number"]
    return Starter("at", f"at:{number}", answer["path"], answer["user"], True, commands, here.started(), here, f"atrm {number}")


def of_boot(answer: Mapping[str, Any]) -> Starter:
    """A script of System V's init, or rc.local, as the machine gave it. systemd knows the former by a name, too."""
    name, path = answer["name"], answer["path"]
    here = StartedIn("/", {"HOME": "/root", "0": path, "BASH_SOURCE": path, "1": "start", "@": "start", "*": "start"}, (answer["script"],))
    lines = [line for line in answer["script"].splitlines() if line.strip() and not line.lstrip().startswith("#")]
    stop = shlex.join(answer["stop"]) if answer["stop"] else _edit(path)
    return Starter("init", path, path, "", answer["enabled"], lines, here.started(), here, stop, service=f"{name}.service" if name else "")


def of_incron(answer: Mapping[str, Any], homes: Mapping[str, str]) -> Starter:
    """A table of incron as the machine gave it."""
    path, user = answer["path"], answer["user"]
    home = homes.get(user, "/")
    lines = (line for line in answer["script"].splitlines() if not line.lstrip().startswith("#"))
    commands = [found[1] for line in lines if (found := _TABLE.fullmatch(line))]
    here = StartedIn(home, {"HOME": home, "LOGNAME": user}, commands)
    stop = _edit(path) if answer["is_system"] else f"incrontab -u {shlex.quote(user)} -e"
    return Starter("incron", path, path, user, True, commands, here.started(), here, stop, runs_as=user)


def _edit(path: str) -> str:
    """For a person: only the line of the agent goes."""
    return f"vi {shlex.quote(path)}"


def meant(found: Iterable[Starter], command_paths: Sequence[str], real: Mapping[str, str], excepted: Sequence[str]) -> list[tuple[Starter, list[str]]]:
    """Those that start what is meant, and why; all where no path is given. `excepted`: names and paths of those that are not meant."""
    told = ((one, [reason for pair in (*one.programs, *one.through) for reason in reasons(pair, command_paths, real)]) for one in found)
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
