# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains whose people sign in through IIJ ID. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._core import names
from ..._core.heads import some
from ..._core.text import Text
from ..finding import Finding
from ..going_back import Way
from .candidate import Candidate

if TYPE_CHECKING:
    from .judged import Confirmed, Facts


def federated_to_iij(domains: Iterable[Mapping[str, Any]]) -> list[str]:
    """The root domains whose sign-in goes to IIJ ID; those whose configuration cannot be read count, too."""
    return [d["id"] for d in domains if d["authentication_type"] == "Federated" and d["is_root"] and (d.get("federation") or {}).get("idp", "iij") == "iij"]


def unlisted_domains(facts: Facts, confirmed: Confirmed) -> tuple[str, ...]:
    """Root domains that send their people to IIJ ID, and that nobody has confirmed."""
    listed = {names.domain(name) for name in confirmed.domains}
    return tuple(name for name in federated_to_iij(facts.domains or ()) if names.domain(name) not in listed)


def findings(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    if facts.domains is None:
        return
    listed = {names.domain(name) for name in confirmed.domains}
    iij = federated_to_iij(facts.domains)
    forgotten = unlisted_domains(facts, confirmed)
    if forgotten:
        yield Finding(
            "blocker",
            "domain_not_listed",
            Text(
                f"People of {some(forgotten)} sign in through IIJ ID, but microsoft_365_domains does not list them. They would be locked out "
                "when the contract ends. Add them.",
                f"{some(forgotten)} の利用者はIIJ ID経由でサインインしていますが、microsoft_365_domains にありません。"
                "解約後にサインインできなくなります。追加してください。",
            ),
            forgotten,
        )
    affected = tuple(name for name in iij if names.domain(name) in listed)
    if affected:
        parents = set(map(names.domain, affected))
        children = [d["id"] for d in facts.domains if d.get("parent") and names.domain(d["parent"]) in parents]
        yield Finding(
            "info",
            "domains_affected",
            Text(f"Will be converted to managed: {some([*affected, *children])}.", f"マネージドに変換するドメイン: {some([*affected, *children])}"),
            (*affected, *children),
        )
    others = tuple(d["id"] for d in facts.domains if (d.get("federation") or {}).get("idp") == "other")
    if others:
        yield Finding(
            "info",
            "domains_of_others",
            Text(
                f"Federated to another identity provider, left alone: {some(others)}.",
                f"別のIDプロバイダーとフェデレーションしているため変更しないドメイン: {some(others)}",
            ),
            others,
        )


def left(facts: Facts) -> Iterator[Finding]:
    """Those that still do, at the end."""
    for name in federated_to_iij(facts.domains or ()):
        text = Text(f"The domain {name} still sends its people to IIJ ID.", f"ドメイン {name} のサインイン先がまだIIJ IDです。")
        yield Finding("blocker", "domain_federated", text, (name,))


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    yield from left(facts) if final else findings(facts, confirmed)


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """Domains that nobody has confirmed."""
    for name in unlisted_domains(facts, confirmed):
        yield Candidate("microsoft_365_domains", name, Text("People of it sign in through IIJ ID.", "利用者がIIJ ID経由でサインインしています。"))


#: What the exit does to it: kind and action of the changes, by the stage.
WORK = {"domains": (("domain", "convert_to_managed"),)}
#: How what the exit does to it is undone, for the manual.
WAYS = (
    Way(
        Text("domain converted to managed", "ドメインのマネージド化"),
        Text(
            "`restore` with `domains` posts the saved federation configuration again", "`restore` の `domains` が保存済みのフェデレーション設定を再登録します"
        ),
        Text("IIJ ID must still serve it; passwords set meanwhile stay set", "IIJ ID側がまだ動いていること。設定したパスワードは残ります"),
    ),
)
