# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line: what cannot run says why, one part's failure stops no other, secrets stay private."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from lab import __main__ as command_line
from lab import inventory, part, paths


class FakePart(part.Part):
    """A part that does what its name says."""

    def __init__(self, name: str) -> None:
        self.name = name

    def why_not(self) -> str | None:
        return "this machine has no such thing" if self.name == "absent" else None

    def prepare(self) -> None: ...

    def start(self) -> None:
        if self.name == "broken":
            raise RuntimeError("it ended at once")

    def stop(self) -> None: ...

    def reset(self) -> None: ...

    def status(self) -> dict[str, object]:
        return {"running": True}


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        (["good"], 0, "good: done in"),
        (["good", "absent"], 3, "absent: cannot run here: this machine has no such thing"),
        (["good", "absent", "broken"], 1, "broken: failed after"),
    ],
)
def test_exit_codes_of_up(names: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(paths, "STATE", tmp_path)
    monkeypatch.setattr(command_line, "load", FakePart)
    assert command_line.up(names) == code
    out = capsys.readouterr()
    assert said in out.out + out.err
    assert "good: done in" in out.out


def test_a_part_that_cannot_be_imported_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(command_line.PARTS, "tenant", ("lab.no_such_package.part", "Part"))
    assert "lab.no_such_package" in str(command_line.load("tenant"))


def test_the_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "STATE", tmp_path)
    folder = inventory.write()
    for name in ("all", "iij_id_agents"):
        assert stat.S_IMODE((folder / "group_vars" / name / "lab.yml").stat().st_mode) == 0o600
    hosts = yaml.safe_load((folder / "hosts.yml").read_text())
    agents = hosts["all"]["children"]["iij_id_agents"]
    controllers = agents["children"]["iij_id_domain_controllers"]["hosts"]
    assert {name: host["ansible_host"] for name, host in (agents["hosts"] | controllers).items()} == paths.WINDOWS
    assert {name: host["offboard_domain_controller"] for name, host in controllers.items()} == {"dcwin1": paths.DC_HOST, "dcwin2": paths.SECOND_DC_HOST}
    assert "iij_id_linux_agents" not in hosts["all"]["children"]  # the part does not run
    assert paths.PASSWORD not in (folder / "hosts.yml").read_text()


@pytest.mark.parametrize(("arguments", "code", "said"), [(["up", "nowhere"], 2, "unknown part 'nowhere'"), (["iij", "cycle"], 1, "does not run")])
def test_wrong_use_is_one_sentence(arguments: list[str], code: int, said: str, tmp_path: Path) -> None:
    environment = {"OFFBOARD_LAB": str(tmp_path), "PYTHONPATH": str(Path(paths.__file__).parents[1]), "PATH": ""}
    result = subprocess.run([sys.executable, "-m", "lab", *arguments], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert result.returncode == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr
