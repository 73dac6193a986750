# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_restart when its process is killed, answers are lost, or a domain controller does not come back: nobody is restarted twice, and nobody unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.controllers.plan import Controller
from ansible_collections.offboard.iij_id.plugins.module_utils._module import waiting
from ansible_collections.offboard.iij_id.plugins.module_utils._restart import resource
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import Answer
from ansible_collections.offboard.iij_id.plugins.modules import win_restart
from lab import killed

#: seconds after which a machine that was asked goes down, answers again, and is well
DOWN, BACK, WELL = 5, 20, 30
NAMES = ("dc1", "dc2")


class Domain:
    """Two domain controllers and the time, which passes only where somebody waits; they outlive the process that asks."""

    base = "DC=ad,DC=example"

    def __init__(self) -> None:
        self.kept = killed.Kept({"now": 0.0, "asked": {name: [] for name in NAMES}})
        self.lost: list[tuple[str, bool]] = []
        self.never_back: set[str] = set()
        self.never_well: set[str] = set()

    def wait(self, seconds: float) -> None:
        killed.a_step()
        with self.kept.changing() as state:
            state["now"] += seconds

    def now(self) -> float:
        return self.kept.value["now"]

    def since(self, name: str) -> float | None:
        """Seconds since it was last asked to restart."""
        asked = self.kept.value["asked"][name]
        return self.now() - asked[-1] if asked else None

    def restarts(self) -> list[int]:
        return [len(asked) for asked in self.kept.value["asked"].values()]

    # --- as the directory tells ---

    def controller(self, name: str) -> Controller:
        name = name.partition(".")[0]
        since = self.since(name)
        ill = since is not None and (since < WELL or name in self.never_well) and since >= DOWN
        return Controller(f"{name}.ad.example", ("pdc_emulator",) if name == "dc1" else (), problems=(("no_answer", "no answer"),) if ill else ())

    def controllers(self) -> list[Controller]:
        return [self.controller(name) for name in NAMES]

    # --- as one of the machines answers ---

    def connect(self, options: Any) -> Machine:
        return Machine(self, options["host"])


class Machine:
    def __init__(self, domain: Domain, host: str) -> None:
        self._domain, self.host = domain, host

    def run(self, *command: str) -> Answer:
        domain, since = self._domain, self._domain.since(self.host)
        if since is not None and since >= DOWN and (since < BACK or self.host in domain.never_back):
            raise OffboardError(f"{self.host} refused the connection", code="connection_refused")
        if command[0] == "shutdown.exe":
            return self._shutdown(since)
        if "ProductOptions" in command[2]:
            return Answer(0, b"HKEY_X\n    ProductType    REG_SZ    LanmanNT\n", b"")
        started = len(domain.kept.value["asked"][self.host]) - (since is not None and since < DOWN)
        return Answer(0, f"HKEY_X\n    ShutdownTime    REG_BINARY    M{started}\n".encode(), b"")

    def _shutdown(self, since: float | None) -> Answer:
        if since is not None and since < DOWN:
            return Answer(1190, b"", b"")
        lost = self._domain.lost.pop() if self._domain.lost else None
        killed.a_step()
        if not lost or lost[1]:
            with self._domain.kept.changing() as state:
                state["asked"][self.host].append(state["now"])
        killed.a_step()
        if lost:
            raise OffboardError(f"{self.host}: {lost[0]}", code="connection_lost")
        return Answer(0, b"", b"")

    def close(self) -> None:
        pass


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Domain]:
    made = Domain()
    monkeypatch.setattr(waiting, "CLOCK", waiting.Clock(made.now, made.wait))
    monkeypatch.setattr(resource, "Domain", lambda *_options: made)
    monkeypatch.setattr(resource.Restarts.__init__, "__defaults__", (made.connect,))
    yield made
    made.kept.close()


class Run:
    """A run that restarts those whose filter an earlier one has unregistered, and no others."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.journal, self._capsys = folder / "run/journal.jsonl", capsys
        self.journal.parent.mkdir(mode=0o700)
        self.begin()

    def begin(self) -> None:
        about = {"run": "r", "at": "2026-01-01T00:00:00Z", "kind": "windows_password_filter"}
        lines = [{"record": "outcome", **about, "id": f"{name}/flt", "name": "flt", "action": "unregister", "status": "done"} for name in NAMES]
        self.journal.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
        self.journal.chmod(0o600)

    def main(self) -> None:
        login = {"username": "u", "password": "Hush-31", "scheme": "https", "transport": "ntlm"}
        machines = [{"host": name, "name": name, **login} for name in NAMES]
        with killed.module_args({"machines": machines, "directory": {"host": "dc1"}, "only_unregistered": True, "journal": str(self.journal)}):
            win_restart.main()

    def __call__(self) -> dict[str, Any]:
        self._capsys.readouterr()
        with pytest.raises(SystemExit):
            self.main()
        return json.loads(self._capsys.readouterr().out)

    def unfinished(self) -> Any:
        return journal.unfinished(self.journal.read_bytes().splitlines())


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(tmp_path, capsys)


@pytest.mark.parametrize("later", [0, DOWN, WELL])
def test_killed_at_every_step(domain: Domain, run: Run, later: int) -> None:
    """The next run comes at once, while the machine is down, or when it is back long since."""
    fresh, step = domain.kept.value, 0
    while killed.is_killed(step, run.main):
        with domain.kept.changing() as state:
            state["now"] += later
        tried, again = 0, run()
        while again.get("failed") and tried < 3:  # another one is not well yet: said, and nothing done
            assert [item["rule"] for item in again["failure"]["details"]["refusals"]] == ["unhealthy", "too_few_healthy"], (step, again["msg"])
            with domain.kept.changing() as state:
                state["now"] += WELL
            tried, again = tried + 1, run()
        assert not again.get("failed") and domain.restarts() == [1, 1], (step, again)
        assert all(one.healthy for one in domain.controllers()), step
        first, second = (domain.kept.value["asked"][name][0] for name in NAMES)
        assert first >= second + WELL, step  # the PDC emulator last, and only when the other was well
        assert run.unfinished() == [], step
        assert run()["changed"] is False and domain.restarts() == [1, 1], step
        domain.kept.value = fresh
        run.begin()
        step += 1
    assert step > 40 and domain.restarts() == [1, 1]


@pytest.mark.parametrize("carried_out", [True, False])
def test_an_answer_that_was_lost(domain: Domain, run: Run, carried_out: bool) -> None:
    domain.lost.append(("the connection failed", carried_out))
    answer = run()
    if carried_out:  # it was watched, and so was the next one
        assert not answer.get("failed") and domain.restarts() == [1, 1]
    else:
        assert (answer["failure"]["code"], [item["code"] for item in answer["skipped_objects"]]) == ("restart_not_begun", ["earlier_failure"])
    domain.wait(WELL)
    assert not run().get("failed") and domain.restarts() == [1, 1]
    assert run()["changed"] is False and domain.restarts() == [1, 1]


def test_one_that_does_not_come_back_ends_the_run(domain: Domain, run: Run) -> None:
    domain.never_back.add("dc2")
    answer = run()
    assert answer["failure"]["code"] == "not_back" and answer["msg"].count("dc2") and domain.restarts() == [0, 1]
    assert run()["failure"]["code"] == "connection_refused"
    domain.never_back.clear()
    assert not run().get("failed") and domain.restarts() == [1, 1]


def killed_while_ill(domain: Domain, run: Run) -> None:
    """Ends while it is waited for that dc1, the last one, is well."""
    fresh, step = domain.kept.value, 0
    while True:
        assert killed.is_killed(step, run.main)
        since = domain.since("dc1")
        if since is not None and since >= BACK:
            return
        domain.kept.value = fresh
        run.begin()
        step += 1


@pytest.mark.parametrize("failed_before", [False, True])
def test_the_last_one_is_not_done_before_it_is_well(domain: Domain, run: Run, failed_before: bool) -> None:
    domain.never_well.add("dc1")
    if failed_before:
        assert run()["failure"]["code"] == "not_healthy"
    else:
        killed_while_ill(domain, run)
    assert run()["failure"]["code"] == "not_healthy" and domain.restarts() == [1, 1]
    domain.never_well.clear()
    done = run()
    assert [item["name"] for item in done["applied"]] == ["dc1"] and domain.restarts() == [1, 1] and run.unfinished() == []
    assert run()["changed"] is False
