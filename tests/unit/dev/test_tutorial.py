# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the first-run tutorial tells people to type exists: commands, playbooks, variables, steps of a person; in both languages the same."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core.warned import NOUNS
from dev import cli, places
from lab import __main__ as lab_program

LANGUAGES = ("en", "ja")
#: other programs that the tutorial uses
PROGRAMS = {"ansible-playbook", "ansible-vault", "echo", "exit", "export", "mv", "rm"}
#: extra variables of playbooks, which are no role's
EXTRA = {"confirm": {"step", "by", "note", "withdraw"}}


def page(language: str) -> str:
    return (places.ROOT / "docs" / language / "tutorial.md").read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    """The indented lines: what is shown as output stands between fences."""
    shown = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [line.strip() for line in shown.splitlines() if line.startswith("    ")]


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def variables() -> set[str]:
    """Of all roles, whatever their entry point."""
    entries = [entry for file in places.ROOT.glob("roles/*/meta/argument_specs.yml") for entry in load(file)["argument_specs"].values()]
    return {name for entry in entries for name in entry.get("options", {})}


def steps() -> set[str]:
    """Ids of the steps of a person."""
    files = [load(file) for file in places.ROOT.glob("roles/*/vars/steps.yml")]
    return {step["id"] for file in files for listed in file.values() for step in listed}


def extra(words: list[str]) -> dict[str, Any]:
    """What is given by -e."""
    given: dict[str, Any] = {}
    for option, value in itertools.pairwise(words):
        if option == "-e":
            given |= yaml.safe_load(value) if value.startswith("{") else dict([value.split("=", 1)])
    return given


def check(command: str) -> None:
    """Fails when something that the command names is not there."""
    words = shlex.split(command)
    if words[0] == "./dev":
        parser = lab_program._parser() if words[1] == "lab" else cli._parser()
        given = words[2:] if words[1] == "lab" else words[1:]
        if words[1] in cli.PASSED_ON and words[1] != "lab":
            return
        options = parser.parse_args(given)
        assert set(getattr(options, "parts", [])) <= set(lab_program.PARTS), command
        return
    assert words[0] in PROGRAMS, command
    if words[0] == "ansible-playbook":
        (playbook,) = [word.removeprefix("offboard.iij_id.") for word in words if word.startswith("offboard.iij_id.")]
        assert (places.ROOT / "playbooks" / f"{playbook}.yml").is_file(), command
        given = extra(words)
        assert set(given) <= variables() | EXTRA.get(playbook, set()), command
        assert {step for step in str(given.get("step", "")).split(",") if step} <= steps(), command
    if words[0] == "echo":
        assert set(yaml.safe_load(words[1])) <= variables(), command


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_to_be_typed_exists(language: str) -> None:
    typed = commands(page(language))
    assert len(typed) > 15
    for command in typed:
        check(command)


@pytest.mark.parametrize(
    "wrong",
    [
        "./dev lab start tenant",
        "./dev lab up tenants",
        "./dev demonstrate",
        "ansible-playbook offboard.iij_id.look",
        "ansible-playbook offboard.iij_id.users -e microsoft_365_disable_apps=true",
        "ansible-playbook offboard.iij_id.confirm -e step=provisioning_ended -e '{by: Hanako}'",
        "ansible-playbook offboard.iij_id.users -e by=Hanako",
        "echo '{offboard_tongue: en}' > x",
        "curl http://x.example",
    ],
)
def test_what_does_not_exist_is_found(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((AssertionError, SystemExit)):
        check(wrong)


def test_both_languages_have_the_same_commands() -> None:
    english, japanese = (commands(page(language)) for language in LANGUAGES)
    assert [command.replace("offboard_language: en", "offboard_language: ja") for command in english] == japanese


def test_each_step_of_a_person_is_confirmed_on_the_way() -> None:
    """Else the exit of the tutorial does not end. The contract is another matter: its end comes after that of the exit."""
    confirmed = [extra(shlex.split(command))["step"].split(",") for command in commands(page("en")) if "offboard.iij_id.confirm" in command]
    assert {step for listed in confirmed for step in listed} == steps() - {"contract_terminated"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_text_names_exists(language: str) -> None:
    """Variables in the prose and in what was printed."""
    roles = "|".join(sorted(file.parent.name for file in places.ROOT.glob("roles/*/tasks")))
    named = set(re.findall(rf"\b(?:{roles})_[a-z_]+\b", page(language)))
    assert named and named <= variables(), named - variables()


@pytest.mark.parametrize("language", LANGUAGES)
def test_progress_is_shown_as_its_reader_sees_it(language: str) -> None:
    told = re.findall(r"^\w+: (\S+) \d+/\d+(?:, |、)", page(language), re.MULTILINE)
    assert len(told) == 4 and set(told) <= (set(NOUNS) if language == "en" else set(NOUNS.values())), told
