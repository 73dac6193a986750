# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command of sh starts: programs, and the scripts that interpreters are given; never text in other arguments. Pure.

Too much is better than too little: what is found is a candidate that a person confirms.
"""

from __future__ import annotations

import functools
import posixpath
import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .expansion import REAL_SELF, defaults, simplified, variables, with_braces

#: Behind a folder: each file in it is started.
EVERY = "/*"
#: In the place of a path: what is told to a program of which nobody knows whether it starts it, and what a script is given that is read.
HANDED, ARGUMENT = ARGUMENTS = ("(handed on)", "(argument)")
#: Before a file that is read as the script's own text.
SOURCED = ". "
#: A chain of interpreters and launchers, or of scripts, longer than this is nobody's.
_DEPTH = 6
#: How often one script is read for one job, each time in other surroundings, and how much for all of it; the rest is told as of another language.
_MOST_TIMES, _MOST_READ, _MOST_COMMANDS = 20, 2_000_000, 10_000
#: How many lines a quote may hold, and how many words what is handed on.
_MOST_LINES, _MOST_TRIES, _MOST_WORDS, _LONGEST_WORD = 40, 1000, 50, 1024
#: How many texts are kept as they were taken apart: a machine has hundreds of units, each read again with each script behind it.
_CACHED = 3000
#: How many functions a script may have.
_MOST_FUNCTIONS = 200
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)
_SUBSTITUTION = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)|`([^`]*)`")
_SHEBANG = re.compile(r"#!\s*\S*?(?:/env\s+(?:-\S+\s+)*|/busybox\s+)?(?:ba|da|z|k|a)?sh(?:\s|$)")
_PATH = re.compile(r"(?<![\w./~-])/[\w.+@-]+(?:/[\w.+@-]+)+")
#: Of a path that is put together: its last name.
_LAST_NAME = re.compile(r"(?:(?<![\w.+@/~-])|[$#%]?\{\w+\}|\$\w+|%s)/?(?:\.{1,2}/|bin/)*([\w+@-]+\.[\w+@-]+)(?![\w/.+@-])")
#: A text whose quotes are closed, as shlex.split takes it, which would make the words.
_CLOSED = re.compile(r"""(?:[^'"\\]++|\\.|'[^']*+'|"(?:[^"\\]++|\\.)*+")*+""", re.DOTALL)
#: A remark behind a command, and what ends a text that stands in a script.
_REMARK = re.compile(r"\s#.*")
_HERE = re.compile(r"<<-?\s*[\"'\\]?(\w+)")
#: A function on one line, or to a line that begins with what closes it.
_FUNCTION = re.compile(r"(?:^|;)([ \t]*)(?:function[ \t]+)?([\w.:-]+)[ \t]*\(\)\s*\{(?:([^\n]*)\}[ \t]*(?=$|;)|(.*?)^\1\})", re.DOTALL | re.MULTILINE)
#: All that a script was given.
_ALL_GIVEN = ("$@", "$*", "${@}", "${*}")
#: Words before a command, and those of a loop, which is followed by one.
_RESERVED = frozenset(
    {"if", "then", "else", "elif", "fi", "while", "until", "do", "done", "!", "{", "}", "esac", "time", "exec", "command", "builtin", "coproc"}
)
_NO_COMMAND = frozenset(
    {"for", "select", "case", "[", "[[", "test", "echo", "printf", "unset", "ulimit", "umask", "exit", "return", "popd", ":", "read", "wait", "let"}
)
_SHELLS = re.compile(r"(?:ba|da|z|k|mk|a|r?ba|c|tc|fi)?sh|ksh93")
_INTERPRETERS = re.compile(r"python[\d.]*|perl[\d.]*|ruby[\d.]*|node(?:js)?|php[\d.]*|java|expect|tclsh[\d.]*")
#: Of interpreters: the next word is the program's text.
_TEXT_FOLLOWS = re.compile(r"-[a-zA-Z]*[ceErR]")
#: They read, copy, look for or tell what they are given, and start nothing of it.
_TALKERS = re.compile(
    r"[\w.-]*(?:backup|archive)[\w.-]*|"
    "tar|cp|mv|ln|ls|dir|stat|file|cat|tac|less|more|head|tail|wc|cut|sort|uniq|tr|od|nl|grep|egrep|fgrep|zgrep|sed|diff|cmp"
    "|md5sum|sha1sum|sha256sum|sha512sum|cksum|rsync|scp|sftp|rclone|restic|borg|duplicity|unison|chmod|chown|chgrp|chattr"
    "|lsattr|setfacl|getfacl|restorecon|chcon|semanage|rm|rmdir|unlink|shred|wipe|touch|mkdir|install|mktemp|dirname|basename"
    "|readlink|realpath|which|whereis|type|hash|du|df|zip|unzip|gzip|gunzip|bzip2|xz|zstd|7z|cpio|dd|tee|mail|mailx|sendmail"
    "|mutt|logger|echo|printf|date|sleep|true|false|kill|killall|pkill|pgrep|pidof|ps|fuser|lsof|curl|wget|git|svn|vi|vim|nano"
    "|strings|base64|openssl|gpg|mount|umount|id|whoami|hostname|visudo|crontab|ip|iptables|aide|tripwire|auditctl|logrotate"
    "|bzcat|zcat|xargs|test|rpm|dpkg|apt|yum|dnf|alternatives|update-alternatives|locate|split|join|paste|comm|expr|seq"
    "|systemctl|service"
)
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
    "setarch": _launcher(1),
    "linux32": _launcher(),
    "linux64": _launcher(),
    "rlwrap": _launcher(),
    "valgrind": _launcher(),
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
    "run-one-constantly": _launcher(),
    "keep-one-running": _launcher(),
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


@dataclass
class Reading:
    """What is known of the machine's scripts while the commands of one job are read, and what is found of them."""

    #: texts, by the paths at which they are started
    scripts: Mapping[str, str] = field(default_factory=dict)
    #: where paths lead, links followed
    real: Mapping[str, str] = field(default_factory=dict)
    #: what each script starts, by its path, as `started` gives it
    behind: dict[str, dict[tuple[str, str], None]] = field(default_factory=dict)
    _seen: set[object] = field(default_factory=set)
    _times: Counter[str] = field(default_factory=Counter)
    _read: int = 0
    _commands: int = 0

    def first(self, path: str, surroundings: object) -> bool:
        """Whether a script was not yet read in these surroundings, and may be."""
        if (path, surroundings) in self._seen:
            return False
        self._seen.add((path, surroundings))
        return self.once_more(path)

    def once_more(self, path: str) -> bool:
        """Whether it may be read again; else what it starts is guessed."""
        if self._times[path] < _MOST_TIMES and self._read <= _MOST_READ and self._commands <= _MOST_COMMANDS:
            self._times[path] += 1
            self._read += len(self.scripts[path])
            return True
        self._guess(path)
        return False

    def _guess(self, path: str) -> None:
        if self._times[path] <= _MOST_TIMES:
            self._times[path] = _MOST_TIMES + 1
            self.add(path, _guessed(self.scripts[path], path))

    def may_go_on(self, scripts: Sequence[str]) -> bool:
        """Whether one more line of these may be read; else what they start is guessed."""
        self._commands += 1
        if self._commands <= _MOST_COMMANDS:
            return True
        for path in scripts:
            self._guess(path)
        return False

    def add(self, path: str, found: Collection[tuple[str, str]]) -> None:
        self.behind.setdefault(path, {}).update(dict.fromkeys(found))


@dataclass(frozen=True)
class _At:
    """Where in a chain of commands and scripts."""

    reading: Reading
    left: int = _DEPTH
    above: tuple[str, ...] = ()

    def deeper(self) -> _At:
        return _At(self.reading, self.left - 1, self.above)

    def into(self, path: str) -> _At:
        return _At(self.reading, _DEPTH, (*self.above, path))


def started(text: str, folder: str, environment: Mapping[str, str], reading: Reading | None = None) -> list[tuple[str, str]]:
    """Every program that is started: as it is written, and below the folder that is current then; or what is handed on, and HANDED. None twice.

    What scripts start that `reading` knows is found there afterwards.
    """
    return _pairs(_line(text, folder, {**environment, "PWD": folder}, _At(reading or Reading())))


def started_by(path: str, folder: str, environment: Mapping[str, str], reading: Reading) -> None:
    """Has a script read, as one that is started without arguments."""
    _follow(path, [], folder, {**environment, "PWD": folder}, _At(reading))


def _pairs(found: Iterator[tuple[str, str]]) -> list[tuple[str, str]]:
    pairs = ((program, here if here in ARGUMENTS else _path(here, program.removeprefix(SOURCED))) for here, program in found)
    return list(dict.fromkeys(pair for pair in pairs if pair[0]))


def is_of_a_shell(script: str) -> bool:
    """Whether its first line says so."""
    return bool(_SHEBANG.match(script))


def _guessed(script: str, path: str) -> list[tuple[str, str]]:
    """Of a script of another language: whatever it has a path of, or the end of one; and what else it does nobody knows."""
    whole = [(written, written) for written in dict.fromkeys(_PATH.findall(script))]
    return [(f"{path} (no script of a shell)", ""), *whole, *((f"${{?}}/{name}", "") for name in dict.fromkeys(_LAST_NAME.findall(script)))]


def _follow(path: str, words: Sequence[str], folder: str, environment: Mapping[str, str], where: _At) -> bool:
    """Have the script at a path read, as it is started with these arguments; whether it is one of a shell, which says itself what becomes of them."""
    script = where.reading.scripts.get(path)
    if not script or path.endswith(EVERY):  # each of those is a job
        return False
    if script.startswith("#!") and not is_of_a_shell(script):
        where.reading.add(path, _guessed(script, path))
        return False
    own = {name: value for name, value in environment.items() if name[:1] != "("}  # not the functions of another one
    own |= {"0": path, "BASH_SOURCE": path, REAL_SELF: where.reading.real.get(path, path)}
    _give(own, words)
    if path not in where.above and len(where.above) < _DEPTH and where.reading.first(path, (folder, frozenset(own.items()))):
        found = _pairs(_line(script, folder, own, where.into(path)))
        where.reading.add(path, found)
    return not _shifts(script)


@functools.lru_cache(maxsize=_CACHED)
def _shifts(script: str) -> bool:
    """Whether nobody knows what is left of the arguments when it starts something."""
    loop = re.search(r"\bwhile\b", script)
    return bool(loop and re.search(r"\bshift\b", script[loop.end() :]))


def _give(environment: dict[str, str], words: Sequence[str]) -> None:
    """Make these the arguments."""
    number = 1
    while environment.pop(str(number), None) is not None:
        number += 1
    few = [word for word in words[:_MOST_WORDS] if len(word) <= _LONGEST_WORD]
    environment["@"] = environment["*"] = shlex.join(few)
    environment.update({str(number): word for number, word in enumerate(few, 1)})


@functools.lru_cache(maxsize=_CACHED)
def _path(folder: str, program: str) -> str:
    """A path below a folder; two strokes at its beginning mean no more than one."""
    return re.sub("^//+", "/", posixpath.normpath(posixpath.join(folder, program)))


def starts_others(program: str) -> bool:
    """Whether the program does nothing but start what it is told to, here: ssh may hold a tunnel open."""
    name = posixpath.basename(program)
    return (name in _LAUNCHERS and name not in _HANDED) or name == "scl" or bool(_SHELLS.fullmatch(name) or _INTERPRETERS.fullmatch(name))


def _inner(text: str, folder: str, environment: Mapping[str, str], where: _At) -> Iterator[tuple[str, str]]:
    """Commands in a command: what they set is gone with them."""
    return _line(text, folder, dict(environment), where.deeper())


def _line(text: str, folder: str, environment: dict[str, str], where: _At) -> Iterator[tuple[str, str]]:
    if where.left == 0:
        return
    functions, rest = _functions(text)
    environment.update(functions)
    for inner, commands in _parsed(rest):
        for one in inner:
            yield from _inner(one, folder, environment, where)
        for words in commands if where.reading.may_go_on(where.above) else ():
            target, found = _command(words, folder, environment, where)
            folder = environment["PWD"] = target
            yield from found


@functools.lru_cache(maxsize=_CACHED)
def _functions(text: str) -> tuple[Mapping[str, str], str]:
    """What a text calls its functions, and the text without those that it calls somewhere."""
    found = {f"()\0{name}": short or long for _blanks, name, short, long in _FUNCTION.findall(text)} if 0 < text.count("()") <= _MOST_FUNCTIONS else {}
    if not found:
        return found, text
    words = Counter(re.findall(r"[\w.:-]+", text))
    return found, _FUNCTION.sub(lambda function: function[0] if words[function[2]] < 2 else "\n", text)


#: of a line, what is substituted in it, and its simple commands
_Parsed = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]


@functools.lru_cache(maxsize=_CACHED)
def _parsed(text: str) -> tuple[_Parsed, ...]:
    """A script is read in several surroundings."""
    lines = (([found[1] or found[2] or "" for found in _SUBSTITUTION.finditer(line)], line) for line in _lines(simplified(text.replace("\\\n", " "))))
    return tuple((tuple(inner), tuple(map(tuple, _commands(_SUBSTITUTION.sub("${_}", line))))) for inner, line in lines)


def _lines(text: str) -> Iterator[str]:
    """Each line that is no remark; one with a quote that it does not close also together with those to where that is closed."""
    every, ends, tries = text.splitlines(), set(_HERE.findall(text)), 0
    for number, line in enumerate(every):
        if line.lstrip().startswith("#") or line.strip() in ends:
            continue
        yield line
        if ("'" not in line and '"' not in line) or _is_closed(line) or _is_closed(_REMARK.sub("", line)):
            continue
        for last in range(number + 1, min(number + _MOST_LINES, len(every))) if tries < _MOST_TRIES else ():
            tries += 1
            if ("'" in every[last] or '"' in every[last]) and _is_closed(together := "\n".join(every[number : last + 1])):
                yield together
                break


def _is_closed(text: str) -> bool:
    return bool(_CLOSED.fullmatch(text))


def _commands(line: str) -> Iterator[list[str]]:
    """The simple commands of a line, their words without quotes; where they are redirected to is left out."""
    # a quote that nobody closes, or a stroke at the end, may stand in a remark, or belong to another line
    tokens = _tokens(line) or _tokens(_REMARK.sub("", line)) or _tokens(re.sub(r"[\"'\\]", "", line))
    words: list[str] = []
    said: list[str] = []  # by an echo or of a file, which is piped on
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
                said = words if token == "|" and words[:1] in (["echo"], ["printf"], ["cat"]) else []
                words = []
        else:
            words.append(token)
        at += 1
    yield _with_input(words, said)


def _tokens(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        return list(lexer)
    except ValueError:
        return []


def _with_input(words: list[str], said: Sequence[str]) -> list[str]:
    """A command, and where it is a shell, at(1) or xargs with what was piped into it as its own."""
    name = posixpath.basename(words[0]) if words and said else ""
    if name == "xargs" and said[0] != "cat":
        return [*words, *(word for text in said[1:] for word in text.split())]
    if name not in _PIPED and not (_SHELLS.fullmatch(name) and all(word.startswith("-") for word in words[1:])):
        return words
    if said[0] == "cat":
        return ["sh", *(word for word in said[1:] if not word.startswith("-"))][:2]
    return ["sh", "-c", "; ".join(word.replace("\\n", "\n") for word in said[1:] if re.search(r"[^\s%\\sn-]", word))]


def _command(words: Sequence[str], folder: str, environment: dict[str, str], where: _At) -> tuple[str, list[tuple[str, str]]]:
    """The folder that is current afterwards, and what is started."""
    words = [one for word in words for one in (_given_to(environment) if word in _ALL_GIVEN and "@" in environment else [word])]
    defaults(words, environment)
    local = environment
    while words:
        if words[0] in _RESERVED:
            del words[0]
            while words[:1] and words[0] in ("-p", "-a", "-c", "-l"):  # of time, exec, command
                del words[: 2 if words[0] == "-a" else 1]
        elif words[0] == "function":  # that is called nowhere
            del words[:2]
        elif assigned := _ASSIGNMENT.fullmatch(words[0]):
            local = {**local, assigned[1]: variables(assigned[2], local)}
            del words[0]
        else:
            break
    if not words:
        environment.update(local)
        return folder, []
    name = words[0]
    if _sets(words, environment) or name in _NO_COMMAND:
        return folder, []
    if name in ("cd", "pushd", "chdir"):
        targets = [word for word in words[1:] if not (word.startswith("-") and len(word) > 1)]
        target = local.get("OLDPWD", folder) if targets == ["-"] else variables(targets[0] if targets else "~", local)
        environment["OLDPWD"] = folder
        return posixpath.normpath(posixpath.join(folder, target)), []
    if name in (".", "source"):
        return _sourced([variables(word, local) for word in words[1:]], folder, environment, where)
    if name in ("trap", "alias"):  # what is started later
        texts = words[1:2] if name == "trap" and len(words) > 2 else [word.partition("=")[2] for word in words[1:]]
        return folder, [pair for text in texts for pair in _inner(text, folder, local, where)]
    if (body := local.get(f"()\0{name}")) is not None and where.left:
        return _called(body, [variables(word, local) for word in words[1:]], folder, environment, where.deeper())
    if name == "eval":
        found = list(_line(variables(" ".join(words[1:]), local), folder, local, where.deeper()))
        environment.update(local)
        return local["PWD"] if found else folder, found
    return folder, list(_started(words, folder, local, where))


def _sets(words: Sequence[str], environment: dict[str, str]) -> bool:
    """Whether a command does nothing but set variables, or the arguments."""
    name = words[0]
    if name in ("export", "readonly", "declare", "local", "typeset"):
        for word in words[1:]:
            if assigned := _ASSIGNMENT.fullmatch(word):
                environment[assigned[1]] = variables(assigned[2], environment)
    elif name in ("set", "setenv") and (words[2:3] == ["="] or (name == "setenv" and words[2:])):  # of csh
        environment[words[1]] = variables(words[-1], environment)
    elif name == "set":
        given = words[words.index("--") + 1 :] if "--" in words else words[1:] if words[1:] and words[1][:1] not in ("-", "+") else ()
        if given:
            _give(environment, [variables(word, environment) for word in given])
    elif name == "shift":
        _give(environment, _given_to(environment)[int(words[1]) if words[1:] and re.fullmatch("[0-9]{1,3}", words[1]) else 1 :])
    else:
        return False
    return True


def _called(body: str, words: Sequence[str], folder: str, environment: dict[str, str], where: _At) -> tuple[str, list[tuple[str, str]]]:
    """A function: what it sets stays, but for its arguments."""
    before = _given_to(environment)
    _give(environment, words)
    found = list(_line(body, folder, environment, where))
    _give(environment, before)
    return environment["PWD"], found


def _given_to(environment: Mapping[str, str]) -> tuple[str, ...]:
    return _words(environment.get("@", ""))


@functools.lru_cache(maxsize=_CACHED)
def _words(text: str) -> tuple[str, ...]:
    return tuple(shlex.split(text))


def _sourced(words: Sequence[str], folder: str, environment: dict[str, str], where: _At) -> tuple[str, list[tuple[str, str]]]:
    """A file that a shell reads as its own text: its variables and its folder stay."""
    if not words:
        return folder, []
    places = [folder] if "/" in words[0] else [folder, *_search_path(environment)]
    for path in dict.fromkeys(_path(place, words[0]) for place in places):
        script = where.reading.scripts.get(path)
        if script and path not in where.above and len(where.above) < _DEPTH and where.reading.once_more(path):
            source = environment.get("BASH_SOURCE", "")
            environment["BASH_SOURCE"] = path
            if words[1:]:
                _give(environment, words[1:])
            where.reading.add(path, _pairs(_line(script, folder, environment, where.into(path))))
            environment["BASH_SOURCE"] = source
            folder = environment["PWD"]
    return folder, [(place, f"{SOURCED}{words[0]}") for place in places]


def _search_path(environment: Mapping[str, str]) -> list[str]:
    return [place for place in environment.get("PATH", "").split(":") if place.startswith("/")]


def _started(words: Sequence[str], folder: str, environment: dict[str, str], where: _At) -> Iterator[tuple[str, str]]:
    if not words or where.left == 0:
        return
    program = variables(words[0], environment)
    if program != words[0] and len(split := program.split()) != 1:  # a variable that holds nothing, or a whole command
        yield from _started([*split, *words[1:]], folder, environment, where.deeper())
        return
    given = with_braces([variables(word, environment) for word in words[1:]])
    units = _units(posixpath.basename(program), given)
    if units is not None:
        yield from ((folder, unit) for unit in units)
        return
    every = with_braces([program])
    # without a path it may be in each of these; nobody looks
    places = [folder, *([] if "/" in program else _search_path(environment))]
    yield from ((place, one) for one in every for place in places)
    followed = [_follow(_path(place, one), given, folder, environment, where) for one in every for place in places]
    name = posixpath.basename(program)
    if name == "find":
        for behind in [number for number, word in enumerate(words) if word in _OF_FIND]:
            yield from _started(words[behind + 1 :], folder, environment, where.deeper())
    elif name == "ip" and list(words[1:3]) == ["netns", "exec"]:
        yield from _started(words[4:], folder, environment, where.deeper())
    elif name == "scl" and len(words) > 2:
        rest = words[words.index("--") + 1 :] if "--" in words else words[-1:]
        yield from _inner(" ".join(rest), folder, environment, where)
    elif name in _LAUNCHERS:
        yield from _launched(_LAUNCHERS[name], name, words[1:], folder, environment, where)
    elif _SHELLS.fullmatch(name):
        yield from _given(words[1:], folder, environment, where, shell=True)
    elif _INTERPRETERS.fullmatch(name):
        yield from _given(words[1:], folder, environment, where, shell=False)
    elif not _talks(name):
        yield from _handed(given, folder, ARGUMENT if any(followed) else HANDED)


@functools.lru_cache(maxsize=_CACHED)
def _talks(name: str) -> bool:
    return bool(_TALKERS.fullmatch(name))


def _handed(words: Sequence[str], folder: str, how: str) -> Iterator[tuple[str, str]]:
    """What is told to a program: paths, alone or within a word."""
    for word in words[:_MOST_WORDS]:
        value = word.rpartition("=")[2]
        if value and not value.startswith("-"):
            yield how, _path(folder, value)
        yield from ((how, path) for path in _PATH.findall(word) if path != value)


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


def _given(words: Sequence[str], folder: str, environment: dict[str, str], where: _At, *, shell: bool) -> Iterator[tuple[str, str]]:
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
            own = dict(environment)
            if rest[2:]:
                _give(own, [variables(one, environment) for one in rest[2:]])
            yield from _line(rest[0] if rest else "", folder, own, where.deeper())
            return
        if not shell and word == "-m":
            return
        if not shell and _TEXT_FOLLOWS.fullmatch(word) and words[at + 1 :]:
            yield from ((folder, path) for path in _PATH.findall(variables(words[at + 1], environment)))
            yield from _handed(words[at + 2 :], folder, HANDED)
            return
        if word == "-jar":
            at += 1
            break
        at += _words_of(word, _OF_SHELLS if shell else _OF_INTERPRETERS)
    if at < len(words):
        script, rest = variables(words[at], environment), [variables(word, environment) for word in words[at + 1 :]]
        yield folder, script
        yield from _handed(rest, folder, ARGUMENT if _follow(_path(folder, script), rest, folder, environment, where) else HANDED)


def _words_of(option: str, with_value: Collection[str]) -> int:
    """How many words an option takes: itself, and the next one where that is its value. `-iu NAME` is -i and -u NAME, `-uNAME` has it already."""
    if option in with_value:
        return 2
    letters = "" if option.startswith("--") else option[1:]
    first = next((at for at, letter in enumerate(letters) if option[0] + letter in with_value), None)
    return 2 if first is not None and first == len(letters) - 1 else 1


def _launched(how: _Launcher, name: str, words: Sequence[str], folder: str, environment: dict[str, str], where: _At) -> Iterator[tuple[str, str]]:
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
            rest = words[at + 2 :] if word == "-S" else words[words.index("--") + 1 :] if name == "start-stop-daemon" and "--" in words else []
            yield from _inner(" ".join([commands, *map(shlex.quote, rest)]), folder, environment, where)
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
    yield from _behind(how, name, words[at:], folder, environment, where, named=named)


def _behind(how: _Launcher, name: str, rest: Sequence[str], folder: str, environment: dict[str, str], where: _At, *, named: bool) -> Iterator[tuple[str, str]]:
    """What a launcher starts of the words behind its own. `named`: whether an option has said as whom."""
    if name == "run-parts":  # all that lies there
        yield from ((folder, variables(word, environment).rstrip("/") + EVERY) for word in rest[:1])
    elif name in _LOGINS and not named:  # what is left are arguments of the login shell
        yield from _given(rest, folder, environment, where, shell=True)
    elif rest and name in (*_HANDED, "sg"):
        yield from _inner(" ".join(rest), folder, environment, where)
    elif rest and name == "flock" and rest[0] in how.commands:
        yield from _inner(rest[1] if len(rest) > 1 else "", folder, environment, where)
    elif rest:
        yield from _started(rest, folder, environment, where.deeper())


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
