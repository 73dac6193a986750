# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command of sh starts: programs, and the scripts that interpreters are given; never text in other arguments. Pure.

Too much is better than too little: what is found is a candidate that a person confirms.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

#: Behind a folder: each file in it is started.
EVERY = "/*"
#: A chain of interpreters and launchers longer than this is nobody's.
_DEPTH = 6
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?[-=]([^}]*))?\})")
_SUBSTITUTION = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)|`([^`]*)`")
#: How a script finds itself, its folder, and a folder by its path.
_OWN_PATH = re.compile(r"""\$\(\s*(?:readlink\s+-f|realpath)\s+(?:--\s+)?"?\$\{?(?:0|BASH_SOURCE(?:\[0\])?)\}?"?\s*\)|\$\{?BASH_SOURCE(?:\[0\])?\}?|\$\{0\}""")
_OWN_FOLDER = re.compile(r"""\$\(\s*dirname\s+(?:--\s+)?"?\$0"?\s*\)|`\s*dirname\s+"?\$0"?\s*`|\$\{0%/\*\}""")
_WHERE_IT_IS = re.compile(r"""[$]\(\s*cd\s+(?:-P\s+|--\s+)*"?([^\s")]+)"?\s*(?:>\s*/dev/null\s*(?:2>&1\s*)?)?(?:&&|;)\s*pwd(?:\s+-P)?\s*\)""")
#: Words before a command, and those of a loop, which is followed by one.
_RESERVED = frozenset(
    {"if", "then", "else", "elif", "fi", "while", "until", "do", "done", "!", "{", "}", "esac", "time", "exec", "command", "builtin", "coproc"}
)
_NO_COMMAND = frozenset(
    {"for", "select", "case", "function", "[", "[[", "test", "echo", "printf", "export", "set", "ulimit", "umask", "trap", "exit", "return"}
)
_SHELLS = re.compile(r"(?:ba|da|z|k|mk|a|r?ba|c|tc)?sh")
_INTERPRETERS = re.compile(r"python[\d.]*|perl[\d.]*|ruby[\d.]*|node(?:js)?|php[\d.]*|java|expect|tclsh[\d.]*")
#: Options whose value is the next word, of shells and of interpreters.
_OF_SHELLS = frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file"})
_OF_INTERPRETERS = frozenset({"-W", "-X", "-I", "-r", "-cp", "-classpath", "--class-path", "-p", "--module-path"})


@dataclass(frozen=True)
class _Launcher:
    """A program that starts what stands after its options and so many words of its own."""

    words: int = 0
    #: options whose value is the next word
    values: frozenset[str] = field(default_factory=frozenset)
    #: options whose value is a command in one word
    commands: frozenset[str] = frozenset()


def _launcher(words: int = 0, values: str = "", commands: str = "") -> _Launcher:
    return _Launcher(words, frozenset(values.split()), frozenset(commands.split()))


_LAUNCHERS: dict[str, _Launcher] = {
    "env": _launcher(values="-u --unset -C --chdir", commands="-S --split-string"),
    "nice": _launcher(values="-n --adjustment"),
    "ionice": _launcher(values="-c -n --class --classdata"),
    "chrt": _launcher(1),
    "taskset": _launcher(1),
    "numactl": _launcher(values="-i -N -m -C -P"),
    "prlimit": _launcher(),
    "unshare": _launcher(values="-R -w -S -G"),
    "nsenter": _launcher(values="-t --target -S --setuid -G --setgid"),
    "firejail": _launcher(),
    "aa-exec": _launcher(values="-p --profile -n --namespace"),
    "lockrun": _launcher(),
    "cronlock": _launcher(),
    "solo": _launcher(),
    "nocache": _launcher(),
    "torsocks": _launcher(),
    "proxychains": _launcher(values="-f"),
    "proxychains4": _launcher(values="-f"),
    "tsp": _launcher(values="-N -L"),
    "krenew": _launcher(values="-k -p"),
    "k5start": _launcher(1, values="-f -k -l -p -u -S"),
    "ssh": _launcher(1, values="-B -b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w"),
    "tmux": _launcher(1, values="-c -e -F -f -L -n -S -s -t -x -y"),
    "cpulimit": _launcher(values="-l --limit"),
    "logsave": _launcher(1),
    "setuidgid": _launcher(1),
    "envuidgid": _launcher(1),
    "envdir": _launcher(1),
    "softlimit": _launcher(values="-a -c -d -f -l -m -o -p -r -s -t"),
    "s6-setuidgid": _launcher(1),
    "gosu": _launcher(1),
    "su-exec": _launcher(1),
    "pkexec": _launcher(values="--user"),
    "dbus-run-session": _launcher(values="--config-file --dbus-daemon"),
    "ssh-agent": _launcher(values="-a -t"),
    "faketime": _launcher(1),
    "eatmydata": _launcher(),
    "daemonize": _launcher(values="-c -e -E -o -p -l -u"),
    "screen": _launcher(values="-S -c -e -h -p -s -t -T"),
    "start-stop-daemon": _launcher(words=99, values="-p -u -n -c -g -r -d -k -N", commands="-x --exec -a --startas"),
    "at": _launcher(words=99, values="-q -t", commands="-f"),
    "batch": _launcher(words=99, values="-q", commands="-f"),
    "nohup": _launcher(),
    "setsid": _launcher(),
    "chronic": _launcher(),
    "cronic": _launcher(),
    "unbuffer": _launcher(),
    "busybox": _launcher(),
    "stdbuf": _launcher(values="-i -o -e"),
    "time": _launcher(values="-f --format -o --output"),
    "timeout": _launcher(1, values="-s --signal -k --kill-after"),
    "flock": _launcher(1, values="-w --wait --timeout -E --conflict-exit-code", commands="-c --command"),
    "setlock": _launcher(1),
    "lckdo": _launcher(1, values="-W"),
    "run-one": _launcher(),
    "systemd-cat": _launcher(values="-t --identifier -p --priority"),
    "systemd-run": _launcher(values="-p --property -u --unit --slice --uid --gid --description --setenv -E"),
    "systemd-inhibit": _launcher(values="--what --who --why --mode"),
    "sudo": _launcher(values="-u --user -g --group -C -D -h -p -r -t -T -R"),
    "doas": _launcher(values="-u -C"),
    "sg": _launcher(1, commands="-c"),
    "su": _launcher(1, values="-g -G -s --shell -w", commands="-c --command"),
    "runuser": _launcher(1, values="-g -G -s --shell -w", commands="-c --command"),
    "chroot": _launcher(1),
    "setpriv": _launcher(values="--reuid --regid --groups --inh-caps --bounding-set --securebits"),
    "chpst": _launcher(values="-u -U -b -/ -n -l -L -m -o -p -e"),
    "cgexec": _launcher(values="-g"),
    "xargs": _launcher(values="-I -n -P -L -s -d -a -E"),
    "watch": _launcher(values="-n --interval"),
    "script": _launcher(words=99, commands="-c --command"),
    "parallel": _launcher(values="-j --jobs"),
    "run-parts": _launcher(values="-a --arg -u --umask"),
    "strace": _launcher(values="-o -e -s -p"),
}


#: They start the login shell of a user, who may be the first word.
_LOGINS = ("su", "runuser")
#: They hand what is left to a shell, as one text.
_HANDED = ("ssh", "tmux")
#: Of find: what stands behind is started.
_OF_FIND = ("-exec", "-execdir", "-ok", "-okdir")
#: Of systemctl: it starts the units behind, whether they are enabled or not; and what only looks.
_STARTS_UNITS = ("start", "restart", "try-restart", "reload-or-restart")
_LOOKS_AT_UNITS = ("status", "show", "cat", "is-active", "is-enabled", "is-failed", "is-system-running", "list-units", "list-timers", "daemon-reload")
#: They start what systemd, or init, knows by a name.
_SERVICES = ("service", "invoke-rc.d", "rc-service")
#: What is piped into them is as good as a script.
_PIPED = ("at", "batch")


def variables(text: str, environment: Mapping[str, str]) -> str:
    """`text` with the known variables in it replaced, and ~ at its beginning."""
    if text == "~" or text.startswith("~/"):
        text = environment.get("HOME", "~") + text[1:]
    return _VARIABLE.sub(lambda found: environment.get(found[1] or found[2], found[0] if found[3] is None else found[3]), text)


def started(text: str, folder: str, environment: Mapping[str, str], depth: int = _DEPTH) -> list[tuple[str, str]]:
    """Every program that is started: as it is written, and below the folder that is current then. None twice."""
    found = ((program, _path(here, program)) for here, program in _line(text, folder, dict(environment), depth))
    return list(dict.fromkeys(pair for pair in found if pair[0]))


def with_own_folder(script: str, path: str) -> str:
    """A script with its own folder, which it asks for by `dirname $0` and the like, written out."""
    folder = posixpath.dirname(path)
    text = _OWN_FOLDER.sub(lambda _found: folder, _OWN_PATH.sub("$0", script))
    return _WHERE_IT_IS.sub(lambda found: found[1], text)


def _path(folder: str, program: str) -> str:
    """A path below a folder; two strokes at its beginning mean no more than one."""
    return re.sub("^//+", "/", posixpath.normpath(posixpath.join(folder, program)))


def starts_others(program: str) -> bool:
    """Whether the program does nothing but start what it is told to, here: ssh may hold a tunnel open."""
    name = posixpath.basename(program)
    return (name in _LAUNCHERS and name not in _HANDED) or name == "scl" or bool(_SHELLS.fullmatch(name) or _INTERPRETERS.fullmatch(name))


def _line(text: str, folder: str, environment: dict[str, str], depth: int) -> Iterator[tuple[str, str]]:
    if depth == 0:
        return
    for line in text.replace("\\\n", " ").splitlines():
        for inner in _SUBSTITUTION.finditer(line):
            yield from _line(inner[1] or inner[2] or "", folder, dict(environment), depth - 1)
        for words in _commands(line):
            target, found = _command(words, folder, environment, depth)
            folder = target
            yield from found


def _commands(line: str) -> Iterator[list[str]]:
    """The simple commands of a line, their words without quotes; where they are redirected to is left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        tokens = list(lexer)
    except ValueError:  # a quote that nobody closes
        tokens = line.split()
    words: list[str] = []
    said: list[str] = []  # by an echo, which is piped on
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.startswith("#"):
            break
        if not set(token) - set("();<>|&"):
            if set(token) & set("<>"):
                if words and words[-1].isdigit():
                    words.pop()  # 2>
                at += 1  # the file
                name = posixpath.basename(words[0]) if words and at < len(tokens) else ""
                if token in ("<", "<<<") and _SHELLS.fullmatch(name):
                    words += ["-c"] * (token == "<<<") + [tokens[at]]  # which a shell is given as its input is as good as its script
                elif token == "<" and name in _PIPED:
                    words += ["-f", tokens[at]]
            if set(token) & set("();") or token in ("&", "|", "&&", "||", "|&"):
                yield _with_input(words, said)
                said = words[1:] if token == "|" and words[:1] in (["echo"], ["printf"]) else []
                words = []
        else:
            words.append(token)
        at += 1
    yield _with_input(words, said)


def _with_input(words: list[str], said: Sequence[str]) -> list[str]:
    """A command, and where it is a shell or at(1) with what was piped into it as its own."""
    name = posixpath.basename(words[0]) if words and said else ""
    text = "; ".join(word for word in said if re.search(r"[^\s%\\sn-]", word))
    return ["sh", "-c", text] if name in _PIPED or (_SHELLS.fullmatch(name) and not words[1:]) else words


def _command(words: Sequence[str], folder: str, environment: dict[str, str], depth: int) -> tuple[str, list[tuple[str, str]]]:
    """The folder that is current afterwards, and what is started."""
    words = list(words)
    local = dict(environment)
    while words:
        if words[0] in _RESERVED:
            del words[0]
            while words[:1] and words[0].startswith("-") and words[0] in ("-p", "-a", "-c", "-l"):  # of time, exec, command
                del words[0]
        elif assigned := _ASSIGNMENT.fullmatch(words[0]):
            local[assigned[1]] = variables(assigned[2], local)
            del words[0]
        else:
            break
    if not words:
        environment.update(local)
        return folder, []
    name = words[0]
    if name in ("export", "readonly", "declare", "local"):
        for word in words[1:]:
            if assigned := _ASSIGNMENT.fullmatch(word):
                environment[assigned[1]] = variables(assigned[2], environment)
        return folder, []
    if name in ("cd", "pushd", "chdir"):
        targets = [word for word in words[1:] if not (word.startswith("-") and len(word) > 1)]
        target = variables(targets[0] if targets else "~", local)
        return posixpath.normpath(posixpath.join(folder, target)), []
    if name in _NO_COMMAND:
        return folder, []
    if name == "eval":
        return folder, list(_line(" ".join(words[1:]), folder, local, depth - 1))
    return folder, list(_started(words, folder, local, depth))


def _started(words: Sequence[str], folder: str, environment: dict[str, str], depth: int) -> Iterator[tuple[str, str]]:
    if not words or depth == 0:
        return
    if words[0] in (".", "source"):
        yield from ((folder, variables(word, environment)) for word in words[1:2])
        return
    program = variables(words[0], environment)
    units = _units(posixpath.basename(program), [variables(word, environment) for word in words[1:]])
    if units is not None:
        yield from ((folder, unit) for unit in units)
        return
    yield folder, program
    if "/" not in program:  # it may be in each of these; nobody looks
        yield from ((place, program) for place in environment.get("PATH", "").split(":") if place.startswith("/"))
    name = posixpath.basename(program)
    if name == "find":
        for at in [at for at, word in enumerate(words) if word in _OF_FIND]:
            yield from _started(words[at + 1 :], folder, environment, depth - 1)
    elif name == "ip" and list(words[1:3]) == ["netns", "exec"]:
        yield from _started(words[4:], folder, environment, depth - 1)
    elif name == "scl" and len(words) > 2:
        behind = words[words.index("--") + 1 :] if "--" in words else words[-1:]
        yield from _line(" ".join(behind), folder, environment, depth - 1)
    elif name in _LAUNCHERS:
        yield from _launched(_LAUNCHERS[name], name, words[1:], folder, environment, depth)
    elif _SHELLS.fullmatch(name):
        yield from _given(words[1:], folder, environment, depth, shell=True)
    elif _INTERPRETERS.fullmatch(name):
        yield from _given(words[1:], folder, environment, depth, shell=False)


def _units(name: str, words: Sequence[str]) -> list[str] | None:
    """The units that a command does nothing but start, or look at; None of every other command."""
    said = [word for word in words if not word.startswith("-")]
    if name == "systemctl" and said and said[0] in _STARTS_UNITS:
        return [unit if "." in unit else f"{unit}.service" for unit in said[1:]]
    if name == "systemctl" and said and said[0] in _LOOKS_AT_UNITS:
        return []
    if name in _SERVICES and len(said) > 1 and said[1] in (*_STARTS_UNITS, "status"):
        return [f"{said[0].removesuffix('.service')}.service"] if said[1] != "status" else []
    return None


def _given(words: Sequence[str], folder: str, environment: dict[str, str], depth: int, *, shell: bool) -> Iterator[tuple[str, str]]:
    """The script of an interpreter: the first word that is no option; with -c of a shell the commands in the next word."""
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            at += 1
            break
        if not word.startswith(("-", "+")) or word == "-":
            break
        if shell and not word.startswith("--") and word.startswith("-") and "c" in word:
            rest = [one for one in words[at + 1 :] if not one.startswith("-")]
            yield from _line(rest[0] if rest else "", folder, environment, depth - 1)
            return
        if not shell and word in ("-c", "-e", "-m"):
            return
        if word == "-jar":
            at += 1
            break
        at += _words_of(word, _OF_SHELLS if shell else _OF_INTERPRETERS)
    if at < len(words):
        yield folder, variables(words[at], environment)


def _words_of(option: str, with_value: Collection[str]) -> int:
    """How many words an option takes: itself, and the next one where that is its value. `-iu NAME` is -i and -u NAME, `-uNAME` has it already."""
    if option in with_value:
        return 2
    letters = "" if option.startswith("--") else option[1:]
    first = next((at for at, letter in enumerate(letters) if option[0] + letter in with_value), None)
    return 2 if first is not None and first == len(letters) - 1 else 1


def _launched(how: _Launcher, name: str, words: Sequence[str], folder: str, environment: dict[str, str], depth: int) -> Iterator[tuple[str, str]]:
    """What a launcher starts: its own options, in one pass as it reads them itself, and then the command."""
    at, own = 0, how.words
    named = False  # su and runuser: whether a user was given by an option, so that a command follows at once
    while at < len(words):
        word = words[at]
        if word == "--":
            at += 1
            if own == 0:
                break
            continue
        if (commands := _told(how, words[at:])) is not None:
            yield from _line(commands, folder, environment, depth - 1)
            return
        taken, folder, environment = _surroundings(name, words[at:], folder, environment)
        if taken:
            at += taken
        elif name == "runuser" and word in ("-u", "--user"):
            named, at = True, at + 2
        elif word.startswith("-") and word != "-":
            at += _words_of(word, how.values)
        elif own and not named and word != "-":
            own, at = own - 1, at + 1
        elif word == "-" and name in (*_LOGINS, "env", "sg"):
            at += 1
        else:
            break
    yield from _behind(how, name, words[at:], folder, environment, depth, named=named)


def _behind(how: _Launcher, name: str, rest: Sequence[str], folder: str, environment: dict[str, str], depth: int, *, named: bool) -> Iterator[tuple[str, str]]:
    """What a launcher starts of the words behind its own. `named`: whether an option has said as whom."""
    if name == "run-parts":  # all that lies there
        yield from ((folder, variables(word, environment).rstrip("/") + EVERY) for word in rest[:1])
    elif name in _LOGINS and not named:  # what is left are arguments of the login shell
        yield from _given(rest, folder, environment, depth, shell=True)
    elif rest and name in (*_HANDED, "sg"):
        yield from _line(" ".join(rest), folder, environment, depth - 1)
    elif rest and name == "flock" and rest[0] in how.commands:
        yield from _line(rest[1] if len(rest) > 1 else "", folder, environment, depth - 1)
    elif rest:
        yield from _started(rest, folder, environment, depth - 1)


def _told(how: _Launcher, words: Sequence[str]) -> str | None:
    """The commands for a shell that a launcher's option holds, or the word behind it; None where the first word is no such option."""
    if words[0] in how.commands or ("-c" in how.commands and re.fullmatch(r"-[a-z]*c", words[0])):
        return words[1] if len(words) > 1 else ""
    glued = re.fullmatch(r"(--[\w-]+)=(.*)|(-S)(.+)", words[0], re.DOTALL)
    return (glued[2] or glued[4] or "") if glued and (glued[1] or glued[3]) in how.commands else None


def _surroundings(name: str, words: Sequence[str], folder: str, environment: dict[str, str]) -> tuple[int, str, dict[str, str]]:
    """How many words env and sudo take for the folder or a variable of what they start, and both with these; 0 where the first word is neither."""
    if name in ("env", "sudo"):
        if assigned := _ASSIGNMENT.fullmatch(words[0]):
            own = {assigned[1]: variables(assigned[2], environment)} if name == "env" else {}
            return 1, folder, environment | own
        option, glued, value = words[0].partition("=")
        if option in ("-C", "--chdir", "-D") and (glued or len(words) > 1):
            return 1 if glued else 2, posixpath.normpath(posixpath.join(folder, variables(value if glued else words[1], environment))), environment
    return 0, folder, environment
