# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents on Windows machines: what was found, what nobody has confirmed, what is left. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..._core import confirmations, names, redaction
from ..._core.heads import some
from ..._core.machine_ids import host_of
from ..._core.text import Text
from .. import phrases
from ..finding import Finding
from ..going_back import Way
from .candidate import Candidate, nearly, with_hint

if TYPE_CHECKING:
    from .judged import Confirmed, Facts


def findings(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    if facts.machines is None:
        return
    yield from _none_given(facts.machines, confirmed)
    yield from unreadable(facts.machines)
    yield from unconfirmed(facts, confirmed)
    if facts.machines or confirmed.without_machines:  # else the inventory is to be seen to first
        yield from not_found(_unknown(facts, confirmed))
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
    agents = {name: phrases.first_of(found) for name, found in left.items() if found}
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


def _none_given(machines: Mapping[str, Any], confirmed: Confirmed) -> Iterator[Finding]:
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


def unconfirmed(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
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
        yield from _per_user(name, machine)
        yield from _tasks_unconfirmed(name, machine, confirmed)
        yield from _tasks_perhaps(name, machine, confirmed)
        left = [] if unconfirmed else _unexplained(name, machine, facts, confirmed)
        if left:
            told = phrases.first_of(left)
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


def _per_user(name: str, machine: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Warnings: what no stage can uninstall, and what holds none of them up."""
    for product in _of_accounts(machine):
        label, sid = f"{product['name']} ({product.get('publisher') or '-'})", _owner(product)
        yield Finding(
            "warning",
            "product_of_one_account",
            Text(
                f"{name} has {label} for the account {sid} alone. Only that account can uninstall it: sign in as it, or, where its files are gone, take its "
                rf"entry below HKU\{sid} out of the registry. The stages leave it alone.",
                f"{name} の {label} はアカウント {sid} だけにインストールされています。アンインストールできるのはそのアカウントだけです。そのアカウントで"
                rf"サインインするか、ファイルがなければレジストリの HKU\{sid} 配下の登録を削除してください。各段階では変更しません。",
            ),
            (name, product["name"]),
        )


def _unexplained(name: str, machine: Mapping[str, Any] | None, facts: Facts, confirmed: Confirmed) -> list[str]:
    """What lies on a machine without its product, unless it is known that the agent is uninstalled already."""
    known = names.machine(name) in map(names.machine, confirmed.leftovers) or (machine or {}).get("host", name) in facts.uninstalled_on
    return [] if known else _without_product(machine)


def files_without_product(facts: Facts, confirmed: Confirmed) -> list[str]:
    """Machines with tasks or folders of an agent and no product at all, of which nobody has said that the agent is uninstalled."""
    return [name for name, machine in (facts.machines or {}).items() if not _products(machine) and _unexplained(name, machine, facts, confirmed)]


def not_found(unknown: Sequence[str], severity: str = "warning") -> Iterator[Finding]:
    """A name that differs by a letter, or an inventory of other machines: nothing would be taken off, and nobody would notice."""
    if unknown:
        shown = some(unknown)
        yield Finding(
            severity,
            "agents_not_found",
            Text(
                f"None of the machines has what was confirmed: {shown}. It is gone already, the name is wrong, or it is on other machines. Correct it, take it "
                "off the list, or add the Windows machines from which it was taken before to directory_sync_leftovers.",
                f"確認済みとされた {shown} は、どのマシンにもありません（削除済み、名前の誤り、または別のマシン）。修正するか、一覧から外すか、"
                "すでに取り除いたWindowsマシンを directory_sync_leftovers に追加してください。",
            ),
            tuple(unknown),
        )


def nothing_found(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """A blocker where no machine has anything of all that was confirmed for them."""
    unknown = _unknown(facts, confirmed)
    named = [*confirmed.products, *confirmed.tasks, *confirmed.password_filters]
    if len(unknown) == len(named) and not any(agents_left(found) or (found or {}).get("perhaps") for found in (facts.machines or {}).values()):
        yield from not_found(unknown, "blocker")


def no_task_found(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """A blocker where the tasks that were confirmed are on none of the machines, as the module says that was to disable them."""
    if none_has_any(facts.machines) and not _is_known_why(facts, confirmed):
        yield from not_found([_named_task(one) for one in confirmed.tasks], "blocker")


def none_has_any(machines: Mapping[str, Mapping[str, Any] | None] | None) -> bool:
    """Whether on each of them, if there is any, its module has found nothing of all that it was told; not where one was not looked at."""
    return machines is not None and all((found or {}).get("nothing_found") for found in machines.values())


def _unknown(facts: Facts, confirmed: Confirmed) -> list[str]:
    """Of what was confirmed, what none of the machines has. Nothing where it may be known why: by this run's journal, by the operator, on a machine that
    was not read.
    """
    machines = list((facts.machines or {}).values())
    if facts.machines is None or _is_known_why(facts, confirmed) or any(found is None or found.get("error") for found in machines):
        return []
    read = [found for found in machines if found]
    filters = {names.program(item["name"]) for found in read for item in found.get("filters") or ()}
    return [
        *_unknown_products(read, confirmed),
        *_unknown_tasks(read, confirmed),
        *(name for name in confirmed.password_filters if names.program(name) not in filters),
    ]


def _unknown_products(machines: Sequence[Mapping[str, Any]], confirmed: Confirmed) -> Iterator[str]:
    products = [product for found in machines for product in (*_products(found), *_of_accounts(found))]
    named = {names.program(name) for found in machines for name in found.get("named") or ()}
    for one in confirmed.products:
        if not (_is_named(one, named) or any(is_confirmed(product, one) for product in products)):
            yield str(one.get("product_code") or one.get("name"))


def _unknown_tasks(machines: Sequence[Mapping[str, Any]], confirmed: Confirmed) -> Iterator[str]:
    tasks = [task for found in machines for part in ("tasks", "perhaps") for task in found.get(part) or ()]
    for one in confirmed.tasks:
        if not any(_means_task(one, task) for task in tasks):
            yield _named_task(one)


#: what the stages change on machines with an agent, and on no others
_OF_AGENTS = frozenset({"windows_scheduled_task", "windows_software", "windows_file", "windows_password_filter"})


def _is_known_why(facts: Facts, confirmed: Confirmed) -> bool:
    """Whether something of the agents may be gone because this exit, or somebody before it, has taken it off."""
    return bool(confirmed.leftovers) or not _OF_AGENTS.isdisjoint(facts.begun_kinds)


def _named_task(wanted: Mapping[str, Any]) -> str:
    """As it was confirmed; a command line may hold a secret."""
    return str(wanted.get("name") or redaction.command_line(str(wanted.get("action") or "")))


def _means_task(wanted: Mapping[str, Any], task: Mapping[str, Any]) -> bool:
    """Whether the confirmation means a task that was found, whose secrets are hidden; those of the confirmation may not be."""
    actions = [[text] for text in task.get("actions") or ()]
    hidden = {**wanted, "action": redaction.command_line(str(wanted.get("action") or ""))}
    return any(confirmations.scheduled_task(task["name"], actions, one) for one in (wanted, hidden))


def _does(task: Mapping[str, Any]) -> str:
    return "; ".join(task.get("actions") or ()) or "-"


def _is_named(wanted: Mapping[str, Any], named: Collection[str]) -> bool:
    """Whether the machines' own looking has found it, of which they tell names alone: a product that was confirmed by its code has whatever name."""
    return bool(named) if wanted.get("product_code") else names.program(str(wanted.get("name") or "")) in named


def _tasks_unconfirmed(name: str, machine: Mapping[str, Any] | None, confirmed: Confirmed) -> Iterator[Finding]:
    """Scheduled tasks that only match: the stages refuse them."""
    for task in (machine or {}).get("tasks") or ():
        if any(_means_task(wanted, task) for wanted in confirmed.tasks):
            continue
        does = _does(task)
        yield Finding(
            "blocker",
            "task_not_confirmed",
            Text(
                f"{name} has the scheduled task {task['name']} ({does}), which looks like one of IIJ ID's agents. If it is, add {{name: '{task['name']}'}} to "
                "directory_sync_tasks; else add its name to directory_sync_not_iij_tasks.",
                f"{name} のスケジュールタスク {task['name']}（{does}）はIIJ IDのエージェントのものかもしれません。そうであれば directory_sync_tasks に "
                f"{{name: '{task['name']}'}} を、そうでなければ directory_sync_not_iij_tasks に名前を追加してください。",
            ),
            (name, task["name"]),
        )


def _tasks_perhaps(name: str, machine: Mapping[str, Any] | None, confirmed: Confirmed) -> Iterator[Finding]:
    """Scheduled tasks of which nobody can tell whether they start an agent: the stages refuse a confirmed one that is enabled, and leave the others alone."""
    for task in (machine or {}).get("perhaps") or ():
        refused = task.get("enabled", True) and any(_means_task(wanted, task) for wanted in confirmed.tasks)
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


def _products(machine: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """What is installed for the machine."""
    return [product for product in (machine or {}).get("products") or () if not _owner(product)]


def _of_accounts(machine: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """What single accounts have, or say that they have: such an entry is in their own part of the registry, and nothing is judged by it."""
    return [product for product in (machine or {}).get("products") or () if _owner(product)]


def _owner(product: Mapping[str, Any]) -> str:
    """The SID of the account that alone has the product; empty where the machine has it."""
    kind, _sign, sid = str(product.get("scope") or "").partition(":")
    return sid if kind == "user" else ""


def is_confirmed(product: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether an entry of directory_sync_products means this installed product."""
    if wanted.get("product_code"):
        return names.uuid(str(wanted["product_code"])) == names.uuid(str(product.get("product_code", "")))
    return (wanted.get("name"), wanted.get("publisher")) == (product["name"], product.get("publisher"))


def unreadable(machines: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Finding]:
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
    products += [phrases.english("left_product_of", name=product["name"], sid=_owner(product)) for product in _of_accounts(machine)]
    filters = [phrases.english("left_filter", name=item["name"]) for item in machine.get("filters") or ()]
    return [*products, *filters, *_files_left(machine)]


def _files_left(machine: Mapping[str, Any] | None) -> list[str]:
    tasks = [phrases.english("left_task", name=task["name"]) for task in (machine or {}).get("tasks") or ()]
    return [*tasks, *(phrases.english("left_folder", name=path) for path in (machine or {}).get("folders") or ())]


def begun(records: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What a run has begun to change on machines, as its journal says."""
    return [record for record in records if record.get("record") == "intent" and record["kind"].startswith(("windows_", "linux_"))]


def uninstalled_on(records: Iterable[Mapping[str, Any]]) -> set[str]:
    """The hosts on which a run has begun to uninstall a product, as its journal says: only confirmed ones come so far."""
    ids = (record["id"] for record in begun(records) if (record["kind"], record["action"]) == ("windows_software", "uninstall"))
    return set(map(host_of, ids))


def left(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """Machines that still have something of an agent at the end, or of which nobody knows."""
    if facts.machines is None:
        return
    yield from _none_given(facts.machines, confirmed)
    yield from unreadable(facts.machines)
    for name, machine in facts.machines.items():
        if found := agents_left(machine):
            told = phrases.first_of(found)
            yield Finding("blocker", "agent_present", Text(f"{name} still has {told.en}.", f"{name} にまだ {told.ja} が残っています。"), (name, *found))


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    yield from left(facts, confirmed) if final else findings(facts, confirmed)


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """Products, tasks and filters of agents, and machines that have files without one."""
    if facts.machines == {} and not confirmed.without_machines:
        told = Text("The group iij_id_agents is empty.", "グループ iij_id_agents が空です。")
        yield Candidate("directory_sync_without_machines", True, told)
    for product, value, where in _each(facts, "products", lambda item: {"name": item["name"], "publisher": item.get("publisher") or ""}):
        if not _owner(product) and not any(is_confirmed(product, wanted) for wanted in confirmed.products):
            near = nearly(value, confirmed.products, ("name", "publisher"))
            yield Candidate("directory_sync_products", value, with_hint(Text(f"On {where}.", f"{where} にあります。"), near))
    for task, value, where in _each(facts, "tasks", lambda item: {"name": item["name"]}):
        if not any(_means_task(wanted, task) for wanted in confirmed.tasks):
            does = _does(task)
            near = nearly(value, confirmed.tasks, ("name",))
            yield Candidate("directory_sync_tasks", value, with_hint(Text(f"On {where}: {does}.", f"{where}: {does}"), near))
    filters = {names.program(name) for name in confirmed.password_filters}
    for item, value, where in _each(facts, "filters", lambda item: item["name"]):
        if names.program(value) not in filters:
            why = phrases.reasons(list(item["why"]))
            yield Candidate("directory_sync_password_filters", value, Text(f"On {where}: {why.en}.", f"{where}: {why.ja}"))
    for name in files_without_product(facts, confirmed):
        told = Text("It has tasks or folders of an agent, and no product.", "エージェントのタスクまたはフォルダーがあり、製品はありません。")
        yield Candidate("directory_sync_leftovers", name, told)


def _each(facts: Facts, kind: str, value: Callable[[Mapping[str, Any]], Any]) -> Iterator[tuple[Mapping[str, Any], Any, str]]:
    """Each thing of a kind once, with the machines that have it."""
    machines = {name: machine or {} for name, machine in (facts.machines or {}).items()}
    seen = [(item, value(item), name) for name, machine in machines.items() for item in machine.get(kind) or ()]
    for number, (item, shown, _name) in enumerate(seen):
        if shown not in [earlier for _item, earlier, _machine in seen[:number]]:
            yield item, shown, ", ".join(dict.fromkeys(name for _item, other, name in seen if other == shown))


#: What the exit does to it: kind and action of the changes, by the stage.
WORK = {
    "freeze": (("windows_scheduled_task", "disable"),),
    "agents": (
        ("windows_software", "uninstall"),
        ("windows_scheduled_task", "delete"),
        ("windows_password_filter", "unregister"),
        ("windows_restart", "restart"),
        ("windows_file", "remove"),
    ),
}
#: How what the exit does to it is undone, for the manual.
WAYS = (
    Way(
        Text("scheduled tasks disabled", "スケジュールタスクの無効化"),
        Text("`restore` with `tasks`, or enable them in Task Scheduler", "`restore` の `tasks`、またはタスクスケジューラで有効化"),
        Text(
            "`restore` enables those that this exit has disabled, by the journal",
            "`restore` が有効化するのは、この作業で無効化したもの（ジャーナルによる）だけです",
        ),
    ),
    Way(
        Text("agent uninstalled", "エージェントのアンインストール"),
        Text("install it again; config.yml and secret.yml were removed on purpose", "再インストール。config.yml と secret.yml は意図して消しています"),
        Text("the IIJ token is not kept", "IIJのトークンは保存しません"),
    ),
    Way(
        Text("secrets removed from disk", "ディスク上の秘密情報の消去"),
        Text("cannot be undone", "取り消せません"),
        Text("meant so", "意図どおりです"),
    ),
)
