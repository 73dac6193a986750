# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what win_certificate_info has found on the machines of iij_id_browser_machines: device certificates of IIJ ID. Pure.

Who issued them is not published, and other services of IIJ issue certificates too, so only the operator can say which ones are meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..._core import certificate_names
from ..._core.heads import some
from ..._core.text import Text
from ..finding import Finding
from ..going_back import Way
from . import clients
from .candidate import Candidate
from .clients import NAMED

if TYPE_CHECKING:
    from .judged import Confirmed, Facts

CONFIRMED = "multi_factor_authentication_certificates"
KEPT = "multi_factor_authentication_kept_certificates"
LOOKED_FOR = "multi_factor_authentication_certificate_issuers"
_STEP = "device_certificates_deleted"
_LIKE_IIJ = re.compile(r"\bIIJ|Internet Initiative Japan", re.IGNORECASE)

Machines = Mapping[str, Mapping[str, Any]]
#: how many certificates each machine has, by the issuer's distinguished name
Counts = dict[str, Counter[str]]


@dataclass(frozen=True)
class CertificateDecisions:
    """What the operator said: issuers to look for; issuers (whole distinguished names) and thumbprints of what goes, and of what stays."""

    looked_for: Collection[str] = ()
    confirmed: Collection[str] = ()
    kept: Collection[str] = ()

    def goes(self, *names: str) -> bool | None:
        """Whether the certificate of this issuer, and of this thumbprint where it is given, goes; None while nobody has decided. What stays wins."""
        meant = certificate_names.keys(names)
        if certificate_names.keys(self.kept) & meant:
            return False
        return True if certificate_names.keys(self.confirmed) & meant else None

    def names(self, issuer: str) -> bool:
        """Whether the issuer is one that is looked for, so that each of its certificates was listed."""
        return certificate_names.key(issuer) in certificate_names.keys(self.looked_for) | certificate_names.keys(self.confirmed)


@dataclass
class Sorted:
    """Certificates for clients, by what becomes of them."""

    going: Counts = field(default_factory=dict)
    undecided: Counts = field(default_factory=dict)
    #: of issuers that nothing speaks for
    others: Counts = field(default_factory=dict)


def by_decision(machines: Machines, decided: CertificateDecisions) -> Sorted:
    """The certificates of all machines."""
    found = Sorted()
    for name, machine in machines.items():
        listed: Counter[str] = Counter()
        for one in machine.get("certificates") or ():
            if not one.get("why"):
                continue  # nothing was looked for, so that all were listed
            listed[one["issuer"]] += 1
            if (goes := decided.goes(one["issuer"], one["thumbprint"])) is not False:
                _count(found.undecided if goes is None else found.going, one["issuer"], name)
        for row in machine.get("issuers") or ():
            issuer = row["issuer"]
            if not decided.names(issuer) and decided.goes(issuer) is None:
                _count(found.undecided if _LIKE_IIJ.search(issuer) else found.others, issuer, name, int(row["certificates"]) - listed[issuer])
    return found


def _count(to: Counts, issuer: str, machine: str, number: int = 1) -> None:
    if number > 0:
        to.setdefault(issuer, Counter())[machine] += number


def findings(machines: Machines, decided: CertificateDecisions, *, final: bool) -> Iterator[Finding]:
    """`machines`: what was read of each."""
    found = by_decision(machines, decided)
    for issuer, where in found.undecided.items():
        yield _undecided(issuer, where)
    for issuer, where in found.going.items():
        yield _going(issuer, where, final)
    yield from _in_use(machines, decided)
    yield from _unreadable(machines)
    yield from _by_hand(machines, decided)
    if not final:
        yield from _others(found.others)
        yield from _not_found(_unknown(machines, decided) if machines else (), "warning")


def _told(where: Counter[str]) -> Text:
    number, on = where.total(), len(where)
    return Text(
        f"{number} certificate{'' if number == 1 else 's'} on {on} machine{'' if on == 1 else 's'} ({some(where)})", f"{on}台に{number}件（{some(where)}）"
    )


def _undecided(issuer: str, where: Counter[str]) -> Finding:
    told = _told(where)
    return Finding(
        "blocker",
        "certificate_not_confirmed",
        Text(
            f"The issuer '{issuer}' has {told.en} for the authentication of clients, which may be device certificates of IIJ ID. If they are, add '{issuer}' "
            f"to {CONFIRMED}, so that the stage clients removes them with their keys; if they are needed for something else, add it to {KEPT}. To decide about "
            f"each, add it to {LOOKED_FOR}, and then thumbprints.",
            f"発行者 '{issuer}' のクライアント認証用証明書が{told.ja}あります。IIJ IDのデバイス証明書であれば、段階 clients で秘密鍵とともに"
            f"削除するため '{issuer}' を {CONFIRMED} に、ほかの用途で必要であれば {KEPT} に追加してください。"
            f"1件ずつ判断する場合は {LOOKED_FOR} に追加し、拇印を指定してください。",
        ),
        (issuer, *list(where)[:NAMED]),
    )


def _going(issuer: str, where: Counter[str], final: bool) -> Finding:
    told = _told(where)
    if final:
        text = Text(
            f"Device certificates that shall go are still there, of the issuer '{issuer}': {told.en}. Run the stage clients again.",
            f"削除対象のデバイス証明書（発行者 '{issuer}'）が残っています: {told.ja}。段階 clients を再実行してください。",
        )
        return Finding("blocker", "certificate_left", text, (issuer, *list(where)[:NAMED]))
    text = Text(
        f"The stage clients will remove device certificates of the issuer '{issuer}': {told.en}.",
        f"段階 clients で削除するデバイス証明書（発行者 '{issuer}'）: {told.ja}",
    )
    return Finding("info", "certificates_removed", text, (issuer, *list(where)[:NAMED]))


def _in_use(machines: Machines, decided: CertificateDecisions) -> Iterator[Finding]:
    """What the stage would refuse."""
    used: dict[str, list[str]] = {}
    for name, machine in machines.items():
        for one in machine.get("certificates") or ():
            if one.get("used_by") and decided.goes(one["issuer"], one["thumbprint"]):
                used.setdefault(one["thumbprint"], []).append(f"{name}: {', '.join(one['used_by'])}")
    if used:
        shown = some((f"{thumbprint} ({some(where)})" for thumbprint, where in used.items()), between="; ")
        yield Finding(
            "blocker",
            "certificate_in_use",
            Text(
                f"Certificates that shall go are what services of their machines serve with: {shown}. There the stage clients refuses. Give these services "
                f"other certificates, or add the thumbprints to {KEPT}.",
                f"削除対象の証明書をマシンのサービスが使用しています: {shown}。段階 clients で拒否されます。サービスの証明書を変更するか、拇印を {KEPT} に"
                "追加してください。",
            ),
            tuple(list(used)[:NAMED]),
        )


def _unreadable(machines: Machines) -> Iterator[Finding]:
    found = {name: list(machine.get("unreadable") or ()) for name, machine in machines.items() if machine.get("unreadable")}
    if found:
        example = next(iter(found.values()), [""])[0]
        yield Finding(
            "warning",
            "certificates_not_readable",
            Text(
                f"Certificates of {some(found)} cannot be read (such as {example}), so it is not known whose they are, and the stage clients removes nothing "
                "there. Look at them on the machine.",
                f"{some(found)} に読み取れない証明書があります（例: {example}）。発行者が不明なため、段階 clients ではこのマシンの証明書を削除しません。"
                "マシンで確認してください。",
            ),
            tuple(list(found)[:NAMED]),
        )


def _by_hand(machines: Machines, decided: CertificateDecisions) -> Iterator[Finding]:
    """What no module changes: Firefox' own databases, and trust in the authority."""
    databases = [
        f"{name} {one['database']}"
        for name, machine in machines.items()
        for one in machine.get("firefox") or ()
        if not one["readable"] or any(_is_meant(item, decided) for item in one["certificates"])
    ]
    authorities: dict[str, list[str]] = {}
    for name, machine in machines.items():
        for one in machine.get("authorities") or ():
            if decided.goes(one["subject"], one["issuer"]) is not False:
                authorities.setdefault(f"{one['subject']} ({one['place'].rpartition(chr(92))[0]})", []).append(name)
    if databases:
        yield Finding(
            "warning",
            "certificates_in_firefox",
            Text(
                f"Firefox keeps certificates in databases of its own, which only its user can change. They hold such certificates, or cannot be read: "
                f"{some(databases)}. See to them with the step {_STEP}.",
                f"Firefox独自の証明書データベースは利用者本人しか変更できません。該当する証明書があるか、読み取れないもの: {some(databases)}。手順 {_STEP} で"
                "対応してください。",
            ),
            tuple(databases[:NAMED]),
        )
    if authorities:
        shown = some(f"{what}: {some(which)}" for what, which in authorities.items())
        yield Finding(
            "info",
            "certificate_authorities",
            Text(
                f"Machines still trust the certification authority. It stays; a group policy or Intune that distributes it is where it goes: {shown}.",
                f"認証局の証明書が残っています（本ツールでは変更しません。配布元のグループポリシーまたはIntuneで削除してください）: {shown}",
            ),
            tuple(list(authorities)[:NAMED]),
        )


def _is_meant(one: Mapping[str, Any], decided: CertificateDecisions) -> bool:
    if decided.goes(one["issuer"], one["thumbprint"]) is False:
        return False
    return decided.names(one["issuer"]) or _LIKE_IIJ.search(one["issuer"]) is not None


def _others(others: Counts) -> Iterator[Finding]:
    if others:
        shown = some((f"'{issuer}' ({where.total()})" for issuer, where in others.items()), between="; ")
        yield Finding(
            "info",
            "certificate_issuers",
            Text(
                f"Other issuers of certificates for clients: {shown}. If IIJ ID's device certificates come from one of them (an external CA), add it to "
                f"{CONFIRMED}.",
                f"そのほかのクライアント認証用証明書の発行者: {shown}。IIJ IDのデバイス証明書に外部CAを使用している場合は、{CONFIRMED} に追加してください。",
            ),
            tuple(list(others)[:NAMED]),
        )


def _unknown(machines: Machines, decided: CertificateDecisions) -> list[str]:
    """Of what was confirmed, what none of the machines has, in Firefox's store neither."""
    there = {row["issuer"] for machine in machines.values() for row in machine.get("issuers") or ()}
    there |= {one[part] for machine in machines.values() for one in machine.get("certificates") or () for part in ("issuer", "thumbprint")}
    there |= {
        one[part]
        for machine in machines.values()
        for store in machine.get("firefox") or ()
        for one in store.get("certificates") or ()
        for part in ("issuer", "thumbprint")
    }
    spelled = certificate_names.keys(there)
    return [text for text in decided.confirmed if certificate_names.key(text) not in spelled]


def nothing_found(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """A blocker where no machine has any of the certificates that were confirmed; nothing where one was not read, or this run's journal may tell why."""
    machines, said = facts.clients, decided(confirmed)
    if machines is None or "windows_certificate" in facts.begun_kinds or any(not one or one.get("error") for one in machines.values()):
        return
    read = clients.of(machines, "certificates")
    unknown = _unknown(read, said)
    if len(unknown) == len(said.confirmed) and not any(_holds_unread(one) for one in read.values()):
        yield from _not_found(unknown, "blocker")


def _holds_unread(machine: Mapping[str, Any]) -> bool:
    return bool(machine.get("unreadable") or machine.get("authorities_unreadable")) or not all(store["readable"] for store in machine.get("firefox") or ())


def _not_found(unknown: Sequence[str], severity: str) -> Iterator[Finding]:
    """A name that differs by a letter would remove nothing, and nobody would notice."""
    if unknown:
        yield Finding(
            severity,
            "certificate_not_found",
            Text(
                f"No machine that was looked at has a certificate of what {CONFIRMED} names: {some(unknown)}. Copy the issuer whole, as it is shown; take off "
                "the list what is gone already.",
                f"{CONFIRMED} に指定された証明書は、確認したマシンにありません: {some(unknown)}。発行者名は表示どおり、すべて指定してください。"
                "削除済みのものは一覧から外してください。",
            ),
            tuple(unknown[:NAMED]),
        )


def decided(confirmed: Confirmed) -> CertificateDecisions:
    """What was decided about device certificates."""
    return CertificateDecisions(confirmed.certificate_issuers, confirmed.certificates, confirmed.kept_certificates)


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    if facts.clients is not None:
        yield from findings(clients.of(facts.clients, "certificates"), decided(confirmed), final=final)


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """Issuers of which nobody has decided."""
    for issuer, having in by_decision(clients.of(facts.clients or {}, "certificates"), decided(confirmed)).undecided.items():
        yield Candidate(CONFIRMED, issuer, Text(f"On {some(having)}.", f"{some(having)} にあります。"))


#: What the exit does to it: kind and action of the changes, by the stage.
WORK = {"clients": (("windows_certificate", "remove"),)}
#: How what the exit does to it is undone, for the manual.
WAYS = (
    Way(
        Text("device certificate removed", "デバイス証明書の削除"),
        Text("the certificate is in `backups/certificates`; its private key is gone", "証明書は `backups/certificates` にありますが、秘密鍵は戻りません"),
        Text("enrol it again", "発行し直してください"),
    ),
)
