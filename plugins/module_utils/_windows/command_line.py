# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command line of Windows starts: programs, scripts, and what launchers, cmd and PowerShell are told to run. Pure."""

from __future__ import annotations

import base64
import ntpath
import re
from collections.abc import Iterator, Mapping, Sequence

from .reg_query import expand

_INTERPRETERS = re.compile(r"cmd|powershell|pwsh|[cw]script|javaw?|pythonw?[\d.]*|py|perl|ruby|node|bash|sh|dotnet|msbuild|wsl")
_POWERSHELL = ("powershell", "pwsh")
#: Programs that start the rest of their line, after switches of their own.
_LAUNCHERS = re.compile(
    r"conhost|explorer|runas|psexec(?:64)?|hidcon|hstart(?:64)?|nircmdc?|forfiles|rundll32|regsvr32|msiexec|mshta|wmic|pcalua|wt|gsudo|sudo"
)
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
#: PowerShell takes each of them before a switch.
_DASH = re.compile(r"^[-/\u2013-\u2015](?=[a-z])", re.IGNORECASE)
_ENCODED_WORD = re.compile(r"[-/\u2013-\u2015]e(?:c|nc\w*)?\s+\"?([\w+/=]{8,})", re.IGNORECASE)
_COMMAND_SWITCH, _ENCODED_SWITCH = re.compile(r"-c(?:o\w*|wa)?", re.IGNORECASE), re.compile(r"-e(?:c|nc\w*)?", re.IGNORECASE)
_FILE_SWITCH, _FOLDER_SWITCH = re.compile(r"-f(?:i\w*)?", re.IGNORECASE), re.compile(r"-(?:wd|wo\w*)", re.IGNORECASE)
#: Words before what is run.
_BEFORE = ("call", "&", ".", "@", "")
_STARTS_PROGRAM = ("start", "start-process", "saps", "start-job", "start-threadjob", "invoke-command", "icm", "invoke-item", "ii")
_CHANGES_FOLDER = ("cd", "chdir", "pushd", "set-location", "push-location", "sl")
_PROGRAM_NAME = re.compile(r"\.(?:exe|com|bat|cmd|ps1|vbs|js|wsf|jar|py|pl|rb|sh)$", re.IGNORECASE)
#: A chain of interpreters longer than this is nobody's.
_DEPTH = 4


def program_name(text: str) -> str:
    """What a program is called, without its folder."""
    return ntpath.basename(text).casefold().removesuffix(".exe")


def starts_others(name: str) -> bool:
    """Whether it is an interpreter or a launcher."""
    return bool(_INTERPRETERS.fullmatch(name) or _LAUNCHERS.fullmatch(name))


def handles_files(name: str) -> bool:
    """Whether it only looks at files, copies or removes them."""
    return bool(_HANDLES_FILES.fullmatch(name))


def with_decoded(line: str) -> str:
    """A line, and behind it what PowerShell is given encoded in it; the line itself where there is none."""
    return " ".join((line, *(_decoded(found[1]) for found in _ENCODED_WORD.finditer(line))))


def _decoded(text: str) -> str:
    """What PowerShell is given encoded; empty when it is nothing of the kind."""
    try:
        return base64.b64decode(text).decode("utf-16-le")
    except ValueError:
        return ""


def started(program: str, arguments: str, folder: str, environment: Mapping[str, str], depth: int = _DEPTH) -> Iterator[tuple[str, str]]:
    """The current folder and the program, for `program` and for all that it is told to run, `depth` interpreters deep."""
    text = plain(program, environment).strip()
    if not text:
        return
    name = program_name(text).replace("%comspec%", "cmd")
    # what cmd and PowerShell do themselves lies in no folder, and they are Windows' own wherever a task begins
    yield "" if "\\" not in text and (handles_files(name) or starts_others(name)) else folder, text
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
        yield from _by_powershell(name, arguments, folder, environment, depth)
    else:
        yield from ((folder, plain(path, environment).strip()) for path in _scripts(name, arguments))


def _by_powershell(name: str, arguments: str, folder: str, environment: Mapping[str, str], depth: int) -> Iterator[tuple[str, str]]:
    """What the commands or the script start, in the folder in which PowerShell is told to begin."""
    begins_in, line, script = _powershell(arguments, name)
    folder = ntpath.normpath(ntpath.join(folder, plain(_with_env(begins_in, environment), environment))) if begins_in else folder
    if line is not None:
        yield from _chain(_for_powershell(line, environment), folder, environment, depth - 1, _POWERSHELL_NEXT, _POWERSHELL_WORD)
    elif script:
        yield folder, plain(script, environment).strip()


def _scripts(name: str, arguments: str) -> Iterator[str]:
    """The script that another interpreter is given; of Java what it takes its classes from."""
    if script := _script(arguments, name):
        yield script
    if name.startswith("java") and "-jar" not in arguments.split() and (classes := _CLASS_PATH.search(arguments)):
        yield from (path for path in classes[1].strip('"').split(";") if path.strip())


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
                yield from started(meant, rest.replace("'", '"') if shell else rest, here, environment, depth)
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


def plain(text: str, environment: Mapping[str, str]) -> str:
    """A path as it is written in a task, for comparison: no quotes, one kind of slash, known environment variables replaced."""
    text = expand(text, environment).replace('"', "")
    return re.sub(r"(?<=.)\\{2,}", r"\\", text.replace("/", "\\")) if "\\" in text or ":" in text else text
