# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way: before the exit begins, and before it may be called finished. Pure.

Every input is what an info module returned; None means that it was not looked at, which is never the same as "nothing there".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

#: blocker: the stage must not go on. warning: a person should decide. info: good to know.
SEVERITIES = ("blocker", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """One fact that matters, in both languages. `code` is lower_snake_case and stable between releases."""

    severity: str
    code: str
    en: str
    ja: str
    objects: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return {**asdict(self), "objects": list(self.objects)}


@dataclass(frozen=True)
class Facts:
    """What was read. Lists and mappings are the return values of the info modules of the same name."""

    domains: Sequence[Mapping[str, Any]] | None = None
    users: Sequence[Mapping[str, Any]] | None = None
    apps: Sequence[Mapping[str, Any]] | None = None
    machines: Mapping[str, Mapping[str, Any] | None] | None = None
    directory_objects: Sequence[Mapping[str, Any]] | None = None
    directory_unusable: Sequence[Mapping[str, Any]] = ()
    dry_runs: Sequence[Mapping[str, Any]] = ()
    steps: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Confirmed:
    """What the operator confirmed in variables."""

    domains: Collection[str] = ()
    client_ids: Collection[str] = ()
    accounts: Collection[str] = ()
    products: Sequence[Mapping[str, Any]] = ()
    password_filters: Collection[str] = ()
    #: the app registration that the tool itself signs in with; by its permissions it looks like IIJ ID's
    own_client_id: str = ""


def _fold(values: Iterable[str]) -> set[str]:
    return {value.casefold() for value in values}


def _names(values: Iterable[str], limit: int = 10) -> str:
    shown = list(values)
    more = f" (+{len(shown) - limit})" if len(shown) > limit else ""
    return ", ".join(shown[:limit]) + more


def federated_to_iij(domains: Iterable[Mapping[str, Any]]) -> list[str]:
    """The root domains whose sign-in goes to IIJ ID; those whose configuration cannot be read count, too."""
    return [d["id"] for d in domains if d["authentication_type"] == "Federated" and d["is_root"] and (d.get("federation") or {}).get("idp", "iij") == "iij"]


def preflight(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """Blockers, warnings and facts before anything is changed."""
    found = [
        *_domains(facts, confirmed),
        *_users(facts),
        *_apps(facts, confirmed),
        *_machines(facts, confirmed),
        *_directory(facts, confirmed),
        *_dry_runs(facts),
    ]
    return sorted(found, key=lambda item: SEVERITIES.index(item.severity))


def _domains(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    if facts.domains is None:
        return
    listed = _fold(confirmed.domains)
    iij = federated_to_iij(facts.domains)
    forgotten = tuple(name for name in iij if name.casefold() not in listed)
    if forgotten:
        yield Finding(
            "blocker",
            "domain_not_listed",
            f"People of {_names(forgotten)} sign in through IIJ ID, but microsoft_365_domains does not list them. They would be locked out "
            "when the contract ends. Add them.",
            f"{_names(forgotten)} の利用者はIIJ ID経由でサインインしていますが、microsoft_365_domains にありません。"
            "解約後にサインインできなくなります。追加してください。",
            forgotten,
        )
    affected = tuple(name for name in iij if name.casefold() in listed)
    if affected:
        children = [d["id"] for d in facts.domains if (d.get("parent") or "").casefold() in _fold(affected)]
        yield Finding(
            "info",
            "domains_affected",
            f"Will be converted to managed: {_names([*affected, *children])}.",
            f"マネージドに変換するドメイン: {_names([*affected, *children])}",
            (*affected, *children),
        )
    others = tuple(d["id"] for d in facts.domains if (d.get("federation") or {}).get("idp") == "other")
    if others:
        yield Finding(
            "info",
            "domains_of_others",
            f"Federated to another identity provider, left alone: {_names(others)}.",
            f"別のIDプロバイダとフェデレーションしているため変更しないドメイン: {_names(others)}",
            others,
        )


def _users(facts: Facts) -> Iterator[Finding]:
    for domain in facts.users or ():
        counts = {name: int(domain["counts"].get(name, 0)) for name in ("total", "blocked", "unlicensed", "without_usage_location", "synced")}
        name = domain["domain"]
        need = counts["total"] - counts["synced"]
        if not counts["total"]:
            continue
        yield Finding(
            "info",
            "users_affected",
            f"{name}: {counts['total']} users; {need} need a password of their own, {counts['synced']} are synchronized from Active Directory and are "
            "served by password hash synchronization or not at all.",
            f"{name}: 利用者{counts['total']}人。{need}人に新しいパスワードが必要。"
            f"{counts['synced']}人はActive Directoryから同期（パスワードハッシュ同期の有無を確認）。",
            (name,),
        )
        if counts["blocked"]:
            yield Finding(
                "warning",
                "users_blocked",
                f"{name}: {counts['blocked']} users are blocked already, {counts['unlicensed']} have no licence. The snapshot keeps that state; name those "
                "who shall work again in microsoft_365_also_enable.",
                f"{name}: すでに{counts['blocked']}人がブロック中、{counts['unlicensed']}人がライセンスなし。スナップショットはこの状態を保存します。"
                "復帰させる利用者は microsoft_365_also_enable に指定してください。",
                (name,),
            )
        if counts["without_usage_location"]:
            yield Finding(
                "warning",
                "users_without_usage_location",
                f"{name}: {counts['without_usage_location']} users have no usage location, without which no licence can be assigned. "
                "Set microsoft_365_usage_location.",
                f"{name}: {counts['without_usage_location']}人に利用場所がなく、ライセンスを割り当てられません。"
                "microsoft_365_usage_location を設定してください。",
                (name,),
            )


def _apps(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    if facts.apps is None:
        return
    listed = _fold(confirmed.client_ids)
    present = _fold(app["client_id"] for app in facts.apps)
    known = {*listed, confirmed.own_client_id.casefold()}
    candidates = [app for app in facts.apps if app.get("why") and app["client_id"].casefold() not in known and not app.get("deleted")]
    for app in candidates:
        yield Finding(
            "warning",
            "app_candidate",
            f"The app registration {app['display_name']} ({app['client_id']}) may be IIJ ID's: {'; '.join(app['why'])}. If the console of IIJ ID shows this "
            "client id, put it into offboard_iij_client_id, or into microsoft_365_old_client_ids for a forgotten one.",
            f"アプリの登録 {app['display_name']}（{app['client_id']}）はIIJ IDのものかもしれません（{'; '.join(app['why'])}）。"
            "IIJ IDコンソールのクライアントIDと一致すれば offboard_iij_client_id に、古いものなら microsoft_365_old_client_ids に指定してください。",
            (app["client_id"],),
        )
    gone = tuple(identity for identity in confirmed.client_ids if identity.casefold() not in present)
    if gone:
        yield Finding(
            "warning",
            "app_not_found",
            f"The tenant has no app registration with the confirmed client id {_names(gone)}. It is gone already, or the id is wrong.",
            f"指定されたクライアントID {_names(gone)} のアプリの登録はテナントにありません（削除済みか、IDの誤り）。",
            gone,
        )


def _machines(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    if facts.machines is None:
        return
    if not facts.machines:
        yield Finding(
            "warning",
            "no_machines",
            "The inventory group iij_id_agents is empty: no Windows machine is looked at.",
            "インベントリのグループ iij_id_agents が空のため、Windowsマシンは確認していません。",
        )
    yield from _unreadable(facts.machines)
    for name, machine in facts.machines.items():
        for product in _products(machine):
            if not any(_is_confirmed(product, wanted) for wanted in confirmed.products):
                label = f"{product['name']} ({product.get('publisher') or '-'})"
                yield Finding(
                    "blocker",
                    "product_not_confirmed",
                    f"{name} has {label}, which looks like an agent of IIJ ID. If it is, add {{name: {product['name']!r}, publisher: "
                    f"{product.get('publisher') or ''!r}}} to directory_sync_products; else name its pattern in directory_sync_name_patterns more narrowly.",
                    f"{name} に {label} があります。IIJ IDのエージェントであれば directory_sync_products に追加し、そうでなければ "
                    "directory_sync_name_patterns を絞ってください。",
                    (name, product["name"]),
                )
        for item in (machine or {}).get("filters") or ():
            if item["name"].casefold() not in _fold(confirmed.password_filters):
                yield Finding(
                    "blocker",
                    "password_filter_not_confirmed",
                    f"{name} has the password filter {item['name']}, which may be Password Sync's: {'; '.join(item['why'])}. If it is, add it to "
                    "directory_sync_password_filters. Other products register filters in the same place.",
                    f"{name} のパスワードフィルター {item['name']} はPassword Syncのものかもしれません（{'; '.join(item['why'])}）。"
                    "そうであれば directory_sync_password_filters に追加してください。",
                    (name, item["name"]),
                )
    agents = [f"{name}: {_names(left)}" for name, machine in facts.machines.items() if (left := agents_left(machine))]
    if agents:
        yield Finding("info", "agents", f"Agents of IIJ ID. {'; '.join(agents)}.", f"IIJ IDのエージェント。{'; '.join(agents)}", tuple(agents))


def _products(machine: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    return (machine or {}).get("products") or ()


def _is_confirmed(product: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if wanted.get("product_code"):
        return str(wanted["product_code"]).casefold() == str(product.get("product_code", "")).casefold()
    return (wanted.get("name"), wanted.get("publisher")) == (product["name"], product.get("publisher"))


def _unreadable(machines: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Finding]:
    for name, machine in machines.items():
        if machine is None or machine.get("error"):
            why = (machine or {}).get("error") or "it was not looked at"
            yield Finding(
                "blocker",
                "machine_not_readable",
                f"{name} could not be looked at: {why}",
                f"{name} を確認できませんでした: {why}",
                (name,),
            )


def agents_left(machine: Mapping[str, Any] | None) -> list[str]:
    """What of the agents is on a machine: products, scheduled tasks, registered password filters, folders."""
    if machine is None or machine.get("error"):
        return []
    products = [product["name"] for product in _products(machine)]
    tasks = [f"task {task['name']}" for task in machine.get("tasks") or ()]
    filters = [f"password filter {item['name']}" for item in machine.get("filters") or ()]
    return [*products, *tasks, *filters, *(f"folder {path}" for path in machine.get("folders") or ())]


def _directory(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    listed = _fold(confirmed.accounts)
    for item in facts.directory_objects or ():
        if item["dn"].casefold() in listed:
            continue
        refused = "; ".join(refusal["msg"] for refusal in item.get("removal_refusals") or ())
        why = "; ".join(item["found_by"])
        yield Finding(
            "warning",
            "account_candidate",
            f"{item['dn']} may have been made for IIJ ID ({why}) and is not confirmed, so it will stay."
            + (f" Its removal would be refused: {refused}" if refused else ""),
            f"{item['dn']} はIIJ IDのために作られた可能性があります（{why}）。確認されていないため残ります。"
            + (f" 削除は拒否されます: {refused}" if refused else ""),
            (item["dn"],),
        )
    for item in facts.directory_unusable:
        yield Finding(
            "warning",
            "account_not_found",
            f"{item['name']} ({'; '.join(item['found_by'])}): {item['msg']}",
            f"{item['name']}（{'; '.join(item['found_by'])}）: {item['msg']}",
            (item["name"],),
        )


def _dry_runs(facts: Facts) -> Iterator[Finding]:
    for run in facts.dry_runs:
        refusals = run["failure"].get("details", {}).get("refusals")
        if not refusals:
            yield Finding(
                "blocker", run["failure"]["code"], f"Stage {run['stage']} would stop: {run['msg']}", f"段階 {run['stage']} が停止します: {run['msg']}"
            )
        for refusal in refusals or ():
            allow = f" Allowed by: {refusal['allow_with']}." if refusal.get("allow_with") else ""
            yield Finding(
                "blocker",
                refusal["rule"],
                f"Stage {run['stage']} would refuse: {refusal['msg']}{allow}",
                f"段階 {run['stage']} で拒否されます: {refusal['msg']}{allow}",
                tuple(refusal.get("objects", ())),
            )


def final_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What still points at IIJ ID or waits for a person. Every finding keeps the gate closed. Facts that are None are not judged."""
    found: list[Finding] = []
    if facts.domains is not None:
        found += [
            Finding(
                "blocker",
                "domain_federated",
                f"The domain {name} still sends its people to IIJ ID.",
                f"ドメイン {name} のサインインはまだIIJ IDに向いています。",
                (name,),
            )
            for name in federated_to_iij(facts.domains)
        ]
    if facts.apps is not None:
        listed = _fold(confirmed.client_ids)
        found += [
            Finding(
                "blocker",
                "app_present",
                f"IIJ ID's app registration {app['display_name']} ({app['client_id']}) is still in the tenant.",
                f"IIJ IDのアプリの登録 {app['display_name']}（{app['client_id']}）がまだテナントにあります。",
                (app["client_id"],),
            )
            for app in facts.apps
            if app["client_id"].casefold() in listed and not app.get("deleted")
        ]
    if facts.machines is not None:
        found += _unreadable(facts.machines)
        for name, machine in facts.machines.items():
            left = agents_left(machine)
            if left:
                found.append(
                    Finding("blocker", "agent_present", f"{name} still has {_names(left)}.", f"{name} にまだ {_names(left)} が残っています。", (name, *left))
                )
    found += [
        Finding(
            "blocker",
            "step_not_done",
            f"Nobody has confirmed the step {step['id']}: {step['en']}",
            f"手順 {step['id']} が確認されていません: {step['ja']}",
            (step["id"],),
        )
        for step in facts.steps or ()
        if step["blocks_final_gate"] and not step["done"]
    ]
    return found


def message(findings: Iterable[Finding]) -> str:
    """The blockers in one line each, for people; empty when there is none."""
    blockers = [item for item in findings if item.severity == "blocker"]
    if not blockers:
        return ""
    head = "1 thing stands in the way" if len(blockers) == 1 else f"{len(blockers)} things stand in the way"
    return f"{head}. " + " | ".join(f"{number}. {item.en} / {item.ja}" for number, item in enumerate(blockers, 1))
