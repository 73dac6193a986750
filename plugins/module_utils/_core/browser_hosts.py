# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts in the registry lists by which browsers and Windows sign in by themselves: which entry means a host, and the lists without some. Pure.

Edge, Chrome and Firefox have lists of their own, Windows has zones. Group policies (Registry.pol) and machines hold the same values.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from . import names
from .errors import OffboardError

SZ, EXPAND_SZ, MULTI_SZ = 1, 2, 7
#: Values that hold a list of hosts, and the last part of keys whose values or names are hosts (Edge, Chrome; Firefox, zones), in lower case.
LIST_NAMES = frozenset(("authserverallowlist", "authnegotiatedelegateallowlist", "authserverwhitelist", "authnegotiatedelegatewhitelist"))
NUMBERED_KEYS = tuple(rf"\mozilla\firefox\authentication\{name}" for name in ("spnego", "delegated", "ntlm"))
ZONE_KEY = r"\internet settings\zonemapkey"

ZONE_SWITCH = "listbox_support_zonemapkey"
_BLANK = " \0".encode("utf-16-le")
_ZONE = re.compile(r"\\zonemap\\(?:esc)?domains\\(.+)", re.IGNORECASE)
#: of an entry, what stands around the host; what parts words, none of which is in a host
_AROUND = re.compile(r"^[^/]*://|(?::[\d*]+)?(?:/.*)?$", re.DOTALL)
_WORDS = re.compile(r"[\s,;|<>\"'\[\]\0]+")
_ONE = re.compile(r"[\w*?.-]+", re.ASCII)
#: twice a name's
_LONGEST_PATTERN = 510
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def checked(hosts: Sequence[str]) -> list[str]:
    """Host names in one spelling. Raises OffboardError `bad_option` for what is none, such as a pattern or a top-level domain."""
    result = []
    for host in hosts:
        name = names.host(host)
        if "*" in host or not _HOST.fullmatch(name):
            raise OffboardError(f"hosts: {host!r} is no host name such as idp.example.com; the names below it are meant, too", code="bad_option")
        result.append(name)
    return result


def is_within(entry: str, hosts: Sequence[str]) -> bool:
    """Whether all that the entry means is one of the hosts, or lies below one. `*idp.example.com` counts as what is below idp.example.com."""
    name = names.host(entry)
    # several names in one text end with the last one, and are not that alone
    return bool(_ONE.fullmatch(name)) and names.is_under(name, hosts)


def is_broader(entry: str, hosts: Sequence[str]) -> bool:
    """Whether the entry means one of the hosts and others: `*`, `*.example.com`, `example.com` where that is meant with all below it. A person decides.

    So does a person about one that has a host among other words or signs, such as between semicolons, in quotes or with a port that is none: what the
    browser makes of it is its matter.
    """
    if is_within(entry, hosts):
        return False
    name, pattern = names.host(entry), _AROUND.sub("", names.lower(entry.strip())).replace("[", "[[]")
    if name and (name == "*" or any(names.is_under(host, [name]) for host in hosts)):
        return True
    matched = "*" in pattern and len(pattern) <= _LONGEST_PATTERN and any(fnmatch.fnmatchcase(one, pattern) for host in hosts for one in (host, f"www.{host}"))
    return matched or bool(mentioned(entry, hosts)) or any(is_within(word, hosts) for word in _WORDS.split(entry))


def mentioned(text: str, hosts: Sequence[str]) -> list[str]:
    """The names in any text that are one of the hosts or lie below one, in lower case, in their order, without repetition."""
    if not hosts:
        return []
    any_of = "|".join(re.escape(host) for host in hosts)
    # begun only where a name can begin: else a line of asterisks would be gone through once for each of them
    name = rf"(?<![a-z0-9*_.-])\.?(?:[a-z0-9*_-]+\.)*(?:[a-z0-9*_-]*[*_])?(?:{any_of})(?![a-z0-9-]|\.[a-z0-9])"
    found = re.finditer(name, text.lower())
    return list(dict.fromkeys(match[0] for match in found))


@dataclass(frozen=True)
class Record:
    """One registry value, or a directive in the place of its name. Keys and names are the same without regard to case."""

    key: str
    name: str
    type: int
    data: bytes

    @property
    def text(self) -> str | None:
        """The value of a text type without its end, else None. The texts of a REG_MULTI_SZ are parted by NUL."""
        if self.type not in (SZ, EXPAND_SZ, MULTI_SZ) or len(self.data) % 2:
            return None
        return self.data.decode("utf-16-le", "surrogatepass").rstrip("\0")


def entries(record: Record) -> list[str]:
    """The hosts that a record of a known list, or of a site's own key in a zone map, has, as they are spelled; nothing for any other record."""
    if _site(record):
        return [zone_host(record.key)]
    text = record.text
    if text is None or record.name.startswith("**"):
        return []
    if record.name.casefold() in LIST_NAMES:
        return [item.strip() for item in text.split(",") if item.strip()]
    if _numbered(record):
        return [text.strip()] if text.strip() else []
    return [record.name] if record.key.casefold().endswith(ZONE_KEY) else []


def is_policy_key(key: str) -> bool:
    """Whether values below the key go by themselves when no policy has them any more."""
    folded = key.casefold().strip("\\") + "\\"
    return folded.startswith(("software\\policies\\", "software\\microsoft\\windows\\currentversion\\policies\\"))


def zone_host(key: str) -> str:
    r"""The host of a key that puts a site into a zone (`…\ZoneMap\Domains\example.com\www1.idp`), or nothing."""
    found = _ZONE.search(key)
    return ".".join(reversed([part for part in found[1].split("\\") if part])) if found else ""


def _gone(record: Record) -> list[Record]:
    """What takes the place of a record: outside the policy keys one that deletes the value, which would stay there for ever ([MS-GPREG] 3.2.5)."""
    return [] if is_policy_key(record.key) else [Record(record.key, f"**del.{record.name}", SZ, _BLANK)]


def _list_without(record: Record, hosts: Sequence[str]) -> list[Record]:
    """A value with a list; what stays in it stays as it is spelled."""
    text = record.text or ""
    end = record.data[len(text.encode("utf-16-le", "surrogatepass")) :]
    pieces = text.split(",")
    kept = [piece for piece in pieces if not is_within(piece, hosts)]
    if len(kept) == len(pieces):
        return [record]
    if not any(piece.strip() for piece in kept):
        return _gone(record)
    return [replace(record, data=",".join(kept).strip().encode("utf-16-le", "surrogatepass") + end)]


def _is_directive(record: Record) -> bool:
    return record.name.startswith("**")


def _numbered(record: Record) -> bool:
    return record.key.casefold().endswith(NUMBERED_KEYS) and record.name.isascii() and record.name.isdigit()


def _zone(record: Record) -> bool:
    return record.key.casefold().endswith(ZONE_KEY) and not _is_directive(record)


def _site(record: Record) -> bool:
    """Whether it puts the site of its key into a zone."""
    return bool(zone_host(record.key)) and bool(record.name) and not _is_directive(record)


def _same(key: str) -> str:
    return key.casefold().strip("\\")


def without(records: Iterable[Record], hosts: Sequence[str]) -> list[Record]:
    """The records without what is one of the hosts, or lies below one; everything else in its order and spelling.

    A list that nothing is left of goes as a whole, with the directive that clears it; a site-to-zone list also with its switch, for an enforced empty list
    would keep users from having their own. Firefox's lists are numbered from 1 anew, since it takes no list that begins otherwise.
    """
    listed = list(records)
    result: list[Record] = []
    touched: set[str] = set()
    for record in listed:
        ours = is_within(record.text or "", hosts) if _numbered(record) else _zone(record) and is_within(record.name, hosts)
        if ours:
            touched.add(_same(record.key))
            result += _gone(record)
        elif record.name.casefold() in LIST_NAMES and record.text is not None:
            result += _list_without(record, hosts)
        elif _site(record) and is_within(zone_host(record.key), hosts):
            result += _gone(record)
        else:
            result.append(record)
    return _tidied(result, touched)


def _tidied(records: Sequence[Record], touched: set[str]) -> list[Record]:
    """Of the lists that were touched: those without entries go, and those with numbers are numbered anew."""
    left = {_same(record.key) for record in records if _numbered(record) or _zone(record)}
    empty = {key for key in touched - left if is_policy_key(key)}
    # the switch stands one key above the list
    switches = {key.rpartition("\\")[0] for key in empty if f"\\{key}".endswith(ZONE_KEY)}
    result: list[Record] = []
    counts: dict[str, int] = {}
    renamed: list[Record] = []
    for record in records:
        key = _same(record.key)
        if key in empty and record.name.casefold().startswith("**delvals"):
            continue
        if key in switches and record.name.casefold() == ZONE_SWITCH:
            continue
        if key in touched and _numbered(record):
            counts[key] = counts.get(key, 0) + 1
            record = replace(record, name=str(counts[key]))
            renamed.append(record)
        result.append(record)
    taken = {(_same(record.key), record.name) for record in renamed}
    # a number that an entry has again is not to be deleted
    return [record for record in result if not (record.name.casefold().startswith("**del.") and (_same(record.key), record.name[6:]) in taken)]
