# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of strangers at every outlet of the runner, the report, the sheet, the journal and the progress line."""

from __future__ import annotations

import datetime
import json
import re
import unicodedata

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import plain, sheet
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object, Outcome, Refusal, Skip
from ansible_collections.offboard.iij_id.plugins.module_utils._core.spool import Spool
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import ldif
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federation_certificates import plan as certificate_watch
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import partner_sheet, partners, service
from ansible_collections.offboard.iij_id.plugins.module_utils._module import files, progress, runner
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import runner as task
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import final_gate
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.telling import message
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import page as report_page
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import plan as report
from ansible_collections.offboard.iij_id.plugins.plugin_utils import controller_action
from hypothesis import given
from hypothesis import strategies as st

#: What a terminal obeys, or what shows a line otherwise than it is.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
UNSEEN = "[\xad\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\uffa0\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
INVISIBLE = "\xad\u2061\u2064\u3164\uffa0\u180e\u200b\u2060\u206a\u206f\ufeff\ufff9\ufffb\U000e0000\U000e0041\U000e007f"
HOSTILE = [
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[1;1Hok: [localhost]",
    "\x9b31mred",
    "\x9d0;title\x9c",
    "a\rok=1 changed=0",
    "evil\u202egpj.exe",
    "\u2066x\u2069\u2067y\u2069",
    "\u200e\u200f\u061c",
    "line\u2028end\u2029of\x85text",
    "half\ud83d",
    "nul\x00bell\x07back\x08\x08\x08delete\x7f",
    "two\nlines\n\nPLAY RECAP",
]
FRIENDLY = [
    "日本商事 山田 太郎（営業）",
    "ﾊﾝｶｸ　全角",
    "👩‍💻 👨‍👩‍👧‍👦 ✌🏽",
    "क्‍ष نمی‌خواهم",
    "עברית العربية",
    "葛󠄀飾",
    "C:\\x1b\\tool",
    "tab\tstays",
    "Zoë™ ® ½",
    "e\u0302\u0301\u0323 שׁ\u05bc\u05b8\u0591 ก็่ སྒྲུབ ཧཱུྃ နှုံ့ ……——！！",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_a_terminal_obeys_is_shown(text):
    shown = plain.line(text)
    assert not OBEYED.search(shown) and "\n" not in shown and shown == plain.line(shown)
    assert plain.lines(text).count("\n") == text.count("\n") and not OBEYED.search(plain.lines(text))


@pytest.mark.parametrize("text", FRIENDLY)
def test_every_script_stays_as_it_is(text):
    assert plain.line(text) == plain.lines(text) == text


@pytest.mark.parametrize("char", INVISIBLE, ids=ascii)
def test_what_nobody_sees_is_shown(char):
    assert plain.line(f"a{char}b") == plain.lines(f"a{char}b") == "a" + ascii(char)[1:-1] + "b"
    assert plain.file_part(f"a{char}b") == "a-b" and json.loads(plain.to_json(char)) == char


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Z" + "\u0301" * 6 + "a", "Z\u0301\u0301\u0301\u0301\\u0301\\u0301a"),
        ("ก" + "\u0e47" * 5, "ก" + "\u0e47" * 4 + "\\u0e47"),
        ("x" + "\u0489\u0336" * 3, "x" + "\u0489\u0336" * 2 + "\\u0489\\u0336"),
        ("x" + "\u0301\u200d" * 5, "x" + "\u0301\u200d" * 4 + "\\u0301\u200d"),
        ("\u0301" * 5 + "。" + "\u0301" * 4, "\u0301" * 4 + "\\u0301。" + "\u0301" * 4),
        ("x\U000e0101\U000e0102\U000e0103\U000e0104\U000e0105", "x\U000e0101\U000e0102\U000e0103\U000e0104\\U000e0105"),
    ],
)
def test_marks_are_heaped_on_no_other_line(text, shown):
    assert plain.line(text) == plain.lines(text) == shown and plain.line(shown) == shown
    assert json.loads(plain.to_json(text)) == text


def without_marks(text):
    return "".join(character for character in text if unicodedata.category(character) not in ("Mn", "Me"))


@given(st.text(st.characters(codec=None) | st.sampled_from("\x1b\x9b\u202e\ud800\n\\\u0301")))
def test_what_is_shown_names_each_character_it_hides(text):
    assert plain.line("\x1b\x9b\u202e\n") == r"\x1b\x9b\u202e\n"
    shown = plain.line(text)
    assert not OBEYED.search(shown) and "\n" not in shown
    if "\\" not in text:
        kept, visible = re.sub(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|n)", "", shown), re.sub(rf"{OBEYED.pattern}|{UNSEEN}|\n", "", text)
        heaped = re.search(r"[^\w\x00-\x7f]{5}", visible)
        assert (without_marks(kept) == without_marks(visible)) if heaped else kept == visible


@given(st.recursive(st.text(st.characters(codec=None)), lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec=None)), inner)))
def test_json_hides_nothing_and_loses_nothing(value):
    text = plain.to_json(value)
    assert not OBEYED.search(text)
    text.encode()
    assert json.loads(text) == value


class Named(runner.Resource):
    """Two things with a stranger's name: one is changed, one is skipped."""

    noun, kinds = "things", ("thing",)

    def __init__(self, name, how):
        self.name, self.how = name, how

    def read(self):
        if self.how == "error":
            raise OffboardError(f"no {self.name}", code="nothing", details={"candidates": [{"id": self.name, "name": self.name}]})
        return [Object("thing", self.name, self.name, {"displayName": self.name})]

    def plan(self, current):
        after = {"displayName": "x"}
        changes = [Change("thing", item.id, item.name, "rename", {"displayName": item.name}, after, undo=f"call it {item.name}") for item in current]
        return runner.Plan(Spool(changes), [Skip("thing", "2", self.name, "busy", f"{self.name} is busy")], warnings=[f"{self.name} is odd"])

    def guard(self, plan):
        return [Refusal("never", f"not {self.name}", (self.name,), f"allow: {self.name}")] if self.how == "refused" else []

    def apply(self, change):
        if self.how == "failed":
            raise OffboardError(f"{self.name} refused", code="refused")
        if self.how == "fault":
            raise ValueError(self.name)

    def verify(self, applied):
        return []

    def warnings(self):
        return [f"{self.name} was slow"]

    def facts(self, plan):
        return {"things": [{"id": self.name, "display_name": self.name, "msg": f"{self.name} is there", "why": [self.name]}]}


class Ended(Exception):
    """The module's answer."""


class Module:
    """What the runner uses of AnsibleModule."""

    _name = "things"

    def __init__(self, **params):
        self.check_mode, self._diff, self.params, self.warned = False, True, params, []

    def warn(self, text):
        self.warned.append(text)

    def exit_json(self, **result):
        raise Ended({**result, "warnings": self.warned})

    fail_json = exit_json


def answer(name, how, **params):
    with pytest.raises(Ended) as caught:
        task.run(Module(**params), lambda _params: Named(name, how))
    return caught.value.args[0]


def texts(value, key=""):
    """All texts."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [*value, *(text for name, item in value.items() for text in texts(item, name))]
    return [text for item in value for text in texts(item, key)] if isinstance(value, list) else []


@pytest.mark.parametrize("how", ["done", "failed", "refused", "error", "fault"])
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_module_tells_nothing_that_a_terminal_obeys(name, how, tmp_path):
    told = answer(name, how, journal=str(tmp_path / "journal.jsonl"))
    things = told.pop("things", [])
    assert [text for text in texts(told) if OBEYED.search(text)] == []
    for text in (told.get("msg", ""), *told["warnings"]):
        assert "\n" not in text
    for thing in things:
        data = plain.whole(name) if how == "done" else plain.lines(name)
        assert thing["id"] == thing["display_name"] == data, "data are as Ansible takes them, unless it shows them whole"
        assert not OBEYED.search(thing["msg"] + thing["why"][0])
    if how != "error":
        assert [change["id"] for change in told["plan"]] == [plain.lines(name)]
    journal = (tmp_path / "journal.jsonl").read_text() if (tmp_path / "journal.jsonl").exists() else ""
    assert not OBEYED.search(journal)
    intents = [json.loads(line) for line in journal.splitlines() if '"record":"intent"' in line]
    assert [item["before"]["displayName"] for item in intents] == ([name] if how in ("done", "failed", "fault") else []), "what is needed to go back is kept"


@pytest.mark.parametrize("name", FRIENDLY)
def test_a_module_tells_names_of_every_script_as_they_are(name):
    told = answer(name, "failed")
    assert name in told["msg"] and told["diff"][0]["before"] == {"displayName": name} and told["plan"][0]["name"] == name


@pytest.mark.parametrize("half", ["\ud83d", "\udc93", "a\udfffb"], ids=ascii)
def test_an_answer_that_ansible_would_refuse_is_none(half):
    """Ansible refuses the whole answer for one half of a character in it, be it in data or in a name of data."""
    with pytest.raises(Ended) as caught:
        runner.run_info(Module(), lambda params: {"things": [{"name": half, "of": {half: [half]}}]})
    told = caught.value.args[0]
    json.dumps(told, ensure_ascii=False).encode()
    shown = "".join(f"\\u{ord(char):04x}" if "\ud800" <= char <= "\udfff" else char for char in half)
    assert told["things"] == [{"name": shown, "of": {shown: [shown]}}]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_an_info_module_tells_nothing_that_a_terminal_obeys(text):
    for read in (lambda params: {"things": [], "msg": text, "summary": [text]}, lambda params: (_ for _ in ()).throw(OffboardError(text, code="no"))):
        with pytest.raises(Ended) as caught:
            runner.run_info(Module(), read)
        assert [found for found in texts(caught.value.args[0]) if OBEYED.search(found) or "\n" in found] == []


def test_an_unforeseen_error_says_where_it_was_and_quotes_nothing():
    def read(params):
        raise ValueError("password: Secret-1")

    with pytest.raises(Ended) as caught:
        runner.run_info(Module(), read)
    told = caught.value.args[0]
    assert told["failure"]["code"] == "internal_error" and told["failure"]["details"]["error"] == "ValueError"
    assert "test_plain.py" in told["msg"] and "Secret-1" not in json.dumps(told)


def test_an_unforeseen_error_between_two_changes_keeps_what_was_done(tmp_path):
    told = answer("lamp", "fault", journal=str(tmp_path / "journal.jsonl"))
    assert told["failure"]["code"] == "internal_error" and told["counts"]["planned"] == 1 and told["msg"].startswith("Stopped on the way")


MARKUP = '<script>alert(1)</script><img src=x onerror="alert(1)">&"\''


@pytest.mark.parametrize("name", [*HOSTILE, MARKUP], ids=ascii)
def test_the_report_shows_it(name):
    change = Change("user", name, name, "update", {name: name}, {name: [name]}, undo=name)
    other = Change("user", "2", name, name, None, {"a": name})
    at, run = "2026-11-21T09:00:00Z", "1"
    records = [
        {"record": "intent", "run": run, "at": at, **change.to_dict()},
        {"record": "outcome", "run": run, "at": at, **Outcome(change, "done").to_dict()},
        {"record": "intent", "run": run, "at": at, **other.to_dict()},
        {"record": "outcome", "run": run, "at": at, **Outcome(other, "failed", "refused", name).to_dict()},
        {"record": "refusal", "run": run, "at": at, "noun": "users", **Refusal("never", name, (name,), name).to_dict()},
    ]
    step = {"id": "a", "stage": "x", "en": name, "ja": name, "blocks_final_gate": True, "source": name, "done": True, "by": name, "at": at, "note": name}
    finding = {"severity": "blocker", "code": "x", "en": name, "ja": name, "objects": [name]}
    lines = [("a.jsonl", {"status": "skipped", "code": "x", "msg": name, "userPrincipalName": name})]
    built = report.build(records, [step], [finding], [finding], {"taken": name, "files": [name]}, name, lines)
    page = report_page.page(built, "ja", datetime.UTC)
    assert not OBEYED.search(page) and "<script" not in page and "<img" not in page
    page.encode()
    assert json.loads(plain.to_json(built)) == built and not OBEYED.search(plain.to_json(built))


def test_a_document_keeps_its_lines():
    """The files of the sheets for partners were one line each."""
    told = plain.result({"sheets": [{"markdown": {"en": "# A\n\nb\x1b\n", "ja": "# あ\n"}, "plain": {"en": "a\nb"}, "en": "a\nb"}]})["sheets"][0]
    assert told == {"markdown": {"en": "# A\n\nb\\x1b\n", "ja": "# あ\n"}, "plain": {"en": "a\nb"}, "en": "a\\nb"}


@pytest.mark.parametrize("name", [*HOSTILE, MARKUP], ids=ascii)
def test_the_partner_sheet_shows_it(name):
    entra = service.service("6b1c4a2e-0d5f-4c3b-9a7e-8f2d1c0b9a87", "global", tenant_type="workforce", login_url=None)
    known = partners.ProviderSettings()
    known.issuer_uri, known.passive_sign_in_uris = f"https://idp.example/{name}", {"saml": f"https://idp.example/adfs/{name}"}
    need = partners.requirements({"name": name, "domains": ["fabrikam.example"]}, entra, known)
    blocks = partner_sheet.blocks(need, name, [f"https://myapps.example/{name}"])
    pages = [sheet.html(blocks, name), *(sheet.markdown(blocks, language) for language in sheet.LANGUAGES)]
    assert [page for page in pages if OBEYED.search(page)] == []
    assert "<script" not in pages[0] and "<img" not in pages[0]
    headings = [page.splitlines()[0] for page in pages[1:]]
    assert all(not re.search(r"(?<!\\)<", heading) for heading in headings)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_further_outlets_show_it(name, tmp_path):
    told = progress.Progress(str(tmp_path / "progress"), "software", 1)
    told.report(doing=f"waiting for {name}")
    (record,) = files.read_records(str(tmp_path / "progress"))
    assert not OBEYED.search(record["doing"]) and "\n" not in record["doing"]
    shown = controller_action.progress_line(name, {"noun": "x", "done": 1, "total": 2, "doing": name})
    assert not OBEYED.search(shown) and "\n" not in shown
    assert not OBEYED.search(ldif.comment(name)) and "\n" not in ldif.comment(name)
    entry = {"id": "1", "kind": "external", "display_name": name, "state": "ok", "severity": "ok", "days_left": 1, "guest_count": 0, "first_failure": ""}
    text = certificate_watch.prometheus([entry], datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC))
    assert not OBEYED.search(text) and all(line.startswith(("#", "entra_federation_certificate")) for line in text.splitlines())


def test_findings_of_strangers_are_told_on_one_line():
    app = {"client_id": "1", "display_name": "\x1b[2Jx\nok", "why": ["\u202e"]}
    found = final_gate(Facts(apps=[app]), Confirmed())
    with pytest.raises(Ended) as caught:
        runner.run_info(Module(), lambda params: {"findings": [item.to_dict() for item in found], "msg": message(found, "both")})
    told = caught.value.args[0]
    for text in (told["msg"], told["findings"][0]["en"], told["findings"][0]["ja"]):
        assert r"\x1b[2Jx\nok" in text and r"\u202e" in text and not OBEYED.search(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (r"sync01\IIJ ID\夜間", "sync01-IIJ-ID-夜間"),
        ("a\u202egnp.exe", "a-gnp.exe"),
        ("a\nb\x1b[31m", "a-b-[31m"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("夜" * 200, "夜" * 40),
        ("half \ud800", "half"),
    ],
)
def test_a_name_of_others_as_part_of_a_files_name(text, part):
    assert plain.file_part(text) == part
