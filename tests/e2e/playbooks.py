# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the collection's playbooks as an operator does, and kill them where it hurts."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from lab import inventory, paths

#: No playbook of these tests may take longer.
SECONDS = 1800.0
_POLL_SECONDS = 0.01
_RECAP = re.compile(r"^(\S+) +: ((?:\w+=\d+ *)+)$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What became of one `ansible-playbook`."""

    playbook: str
    code: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """Host → its counts in the recap."""
        return {host: {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", counts)} for host, counts in _RECAP.findall(self.output)}

    @property
    def changed(self) -> int:
        """Tasks that changed something, on all hosts."""
        return sum(counts["changed"] for counts in self.recap.values())

    def must(self) -> Run:
        """Itself when it succeeded."""
        assert self.code == 0, f"{self.playbook} ended with {self.code}:\n{self.output[-6000:]}"
        return self

    def failed(self, *patterns: str) -> Run:
        """Itself when it failed as a user may expect: non-zero, a message with all the patterns in it, and no traceback."""
        assert self.code != 0, f"{self.playbook} succeeded:\n{self.output[-3000:]}"
        assert "Traceback" not in self.output, self.output
        assert "unexpected" not in self.output.lower(), self.output
        messages = [*self.messages, *self.findings]
        assert any(all(re.search(pattern, message, re.DOTALL) for pattern in patterns) for message in messages), f"none of these says {patterns}:\n" + (
            "\n".join(messages) or self.output[-3000:]
        )
        return self

    @property
    def messages(self) -> list[str]:
        """The messages of the failed tasks, each once: a stage says in the end again why it stopped, with its Japanese where both languages are wanted."""
        told = list(dict.fromkeys(str(task.result.get("msg", "")) for task in self.tasks if task.status in ("fatal", "failed")))
        return [message for message in told if not any(other.startswith(f"{message} / ") for other in told)]

    @property
    def findings(self) -> list[str]:
        """What preflight, the stage domains and the final gate have told as they stopped, each all in one."""
        failures = [task.result.get("failure") or {} for task in self.tasks if task.title.startswith("Tell what was found")]
        return [str(failure["details"]["lines"]) for failure in failures if "lines" in failure.get("details", {})]

    @property
    def tasks(self) -> list[Task]:
        """The answers that were printed: those of failed tasks always, all of them with -vvv."""
        return list(_tasks(self.output))

    def answers(self, title: str, host: str = "localhost") -> list[Task]:
        """The answers of the tasks with that title, on one host, in order; of a loop one for each item."""
        return [task for task in self.tasks if task.title == title and task.host == host]


@dataclass(frozen=True)
class Task:
    """One answer of a task. `item` is that of a loop."""

    title: str
    host: str
    status: str
    item: str | None
    result: dict[str, Any]


_TITLE = re.compile(r"^TASK \[(?:[\w.]+ : )?(.*)\] \*+$", re.MULTILINE)
_ANSWER = re.compile(
    r"^(ok|changed|skipping|fatal|failed): \[([^\]]+?)(?: -> [^\]]+)?\](?:: [A-Z]+!)?(?: =>|:)?(?: \(item=(.*?)\))?(?: =>)? (?=\{)", re.MULTILINE
)


def _tasks(output: str) -> Iterator[Task]:
    """The default callback prints a task's title, then each answer as JSON, on one line or (with -v) on several."""
    decoder = json.JSONDecoder()
    titles = list(_TITLE.finditer(output))
    ends = [title.start() for title in titles[1:]] + [len(output)]
    for title, end in zip(titles, ends, strict=False):
        part = output[title.end() : end]
        for found in _ANSWER.finditer(part):
            with contextlib.suppress(ValueError):
                yield Task(title[1], found[2], found[1], found[3], decoder.raw_decode(part, found.end())[0])


class Operator:
    """Somebody with an inventory and a run folder."""

    def __init__(self, folder: Path, **variables: Any) -> None:
        self.folder = folder
        self.run_dir = folder / "offboard-run"
        self.variables: dict[str, Any] = {"offboard_run_dir": str(self.run_dir), **variables}

    def _command(self, playbook: str, flags: tuple[str, ...], variables: Mapping[str, Any]) -> list[str]:
        # by file: some of these variables are secrets, and a command line is public
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "variables.json"
        file.write_text(json.dumps({**self.variables, **variables}))
        return ["ansible-playbook", "-i", str(paths.STATE / "inventory"), "-e", f"@{file}", f"offboard.iij_id.{playbook}", *flags]

    @staticmethod
    def _environment(more: Mapping[str, str]) -> dict[str, str]:
        return {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "false", **more}

    def run(self, playbook: str, *flags: str, environment: Mapping[str, str] | None = None, **variables: Any) -> Run:
        """`ansible-playbook offboard.iij_id.PLAYBOOK`, to its end."""
        done = subprocess.run(
            self._command(playbook, flags, variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=SECONDS,
            env=self._environment(environment or {}),
            check=False,
        )
        return Run(playbook, done.returncode, done.stdout)

    def kill(self, playbook: str, when: Callable[[], bool], **variables: Any) -> None:
        """Start the playbook, and end it with SIGKILL, and all that it has started, as soon as `when()`.

        Ansible's workers lead sessions of their own, so the processes get a process namespace, which dies at once.
        """
        alone = ["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
        with open(self.folder / "killed.log", "wb") as log:
            process = subprocess.Popen(
                [*alone, *self._command(playbook, (), variables)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment({})
            )
            end = time.monotonic() + SECONDS
            try:
                while not when():
                    ended = process.poll()
                    output = (self.folder / "killed.log").read_text(errors="replace")[-3000:] if ended is not None else ""
                    assert ended is None, f"{playbook} ended with {ended} before the point at which it was to be killed:\n{output}"
                    assert time.monotonic() < end, f"{playbook} did not come to the point at which it was to be killed"
                    time.sleep(_POLL_SECONDS)
            finally:
                child = _child(process.pid)
                process.send_signal(signal.SIGKILL)
                process.wait()
                while child and Path(f"/proc/{child}").exists() and not _is_zombie(child):
                    time.sleep(_POLL_SECONDS)

    @property
    def journal(self) -> list[dict[str, Any]]:
        """The journal's records; a line that a kill cut off is left out, as the collection does."""
        found = []
        for line in (self.run_dir / "journal.jsonl").read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        """A person's steps, by id."""
        return {step["id"]: step for step in json.loads((self.run_dir / "steps.json").read_text(encoding="utf-8"))["steps"]}

    def as_told(self, run: Run) -> Run:
        """Type the command that the run's message tells, with a name put in."""
        told = next(found[1] for message in run.messages if (found := re.search(r"(ansible-playbook offboard\.iij_id\.confirm .*YOUR_NAME}')", message)))
        command = [*shlex.split(told.replace("YOUR_NAME", "Hanako Reiji")), "-i", str(paths.STATE / "inventory")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=self._environment({}), timeout=SECONDS, check=False)
        return Run("confirm", done.returncode, done.stdout + done.stderr)

    def confirm(self, *identities: str) -> Run:
        """The person says that the steps are done."""
        return self.run("confirm", step=",".join(identities), by="Hanako Reiji").must()


def _child(pid: int) -> int | None:
    try:
        words = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    return int(words[0]) if words else None


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def vault_view(file: Path) -> str:
    """A vault file's content, by Ansible's own program: what the collection has written must open with it."""
    password = file.parent / ".vault-password"
    password.write_text(inventory.VAULT_PASSWORD)
    try:
        shown = subprocess.run(
            ["ansible-vault", "view", "--vault-password-file", str(password), str(file)],
            capture_output=True,
            text=True,
            env={**os.environ, "PAGER": "cat"},
            check=False,
        )
    finally:
        password.unlink()
    assert shown.returncode == 0, f"{file}: {shown.stderr}"
    return shown.stdout


def handover(run_dir: Path, name: str = "handover.yml") -> list[dict[str, str]]:
    """The entries of the hand-over file."""
    return yaml.safe_load(vault_view(run_dir / name))["users"]
