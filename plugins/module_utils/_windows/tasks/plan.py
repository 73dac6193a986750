# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled tasks, pure: what `schtasks /query /xml` prints, which tasks an action path means, what a task does."""

from __future__ import annotations

import fnmatch
import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.errors import OffboardError
from ..._core.model import Object

KIND = "windows_scheduled_task"
#: Windows' own tasks live here
SYSTEM_FOLDER = "\\Microsoft\\"

# Without /tn, schtasks writes each task's full name into a comment before its definition.
_TASK = re.compile(r"<!--\s*(?P<name>\\[^\r\n]*?)\s*-->\s*(?:<\?xml[^>]*\?>\s*)?(?P<xml><Task[\s>].*?</Task>)", re.DOTALL)
_WILDCARDS = re.compile(r"[*?]")
# Parts of a path that every product's tasks may have; what is left must be at least so many characters.
_SAYS_NOTHING = re.compile(r"^[a-z]:|%[^%]*%|[*?\\/.:\s]|program ?files( \(x86\))?|windows|system32|\b(cmd|powershell|exe|bat)\b")
_SAYS_SOMETHING = 3


_INTERPRETERS = re.compile(r"cmd|powershell|pwsh|[cw]script|javaw?|pythonw?[\d.]*|py|perl|ruby|node|bash|sh")
#: A word of a command line, quoted or not.
_WORD = re.compile(r'"[^"]*"?|[^\s"]+')
#: Switches of PowerShell and Java whose value follows, so that the next word is not what is run.
_WITH_VALUE = re.compile(
    r"-(?:ep|ex\w*|w|wi\w*|wd|wo\w*|v|version|inputformat|outputformat|configurationname|psconsolefile|cp|classpath|-class-path|-module-path)"
)
#: Words of cmd and PowerShell before what is run.
_BEFORE = ("call", "start", "&", ".", "@", "")
_SECRETS = re.compile(
    r"((?:[\w.-]*(?:pass|pwd|secret|token|api-?key|credential)[\w.-]*|(?:(?<=\s)|^)(?:-?-|/)(?:p|pw|rp|key))"
    r"(?:\s*[=:]\s*|\s+))(?:\"[^\"]*\"?|'[^']*'?|[^\s\"']+)",
    re.IGNORECASE,
)

_USER_INFO = re.compile(r"://[^\s/@\"]+@")


@dataclass(frozen=True)
class Action:
    """One program that a task starts."""

    command: str
    arguments: str
    working_directory: str

    def texts(self, environment: Mapping[str, str]) -> Iterator[str]:
        """The program, the script that an interpreter is given, and both below the working directory; without quotes, environment variables replaced.

        Other arguments say nothing about whose task it is: a backup names the folders of others.
        """
        folder = plain(self.working_directory, environment).rstrip("\\")
        for text in filter(None, (self.command, self.script())):
            yield plain(text, environment)
            if folder:
                yield f"{folder}\\{plain(text, environment)}"

    def script(self) -> str:
        """What an interpreter (cmd, PowerShell, Java, …) is told to run; nothing for other programs."""
        program = re.split(r"[\\/]", self.command.replace('"', "").casefold())[-1].removesuffix(".exe")
        if not _INTERPRETERS.fullmatch(program):
            return ""
        # cmd /c ""C:\\a b.bat" x": the outer quotes are for cmd
        words = iter(_WORD.findall(re.sub(r'^(\s*(?:/\w\s+)*/[ckCK]\s*)""', r'\1"', self.arguments)))
        for word in words:
            # the first word that is no switch is what is run; whatever follows are its own arguments
            if word[0] in "-/":
                if _WITH_VALUE.fullmatch(word.casefold()):
                    next(words, None)
            elif (text := word.strip('"').strip()).casefold() not in _BEFORE:
                quoted = re.match(r"[&.]?\s*'([^']+)'", text)
                return quoted[1] if quoted else text.removeprefix("& ").strip()
        return ""

    def shown(self) -> str:
        """The command line for people, journals and reports: values of switches that may be secrets are hidden."""
        return " ".join(filter(None, (self.command, _USER_INFO.sub("://***@", _SECRETS.sub(r"\1***", self.arguments)))))


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
        return f"{host}{self.name}"

    def file_name(self, host: str) -> str:
        """A file name for its saved definition: readable, and different for different definitions."""
        readable = re.sub(r'[\\/:*?"<>|\s]+', "-", f"{host}{self.name}")
        return f"{readable}-{hashlib.sha256(self.xml.encode()).hexdigest()[:12]}.xml"


def plain(text: str, environment: Mapping[str, str]) -> str:
    """A path as it is written in a task, for comparison: no quotes, one kind of slash, known environment variables replaced."""
    expanded = re.sub(r"%([^%]+)%", lambda found: environment.get(found[1].casefold(), found[0]), text)
    text = expanded.replace('"', "")
    return re.sub(r"(?<=.)\\{2,}", r"\\", text.replace("/", "\\")) if "\\" in text or ":" in text else text


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
        Action(text(item, "Command"), text(item, "Arguments"), text(item, "WorkingDirectory")) for item in _children(root, "Actions") if _tag(item) == "Exec"
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
                reasons.append(f"{action.shown()} matches {wanted}")
                break
    return reasons


def _matches(text: str, pattern: str) -> bool:
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
    return any("%" in text for task in tasks for action in task.actions for text in (action.command, action.arguments, action.working_directory))


def state_of(task: Task) -> dict[str, Any]:
    """What plans compare, and people see."""
    return {
        "enabled": task.enabled,
        "run_as": task.run_as,
        "actions": [action.shown() for action in task.actions],
    }


def object_of(host: str, task: Task) -> Object:
    """The task as plans see it."""
    return Object(KIND, task.id(host), task.name, state_of(task))
