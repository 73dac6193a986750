# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directory Sync for Linux: what was found, what nobody has confirmed, what is left. Pure.

A machine is what was read of it: `jobs`, `timers`, `other_starts` and `named_by` as linux_cron_job_info returns them, `files` and `not_looked_at` as
linux_file_info does, `accounts` as linux_account_info does; nothing of one that could not be read (`error`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..._core import confirmations, redaction
from ..._core.heads import some
from ..._core.text import Text
from .. import phrases
from ..finding import Finding
from ..going_back import Way
from .candidate import Candidate
from .machines import none_has_any, not_found, unreadable

if TYPE_CHECKING:
    from .judged import Confirmed, Facts

Machine = Mapping[str, Any]
Machines = Mapping[str, Machine | None]  # pylint: disable=unsupported-binary-operation
_SHOWN = 10


@dataclass(frozen=True)
class LinuxDecisions:
    """What the operator has said.

    Cron jobs ({place, command}), files and accounts ({name, uid}) to remove; files and accounts (names) that are not the agent's.
    """

    cron_jobs: Sequence[Mapping[str, Any]] = ()
    files: Sequence[str] = ()
    not_files: Sequence[str] = ()
    accounts: Sequence[Mapping[str, Any]] = ()
    not_accounts: Sequence[str] = ()


def _covered(path: str, folders: Iterable[str]) -> bool:
    """Whether a path is one of the folders, or in one."""
    return any(f"{path}/".startswith(f"{folder.rstrip('/')}/") for folder in folders if folder.strip("/"))


def _of(machine: Machine | None, kind: str) -> Sequence[Any]:
    return (machine or {}).get(kind) or ()


def _jobs(machine: Machine | None, said: LinuxDecisions, *, confirmed: bool) -> Iterator[Mapping[str, Any]]:
    for job in _of(machine, "jobs"):
        if any(_means_job(wanted, job) for wanted in said.cron_jobs) == confirmed:
            yield job


def _files(machine: Machine | None, said: LinuxDecisions) -> list[Mapping[str, Any]]:
    """What is there, and what lies behind a link, so that nobody knows. The operator may have said that it is not the agent's."""
    there = [item for item in _of(machine, "files") if item["exists"] or item["link"]]
    return [item for item in there if not _covered(item["path"], said.not_files)]


def _unconfirmed_files(machine: Machine | None, said: LinuxDecisions) -> list[Mapping[str, Any]]:
    return [item for item in _files(machine, said) if not _covered(item["path"], said.files)]


def _not_looked_at(machine: Machine | None, said: LinuxDecisions) -> list[str]:
    return [path for path in _of(machine, "not_looked_at") if not _covered(path, said.not_files)]


def _starters(machine: Machine | None) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """What besides cron goes on starting the agent: the phrase for it, and what it is called; a user's own unit by its path, which says whose it is."""
    for timer in _of(machine, "timers"):
        if timer["enabled"]:
            yield "left_timer", timer["path"] if timer["user"] else timer["timer"], timer
    for other in _of(machine, "other_starts"):
        if other["enabled"]:
            yield "left_starter", other["path"] if other["user"] and not other["name"].startswith("at:") else other["name"], other


def _behind(item: Mapping[str, Any]) -> bool:
    """Whether the path is, or leads through, a symbolic link: what is behind it is not looked at."""
    return bool(item["link"])


def left(machine: Machine | None, said: LinuxDecisions) -> list[str]:
    """What of the agent is on a machine: cron jobs (disabled ones too), what else starts it, files, and the accounts that were confirmed."""
    jobs = [phrases.english("left_cron_job", name=f"{job['place']}: {job['command']}") for job in _of(machine, "jobs")]
    starters = [phrases.english(phrase, name=called) for phrase, called, _starter in _starters(machine)]
    files = [phrases.english("left_link" if _behind(item) else "left_folder", name=item["path"]) for item in _files(machine, said)]
    accounts = [phrases.english("left_account", name=account["name"]) for account, confirmed in _accounts(machine, said) if confirmed]
    return [*jobs, *starters, *files, *accounts]


def _unknown(machines: Machines, said: LinuxDecisions) -> list[str]:
    """Of what was confirmed for Linux machines, what none of them has; nothing where a machine was not read."""
    found = [machine for machine in machines.values() if machine is not None and not machine.get("error")]
    if len(found) < len(machines):
        return []
    return [*_unknown_jobs(found, said), *_unknown_files(found, said), *_unknown_accounts(found, said)]


def _unknown_jobs(machines: Sequence[Mapping[str, Any]], said: LinuxDecisions) -> list[str]:
    jobs = [job for machine in machines for job in _of(machine, "jobs")]
    return [_named_job(one) for one in said.cron_jobs if not any(_means_job(one, job) for job in jobs)]


def _unknown_files(machines: Sequence[Mapping[str, Any]], said: LinuxDecisions) -> list[str]:
    paths = [item["path"] for machine in machines for item in _of(machine, "files") if item["exists"] or item["link"]]
    return [one for one in said.files if not any(_covered(path, [one]) or _covered(one, [path]) for path in paths)]


def _unknown_accounts(machines: Sequence[Mapping[str, Any]], said: LinuxDecisions) -> list[str]:
    accounts = [account for machine in machines for account in _of(machine, "accounts") if account["exists"]]
    return [str(one.get("name")) for one in said.accounts if not any(_means(account, one) for account in accounts)]


def _means_job(wanted: Mapping[str, Any], job: Mapping[str, Any]) -> bool:
    """Whether the confirmation means a job that was found, whose secrets are hidden; those of the confirmation may not be."""
    hidden = {**wanted, "command": redaction.command_line(str(wanted.get("command") or ""))}
    return any(confirmations.cron_job(job["place"], (job["command"],), one) for one in (wanted, hidden))


def _named_job(wanted: Mapping[str, Any]) -> str:
    """As it was confirmed; a command may hold a secret."""
    return redaction.command_line(str(wanted.get("command") or "")) or str(wanted.get("place"))


def unconfirmed(machines: Machines, said: LinuxDecisions) -> Iterator[Finding]:
    """Blockers: what was found, and of which nobody has said whose it is; and what starts the agent whatever becomes of cron's jobs."""
    for name, machine in machines.items():
        for job in _of(machine, "jobs"):
            if besides := some(job.get("starts_besides") or (), _SHOWN):
                yield _of_script(name, job, besides)
        for job in _jobs(machine, said, confirmed=False):
            place, command = job["place"], job["command"]
            passed_over = phrases.understood(str(job.get("passed_over") or "")) or Text("", "")
            yield Finding(
                "blocker",
                "cron_job_not_confirmed",
                Text(
                    f"{name} has the cron job {place}: {job['schedule']} {command}, which starts Directory Sync for Linux, or may. If it is its, add "
                    f"{{place: '{place}', command: '{command}'}} to directory_sync_cron_jobs; else add its command to directory_sync_not_iij_cron_jobs."
                    + (f" It may never run: {passed_over.en}." if passed_over.en else ""),
                    f"{name} のcronジョブ {place}: {job['schedule']} {command} はDirectory Sync for Linuxを起動するか、その可能性があります。該当する場合は "
                    f"directory_sync_cron_jobs に {{place: '{place}', command: '{command}'}} を、そうでなければ directory_sync_not_iij_cron_jobs に"
                    "コマンドを追加してください。" + (f"なお、{passed_over.ja}ため、実行されていない可能性があります。" if passed_over.ja else ""),
                ),
                (name, place, command),
            )
        for _phrase, called, starter in _starters(machine):
            yield Finding(
                "blocker",
                "timer_starts_it",
                Text(
                    f"{name}: {called} starts Directory Sync for Linux, whatever becomes of cron's jobs. Stop it ({starter['stop']}), or if it is to go on, "
                    "add its name or path to directory_sync_not_iij_cron_jobs.",
                    f"{name}: {called} がDirectory Sync for Linuxを起動します（cronとは別）。停止する（{starter['stop']}）か、"
                    "続ける場合は directory_sync_not_iij_cron_jobs に名前かパスを追加してください。",
                ),
                (name, called),
            )
        for item in _unconfirmed_files(machine, said):
            yield _of_file(name, item)
        for account in _unconfirmed_accounts(machine, said):
            yield _of_account(name, account, said)


def _of_script(name: str, job: Mapping[str, Any], besides: str) -> Finding:
    place, command = job["place"], job["command"]
    return Finding(
        "blocker",
        "script_does_more",
        Text(
            f"{name}: what the cron job {place}: {command} starts does more than to start Directory Sync ({besides}), so the job is not changed. Take "
            "Directory Sync's line out of the script by hand, or when all of the script is Directory Sync's, add its path to directory_sync_command_paths.",
            f"{name}: cronジョブ {place}: {command} が起動するスクリプトは、Directory Syncの起動以外の処理も行う（{besides}）ため、変更しません。"
            "スクリプトからDirectory Syncの行を手動で外すか、すべてDirectory Syncのものであれば directory_sync_command_paths にスクリプトのパスを"
            "追加してください。",
        ),
        (name, place, command),
    )


def _of_file(name: str, item: Mapping[str, Any]) -> Finding:
    path = item["path"]
    if _behind(item):
        return Finding(
            "blocker",
            "linux_file_behind_link",
            Text(
                f"{name}: {item['link']} is a link, so nobody has looked behind {path}. Name the place that it leads to in directory_sync_linux_folders; when "
                f"the link leads to nothing of Directory Sync, add {path} to directory_sync_not_iij_linux_files.",
                f"{name}: {item['link']} はリンクのため、{path} の先を確認していません。リンク先を directory_sync_linux_folders に指定してください。"
                f"リンク先がDirectory Syncのものでなければ directory_sync_not_iij_linux_files に {path} を追加してください。",
            ),
            (name, path),
        )
    return Finding(
        "blocker",
        "linux_file_not_confirmed",
        Text(
            f"{name} has {path}, which looks like Directory Sync for Linux. If it is, add it to directory_sync_linux_files; else to "
            "directory_sync_not_iij_linux_files.",
            f"{name} の {path} はDirectory Sync for Linuxのものかもしれません。該当する場合は directory_sync_linux_files に、そうでなければ "
            "directory_sync_not_iij_linux_files に追加してください。",
        ),
        (name, path),
    )


def not_looked_at(machines: Machines, said: LinuxDecisions, severity: str) -> Iterator[Finding]:
    """Folders that nobody has looked into, of which the operator has not said that there is nothing of the agent."""
    for name, machine in machines.items():
        if paths := _not_looked_at(machine, said):
            shown = some(paths, _SHOWN)
            yield Finding(
                severity,
                "linux_folder_not_looked_at",
                Text(
                    f"{name}: nobody has looked for Directory Sync in {shown}: another file system is mounted there, or it cannot be read. Name "
                    "those that may hold one in directory_sync_linux_search, the others in directory_sync_not_iij_linux_files.",
                    f"{name}: {shown} は別のファイルシステムであるか読み取れないため、Directory Syncを探していません。可能性があるものは "
                    "directory_sync_linux_search に、ないものは directory_sync_not_iij_linux_files に指定してください。",
                ),
                (name, *paths),
            )


def not_understood(machines: Machines, severity: str) -> Iterator[Finding]:
    """What names the agent, and is not seen to start it."""
    for name, machine in machines.items():
        if named_by := _of(machine, "named_by"):
            shown = some(named_by, _SHOWN)
            yield Finding(
                severity,
                "names_linux_agent",
                Text(
                    f"{name}: what names Directory Sync, and may start it in a way that is not understood: {shown}. Look at each, and stop by hand what "
                    "starts it; add the others (a cron job by its command or place) to directory_sync_not_iij_cron_jobs.",
                    f"{name}: 次のものはDirectory Syncを名指ししており、解釈できない方法で起動している可能性があります: {shown}。それぞれを確かめ、"
                    "起動するものは手動で停止し、それ以外（cronジョブはコマンドか場所）は directory_sync_not_iij_cron_jobs に追加してください。",
                ),
                (name, *named_by),
            )


def _started_by_nobody(machines: Machines, said: LinuxDecisions) -> Iterator[Finding]:
    """Warnings: an agent is there, and nothing was found that starts it, or did."""
    for name, machine in machines.items():
        there = [item["path"] for item in _files(machine, said) if not _behind(item)]
        if there and not any(_of(machine, kind) for kind in ("jobs", "timers", "other_starts", "named_by")):
            shown = some(there, _SHOWN)
            yield Finding(
                "warning",
                "linux_start_not_found",
                Text(
                    f"{name}: nothing was found that starts the Directory Sync in {shown}. Other schedulers (JP1, Jenkins and the like, and such on other "
                    "machines, by SSH) are not looked into: ask who runs the machine, and stop it there.",
                    f"{name}: {shown} のDirectory Syncを起動するものが見つかりません。ほかのジョブ管理（JP1、Jenkinsなどや、他のマシンからのSSHによる実行）は"
                    "確認していません。マシンの管理者に確かめ、そこで停止してください。",
                ),
                (name, *there),
            )


def preflight(machines: Machines, said: LinuxDecisions) -> Iterator[Finding]:
    """What is not confirmed, what was not looked at, what there is, and whose it is."""
    yield from unconfirmed(machines, said)
    yield from not_looked_at(machines, said, "warning")
    yield from _started_by_nobody(machines, said)
    agents = {name: phrases.first_of(items) for name, machine in machines.items() if (items := left(machine, said))}
    if agents:
        yield Finding(
            "info",
            "linux_agents",
            Text(
                "Directory Sync for Linux. " + "; ".join(f"{name}: {told.en}" for name, told in agents.items()) + ".",
                "Directory Sync for Linux — " + "; ".join(f"{name}: {told.ja}" for name, told in agents.items()),
            ),
            tuple(f"{name}: {told.en}" for name, told in agents.items()),
        )


def _accounts(machine: Machine | None, said: LinuxDecisions) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Accounts that run or own the agent, and those that were confirmed by name; whether one is the one that was confirmed. Without those declined."""
    for account in _of(machine, "accounts"):
        confirmed = any(_means(account, wanted) for wanted in said.accounts)
        if account["exists"] and (confirmed or account["name"] not in said.not_accounts):
            yield account, confirmed


def _means(account: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """An account is confirmed by name and number: another one of that name is not meant."""
    return wanted.get("name") == account["name"] and str(wanted.get("uid")) == str(account.get("uid"))


def _unconfirmed_accounts(machine: Machine | None, said: LinuxDecisions) -> list[Mapping[str, Any]]:
    return [account for account, confirmed in _accounts(machine, said) if not confirmed]


def _of_account(name: str, account: Mapping[str, Any], said: LinuxDecisions) -> Finding:
    who, uid = account["name"], account["uid"]
    others = [str(wanted["uid"]) for wanted in said.accounts if wanted.get("name") == who and wanted.get("uid") is not None]
    told = Text(
        f"It is not the one of that name that was confirmed (number {', '.join(others)}). " if others else "",
        f"確認済みの同名アカウント（UID {', '.join(others)}）とは別のものです。" if others else "",
    )
    value = f"{{name: '{who}', uid: {uid}}}"
    return Finding(
        "blocker",
        "linux_account_not_confirmed",
        Text(
            f"{name}: Directory Sync runs under the Linux account {who} (number {uid}, home {account['home']}), or its files belong to it. {told.en}If it was "
            f"made for it, add {value} to directory_sync_linux_accounts; else add '{who}' to directory_sync_not_iij_linux_accounts.",
            f"{name}: Linuxアカウント {who}（UID {uid}、ホーム {account['home']}）がDirectory Syncの実行または所有に使われています。{told.ja}"
            f"専用のアカウントであれば directory_sync_linux_accounts に {value} を、そうでなければ directory_sync_not_iij_linux_accounts に "
            f"'{who}' を追加してください。",
        ),
        (name, who),
    )


def present(machines: Machines, said: LinuxDecisions) -> Iterator[Finding]:
    """Blockers of the final gate: what is left, and where nobody has looked."""
    for name, machine in machines.items():
        if items := left(machine, said):
            told = phrases.first_of(items)
            yield Finding("blocker", "agent_present", Text(f"{name} still has {told.en}.", f"{name} にまだ {told.ja} が残っています。"), (name, *items))
    yield from not_looked_at(machines, said, "blocker")


def no_machines(machines: Machines) -> Iterator[Finding]:
    """A blocker where the group is empty: then only a person can say that there is none."""
    if not machines:
        yield Finding(
            "blocker",
            "no_linux_machines",
            Text(
                "The inventory group iij_id_linux_agents is empty: nobody has looked at a Linux machine.",
                "インベントリーのグループ iij_id_linux_agents が空のため、Linuxマシンは確認していません。",
            ),
        )


def decided(confirmed: Confirmed) -> LinuxDecisions:
    """What was said of Directory Sync for Linux."""
    return LinuxDecisions(
        cron_jobs=confirmed.cron_jobs,
        files=confirmed.linux_files,
        not_files=confirmed.not_iij_linux_files,
        accounts=confirmed.linux_accounts,
        not_accounts=confirmed.not_iij_linux_accounts,
    )


def not_there(facts: Facts, confirmed: Confirmed) -> list[str]:
    """What was confirmed for Linux machines, and none of them has; nothing where this run's journal may tell why."""
    return [] if facts.linux_machines is None or _is_known_why(facts) else _unknown(facts.linux_machines, decided(confirmed))


def no_job_found(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """A blocker where the cron jobs that were confirmed are on none of the machines, as the module says that was to disable them."""
    if none_has_any(facts.linux_machines) and not _is_known_why(facts):
        yield from not_found([_named_job(one) for one in confirmed.cron_jobs], "blocker")


def _is_known_why(facts: Facts) -> bool:
    """Whether something may be gone because this exit has taken it off."""
    return any(kind.startswith("linux_") for kind in facts.begun_kinds)


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    found, said = facts.linux_machines or {}, decided(confirmed)
    yield from unreadable(found)
    yield from present(found, said) if final else preflight(found, said)
    yield from not_understood(found, "warning")
    yield from () if final else not_found(not_there(facts, confirmed))


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """Cron jobs, folders and accounts, each with the machines that have it."""
    said = decided(confirmed)
    found: dict[tuple[str, str], tuple[Any, list[str]]] = {}
    for name, machine in (facts.linux_machines or {}).items():
        for variable, value in _undecided(machine, said):
            where = found.setdefault((variable, str(value)), (value, []))[1]
            if name not in where:
                where.append(name)
    for (variable, _shown), (value, where) in found.items():
        machines = ", ".join(where)
        yield Candidate(variable, value, Text(f"On {machines}.", f"{machines} にあります。"))


def _undecided(machine: Machine | None, said: LinuxDecisions) -> Iterator[tuple[str, Any]]:
    """What of one machine nobody has confirmed, by its variable."""
    for job in _jobs(machine, said, confirmed=False):
        yield "directory_sync_cron_jobs", {"place": job["place"], "command": job["command"]}
    for item in _unconfirmed_files(machine, said):
        if not _behind(item):
            yield "directory_sync_linux_files", item["path"]
    for who in _unconfirmed_accounts(machine, said):
        yield "directory_sync_linux_accounts", {"name": who["name"], "uid": who["uid"]}


#: What the exit does to it: kind and action of the changes, by the stage.
WORK = {
    "freeze": (("linux_cron_job", "disable"),),
    "agents": (("linux_cron_job", "delete"), ("linux_file", "remove"), ("linux_account", "remove")),
}
#: How what the exit does to it is undone, for the manual.
WAYS = (
    Way(
        Text("cron jobs disabled", "cron ジョブの無効化"),
        Text("`restore` with `tasks`, or `linux_cron_job` with `state: present`", "`restore` の `tasks`、または `linux_cron_job` の `state: present`"),
        Text("–", "なし"),
    ),
    Way(
        Text("cron jobs removed", "cron ジョブの削除"),
        Text(
            "put the line back out of the saved copy of the crontab in `backups/` (`ansible-vault decrypt`)",
            "`backups/` に保存した crontab の写しから行を戻します（`ansible-vault decrypt`）",
        ),
        Text("the agent is gone as well", "エージェントも削除済みです"),
    ),
)
