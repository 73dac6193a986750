# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a stage ends on the terminal: the findings in one language, what was done, what comes next, and the reason for a stop."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def play(tmp_path: Path, playbook: str, *words: str, **variables: object) -> tuple[int, str]:
    """An ansible-playbook on the controller alone; how it ended, and what it said."""
    given = {"offboard_run_dir": str(tmp_path / "run"), "offboard_options": ["custom_applications"], **variables}
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "-c", "local", "-e", json.dumps(given), *words,
         ROOT / "playbooks" / f"{playbook}.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def told(output: str, task: str) -> list[str]:
    """The lines that a task has told."""
    return [
        line
        for part in re.findall(rf"TASK \[[^]]*{task}[^]]*\] \*+\nok: \[localhost\] => (\{{.*?\n\}})", output, re.DOTALL)
        for line in json.loads(part)["msg"]
    ]


@pytest.mark.parametrize(
    ("language", "blocker", "due"),
    [("ja", "[要対応] 手順 relying_parties_unlinked", "今必要な手順"), ("en", "[Blocker] Nobody has confirmed the step relying_parties_unlinked", "Due now")],
)
def test_the_final_gate_tells_each_point_once_and_says_last_why_it_stops(tmp_path: Path, language: str, blocker: str, due: str) -> None:
    code, output = play(tmp_path, "final_gate", offboard_language=language, custom_applications_services=[{"name": "Expenses", "owner": "Taro"}])
    assert code == 2
    points = told(output, "Tell what was found")
    assert [line for line in points if "service_expenses" in line and "Expenses" in line and "Taro" in line] != []
    assert len([line for line in points if line.startswith(blocker)]) == output.count(blocker) == 1
    assert all(line.startswith("[") for line in points)
    ended = told(output, "Tell what was done")
    assert any(line.startswith(due) for line in ended) and any("offboard.iij_id.confirm" in line for line in ended)
    assert ended[-1].endswith(str(tmp_path / "run" / "report.html"))
    verdict = {"ja": "項目があります。", "en": "in the way."}[language]
    assert verdict in output[output.rindex("fatal:") :] and output.rindex("fatal:") > output.index(ended[-1])


def test_decommission_tells_it_once(tmp_path: Path) -> None:
    code, output = play(tmp_path, "decommission", "--tags", "relying_parties,report", offboard_language="ja")
    assert code == 0, output
    ended = told(output, "Tell what was done")
    assert ended[0] == "relying_parties (IIJ ID と連携するサービス): 担当者待ち" and ended[1].startswith("今必要な手順（relying_parties）")
    assert len([line for line in ended if line.startswith("次の操作")]) == 1


def test_preflight_writes_the_decisions_to_take(tmp_path: Path) -> None:
    given = {"offboard_options": ["directory_sync"], "offboard_vault_password": "x", "directory_sync_password_filters": ["flt"], "offboard_language": "ja"}
    code, output = play(tmp_path, "preflight", **given)
    assert code == 2 and "[要対応] offboard_options に directory_sync がありますが" in output, output
    path = tmp_path / "run" / "decisions.draft.yml"
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == {"directory_sync_password_filters": ["flt"]}
    assert "# directory_sync_without_machines: true" in path.read_text(encoding="utf-8").splitlines()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_stop_of_a_role_is_told_in_the_language(tmp_path: Path) -> None:
    given = {"offboard_options": ["directory_sync"], "directory_sync_accounts": ["CN=a", "CN=b"], "offboard_language": "ja"}
    code, output = play(tmp_path, "accounts", **given)
    assert code == 2 and "directory_sync_accounts に2件ありますが、offboard_directory_host にドメインコントローラーがありません。" in output, output
    assert "names no domain controller" not in output
