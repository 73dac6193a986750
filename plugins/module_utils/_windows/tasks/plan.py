# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled tasks, pure: what `schtasks /query /xml` prints, which tasks an action path means, what a task does."""

from __future__ import annotations

import base64
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
from ..reg_query import expand

KIND = "windows_scheduled_task"
#: Windows' own tasks live here
SYSTEM_FOLDER = "\\Microsoft\\"

# Without /tn, schtasks writes each task's full name into a comment before its definition.
_TASK = re.compile(r"<!--\s*(?P<name>\\[^\r\n]*?)\s*-->\s*(?:<\?xml[^>]*\?>\s*)?(?P<xml><Task[\s>].*?</Task>)", re.DOTALL)
_WILDCARDS = re.compile(r"[*?]")
# Parts of a path that every product's tasks may have; what is left must be at least so many characters.
_SAYS_NOTHING = re.compile(r"^[a-z]:|%[^%]*%|[*?\\/.:\s]|program ?files( \(x86\))?|windows|system32|\b(cmd|powershell|exe|bat)\b")
_SAYS_SOMETHING = 3


_INTERPRETERS = re.compile(r"cmd|powershell|pwsh|[cw]script|javaw?|pythonw?[\d.]*|py|perl|ruby|node|bash|sh|dotnet|msbuild|wsl")
_POWERSHELL = ("powershell", "pwsh")
#: Programs that start the rest of their line, after switches of their own.
_LAUNCHERS = re.compile(r"conhost|explorer|runas|psexec(?:64)?|hidcon|hstart(?:64)?|nircmdc?|forfiles|rundll32|mshta|wmic|pcalua|wt|gsudo|sudo")
#: Switches of theirs whose value follows.
_LAUNCHER_VALUES = {
    "wt": r"-[dpw]|--(?:startingdirectory|profile|window|title)",
    "psexec": "[-/][upwnra]",
    "gsudo": "-[ui]|--(?:user|integrity|loglevel)",
}
#: What only looks at files, copies or removes them: whose folder it names says nothing about whose task it is.
_HANDLES_FILES = re.compile(
    r"robocopy|x?copy|move|ren(?:ame)?|del|erase|rd|rmdir|md|mkdir|dir|type|attrib|icacls|cacls|takeown|compact|find(?:str)?|fc|tar|makecab|7z[arg]?"
    r"|(?:win)?rar|(?:copy|move|remove|rename|new|get|test|clear|set)-(?:item|itemproperty|childitem|content|path|acl|filehash)"
    r"|(?:compress|expand)-archive|where-object|select-\w+|sort-object|measure-object|out-\w+|write-\w+|gci|gi|ls|cat|cp|mv|rm|ri|exit",
    re.IGNORECASE,
)
#: What stands before that: nircmd exec hide, rundll32 shell32.dll,ShellExec_RunDLL, wmic process call create.
_LAUNCHED = re.compile(
    r"\s*(?:exec2?\s+\w+\s|shell32(?:\.dll)?,\w+\s|process\s+call\s+create\s"
    r"|(?:[-/]{1,2}[\w]+(?:[:=](?:\"[^\"]*\"|[^\s\"]+))?\s))*\s*",
    re.IGNORECASE,
)
#: if exist X …, if "%a%"=="b" …, for %i in (…) do …: what comes then is a command.
_OPERAND = r"(?:\"[^\"]*\"|[^\s\"=])+"
_CONDITION = re.compile(
    rf"[\s(@]*(?:if\s+(?:/i\s+)?(?:not\s+)?(?:/i\s+)?(?:(?:exist|defined|errorlevel|cmdextversion)\s+{_OPERAND}"
    rf"|{_OPERAND}\s*(?:==|\s(?:equ|neq|lss|leq|gtr|geq)\s)\s*{_OPERAND})"
    r"|for\s.*?\)\s*do|(?:\)\s*)?else)(?=[\s(@\"])",
    re.IGNORECASE | re.DOTALL,
)
#: Switches of Start-Process whose value follows; that of -FilePath is the program.
_START_WITH_VALUE = re.compile(r"-(?:arg\w*|comp\w*|cn|cred\w*|env\w*|name|redirect\w*|sess\w*|verb|win\w*|work\w*)", re.IGNORECASE)
_CLASS_PATH = re.compile(r"(?:^|\s)(?:-cp|-classpath|--class-path)[\s=]+(\"[^\"]*\"?|\S+)", re.IGNORECASE)
#: A word of a command line; parts of it may be quoted.
_WORD = re.compile(r"""(?:"[^"]*"?|[^\s"])+""")
_POWERSHELL_WORD = re.compile(r"""(?:"[^"]*"?|'[^']*'?|[^\s"'])+""")
#: Where one command ends and the next begins, unless it stands in quotes.
_NEXT = re.compile(r"""("[^"]*"?)|&&|\|\||[&|\r\n]+""")
_POWERSHELL_NEXT = re.compile(r"""("[^"]*"?|'[^']*'?)|&&|\|\||[;|\r\n{(]+|(?=[)}])""")
#: What cmd takes out of a line before it looks for programs: carets, redirections. Before else a command ends.
_FOR_CMD = re.compile(
    r"""("[^"]*"?)|\^(.?)|(?:(?<![^\s&|()])\d)?[<>]{1,2}\s*(?:&\d|"[^"]*"?|[^\s&|<>()"]+)|(\)\s*else(?=[\s("@]))""", re.IGNORECASE | re.DOTALL
)
#: for %a in ("x" "y") do …: what stands for %a then, or %~fa
_FOR = re.compile(r"[\s(@]*for\s[^%]*%%?([a-z])\s+in\s*\(([^)]*)\)\s*do", re.IGNORECASE | re.DOTALL)
_FOR_VARIABLE = re.compile(r"%%?(?:~[a-z]*?)?([a-z])", re.IGNORECASE)
_SET = re.compile(r"\s*\"?([^=\"\s]+)=([^\"]*)")
#: $x = …, [void] …: what comes then is what is run.
_RESULT = re.compile(r"(?:\s*(?:\$[\w:]+\s*[-+]?=(?!=)|\[[\w.\[\]]+\](?!::)))*\s*")
_KEPT = re.compile(r"""\s*\$(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)')\s*""")
#: After a bracket what stands there belongs to the command before it, unless it begins so.
_GOES_ON = re.compile(r"&|\.\s|(?:start-process|start|saps|invoke-item|ii|cmd|powershell|pwsh)(?:\.exe)?\s", re.IGNORECASE)
#: No command, though it stands where one could.
_NO_COMMAND = re.compile(r"[-$+*=<>!#\[\],].*|\.\w+|\d+|[%?]", re.DOTALL)
_KEYWORDS = frozenset(
    [
        "try",
        "catch",
        "finally",
        "if",
        "elseif",
        "else",
        "foreach",
        "for",
        "while",
        "do",
        "until",
        "switch",
        "exit",
        "return",
        "throw",
        "trap",
        "begin",
        "process",
        "end",
    ]
)
_ENV = re.compile(r"\$env:(\w+)|\$\{env:([^}]+)\}", re.IGNORECASE)
_STRING = r"""(?:"[^"]*"|'[^']*'|\$\{[^}]*\}|[^\s()'"{}]+)"""
_JOIN_PATH = re.compile(rf"\(\s*join-path\s+(?:-path\s+)?({_STRING})\s+(?:-childpath\s+)?({_STRING})\s*\)", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"""\(\s*("[^"]*"|'[^']*')\s*\)""")
_ONE_PATH = re.compile(r"(?:[a-z]:|\\\\|%|\$env:)[^\"'|;&<>]*\.\w{2,4}", re.IGNORECASE)
#: Switches of PowerShell and Java whose value follows, so that the next word is not what is run.
_WITH_VALUE = re.compile(
    r"-(?:ep|ex\w*|w|wi\w*|wd|wo\w*|v|version|inputformat|outputformat|configurationname|psconsolefile|cp|classpath|-class-path|-module-path)"
)
_COMMAND_SWITCH, _ENCODED_SWITCH = re.compile(r"-c(?:o\w*|wa)?", re.IGNORECASE), re.compile(r"-e(?:c|nc\w*)?", re.IGNORECASE)
_FILE_SWITCH, _FOLDER_SWITCH = re.compile(r"-f(?:i\w*)?", re.IGNORECASE), re.compile(r"-(?:wd|wo\w*)", re.IGNORECASE)
#: PowerShell takes each of them before a switch.
_DASH = re.compile(r"^[-/\u2013-\u2015](?=[a-z])", re.IGNORECASE)
_ENCODED_WORD = re.compile(r"[-/\u2013-\u2015]e(?:c|nc\w*)?\s+\"?([\w+/=]{8,})", re.IGNORECASE)
#: Words before what is run.
_BEFORE = ("call", "&", ".", "@", "")
_STARTS_PROGRAM = ("start", "start-process", "saps", "start-job", "start-threadjob", "invoke-command", "icm", "invoke-item", "ii")
_CHANGES_FOLDER = ("cd", "chdir", "pushd", "set-location", "push-location", "sl")
_PROGRAM_NAME = re.compile(r"\.(?:exe|com|bat|cmd|ps1|vbs|js|wsf|jar|py|pl|rb|sh)$", re.IGNORECASE)
#: A chain of interpreters longer than this is nobody's.
_DEPTH = 4


@dataclass(frozen=True)
class Action:
    """One program that a task starts."""

    command: str
    arguments: str
    working_directory: str

    def texts(self, environment: Mapping[str, str]) -> Iterator[str]:
        """The program, and what an interpreter (cmd, PowerShell, Java, …) is told to run, each as written and below the folder that is current then.

        Without quotes, environment variables replaced. Other arguments say nothing about whose task it is: a backup names the folders of others.
        """
        for folder, text in _started(self.command, self.arguments, plain(self.working_directory, environment), environment, _DEPTH):
            if ".." not in text:  # else it leads out of a folder that it names
                yield text
            if folder or ".." in text:
                yield ntpath.normpath(ntpath.join(folder, text))

    def raw(self) -> str:
        """The command line as it is; it may hold a secret."""
        return " ".join(filter(None, (self.command, self.arguments)))

    def shown(self) -> str:
        """The command line for people, journals and reports: values of switches that may be secrets are hidden."""
        return " ".join(filter(None, (redaction.command_line(self.command), redaction.arguments(self.arguments))))

    def perhaps(self, part: str, environment: Mapping[str, str]) -> bool:
        """Whether an interpreter or a launcher is given what names `part`, and it could not be made out what becomes of it."""
        texts = list(self.texts(environment))
        # a path with blanks that nobody has quoted is read in two ways
        names = [_program(text) for text in texts if not any(other.startswith(f"{text} ") for other in texts)]
        if not names or not _starts_others(names[0]):
            return False
        leaves = [name for name in names if not _starts_others(name)]
        if leaves and all(_HANDLES_FILES.fullmatch(name) for name in leaves):
            return False
        line = " ".join((self.raw(), self.working_directory))
        line = " ".join((line, *(_decoded(found[1]) for found in _ENCODED_WORD.finditer(line))))
        line = plain(re.sub(r"[\"'^`]", "", line), environment).casefold()
        return part in line or (len(part) > _LONG_NAME and _shortened(part) in re.sub(r"~\d{1,3}", "~", line))


def _program(text: str) -> str:
    """What a program is called, without its folder."""
    return ntpath.basename(text).casefold().removesuffix(".exe")


def _starts_others(name: str) -> bool:
    return bool(_INTERPRETERS.fullmatch(name) or _LAUNCHERS.fullmatch(name))


def _decoded(text: str) -> str:
    """What PowerShell is given encoded; empty when it is nothing of the kind."""
    try:
        return base64.b64decode(text).decode("utf-16-le")
    except ValueError:
        return ""


def _started(program: str, arguments: str, folder: str, environment: Mapping[str, str], depth: int) -> Iterator[tuple[str, str]]:
    """The current folder and the program, for `program` and for all that it is told to run."""
    text = plain(program, environment).strip()
    if not text:
        return
    name = _program(text).replace("%comspec%", "cmd")
    # what cmd and PowerShell do themselves lies in no folder, and they are Windows' own wherever a task begins
    yield "" if "\\" not in text and (_HANDLES_FILES.fullmatch(name) or _starts_others(name)) else folder, text
    if depth == 0:
        return
    if _LAUNCHERS.fullmatch(name):
        yield from _chain(_launched(name, arguments), folder, environment, depth - 1, _NEXT, _WORD)
    if not _INTERPRETERS.fullmatch(name):
        return
    found = re.search(r"(?:^|\s)/[ckr]\s*(.*)", arguments, re.IGNORECASE | re.DOTALL) if name == "cmd" else None
    if found:
        yield from _chain(_unquoted(found[1].strip()), folder, environment, depth - 1, _NEXT, _WORD)
    elif name in _POWERSHELL:
        begins_in, line, script = _powershell(arguments, name)
        folder = ntpath.normpath(ntpath.join(folder, plain(_with_env(begins_in, environment), environment))) if begins_in else folder
        if line is not None:
            yield from _chain(_for_powershell(line, environment), folder, environment, depth - 1, _POWERSHELL_NEXT, _POWERSHELL_WORD)
        elif script:
            yield folder, plain(script, environment).strip()
    else:
        if script := _script(arguments, name):
            yield folder, plain(script, environment).strip()
        if name.startswith("java") and "-jar" not in arguments.split() and (classes := _CLASS_PATH.search(arguments)):
            yield from ((folder, plain(path, environment).strip()) for path in classes[1].strip('"').split(";") if path.strip())


def _launched(name: str, arguments: str) -> str:
    """What a launcher starts."""
    if name == "forfiles" and (command := re.search(r"/c\s+(.*)$", arguments, re.IGNORECASE | re.DOTALL)):
        where = re.search(r"/p\s+(\"[^\"]*\"|\S+)", arguments, re.IGNORECASE)
        mask = re.search(r"/m\s+(\"[^\"]*\"|\S+)", arguments, re.IGNORECASE)
        path = ntpath.join(where[1].strip('"') if where else "", mask[1].strip('"') if mask else "*")
        return re.sub("@(?:path|file)", lambda _found: f'"{path}"', _unquoted(command[1].strip()).replace("0x22", '"'), flags=re.IGNORECASE)
    if values := _LAUNCHER_VALUES.get(name.removesuffix("64")):
        arguments = re.sub(rf"^\s*(?:(?:{values})\s+(?:\"[^\"]*\"|\S+)\s+|--?[a-z-]+\s+|(?:nt|new-tab|run)\s+)*", "", arguments, flags=re.IGNORECASE)
    return _unquoted(arguments[_LAUNCHED.match(arguments).end() :].strip())  # type: ignore[union-attr] # it matches the empty text too


def _for_cmd(found: re.Match[str]) -> str:
    return found[1] or found[2] or ("&" if found[3] else " ")


def _with_env(line: str, environment: Mapping[str, str]) -> str:
    """$env:X and ${env:X} as their values."""
    return _ENV.sub(lambda found: expand(f"%{found[1] or found[2]}%", environment), line)


def _for_powershell(line: str, environment: Mapping[str, str]) -> str:
    """A line of PowerShell in which paths that are put together stand as one text."""
    line = re.sub("`\r?\n", " ", line)
    line = _JOIN_PATH.sub(lambda found: '"' + ntpath.join(*(part.strip("\"'") for part in found.groups())) + '"', line)
    return _with_env(_IN_BRACKETS.sub(r"\1", line), environment)


def _statement(command: str) -> str:
    """A command of PowerShell without what its result is for; empty when it is the rest of the command before a bracket."""
    if command[:1] in (")", "}"):
        command = command.lstrip(")} ")
        if not _GOES_ON.match(command):
            return ""
    command = command[_RESULT.match(command).end() :]  # type: ignore[union-attr] # it matches the empty text too
    return re.sub(r"^&(?=\S)", "& ", command)


def _unquoted(line: str) -> str:
    """cmd /c "cd X && a.bat", cmd /c ""C:\\a b.bat" x": the outer quotes are for cmd."""
    if line.startswith('"') and line.endswith('"') and (line.count('"') > 2 or _NEXT.search(line[1:-1]) or _STARTS.match(line[1:-1])):
        return line[1:-1].replace('""', '"') if line.startswith('"cmd') else line[1:-1]
    return line


#: A command and not the path of a program.
_STARTS = re.compile(r"\s*(?:cmd|start|call|if|for|powershell|pwsh|cscript|wscript)(?:\.exe)?\s", re.IGNORECASE)


def _chain(line: str, folder: str, environment: Mapping[str, str], depth: int, ends: re.Pattern[str], words: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """What the commands of a line start, one after another; a change of the folder counts for those that follow."""
    shell = words is _POWERSHELL_WORD
    variables: dict[str, list[str]] = {}
    for command in _split(line if shell else _FOR_CMD.sub(_for_cmd, line), ends):
        if shell and (kept := _KEPT.fullmatch(command)):
            variables[f"${kept[1].casefold()}"] = [kept[2] or kept[3] or ""]
            continue
        command = (_statement(command) if shell else _unconditional(command, variables)).lstrip("(@ ")
        raw, parts = _parts_of(command, words, shell)
        if parts and (glued := re.fullmatch(r"(cd|chdir)([\\/.].*)", parts[0], re.IGNORECASE)):
            folder = ntpath.normpath(ntpath.join(folder, plain(" ".join([glued[2], *parts[1:]]), environment)))
            continue
        at, here = _program_of(parts, [found[0] for found in raw], folder, environment, shell)
        if at >= len(parts):
            continue
        program, rest = parts[at], command[raw[at].end() :]
        if (changed := _folder_after(parts[at:], folder, environment, variables, shell)) is not None:
            folder = changed
        elif program.casefold() == "set" and not shell and (kept := _SET.match(rest)):
            environment = {**environment, kept[1].casefold(): kept[2].strip()}
        else:
            for meant in _meant(program, variables, shell):
                yield from _started(meant, rest.replace("'", '"') if shell else rest, here, environment, depth)
            yield from ((here, plain(path, environment)) for path in _with_blanks(parts[at:]))


def _parts_of(command: str, words: re.Pattern[str], shell: bool) -> tuple[list[re.Match[str]], list[str]]:
    """The words of a command as they stand there, and without their quotes."""
    raw = list(words.finditer(command))
    return raw, [re.sub("[\"']", "", found[0]) if shell else found[0].replace('"', "") for found in raw]


def _with_blanks(parts: Sequence[str]) -> Iterator[str]:
    """A path with blanks that nobody has quoted, which goes on to the first word that ends as a program does."""
    end = next((number for number, part in enumerate(parts, 1) if _PROGRAM_NAME.search(part)), 0)
    if end > 1 and "\\" in parts[0]:
        yield " ".join(parts[:end])


def _unconditional(command: str, variables: dict[str, list[str]]) -> str:
    """A command of cmd without the `if` and `for` before it; what a `for` goes through is added to the variables."""
    while condition := _CONDITION.match(command):
        if each := _FOR.match(command):
            variables[f"%{each[1].casefold()}"] = [item.replace('"', "") for item in _WORD.findall(each[2])]
        command = command[condition.end() :]
    return command


def _folder_after(parts: Sequence[str], folder: str, environment: Mapping[str, str], variables: Mapping[str, list[str]], shell: bool) -> str | None:
    """The current folder after a command that changes it (cd, D:); None for any other."""
    program = parts[0]
    if program.casefold() in _CHANGES_FOLDER:
        target = " ".join(part for part in parts[1:] if not re.fullmatch(r"/d|-(?:literal)?path", part, re.IGNORECASE))
        target = _meant(target.removeprefix("/d"), variables, shell)[0]
        return ntpath.normpath(ntpath.join(folder, plain(target, environment))) if target else folder
    if re.fullmatch(r"[a-z]:", program, re.IGNORECASE):
        return folder if folder.casefold().startswith(program.casefold()) else f"{program}\\"
    return None


def _meant(program: str, variables: Mapping[str, list[str]], shell: bool) -> list[str]:
    """The program, or what the variable of the same line stands for."""
    if shell:
        return [re.sub(r"\$\w+", lambda found: variables.get(found[0].casefold(), [found[0]])[0], program)]
    program = re.sub(r"!(\w+)!", r"%\1%", program)
    if program.count(")") > program.count("("):
        program = program.rstrip(")")
    found = _FOR_VARIABLE.fullmatch(program)
    return variables.get(f"%{found[1].casefold()}", [program]) if found else [program]


def _program_of(parts: Sequence[str], raw: Sequence[str], folder: str, environment: Mapping[str, str], shell: bool) -> tuple[int, str]:
    """Which word of a command is the program (beyond the last: none), and the folder in which it is started."""
    at, starting, titled, called, here = 0, False, False, False, folder
    while at < len(parts):
        word = parts[at].casefold()
        taken, begins_in = _option_of_start(parts[at:], raw[at], shell, titled) if starting else (0, None)
        if taken:
            titled = titled or not raw[at].casefold().startswith("/d")
            here = here if begins_in is None else ntpath.normpath(ntpath.join(folder, plain(begins_in, environment)))
        elif word in (_STARTS_PROGRAM if shell else ("start",)):
            starting = called = True
        elif word in _BEFORE:
            called = True
        elif shell and not called and word in _KEYWORDS:
            pass
        elif shell and not called and (raw[at][0] in "\"'" or _NO_COMMAND.fullmatch(word)):
            return len(parts), here  # a text or a value, and what is done with it
        else:
            break
        at += taken or 1
    return at, here


def _option_of_start(parts: Sequence[str], raw: str, shell: bool, titled: bool) -> tuple[int, str | None]:
    """How many words an option of `start` or Start-Process has (0: the first word is none), and the folder that it names. raw: the first word with its quotes.

    titled: whether there cannot be a title any more. start "title" …: the first word in quotes is never the program.
    """
    word, following = parts[0].casefold(), parts[1] if len(parts) > 1 else None
    if not shell and not titled and raw.startswith('"'):
        return 1, None
    if not shell and word.startswith("/d"):
        return (1, word[2:]) if word[2:] else (2, following or "")
    if shell and re.fullmatch("-(?:file|literal)?path", word):
        return 1, None
    if word.startswith(("-", "/")):
        return 2 if shell and _START_WITH_VALUE.fullmatch(word) else 1, following if shell and word.startswith("-wo") else None
    return 0, None


def _split(line: str, ends: re.Pattern[str]) -> Iterator[str]:
    begin = 0
    for found in ends.finditer(line):
        if found[1] is None:
            yield line[begin : found.start()]
            begin = found.end()
    yield line[begin:]


def _powershell(arguments: str, name: str) -> tuple[str, str | None, str]:
    """The folder in which PowerShell begins, the command that it is given (None: none), and the script."""
    folder, words = "", list(_POWERSHELL_WORD.finditer(arguments))
    for at, found in enumerate(words):
        word, rest = _DASH.sub("-", found[0]), arguments[found.end() :].strip()
        before = _DASH.sub("-", words[at - 1][0]).casefold() if at else ""
        if _FOLDER_SWITCH.fullmatch(before):
            folder = found[0].strip("\"'")
        elif _WITH_VALUE.fullmatch(before):
            continue
        elif _ENCODED_SWITCH.fullmatch(word):
            return folder, _decoded(rest.partition(" ")[0].strip('"')), ""
        elif _COMMAND_SWITCH.fullmatch(word) and word.casefold() not in ("-configurationname", "-cp"):
            return folder, _command(rest), ""
        elif _FILE_SWITCH.fullmatch(word):
            script = _POWERSHELL_WORD.match(rest)
            return folder, None, script[0].strip("\"'") if script else ""
        elif not word.startswith("-"):
            # Windows PowerShell takes what has no switch for a command, the newer one for a file
            if name == "powershell" or word.startswith(("&", '"&')):
                return folder, _command(arguments[found.start() :].strip()), ""
            return folder, None, word.strip("\"'")
    return folder, None, ""


def _command(text: str) -> str:
    """The outer quotes of a command are the command line's; inner ones are escaped."""
    found = re.match(r"\"([^\"]*)\"?(\s.*|$)", text.replace('\\"', "\0"), re.DOTALL)
    if found is None:
        return text.replace('\\"', '"')
    line = f'& "{found[1]}"' if _ONE_PATH.fullmatch(found[1].strip()) else found[1]
    return (line + found[2]).replace("\0", '"')


def _script(arguments: str, name: str) -> str:
    """The first word that is no switch: whatever follows are the script's own arguments."""
    words = iter(_WORD.findall(arguments))
    for word in words:
        if word[0] in "-/":
            if _WITH_VALUE.fullmatch(word.casefold()) or (word == "-X" and name.startswith("py")):
                next(words, None)
        elif (text := word.replace('"', "").strip()).casefold() not in _BEFORE:
            quoted = re.match(r"[&.]?\s*'([^']+)'", text)
            return quoted[1] if quoted else text.removeprefix("& ").strip()
    return ""


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


def plain(text: str, environment: Mapping[str, str]) -> str:
    """A path as it is written in a task, for comparison: no quotes, one kind of slash, known environment variables replaced."""
    text = expand(text, environment).replace('"', "")
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
    return any("%" in text or "env:" in text.casefold() or _ENCODED_WORD.search(text) for text in texts)


def state_of(task: Task) -> dict[str, Any]:
    """What plans compare, and people see."""
    return {
        "enabled": task.enabled,
        "run_as": task.run_as,
        "actions": [action.shown() for action in task.actions],
    }


def object_of(host: str, task: Task) -> Object:
    return Object(KIND, task.id(host), task.name, state_of(task))
