# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of phrases: what is written in English is found again in Japanese."""

from __future__ import annotations

import ast
import datetime
import re
import string

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.permissions import MODULES
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import gate, phrases
from dev import places


def fields(template: str) -> list[str]:
    return sorted(field for _literal, field, _spec, _conversion in string.Formatter().parse(template) if field)


@pytest.mark.parametrize("name", phrases.PHRASES)
def test_a_phrase_is_understood_with_its_values(name: str) -> None:
    text = phrases.PHRASES[name]
    values: dict[str, str | int] = {field: f"X{number} {field.upper()}" for number, field in enumerate(fields(text.en))}
    assert phrases.understood(phrases.english(name, **values)) == phrases.told(name, **values)


@pytest.mark.parametrize("name", phrases.PHRASES)
def test_both_languages_say_the_same_values(name: str) -> None:
    text = phrases.PHRASES[name]
    assert fields(text.en) == fields(text.ja)
    assert re.search("[ぁ-んァ-ヶ一-龠]", text.ja) or name == "undo_state"


@pytest.mark.parametrize("permission", sorted({name for wants in MODULES.values() for names in wants.values() for name in names}))
def test_a_permission_is_named_in_japanese_as_it_is_called(permission: str) -> None:
    told = phrases.by_code("forbidden", f"Grant the app registration the application permission {permission} with admin consent.")
    assert f"（{permission}）" in told.ja


def test_a_phrase_in_a_phrase_is_understood_and_a_name_is_not_translated() -> None:
    told = phrases.told("still_active", number=2, when=phrases.told("since", start="T1"), last="T2", way_out=phrases.told("token_until", until="T3"))
    assert phrases.understood(told.en) == told and "T1 以降" in told.ja
    assert phrases.understood("task named in objects") == ("task named in objects", "タスク named in objects")


@pytest.mark.parametrize(
    ("code", "msg", "japanese"),
    [
        ("not_found", "no such object", "オブジェクトがありません"),
        ("not_found", "there is nothing of that kind", "対象が存在しない"),
        (
            "permission_missing",
            "grant User.ReadWrite.All",
            "アプリケーションまたはアカウントの権限が不足している。メッセージに権限名を示す（User.ReadWrite.All）",
        ),
        ("a_code_of_tomorrow", "something else", "コード a_code_of_tomorrow"),
        ("", "something else", "理由は英語の記録を参照"),
    ],
)
def test_a_message_without_a_phrase_is_told_by_its_code(code: str, msg: str, japanese: str) -> None:
    assert phrases.by_code(code, msg) == (msg, japanese)


@pytest.mark.parametrize(
    ("refusal", "english", "japanese"),
    [
        (
            {"rule": "protected", "msg": "CN=a: it is protected.", "objects": ["CN=a"], "allow_with": phrases.english("allow_protected")},
            "CN=a: it is protected. Allowed by: allow: [protected], but the domain controller refuses until an administrator takes the protection off.",
            "（CN=a）。許可する設定: allow: [protected]（ただし管理者が保護を解除するまでドメインコントローラーが拒否する）",
        ),
        ({"rule": "own_identity", "msg": "It is ours.", "objects": [*"abcdefg"]}, "It is ours.", "（a, b, c, d, e ほか2件）。"),
    ],
)
def test_a_refusal_names_its_objects_and_what_allows_it(refusal: dict[str, object], english: str, japanese: str) -> None:
    told = phrases.refused(refusal)
    assert told.en == english
    assert told.ja.endswith(japanese) and re.match("[ぁ-んァ-ヶ一-龠]", told.ja)


def test_ways_back_are_in_the_catalogue() -> None:
    """Free words there would be English in a Japanese report."""
    for file in sorted((places.ROOT / "plugins" / "module_utils").rglob("*.py")):
        assert not re.search(r"""\bundo ?= ?\(?\s*f?["'][^"']""", file.read_text()), file


def test_what_allows_a_refusal_is_a_setting_or_in_the_catalogue() -> None:
    """`name: value`, as it is typed; free words beside it would be English in a Japanese report."""
    for file in sorted((places.ROOT / "plugins" / "module_utils").rglob("*.py")):
        calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
        for call in (call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Refusal"):
            told = [keyword.value for keyword in call.keywords if keyword.arg == "allow_with"] or call.args[3:4]
            for text in (ast.unparse(one) for one in told if isinstance(one, ast.Constant | ast.JoinedStr)):
                assert re.fullmatch(r"""f?["']([a-z_]+(: [^ ].*)?)?["']""", text), (file, text)


@pytest.mark.parametrize(
    "reason",
    [
        phrases.told("gate_no_app", client_id="1"),
        phrases.told("gate_clock", minutes=61),
        phrases.told("still_active", number=1, when="T0", last="T1", way_out=phrases.told("off_for_everybody")),
    ],
)
def test_why_the_gate_is_closed_is_told_in_japanese_with_the_way_out(reason: phrases.Text) -> None:
    owner = {"tenant_id": "t"}
    closed = {"tenant_id": "t", "domains": ["a.example"], "at": "2026-11-29T09:00:00Z", "open": False, "reasons": [reason.en]}
    now = datetime.datetime(2026, 11, 29, 10, tzinfo=datetime.UTC)

    opened = {**closed, "open": True, "reasons": []}
    assert gate.objection(opened, owner, ["a.example"], 24, now, app_back="2026-11-29T08:59:59Z") is None
    late = gate.objection(opened, owner, ["a.example"], 24, now, app_back="2026-11-29T09:00:01Z")
    assert late is not None and late.code == "gate_outdated" and "IIJ IDのアプリを元に戻しています" in phrases.by_code(late.code, late.msg).ja
    for verdict, expected in ((None, "ゲートの判定がなく"), (closed, reason.ja)):
        refused = gate.objection(verdict, owner, ["a.example"], 24, now)
        assert refused is not None
        told = phrases.by_code(refused.code, refused.msg).ja
        assert expected in told
        assert told.endswith(
            "offboard.iij_id.gate（IIJ IDのアプリを無効化する場合を除き読み取りのみ）を実行してから、この段階を再実行してください。何も変更していません。"
        )
