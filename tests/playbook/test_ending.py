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
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def play(tmp_path: Path, playbook: str, *words: str, **variables: object) -> tuple[int, str]:
    """An ansible-playbook on the controller alone; how it ended, and what it said."""
    given = {"offboard_run_dir": str(tmp_path / "run"), "offboard_options": ["custom_applications"], **variables}
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "-c", "local", "-e", json.dumps(given), *words,
         ROOT / "playbooks" / f"{playbook}.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1", "PWD": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def told(output: str, task: str) -> list[str]:
    """The lines that a task has told, a judgement also where it failed."""
    if shown := re.findall(rf"TASK \[[^]]*{task}[^]]*\] \*+\n((?:.+\n)+?)ok: \[localhost\]\n", output):
        return [line for block in shown for line in block.splitlines()]
    answers = [
        json.loads(part)
        for block in re.findall(rf"TASK \[[^]]*{task}[^]]*\] \*+\n(.*?)(?=\n\n[A-Z])", output, re.DOTALL)
        for part in re.findall(r"^(?:ok|fatal): \[localhost\](?:: FAILED!)? => (\{.*?\n\})", block, re.DOTALL | re.MULTILINE)
    ]
    return [line for answer in answers for line in answer.get("lines") or answer.get("failure", {}).get("details", {}).get("lines") or answer["msg"]]


@pytest.mark.parametrize(
    ("language", "blocker", "due"),
    [("ja", "[要対応] 手順 relying_parties_unlinked", "今必要な手順"), ("en", "[Blocker] Nobody has confirmed the step relying_parties_unlinked", "Due now")],
)
def test_the_final_gate_tells_each_point_once_and_says_last_why_it_stops(tmp_path: Path, language: str, blocker: str, due: str) -> None:
    services = [{"name": "Expenses", "owner": "Taro"}]
    given: dict[str, Any] = {"custom_applications_services": services}
    if language == "en":  # what a survey and -e name=value give are texts
        given = {"offboard_options": " custom_applications,\n", "custom_applications_services": json.dumps(services)}
    code, output = play(tmp_path, "final_gate", offboard_language=language, **given)
    assert code == 2
    points = told(output, "Tell what was found")
    assert [line for line in points if "service_expenses" in line and "Expenses" in line and "Taro" in line] != []
    assert len([line for line in points if line.startswith(blocker)]) == output.count(blocker) == 1
    assert all(line.startswith("[") for line in points)
    ended = told(output, "Tell what was done")
    assert any(line.startswith(due) for line in ended) and any("offboard.iij_id.confirm" in line for line in ended)
    assert ended[-1].endswith(str(tmp_path / "run" / "report.html"))
    kept = json.loads((tmp_path / "run" / "results" / "final_gate.json").read_text())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", kept["at"]) and kept["options"] == ["custom_applications"] and kept["tenant_id"] == ""
    verdict = {"ja": "項目があります。", "en": "in the way."}[language]
    assert verdict in output[output.rindex("fatal:") :] and output.rindex("fatal:") > output.index(ended[-1])


def test_a_job_of_a_workflow_names_what_its_user_does(tmp_path: Path) -> None:
    code, output = play(tmp_path, "final_gate", offboard_language="en", awx_job_id=7, awx_workflow_job_id=3)
    (what_next,) = [line for line in told(output, "Tell what was done") if line.startswith("Next: ")]
    assert code == 2 and "confirm (" in what_next and "ends here on purpose. Then launch the workflow again" in what_next


@pytest.mark.parametrize(
    ("language", "last"),
    [
        ("ja", "offboard_tenant_id (AZURE_TENANT_ID) が指定されていません（missing required arguments: tenant_id）。"),
        ("en", "missing required arguments: tenant_id. Set offboard_tenant_id (AZURE_TENANT_ID)."),
    ],
)
def test_the_last_line_is_in_the_language_of_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, last: str) -> None:
    monkeypatch.delenv("AZURE_TENANT_ID", raising=False)
    code, output = play(tmp_path, "users", offboard_language=language, offboard_options=["microsoft_365"], offboard_access_token="x")
    assert code == 2 and f'"msg": "{last}"' in output[output.rindex("fatal:") :], output


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("watch_certificates_fail_on", 5, "where a list must be"),
        ("watch_certificates_fail_on", "critical,critcal", "holds what is no severity"),
        ("watch_certificates_domains", {"a.example": 1}, "where a list must be"),
        ("watch_certificates_warning_days", "-1", "no whole number that is meant here"),
    ],
)
def test_a_watch_that_would_never_alarm_is_refused(tmp_path: Path, variable: str, value: object, why: str) -> None:
    code, output = play(tmp_path, "watch_certificates", offboard_access_token="x", offboard_graph_url="https://localhost:9", **{variable: value})
    assert code == 2 and f"{variable}" in output and why in output and "localhost:9" not in output, output


@pytest.mark.parametrize("given", [None, "", [], "nobody", ["Users"]])
def test_what_is_to_be_brought_back_is_asked_for_in_both_languages(tmp_path: Path, given: object) -> None:
    code, output = play(tmp_path, "restore", offboard_restore=given)
    assert code == 2 and "What shall be brought back?" in output and "何を元に戻しますか" in output and "length' failed" not in output, output


@pytest.mark.parametrize(("language", "told", "untold"), [("en", "What shall be brought back?", "何を元に"), ("ja", "何を元に", "brought back?")])
def test_who_reads_one_language_is_asked_in_it(tmp_path: Path, language: str, told: str, untold: str) -> None:
    code, output = play(tmp_path, "restore", offboard_language=language)
    assert code == 2 and told in output and untold not in output, output


@pytest.mark.parametrize(
    ("playbook", "given", "told", "untold"),
    [
        ("status", {"offboard_run_dir": ""}, "offboard_run_dir が空です", "is empty"),
        ("guest_federation", {"guest_federation_partners": "a"}, "リスト以外の値", "a list must be"),
        ("awx_setup", {"awx_exposed_paths": "/a:/b:ro,z"}, "リスト以外の値", "a list must be"),
        ("awx_setup", {}, "awx_image が指定されていません", "is not given"),
    ],
)
def test_what_is_refused_before_the_rest_is_told_in_the_readers_language(tmp_path: Path, playbook: str, given: dict[str, Any], told: str, untold: str) -> None:
    code, output = play(tmp_path, playbook, offboard_language="ja", **given)
    assert code == 2 and told in output and untold not in output, output


@pytest.mark.parametrize(
    ("by", "told_why"), [(["A"], "one person's name"), ({"a": 1}, "one person's name"), (True, "one person's name"), ("\u200b", "Who confirms?")]
)
def test_only_a_person_confirms(tmp_path: Path, by: object, told_why: str) -> None:
    step = {"id": "a", "stage": "gate", "en": "a", "ja": "a", "blocks_final_gate": True, "source": "", "done": False, "by": "", "at": "", "note": ""}
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "steps.json").write_text(json.dumps({"steps": [step]}))
    code, output = play(tmp_path, "confirm", step="a", by=by)
    assert code == 2 and told_why in output, output
    assert json.loads((tmp_path / "run" / "steps.json").read_text()) == {"steps": [step]}


@pytest.mark.parametrize(
    ("given", "meant"),
    [("withdrawn", "withdraw"), ("Widthdraw", "withdraw"), ("evidences", "evidence"), ("notes", "note"), ("node", "")],
)
def test_a_word_that_is_almost_one_of_confirm_confirms_nothing(tmp_path: Path, given: str, meant: str) -> None:
    step = {"id": "a", "stage": "gate", "en": "a", "ja": "a", "blocks_final_gate": True, "source": "", "done": False, "by": "", "at": "", "note": ""}
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "steps.json").write_text(json.dumps({"steps": [step]}))
    code, output = play(tmp_path, "confirm", step="a", by="Hanako", **{given: "true"})
    assert (code, f"{given} ({meant}?): nobody reads" in output) == ((2, True) if meant else (0, False)), output
    assert json.loads((tmp_path / "run" / "steps.json").read_text())["steps"][0]["done"] is not bool(meant)


def test_an_answer_of_blanks_is_none(tmp_path: Path) -> None:
    step = {"id": "a", "stage": "gate", "en": "a", "ja": "a", "blocks_final_gate": True, "source": "", "done": False, "by": "", "at": "", "note": ""}
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "steps.json").write_text(json.dumps({"steps": [step]}))
    code, output = play(tmp_path, "confirm", step="a", by="Hanako", note=" \u3000", evidence=" \n", withdraw=" ")
    confirmed = json.loads((tmp_path / "run" / "steps.json").read_text())["steps"][0]
    assert code == 0 and confirmed["done"] and confirmed["note"] == "" and "evidence" not in confirmed, output


@pytest.mark.parametrize("playbook", ["confirm", "status", "report", "watch_certificates", "partner_sheet", "guest_federation"])
def test_a_time_zone_that_is_none_begins_nothing(tmp_path: Path, playbook: str) -> None:
    code, output = play(tmp_path, playbook, offboard_timezone="Asia/Tokyoo", offboard_language="ja", step="a")
    assert code == 2 and "offboard_timezone (Asia/Tokyoo): このタイムゾーンはありません" in output and not (tmp_path / "run").exists(), output


def test_what_a_person_attaches_is_kept_and_named(tmp_path: Path) -> None:
    """From where ansible-playbook was started, as text with commas, as lines of a survey and as a list; the report and the status name it."""
    step = {"id": "a", "stage": "gate", "en": "a", "ja": "a", "blocks_final_gate": True, "source": "", "done": False, "by": "", "at": "", "note": ""}
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "steps.json").write_text(json.dumps({"steps": [step]}))
    for name in ("before.txt", "after.txt", "last search.txt"):
        (tmp_path / name).write_text(name)
    code, output = play(tmp_path, "confirm", "--check", step="a", by="Hanako", evidence="before.txt")
    assert code == 0 and not (tmp_path / "run" / "evidence").exists(), output
    code, output = play(tmp_path, "confirm", step="a", by="Hanako", evidence=f"before.txt, {tmp_path}/after.txt\n")
    assert code == 0 and "changed=1" in output, output
    code, output = play(tmp_path, "confirm", step="a", by="Hanako", evidence=["before.txt", f"{tmp_path}/after.txt"])
    assert code == 0 and "changed=0" in output, output
    code, output = play(tmp_path, "confirm", step="a", by="Taro", evidence=["last search.txt"])
    assert code == 0 and sorted(os.listdir(tmp_path / "run" / "evidence" / "a")) == ["after.txt", "before.txt", "last-search.txt"], output
    code, output = play(tmp_path, "confirm", step="a", by="Taro", evidence={"file": "x"})
    assert code == 2 and "evidence names files" in output
    code, output = play(tmp_path, "confirm", step="a", withdraw=True, evidence="before.txt")
    assert code == 0 and "its 3 files of evidence stay" in output and len(os.listdir(tmp_path / "run" / "evidence" / "a")) == 3, output
    (tmp_path / "run" / "evidence" / "a" / "before.txt").unlink()
    code, output = play(tmp_path, "status", offboard_language="ja")
    assert code == 0 and "証跡（a）: evidence/a/before.txt, evidence/a/after.txt, evidence/a/last-search.txt" in output
    assert "警告: 手順 a の証跡: before.txt（実行フォルダーの evidence/a/before.txt）がありません" in output
    code, output = play(tmp_path, "final_gate", offboard_language="en")
    assert [line for line in told(output, "Tell what was found") if line.startswith("[Warning] Evidence of the step a: before.txt")], output


@pytest.mark.parametrize("words", [(), ("--check",)], ids=str)
def test_a_final_gate_that_stays_closed_hands_its_numbers_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setenv("ANSIBLE_SHOW_CUSTOM_STATS", "1")
    _code, output = play(tmp_path, "final_gate", *words)
    found = re.search(r"\{.*\}", output.partition("CUSTOM STATS")[2], re.DOTALL)
    assert found, output
    numbers = json.loads(found[0])["offboard_final_gate"]
    assert numbers["open"] is False and int(numbers["blockers"]) > 0, output  # ansible-core 2.18 makes a text of it


def test_who_has_no_tenant_is_told_of_no_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workflow would take it for one that stays closed."""
    monkeypatch.setenv("ANSIBLE_SHOW_CUSTOM_STATS", "1")
    code, output = play(tmp_path, "gate", offboard_options=["custom_applications"])
    assert code == 0 and "offboard_result" in output and "offboard_gate" not in output, output


def test_decommission_tells_it_once(tmp_path: Path) -> None:
    code, output = play(tmp_path, "decommission", "--tags", "relying_parties,report", offboard_language="ja")
    assert code == 0, output
    ended = told(output, "Tell what was done")
    assert ended[0] == "relying_parties（IIJ IDと連携するサービス）: 担当者待ち" and ended[1].startswith("今必要な手順（relying_parties）")
    assert len([line for line in ended if line.startswith("次の操作")]) == 1


def test_preflight_writes_the_decisions_to_take(tmp_path: Path) -> None:
    given = {"offboard_options": ["directory_sync"], "offboard_vault_password": "x", "directory_sync_password_filters": ["flt"], "offboard_language": "ja"}
    code, output = play(tmp_path, "preflight", **given)
    assert code == 2 and "[要対応] offboard_options に directory_sync がありますが" in output, output
    path = tmp_path / "run" / "decisions.draft.yml"
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == {"directory_sync_password_filters": ["flt"]}
    assert "# directory_sync_without_machines: true" in path.read_text(encoding="utf-8").splitlines()
    assert path.stat().st_mode & 0o777 == 0o600


def test_preflight_wants_a_password_for_what_it_would_keep(tmp_path: Path) -> None:
    code, output = play(tmp_path, "preflight", offboard_options=["custom_applications"], offboard_language="en")
    assert code == 2 and any(line.startswith("[Blocker]") and "vault_password" in line for line in told(output, "Tell what was found")), output
    code, output = play(tmp_path, "preflight", offboard_options=["custom_applications"], offboard_language="en", offboard_vault_password="x")
    assert "vault_password" not in output


def test_a_check_run_names_no_report(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    for words in (("--check",), ()):
        code, output = play(tmp_path, "report", *words)
        assert code == 0 and ("report.html" in output) is (not words), output
    # the one of an earlier run is there, and is not this one's
    code, output = play(tmp_path, "report", "--check")
    assert code == 0 and "offboard_report" not in output


def test_a_stop_of_a_role_is_told_in_the_language(tmp_path: Path) -> None:
    given = {"offboard_options": ["directory_sync"], "directory_sync_accounts": ["CN=a", "CN=b"], "offboard_language": "ja"}
    code, output = play(tmp_path, "accounts", **given)
    assert code == 2 and "を無効化または削除する指定ですが、offboard_directory_host にドメインコントローラーがないため" in output, output
    assert "names no domain controller" not in output


@pytest.mark.parametrize(
    ("playbook", "given"),
    [
        ("confirm", {"step": "a", "by": "Hanako"}),
        ("notices", {"offboard_options": ["microsoft_365"], "microsoft_365_notices_day": "2026-12-01", "microsoft_365_domains": ["a.example"]}),
        ("identity_provider_sheet", {}),
    ],
)
def test_what_is_no_stage_ends_with_what_comes_next_too(tmp_path: Path, playbook: str, given: dict[str, object]) -> None:
    steps = [
        {"id": name, "stage": "clients", "en": name, "ja": name, "blocks_final_gate": True, "source": "", "done": False, "by": "", "at": "", "note": ""}
        for name in ("a", "b")
    ]
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "steps.json").write_text(json.dumps({"steps": steps}))
    code, output = play(tmp_path, playbook, offboard_language="ja", **given)
    assert code == 0, output
    ended = told(output, "Tell what was done")
    assert [line for line in ended if line.startswith("今必要な手順（clients）: b")]
    assert [line for line in ended if line.startswith("次の操作: ansible-playbook offboard.iij_id.confirm")]
    assert any(line.startswith("今必要な手順（clients）: a") for line in ended) == (playbook != "confirm")


@pytest.mark.parametrize(
    ("playbook", "given", "why"),
    [
        ("confirm", {"step": "nosuch", "by": "Hanako"}, "手順 'nosuch' はまだ記録されていません。先に preflight を実行してください。"),
        ("notices", {"offboard_options": ["microsoft_365"], "microsoft_365_notices_day": "2026-13-45"}, "オプションの値が正しくない。"),
        ("status", {"offboard_run_dir": "/nonexistent/run"}, "実行フォルダー /nonexistent/run がありません"),
        ("guest_federation", {"guest_federation_tenant_id": "x"}, "テナントIDがGUIDではない。"),
        ("partner_sheet", {"partner_sheet_tenant_id": "x"}, "テナントIDがGUIDではない。"),
    ],
)
def test_what_is_no_stage_says_why_it_stops_in_the_language_of_its_reader(tmp_path: Path, playbook: str, given: dict[str, object], why: str) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    code, output = play(tmp_path, playbook, offboard_language="ja", **given)
    assert code == 2 and f'"msg": "{why}' in output[output.rindex("fatal:") :], output
    assert playbook == "status" or output.rindex("fatal:") > output.rindex("次の操作")


def test_the_run_folder_of_another_tenant_is_told_in_the_language_of_its_reader(tmp_path: Path) -> None:
    """In the first play of every stage."""
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "run.json").write_text(json.dumps({"tenant_id": "6b1c4a2e-0d5f-4c3b-9a7e-8f2d1c0b9a87"}))
    code, output = play(tmp_path, "users", offboard_language="ja", offboard_tenant_id="aaaaaaaa-0d5f-4c3b-9a7e-8f2d1c0b9a87")
    assert code == 2 and '"msg": "実行フォルダーが別のテナント' in output[output.rindex("fatal:") :], output


@pytest.mark.parametrize("playbook", ["preflight", "status", "confirm", "guest_federation", "partner_sheet", "watch_certificates"])
def test_a_variable_that_nobody_reads_is_told(tmp_path: Path, playbook: str) -> None:
    """A mistyped list of exceptions would except nobody."""
    (tmp_path / "run").mkdir(mode=0o700)
    given = {
        "guest_federation": ("guest_fedration_partners", "guest_federation_partners"),
        "partner_sheet": ("partner_sheet_partner", "partner_sheet_partners"),
        "watch_certificates": ("watch_certificates_domain", "watch_certificates_domains"),
    }
    typed, meant = given.get(playbook, ("microsoft_365_exlude", "microsoft_365_exclude"))
    code, output = play(tmp_path, playbook, **{typed: ["a@b.example"]})
    assert code == 2 and f"{typed} ({meant}?)" in output, output


@pytest.mark.parametrize("group", ["iij_id_agents", "iij_id_linux_agents", "iij_id_browser_machines"])
def test_a_variable_of_machines_that_nobody_reads_is_told(tmp_path: Path, group: str) -> None:
    """The localhost that decides does not have what is given for a group of machines, or for one of them."""
    for folder, whose in (("group_vars", group), ("host_vars", "m2")):
        inventory = {"all": {"hosts": {"localhost": {}}, "children": {group: {"hosts": {name: {} for name in ("m1", "m2")}}}}}
        at = tmp_path / folder
        (at / folder).mkdir(parents=True)
        (at / "hosts.yml").write_text(yaml.safe_dump(inventory))
        (at / folder / f"{whose}.yml").write_text("directory_sync_confirmed: [a]\ndirectory_sync_product: [a]\n")
        (at / "run").mkdir(mode=0o700)
        code, output = play(at, "preflight", "-i", str(at / "hosts.yml"))
        assert code == 2 and "directory_sync_product (directory_sync_products?)" in output and "directory_sync_confirmed" not in output, output


def test_a_scheduled_playbook_that_fails_tells_what_comes_next_before_it_says_why(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "steps.json").write_text('{"steps": []}')
    code, output = play(tmp_path, "watch_certificates", offboard_language="ja", offboard_access_token="x", offboard_graph_url="https://localhost:9")
    assert code == 2, output
    assert any(line.startswith("次の操作: ansible-playbook offboard.iij_id.preflight") for line in told(output, "Tell what was done"))
    assert output.rindex("fatal:") > output.rindex("次の操作")


def domain_controllers(tmp_path: Path) -> Path:
    """An inventory with two domain controllers on which nothing listens."""
    hosts = {name: {"ansible_host": "localhost", "ansible_port": 9, "ansible_connection": "winrm"} for name in ("dc1", "dc2")}
    inventory = {"all": {"children": {"iij_id_agents": {"children": {"iij_id_domain_controllers": {"hosts": hosts}}}}}}
    path = tmp_path / "inventory.yml"
    path.write_text(yaml.safe_dump(inventory))
    return path


def test_domain_controllers_that_cannot_be_read_are_told_as_other_machines_are(tmp_path: Path) -> None:
    given = {"offboard_options": ["directory_sync"], "ansible_user": "a", "ansible_password": "b"}
    code, output = play(tmp_path, "agents", "-i", str(domain_controllers(tmp_path)), "-i", "localhost,", **given)
    assert code == 2, output
    last = output[output.rindex("fatal: [localhost]") :]
    assert "2 of 2 machines failed" in last and "dc1: " in last and "dc2: " in last, output[-3000:]
    assert any("offboard.iij_id" in line for line in told(output, "Tell what was done"))
    assert output.count("TASK [Uninstall from this domain") == 0


@pytest.mark.parametrize(
    ("failed", "language", "untouched"),
    [
        ("dc1", "ja", "dc1 の失敗により、着手していません。"),
        ("dc1", "en", "not touched, because dc1 failed."),
        ("", "en", ""),
    ],
)
def test_domain_controllers_after_one_that_failed_are_untouched(tmp_path: Path, failed: str, language: str, untouched: str) -> None:
    play_of_take_off = [
        {
            "hosts": "iij_id_domain_controllers",
            "gather_facts": False,
            "serial": 1,
            "tasks": [
                {"set_fact": {"__directory_sync_error": "no"}, "when": "inventory_hostname == failed"},
                {
                    "import_role": {"name": "offboard.iij_id.directory_sync", "tasks_from": "take_off", "rolespec_validate": False},
                    "when": "inventory_hostname != failed",
                },
            ],
        }
    ]
    playbook = tmp_path / "take_off.yml"
    playbook.write_text(json.dumps(play_of_take_off))
    given = {"offboard_options": ["directory_sync"], "offboard_language": language, "offboard_run_dir": str(tmp_path / "run"), "failed": failed}
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", domain_controllers(tmp_path), "-e", json.dumps(given), playbook],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert done.returncode == 2, output
    last = output[output.rindex("fatal: ") :]
    if failed:
        assert last.startswith("fatal: [dc2]") and untouched in last
        assert output.count("TASK [offboard.iij_id.directory_sync : Remove the scheduled tasks]") == 1, "of dc1, skipped"
    else:
        assert last.startswith("fatal: [dc1]") and "credentials_missing" in last, "the next task works on it"


@pytest.mark.parametrize(
    ("playbook", "given", "folder", "files"),
    [
        (
            "notices",
            {"offboard_options": ["microsoft_365"], "microsoft_365_notices_day": "2026-12-01", "microsoft_365_domains": ["a.example"]},
            "notices",
            {"sign-in.html", "sign-in.ja.txt", "sign-in.en.txt"},
        ),
        (
            "identity_provider_sheet",
            {"offboard_options": ["external_identity_providers"]},
            "sheets",
            {"identity-providers.html", "identity-providers.ja.md", "identity-providers.en.md"},
        ),
    ],
)
def test_what_people_are_given_is_written_once(tmp_path: Path, playbook: str, given: dict[str, object], folder: str, files: set[str]) -> None:
    """Not in check mode, and not again."""
    counts: list[int] = []

    def run(*words: str) -> dict[str, bytes]:
        code, output = play(tmp_path, playbook, *words, **given)
        assert code == 0, output
        (changed,) = re.findall(r"^localhost +: .*changed=(\d+)", output, re.MULTILINE)
        counts.append(int(changed))
        return {file.name: file.read_bytes() for file in (tmp_path / "run" / folder).glob("*")}

    assert run("--check", "--diff") == {}
    first = run()
    assert files <= set(first) and all(first.values())
    assert run() == first and counts[1] > 0 and counts[2] == 0, counts
