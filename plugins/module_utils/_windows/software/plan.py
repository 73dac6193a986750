# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installed software, pure: what the Uninstall keys say, which product is meant, how it is removed, what exit codes mean."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..._core import names, redaction
from ..._core.errors import AmbiguousMatch, NotExact, OffboardError
from ..._core.machine_ids import on_host
from ..._core.model import Object
from ..files.plan import within
from ..reg_query import Key, expand

KIND = "windows_software"
UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"

_GUID = re.compile(r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
#: Windows Installer's own program, where a product is registered with it; environment variables may not have been replaced yet.
_MSIEXEC = re.compile(r'\s*"?(?:(?:[a-z]:|%[^%"]+%)\\(?:[^"\s]*\\)?)?msiexec(?:\.exe)?(?=["\s]|$)"?(?P<arguments>.*)', re.IGNORECASE | re.DOTALL)
_MSI_PRODUCT = re.compile(rf'(?:^|\s)[/-](?:x|i|f[a-z]*|uninstall|package)\s*"?({_GUID.pattern})', re.IGNORECASE)
#: Of a product only a patch is removed so (https://learn.microsoft.com/windows/win32/msi/command-line-options), or one feature.
_MSI_PART = re.compile(r'(?:^|\s)"?(?:MSIPATCHREMOVE=|REMOVE=(?!"?ALL\b))', re.IGNORECASE)
_MSI_PACKAGE, _MSI_UNINSTALL = (re.compile(rf"(?:^|\s)[/-](?:{switch})\b", re.IGNORECASE) for switch in ("i|package", "x|uninstall"))
_PROGRAM = re.compile(r'"(?P<quoted>[^"]+)"\s*(?P<a>.*)|(?P<plain>.+?\.(?:exe|com|bat|cmd))(?=\s|$)\s*(?P<b>.*)', re.IGNORECASE | re.DOTALL)
#: A program with its switches between one pair of quotes, which some installers write.
_ALL_QUOTED = re.compile(r"(?P<program>.+?\.(?:exe|com|bat|cmd))\s+(?P<arguments>[/-].*)", re.IGNORECASE | re.DOTALL)
#: Programs that only start what does the work: a switch that is put before it, or left out, is lost.
_HOSTS = ("cmd", "rundll32", "wscript", "cscript", "powershell", "pwsh", "mshta", "msiexec", "%comspec%")
_HOST = re.compile(rf'(?P<program>(?:[^\s"]*\\)?(?:{"|".join(_HOSTS)})(?:\.exe)?)(?=\s|$)\s*(?P<arguments>.*)', re.IGNORECASE | re.DOTALL)
_PROGRAM_WORD = re.compile(r"[^/-].*\.(?:exe|com|bat|cmd|msi|dll|vbs|jse?|jar|ps1)(?:,.*)?", re.IGNORECASE | re.DOTALL)
_ARGUMENT = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
#: Switches that this collection gives itself, for each kind of installer.
_OWN_SWITCHES = {
    "inno": re.compile(r"/(?:(?:very)?silent|suppressmsgboxes|norestart|log(?:=.*)?)", re.IGNORECASE),
    "nsis": re.compile(r"/S"),
}
#: A public property of Windows Installer, which takes its name as if in capitals.
_PROPERTY = re.compile(r"[A-Za-z_][\w.]*=.*", re.ASCII | re.DOTALL)

#: The kinds of installers that can be told to write a log.
WRITES_LOG = ("msi", "inno")
#: What Inno Setup's log says, in every language of Windows, when the uninstaller wants a restart; its exit code does not tell.
INNO_WANTS_RESTART = "Need to restart Windows? Yes"

#: The copy of itself that does an uninstaller's work while the first process has ended: Inno Setup's, NSIS'.
_CHILD = re.compile(r"_iu\w*\.tmp|_unins\.tmp|unins\d{3}\.exe|Au_\.exe|Un(?:_\w)?\.exe", re.IGNORECASE)

#: What an uninstaller's exit code means: "done", "gone" (was not installed any more), "busy" (another installation runs: again later),
#: "reboot" (done, a restart is needed), everything else "failed". Windows Installer's codes:
#: https://learn.microsoft.com/windows/win32/msi/error-codes ; other kinds of installers that need a restart use the same two.
_MEANINGS = {0: "done", 1605: "gone", 1614: "gone", 1618: "busy", 1641: "reboot", 3010: "reboot"}
_FAILURES = {
    1602: "it was cancelled",
    1603: "a fatal error during the uninstallation",
    1619: "the installation package could not be opened",
    1622: "the log file could not be written",
    1625: "forbidden by system policy",
    1639: "wrong command line argument",
}


@dataclass(frozen=True)
class Product:
    """One entry of "Apps & features". `scope` is machine64, machine32 or user:SID; `installer` msi, inno, nsis or other."""

    key: str
    scope: str
    name: str
    publisher: str
    version: str
    installer: str
    product_code: str
    install_location: str
    uninstall_string: str
    quiet_uninstall_string: str

    def id(self, host: str) -> str:
        """What identifies it in journals and predictions."""
        return on_host(host, self.scope, self.key)

    def described(self) -> dict[str, str]:
        """For messages and return values."""
        return {"product_code": self.product_code, "scope": self.scope, "name": self.name, "publisher": self.publisher, "version": self.version}


def _lines(key: Key) -> list[str]:
    return [text for name in ("QuietUninstallString", "UninstallString") if (text := key.text(name))]


def _msi_arguments(lines: Iterable[str]) -> list[str]:
    """What Windows Installer is registered to be given, for each line that starts it."""
    return [found["arguments"] for line in lines if (found := _MSIEXEC.match(line))]


def _is_part(name: str, lines: Iterable[str]) -> bool:
    """Whether an Uninstall key of that name is a patch, or one feature, of a product of Windows Installer: removing the product would remove too much."""
    own = _GUID.match(name)
    texts = _msi_arguments(lines)
    return bool(own and own[0] != name) or any(_MSI_PART.search(text) or (_MSI_PACKAGE.search(text) and _MSI_UNINSTALL.search(text)) for text in texts)


def _msi_product(key: Key) -> str:
    """The product code that Windows Installer has to remove; "" when that cannot be made out, or a part of the product is meant only."""
    named = {code.upper(): code for text in _msi_arguments(_lines(key)) for code in _MSI_PRODUCT.findall(text)}
    if _is_part(key.name, _lines(key)):
        return ""
    if _GUID.fullmatch(key.name) and (key.number("WindowsInstaller") == 1 or key.name.upper() in named):
        return key.name
    return next(iter(named.values())) if len(named) == 1 else ""


def installer_of(key: Key) -> str:
    """Which kind of installer made an Uninstall key; other, too, when Windows Installer did and what it has to remove cannot be made out."""
    if _msi_product(key):
        return "msi"
    if key.number("WindowsInstaller") == 1 or _msi_arguments(_lines(key)) or _host(*_lines(key)[:1]):
        return "other"
    if key.name.endswith("_is1") or key.text("Inno Setup: App Path"):
        return "inno"
    if re.search(r"\s/S([\s\"]|$)", key.text("QuietUninstallString")):
        return "nsis"
    return "other"


def _host(line: str = "") -> str:
    """The program that only starts the uninstaller; "" when what is registered starts it itself."""
    program, arguments = split_command(line)
    name = program.rpartition("\\")[2]
    return name if name.casefold().removesuffix(".exe") in _HOSTS or any(map(_PROGRAM_WORD.fullmatch, _words(arguments))) else ""


def product_of(key: Key, scope: str) -> Product:
    """The product of one Uninstall key."""
    installer = installer_of(key)
    return Product(
        key=key.name,
        scope=scope,
        name=key.text("DisplayName") or key.name,
        publisher=key.text("Publisher"),
        version=key.text("DisplayVersion"),
        installer=installer,
        product_code=_msi_product(key) or key.name,
        install_location=key.text("InstallLocation"),
        uninstall_string=key.text("UninstallString"),
        quiet_uninstall_string=key.text("QuietUninstallString"),
    )


def products_of(keys: Iterable[Key], scope: str) -> list[Product]:
    """The products among the keys that a recursive query of an Uninstall key printed: its direct children, with an uninstaller or a name."""
    direct = (key for key in keys if key.path.casefold().rpartition("\\")[0].endswith("\\uninstall"))
    return [product_of(key, scope) for key in direct if key.text("DisplayName") or _lines(key)]


_PATHS = ("install_location", "uninstall_string", "quiet_uninstall_string")


def needs_environment(products: Iterable[Product]) -> bool:
    """Whether an environment variable stands in a registered path."""
    return any("%" in getattr(product, name) for product in products for name in _PATHS)


def expanded(product: Product, known: Mapping[str, str]) -> Product:
    """The product with the environment variables in its paths replaced (they are REG_EXPAND_SZ)."""
    return replace(product, **{name: expand(getattr(product, name), known) for name in _PATHS})


def _exact(products: Iterable[Product], wanted: Mapping[str, Any]) -> list[Product]:
    if code := wanted.get("product_code"):
        return [p for p in products if names.uuid(code) in (names.uuid(p.product_code), names.uuid(p.key))]
    return [p for p in products if (p.name, p.publisher) == (wanted["name"], wanted["publisher"])]


#: Marks and the version that an installer may put into a name, in another release of the same product.
_MARKS = re.compile(r"[\u2122\u00ae\u00a9\u2120]|\((?:tm|r|c|sm)\)", re.IGNORECASE)
_VERSION = re.compile(
    r"[\s(\[,_-]+(?:v|ver\.?|version|rev\.?|build|バージョン)?\s*\d+(?:[._]\d+)*(?:[-+ ]?(?:alpha|beta|rc|pre|preview|build)[.\d]*|\w{0,4})[)\]]?$"
    r"|[\s(\[,_-]+(?:x64|x86(?:_64)?|amd64|arm64|(?:32|64)[- ]?bit|(?:32|64) ?ビット(?:版)?)[)\]]?$"
    r"|(?:第\s*\d+(?:\.\d+)*\s*版|バージョン\s*\d+(?:\.\d+)*|(?<=\w)\d+(?:\.\d+)+)$"
)
#: A version behind a name, with more behind it. A number alone may belong to the name of something else ("Agent 365 Tools").
_RELEASE = re.compile(r"[\s(\[,_-]+(?:(?:v|ver\.?|version|rev\.?|build|バージョン)\s*\d|第?\s*\d+(?:[._]\d|版))|第\s*\d+\s*版|バージョン\s*\d|\d+\.\d")
#: A version that is glued to the name, "SyncVer2.0", "SyncR2", "Syncx64"; IPv6 and IPv4 are names themselves.
_GLUED = re.compile(r"(?<=[^\W\d_])(?!(?<=\bIP)v[46]\b)(?=(?:[Vv]|Ver\.?|Version|R|Rel\.?)\s?\d|[Xx](?:64|86)\b)")
#: Where a word has ended: a blank, a bracket, a hyphen; or where Latin letters, Japanese ones and digits follow each other.
_OTHER_WORD = re.compile(r"[^\w+#]|_|(?<=[a-z])[^\W_a-z]|(?<=[^\W_a-z])[a-z]|(?<=[^\W\d_])\d|(?<=\d)[^\W\d_]")
#: Letters of other scripts that look like Latin ones.
_LOOK_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјкорсухԁһԛԝӏ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαιονρυχϲ" + "ɑɡı",
    "ABESIJKMHOPCTYXaesijkopcyxdhqwl" + "ABEZHIKMNOPTYXaiovpuxc" + "agi",
)

#: What is typed from a picture: IIJ is drawn as llJ is.
_DRAWN_ALIKE = str.maketrans("i10", "llo")

#: Letters of Hangul that nobody sees
_FILLERS = dict.fromkeys(map(ord, "\u115f\u1160"), " ")

#: A name is compared by so many characters at most: Windows' own names are shorter, and anyone can register a longer one.
_LONGEST_NAME = 300


def _plain(name: str) -> str:
    """A name without blanks of every kind, marks, width of characters, and letters that only look like others."""
    text = unicodedata.normalize("NFKC", _GLUED.sub(" ", _MARKS.sub(" ", name[:_LONGEST_NAME]))).translate(_LOOK_ALIKE).translate(_FILLERS).casefold()
    text = "".join(" " if unicodedata.category(c)[0] == "Z" or c.isspace() else c for c in text if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())
    return " ".join(text.split())


def _stem(name: str) -> str:
    """A name as `_plain` gives it, without the version."""
    text = _plain(name)
    while (shorter := _VERSION.sub("", text)) != text and shorter:
        text = shorter
    return text


def alike(name: str) -> str:
    """A name for comparison with what a person has typed: without blanks of every kind, marks, version and width of characters."""
    text = re.sub(r"(?<!\w)\u30fc|\u30fc(?!\w)(?<=\W.)", " ", _stem(name))  # what a Japanese keyboard gives for a hyphen
    return re.sub(r"[^\w+#]|_", "", text).translate(_DRAWN_ALIKE)


def _continued(one: str, other: str) -> bool:
    """Whether one name is the other, or its part before the version, with more behind it that is no longer the same word: an edition, a language, a release."""
    pairs = [(_stem(one), _plain(other)), (_stem(other), _plain(one))]
    return any(short and long.startswith(short) and _OTHER_WORD.match(long, len(short)) for short, long in pairs)


def _preceded(one: str, other: str) -> bool:
    """Whether one name is the end of the other, before which its publisher has set a name of a house or a family. One word alone may end many names."""
    short, long = sorted((_stem(one), _stem(other)), key=len)
    return " " in short and long.endswith(short) and not long[: -len(short)][-1:].isalnum()


def _released(name: str, meant: str) -> bool:
    """Whether a name is the one that is meant, its version, and more: the same product, whoever its publisher calls itself in that release."""
    short, long = _stem(meant), _plain(name)
    return bool(short) and long.startswith(short) and bool(_RELEASE.match(long[len(short) :]))


def _misspelt(one: str, other: str) -> bool:
    """Whether two names differ in one letter of one long word: one too many, another one, or two that have changed places."""
    words: list[list[str]] = [re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", name).casefold()) for name in (one, other)]
    differ = [(a, b) for a, b in zip(words[0], words[1], strict=False) if a != b]
    if len(words[0]) != len(words[1]) or len(differ) != 1 or min(map(len, differ[0])) < 7:  # agent, agents
        return False
    short, long = sorted(differ[0], key=len)
    at = next((number for number, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) != len(long):
        return short[at:] == long[at + 1 :]
    return short[at + 1 :] == long[at + 1 :] or (short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :])


def _code(text: str) -> str:
    """A product code or key for comparison with what a person has typed."""
    return re.sub(r"[^\w]", "", names.uuid(text))


def _near(products: Iterable[Product], wanted: Mapping[str, Any]) -> list[Product]:
    meant = wanted.get("product_code") or wanted["name"]
    by_code = [p for p in products if _code(meant) in (_code(p.product_code), _code(p.key))]
    if by_code or wanted.get("product_code"):
        return by_code
    name = alike(meant)
    by_name = [
        p
        for p in products
        if alike(p.name) == name
        or (p.version and alike(p.name.replace(p.version, " ")) == name)
        or _released(p.name, meant)
        or (alike(p.publisher) == alike(wanted["publisher"]) and (_continued(p.name, meant) or _preceded(p.name, meant)))
    ]
    return by_name or [p for p in products if _misspelt(p.name, meant)]


def is_per_user(product: Product) -> bool:
    """Whether it was installed for one account alone, which alone can uninstall it."""
    return product.scope.startswith("user:")


def select(products: Sequence[Product], wanted: Mapping[str, Any]) -> Product | None:
    """The one product of the machine that `wanted` (product_code, or name and publisher) means; None when it is not installed.

    What single accounts have is for `beside`: such an entry, which any user can write, neither hides nor stops anything.
    Raises AmbiguousMatch when several are meant, NotExact.
    """
    shown = wanted.get("product_code") or f"{wanted['name']} ({wanted['publisher']})"
    machine = [p for p in products if not is_per_user(p)]
    exact = _exact(machine, wanted)
    if len(exact) > 1:
        scopes = ", ".join(f"{p.product_code} {p.version} ({p.scope})" for p in exact)
        raise AmbiguousMatch(f"{shown} is installed {len(exact)} times: {scopes}; give product_code of the one that is meant", [p.described() for p in exact])
    near = [] if exact else _near(machine, wanted)
    if near:
        found = "; ".join(f"{p.name!r} ({p.publisher!r}), product_code {p.product_code}" for p in near)
        raise NotExact(f"{shown} is not installed, but this is: {found}. Give name and publisher exactly, or product_code", [p.described() for p in near])
    return exact[0] if exact else None


def was_removed(wanted: Mapping[str, Any], removed: Iterable[Mapping[str, Any]]) -> bool:
    """Whether one of the products that were removed, as they were then (`Product.described`), is exactly the one that is wanted."""
    if code := wanted.get("product_code"):
        return any(names.uuid(code) == names.uuid(before.get("product_code", "")) for before in removed)
    return any((before.get("name"), before.get("publisher")) == (wanted["name"], wanted["publisher"]) for before in removed)


def meant(products: Sequence[Product], wanted: Mapping[str, Any]) -> list[Product]:
    """What `select` would choose from or complain of: those that are meant exactly, else those that may be."""
    named = {name: wanted.get(name) or "" for name in ("product_code", "name", "publisher")}
    return (_exact(products, named) or _near(products, named)) if named["product_code"] or named["name"] else []


def beside(products: Iterable[Product], wanted: Mapping[str, Any]) -> list[Product]:
    """Entries of single accounts that `wanted` would mean too."""
    return [p for p in _exact(products, wanted) if is_per_user(p)]


def split_command(text: str) -> tuple[str, str]:
    """Program and arguments of an UninstallString, with or without quotes around the program (or around all); ("", "") when none can be made out."""
    text = text.strip()
    if text.startswith('"') and text.count('"') == 1:  # Windows closes at the end what was not closed
        text += '"'
    if host := _HOST.fullmatch(text):
        program = host["program"]
        return program if program.casefold().endswith((".exe", "%")) else f"{program}.exe", host["arguments"]
    found = _PROGRAM.fullmatch(text)
    if not found:
        return "", ""
    if not found["quoted"]:
        return found["plain"], found["b"]
    inside = _ALL_QUOTED.fullmatch(found["quoted"].strip())
    if inside:
        return inside["program"], f"{inside['arguments']} {found['a']}".strip()
    return found["quoted"].strip(), found["a"]


def _words(arguments: str) -> list[str]:
    return [word.replace('"', "") for word in _ARGUMENT.findall(arguments)]


def _registered(product: Product) -> str:
    return product.quiet_uninstall_string or product.uninstall_string


def registered_arguments(product: Product) -> list[str]:
    """What the product is registered to be uninstalled with, but for the switches that `uninstall_command` gives: an installer wants its own again."""
    if product.installer == "msi":
        return _registered_properties([product.quiet_uninstall_string, product.uninstall_string])
    words = _words(split_command(_registered(product))[1])
    own = _OWN_SWITCHES.get(product.installer)
    return [word for word in words if not own.fullmatch(word)] if own else []


def why_unknown(product: Product) -> str:
    """Why it is not known how to uninstall a product of kind other without asking."""
    lines = [product.quiet_uninstall_string, product.uninstall_string]
    if _msi_arguments(lines) and _is_part(product.key, lines):
        return "it is a patch or a feature of a product of Windows Installer, and removing it as a product would remove all of that product"
    if _msi_arguments(lines):
        return "which product Windows Installer has to remove cannot be made out"
    if host := _host(_registered(product)):
        return f"{host} only starts what uninstalls it"
    return "it was not made by Windows Installer, Inno Setup or NSIS"


def _registered_properties(lines: Iterable[str]) -> list[str]:
    """The properties that Windows Installer is registered to be given, as it reads them: quotes stay where they are."""
    text = next(iter(_msi_arguments(lines)), "")
    if text.count('"') % 2:  # the program and all of its arguments between one pair of quotes, or a pair that is not closed
        text = text[:-1] if text.endswith('"') else f'{text}"'
    words = [_unquoted(word) for word in _ARGUMENT.findall(text)]
    return [word for word in words if _PROPERTY.fullmatch(word) and not word.upper().startswith("REBOOT=")]


def _unquoted(word: str) -> str:
    """NAME="a b" for "NAME=a b"."""
    return _for_msiexec(word[1:-1]) if word[:1] == word[-1:] == '"' and _PROPERTY.fullmatch(word[1:-1]) else word


def _for_msiexec(word: str) -> str:
    """An argument as Windows Installer reads it: quotes around a property's value alone, those within doubled."""
    name, sign, value = word.partition("=") if _PROPERTY.fullmatch(word) else ("", "", word)
    if not re.search(r'[\s"]', value) or re.fullmatch(r'"(?:[^"]|"")*"', value):
        return word
    inside = value.replace('"', '""')
    return f'{name}{sign}"{inside}"'


def uninstaller(product: Product) -> str:
    """The program that removes it; Windows Installer for an MSI."""
    if product.installer == "msi":
        return "msiexec.exe"
    return split_command(_registered(product))[0]


def uninstall_command(product: Product, extra: Sequence[str], log: str) -> list[str]:
    """Program and arguments of a silent removal that never restarts the machine by itself.

    An MSI's own UninstallString is not run: it often opens the maintenance dialog, for which nobody is there.
    Inno Setup would restart without asking unless told not to (https://jrsoftware.org/ishelp/topic_uninstcmdline.htm).
    """
    match product.installer:
        case "msi":
            own = map(_for_msiexec, map(_unquoted, extra))
            return ["msiexec.exe", "/x", product.product_code, "/qn", "/norestart", "/l*v", _for_msiexec(log), *registered_arguments(product), *own]
        case "inno":
            return [uninstaller(product), "/VERYSILENT", "/SUPPRESSMSGBOXES", "/NORESTART", f"/LOG={log}", *registered_arguments(product), *extra]
        case "nsis":
            # its _?= takes the rest of the line (https://nsis.sourceforge.io/Docs/Chapter3.html#installerusageuninstaller)
            return [uninstaller(product), "/S", *extra, *registered_arguments(product)]
    return [uninstaller(product), *extra]


def arguments_line(product: Product, arguments: Sequence[str]) -> str:
    """The arguments in one text, for the program that `uninstall_command` names: Windows Installer's stand as they are."""
    return " ".join(arguments) if product.installer == "msi" else subprocess.list2cmdline(arguments)


def not_understood(product: Product) -> tuple[str, str]:
    """Name and text of what it is registered with, where no program can be made out in it; "" for both when there is nothing."""
    name = "QuietUninstallString" if product.quiet_uninstall_string else "UninstallString"
    return (name, _registered(product)) if _registered(product) else ("", "")


def given(extra: Sequence[str]) -> dict[str, str]:
    """What the task gives the uninstaller besides, for the plan: whoever approves that has seen it. One text, for one may undo another."""
    return {"uninstall_arguments": redaction.arguments(" ".join(extra))} if extra else {}


def meaning(exit_code: int) -> str:
    """done, gone, busy, reboot or failed."""
    return _MEANINGS.get(exit_code, "failed")


def failure(exit_code: int) -> str:
    """An exit code that means failure, for people."""
    return f"exit code {exit_code}" + (f": {_FAILURES[exit_code]}" if exit_code in _FAILURES else "")


def still_at_work(before: Iterable[tuple[str, int]], now: Iterable[tuple[str, int]], program: str) -> list[tuple[str, int]]:
    """Processes (image, pid) that appeared since `before` and are an uninstaller: `program` itself or the copy that does its work."""
    known = {pid for _image, pid in before}
    own = program.rpartition("\\")[2].casefold()
    return [(image, pid) for image, pid in now if pid not in known and (image.casefold() == own or _CHILD.fullmatch(image))]


def files_pending(text: str) -> set[str]:
    r"""The files in PendingFileRenameOperations, as printed, that are more than the temporary copies of uninstallers themselves.

    An uninstaller of Inno Setup or NSIS always leaves its own copy below a Temp folder to the next start; that needs no restart.
    """
    files = {item.lstrip("!") for item in text.split("\\0") if item.lstrip("!").startswith("\\??\\")}
    return {item for item in files if "\\temp\\" not in item.casefold()}


def object_of(host: str, product: Product) -> Object:
    """The product as plans see it."""
    return Object(KIND, product.id(host), product.name, {**product.described(), "installer": product.installer})


def patterns(texts: Sequence[str]) -> list[re.Pattern[str]]:
    """Regular expressions without case. Raises OffboardError `pattern_invalid`."""
    try:
        return [re.compile(text, re.IGNORECASE) for text in texts]
    except re.error as exc:
        raise OffboardError(f"{exc.pattern!r} is not a regular expression: {exc.msg}", code="pattern_invalid") from exc


def why(product: Product, by_name: Sequence[re.Pattern[str]], publishers: Sequence[re.Pattern[str]], folders: Sequence[str] = ()) -> list[str]:
    """Why a product is among those that were looked for; empty when it is not. `folders` are normalised paths."""
    reasons = [f"name matches {item.pattern}" for item in by_name if item.search(product.name)]
    reasons += [f"publisher matches {item.pattern}" for item in publishers if item.search(product.publisher)]
    places = [text.replace("/", "\\").rstrip("\\") for text in (product.install_location.strip('"'), uninstaller(product))]
    return reasons + [f"is in {folder}" for folder in folders if any(within(place, folder) for place in places)]
