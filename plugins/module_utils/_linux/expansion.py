# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a shell makes of a text before it starts something: variables, loops, where a script finds itself. Pure.

What is not known stays as it is written, so that it can be told.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping

#: Of no variable that a path is made of is there more; longer ones, which grow by each other, stay as they are written.
_LONGEST, _LONGEST_SHORTENED = 4096, 1024
_LEVELS = 3
_LOOPS = 20
_INSIDE = r"(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*"
_VARIABLE = re.compile(rf"\$(?:(\w+|[@*])|\{{(\w+|[@*])(?:(:?[-=?+]|%%?|##?)({_INSIDE}))?\}})")
_DEFAULT = re.compile(rf"\$\{{([A-Za-z_]\w*):?=({_INSIDE})\}}")
#: How a script finds itself, its real file, a folder by its path, and what other programs say of a path.
_SELF = r'"?\$(?:0|\{(?:0|BASH_SOURCE(?:\[0\])?)\}|BASH_SOURCE)"?'
_REAL_SELF = re.compile(rf"\$\(\s*(?:readlink\s+-[a-z]*f|realpath(?:\s+-\w)?)\s+(?:--\s+)?{_SELF}\s*\)")
_ARRAY = re.compile(r"\$\{BASH_SOURCE\[(?:0|@)\]\}")
_PATH = r'(?:--\s+)?"?([^\s"\'()`]+)"?'
_FOLDER = re.compile(rf"\$\(\s*dirname\s+{_PATH}\s*\)|`\s*dirname\s+{_PATH}\s*`")
_NAME = re.compile(rf"\$\(\s*basename\s+{_PATH}\s*\)|`\s*basename\s+{_PATH}\s*`")
_SAME = re.compile(rf"\$\(\s*(?:readlink\s+-\w+|realpath|which|type\s+-[pP]|command\s+-v)\s+{_PATH}\s*\)")
_WHERE_IT_IS = re.compile(r"""[$]\(\s*cd\s+(?:-P\s+|--\s+)*"?([^\s")]+)"?\s*(?:>\s*/dev/null\s*(?:2>&1\s*)?)?(?:&&|;)\s*pwd(?:\s+-P)?\s*\)""")
_CURRENT = re.compile(r"\$\(\s*pwd(?:\s+-[LP])?\s*\)|`\s*pwd\s*`")
#: What a shell reads as its own text is as good as sourced.
_READ = re.compile(rf"""\b(?:eval|(?:ba|da|k|z)?sh\s+-c)\s+"?\$\(\s*(?:cat|<)\s*{_PATH}\s*\)"?|(?:\bsource|\.)\s+<\(\s*cat\s+{_PATH}\s*\)""")
_LOOP = re.compile(r"\bfor\s+(\w+)\s+in\b([^;\n]{0,2000}+)(?:;|\n)\s*do\b((?:(?!\bfor\s+\w+\s+in\b).)*?)\bdone\b", re.DOTALL)
_WORD = re.compile(r"[^\s\"';&|<>()]+")
_BRACES = re.compile(r"(.*?)(?<!\$)\{([^{}]*,[^{}]*)\}(.*)", re.DOTALL)
#: a variable, a substitution, another's home, a specifier of systemd: what was not replaced is not known
_UNKNOWN = re.compile(r"[$`]|(?:\A|/)~|%[A-Za-z]")
_REFERENCE = re.compile(r"\$\{[^{}]*\}|\$[\w@*]+|`[^`]*`|%[A-Za-z]|[$`]")
#: the real file of the script, links followed
REAL_SELF = "__real"


def variables(text: str, environment: Mapping[str, str]) -> str:
    """`text` with the known variables in it replaced, and ~ at its beginning."""
    if text == "~" or text.startswith("~/"):
        text = environment.get("HOME", "~") + text[1:]
    if "$" not in text:
        return text
    replaced = _VARIABLE.sub(lambda found: _value(found, environment), text)
    return replaced if len(replaced) <= max(_LONGEST, len(text)) else text


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    value, how, word = environment.get(found[1] or found[2]), found[3] or "", found[4] or ""
    if how[-1:] in ("-", "=") and (value is None or (not value and how.startswith(":"))):
        return variables(word, environment)
    if value is None:
        return found[0]
    if how[-1:] == "+":
        return variables(word, environment)
    return _shortened(value, how, variables(word, environment)) if how[:1] in ("%", "#") else value


def _shortened(value: str, how: str, pattern: str) -> str:
    """Without the shortest, or longest, end or beginning that fits the pattern."""
    if len(value) > _LONGEST_SHORTENED:
        return value
    fits = re.compile(fnmatch.translate(pattern)).match
    lengths = range(len(value) + 1) if len(how) == 1 else range(len(value), -1, -1)
    if how[0] == "%":
        return next((value[: len(value) - length] for length in lengths if fits(value[len(value) - length :])), value)
    return next((value[length:] for length in lengths if fits(value[:length])), value)


def defaults(words: Iterable[str], environment: dict[str, str]) -> None:
    """What `${NAME:=value}` in a command gives a variable that has none."""
    for found in _DEFAULT.finditer(" ".join(word for word in words if "${" in word)):
        if not environment.get(found[1]):
            environment[found[1]] = variables(found[2], environment)


def is_unknown(text: str) -> bool:
    """Whether something in it was not replaced."""
    return bool(_UNKNOWN.search(text))


def known_parts(path: str) -> list[str]:
    """The names of a path that say something, each with an x for what is not known in it, and as it is written: $MODE_mode.sh may be ${MODE}_mode.sh."""
    every = [name for part in path.split("/") for name in (_REFERENCE.sub("x", part), re.sub("[${}]", "", part))]
    return [name for name in dict.fromkeys(every) if name not in ("", ".", "..", "x")]


def simplified(text: str) -> str:
    """With what a script asks other programs about paths, itself and its folder written as variables, and its loops one pass after the other."""
    if "$" in text or "`" in text:
        text = _READ.sub(lambda found: f". {found[1] or found[2]}", text)
        text = _ARRAY.sub("${BASH_SOURCE}", _CURRENT.sub("${PWD}", _REAL_SELF.sub(f"${{{REAL_SELF}}}", text)))
        for _level in range(_LEVELS):
            before = text
            text = _FOLDER.sub(_folder, _NAME.sub(lambda found: _cut(found, "##*/"), _SAME.sub(r"\1", text)))
            text = _WHERE_IT_IS.sub(r"\1", text)
            if text == before:
                break
    return _unrolled(text)


def _folder(found: re.Match[str]) -> str:
    return _cut(found, "%/*")


def _cut(found: re.Match[str], how: str) -> str:
    """The folder, or the name, of a path: of a variable by how a shell would say it."""
    path = found[1] or found[2]
    if whole := re.fullmatch(r"\$(\w+)|\$\{(\w+)\}", path):
        return f"${{{whole[1] or whole[2]}{how}}}"
    folder, _slash, name = path.rstrip("/").rpartition("/")
    if is_unknown(name):
        return found[0]
    if how == "%/*":
        return folder or ("/" if path.startswith("/") else ".")
    return name


def _unrolled(text: str) -> str:
    """Each loop over words as one pass for each word."""
    if "for" not in text:
        return text
    longest = len(text) * _LOOPS
    for _level in range(_LEVELS):
        unrolled = _LOOP.sub(_passes, text)
        if unrolled == text or len(unrolled) > longest:
            break
        text = unrolled
    return text


def _passes(found: re.Match[str]) -> str:
    words = [one for word in _WORD.findall(found[2]) for one in _alternatives(word)]
    return "".join(f" {found[1]}={word};{found[3]};" for word in words[:_LOOPS]) or found[0]


def _alternatives(word: str) -> list[str]:
    """The words that braces stand for."""
    if not (found := _BRACES.fullmatch(word)):
        return [word]
    behind = _alternatives(found[3])
    return [found[1] + one + rest for one in found[2].split(",")[:_LOOPS] for rest in behind][:_LOOPS]


def with_braces(words: list[str]) -> list[str]:
    """Words with those that braces stand for."""
    return [one for word in words for one in (_alternatives(word) if "{" in word and "," in word else [word])]
