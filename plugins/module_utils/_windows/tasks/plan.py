# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled tasks, pure: what `schtasks /query /xml` prints, which tasks an action path means, what a task does."""

from __future__ import annotations

import bisect
import fnmatch
import hashlib
import hmac
import ntpath
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import confirmations, phrases, redaction
from ..._core.errors import OffboardError
from ..._core.machine_ids import on_host
from ..._core.model import Object
from ..._core.plain import file_part
from ..command_line import handles_files, plain, program_name, started, starts_others, with_decoded

KIND = "windows_scheduled_task"
#: Windows' own tasks live here
SYSTEM_FOLDER = "\\Microsoft\\"

# Without /tn, schtasks writes each task's full name into a comment before its definition.
_TASK = re.compile(r"<!--\s*(?P<name>\\[^\r\n]*?)\s*-->\s*(?:<\?xml[^>]*\?>\s*)?(?P<xml><Task[\s>].*?</Task>)", re.DOTALL)
_WILDCARDS = re.compile(r"[*?]")
# Parts of a path that every product's tasks may have; what is left must be at least so many characters.
_SAYS_NOTHING = re.compile(r"^[a-z]:|%[^%]*%|[*?\\/.:\s]|program ?files( \(x86\))?|windows|system32|\b(cmd|powershell|exe|bat)\b")
_SAYS_SOMETHING = 3


@dataclass(frozen=True)
class Action:
    """One program that a task starts; of a COM handler, a mail, a message its kind, which stands where the program would."""

    command: str
    arguments: str
    working_directory: str

    def texts(self, environment: Mapping[str, str]) -> Iterator[str]:
        """The program, and what an interpreter (cmd, PowerShell, Java, …) is told to run, each as written and below the folder that is current then.

        Without quotes, environment variables replaced. Other arguments say nothing about whose task it is: a backup names the folders of others.
        """
        for folder, text in started(self.command, self.arguments, plain(self.working_directory, environment), environment):
            if ".." not in text:  # else it leads out of a folder that it names
                yield text
            if folder or ".." in text:
                yield ntpath.normpath(ntpath.join(folder, text))

    def raw(self) -> str:
        """The command line as it is; it may hold a secret."""
        return " ".join(filter(None, (self.command, self.arguments)))

    def shown(self) -> str:
        """The command line for people, journals and reports: what may be a secret is hidden."""
        return " ".join(filter(None, (redaction.command_line(self.command), redaction.arguments(self.arguments))))

    def perhaps(self, part: str, environment: Mapping[str, str]) -> bool:
        """Whether an interpreter or a launcher is given what names `part`, and it could not be made out what becomes of it."""
        texts = list(self.texts(environment))
        # a path with blanks that nobody has quoted is read in two ways
        ordered = sorted(texts)
        names = [program_name(text) for text in texts if not _begins_one(f"{text} ", ordered)]
        if not names or not starts_others(names[0]):
            return False
        leaves = [name for name in names if not starts_others(name)]
        if leaves and all(map(handles_files, leaves)):
            return False
        line = with_decoded(" ".join((self.raw(), self.working_directory)))
        line = plain(re.sub(r"[\"'^`]", "", line), environment).casefold()
        return part in line or (len(part) > _LONG_NAME and _shortened(part) in re.sub(r"~\d{1,3}", "~", line))


def _begins_one(start: str, ordered: Sequence[str]) -> bool:
    """Whether one of the texts, which are sorted, begins with `start`: the first that is not before it does, or none."""
    at = bisect.bisect_left(ordered, start)
    return at < len(ordered) and ordered[at].startswith(start)


@dataclass(frozen=True)
class Task:
    """A scheduled task. `name` is the full one, folders included."""

    name: str
    enabled: bool
    run_as: str
    logon_type: str
    actions: tuple[Action, ...]
    triggers: tuple[str, ...]
    xml: str

    def id(self, host: str) -> str:
        """What identifies it in journals and predictions."""
        return on_host(host, self.name)

    def file_name(self, host: str, key: bytes = b"") -> str:
        """A file name for its saved definition: readable, and different for different definitions. `key` keeps it from telling what they hold."""
        return f"{readable(host, self.name)}-{hmac.new(key, self.xml.encode(), hashlib.sha256).hexdigest()[:12]}.xml"

    @property
    def holds_a_secret(self) -> bool:
        """Whether its definition shows what is hidden from people, journals and reports."""
        return any(action.shown() != action.raw() for action in self.actions)

    def is_confirmed(self, wanted: Iterable[Mapping[str, Any]]) -> bool:
        lines = [(action.shown(), action.raw()) for action in self.actions]
        return any(confirmations.scheduled_task(self.name, lines, item) for item in wanted)


def readable(host: str, name: str) -> str:
    """How the file names of a task's saved definitions begin."""
    return file_part(f"{host}{name}")


def gone(saved: Iterable[str], host: str, names: Iterable[str]) -> dict[str, list[str]]:
    """Saved definitions (file names) of tasks that are none of `names`, by how their files begin."""
    there = {readable(host, name).casefold() for name in names}
    found: dict[str, list[str]] = {}
    for file in saved:
        begin = re.sub(r"-[0-9a-f]{12}\.xml$", "", file)
        if begin.casefold() not in there:
            found.setdefault(begin, []).append(file)
    return found


def _children(element: ET.Element, name: str) -> list[ET.Element]:
    return [child for part in element if part.tag.rpartition("}")[2] == name for child in part]


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _trigger(element: ET.Element) -> str:
    """A trigger for people: its kind, interval and start."""
    texts = [(_tag(child), (child.text or "").strip()) for child in element.iter()]
    shown = [f"{name} {text}" for name, text in texts if name in ("Interval", "StartBoundary", "DaysInterval", "Enabled") and text not in ("", "true")]
    return ", ".join([_tag(element), *shown])


def parse_task(name: str, xml: str) -> Task:
    """One definition (https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema). Raises OffboardError `task_unreadable`."""
    body = re.sub(r"^\ufeff?\s*<\?xml[^>]*\?>", "", xml).strip()
    try:
        if "<!DOCTYPE" in body:
            raise ET.ParseError("it has a DOCTYPE")
        root = ET.fromstring(body)
    except (ET.ParseError, ValueError) as exc:  # ParseError tells the place alone, ValueError is about half characters
        where = f": {exc}" if isinstance(exc, ET.ParseError) else ""
        raise OffboardError(f"the definition of the scheduled task {name} cannot be read{where}", code="task_unreadable") from None
    prefix = root.tag.rpartition("}")[0]
    namespace = f"{prefix}}}" if prefix else ""
    if re.search(r"[{}\[\]()@!=\s*]", prefix[1:]):  # would mean something else in a path
        raise OffboardError(f"the definition of the scheduled task {name} has a namespace that is none", code="task_unreadable")

    def text(element: ET.Element, *path: str) -> str:
        found = element.find("/".join(namespace + part for part in path))
        return (found.text or "").strip() if found is not None else ""

    actions = [
        Action(text(item, "Command"), text(item, "Arguments"), text(item, "WorkingDirectory"))
        if _tag(item) == "Exec"
        else Action(" ".join(filter(None, (_tag(item), text(item, "ClassId")))), "", "")
        for item in _children(root, "Actions")
    ]
    return Task(
        name=name,
        # absent means true
        enabled=text(root, "Settings", "Enabled").casefold() not in ("false", "0"),
        run_as=text(root, "Principals", "Principal", "UserId") or text(root, "Principals", "Principal", "GroupId"),
        logon_type=text(root, "Principals", "Principal", "LogonType"),
        actions=tuple(actions),
        triggers=tuple(_trigger(item) for item in _children(root, "Triggers")),
        xml=body,
    )


def parse_query(text: str) -> list[Task]:
    """Every task that `schtasks /query /xml ONE` printed. Raises OffboardError `task_unreadable` rather than leave one out."""
    tasks = [parse_task(found["name"], found["xml"]) for found in _TASK.finditer(text)]
    if len(tasks) != len(re.findall(r"<Task[\s>]", text)):
        raise OffboardError("schtasks printed definitions whose task names cannot be made out", code="task_unreadable")
    return tasks


def why(task: Task, action_paths: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Which of the action paths the task matches, in words; empty when none.

    A path with * or ? must match as a whole; one without is what the program's path, or its script's, begins with. Case does not count.
    """
    reasons = []
    for wanted in action_paths:
        pattern = plain(wanted, environment).casefold()
        for action in task.actions:
            if any(_matches(text.casefold(), pattern) for text in action.texts(environment)):
                reasons.append(phrases.english("action_matches", action=action.shown(), path=wanted))
                break
    return reasons


def perhaps(task: Task, action_paths: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Which of the action paths a task that matches none may mean nevertheless, in words: an interpreter is given a name of theirs.

    No task is changed for it; people decide. It is what is left of ways to start a program that nobody foresaw.
    """
    reasons = []
    for wanted in action_paths:
        part = _fixed_part(plain(wanted, environment).casefold())
        if action := next((action for action in task.actions if part and action.perhaps(part, environment)), None):
            reasons.append(phrases.english("action_names", action=action.shown(), match=part))
    return list(dict.fromkeys(reasons))


def _fixed_part(pattern: str) -> str:
    """The part of a path that says most about whose program is meant."""
    parts = [part for part in re.split(r"[\\*?]+", pattern) if len(_SAYS_NOTHING.sub("", part)) >= _SAYS_SOMETHING]
    return max(parts, key=lambda part: len(_SAYS_NOTHING.sub("", part)), default="").strip()


#: A longer name, or one with a blank, has a short one besides.
_LONG_NAME = 8
#: IIJIDS~1: how NTFS shortens a name that has blanks or is long ([MS-FSCC] 2.1.5.2.1), so that it may be any of those that begin alike.
_SHORT = re.compile(r"[^\\]{1,6}~\d{1,3}(?:\.[^\\.]{1,3})?")


def _shortened(name: str) -> str:
    stem, dot, ending = name.rpartition(".") if "." in name else (name, "", "")
    base = re.sub(r"[\s.]", "", stem)
    base = re.sub(r"[+,;=\[\]]", "_", base)[:6]
    return f"{base}~{dot}{ending[:3]}"


def _with_long_names(text: str, pattern: str) -> str:
    """A path in which each short name is replaced by the name of the pattern that it may stand for."""
    names = [part for part in pattern.split("\\") if part and not _WILDCARDS.search(part)]
    names += ["program files", "program files (x86)", "programdata"]
    parts = text.split("\\")
    for at, part in enumerate(parts):
        if _SHORT.fullmatch(part):
            parts[at] = next((name for name in names if _shortened(name) == re.sub(r"~\d+", "~", part)), part)
    return "\\".join(parts)


def _matches(text: str, pattern: str) -> bool:
    text = text.removeprefix("\\\\?\\").removeprefix("\\\\.\\").removeprefix("\\?\\").removeprefix("\\.\\")
    if "~" in text:
        text = _with_long_names(text, pattern)
    if _WILDCARDS.search(pattern):
        pattern = pattern.replace("[", "[[]")
        return fnmatch.fnmatchcase(text, pattern)
    whole = pattern.rstrip("\\")
    # the folder or the program itself, not another one whose name begins alike
    return text == whole or text.startswith(f"{whole}\\") or ("." in whole.rpartition("\\")[2] and text.startswith(f"{whole} "))


def check_action_paths(action_paths: Sequence[str]) -> None:
    """Raises OffboardError `action_path_too_broad` for one that says nothing about whose program is meant."""
    for path in action_paths:
        if len(_SAYS_NOTHING.sub("", path.casefold())) < _SAYS_SOMETHING:
            raise OffboardError(
                f"the action path {path!r} would match tasks of every kind; name the folder or the program of the product", code="action_path_too_broad"
            )


def needs_environment(tasks: Sequence[Task]) -> bool:
    """Whether an environment variable stands in an action."""
    texts = (text for task in tasks for action in task.actions for text in (action.command, action.arguments, action.working_directory))
    return any("%" in text or "env:" in text.casefold() or with_decoded(text) != text for text in texts)


def state_of(task: Task) -> dict[str, Any]:
    """What plans compare, and people see."""
    return {
        "enabled": task.enabled,
        "run_as": task.run_as,
        "actions": [action.shown() for action in task.actions],
    }


def object_of(host: str, task: Task) -> Object:
    return Object(KIND, task.id(host), task.name, state_of(task))
