# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sign-in addresses Microsoft Entra accepts for a federated domain. Pure: the TXT lookup is handed in.

https://learn.microsoft.com/entra/external-id/direct-federation, and its text of 2020 for the profile `2020`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from .._core.errors import OffboardError
from .._core.names import lower
from .libraries import PublicSuffixList, idna

#: The identity providers that the 2020 text allows for every domain; an organisation's own host lies below most of them
#: (contoso.okta.com), so each stands for itself and the hosts inside it. Not valid for new federations today.
PROVIDERS = (
    "accounts.google.com",
    "pingidentity.com",
    "login.pingone.com",
    "okta.com",
    "oktapreview.com",
    "okta-emea.com",
    "my.salesforce.com",
    "federation.exostar.com",
    "federation.exostartest.com",
)
PROFILES = ("current", "2020")
TXT_KEY = "DirectFedAuthUrl"
#: what is meant as the record, also with quotation marks that a DNS console has not taken for its own, or with another sign for =
_RECORD = re.compile(rf"[\s\"'\u201c]*{TXT_KEY}\b", re.IGNORECASE)

#: what IDNA 2003 took for dots, and the library still does: U+3002 and its like
OTHER_DOTS = re.compile("[\u3002\uff0e\uff61]")

#: letters and marks that show nothing (Default_Ignorable_Code_Point of Unicode, and the Braille pattern without dots)
_FILLERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]")

TxtLookup = Callable[[str], Iterable[str]]

# Scripts that people write together in one word (Unicode TS #39, 5.2, "highly restrictive"). Other mixtures imitate.
_EAST_ASIAN = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO", "HANGUL", "IDEOGRAPHIC"})


@dataclass(frozen=True)
class AddressVerdict:
    """Whether the address may be used for the domain, and by which rule.

    rule, allowed: same_domain, sub_host, provider, txt_record.
    rule, not allowed: domain_invalid, domain_is_public_suffix, url_invalid, url_not_https, url_has_userinfo, url_host_invalid,
    host_not_allowed (profile 2020), txt_record_missing, txt_record_differs, txt_record_unknown (nobody could look).
    txt_record: the record's text that the partner's DNS needs at the domain; None where a record is not needed or does not help.
    """

    allowed: bool
    rule: str
    msg: str
    txt_record: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return asdict(self)


class _Refused(Exception):
    def __init__(self, rule: str, msg: str) -> None:
        super().__init__(msg)
        self.verdict = AddressVerdict(False, rule, msg)


def check(domain: str, url: str, profile: str = "current", lookup: TxtLookup | None = None) -> AddressVerdict:
    """May `url` be the passive sign-in address of the federation for `domain`?

    profile: `current` (the host is the domain or inside it, else a TXT record at the domain names the address) or `2020` (2020: the
    domain or inside it, or one of nine listed providers; no TXT record).
    lookup: gives the TXT records' texts at a domain (an A-label); may raise, which passes through. Called only where a record decides.
    """
    if profile not in PROFILES:
        raise ValueError(f"profile {profile!r} is not one of {', '.join(PROFILES)}")
    try:
        name = ascii_domain(domain)
        address = url.strip()
        host = url_host(address)
    except _Refused as exc:
        return exc.verdict
    if host == name:
        return AddressVerdict(True, "same_domain", f"{host} is the domain itself.")
    if host.endswith(f".{name}"):
        return AddressVerdict(True, "sub_host", f"{host} lies inside {name}.")
    if profile == "2020":
        provider = next((entry for entry in PROVIDERS if host == entry or host.endswith(f".{entry}")), None)
        if provider:
            return AddressVerdict(True, "provider", f"{host} belongs to the listed identity provider {provider}.")
        return AddressVerdict(False, "host_not_allowed", f"{host} is neither {name}, nor inside it, nor a listed identity provider.")
    return _by_txt(name, host, address, lookup)


def _by_txt(name: str, host: str, address: str, lookup: TxtLookup | None) -> AddressVerdict:
    record = f"{TXT_KEY}={address}"
    needed = f"{host} is not inside {name}, so {name} needs the TXT record {record}"
    if lookup is None:
        return AddressVerdict(False, "txt_record_unknown", f"{needed}; it was not looked up.", record)
    found = [text for text in lookup(name) if _RECORD.match(text)]
    values = [value for key, equals, value in (text.strip().partition("=") for text in found) if equals and key.strip().lower() == TXT_KEY.lower()]
    if any(same_address(value.strip(), address) for value in values):
        return AddressVerdict(True, "txt_record", f"The TXT record at {name} names this address.", record)
    if found:
        there = "the record that is there names another address" if values else "the record that is there is written otherwise, such as with marks around it"
        return AddressVerdict(False, "txt_record_differs", f"{needed}; {there}.", record)
    return AddressVerdict(False, "txt_record_missing", f"{needed}; there is none.", record)


def same_address(one: str, other: str) -> bool:
    """Scheme and host in any case; the rest must be equal, because the service's own message asks for the whole address."""

    def folded(address: str) -> str:
        return re.sub(r"^[^/]*//[^/?#]*", lambda match: lower(match[0]), address)

    return folded(one) == folded(other)


def ascii_domain(domain: str) -> str:
    """`domain` as lower-case A-labels without a trailing dot, or a refusal: addresses, single labels, public suffixes."""
    try:
        name = _ascii_name(domain.strip())
    except _Refused as exc:
        raise _Refused("domain_invalid", f"{domain!r} is not a domain: {exc}") from exc
    if _public_suffixes().is_public(name):
        raise _Refused("domain_is_public_suffix", f"{name} is a public suffix: it belongs to no organisation, and everybody may have a host inside it")
    return name


def domain_name(domain: str) -> str:
    """The same, for others: raises OffboardError with domain_invalid or domain_is_public_suffix as its code."""
    try:
        return ascii_domain(domain)
    except _Refused as exc:
        raise OffboardError(f"{exc.verdict.msg}.", code=exc.verdict.rule) from exc


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def url_host(url: str) -> str:
    """The host of an https address as A-labels. Refuses what RFC 3986 readers and browsers understand differently, instead of guessing."""
    return _ascii_name(_host_as_written(url))


def is_usable(url: str) -> bool:
    """Whether a sign-in address is one at all. Hosts that lie in no domain (an IP address, a single label) are told where a domain is asked for."""
    try:
        host = _host_as_written(url)
        return bool(re.fullmatch(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", host)) or bool(_ascii_name(host))
    except _Refused:
        return False


def _host_as_written(url: str) -> str:
    if unseen(url):
        raise _Refused("url_invalid", "the address holds white space, or a control or format character, which nobody sees")
    scheme, colon, rest = url.partition(":")
    if not colon or scheme.lower() != "https":
        raise _Refused("url_not_https", "the address is not https")
    if not rest.startswith("//"):
        raise _Refused("url_invalid", "the address has no host")
    # Up to the first slash, not only to ? or #: https://evil.example#@fabrikam.com/ is one host to some readers and another to others.
    before_path = rest[2:].partition("/")[0]
    if "\\" in before_path:
        raise _Refused("url_host_invalid", "the address has a backslash, which browsers read as a slash")
    if "@" in before_path:
        raise _Refused("url_has_userinfo", "the address holds a user name or an @ before its path")
    address = re.split(r"[?#]", before_path, maxsplit=1)[0]
    literal = re.match(r"\[[^\]]*\]", address)
    host = literal[0] if literal else address.partition(":")[0]
    rest, colon, port = address[len(host) :].partition(":")
    if rest:
        raise _Refused("url_host_invalid", f"{address!r} is not a host")
    if colon and port and not (re.fullmatch(r"[0-9]{1,5}", port) and 1 <= int(port) <= 65535):
        raise _Refused("url_host_invalid", f"{port!r} is not a port")
    return host


def host_name(url: str) -> str:
    """The same, for others: raises OffboardError with the rule as its code."""
    try:
        return url_host(url)
    except _Refused as exc:
        raise OffboardError(f"{exc.verdict.msg}.", code=exc.verdict.rule) from exc


def unseen(url: str) -> bool:
    """Whether there is in it what is not seen, or shown as something else: blanks, control and format characters, halves of a pair, fillers."""
    return any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs") for char in url) or bool(_FILLERS.search(url))


def a_label(domain: str) -> str:
    """A domain that others wrote, as it is compared: lower-case A-labels; what is no name of a domain in small letters only."""
    name = lower(domain)
    if OTHER_DOTS.search(name):
        return name
    try:
        return name if name.isascii() else idna.encode(name).decode("ascii")
    except idna.IDNAError:
        return name


def comparable(text: str) -> str:
    """An id, an issuer or a mail address as it is compared. Not by casefold, for which ß is ss and the Kelvin sign k: other people, other domains."""
    local, at, domain = text.rpartition("@")
    return f"{lower(local)}@{a_label(domain)}" if at and domain else lower(text)


def _ascii_name(name: str) -> str:
    if name.startswith("["):
        raise _Refused("url_host_invalid", f"{name} is an IP address, not a name")
    labels = name.removesuffix(".").split(".")
    if len(labels) < 2:
        raise _Refused("url_host_invalid", f"{name!r} is not a full domain name")
    ascii_labels = [_ascii_label(label) for label in labels]
    if sum(len(label) + 1 for label in ascii_labels) > 254:
        raise _Refused("url_host_invalid", "the name is longer than 253 characters")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", ascii_labels[-1]):  # the last label of an IPv4 address (WHATWG URL, 3.5)
        raise _Refused("url_host_invalid", f"{name} is an IP address, not a name")
    return ".".join(ascii_labels)


def _ascii_label(label: str) -> str:
    label = lower(label)
    if label.isascii():
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label):
            raise _Refused("url_host_invalid", f"{label!r} is not a valid label of a domain name")
        if label.startswith("xn--"):
            try:
                genuine = idna.alabel(idna.ulabel(label)).decode("ascii") == label
            except idna.IDNAError:
                genuine = False
            if not genuine:
                why = "IDNA 2008 forbids what it stands for" if _is_punycode(label) else "but stands for none"
                raise _Refused("url_host_invalid", f"{label!r} looks like an international label, {why}")
        return label
    scripts = {unicodedata.name(char, "UNKNOWN").split()[0] for char in label if char.isalpha()}
    if len(scripts) > 1 and not scripts <= _EAST_ASIAN:
        raise _Refused("url_host_invalid", f"{label!r} mixes letters of different scripts, which look alike")
    try:
        # IDNA 2008 without the mappings of UTS 46: what is not in its final form is refused, not repaired
        return idna.alabel(label).decode("ascii")
    except idna.IDNAError as exc:
        raise _Refused("url_host_invalid", f"{label!r} is not a valid international label: IDNA 2008 forbids it") from exc


def _is_punycode(label: str) -> bool:
    try:
        text = label[4:].encode("ascii").decode("punycode")
        return not text.isascii() and f"xn--{text.encode('punycode').decode('ascii')}" == label
    except (UnicodeError, OverflowError, ValueError):
        return False
