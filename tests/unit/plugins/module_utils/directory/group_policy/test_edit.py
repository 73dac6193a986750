# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one sequence of an edit, with a failure at each of its steps: all is as before, or the next run goes on from it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy import edit
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.policy import Policy
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.versions import of_ini
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.sysvol import Listing

GUID = "{6AC1786C-016F-11D2-945F-00C04FB984F9}"
INI, FILE = r"sysvol\GPT.INI", r"sysvol\GptTmpl.inf"


class World:
    """The directory and SYSVOL in memory. The steps whose numbers are in `faults` fail, `late` after they were carried out."""

    def __init__(self, *faults: int, code: str = "", late: bool = False) -> None:
        self.content = {INI: b"[General]\r\nVersion=1\r\n", FILE: b"old"}
        self.rights = {FILE: b"its own"}
        self.version = 1
        self.faults, self.code, self.late = set(faults), code, late
        self.steps: list[str] = []

    def _step(self, name: str, do: Callable[[], Any]) -> Any:
        self.steps.append(name)
        failing = len(self.steps) in self.faults
        done = do() if self.late or not failing else None
        if failing:
            raise OffboardError(name, code=self.code)
        return done

    def listing(self, folder: str) -> Any:
        return self._step("listing", lambda: Listing(sorted(path.removeprefix(folder + "\\") for path in self.content), []))

    def read(self, path: str) -> Any:
        return self._step("read", lambda: self.content[path])

    def descriptor(self, path: str) -> Any:
        return self._step("descriptor", lambda: self.rights.get(path, b"inherited"))

    def set_descriptor(self, path: str, rights: bytes) -> None:
        self._step("set_descriptor", lambda: self.rights.update({path: rights}))

    def create(self, path: str, data: bytes) -> None:
        self._step("create", lambda: self.content.update({path: data}))

    def remove(self, path: str) -> None:
        self._step("remove", lambda: (self.content.pop(path, None), self.rights.pop(path, None)))

    def rename(self, path: str, over: str, _patience: float) -> None:
        self._step("rename", lambda: (self.content.update({over: self.content.pop(path)}), self.rights.update({over: self.rights.pop(path)})))

    @contextlib.contextmanager
    def locked(self, path: str) -> Iterator[Any]:
        self._step("lock", lambda: None)
        yield SimpleNamespace(
            read=lambda: self._step("read GPT.INI", lambda: self.content[path]),
            write=lambda data: self._step("write GPT.INI", lambda: self.content.update({path: data})),
        )

    def get(self, _guid: str) -> Any:
        return self._step("get", lambda: Policy(GUID, "CN=x", "1", "P", self.version, "enabled", "sysvol", True))

    def ini_version(self, _policy: Policy) -> Any:
        return self._step("read GPT.INI", lambda: of_ini(self.content[INI]))

    def modify(self, _dn: str, _guid: str, changes: Any, _what: str) -> None:
        old, new = (int(values[0]) for _operation, _attribute, values in changes)
        assert old == self.version
        self._step("swap", lambda: setattr(self, "version", new))

    @property
    def state(self) -> Any:
        return self.version, of_ini(self.content[INI]), self.content[FILE], self.rights[FILE], len(self.content)


BEFORE, AFTER = (1, 1, b"old", b"its own", 2), (2, 2, b"new", b"its own", 2)


def run(world: Any, resumes: bool = False) -> None:
    wanted = edit.Edit(GUID, "GptTmpl.inf", 1, 2, edit.digest(b"old"), edit.digest(b"new"), resumes=resumes)
    edit.Editor(world, world, world, 1).carry_out(wanted, b"new")


def steps() -> list[str]:
    world = World()
    run(world)
    assert world.state == AFTER
    return world.steps


STEPS = steps()
RENAME = STEPS.index("rename") + 1


LOST = ("connection_lost", "timeout")
CASES = [
    (step, code, late)
    for step, name in enumerate(STEPS, 1)
    for code in ("insufficient_rights", "file_in_use", "file_write_failed", *LOST)
    for late in (False, True)
    # a server that says no has not done it
    if not late or code in LOST or name not in ("swap", "rename", "write GPT.INI")
]


@pytest.mark.parametrize(("step", "code", "late"), CASES, ids=lambda value: f"{value}-{STEPS[value - 1]}" if type(value) is int else None)
def test_a_failure_at_each_step(step: int, code: str, late: bool) -> None:
    world = World(step, code=code, late=late)
    with pytest.raises(OffboardError) as failed:
        run(world)
    assert failed.value.code == code
    if code not in LOST and step <= RENAME:
        assert world.state == BEFORE
    elif world.state not in (BEFORE, AFTER):
        world.faults = set()
        run(world, resumes=True)
        assert world.state == AFTER


def test_a_version_that_cannot_be_put_back_is_gone_on_with() -> None:
    """The rename fails, and then the directory, too: the new file goes all the same."""
    world = World(RENAME, RENAME + 1, code="file_in_use")
    with pytest.raises(OffboardError):
        run(world)
    assert world.state == (2, 1, b"old", b"its own", 2)
    world.faults = set()
    run(world, resumes=True)
    assert world.state == AFTER
