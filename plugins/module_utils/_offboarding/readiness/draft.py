# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's decisions as a file to take them from: what is confirmed stands as it is, what was found is a comment with its reason. Pure.

A line that begins with `# ` is a candidate: without these two characters it is YAML that can be used as it is. `## ` begins what is only to be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import confirmations, dn, names, plain
from ..._core.kinds import label
from ..._core.text import Text, counted
from .. import phrases
from . import apps, browsers, certificates, clients, group_policies, linux, references
from .domains import unlisted_domains
from .facts import Confirmed, Facts, decided_certificates, decided_policies, linux_decisions
from .judged import DECISIONS, THINGS
from .machines import files_without_product, is_confirmed
from .users import people_to_change


@dataclass(frozen=True)
class Candidate:
    """A value that may belong into a variable, and why."""

    value: Any
    why: Text


#: a key that needs no quotes
_WORD = re.compile(r"[a-z_]+")
#: The variables that the draft names, and what each is for.
VARIABLES: dict[str, Text] = {decision.variable: decision.purpose for decision in DECISIONS if decision.purpose}
#: those of them that hold one value, not a list
_ONE = frozenset(decision.variable for decision in DECISIONS if decision.one)
_HEAD = (
    Text(
        "What preflight has found, as variables. Look at each candidate, take away its '# ', and put the file into your inventory (group_vars/all/).",
        "preflight の結果を変数にしたものです。候補を1つずつ確認し、行頭の「# 」を外して、インベントリー（group_vars/all/）に置いてください。",
    ),
    Text("Values without '# ' are those that you have confirmed already.", "「# 」のない値は確認済みのものです。"),
    Text(
        "Preflight writes this file anew each time: make your changes in a copy.", "このファイルは preflight のたびに作り直されます。コピーを編集してください。"
    ),
)


def draft(facts: Facts, confirmed: Confirmed, variables: Mapping[str, Any], language: str) -> str:
    """The file. variables: what those of VARIABLES hold now."""
    found: dict[str, list[Candidate]] = {}
    for finder in _FINDERS:
        for name, candidate in finder(facts, confirmed, variables):
            if candidate.value not in [known.value for known in found.setdefault(name, [])]:
                found[name].append(candidate)
    lines = ["---", *_comments(_HEAD, language)]
    for name, purpose in VARIABLES.items():
        value, candidates = variables.get(name), found.get(name, [])
        if name not in _ONE and (value is None or isinstance(value, str)):  # microsoft_365_domains may be a text with commas
            value = names.listed(value)
        unused = facts.domains is None and facts.users is None and name.startswith("microsoft_365_")  # its defaults are no decisions
        if (unused or value in (None, "", [], False)) and not candidates:
            continue
        lines += ["", *_comments([purpose], language), *_variable(name, value, candidates, language), *_comments(_cut(name, facts), language)]
    return "\n".join(lines) + "\n"


#: The lists that candidates of a variable come from, where their answer holds the first of them only.
_LISTS = {"microsoft_365_accepted_references": "references", "microsoft_365_accepted_not_looked_at": "not_looked_at"}


def _cut(name: str, facts: Facts) -> list[Text]:
    """That there are more than the candidates that stand here."""
    provisioning = facts.provisioning or {}
    if name == "microsoft_365_also_enable" and provisioning.get("blocked_users"):
        rest = sum(int(item["blocked"]) for item in provisioning["domains"]) - len(provisioning["blocked_users"])
        file = "results/blocked_users.yml"
        return [Text(f"{rest} more are not listed here; all are in {file}.", f"ほかに{rest}人います（全員は {file}）。")] if rest > 0 else []
    more = references.not_listed(facts.references or {}, _LISTS[name]) if name in _LISTS else 0
    if more <= 0:
        return []
    return [Text(f"{more} more are not listed here; all are in results/references.jsonl.", f"ほかに{more}件あります（results/references.jsonl）。")]


def _variable(name: str, value: Any, candidates: Sequence[Candidate], language: str) -> Iterator[str]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield f"{name}:" if value else f"# {name}:"
        yield from (f"  - {_yaml(item)}" for item in value)
        for candidate in candidates:
            yield from _comments([candidate.why], language)
            yield f"#   - {_yaml(candidate.value)}"
        return
    if value not in (None, "", False):
        yield f"{name}: {_yaml(value)}"
    for candidate in candidates[:1]:  # a second one would be the same key once more
        yield from _comments([candidate.why], language)
        yield f"# {name}: {_yaml(candidate.value)}" if value in (None, "", False) else f"## {name}: {_yaml(candidate.value)}"


def _comments(texts: Iterable[Text], language: str) -> list[str]:
    return [plain.line(f"## {line}") for text in texts for line in text.in_language(language)]


def _yaml(value: Any) -> str:
    """A value on one line. Names of strangers are quoted, and templates in them stay text (`!unsafe`) when the file is used."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name if _WORD.fullmatch(str(name)) else _yaml(name)}: {_yaml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    text = str(value)
    if text == plain.line(text) and "\t" not in text:
        quoted = "'" + text.replace("'", "''") + "'"
    else:  # what is hidden is escaped as YAML does; JSON has halves for what YAML has one escape for
        quoted = '"' + plain.line(text.replace("\\", "\\\\").replace('"', '\\"')).replace("\t", "\\t") + '"'
    return f"!unsafe {quoted}" if any(mark in text for mark in ("{{", "{%", "{#")) else quoted


def nearly(candidate: Mapping[str, Any], wanted: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> Text | None:
    """That a confirmed entry means the candidate but for one field, or for case and blanks; None when none does."""
    for entry in wanted:
        other = [name for name in fields if entry.get(name) and entry.get(name) != candidate.get(name)]
        if not other or not set(fields) & {name for name in fields if entry.get(name)}:
            continue
        if all(_folded(entry[name]) == _folded(candidate.get(name)) for name in other):
            return Text(
                f"Differs from the confirmed {_yaml(entry)} only in case or blanks of {', '.join(other)}: correct that one.",
                f"確認済みの {_yaml(entry)} とは {'、'.join(other)} の大文字・小文字または空白だけが異なります。確認済みのものを修正してください。",
            )
        if len(other) == 1 and len([name for name in fields if entry.get(name)]) > 1:
            return Text(f"Differs from the confirmed {_yaml(entry)} only in {other[0]}.", f"確認済みの {_yaml(entry)} とは {other[0]} だけが異なります。")
    return None


def _folded(text: Any) -> str:
    return " ".join(str(text or "").casefold().split())


def _why(reason: Text, near: Text | None) -> Text:
    return Text(f"{reason.en} {near.en}", f"{reason.ja} {near.ja}") if near else reason


Found = Iterator[tuple[str, Candidate]]


def _tenant(facts: Facts, confirmed: Confirmed, variables: Mapping[str, Any]) -> Found:
    for name in unlisted_domains(facts, confirmed):
        yield "microsoft_365_domains", Candidate(name, Text("People of it sign in through IIJ ID.", "利用者がIIJ ID経由でサインインしています。"))
    for app in sorted(apps.candidates(facts, confirmed), key=lambda app: -len(app["why"])):
        why = phrases.reasons(list(app["why"]))
        told = Text(f"{app['display_name']}: {why.en}.", f"{app['display_name']}: {why.ja}")
        one = Text(
            " It belongs into one of three variables: the id of the console, the forgotten ones, or those of others.", "（3つの変数のいずれか1つに指定）"
        )
        for variable in ("offboard_iij_client_id", "microsoft_365_old_client_ids", "microsoft_365_not_iij_client_ids"):
            if variable != "offboard_iij_client_id" or not variables.get(variable):
                yield variable, Candidate(app["client_id"], Text(told.en + one.en, told.ja + one.ja))
    if confirmed.disable_app is False and facts.app is not None and facts.app.enabled:
        yield "microsoft_365_disable_app", Candidate(True, Text("Its app is enabled.", "アプリは有効です。"))
    people = people_to_change(facts, confirmed)
    if confirmed.max_users is not None and people > confirmed.max_users:
        told = Text(
            f"{counted(people, 'user', 'users')} may have to be changed; now it is {confirmed.max_users}.",
            f"変更対象は最大{people}人、現在は{confirmed.max_users}です。",
        )
        yield "microsoft_365_max_users", Candidate(people, told)
    without = sum(int(domain["counts"].get("without_usage_location", 0)) for domain in facts.users or ())
    if without and not confirmed.usage_location:
        yield "microsoft_365_usage_location", Candidate("JP", Text(f"{counted(without, 'user has', 'users have')} none.", f"{without}人に設定がありません。"))


def _blocked(facts: Facts, confirmed: Confirmed, variables: Mapping[str, Any]) -> Found:
    """Who is blocked before the first snapshot: by IIJ ID's stop, as the audit log shows, or since whenever."""
    found = facts.provisioning or {}
    by_stop = {names.user(upn) for upn in found.get("also_enable", ())}
    for upn in found.get("blocked_users", ()):
        why = (
            Text("Blocked by IIJ ID's stop, as the audit log shows.", "監査ログによると、IIJ IDの停止時にブロックされました。")
            if names.user(upn) in by_stop
            else Text("Blocked now; the snapshot would keep that.", "現在ブロック中です。スナップショットはこの状態を保存します。")
        )
        yield "microsoft_365_also_enable", Candidate(upn, why)


def _called(row: Mapping[str, Any]) -> Text:
    """The name of what was found, and what it is; what was not looked at has often no name."""
    what = label(row["kind"])
    return Text(f"{row['name']} ({what.en})", f"{row['name']}（{what.ja}）") if row["name"] else what


def _references(facts: Facts, confirmed: Confirmed, variables: Mapping[str, Any]) -> Found:
    found = facts.references or {}
    accepted = {names.uuid(item) for item in confirmed.accepted_references}
    looked_at = {names.uuid(item) for item in confirmed.accepted_not_looked_at}
    apps = {item.casefold() for item in confirmed.client_ids}
    for row in found.get("references", ()):
        if (
            row["kind"] not in ("internal_federation", "feature_rollout_policy")
            and row["id"].casefold() not in accepted
            and row["client_id"].casefold() not in apps
        ):
            why, called = phrases.reasons(str(row["why"]).split("; ")), _called(row)
            yield (
                "microsoft_365_accepted_references",
                Candidate(row["id"], Text(f"{called.en}: {why.en}", f"{called.ja}: {why.ja}")),
            )
    for row in found.get("not_looked_at", ()):
        value = row["id"] or row["kind"]
        if not {value.casefold(), row["kind"].casefold()} & looked_at:
            called = _called(row)
            told = Text(f"{called.en}: {row['msg']}", f"{called.ja}: {phrases.by_code(row['reason'], row['msg']).ja}")
            yield "microsoft_365_accepted_not_looked_at", Candidate(value, told)


def _machines(facts: Facts, confirmed: Confirmed, variables: Mapping[str, Any]) -> Found:
    if facts.machines == {} and not confirmed.without_machines:
        yield "directory_sync_without_machines", Candidate(True, Text("The group iij_id_agents is empty.", "グループ iij_id_agents が空です。"))
    machines = {name: machine or {} for name, machine in (facts.machines or {}).items()}

    def on(kind: str, value: Callable[[Mapping[str, Any]], Any]) -> Iterator[tuple[Mapping[str, Any], Any, str]]:
        """Each thing once, with the machines that have it."""
        seen = [(item, value(item), name) for name, machine in machines.items() for item in machine.get(kind) or ()]
        for number, (item, shown, _name) in enumerate(seen):
            if shown not in [earlier for _item, earlier, _machine in seen[:number]]:
                yield item, shown, ", ".join(dict.fromkeys(name for _item, other, name in seen if other == shown))

    for product, value, where in on("products", lambda item: {"name": item["name"], "publisher": item.get("publisher") or ""}):
        if not any(is_confirmed(product, wanted) for wanted in confirmed.products):
            near = nearly(value, confirmed.products, ("name", "publisher"))
            yield "directory_sync_products", Candidate(value, _why(Text(f"On {where}.", f"{where} にあります。"), near))
    for task, value, where in on("tasks", lambda item: {"name": item["name"]}):
        actions = [[text] for text in task.get("actions") or ()]
        if not any(confirmations.scheduled_task(task["name"], actions, wanted) for wanted in confirmed.tasks):
            does = "; ".join(text for line in actions for text in line) or "-"
            near = nearly(value, confirmed.tasks, ("name",))
            yield "directory_sync_tasks", Candidate(value, _why(Text(f"On {where}: {does}.", f"{where}: {does}"), near))
    filters = {names.program(name) for name in confirmed.password_filters}
    for item, value, where in on("filters", lambda item: item["name"]):
        if names.program(value) not in filters:
            why = phrases.reasons(list(item["why"]))
            yield "directory_sync_password_filters", Candidate(value, Text(f"On {where}: {why.en}.", f"{where}: {why.ja}"))
    for name in files_without_product(facts, confirmed):
        told = Text("It has tasks or folders of an agent, and no product.", "エージェントのタスクまたはフォルダーがあり、製品はありません。")
        yield "directory_sync_leftovers", Candidate(name, told)


def _directory(facts: Facts, confirmed: Confirmed, variables: Mapping[str, Any]) -> Found:
    if facts.directory_objects is None and (facts.needs_directory or confirmed.accounts):
        options = ", ".join(facts.needs_directory) or "accounts"
        told = Text(f"Needed for {options}; write the name of one.", f"{options} に必要です。ホスト名を記入してください。")
        yield "offboard_directory_host", Candidate("", told)
    for item in facts.directory_objects or ():
        if not any(dn.means(name, item) for name in confirmed.accounts):
            why = phrases.reasons(list(item["found_by"]))
            refused = phrases.joined([phrases.refused(refusal) for refusal in item.get("removal_refusals") or ()], " ", "")
            more = Text(f" Its removal would be refused: {refused.en}", f" 削除は拒否されます: {refused.ja}") if refused.en else Text("", "")
            by_name = all(reason.startswith("servicePrincipalName ") for reason in item["found_by"])
            variable = "integrated_windows_authentication_accounts" if by_name else "directory_sync_accounts"
            yield variable, Candidate(item.get("confirm_as") or item["dn"], Text(f"{item['dn']}: {why.en}.{more.en}", f"{item['dn']}: {why.ja}{more.ja}"))


def _clients(facts: Facts, confirmed: Confirmed, variables: Mapping[str, Any]) -> Found:
    decided = decided_policies(confirmed)
    for edited, policy, mentions in group_policies.to_edit(facts.group_policies or {}, decided):
        if not decided.is_confirmed(edited, policy["guid"]):
            where = group_policies.places(mentions)
            yield edited.variable, Candidate(policy["guid"], Text(f"{policy['name']}: {where}.", f"{policy['name']}: {where}"))
    machines = browsers.with_settings(clients.of(facts.clients or {}, "browsers"))
    if machines and not confirmed.browser_settings:
        policies = ", ".join(browsers.policies_of(clients.of(facts.clients or {}, "browsers"), facts.group_policies or {}))
        told = Text(
            f"{counted(len(machines), 'machine has', 'machines have')} some." + (f" Group policies bring them back: {policies}." if policies else ""),
            f"{len(machines)}台にあります。" + (f"グループポリシーが元に戻します: {policies}。" if policies else ""),
        )
        yield browsers.VARIABLE, Candidate("absent", told)
    for issuer, having in certificates.by_decision(clients.of(facts.clients or {}, "certificates"), decided_certificates(confirmed)).undecided.items():
        yield certificates.CONFIRMED, Candidate(issuer, Text(f"On {clients.some(having)}.", f"{clients.some(having)} にあります。"))


def _linux(facts: Facts, confirmed: Confirmed, variables: Mapping[str, Any]) -> Found:
    for name, value, why in linux.candidates(facts.linux_machines or {}, facts.openldap, linux_decisions(confirmed)):
        yield name, Candidate(value, why)


def _things(facts: Facts, confirmed: Confirmed, variables: Mapping[str, Any]) -> Found:
    for thing in THINGS:
        for name, value, why in thing.propose(facts, confirmed):
            yield name, Candidate(value, why)


_FINDERS = (_tenant, _blocked, _references, _things, _machines, _linux, _directory, _clients)
