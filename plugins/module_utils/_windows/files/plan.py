# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders, pure: which paths may be removed at all, what cmd.exe says is there, values out of a YAML file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import foreign_yaml
from ..._core.errors import OffboardError
from ..._core.machine_ids import on_host
from ..._core.model import Object
from ..paths import quoted

KIND = "windows_file"
#: Default install folders of Directory Sync and Password Sync (IIJ's manual); what the uninstallers leave behind lies in them.
DEFAULT_ALLOWED_ROOTS = (
    r"C:\Program Files\IIJ ID Service Directory Sync",
    r"C:\Program Files\IIJ ID Service Password Sync",
    r"C:\Program Files (x86)\IIJ ID Service Directory Sync",
    r"C:\Program Files (x86)\IIJ ID Service Password Sync",
)
_NAMES_SHOWN = 100
_MAX_YAML_BYTES = 1_000_000

# letters of `for`'s %~a: directory, read only, archive, hidden, system, ..., l for a reparse point
_LINE = re.compile(r"(?P<attributes>[a-z-]{6,})? ?(?P<size>\d+)? (?P<path>[A-Za-z]:\\.*)")
_SECRET = re.compile(r"pass(?!ive)|pwd|secret|token|credential|private|(api|access|client)_?key|パスワード|秘密", re.IGNORECASE)


@dataclass(frozen=True)
class ListedPath:
    """A file or folder as cmd.exe sees it; `attributes` is empty when there is none."""

    path: str
    attributes: str
    size: int

    @property
    def exists(self) -> bool:
        return bool(self.attributes)

    @property
    def is_folder(self) -> bool:
        return self.attributes.startswith("d")

    @property
    def hidden(self) -> bool:
        return "h" in self.attributes

    @property
    def read_only(self) -> bool:
        return "r" in self.attributes

    @property
    def is_link(self) -> bool:
        """A reparse point: what is below may lie elsewhere."""
        return "l" in self.attributes


def normalised(path: str) -> str:
    r"""An absolute path with single backslashes and none at the end.

    Raises OffboardError `path_invalid` for everything that could mean another place than it says: relative parts, network and device paths,
    wildcards, environment variables, streams, short (8.3) names, trailing dots and blanks, which Windows drops.
    """
    text = path.replace("/", "\\")
    quoted(text)  # for its check
    parts = text.rstrip("\\").split("\\")
    if not re.fullmatch(r"[A-Za-z]:", parts[0]) or text.startswith("\\\\"):
        raise OffboardError(f"{path!r} is not an absolute path with a drive letter", code="path_invalid", details={"path": path})
    for part in parts[1:]:
        if part in (".", "..", "") or ":" in part or part != part.rstrip(". ") or re.search(r"~\d", part):
            raise OffboardError(
                f"{path!r}: {part!r} is not a plain name (no relative parts, streams, short names, trailing dots or blanks)",
                code="path_invalid",
                details={"path": path},
            )
    return "\\".join([parts[0].upper(), *parts[1:]])


def within(path: str, root: str) -> bool:
    """Whether a normalised path is `root` or below it."""
    return (path.casefold() + "\\").startswith(root.casefold() + "\\")


def above(path: str) -> list[str]:
    """The folders above a normalised path, without the drive."""
    parts = path.split("\\")
    return ["\\".join(parts[:length]) for length in range(2, len(parts))]


def check_allowed_roots(roots: Iterable[str], system_root: str) -> list[str]:
    """The roots, normalised. Raises OffboardError `allowed_root_refused` for a folder that must not be emptied, whatever the task says."""
    checked = []
    drive = system_root[:2]
    kept = [drive + name for name in (r"\Program Files", r"\Program Files (x86)", r"\ProgramData", r"\Users", r"\Program Files\Common Files")]
    for given in roots:
        root = normalised(given)
        is_profile = within(root, rf"{drive}\Users") and root.count("\\") < 3
        if "\\" not in root or within(root, system_root) or is_profile or any(within(folder, root) for folder in (*kept, system_root)):
            raise OffboardError(
                f"allowed_roots: {given!r} is refused: drives, Windows' own folders, Program Files, ProgramData and users' folders are not removed as a whole",
                code="allowed_root_refused",
            )
        checked.append(root)
    return checked


def listing(text: str) -> list[ListedPath]:
    """What `for ... do @echo %~af %~zf %~ff` printed. Raises OffboardError `listing_unreadable`."""
    entries = []
    for line in text.splitlines():
        if not line.strip():
            continue
        found = _LINE.fullmatch(line)
        if not found:
            raise OffboardError(f"cmd.exe printed something that is no file: {line!r}", code="listing_unreadable")
        entries.append(ListedPath(found["path"].rstrip(), found["attributes"] or "", int(found["size"] or 0)))
    return entries


def object_of(host: str, entry: ListedPath, below: Sequence[ListedPath]) -> Object:
    """A file or folder with what is in it, as plans see it. No contents."""
    files = [item for item in below if not item.is_folder] if entry.is_folder else [entry]
    names = [item.path[len(entry.path) + 1 :] for item in below]
    state = {
        "is_dir": entry.is_folder,
        "files": len(files),
        "hidden": sum(item.hidden for item in (entry, *below)),
        "bytes": sum(item.size for item in files),
        "children": names[:_NAMES_SHOWN],
    }
    if entry.is_folder:  # whoever approves the removal has seen these
        top = [name for name in names if "\\" not in name]
        rest = hashlib.sha256("\n".join(top[_NAMES_SHOWN:]).encode(errors="surrogatepass")).hexdigest()
        state["top"] = top[:_NAMES_SHOWN] + ([f"({len(top) - _NAMES_SHOWN} more, {rest[:12]})"] if len(top) > _NAMES_SHOWN else [])
    return Object(KIND, on_host(host, entry.path), entry.path, state)


def check_secret_names(names: Mapping[str, str]) -> None:
    """Raises OffboardError `secret_refused` when a value that looks like a secret is asked for."""
    for text in names.values():
        if found := _SECRET.search(text):
            raise OffboardError(f"yaml_values: {text!r} looks like a secret ({found[0]!r}), and secrets are never returned", code="secret_refused")


def yaml_values(text: str, names: Mapping[str, str], path: str) -> dict[str, Any]:
    """The named values of a YAML document as texts, null where there is none; keys may be Ruby symbols (`:ad:`).

    Raises OffboardError `config_unreadable` (without a word of the content), `not_a_value` when a name leads to a mapping, which might hold a secret.
    """
    if len(text) > _MAX_YAML_BYTES:
        raise OffboardError(f"{path} is too long for a configuration file", code="config_unreadable")
    try:
        document = foreign_yaml.load(text)
    except ValueError as exc:
        raise OffboardError(f"{path} is {exc}", code="config_unreadable") from None
    return {name: _value(document, dotted, path) for name, dotted in names.items()}


def _value(document: Any, dotted: str, path: str) -> Any:
    current = document
    for part in dotted.split("."):
        if isinstance(current, list) and re.fullmatch("[0-9]{1,9}", part):
            current = current[int(part)] if int(part) < len(current) else None
        elif isinstance(current, dict):
            current = next((value for key, value in current.items() if str(key).lstrip(":") == part), None)
        else:
            return None
    items = current if isinstance(current, list) else [current]
    if any(isinstance(item, dict | list) for item in items):
        raise OffboardError(f"{path}: {dotted} is not a value or a list of values; name what is below it", code="not_a_value")
    found = [None if item in foreign_yaml.NULL else item for item in items]
    return found if isinstance(current, list) else found[0]
