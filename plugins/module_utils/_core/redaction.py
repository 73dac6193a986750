# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines of others as people, journals and reports may see them. Pure.

Nobody knows where each program in the world takes its password. So what is known to be none is shown (programs, paths, files, switches, the hosts of
addresses, variables, very short words), and every other word is hidden: people see what is started, and not with what.
"""

from __future__ import annotations

import re

HIDDEN = "***"

#: Switches of one sign that are shown whole. Of any other longer one it is a letter alone: what follows may be a password (-pSECRET).
_SWITCHES = re.compile(
    "classpath|collect|command|config|create|delete|disable|dryrun|enable|encodedcommand|exec|executionpolicy|file|force|host|input|install|"
    "keepdata|list|literalpath|local|log|logfile|mode|mtime|name|newer|nodelete|noexit|nologo|noninteractive|noprofile|noreboot|norestart|outfile|"
    "output|passive|passthru|path|persistent|port|print|profile|purge|query|quiet|reboot|recurse|remove|restart|run|server|service|silent|start|stop|"
    "suppressmsgboxes|test|type|uninstall|unattended|update|upgrade|url|user|username|verbose|version|verysilent|wait|width|windowstyle",
    re.IGNORECASE,
)
#: Words of shells, what starts others, and what these are told.
_SHOWN_WORDS = re.compile(
    "bash|bypass|call|copy|cscript|echo|else|exec|false|find|flock|hidden|ionice|java|javaw|move|msiexec|nice|node|nohup|perl|powershell|python|"
    "python3|pwsh|remotesigned|robocopy|ruby|rundll32|schtasks|sleep|start|sudo|systemctl|then|timeout|true|unrestricted|user|wscript|xcopy",
    re.IGNORECASE,
)
#: A longer one may be a password, and so may one with the signs that stand between a name and it.
_SHORT = 3
_SHORT_WORD = re.compile(rf"[^:%@]{{1,{_SHORT}}}|[a-z]:", re.IGNORECASE)
#: A longer switch of one sign may be one with a password behind it.
_SHORT_SWITCH = re.compile(r"(?!p)[a-z]{2,3}|pw|[a-z?\d]", re.IGNORECASE)
#: Switches and properties of which nothing is shown but the name.
_SAYS_SECRET = re.compile(r"[hrx]?p|.*(?:pass(?!ive|thru)|pwd|pw$|secret|token|cred|auth|key|pin$).*", re.IGNORECASE)
_SWITCH = re.compile(r"(--|[-/\u2013\u2014])([A-Za-z?][A-Za-z-]*|\d)([=:]?)(.*)", re.DOTALL)
#: of an environment, of Windows Installer, of PowerShell
_PROPERTY = re.compile(r"([A-Z][A-Z_]{2,}|\$[A-Za-z:_]+)=(.*)", re.DOTALL)
#: of a crontab
_SETTINGS = frozenset({"CRON_TZ", "HOME", "LANG", "LC_ALL", "LOGNAME", "MAILTO", "PATH", "SHELL"})
_VARIABLE = re.compile(r"%[\w()]+%|%~?[dpnxfsatz]*\d|\$(?i:env:)\w+|\$\{?[A-Z_]+\}?|\$\d", re.ASCII)
_ADDRESS = re.compile(r"([a-z][a-z0-9+.]*+://(?:[\w.-]++|\[[0-9a-f:.]+\])(?::\d++)?+)(/?+)([^@]*+)", re.IGNORECASE)
_FILE = re.compile(
    r"[^/\\]*\.(?:bak|bat|bin|cab|cer|cfg|cmd|conf|config|crt|csv|dat|dll|dump|exe|gz|html?|ini|jar|js|json|ldif|lock|log|ms[ip]|pem|pfx|php|pid|pl|properties|"
    r"ps1|py|reg|service|sh|sql|tar|tgz|timer|tmp|txt|vbs|war|wsf|xlsx?|xml|ya?ml|zip)",
    re.IGNORECASE,
)
#: How a path begins that needs no file at its end.
_ROOTED = re.compile(
    r"[a-z]:(?:\\|$)|[\\/]{2}|\.{1,2}[\\/]|~[\\/]|(?:%[\w()]+%|(?-i:\$\{?[A-Z_]+\}?))[\\/]|/[^\\/:=]+/|/(?:bin|dev|etc|home|opt|root|srv|tmp|usr|var)$",
    re.IGNORECASE,
)
_PART = re.compile(r"[\w .~%${}()*?!#+-]*|[a-z]:", re.IGNORECASE)
#: as Windows Installer is told it
_PRODUCT_CODE = re.compile(r"(?:/[fix])?\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}", re.IGNORECASE)
_QUOTE = re.compile("[\"'\u201c\u201d\u2018\u2019]")
#: In double quotes what begins as a path; any other word.
_WORDS = re.compile(
    r"(?<=\")(?:[a-z]:[\\/]|\\\\|%\w+%|/)[^\"]*|[^\s\"'\u201c\u201d\u2018\u2019]+",
    re.IGNORECASE,
)
#: what shells and PowerShell put before a word, and behind it
_BEFORE = re.compile(r"\d?>{1,2}&?|[<|&;(){}\[\]@`]*")
_BEHIND = "|&;(){}[],"
#: A program that is written together with its arguments; and in the quotes of its arguments, as some installers write it.
_PROGRAM = re.compile(
    r"((?:\s*[A-Za-z_]\w*=(?:\"[^\"]*\"|'[^']*'|[^\s\"'])*\s)*)"
    r"(\s*(?:\"[^\"]+\"|(?:[a-z]:|\\\\|%)(?:(?! [-/])[^\":])*?[\\/][^\s\\/\":]*\.(?:exe|com|bat|cmd|ps1|vbs|js|msi)(?=\s|$)|\S*))(\s.*|$)",
    re.IGNORECASE | re.DOTALL,
)
_ALL_QUOTED = re.compile(r"\s*\"(?=[^\"]*\"\s*$)([^\"]+?\.(?:exe|com|bat|cmd))(\s+[/-][^\"]*)\"\s*", re.IGNORECASE)


def _generated(text: str) -> bool:
    """Whether it looks so: letters of both cases and digits, and no word with a number behind it."""
    return len(text) >= 8 and all(re.search(kind, text) for kind in ("[a-z]", "[A-Z]", r"\d")) and not re.fullmatch(r"[A-Za-z][a-z]+\d{1,4}", text)


def _part_of_path(part: str, last: bool) -> str:
    first, blank, rest = part.partition(" ")
    if not _PART.fullmatch(part) or (_generated(first) and not _FILE.fullmatch(first)):
        return HIDDEN
    given = blank and (_FILE.fullmatch(first) or last) and not _FILE.fullmatch(rest)  # to a program, and is no part of its name
    return f"{first} {HIDDEN}" if given else part


def _path(text: str) -> str:
    """As it is shown; empty for what is no path."""
    parts = re.split(r"([\\/]+)", text)
    if not (_ROOTED.match(text) or (_FILE.fullmatch(parts[-1]) and all(map(_PART.fullmatch, parts[::2])))) or re.search(r"\s[-/]\S", text):
        return ""
    return "".join(part if number % 2 else _part_of_path(part, number == len(parts) - 1) for number, part in enumerate(parts))


def _value(text: str) -> str:
    if address := _ADDRESS.fullmatch(text):
        return f"{address[1]}{address[2]}{HIDDEN if address[3] else ''}"
    known = _SHORT_WORD.fullmatch(text) or _SHOWN_WORDS.fullmatch(text) or _VARIABLE.fullmatch(text)
    return text if known else _path(text) or HIDDEN


def _named(text: str) -> tuple[str, str, str]:
    """Of a switch or a property what is shown, its name, and its value; empty for another word."""
    if found := _PROPERTY.fullmatch(text):
        sign, name, separator, value = "", found[1], "=", found[2]
    elif (found := _SWITCH.fullmatch(text)) and not (found[1] == "/" and _ROOTED.match(text)):
        sign, name, separator, value = found.groups()
        known = sign == "--" or _SWITCHES.fullmatch(name) or _SHORT_SWITCH.fullmatch(name)
        if not known or (value and not separator):
            return f"{sign}{name[0]}{HIDDEN}", name, value
    else:
        return "", "", ""
    if value and name not in _SETTINGS:
        value = HIDDEN if _SAYS_SECRET.fullmatch(name) else _value(value)
    return f"{sign}{name}{separator}{value}", name, value


def says_secret(text: str) -> bool:
    """Whether a comment is about one."""
    return bool(_SAYS_SECRET.fullmatch(text))


def arguments(text: str) -> str:
    """The arguments of a program."""
    #: whether the next word is hidden, and whether all up to the next quote are
    secret = quoted = False
    end = 0

    def shown(found: re.Match[str]) -> str:
        nonlocal secret, quoted, end
        word, gap, end = found[0], text[end : found.start()], found.end()
        if (quoted and not _QUOTE.search(gap)) or (secret and _QUOTE.search(gap)):
            secret, quoted = False, True
            return HIDDEN
        follows, secret, quoted = secret, False, False
        if _PRODUCT_CODE.fullmatch(word):
            return word
        if " " in word:
            return _path(word) or arguments(word)
        before = _BEFORE.match(word)[0]  # type: ignore[index] # it matches every text
        inner = word[len(before) :].rstrip(_BEHIND)
        behind = word[len(before) + len(inner) :]
        told, name, value = _named(inner)
        secret = bool(name and not value and _SAYS_SECRET.fullmatch(name))
        if len(inner) <= _SHORT and len(word) > _SHORT + 1:  # a short word is not one with much around it
            follows = follows or not told
        return f"{before}{told or (inner and (HIDDEN if follows else _value(inner)))}{behind}"

    return _WORDS.sub(shown, text)


def command_line(text: str) -> str:
    """A program with its arguments in one text."""
    if whole := _ALL_QUOTED.fullmatch(text):
        return f'"{whole[1]}{arguments(whole[2])}"'
    before, program, rest = _PROGRAM.fullmatch(text).groups()  # type: ignore[union-attr] # it matches every text
    is_name = re.fullmatch(r"\s*[\w.+-]+", program) and not _generated(program.strip())
    return arguments(before) + (program if is_name else _path(program) or arguments(program)) + arguments(rest)
