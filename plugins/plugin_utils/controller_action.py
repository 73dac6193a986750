# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of this collection's action plugins: the module runs on the controller, and its progress is shown meanwhile."""

from __future__ import annotations

import contextlib
import datetime
import functools
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml
from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader
from ansible.utils.display import Display
from ansible_collections.offboard.iij_id.plugins.module_utils._core import plain, times
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.text import Text
from ansible_collections.offboard.iij_id.plugins.module_utils._core.warned import NOUNS
from ansible_collections.offboard.iij_id.plugins.module_utils._module import budget
from ansible_collections.offboard.iij_id.plugins.module_utils._module.clock import time_zone
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import phrases
from ansible_collections.offboard.iij_id.plugins.plugin_utils import diffs, fork, limits, trust

display = Display()

#: Option of a Windows module: the variables it is taken from, the strongest first (those of the winrm connection plugin).
CONNECTION_VARIABLES: dict[str, tuple[str, ...]] = {
    "host": ("ansible_winrm_host", "ansible_host", "inventory_hostname"),
    "port": ("ansible_winrm_port", "ansible_port"),
    "username": ("ansible_winrm_user", "ansible_user"),
    "password": ("ansible_winrm_password", "ansible_winrm_pass", "ansible_password"),
    "scheme": ("ansible_winrm_scheme",),
    "transport": ("ansible_winrm_transport",),
    "ca_file": ("ansible_winrm_ca_trust_path",),
    "server_cert_validation": ("ansible_winrm_server_cert_validation",),
}

#: what the directory calls a machine, where the inventory calls it otherwise
_KNOWN_AS = "offboard_domain_controller"

#: the winrm connection plugin's older names of basic authentication
_TRANSPORT_ALIASES = {"plaintext": "basic", "ssl": "basic"}

_COLLECTION = "offboard.iij_id"
#: What only reads shows no progress, except where it takes minutes; nor does what writes one file of the run folder.
_READS_FOR_LONG = {f"{_COLLECTION}.{name}" for name in ("entra_arrivals_info", "entra_managers_info", "entra_sign_in_readiness_info")}
_QUIET = {f"{_COLLECTION}.{name}" for name in ("run_machines", "run_plan", "run_report")}
#: What writes into the run folder alone, of the group `changes`.
_IN_RUN_FOLDER = {f"{_COLLECTION}.{name}" for name in ("entra_snapshot", "handover_letters", "iij_id_export", "manual_steps", "vault_file")}
#: Sentences of an answer, in which people read times in the zone of this variable.
_TOLD = ("msg", "lines", "told", "verdict", "summary", "summary_ja")
_ZONE = "offboard_timezone"
#: in which language they read what is a module's own words, where it knows none
_LANGUAGE = "offboard_language"
#: Variables of a task, rendered when its module has answered, with the answer as `answer`: what the answer holds as `kept` for later plays, and what is
#: handed on as set_stats does (the artifacts of a job of AWX).
_KEPT, _HAND_ON = "__offboard_kept", "__offboard_hand_on"
#: A variable of a task whose whole answer is for people, who see it without -v; or the name of those sentences of it that they see, as they are.
_TELL = "__offboard_tell"
#: A variable of tasks that are played in check mode only to be compared with what was approved, and then for real: the first time they change and tell nothing.
_COMPARISON = "__offboard_comparison"
#: the hash of the plan that was approved
_PLAN_HASH = "offboard_plan_hash"
_POLL_SECONDS = 0.5
#: A line is shown after this time, then after twice as long, up to the last figure: early for people, not too many in a log.
_FIRST_LINE_SECONDS, _LONGEST_PAUSE_SECONDS = 2.0, 30.0


@functools.cache
def _changing() -> frozenset[str]:
    """The modules that change something outside of the run folder, which needs no approval."""
    groups = yaml.safe_load((Path(__file__).parents[2] / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    return frozenset(f"{_COLLECTION}.{name}" for name in groups["changes"]) - _IN_RUN_FOLDER


def _refused(result: dict[str, Any], code: str, msg: str) -> dict[str, Any]:
    """The result of a task of which the module was not run."""
    return {**result, "failed": True, "msg": msg, "failure": {"code": code, "details": {}}}


def _for_terminals(result: dict[str, Any]) -> dict[str, Any]:
    """The result, which Ansible prints whole with -v. Names that others chose stay as they are, since later tasks work with them; so a result with one that a
    terminal would obey is not printed."""
    if not display.verbosity or result.get("failed") or not plain.hides(result):
        return result
    display.warning("-v does not show this result: it holds names with control characters or marks of direction, which later tasks need as they are.")
    return {**result, "_ansible_verbose_override": True}


def _for_later_tasks(result: dict[str, Any]) -> dict[str, Any]:
    """The result as Ansible registers it, and shows it to nobody: nor does AWX keep it."""
    display.v("This result is too long to be shown. Later tasks have it as it is.")
    return {**result, "_ansible_no_log": True}


@dataclass
class _Loop:
    """What is left of a loop's last event, which holds the answers to all items. `items` is None where nobody knows how many there are."""

    items: int | None
    left: int = budget.LOOP_BYTES

    @property
    def share(self) -> int:
        """Of one answer: as much as of each other, or half of what is left."""
        return min(budget.LOOP_BYTES // max(self.items, 1), self.left) if self.items is not None else self.left // 2


def progress_line(host: str, record: Mapping[str, Any], language: str = "") -> str:
    """One record of `Progress` for people: "sync01: products 1/2, 0.5 per second, 0:02 left, waiting for …"."""
    count = f"{record['done']}" + (f"/{record['total']}" if record["total"] is not None else "")
    parts = [Text(f"{record['noun']} {count}", f"{NOUNS.get(record['noun'], record['noun'])} {count}")]
    if rate := record.get("per_second"):
        parts.append(Text(f"{rate} per second", f"毎秒{rate}件"))
    if record.get("seconds_left"):
        minutes, seconds = divmod(int(record["seconds_left"]), 60)
        parts.append(Text(f"{minutes}:{seconds:02d} left", f"残り {minutes}:{seconds:02d}"))
    if doing := record.get("doing"):
        parts.append(phrases.understood(doing) or Text.same(doing))
    return plain.line(f"{host}: {' / '.join(phrases.joined(parts, ', ').in_language(language or 'en'))}")


def _holds_times(value: Any) -> bool:
    parts = value if isinstance(value, list) else [value]
    return any(isinstance(part, str) and times.told(part) for part in parts)


def _local(value: Any, zone: datetime.tzinfo) -> Any:
    if isinstance(value, list):
        return [_local(part, zone) for part in value]
    return times.local(value, zone) if isinstance(value, str) else value


class _ProgressTail:
    """Shows what is appended to the progress file until the `with` block ends. A fault here never harms the task."""

    def __init__(self, path: str, host: str, language: str) -> None:
        self._path, self._host, self._language = path, host, language
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="progress", daemon=True)

    def __enter__(self) -> _ProgressTail:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _records(self, stream: Any) -> Iterator[dict[str, Any]]:
        """Records appended since the last call; a line that is still being written waits for the next one."""
        while True:
            start = stream.tell()
            line = stream.readline()
            if not line.endswith("\n"):
                stream.seek(start)
                return
            with contextlib.suppress(ValueError):
                yield json.loads(line)

    def _follow(self) -> None:
        pause = _FIRST_LINE_SECONDS
        shown_at, shown_any, pending = time.monotonic(), False, None
        with open(self._path, encoding="utf-8") as stream:
            stopping = False
            while not stopping:
                stopping = self._stop.wait(_POLL_SECONDS)
                for pending in self._records(stream):  # noqa: B007 - the newest one is shown
                    pass
                due = time.monotonic() - shown_at >= pause
                if pending and (due or (stopping and shown_any)):
                    display.display(progress_line(self._host, pending, self._language))
                    pending, shown_at, shown_any = None, time.monotonic(), True
                    pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


class ControllerAction(ActionBase):
    """Runs the task's own module on the controller, whatever the host's connection is, without become.

    It runs by the Python that runs ansible-playbook, so that the libraries installed beside Ansible are found.
    """

    _supports_check_mode = True
    _supports_async = False
    TRANSFERS_FILES = False

    #: Whether the module runs in a fork of this process, not in a Python of its own.
    in_fork: ClassVar[bool] = fork.KNOWN
    #: By task: a process of Ansible's runs all items of a loop.
    _loops: ClassVar[dict[str, _Loop]] = {}

    @property
    def from_host_variables(self) -> bool:
        """Whether the module's connection options are taken from the host's variables, unless the task names a `host` itself."""
        return False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = dict(task_vars or {})
        arguments = dict(self._task.args)
        if self.from_host_variables:
            if machines := arguments.get("machines"):
                arguments["machines"] = [self._with_connection(machine, task_vars) for machine in machines]
            else:
                arguments = {**self._from_host_variables(task_vars), **arguments}
        with self._lent(task_vars) as lent:
            self._use_local_connection()
            return self._run({**arguments, **lent}, super().run(tmp, task_vars), task_vars)

    def _lent(self, task_vars: dict[str, Any]) -> contextlib.AbstractContextManager[dict[str, Any]]:
        """Options that are set whatever the task says, and are good while the module runs."""
        return contextlib.nullcontext({})

    def _run(self, arguments: dict[str, Any], result: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        if self._leaves_the_controller_out(task_vars):
            limit = task_vars["ansible_limit"]
            return _refused(
                result,
                "controller_not_in_limit",
                f"--limit {limit} leaves localhost out, where the stages decide and judge. Nothing was done. Name localhost beside the machines "
                "(--limit 'sync01,localhost', '@FILE,localhost' or 'all:localhost:!dc1'; in AWX the field Limit).",
            )
        if self._has_an_approval_of_its_own(task_vars):
            return _refused(
                result,
                "plan_hash_of_a_machine",
                f"{_PLAN_HASH} stands among the variables of this machine, of its groups or of a play, so nothing was done here. Give it as an extra "
                f"variable (-e {_PLAN_HASH}=…, in AWX the field Extra variables): then all machines are compared with the plan before the first of them is "
                "changed.",
            )
        found = self._shared_loader_obj.module_loader.find_plugin_with_context(self._task.action, collection_list=self._task.collections)
        name = found.resolved_fqcn
        if self._passes_over_the_approval(name, arguments, task_vars):
            return _refused(
                result,
                "plan_hash_not_heeded",
                f"{_PLAN_HASH} is given, and this task does not compare what it would do with that plan, so nothing was done. Without the hash it does "
                "what its options say. The stages of the exit and the playbook restore compare; a task of your own does with the option approved_plan "
                "(in its module_defaults the variable offboard_changes of the role offboard).",
            )
        quiet = name in _QUIET or (name.endswith("_info") and name not in _READS_FOR_LONG)
        if quiet or arguments.get("progress_file"):  # what shows none has no such option
            return self._answer(self._run_module(found, arguments, task_vars, contextlib.nullcontext()), task_vars)
        handle, path = tempfile.mkstemp(prefix="offboard-progress-", suffix=".jsonl", dir=C.DEFAULT_LOCAL_TMP)
        os.close(handle)
        try:
            progress = _ProgressTail(path, task_vars.get("inventory_hostname", "localhost"), self._rendered(_LANGUAGE, task_vars))
            return self._answer(self._run_module(found, {**arguments, "progress_file": path}, task_vars, progress), task_vars)
        finally:
            os.unlink(path)

    def _answer(self, result: dict[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """The module's result as people see it, with what the task makes of it."""
        return _for_terminals(self._fitting(self._made(self._shown(result, task_vars), task_vars), task_vars))

    def _fitting(self, result: dict[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """The result, of a loop's item with lists short enough for its share. What only reads may find more than an event can hold: later tasks have it."""
        if self._task.loop is None:
            used = self._task.register or isinstance(task_vars.get(_TELL), str)  # by later tasks, or it has been told
            too_long = used and not result.get("failed") and budget.size(result) > budget.LOOP_BYTES
            return _for_later_tasks(result) if too_long else result
        item = task_vars.get(task_vars.get("ansible_loop_var", "item"))
        if (loop := self._loops.get(self._task._uuid)) is None:
            loop = self._loops[self._task._uuid] = _Loop(self._number_of_items(item, task_vars))
        result, taken = budget.in_loop(result, item, loop.share, budget.files(self._task.args, self._task.check_mode))
        if taken > loop.left:  # what is not shown takes no room
            told = result.get("failed") and not self._task.no_log
            return self._in_a_line(result, item, task_vars) if told else _for_later_tasks(result)
        loop.left = max(loop.left - taken, 0)
        return result

    @staticmethod
    def _in_a_line(result: dict[str, Any], item: Any, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """What failed, of a loop whose event is full: why it failed is a line of its own."""
        name = item.get("name", "") if isinstance(item, Mapping) else item
        display.display(plain.line(f"{task_vars.get('inventory_hostname', 'localhost')}: {name}: {result.get('msg', '')}"))
        return {**result, "_ansible_no_log": True}

    def _number_of_items(self, item: Any, task_vars: Mapping[str, Any]) -> int | None:
        """Of the task's loop, which Ansible tells its plugins as it is written. Those of `with_…` are not looked up twice."""
        if self._task.loop_with:
            return None
        try:
            items = self._templar.copy_with_new_env(available_variables=task_vars).template(self._task.loop)
        except AnsibleError:
            return None
        # `loop: "{{ x }}"` has become a list of one, as `loop: ["{{ x }}"]` is
        only = items[0] if isinstance(items, list) and len(items) == 1 else None
        return len(only) if isinstance(only, list) and only != item else len(items)

    def _made(self, result: dict[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """The result, with what later tasks and jobs take of it."""
        made = {name: task_vars[name] for name in (_KEPT, _HAND_ON) if name in task_vars}
        if not made:
            return result
        try:
            templar = self._templar.copy_with_new_env(available_variables={**task_vars, "answer": trust.untrusted(result)})
            made = {name: templar.template(value) for name, value in made.items()}
        except AnsibleError:
            if result.get("failed"):  # which has not what a good one has, and says why
                return result
            raise
        kept = {"kept": made[_KEPT]} if _KEPT in made else {}
        handed_on = {"ansible_stats": {"data": made[_HAND_ON], "per_host": False, "aggregate": False}} if made.get(_HAND_ON) else {}
        return {**result, **kept, **handed_on}

    def _shown(self, result: dict[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        shown = {**result, "diff": diffs.for_people(result["diff"])} if result.get("diff") else result
        tell = task_vars.get(_TELL)
        if task_vars.get(_COMPARISON):
            counted = {"counts": {**shown["counts"], "done": 0}} if "counts" in shown else {}  # handed on where the stage ends here
            shown = {**shown, "changed": False, **counted}
            tell = tell if shown.get("failed") else None
        if tell and not isinstance(tell, str):
            shown = {**plain.failure(shown), "_ansible_verbose_always": True}  # printed whole, and nobody works with it
        sentences = {name: value for name in _TOLD if _holds_times(value := shown.get(name))}
        zone = self._zone(task_vars) if sentences else None
        shown = {**shown, **{name: _local(value, zone) for name, value in sentences.items()}} if zone else shown
        if isinstance(tell, str) and shown.get(tell) and not shown.get("failed"):  # which ends with its msg
            for line in shown[tell] if isinstance(shown[tell], list) else [shown[tell]]:
                display.display(plain.line(str(line)))
        return shown

    def _with_warnings_told(self, outcome: dict[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """What the module printed, with its warnings as people read them: ansible-core 2.20 and later take them out of it when they read it."""
        if '"warnings"' not in outcome["stdout"]:
            return outcome
        try:
            answer = json.loads(outcome["stdout"])
            events = [warning["event"] if isinstance(warning, dict) else {"msg": warning} for warning in answer["warnings"]]
        except (ValueError, LookupError, TypeError):
            return outcome  # it printed something else, or has none
        zone, language = self._zone(task_vars), self._rendered(_LANGUAGE, task_vars)
        for number, event in enumerate(events):
            told = phrases.in_language(str(event.get("msg")), language)
            event["msg"] = _local(told, zone) if zone else told
            if not isinstance(answer["warnings"][number], dict):
                answer["warnings"][number] = event["msg"]
        return {**outcome, "stdout": json.dumps(answer)}

    def _zone(self, task_vars: Mapping[str, Any]) -> datetime.tzinfo | None:
        """Where the company is. None for a module on its own, and for a zone that nobody knows, which no playbook begins with."""
        try:
            return time_zone(zone) if (zone := self._rendered(_ZONE, task_vars)) else None
        except OffboardError:
            return None

    def _rendered(self, name: str, task_vars: Mapping[str, Any]) -> str:
        """A variable of the role offboard; empty for a module on its own, which has none."""
        if not task_vars.get(name):
            return ""
        templar = self._templar.copy_with_new_env(available_variables=task_vars)
        return to_text(templar.template(trust.trusted("{{ " + name + " | default('', true) }}")))

    def _run_module(
        self, found: Any, arguments: dict[str, Any], task_vars: dict[str, Any], meanwhile: contextlib.AbstractContextManager[Any]
    ) -> dict[str, Any]:
        """The task's module, which the loader has `found`, in a fork of this process, as `_execute_module` runs it in a new Python."""
        if not self.in_fork:
            with meanwhile:
                return self._execute_module(module_args=arguments, task_vars=self._with_this_python(task_vars))
        display.vvv(f"Using module file {found.plugin_resolved_path}, in a fork of this process")
        collection, _dot, name = found.resolved_fqcn.rpartition(".")
        self._update_module_args(self._task.action, arguments, task_vars)
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        module = fork.Fork(f"ansible_collections.{collection}.plugins.modules.{name}", fork.parameters(arguments), environment)
        with module, meanwhile:  # its thread must not be there when the process forks
            result = self._parse_returned_data(self._with_warnings_told(module.outcome(), task_vars), *fork.PARSED_BY)
        return result if isinstance(result, dict) else result.as_result_dict(for_round_trip=True)

    def _leaves_the_controller_out(self, task_vars: Mapping[str, Any]) -> bool:
        """Whether nobody would look at what becomes of a task of this collection's own roles; the play that refuses such a limit can be stepped over."""
        role = self._task._role
        if not task_vars.get("ansible_limit") or role is None or role._role_collection != _COLLECTION:
            return False
        return limits.CONTROLLER not in limits.within(task_vars["ansible_limit"], task_vars["groups"])

    def _has_an_approval_of_its_own(self, task_vars: Mapping[str, Any]) -> bool:
        """Whether a plan's hash stands in the inventory for this machine alone: which machines are compared before the first change, an extra variable says."""
        given = self._rendered(_PLAN_HASH, task_vars).strip()
        role = self._task._role
        if not given or role is None or role._role_collection != _COLLECTION or task_vars.get("inventory_hostname") == limits.CONTROLLER:
            return False
        return to_text(task_vars["hostvars"][limits.CONTROLLER].get(_PLAN_HASH) or "").strip() != given

    def _passes_over_the_approval(self, name: str, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> bool:
        """Whether a task would change something that nobody compares with the plan that was approved: its playbook knows of no approval."""
        if self._task.check_mode or arguments.get("approved_plan"):
            return False
        return bool(self._rendered(_PLAN_HASH, task_vars).strip()) and name in _changing()

    def _from_host_variables(self, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Connection options of the machine that the task is for; empty when the task or its defaults name another machine.

        Delegation to the controller is a habit that changes nothing here; delegation to another machine means that machine.
        """
        variables = task_vars
        delegate = self._task.delegate_to
        if delegate and delegate not in C.LOCALHOST:
            variables = {**task_vars, **task_vars.get("ansible_delegated_vars", {}).get(delegate, {}), "inventory_hostname": delegate}
        # A password must not go to a machine it was not meant for.
        if self._task.args.get("host") or variables.get("inventory_hostname") in C.LOCALHOST:
            return {}
        templar = self._templar.copy_with_new_env(available_variables=variables)
        own = {"username": self._play_context.remote_user, "password": self._play_context.password}
        return self._options({**own, **{option: templar.template(value) for option, value in self._values(variables).items()}})

    @staticmethod
    def _with_connection(machine: Any, task_vars: Mapping[str, Any]) -> Any:
        """One of the option `machines`, with the connection options of the host of the inventory that it names, unless it has a `host` itself."""
        named = {"name": machine} if isinstance(machine, str) else machine
        if not isinstance(named, Mapping) or named.get("host") or named.get("name") not in task_vars.get("hostvars", {}):
            return named
        variables = task_vars["hostvars"][named["name"]]  # which renders what it gives
        known_as = {"domain_controller": to_text(variables[_KNOWN_AS])} if variables.get(_KNOWN_AS) else {}
        return {**ControllerAction._options(ControllerAction._values(variables)), **known_as, **named}

    @staticmethod
    def _values(variables: Mapping[str, Any]) -> dict[str, Any]:
        """By option, the strongest of its variables that is set, as it stands there."""
        found = {option: next((variables[name] for name in names if variables.get(name) is not None), None) for option, names in CONNECTION_VARIABLES.items()}
        return {option: value for option, value in found.items() if value is not None}

    @staticmethod
    def _options(values: Mapping[str, Any]) -> dict[str, Any]:
        """The connection options out of rendered variables."""
        options = dict(values)
        if "transport" in options:
            transports = options["transport"] if isinstance(options["transport"], list) else str(options["transport"]).split(",")
            first = str(transports[0]).strip()
            options["transport"] = _TRANSPORT_ALIASES.get(first, first)
        # to_text also opens a value that is encrypted inline with Ansible Vault
        return {option: value if isinstance(value, int) else to_text(value) for option, value in options.items() if value is not None}

    def _use_local_connection(self) -> None:
        context = self._play_context.copy()
        context.shell, context.executable, context.become = "sh", C.DEFAULT_EXECUTABLE, False
        self._play_context: Any = context
        self._connection = connection_loader.get("ansible.builtin.local", context)
        # The options come from the configuration alone, as the host's own describe another machine. Pipelining keeps
        # the module's arguments, with their secrets, off the disk.
        self._connection.set_options(var_options={}, direct={"pipelining": True})
        self._connection._shell.set_options(var_options={})

    def _with_this_python(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        interpreter: dict[str, Any] = {"ansible_python_interpreter": task_vars["ansible_playbook_python"]}
        if delegate := self._task.delegate_to:
            delegated = task_vars.get("ansible_delegated_vars", {})
            interpreter["ansible_delegated_vars"] = {**delegated, delegate: {**delegated.get(delegate, {}), **interpreter}}
        return {**task_vars, **interpreter}
