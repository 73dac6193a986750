# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_browser_sign_in and its _info twin: reading, saving, writing by reg.exe, verifying what plan.py decides."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import phrases, strict_json
from ..._core.browser_hosts import is_policy_key
from ..._core.errors import OffboardError
from ..._core.machine_ids import is_of, on_host
from ..._core.model import Change, Object, Outcome
from ..._core.plain import file_part, to_json
from ..._core.plan import Plan
from ..._core.policy_values import named
from ..._core.spool import Spool
from ..._module.clock import now
from ..._module.files import check_run_file, write_atomically
from ..._module.runner import Resource
from ..._module.waiting import ONE_READ, is_shown
from ..client import Client
from ..connection import Connection
from . import plan as lists
from .options import InfoOptions, Options
from .plan import Saved, Setting
from .read import MachineSettings, key_now, values_now
from .read import read as read_all

_SUFFIX = ".browser.json"
#: users whom a warning names; the answer has all
_NAMED = 5


class BrowserSignIn(Resource):
    """The lists and zones of one machine."""

    noun = "browser settings"
    kinds = (lists.KIND,)
    on_machine = True

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._found = MachineSettings()
        self._known: dict[str, Setting] = {}
        self._copies: dict[str, list[Saved]] = {}
        self._saved: dict[str, str] = {}

    def read(self) -> Iterator[Object]:
        """Every list and site of the loaded hives; for the way back those that have a copy."""
        host = self._client.host
        self._found = read_all(self._client)
        if not self._options.is_return:
            for setting, values in self._found.settings:
                item = lists.describe(host, setting, values)
                self._known[item.id] = setting
                yield item
            return
        for copy in copies(self._options.backup_dir, host):
            self._copies.setdefault(on_host(host, copy.setting.path), []).append(copy)
        for identity, saved in self._copies.items():
            setting = self._known[identity] = saved[0].setting
            paths = dict.fromkeys(path for copy in saved for path in {**copy.before, **copy.after})
            state = values_now(self._client, setting, paths) if setting.hive in self._found.hives else {}
            yield Object(lists.KIND, identity, setting.path, state)

    def plan(self, current: Iterable[Object]) -> Plan:
        """See `lists.plan_removal` and `lists.plan_return`; warnings of what stays, and of what a policy brings back."""
        current = list(current)  # what was read is known then
        if self._options.is_return:
            result = lists.plan_return(current, self._copies, self._found.hives)
            if not self._copies:
                result.warnings.append(phrases.english("no_copy_of_a_setting", path=self._options.backup_dir, host=self._client.host))
            return result
        result = lists.plan_removal(current, self._known, self._options.hosts)
        result.warnings += self._brought_back(result.changes)
        if away := [name or sid for sid, name in self._found.users_not_signed_in.items()]:
            named_users = ", ".join(away[:_NAMED]) + (", …" if len(away) > _NAMED else "")
            result.warnings.append(phrases.english("users_not_signed_in", number=len(away), host=self._client.host, names=named_users))
        result.warnings += [phrases.english("setting_is_broader", path=one["path"], entry=one["entry"]) for one in self._broader()]
        return result

    def _brought_back(self, changes: Iterable[Change]) -> Iterator[str]:
        """Which values a group policy brings back, by what the task was told of the policies; of those that none of them explains one may all the same."""
        unexplained = []
        for change in changes:
            setting = self._known[change.id]
            value = f"{change.name} ({', '.join(lists.mine(setting, setting.values(change.before or {}), self._options.hosts))})"
            if policies := list(dict.fromkeys(named(one.policy) for one in self._options.policies if one.is_set_at(change.name))):
                yield phrases.english("policy_brings_back", value=value, policies=", ".join(policies))
            elif is_policy_key(setting.key):
                unexplained.append(value)
        if unexplained:
            yield phrases.english("a_policy_may_bring_back", values=", ".join(unexplained))

    def _broader(self) -> list[dict[str, str]]:
        if self._options.is_return:
            return []
        return [{"path": one.path, "entry": entry} for one, values in self._found.settings for entry in lists.broader(one, values, self._options.hosts)]

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this machine's settings, in hives that are loaded."""
        for change in begun:
            setting = self._known.get(change.id) if is_of(self._client.host, change.id) else None
            if setting is not None and lists.seen(change, values_now(self._client, setting, change.after or {})):
                yield change

    def apply(self, change: Change) -> dict[str, Any]:
        """Save what will change, then write it, if it is still what was read."""
        setting = self._known[change.id]
        if values_now(self._client, setting, change.before or {}) != dict(change.before or {}):
            raise OffboardError(f"{change.name} has changed since it was read, or its user has signed out; run the task again", code="changed_since_read")
        details = {} if self._options.is_return else {"saved": self._save(setting, change)}
        done: list[str] = []
        for path, value in lists.in_order(change):
            key, name = setting.place(path)
            place = rf"{setting.hive}\{key}"
            if value is None:
                answer = self._client.run("reg.exe", "delete", place, "/v", name, "/f", "/reg:64")
            else:
                kind, _unused, data = value.partition(" ")
                answer = self._client.run("reg.exe", "add", place, "/v", name, "/t", kind, "/d", data, "/f", "/reg:64")
            if answer.exit_code:
                raise OffboardError(
                    f"{path} could not be written (exit code {answer.exit_code}); is the account an administrator?",
                    code="registry_refused",
                    details={**details, "steps_done": done},
                )
            done.append(path)
        if setting.sort == "zone" and not self._options.is_return:
            self._remove_empty(setting)
        return details

    def _remove_empty(self, setting: Setting) -> None:
        """The site's key and those above it, as far as they hold nothing any more: an empty one is a site without a zone."""
        key = setting.key
        while lists.is_site(key):
            own, children = key_now(self._client, rf"{setting.hive}\{key}")
            if children or (own and lists.own_values(own)):
                return
            self._client.run("reg.exe", "delete", rf"{setting.hive}\{key}", "/f", "/reg:64")
            key = key.rpartition("\\")[0]

    def _save(self, setting: Setting, change: Change) -> str:
        copy = Saved(setting, change.before or {}, change.after or {}, now())
        data = copy.to_dict(self._client.host)
        # what was removed again in the same way has its copy already; the name holds a hash without the time
        digest = hashlib.sha256(json.dumps({**data, "at": ""}, sort_keys=True).encode()).hexdigest()
        path = os.path.join(self._options.backup_dir, f"{file_part(self._client.host)}_{digest[:16]}{_SUFFIX}")
        write_atomically(path, (to_json(data, indent=1) + "\n").encode())
        self._saved[change.id] = path
        return path

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read again until every change is seen."""
        for change in applied:
            setting = self._known[change.id]

            def shown(change: Change = change, setting: Setting = setting) -> bool:
                return lists.seen(change, values_now(self._client, setting, change.after or {}))

            if not is_shown(shown, self._options.verify_timeout, agreeing=ONE_READ):
                yield Outcome(change, "failed", "not_seen", f"{change.name} was written, but is read as something else, or its user has signed out")

    def facts(self, plan: Plan) -> dict[str, Any]:
        """Who was looked at, what is left to a person, and the copies."""
        return {**about(self._found), "broader": self._broader(), "saved": self._saved}

    def close(self) -> None:
        self._client.close()


def copies(folder: str, host: str) -> Iterator[Saved]:
    """What removals have saved of this machine. Raises OffboardError `file_read_failed`, `backup_unreadable`, `run_folder_unsafe`."""
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), f"{glob.escape(file_part(host))}_*{_SUFFIX}"))):
        check_run_file(path)
        try:
            with open(path, "rb") as file:
                found = lists.saved(strict_json.loads(file.read()), host)
        except OSError as exc:
            raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
        except ValueError:
            raise OffboardError(f"{path}: it is no JSON", code="backup_unreadable") from None
        except OffboardError as exc:
            raise OffboardError(f"{path}: {exc.msg}", code=exc.code) from exc
        if found is not None:
            yield found


def about(found: MachineSettings) -> dict[str, Any]:
    """What module and _info twin tell alike."""
    return {
        "automatic_logon": found.automatic_logon,
        "users": [{"sid": sid, "name": name} for sid, name in found.users.items()],
        "users_not_signed_in": [{"sid": sid, "name": name} for sid, name in found.users_not_signed_in.items()],
    }


def make(params: Mapping[str, Any]) -> BrowserSignIn:
    options = Options.of(params)
    return BrowserSignIn(Client(Connection.from_params(params)), options)


def info(client: Client, options: InfoOptions) -> dict[str, Any]:
    hosts = options.hosts
    found = read_all(client)
    told = []
    for setting, values in found.settings:
        entries, broader = lists.mine(setting, values, hosts), lists.broader(setting, values, hosts)
        if entries or broader:
            sid = setting.hive.partition("\\")[2]
            told.append(
                {
                    "path": setting.path,
                    "sort": setting.sort,
                    "user": found.users.get(sid, "") or sid,
                    "entries": entries,
                    "broader": broader,
                    "others": len(lists.named(setting, values)) - len(entries),
                    "policy": is_policy_key(setting.key),
                }
            )
    return {"settings": told, **about(found)}
