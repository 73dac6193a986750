# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cron jobs, pure: what stands in a crontab, which jobs a command path means, what a place holds afterwards."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import hmac
import posixpath
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ..._core import confirmations, phrases, plain, redaction
from ..._core.errors import OffboardError
from ..._core.machine_ids import on_host
from ..._core.model import Object
from ..._core.plain import file_part
from .. import expansion, shell

KIND = "linux_cron_job"
#: Where IIJ's manual has Directory Sync for Linux started.
DEFAULT_COMMAND_PATHS = ("*/IIJ_ID_Service_Directory_Sync/bin/*_mode*.sh",)
#: What a disabled line begins with; the line itself follows, byte for byte.
MARKER = b"#offboard.iij_id disabled: "

_VARIABLE = re.compile(r"\s*([\"']?)([A-Za-z_]\w*)\1\s*=\s*((?:.*\S)?)\s*", re.DOTALL)
_WHEN = r"\s*-?(@\w+|(?:\S+\s+){4}\S+)\s+"
_LINES = {
    "user": re.compile(rf"{_WHEN}(?P<user>)(?P<command>.*)", re.DOTALL),
    "system": re.compile(rf"{_WHEN}(?P<user>\S+)\s+(?P<command>.*)", re.DOTALL),
    "anacron": re.compile(r"\s*((?P<at>@\w+)|\d+\s+\d+)\s+(?(at)\d+\s+)\S+\s+(?P<user>)(?P<command>.*)", re.DOTALL),
}
#: cronie: quiet, no mail
_FLAGS = re.compile(r"\A(?:-[nqs]\s+)+")
_STDIN = re.compile(r"(?<!\\)%")
_WILDCARDS = re.compile(r"[*?\[]")
_SAYS_NOTHING = re.compile(r"[*?./\[\]]|\b(?:usr|local|opt|bin|sbin|sh|home|root|etc|var)\b")
_SAYS_SOMETHING = 3
_NO_NAME = re.compile(r"(?:/(?:s?bin|lib|etc)?)+\Z")
_NAME = re.compile(r"[\w.+@-]+")
#: Programs of a script beside the agent's own that are no work of others.
_HARMLESS = frozenset({
    "true", "false", "sleep", "logger", "date", "cat", "mkdir", "touch", "chown", "chmod", "rm",
    "tee", "hostname", "id", "whoami", "basename", "dirname", "readlink", "realpath", "grep",
})  # fmt: skip


#: as they are written, and below the folder that is current then; or what is told to another program
Programs = tuple[tuple[str, str], ...]
#: What units and scripts start, by their names and paths.
Behind = Mapping[str, Iterable[tuple[str, str]]]
#: A variable with a name of the agent's.
_OF_THE_AGENT = re.compile(r"iij", re.IGNORECASE)


@dataclass(frozen=True)
class StartedIn:
    """What a shell reads, the folder that is current when it does, and its variables."""

    folder: str
    environment: Mapping[str, str]
    texts: Sequence[str] = ()
    #: started besides
    itself: Programs = ()

    def started(self, reading: shell.Reading | None = None) -> Programs:
        """What they start; of the scripts that `reading` knows, it is found there afterwards."""
        if reading and not self.texts:
            for _written, path in self.itself:
                shell.started_by(path, self.folder, self.environment, reading)
        found = (pair for text in self.texts for pair in shell.started(text, self.folder, self.environment, reading))
        return tuple(dict.fromkeys((*self.itself, *found)))


@dataclass
class Place:
    """A crontab, a file of cron, or a script in a folder of cron. `lines` have their line ends; together they are the content."""

    name: str
    kind: str
    user: str
    home: str
    lines: list[bytes]
    mode: int | None
    link: str

    @property
    def content(self) -> bytes:
        return b"".join(self.lines)

    @property
    def digest(self) -> str:
        """SHA-256, by which the machine knows whether it is still the same."""
        return hashlib.sha256(self.content).hexdigest()

    def file_name(self, host: str, key: bytes = b"") -> str:
        """A file name for its saved content, different for different contents. `key` keeps it from telling what they hold."""
        digest = hmac.new(key, self.content, hashlib.sha256).hexdigest()[:12]
        return f"{file_part(f'{host}-{self.name}')}-{digest}.crontab"

    @property
    def holds_a_secret(self) -> bool:
        """Whether it shows what is hidden from people, journals and reports, in the lines of others too."""
        return any(self._may_hold_one(line) for line in self.content.decode("utf-8", "replace").splitlines())

    def _may_hold_one(self, line: str) -> bool:
        written = line.lstrip("#! \t")
        if self.kind == "script" or _VARIABLE.fullmatch(written):
            return redaction.command_line(written) != written
        if found := _LINES[self.kind].fullmatch(written):
            return redaction.command_line(found["command"]) != found["command"]
        return redaction.says_secret(written)


@dataclass(frozen=True)
class Job:
    """One line of a place, or a whole script (`line` -1)."""

    place: Place = field(repr=False, compare=False)
    line: int
    user: str
    schedule: str
    command: str
    enabled: bool
    programs: Programs
    #: where it starts them, and its variables
    started_in: StartedIn
    number: int = 1
    #: what those programs start in their turn
    through: Programs = ()
    #: what scripts start as this job starts them, by their paths
    behind: Mapping[str, Mapping[tuple[str, str], None]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def shown(self) -> str:
        """The command for people, journals and reports: what may be a secret is hidden."""
        return redaction.command_line(self.command)

    @property
    def name(self) -> str:
        """Where it is, when it runs and what it starts."""
        return f"{self.place.name}: {self.schedule} {self.shown}" + (f" #{self.number}" if self.number > 1 else "")

    @property
    def called(self) -> tuple[str, ...]:
        """By which names others have it started: none."""
        return ()

    @property
    def written(self) -> list[str]:
        """The command, or the lines of a script that are no comments."""
        if self.line >= 0:
            return [self.command]
        return [line for line in _text(self.place.content).splitlines() if not line.lstrip().startswith("#")]

    def id(self, host: str) -> str:
        """What identifies it in journals and predictions, enabled or not."""
        return on_host(host, self.name)

    def is_confirmed(self, wanted: Iterable[Mapping[str, Any]]) -> bool:
        return any(confirmations.cron_job(self.place.name, (self.shown, self.command), item) for item in wanted)


#: names that cron and run-parts take on every distribution, and those of them that Debian's take, see cron(8) and run-parts(8)
_TAKEN = re.compile(r"(?!#).*(?<!~)(?<!,)(?<!\.rpmsave)(?<!\.rpmorig)(?<!\.rpmnew)", re.DOTALL)
_TAKEN_BY_DEBIAN = re.compile(r"[A-Za-z0-9_-]+")
_WRITABLE_BY_OTHERS = 0o022


def passed_over(place: Place) -> str:
    """Why cron starts nothing of what stands there, in words; "" when it may. A person judges: which cron the machine has is not known."""
    name = posixpath.basename(place.name)
    in_folder = place.kind == "script" or posixpath.dirname(place.name) == "/etc/cron.d"
    if in_folder and not _TAKEN.fullmatch(name):
        return phrases.english("passed_over_name")
    if place.kind == "system" and (place.mode or 0) & _WRITABLE_BY_OTHERS:
        return phrases.english("passed_over_mode")
    if in_folder and not _TAKEN_BY_DEBIAN.fullmatch(name):
        return phrases.english("passed_over_name_debian")
    if place.kind in ("user", "system") and not place.lines[-1].endswith(b"\n"):
        return phrases.english("passed_over_end_debian")
    return ""


def place_of(answer: Mapping[str, Any]) -> Place:
    """A place as the machine gave it."""
    content = base64.b64decode(answer["content"])
    lines = content.splitlines(keepends=True) if answer["kind"] == "script" else re.findall(rb"[^\n]*\n|[^\n]+\Z", content)
    return Place(answer["place"], answer["kind"], answer["user"], answer["home"], lines, answer["mode"], answer["link"])


def jobs(place: Place, homes: Mapping[str, str] = MappingProxyType({})) -> list[Job]:
    """What the place has cron start, disabled by us or not. A line that cron does not understand starts nothing. `homes`: of the accounts that are known."""
    return [_script(place)] if place.kind == "script" else list(_numbered(_of_lines(place, homes)))


def _text(content: bytes) -> str:
    """As it is shown and confirmed; a byte that is no UTF-8 as the machine's own answers show it."""
    return str(plain.whole(content.decode("utf-8", "surrogateescape")))


def _of_lines(place: Place, homes: Mapping[str, str]) -> Iterator[Job]:
    environment: dict[str, str] = {}
    for number, raw in enumerate(place.lines):
        enabled = not raw.startswith(MARKER)
        line = _text(raw.removeprefix(MARKER).partition(b"\0")[0]).strip("\r\n")  # cron reads no further
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if variable := _VARIABLE.fullmatch(line):
            if enabled:
                environment[variable[2]] = variable[3].strip("\"'")
            continue
        if not (found := _LINES[place.kind].fullmatch(line)):
            continue
        user = place.user or found["user"] or "root"
        home = place.home if place.user or user == "root" else homes.get(user, f"/home/{user}")
        # a HOME in the crontab counts, and is the folder in which the command is started
        own = {"HOME": home, **environment, "LOGNAME": user}
        command, *given = (text.replace("\\%", "%").strip() for text in _STDIN.split(_FLAGS.sub("", found["command"], count=1)))
        # what a shell or at is given as its input is as good as a script
        script = f"echo {shlex.quote('; '.join(given))} | {command}" if given else command
        here = StartedIn(own["HOME"], own, (script,))
        yield Job(place, number, user, " ".join(found[1].split()), command, enabled, here.started(), here)


def _numbered(found: Iterable[Job]) -> Iterator[Job]:
    """The same line twice is two jobs."""
    counts: dict[str, int] = {}
    for job in found:
        counts[job.name] = counts.get(job.name, 0) + 1
        yield replace(job, number=counts[job.name])


def _script(place: Place) -> Job:
    text = _text(place.content)
    real = place.link or place.name
    surroundings = {"HOME": "/root", "0": place.name, "BASH_SOURCE": place.name, expansion.REAL_SELF: real}
    here = StartedIn("/", surroundings, (text,) if shell.is_of_a_shell(text) else (), ((place.name, real),))
    when = posixpath.basename(posixpath.dirname(place.name)).removeprefix("cron.")
    return Job(place, -1, "root", when, place.name, bool((place.mode or 0) & 0o111), here.started(), here)


def does_more(job: Job, command_paths: Sequence[str], real: Mapping[str, str], behind: Behind = MappingProxyType({})) -> list[str]:
    """What a script starts besides the programs that are meant; of a line, the scripts and units by which alone it starts them. A script that is meant itself
    is all the agent's. `behind`: what units and scripts start, by their names.
    """

    def is_meant(pair: tuple[str, str]) -> bool:
        return bool(reasons(pair, command_paths, real))

    def is_named(pair: tuple[str, str]) -> bool:
        return pair[1] == shell.ARGUMENT and any(_matches(pair[0], wanted) for wanted in command_paths)

    behind = {**behind, **job.behind}
    own: Programs = ()
    if job.line < 0 and not is_meant(job.programs[0]):
        own = job.programs[1:]
    elif not any(is_meant(pair) or is_named(pair) for pair in job.programs):
        leading = (pair for pair in job.programs if any(map(is_meant, through((pair,), behind))))
        own = tuple(program for pair in leading for program in started_by(pair, behind))
    return list(dict.fromkeys(_others(own, is_meant, behind, frozenset())))


def _others(programs: Programs, is_meant: Callable[[tuple[str, str]], bool], behind: Behind, above: frozenset[str]) -> Iterator[str]:
    """Those that are not meant, do something, and do not only start what is meant themselves. `above`: those that start these."""
    if _is_guessed(programs):
        yield programs[0][0]
        return
    places: dict[str, list[tuple[str, str]]] = {}  # a program without a path may be in one of several folders
    for pair in programs:
        if pair[1] not in shell.ARGUMENTS or is_meant(pair):
            places.setdefault(pair[0], []).append(pair)
    for name, pairs in places.items():
        harmless = shell.starts_others(name) or posixpath.basename(name) in _HARMLESS or not re.search(r"\w", name)
        if harmless or name in above or any(is_meant(pair) for pair in pairs):
            continue
        own = tuple(program for pair in pairs for program in started_by(pair, behind))
        if not any(map(is_meant, through(tuple(pairs), behind))):
            if not name.startswith(shell.SOURCED) or any(_others(own, is_meant, behind, above | {name})):
                yield name
            continue
        yield from _others(own, is_meant, behind, above | {name})


def started_by(pair: tuple[str, str], behind: Behind) -> Programs:
    """What a unit or a script starts, as it is written or where it is."""
    return tuple(behind.get(pair[0]) or behind.get(pair[1]) or ())


def _is_guessed(programs: Sequence[tuple[str, str]]) -> bool:
    """Whether they are what stands in a script of another language, which comes first then."""
    return bool(programs) and not programs[0][1]


def through(programs: Programs, behind: Behind) -> Programs:
    """What these start in their turn, and what that does; what is only guessed leads no further."""
    found = dict.fromkeys(programs)
    left = list(programs)
    for pair in left:  # which grows
        own = started_by(pair, behind)
        new = [program for program in own if program not in found]
        found |= dict.fromkeys(new)
        left += [] if _is_guessed(own) else new
    return tuple(found)[len(dict.fromkeys(programs)) :]


def why(job: Job, command_paths: Sequence[str], real: Mapping[str, str]) -> list[str]:
    """Which of the command paths mean the job, in words. `real`: where paths lead, links followed."""
    return [reason for pair in (*job.programs, *job.through) for reason in reasons(pair, command_paths, real)]


def reasons(pair: tuple[str, str], command_paths: Sequence[str], real: Mapping[str, str]) -> list[str]:
    """Which of the command paths mean a program, in words."""
    program, place = pair
    if place == shell.ARGUMENT:
        return []
    handed = place == shell.HANDED
    paths = [program] if handed else places_of(pair, real)
    does = f"it hands {program} to a program that may start it" if handed else f"it starts {program}"
    if found := [f"{does}, which matches {wanted}" for wanted in command_paths if any(_matches(path, wanted) for path in paths)]:
        return found
    if may_match := _may_match(program if handed or not place else place, command_paths):
        return [f"{does}, of which not all is known here, and which may match {may_match}"]
    return []


def _may_match(path: str, command_paths: Sequence[str]) -> str:
    """Which command path may mean one with a variable that nobody knows, since what is known of it, or the variable's name, says so; "" for none."""
    if not expansion.is_unknown(path):
        return ""
    known = expansion.known_parts(path)
    for wanted in command_paths:
        said = [part for one in (wanted, *DEFAULT_COMMAND_PATHS) for part in one.split("/") if len(_SAYS_NOTHING.sub("", part)) >= _SAYS_SOMETHING]
        if _OF_THE_AGENT.search(path) or any(fnmatch.fnmatchcase(name, part) for name in known for part in said):
            return wanted
    return ""


def places_of(pair: tuple[str, str], real: Mapping[str, str]) -> list[str]:
    """A program as it is written, below the folder that is current then, and where that leads. None of what is only an argument."""
    return [] if pair[1] in shell.ARGUMENTS else [*pair, *filter(None, (real.get(pair[1]),))]


def folder_names(command_paths: Sequence[str]) -> list[str]:
    """Texts by which something names what the command paths mean: of each the longest part without wildcards that says something, without `/bin/` behind."""
    parts = (max(_WILDCARDS.split(path), key=lambda part: len(_SAYS_NOTHING.sub("", part))) for path in command_paths)
    named = (part if part[:1] == "/" == path[:1] else part.lstrip("/") for path, part in zip(command_paths, parts, strict=False))
    return list(dict.fromkeys(name for part in named if len(_SAYS_NOTHING.sub("", name := _NO_NAME.sub("", part))) >= _SAYS_SOMETHING))


def are_named(texts: Iterable[str], command_paths: Sequence[str], names: Sequence[str]) -> bool:
    """Whether one of the texts has one of the names (`folder_names`), or the name of a program that a command path means."""
    programs = [last for path in command_paths if len(_SAYS_NOTHING.sub("", last := posixpath.basename(path))) >= _SAYS_SOMETHING]
    return any(
        any(name in text for name in names) or any(fnmatch.fnmatchcase(word, program) for word in set(_NAME.findall(text)) for program in programs)
        for text in texts
    )


def _matches(path: str, pattern: str) -> bool:
    if _WILDCARDS.search(pattern):
        return fnmatch.fnmatchcase(path, pattern)
    whole = pattern.rstrip("/")
    return path == whole or path.startswith(f"{whole}/")


def check_command_paths(command_paths: Sequence[str]) -> None:
    """Raises OffboardError `action_path_too_broad` for one that says nothing about whose program is meant."""
    for path in command_paths:
        if len(_SAYS_NOTHING.sub("", path)) < _SAYS_SOMETHING or not path.startswith(("/", "*")):
            raise OffboardError(
                f"the command path {path!r} would match jobs of every kind, or none; give an absolute path, or one that begins with *, and name the folder or "
                "the program of the product",
                code="action_path_too_broad",
            )


def asked_paths(found: Iterable[Programs]) -> set[str]:
    """Paths of programs, to be asked where they lead."""
    return {path for programs in found for _written, path in programs if path.startswith("/") and not re.search(r"[\0\n$]", path)}


def script_folders(found: Iterable[Job]) -> list[str]:
    """Folders of which a job starts every script (run-parts)."""
    return sorted({folder for job in found for _written, path in job.programs if (folder := path.removesuffix(shell.EVERY)) != path and folder[:1] == "/"})


def state_of(job: Job) -> dict[str, Any]:
    """What plans compare, and people see."""
    state = {"enabled": job.enabled, "place": job.place.name, "user": job.user, "schedule": job.schedule, "command": job.shown}
    return {**state, "passed_over": passed_over(job.place)}


def object_of(host: str, job: Job) -> Object:
    """The job as plans see it."""
    return Object(KIND, job.id(host), job.name, state_of(job))


def changed_lines(job: Job, action: str) -> list[bytes]:
    """The lines of the place after `action`: all others as they are. A removed line becomes an empty text, so that others keep their number."""
    lines = list(job.place.lines)
    line = lines[job.line]
    lines[job.line] = {"disable": MARKER + line, "enable": line.removeprefix(MARKER), "delete": b""}[action]
    return lines


def changed_mode(mode: int, action: str) -> int:
    """The mode of a script: enabled means that whoever may read it may run it."""
    return mode & ~0o111 if action == "disable" else mode | (mode & 0o444) >> 2
