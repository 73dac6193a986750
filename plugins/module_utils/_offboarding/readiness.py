# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way: before the exit begins, and before it may be called finished. Pure.

Every input is what an info module returned; None means that it was not looked at, which is never the same as "nothing there".
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._core import confirmations, dn, gate, names, phrases, plain, quiet
from .._core.heads import few
from .._core.quiet import mostly
from .._core.steps import to_do
from .._core.text import Text, counted
from .._core.times import SKEW
from . import browsers, certificates, clients, group_policies, linux, references, sign_in
from .finding import SEVERITIES, SEVERITY_NAMES, Finding
from .judged import THINGS, Confirmed, Facts


def _fold(values: Iterable[str]) -> set[str]:
    return {names.visible(value).casefold() for value in values}


def _ids(values: Iterable[str]) -> set[str]:
    """Ids that people gave, to look up those that Graph gives in lower case; a word among them stays one."""
    return {names.uuid(value) for value in values}


def _names(values: Iterable[str], limit: int = 10) -> str:
    shown = list(values)
    return few(shown, len(shown), limit)


def _counted(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def federated_to_iij(domains: Iterable[Mapping[str, Any]]) -> list[str]:
    """The root domains whose sign-in goes to IIJ ID; those whose configuration cannot be read count, too."""
    return [d["id"] for d in domains if d["authentication_type"] == "Federated" and d["is_root"] and (d.get("federation") or {}).get("idp", "iij") == "iij"]


def preflight(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """Blockers, warnings and facts before anything is changed."""
    found = [
        *_domains(facts, confirmed),
        *_users(facts, confirmed),
        *_provisioning(facts, confirmed),
        *_max_users(facts, confirmed),
        *_apps(facts, confirmed),
        *_references(facts, confirmed, final=False),
        *_sign_in(facts, confirmed, gate=False),
        *_machines(facts, confirmed),
        *_linux(facts, confirmed, final=False),
        *_directory(facts, confirmed),
        *_clients(facts, confirmed, final=False),
        *_permissions(facts, confirmed),
        *_dry_runs(facts),
        *_export_cut(facts),
    ]
    return sorted(found, key=lambda item: SEVERITIES.index(item.severity))


def _clients(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What IIJ ID left in group policies and on the users' machines."""
    if facts.group_policies is not None:
        yield from group_policies.findings(facts.group_policies, decided_policies(confirmed), final=final)
    if facts.clients is not None:
        yield from clients.not_read(facts.clients, final=final)
        yield from browsers.findings(clients.of(facts.clients, "browsers"), confirmed.browser_settings, final=final)
        yield from certificates.findings(clients.of(facts.clients, "certificates"), decided_certificates(confirmed), final=final)
    for thing in THINGS:
        yield from thing.judge(facts, confirmed, final)


def decided_policies(confirmed: Confirmed) -> group_policies.Decided:
    """What was decided about group policies."""
    of_rights, of_registry = (edited.variable for edited in group_policies.EDITS)
    return group_policies.Decided({of_rights: confirmed.right_policies, of_registry: confirmed.registry_policies}, confirmed.kept_policies)


def decided_certificates(confirmed: Confirmed) -> certificates.Decided:
    """What was decided about device certificates."""
    return certificates.Decided(confirmed.certificate_issuers, confirmed.certificates, confirmed.kept_certificates)


def unlisted_domains(facts: Facts, confirmed: Confirmed) -> tuple[str, ...]:
    """Root domains that send their people to IIJ ID, and that nobody has confirmed."""
    listed = {names.domain(name) for name in confirmed.domains}
    return tuple(name for name in federated_to_iij(facts.domains or ()) if names.domain(name) not in listed)


def _domains(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
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
                f"People of {_names(forgotten)} sign in through IIJ ID, but microsoft_365_domains does not list them. They would be locked out "
                "when the contract ends. Add them.",
                f"{_names(forgotten)} の利用者はIIJ ID経由でサインインしていますが、microsoft_365_domains にありません。"
                "解約後にサインインできなくなります。追加してください。",
            ),
            forgotten,
        )
    affected = tuple(name for name in iij if names.domain(name) in listed)
    if affected:
        children = [d["id"] for d in facts.domains if (d.get("parent") or "").casefold() in _fold(affected)]
        yield Finding(
            "info",
            "domains_affected",
            Text(f"Will be converted to managed: {_names([*affected, *children])}.", f"マネージドに変換するドメイン: {_names([*affected, *children])}"),
            (*affected, *children),
        )
    others = tuple(d["id"] for d in facts.domains if (d.get("federation") or {}).get("idp") == "other")
    if others:
        yield Finding(
            "info",
            "domains_of_others",
            Text(
                f"Federated to another identity provider, left alone: {_names(others)}.",
                f"別のIDプロバイダーとフェデレーションしているため変更しないドメイン: {_names(others)}",
            ),
            others,
        )


def _users(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    for domain in facts.users or ():
        counts = {name: int(domain["counts"].get(name, 0)) for name in ("total", "blocked", "unlicensed", "without_usage_location", "synced")}
        name = domain["domain"]
        need = counts["total"] - counts["synced"]
        if not counts["total"]:
            continue
        synced = (
            Text(
                f" Synchronized from Active Directory, and served by password hash synchronization or not at all: {counts['synced']}.",
                f"{counts['synced']}人はActive Directoryから同期（パスワードハッシュ同期の有無を確認）。",
            )
            if counts["synced"]
            else Text("", "")
        )
        yield Finding(
            "info",
            "users_affected",
            Text(
                f"{name}: {_counted(counts['total'], 'user')}; {need} in need of a password of their own.{synced.en}",
                f"{name}: 利用者{counts['total']}人。{need}人に新しいパスワードが必要。{synced.ja}",
            ),
            (name,),
        )
        if blocked := _still_blocked(facts, confirmed, name, counts["blocked"]):
            who, more = _blocked(facts, name)
            yield Finding(
                "warning",
                "users_blocked",
                Text(
                    f"{name}: blocked already: {_counted(blocked, 'user')}{who.en}; without a licence: {counts['unlicensed']}. The snapshot keeps "
                    "that state; "
                    f"name those who shall work again in microsoft_365_also_enable.{more.en}",
                    f"{name}: すでに{blocked}人がブロック中{who.ja}、{counts['unlicensed']}人がライセンスなし。"
                    "スナップショットはこの状態を保存します。"
                    f"復帰させる利用者は microsoft_365_also_enable に指定してください。{more.ja}",
                ),
                (name,),
            )
        if counts["without_usage_location"] and not confirmed.usage_location:
            yield Finding(
                "warning",
                "users_without_usage_location",
                Text(
                    f"{name}: without a usage location, so that no licence can be assigned: {_counted(counts['without_usage_location'], 'user')}. "
                    "Set microsoft_365_usage_location.",
                    f"{name}: {counts['without_usage_location']}人に利用場所がなく、ライセンスを割り当てられません。"
                    "microsoft_365_usage_location を設定してください。",
                ),
                (name,),
            )


def _still_blocked(facts: Facts, confirmed: Confirmed, domain: str, counted: int) -> int:
    """How many stay blocked by the snapshot. What looked before the first one leaves those out whom also_enable names."""
    seen = [item["blocked"] for item in (facts.provisioning or {}).get("domains") or () if names.domain(item["domain"]) == names.domain(domain)]
    return sum(seen) if seen else 0 if confirmed.also_enable else counted


def _blocked(facts: Facts, domain: str) -> tuple[Text, Text]:
    """Who is blocked in a domain, and where everybody is listed; empty where nobody has looked, since there is a snapshot already."""
    found = facts.provisioning or {}
    here = [upn for upn in found.get("blocked_users", ()) if names.domain(upn.rpartition("@")[2]) == names.domain(domain)]
    if not here:
        return Text("", ""), Text("", "")
    count = max(len(here), *(int(item["blocked"]) for item in found["domains"] if names.domain(item["domain"]) == names.domain(domain)))
    who = few(here, count, len(here))
    file = found.get("blocked_file") if count > len(here) else None
    told = (
        Text(f" All of them are in {file} (written by a run without --check).", f"全員の一覧は {file}（--checkなしの実行で作成）。") if file else Text("", "")
    )
    return Text(f" ({who})", f"（{who}）"), told


def _provisioning(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """A snapshot keeps what it finds for ever: nobody may be in it as blocked who was so by IIJ ID's stop."""
    found = facts.provisioning
    if found is None or found.get("skipped"):
        return
    for domain in found["domains"]:
        name, total, blocked, unlicensed = (domain[key] for key in ("domain", "total", "blocked", "unlicensed"))
        if not mostly(max(blocked, unlicensed), total, confirmed.max_blocked_percent):
            continue
        log = _log(found)
        yield Finding(
            "blocker",
            "mostly_blocked",
            Text(
                f"{name}: of {total} users {blocked} are blocked and {unlicensed} have no licence, and there is no snapshot yet. It would keep that state as "
                f"normal, and nobody would be enabled again. Was IIJ ID's provisioning stopped already? {log.en} If it is right so, raise "
                "microsoft_365_max_blocked_percent.",
                f"{name}: スナップショットがまだない時点で、利用者{total}人のうち{blocked}人がブロックされ、{unlicensed}人にライセンスがありません。"
                "このままでは"
                f"この状態が正常として保存され、復帰できません。IIJ IDのプロビジョニングをすでに停止していませんか。{log.ja}"
                "意図どおりであれば microsoft_365_max_blocked_percent を上げてください。",
            ),
            (name,),
        )


def _log(found: Mapping[str, Any]) -> Text:
    """What the directory's audit log tells of it, and the way out."""
    log = found["log"]
    by_hand = Text(
        "Name those who shall work in microsoft_365_also_enable, and their licences in microsoft_365_users_src.",
        "復帰させる利用者を microsoft_365_also_enable に、ライセンスを microsoft_365_users_src に指定してください。",
    )
    if not log["looked_at"]:
        why = phrases.by_code(str(log.get("code", "")), log["msg"])
        return Text(f"The audit log was not read: {why.en}. {by_hand.en}", f"監査ログを確認できません: {why.ja}。{by_hand.ja}")
    kept = Text(
        f"it reaches back to {log['since']}; Microsoft keeps 30 days, 7 in Entra ID Free",
        f"保存されているのは {log['since']} 以降。Microsoftの保存期間は30日、Entra ID Freeは7日",
    )
    if not found["blocked"] and not found["unlicensed"]:
        return Text(
            f"The audit log shows no block and no removed licence by IIJ ID's app ({kept.en}). {by_hand.en}",
            f"監査ログにはIIJ IDのアプリによるブロックもライセンス解除もありません（{kept.ja}）。{by_hand.ja}",
        )
    told = [
        Text(
            f"The audit log shows that IIJ ID's app blocked {found['blocked']} users ({found['first']} to {found['last']}) and took the licences of "
            f"{found['unlicensed']} ({kept.en}).",
            f"監査ログによると、IIJ IDのアプリが{found['blocked']}人をブロックしました（{found['first']}～{found['last']}）。"
            f"ライセンスを外したのは{found['unlicensed']}人です（{kept.ja}）。",
        )
    ]
    if found["licences_not_told"]:
        told.append(
            Text(
                f"Of {found['licences_not_told']} it does not say which licences; name them in microsoft_365_users_src.",
                f"{found['licences_not_told']}人はどのライセンスか記録がないため、microsoft_365_users_src に指定してください。",
            )
        )
    if found["file"]:
        told.append(
            Text(
                f"They are in {found['file']} (written by a run without --check): take out who shall stay blocked, and run again with -e @{found['file']}.",
                f"一覧は {found['file']}（--checkなしの実行で作成）。ブロックのままでよい利用者を除き、-e @{found['file']} を付けて再実行してください。",
            )
        )
    return Text(" ".join(part.en for part in told), "".join(part.ja for part in told))


def _by_domain(facts: Facts, confirmed: Confirmed) -> dict[str, int]:
    synced = confirmed.synced_password == "set"
    return {domain["domain"]: int(domain["counts"]["total"]) - (0 if synced else int(domain["counts"].get("synced", 0))) for domain in facts.users or ()}


def people_to_change(facts: Facts, confirmed: Confirmed) -> int:
    """How many users one task may have to change, at most."""
    return sum(_by_domain(facts, confirmed).values())


def _max_users(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """Whether the limit lets the later stages do their work: a refused task after the conversion would leave people without a password."""
    if confirmed.max_users is None or not facts.users:
        return
    need = _by_domain(facts, confirmed)
    above = tuple(name for name, number in need.items() if number > confirmed.max_users)
    together = sum(need.values())
    if above and confirmed.passwords != "keep":
        shown = ", ".join(f"{name}: {need[name]}" for name in above)
        yield Finding(
            "blocker",
            "max_users_too_low",
            Text(
                f"More users need a password than one task may change, microsoft_365_max_users ({confirmed.max_users}): {shown}. The domains would be "
                f"converted, and their people would stand there without a password. If the numbers are right, set microsoft_365_max_users to {together}.",
                f"パスワードが必要な利用者の数（{shown}）が、1つのタスクで変更できる上限 microsoft_365_max_users（{confirmed.max_users}）を超えています。"
                "このままではドメインの変換後に利用者がパスワードのないまま残ります。"
                f"人数が正しければ microsoft_365_max_users を {together} にしてください。",
            ),
            above,
        )
    elif together > confirmed.max_users:
        yield Finding(
            "warning",
            "max_users_may_be_too_low",
            Text(
                f"If IIJ ID blocks all {together} users when its provisioning is stopped, their repair will be refused: microsoft_365_max_users is "
                f"{confirmed.max_users}. Set it to {together}.",
                f"プロビジョニングの停止時にIIJ IDが利用者{together}人全員をブロックすると、復旧が拒否されます。"
                f"microsoft_365_max_users は {confirmed.max_users} です。{together} にしてください。",
            ),
            tuple(need),
        )


def _references(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    if facts.references is None:
        return
    yield from references.findings(
        facts.references,
        final=final,
        accepted=_ids(confirmed.accepted_references),
        accepted_not_looked_at=_ids(confirmed.accepted_not_looked_at),
        client_ids=_ids(confirmed.client_ids),
        iij_domains=_fold(federated_to_iij(facts.domains or ())),
        intune_assignments=confirmed.intune_assignments,
    )


def _sign_in(facts: Facts, confirmed: Confirmed, gate: bool) -> Iterator[Finding]:
    if facts.sign_in is not None:
        yield from sign_in.findings(facts.sign_in, gate=gate, accepted_count=confirmed.accepted_no_way_in_count)


def domains_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What forbids to convert the domains: people would be left without a way to sign in. And what should be seen before it."""
    seen = references.before_conversion(facts.references, _ids(confirmed.accepted_references)) if facts.references is not None else ()
    return [*_sign_in(facts, confirmed, gate=True), *seen]


def app_candidates(facts: Facts, confirmed: Confirmed) -> list[Mapping[str, Any]]:
    """Living apps for which something speaks, and of which the operator has not said whose they are."""
    known = {names.uuid(text) for text in (*confirmed.client_ids, *confirmed.not_iij_client_ids, confirmed.own_client_id)}
    return [app for app in facts.apps or () if app.get("why") and names.uuid(app["client_id"]) not in known and not app.get("deleted")]


def _app_candidate(severity: str, app: Mapping[str, Any]) -> Finding:
    why = phrases.reasons(app["why"])
    return Finding(
        severity,
        "app_candidate",
        Text(
            f"The app registration {app['display_name']} ({app['client_id']}) may be IIJ ID's: {why.en}. If the console of IIJ ID shows this "
            "client id, put it into offboard_iij_client_id, or into microsoft_365_old_client_ids for a forgotten one; if it is somebody else's, into "
            "microsoft_365_not_iij_client_ids.",
            f"アプリの登録 {app['display_name']}（{app['client_id']}）はIIJ IDのものかもしれません（{why.ja}）。"
            "IIJ IDコンソールのクライアントIDと一致すれば offboard_iij_client_id に、古いものなら microsoft_365_old_client_ids に、"
            "IIJ IDのものでなければ microsoft_365_not_iij_client_ids に指定してください。",
        ),
        (app["client_id"],),
    )


def _apps(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    if facts.apps is None:
        return
    present = {names.uuid(app["client_id"]) for app in facts.apps}
    if confirmed.disable_app is False and facts.app is not None and facts.app.enabled:
        yield Finding(
            "warning",
            "stop_will_block_people",
            Text(
                "IIJ ID's stop blocks users and takes their licences until the stage users has repaired that. Nobody is blocked when its service principal is "
                "switched off before: set microsoft_365_disable_app: true, run the stage gate, wait until the time that it names (a token issued "
                "before stays good "
                "for up to 90 minutes), and only then stop the provisioning in IIJ ID's console, which will show errors.",
                "IIJ IDのプロビジョニングを停止すると、usersの段階で復旧するまで利用者がブロックされ、ライセンスが外れます。"
                "先にサービスプリンシパルを無効化すれば誰もブロックされません。microsoft_365_disable_app: true としてgateの段階を実行し、示された時刻"
                "（発行済みトークンは最長90分有効）を過ぎてから、IIJ IDコンソールで停止してください。コンソールにはエラーが表示されます。",
            ),
        )
    yield from (_app_candidate("warning", app) for app in app_candidates(facts, confirmed))
    gone = tuple(identity for identity in confirmed.client_ids if names.uuid(identity) not in present)
    if gone:
        yield Finding(
            "warning",
            "app_not_found",
            Text(
                f"The tenant has no app registration with the confirmed client id {_names(gone)}. It is gone already, or the id is wrong.",
                f"指定されたクライアントID {_names(gone)} のアプリの登録はテナントにありません（削除済みか、IDの誤り）。",
            ),
            gone,
        )


def _machines(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    if facts.machines is None:
        return
    yield from _no_machines(facts.machines, confirmed)
    yield from _unreadable(facts.machines)
    yield from _agents_unconfirmed(facts, confirmed)
    filters = {names.program(name) for name in confirmed.password_filters}
    for name, machine in facts.machines.items():
        for item in (machine or {}).get("filters") or ():
            if names.program(item["name"]) not in filters:
                why = phrases.reasons(item["why"])
                yield Finding(
                    "blocker",
                    "password_filter_not_confirmed",
                    Text(
                        f"{name} has the password filter {item['name']}, which may be Password Sync's: {why.en}. If it is, add it to "
                        "directory_sync_password_filters. Other products register filters in the same place.",
                        f"{name} のパスワードフィルター {item['name']} はPassword Syncのものかもしれません（{why.ja}）。"
                        "そうであれば directory_sync_password_filters に追加してください。他社製品のフィルターも同じ場所に登録されます。",
                    ),
                    (name, item["name"]),
                )
    left = {name: agents_left(machine) for name, machine in facts.machines.items()}
    agents = {name: _of_machine(found) for name, found in left.items() if found}
    if agents:
        yield Finding(
            "info",
            "agents",
            Text(
                "Agents of IIJ ID. " + "; ".join(f"{name}: {told.en}" for name, told in agents.items()) + ".",
                "IIJ IDのエージェント — " + "; ".join(f"{name}: {told.ja}" for name, told in agents.items()),
            ),
            tuple(f"{name}: {told.en}" for name, told in agents.items()),
        )


def linux_decisions(confirmed: Confirmed) -> linux.Decisions:
    """What was said of Directory Sync for Linux."""
    files, others = confirmed.linux_files, confirmed.not_iij_linux_files
    return linux.Decisions(confirmed.cron_jobs, files, others, confirmed.openldap_access, confirmed.openldap_entries)


def _linux(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    machines, said = facts.linux_machines or {}, linux_decisions(confirmed)
    yield from _unreadable(machines)
    yield from linux.present(machines, said) if final else linux.preflight(machines, said)
    yield from linux.openldap_present(facts.openldap, said) if final else linux.openldap_preflight(facts.openldap, machines, said)


def linux_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What keeps the step other_directory_servers_clean a person's: nobody has looked, or something of Directory Sync is left."""
    machines = facts.linux_machines or {}
    return [*linux.no_machines(machines), *_unreadable(machines), *linux.present(machines, linux_decisions(confirmed))]


def _of_machine(left: Sequence[str], limit: int = 10) -> Text:
    """What of the agents is on a machine, in words."""
    told = phrases.joined([phrases.understood(item) or Text(item, item) for item in left[:limit]], ", ", "、")
    return Text(f"{told.en} (+{len(left) - limit})", f"{told.ja}（ほか{len(left) - limit}件）") if len(left) > limit else told


def _no_machines(machines: Mapping[str, Any], confirmed: Confirmed) -> Iterator[Finding]:
    if not machines and not confirmed.without_machines:
        yield Finding(
            "blocker",
            "no_machines",
            Text(
                "directory_sync is in offboard_options, but the inventory group iij_id_agents is empty: no Windows machine is looked at. Put the machines with "
                "Directory Sync or Password Sync into it; if there is none, set directory_sync_without_machines: true.",
                "offboard_options に directory_sync がありますが、インベントリーのグループ iij_id_agents が空のため、Windowsマシンは確認していません。"
                "Directory SyncまたはPassword Syncのあるマシンを追加してください。なければ directory_sync_without_machines: true を設定してください。",
            ),
        )


def _agents_unconfirmed(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """Products that nobody confirmed, and tasks or folders whose product nobody confirmed: without it only the files would go."""
    for name, machine in (facts.machines or {}).items():
        unconfirmed = [product for product in _products(machine) if not any(is_confirmed(product, wanted) for wanted in confirmed.products)]
        for product in unconfirmed:
            label = f"{product['name']} ({product.get('publisher') or '-'})"
            yield Finding(
                "blocker",
                "product_not_confirmed",
                Text(
                    f"{name} has {label}, which looks like an agent of IIJ ID. If it is, add {{name: {product['name']!r}, publisher: "
                    f"{product.get('publisher') or ''!r}}} to directory_sync_products; else name its pattern in directory_sync_name_patterns, or its folder in "
                    "directory_sync_folders, more narrowly.",
                    f"{name} に {label} があります。IIJ IDのエージェントと思われます。そうであれば directory_sync_products に {{name: {product['name']!r}, "
                    f"publisher: {product.get('publisher') or ''!r}}} を追加し、そうでなければ directory_sync_name_patterns の名前のパターンまたは "
                    "directory_sync_folders のフォルダーを絞ってください。",
                ),
                (name, product["name"]),
            )
        yield from _tasks_unconfirmed(name, machine, confirmed)
        yield from _tasks_perhaps(name, machine, confirmed)
        left = [] if unconfirmed else _unexplained(name, machine, facts, confirmed)
        if left:
            told = _of_machine(left)
            yield Finding(
                "blocker",
                "agent_without_product",
                Text(
                    f"{name} has {told.en}, but no product of directory_sync_products that belongs to it. The agent may be installed under another name, "
                    "and would stay registered without its files. Find it with win_software_info, and add its name and publisher, or its product_code, to "
                    "directory_sync_products and its name to directory_sync_name_patterns; if it is uninstalled already, add the machine to "
                    "directory_sync_leftovers.",
                    f"{name} に {told.ja} がありますが、対応する製品が directory_sync_products にありません。"
                    "エージェントが別の名前でインストールされている場合、ファイルだけが消えて登録が残ります。"
                    "win_software_info で探し、名前と発行元（または product_code）を directory_sync_products に、名前を directory_sync_name_patterns に"
                    "追加してください。"
                    "すでにアンインストール済みであれば、マシンを directory_sync_leftovers に追加してください。",
                ),
                (name, *left),
            )


def _unexplained(name: str, machine: Mapping[str, Any] | None, facts: Facts, confirmed: Confirmed) -> list[str]:
    """What lies on a machine without its product, unless it is known that the agent is uninstalled already."""
    known = name.casefold() in _fold(confirmed.leftovers) or (machine or {}).get("host", name) in facts.uninstalled_on
    return [] if known else _without_product(machine)


def files_without_product(facts: Facts, confirmed: Confirmed) -> list[str]:
    """Machines with tasks or folders of an agent and no product at all, of which nobody has said that the agent is uninstalled."""
    return [name for name, machine in (facts.machines or {}).items() if not _products(machine) and _unexplained(name, machine, facts, confirmed)]


def _tasks_unconfirmed(name: str, machine: Mapping[str, Any] | None, confirmed: Confirmed) -> Iterator[Finding]:
    """Scheduled tasks that only match: the stages refuse them."""
    for task in (machine or {}).get("tasks") or ():
        actions = [[text] for text in task.get("actions") or ()]
        if any(confirmations.scheduled_task(task["name"], actions, wanted) for wanted in confirmed.tasks):
            continue
        does = "; ".join(text for line in actions for text in line) or "-"
        yield Finding(
            "blocker",
            "task_not_confirmed",
            Text(
                f"{name} has the scheduled task {task['name']} ({does}), which looks like one of IIJ ID's agents. If it is, add {{name: '{task['name']}'}} to "
                "directory_sync_tasks; else add its name to directory_sync_not_iij_tasks.",
                f"{name} のスケジュールタスク {task['name']} （{does}）はIIJ IDのエージェントのものかもしれません。そうであれば directory_sync_tasks に "
                f"{{name: '{task['name']}'}} を、そうでなければ directory_sync_not_iij_tasks に名前を追加してください。",
            ),
            (name, task["name"]),
        )


def _tasks_perhaps(name: str, machine: Mapping[str, Any] | None, confirmed: Confirmed) -> Iterator[Finding]:
    """Scheduled tasks of which nobody can tell whether they start an agent: the stages refuse a confirmed one that is enabled, and leave the others alone."""
    for task in (machine or {}).get("perhaps") or ():
        actions = [[text] for text in task.get("actions") or ()]
        refused = task.get("enabled", True) and any(confirmations.scheduled_task(task["name"], actions, wanted) for wanted in confirmed.tasks)
        why = phrases.reasons(list(task["why"]))
        yield Finding(
            "blocker" if refused else "warning",
            "task_perhaps",
            Text(
                f"{name} has the scheduled task {task['name']}, which may start one of IIJ ID's agents: {why.en}. No stage disables it. If it does, disable it "
                f'by hand (schtasks /change /tn "{task["name"]}" /disable) before freeze, and remove it with the agents; else add its name to '
                "directory_sync_not_iij_tasks.",
                f"{name} のスケジュールタスク {task['name']} がIIJ IDのエージェントを起動している可能性があります（{why.ja}）。どの段階でも無効化されません。"
                f'起動している場合は freeze の前に手動で無効化し（schtasks /change /tn "{task["name"]}" /disable）、エージェントとともに削除してください。'
                "そうでなければ directory_sync_not_iij_tasks に名前を追加してください。",
            ),
            (name, task["name"]),
        )


def _without_product(machine: Mapping[str, Any] | None) -> list[str]:
    """Tasks and folders of a machine without products; else the folders that none of the products lies in, where all have written down their place."""
    products = _products(machine)
    if not products:
        return _files_left(machine)
    if not all(product.get("install_location") for product in products):
        return []
    places = [f"{product.get(name) or ''}\\".casefold() for product in products for name in ("install_location", "uninstall", "quiet_uninstall")]
    return [
        phrases.english("left_folder", name=path)
        for path in (machine or {}).get("folders") or ()
        if not any(f"{path}\\".casefold() in place for place in places)
    ]


def _products(machine: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    return (machine or {}).get("products") or ()


def is_confirmed(product: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether an entry of directory_sync_products means this installed product."""
    if wanted.get("product_code"):
        return names.uuid(str(wanted["product_code"])) == names.uuid(str(product.get("product_code", "")))
    return (wanted.get("name"), wanted.get("publisher")) == (product["name"], product.get("publisher"))


def _unreadable(machines: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Finding]:
    for name, machine in machines.items():
        if machine is None or machine.get("error"):
            why = phrases.by_code(str((machine or {}).get("code") or ""), str((machine or {}).get("error") or phrases.english("not_looked_at")))
            yield Finding(
                "blocker",
                "machine_not_readable",
                Text(f"{name} could not be looked at: {why.en}", f"{name} を確認できませんでした: {why.ja}"),
                (name,),
            )


def agents_left(machine: Mapping[str, Any] | None) -> list[str]:
    """What of the agents is on a machine: products, scheduled tasks, registered password filters, folders."""
    if machine is None or machine.get("error"):
        return []
    products = [product["name"] for product in _products(machine)]
    filters = [phrases.english("left_filter", name=item["name"]) for item in machine.get("filters") or ()]
    return [*products, *filters, *_files_left(machine)]


def _files_left(machine: Mapping[str, Any] | None) -> list[str]:
    tasks = [phrases.english("left_task", name=task["name"]) for task in (machine or {}).get("tasks") or ()]
    return [*tasks, *(phrases.english("left_folder", name=path) for path in (machine or {}).get("folders") or ())]


_STOPPED = "provisioning_stopped"


def provisioning_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What forbids to repair the users: IIJ ID would undo it. Before the stop is confirmed: when it may be done, so that it blocks nobody."""
    app = facts.app or quiet.App()
    step = next((step for step in facts.steps or () if step["id"] == _STOPPED), None)
    until = quiet.token_good_until(app, confirmed.token_minutes, facts.now)
    if step is None or not step["done"]:
        return [_stop_later(app, until, confirmed.token_minutes)] if until else []
    start = quiet.counts_from(step["at"], app, facts.now)
    found = quiet.since(app.activities or (), start)
    return [Finding("blocker", "still_active", gate.still_active(found, phrases.told("since", start=start), until))] if found else []


def _stop_later(app: quiet.App, until: str, minutes: int) -> Finding:
    told = phrases.told("stop_later", at=app.switched_off_at or "", minutes=minutes, until=until, step=_STOPPED)
    return Finding("blocker", "token_may_be_good", told, (_STOPPED,))


def agents_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What forbids to take the agents off these machines."""
    found = [*_unreadable(facts.machines or {}), *_agents_unconfirmed(facts, confirmed)]
    return [*found, *_unreadable(facts.linux_machines or {}), *linux.unconfirmed(facts.linux_machines or {}, linux_decisions(confirmed))]


def agents_left_on(facts: Facts, confirmed: Confirmed, intents: Iterable[Mapping[str, Any]], filter_files: bool = False) -> list[str]:
    """The machines on which the stage agents has something to do, or must not go on: the others are done.

    filter_files: the files of password filters go as well, of which only their names are known.
    """
    begun = list(intents)
    alone = {name: dataclasses.replace(facts, machines={name: found}, linux_machines=None) for name, found in (facts.machines or {}).items()}
    windows = set(alone) if filter_files else set()
    alone |= {name: dataclasses.replace(facts, machines=None, linux_machines={name: found}) for name, found in (facts.linux_machines or {}).items()}
    return [
        name
        for name, of_one in alone.items()
        if name in windows or anything_left(of_one, confirmed, begun) or any(item.severity == "blocker" for item in agents_gate(of_one, confirmed))
    ]


def anything_left(facts: Facts, confirmed: Confirmed, intents: Iterable[Mapping[str, Any]]) -> bool:
    """Whether there is anything to take off one of the machines, or something that a stopped run has begun there, by its intents without an outcome."""
    begun = {str(record["id"]).partition("/")[0] for record in intents}
    windows, said = (facts.machines or {}).items(), linux_decisions(confirmed)
    return any(agents_left(found) or (found or {}).get("named") or (found or {}).get("host", name) in begun for name, found in windows) or any(
        linux.left(found, said) or name in begun for name, found in (facts.linux_machines or {}).items()
    )


def clients_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """Which of the users' machines nobody could look at, so that nothing is taken off them."""
    return list(clients.not_read(facts.clients or {}, final=False))


def clients_left(facts: Facts, confirmed: Confirmed, intents: Iterable[Mapping[str, Any]]) -> list[str]:
    """The users' machines on which the stage clients has something to do: what was decided to go is there, or a stopped run has begun something."""
    machines, begun = facts.clients or {}, {str(record["id"]).partition("/")[0] for record in intents}
    left = {name for name, found in machines.items() if found and not found.get("error") and found.get("host", name) in begun}
    if confirmed.browser_settings == "absent":
        left |= browsers.with_settings(clients.of(machines, "browsers")).keys()
    going = certificates.by_decision(clients.of(machines, "certificates"), decided_certificates(confirmed)).going
    left |= {name for where in going.values() for name in where}
    return [name for name in machines if name in left]


def uninstalled_on(records: Iterable[Mapping[str, Any]]) -> set[str]:
    """The hosts on which a run has begun to uninstall a product, as its journal says: only confirmed ones come so far."""
    ids = (record["id"] for record in records if record.get("record") == "intent" and (record["kind"], record["action"]) == ("windows_software", "uninstall"))
    return {identity.partition("/")[0] for identity in ids}


def _directory_missing(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    if facts.directory_objects is not None:
        return
    if confirmed.accounts:
        accounts = tuple(confirmed.accounts)
        yield Finding(
            "blocker",
            "directory_not_given",
            Text(
                f"{_names(accounts, 3)} shall be disabled or removed, but offboard_directory_host names no domain controller, so nobody can see or "
                "change them. "
                "Set it, or take them out of directory_sync_accounts and integrated_windows_authentication_accounts.",
                f"{_names(accounts, 3)} を無効化または削除する指定ですが、offboard_directory_host にドメインコントローラーがないため、確認も変更もできません。"
                "offboard_directory_host を設定するか、directory_sync_accounts と integrated_windows_authentication_accounts から外してください。",
            ),
            accounts,
        )
    elif facts.needs_directory:
        options = tuple(facts.needs_directory)
        yield Finding(
            "warning",
            "directory_not_given",
            Text(
                f"{_names(options)} made accounts in Active Directory, but offboard_directory_host is empty: Active Directory is left alone, and they stay.",
                f"{_names(options)} はActive Directoryにアカウントを作りますが、offboard_directory_host が空のため、"
                "Active Directoryは確認も変更もせず、アカウントは残ります。",
            ),
            options,
        )


#: Windows' own accounts and groups, by SID or by the part of the name after the backslash
_BUILT_IN = re.compile(
    r"(?i)(S-1-5-(18|19|20|32-\d+|4|11)|S-1-1-0|((NT AUTHORITY|BUILTIN|NT SERVICE)\\.*)|(.*\\)?(SYSTEM|LOCAL SERVICE|NETWORK SERVICE|Administrators|Users))|"
)


def _task_accounts(facts: Facts) -> Iterator[Finding]:
    """Who runs the agents' scheduled tasks. Who is known to Active Directory as a candidate, or confirmed, is not named twice."""
    known = _fold(str(item[name]) for item in facts.directory_objects or () for name in ("sAMAccountName", "objectSid", "userPrincipalName") if item.get(name))
    who: dict[str, list[tuple[str, str]]] = {}
    for machine, found in (facts.machines or {}).items():
        for task in (found or {}).get("tasks") or ():
            account = str(task.get("run_as") or "")
            if not _BUILT_IN.fullmatch(account) and not known & {account.casefold(), account.rpartition("\\")[2].casefold()}:
                who.setdefault(account, []).append((machine, task["name"]))
    for account, places in who.items():
        where = ", ".join(f"{task} ({machine})" for machine, task in places)
        yield Finding(
            "warning",
            "task_account",
            Text(
                f"{account} runs {where}. If it was made for IIJ ID, add its distinguished name to directory_sync_accounts; else it stays.",
                f"{where} は {account} で実行されています。IIJ IDのために作られたアカウントであれば、識別名（DN）を directory_sync_accounts に"
                "追加してください。"
                "追加しなければ残ります。",
            ),
            (account, *(machine for machine, _task in places)),
        )


def _directory(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    yield from _directory_missing(facts, confirmed)
    yield from _task_accounts(facts)
    for item in facts.directory_objects or ():
        if any(dn.means(name, item) for name in confirmed.accounts):
            continue
        confirm = item.get("confirm_as") or item["dn"]
        refused = phrases.joined([phrases.refused(refusal) for refusal in item.get("removal_refusals") or ()], " ", "")
        why = phrases.reasons(item["found_by"])
        yield Finding(
            "warning",
            "account_candidate",
            Text(
                f"{item['dn']} may have been made for IIJ ID ({why.en}) and is not confirmed, so it will stay. Where it was, confirm it as '{confirm}'."
                + (f" Its removal would be refused: {refused.en}" if refused.en else ""),
                f"{item['dn']} はIIJ IDのために作られた可能性があります（{why.ja}）。確認されていないため残ります。該当する場合は '{confirm}' と"
                "して確認してください。" + (f" 削除は拒否されます: {refused.ja}" if refused.ja else ""),
            ),
            (item["dn"],),
        )
    for item in facts.directory_unusable:
        why, msg = phrases.reasons(item["found_by"]), phrases.by_code(str(item.get("code") or ""), item["msg"])
        yield Finding(
            "warning",
            "account_not_found",
            Text(f"{item['name']} ({why.en}): {msg.en}", f"{item['name']}（{why.ja}）: {msg.ja}"),
            (item["name"],),
        )


def _permissions(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """A stage would find it only after the ones before it: domains converted, and no permission to give passwords."""
    left_out = {"generate": {"passes"}, "temporary_access_pass": {"passwords"}}.get(confirmed.passwords, {"passwords", "passes"})
    profiles = [one.get("kind") == "device_configuration" for one in confirmed.intune_assignments]
    left_out |= ({"intune_apps"} if all(profiles) else set()) | ({"intune_profiles"} if not any(profiles) else set())
    for work in (facts.permissions or {}).get("missing", ()):
        if work["work"] in left_out or (work["work"] == "app" and not confirmed.client_ids):
            continue
        stages = ", ".join(work["stages"])
        lacks = [Text(*[", ".join(work["permissions"])] * 2)] if work["permissions"] else []
        if work["roles"]:
            either = ", ".join(work["roles"])
            lacks.append(Text(f"one of the directory roles {either}", f"ディレクトリロール {either} のいずれか"))
        yield Finding(
            "warning",
            "permission_missing",
            Text(
                f"Stage {stages}: the app that signs in (offboard_client_id) lacks {' and '.join(lack.en for lack in lacks)}. Grant that before this stage "
                "(permissions with admin consent), or sign in with another app for it.",
                f"段階 {stages}: サインインに使うアプリ（offboard_client_id）に {' と '.join(lack.ja for lack in lacks)} がありません。"
                "この段階の前に付与する（権限には管理者の同意が必要）か、この段階では別のアプリを使用してください。",
            ),
            (*work["permissions"], *work["roles"]),
        )


def _dry_runs(facts: Facts) -> Iterator[Finding]:
    for run in facts.dry_runs:
        refusals = run["failure"].get("details", {}).get("refusals")
        if not refusals:
            msg = phrases.by_code(run["failure"]["code"], run["msg"])
            yield Finding("blocker", run["failure"]["code"], Text(f"Stage {run['stage']} would stop: {msg.en}", f"段階 {run['stage']} が停止します: {msg.ja}"))
        for refusal in refusals or ():
            told = phrases.refused(refusal)
            yield Finding(
                "blocker",
                refusal["rule"],
                Text(f"Stage {run['stage']} would refuse: {told.en}", f"段階 {run['stage']} で拒否されます: {told.ja}"),
                tuple(refusal.get("objects", ())),
            )


def final_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What still points at IIJ ID, who could not work without it, what waits for a person. Facts that are None are not judged."""
    found: list[Finding] = []
    if facts.domains is not None:
        found += [
            Finding(
                "blocker",
                "domain_federated",
                Text(f"The domain {name} still sends its people to IIJ ID.", f"ドメイン {name} のサインイン先がまだIIJ IDです。"),
                (name,),
            )
            for name in federated_to_iij(facts.domains)
        ]
    if facts.apps is not None:
        listed = {names.uuid(text) for text in confirmed.client_ids}
        found += [
            Finding(
                "blocker",
                "app_present",
                Text(
                    f"IIJ ID's app registration {app['display_name']} ({app['client_id']}) is still in the tenant.",
                    f"IIJ IDのアプリの登録 {app['display_name']}（{app['client_id']}）がまだテナントにあります。",
                ),
                (app["client_id"],),
            )
            for app in facts.apps
            if names.uuid(app["client_id"]) in listed and not app.get("deleted")
        ]
        found += [_app_candidate("blocker", app) for app in app_candidates(facts, confirmed)]
    found += _references(facts, confirmed, final=True)
    if facts.machines is not None:
        found += _no_machines(facts.machines, confirmed)
        found += _unreadable(facts.machines)
        for name, machine in facts.machines.items():
            left = agents_left(machine)
            if left:
                found.append(
                    Finding(
                        "blocker",
                        "agent_present",
                        Text(f"{name} still has {_of_machine(left).en}.", f"{name} にまだ {_of_machine(left).ja} が残っています。"),
                        (name, *left),
                    )
                )
    found += _linux(facts, confirmed, final=True)
    found += _people(facts, confirmed)
    found += _clients(facts, confirmed, final=True)
    found += _directory_missing(facts, confirmed)
    found += [
        Finding(
            "blocker",
            "account_enabled",
            Text(f"{item['dn']}, which was made for IIJ ID, is still enabled.", f"IIJ ID用のアカウント {item['dn']} がまだ有効です。"),
            (item["dn"],),
        )
        for item in facts.directory_objects or ()
        if item.get("enabled") and any(dn.means(name, item) for name in confirmed.accounts)
    ]
    found += [
        Finding(
            "blocker",
            "step_not_done",
            _not_done(step),
            (step["id"],),
        )
        for step in facts.steps or ()
        if step["blocks_final_gate"] and not step["done"]
    ]
    found += _export(facts)
    return sorted(found, key=lambda item: SEVERITIES.index(item.severity))


def _not_done(step: Mapping[str, Any]) -> Text:
    what, name = to_do(step), step["id"]
    if step.get("void"):
        return Text(f"The step {name} is open again: {what.en}", f"手順 {name} は再び未完了です: {what.ja}")
    return Text(f"Nobody has confirmed the step {name}: {what.en}", f"手順 {name} が確認されていません: {what.ja}")


def _export(facts: Facts) -> Iterator[Finding]:
    """What only IIJ ID knows is gone with the contract; afterwards nobody can ask it."""
    if facts.export is None:
        return
    if (latest := facts.export["latest"]) is not None and latest["users"]:
        yield from _export_cut(facts)
        return
    yield Finding(
        "warning",
        "export_missing",
        Text(
            "There is no complete export of IIJ ID with its users in the run folder. With the contract are lost: the users with their attributes in IIJ ID "
            "(external ids, names for linking, readings of names, telephone numbers), the groups and who is in them. Never exported, and lost as well: "
            "settings of custom applications, FIDO2 keys, registrations of external identity providers. Run offboard.iij_id.export while the "
            "contract lasts.",
            "実行フォルダーに、利用者を含むIIJ IDの完全なエクスポートがありません。解約で失われるもの: IIJ IDの利用者とその属性（外部ID、連携用の名前、"
            "ふりがな、電話番号など）、グループとそのメンバー。エクスポートできず、同じく失われるもの: カスタムアプリケーションの設定、FIDO2キー、"
            "外部IDプロバイダーの登録。"
            "契約中に offboard.iij_id.export を実行してください。",
        ),
    )


def _export_cut(facts: Facts) -> Iterator[Finding]:
    """A complete export is one of all users and groups; who is in the groups may still be cut. An export that does not say was not looked at."""
    latest = (facts.export or {}).get("latest") or {}
    if not latest.get("groups"):
        return
    cut, unchecked = (latest.get(name) for name in ("groups_cut", "groups_not_checked"))
    if cut:
        yield Finding(
            "warning",
            "export_cut",
            Text(
                f"In the newest export of IIJ ID {_counted(cut, 'group')} of {latest['groups']} lack members whom its users name: the service cut their lists. "
                "What is known of these stands with the users only (groups in users.jsonl and users.csv), and nobody knows whether that is all. Export the "
                "members of the groups in IIJ ID's console (CSV) while the contract lasts.",
                f"IIJ IDの最新のエクスポートでは、{latest['groups']}グループ中{cut}グループで、利用者側に記載のあるメンバーが欠けています"
                "（サービスが一覧を切り詰めました）。"
                "わかっている所属は利用者側（users.jsonl と users.csv の groups）にしかなく、それで全部かどうかはわかりません。"
                "契約中にIIJ IDコンソールでグループメンバーをCSVエクスポートしてください。",
            ),
        )
    if cut is None or unchecked is None or unchecked:
        yield Finding(
            "warning",
            "export_cut",
            Text(
                f"Nothing tells whether the newest export of IIJ ID has all members of its {_counted(latest['groups'], 'group')}: it does not show which "
                "groups the users are in. Export the members of the groups in IIJ ID's console (CSV) while the contract lasts, and compare.",
                f"IIJ IDの最新のエクスポートに、{latest['groups']}グループの全メンバーがあるか確認できません（利用者の所属グループが示されていません）。"
                "契約中にIIJ IDコンソールでグループメンバーをCSVエクスポートし、比較してください。",
            ),
        )


#: where the role has the same module write everybody
_PEOPLE_FILE = "results/users_readiness.jsonl"
#: What entra_users_readiness_info tells of users: severity, the sentence (what is so, and the way out).
_PEOPLE = {
    "user_blocked": (
        "blocker",
        Text(
            "are blocked, but were enabled in the snapshot or are named to be enabled. Run the stage users again; leave out by microsoft_365_exclude who shall "
            "stay blocked",
            "はスナップショットでは有効（または有効にする指定）ですが、ブロックされています。usersの段階を再実行してください。ブロックのままでよい利用者は "
            "microsoft_365_exclude に指定してください",
        ),
    ),
    "user_enabled_not_meant": (
        "blocker",
        Text(
            "are enabled, but were blocked in the snapshot. Block them, or name them in microsoft_365_also_enable",
            "はスナップショットではブロックされていましたが、有効になっています。ブロックするか、microsoft_365_also_enable に指定してください",
        ),
    ),
    "licence_missing": (
        "blocker",
        Text(
            "do not have the licences that they had in the snapshot, or that microsoft_365_users_src names. Run the stage users again, and see "
            "results/users.jsonl for those that were refused; who shall have others is said in microsoft_365_users_src",
            "にはスナップショット（または microsoft_365_users_src）のライセンスがありません。usersの段階を再実行し、拒否された利用者は results/users.jsonl を"
            "確認してください。別のライセンスにする利用者は microsoft_365_users_src に指定してください",
        ),
    ),
    "licence_not_as_meant": (
        "warning",
        Text("have other licences or service plans than meant", "のライセンスまたはサービスプランが意図と異なります"),
    ),
    "licence_gone": (
        "warning",
        Text("had a licence in the snapshot that the tenant has no longer", "がスナップショット時に持っていたライセンスは、テナントにもうありません"),
    ),
    "user_gone": ("warning", Text("are in the snapshot, and not in the tenant any more", "はスナップショットにありますが、テナントにもういません")),
    "domain_is_federated": ("blocker", Text("are in a domain that is still federated", "のドメインはまだフェデレーションされています")),
    "no_way_to_sign_in": (
        "blocker",
        Text(
            "are enabled, and nothing shows a way to sign in: no password that was set since their domain was converted, and no pass. Run the stage "
            "passwords for "
            "their domain; who signs in otherwise is named in microsoft_365_signs_in_otherwise",
            "は有効ですが、サインインの手段を確認できません（ドメイン変換後に設定したパスワードも、パスもありません）。passwordsの段階を再実行してください。"
            "別の方法でサインインする利用者は microsoft_365_signs_in_otherwise に指定してください",
        ),
    ),
    "access_pass_ended": (
        "blocker",
        Text(
            "were given a Temporary Access Pass that has ended, and no password. Give them another one; who has registered another method is named in "
            "microsoft_365_signs_in_otherwise",
            "の一時アクセスパスは期限切れで、パスワードもありません。新しいパスを発行するか、別の方法を登録済みなら microsoft_365_signs_in_otherwise に"
            "指定してください",
        ),
    ),
}


def _people(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """Each user of the exit: enabled as meant, licensed as meant, a way to sign in."""
    people = facts.people
    if people is None:
        return
    if not people["snapshot_taken"]:
        yield Finding(
            "blocker",
            "users_not_compared",
            Text(
                "There is no snapshot to compare the users with, so nobody can say who shall be enabled and licensed. Name the run folder that has it by "
                "offboard_run_dir.",
                "利用者を比較するスナップショットがなく、誰が有効でライセンスを持つべきか判断できません。offboard_run_dir に"
                "スナップショットのある実行フォルダーを"
                "指定してください。",
            ),
        )
    done = {step["id"] for step in facts.steps or () if step["done"]}
    for code, count in people["counts"].items():
        names = tuple(item["name"] for item in people["exceptions"] if item["code"] == code)
        yield _of_people(code, int(count), names, done, people, facts.now)
    for domain in people["domains"]:
        if mostly(domain["stays_blocked"], domain["total"], confirmed.max_blocked_percent):
            name, blocked, total = domain["domain"], domain["stays_blocked"], domain["total"]
            yield Finding(
                "blocker",
                "mostly_blocked",
                Text(
                    f"{name}: {blocked} of {total} users are blocked, and the snapshot says that they were before the exit. Was it taken after IIJ "
                    "ID's stop had "
                    "blocked them? Name those who shall work in microsoft_365_also_enable and run the stage users; if it is right so, raise "
                    "microsoft_365_max_blocked_percent.",
                    f"{name}: 利用者{total}人のうち{blocked}人がブロックされており、スナップショットでも同じです。プロビジョニング停止後に"
                    "スナップショットをとった"
                    "可能性があります。復帰させる利用者を microsoft_365_also_enable に指定してusersの段階を実行してください。意図どおりであれば "
                    "microsoft_365_max_blocked_percent を上げてください。",
                ),
                (name,),
            )
    if people["left_alone"]:
        left = people["left_alone"]
        yield Finding(
            "info",
            "users_left_alone",
            Text(
                f"{counted(left, 'user', 'users')} of microsoft_365_exclude {'was' if left == 1 else 'were'} not judged.",
                f"microsoft_365_exclude の{left}人は確認していません。",
            ),
        )


#: Entra Connect synchronizes every 30 minutes by default (Microsoft, "Microsoft Entra Connect Sync: Scheduler"): so late, it has failed many times.
_SYNC_HOURS = 24


def _late(last: str | None, now: str) -> bool:
    """Whether the tenant's last synchronization is missing, or too long ago for password hashes to be the users'."""
    age = datetime.datetime.fromisoformat(now) - datetime.datetime.fromisoformat(last) if last else None
    return age is None or not -SKEW <= age <= datetime.timedelta(hours=_SYNC_HOURS)


def _of_people(code: str, count: int, names: tuple[str, ...], done: Collection[str], people: Mapping[str, Any], now: str) -> Finding:
    shown, more = few(names, count), Text("", "")
    if count > min(len(names), 10):
        more = Text(f" All are in {_PEOPLE_FILE}.", f"。全員の一覧は {_PEOPLE_FILE} にあります。")
    word = Text("", "")
    if code == "administrator_without_password":
        severity = "warning" if "administrators_have_passwords" in done else "blocker"
        told = Text(
            "are administrators, whom the tool may not give a password, and nothing shows one that was set since their domain was converted",
            "は管理者で、本ツールはパスワードを設定できず、ドメイン変換後のパスワードも確認できません",
        )
        word = Text("; the step administrators_have_passwords is all that speaks for them", "（手順 administrators_have_passwords の確認のみ）")
    elif code == "password_is_synced":
        severity, word = _hashes(done, people["synchronization"], now)
        told = Text(
            "sign in with their Active Directory password, if its hash is synchronized",
            "はパスワードハッシュ同期によりActive Directoryのパスワードでサインインします",
        )
    else:
        severity, told = _PEOPLE[code]
    who = f"{count} users {told.en}" if count > 1 else f"1 user {_of_one(told.en)}"
    return Finding(severity, code, Text(f"{who}{word.en}: {shown}.{more.en}", f"{count}人{told.ja}{word.ja}: {shown}{more.ja}"), names)


#: What becomes of these words at the beginning, and after a comma, where the sentence is of one user.
_ONE = {"are": "is", "were": "was", "do": "does", "have": "has", "sign": "signs"}


def _of_one(told: str) -> str:
    """What is told of several users, of one."""
    said = re.sub(r"^(are|were|do|have|sign)\b", lambda found: _ONE[found[1]], told)
    said = re.sub(r"(?<=, but )(are|were)\b|(?<= or )(are)\b", lambda found: _ONE[found[0]], said, count=2)
    return said.replace("is administrators, whom", "is an administrator, whom")


def _hashes(done: Collection[str], synchronization: Mapping[str, Any], now: str) -> tuple[str, Text]:
    """The severity, and what speaks for it, that users have the password of Active Directory."""
    if "password_hash_sync_verified" not in done or not synchronization["enabled"]:
        return "blocker", Text(
            ", but the step password_hash_sync_verified is not confirmed, or the tenant is synchronized no longer",
            "が、手順 password_hash_sync_verified が未確認か、テナントの同期が停止しています",
        )
    said = Text("; the step password_hash_sync_verified says so", "（手順 password_hash_sync_verified の確認による）")
    last = synchronization["last"]
    if not _late(last, now):
        return "info", said
    if not last:
        return "warning", Text(f"{said.en}, but the tenant never was", "（手順 password_hash_sync_verified の確認によるが、同期の記録なし）")
    return "warning", Text(
        f"{said.en}, but the tenant was last synchronized at {last}, more than {_SYNC_HOURS} hours ago",
        f"（手順 password_hash_sync_verified の確認によるが、最終同期 {last} から {_SYNC_HOURS} 時間以上経過）",
    )


def lines(findings: Iterable[Finding], language: str) -> list[str]:
    """What people read of the findings, one line a point and language: how grave it is, and the point with its way out."""
    told = [(SEVERITY_NAMES[item.severity], item.text) for item in findings]
    return [
        plain.line(f"[{name}] {text}") for names, texts in told for name, text in zip(names.in_language(language), texts.in_language(language), strict=True)
    ]


#: What is told when nothing stands in the way.
_NOTHING = {
    False: Text("Nothing stands in the way.", "妨げになるものはありません。"),
    True: Text("Nothing points at IIJ ID any more, and everybody has a way to sign in.", "IIJ IDを参照するものはなく、全員にサインインの手段があります。"),
}


def verdict(findings: Iterable[Finding], language: str, final: bool = False) -> str:
    """How much stands in the way, in one line; the findings are told elsewhere."""
    number = sum(item.severity == "blocker" for item in findings)
    things = "1 thing stands in the way." if number == 1 else f"{number} things stand in the way."
    told = Text(things, f"{number}件の要対応の項目があります。") if number else _NOTHING[final]
    return " / ".join(told.in_language(language))


def message(findings: Iterable[Finding], language: str) -> str:
    """The blockers on one line, for people; empty when there is none."""
    blockers = [item for item in findings if item.severity == "blocker"]
    numbered = (f"{number}. {' / '.join(item.text.in_language(language))}" for number, item in enumerate(blockers, 1))
    return f"{verdict(blockers, language)} {' | '.join(numbered)}" if blockers else ""
