# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of the whole story are nowhere but where they belong, although it was told at -vvv with --diff and a log."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import company, paths
from lab.inventory import VAULT_PASSWORD

from .conftest import Chapter, Story
from .leaks import TOKEN, forms, leaks
from .playbooks import handover

pytestmark = [pytest.mark.lab, pytest.mark.long]

#: What stands in clear on the Windows machines, and must not be carried away from there.
AGENT_SECRETS = ("Lab-Bind-Secret-31", "lab-iij-dirsync-token-7f3a91", "lab-iij-passsync-token-52c8e0")


@pytest.fixture(scope="module")
def secrets(story: Story, finished: Chapter) -> list[str]:
    """All of them, generated ones too."""
    assert finished.run_dir is not None
    generated = [entry["password"] for entry in handover(finished.run_dir)]
    return [company.app("offboard")["secret"], paths.PASSWORD, VAULT_PASSWORD, *AGENT_SECRETS, *generated]


def _chapters(*chapters: Chapter) -> bytes:
    return "\n".join(chapter.run.output for chapter in chapters).encode()


def test_the_search_finds_what_is_there(secrets: list[str]) -> None:
    for secret in secrets:
        for form in forms(secret):
            assert leaks(b"x" + form + b"y", [secret]) == [secret]
    agents = Path(__file__).parents[1] / "lab" / "windows" / "installers"
    texts = b"".join(file.read_bytes() for file in agents.rglob("*.yml"))
    assert leaks(texts, AGENT_SECRETS) == list(AGENT_SECRETS)


def test_not_in_the_output(secrets: list[str], checked: Chapter, stopped: Chapter, finished: Chapter, again: Chapter) -> None:
    output = _chapters(checked, stopped, finished, again)
    assert b"entra_users" in output and b"win_software" in output and b"directory_object" in output  # -vvv was heard
    assert leaks(output, secrets) == []
    assert not TOKEN.search(output)


def test_not_in_the_log(story: Story, secrets: list[str], again: Chapter) -> None:
    log = story.log.read_bytes()
    assert len(log) > 100_000
    assert leaks(log, secrets) == []
    assert not TOKEN.search(log)


def test_not_in_the_run_folder(secrets: list[str], finished: Chapter) -> None:
    assert finished.run_dir is not None
    files = [file for file in finished.run_dir.rglob("*") if file.is_file()]
    assert {"journal.jsonl", "report.json", "report.html", "handover.yml"} <= {file.name for file in files}
    for file in files:
        content = file.read_bytes()
        assert leaks(content, secrets) == [], file
        assert not TOKEN.search(content), file


def test_not_in_the_process_list(story: Story, secrets: list[str], again: Chapter) -> None:
    seen = b"\n".join(story.watch.seen)
    assert b"ansible-playbook" in seen and b"offboard.iij_id.decommission" in seen  # it did look
    assert leaks(seen, secrets) == []
    assert not TOKEN.search(seen)
