# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Japanese of manual, messages and report: one word for a thing, as Microsoft's style guide and IIJ's manual write it, and no blanks of folded lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev import places
from dev.japanese import PROSE, brackets, set_apart

#: What must not be written, and what is written instead. The one list of terms.
TERMS: dict[str, str] = {
    r"サーバ(?!ー)": "サーバー",
    r"インベントリ(?!ー)": "インベントリー",
    r"プロバイダ(?!ー)": "プロバイダー",
    r"フォルダ(?!ー)": "フォルダー",
    r"コントローラ(?!ー)": "コントローラー",
    r"ブラウザ(?!ー)": "ブラウザー",
    r"フィルタ(?!ー|リング)": "フィルター",
    r"インストーラ(?!ー)": "インストーラー",
    r"ユーザ(?!ー)": "利用者",
    # names of Microsoft's things (ユーザー権利の割り当て), and accounts of an operating system or of Active Directory, are no people
    r"(?<!対象)(?<!実行)(?<!削除済み)ユーザー(?!名|管理者|時間|とグループ|プリンシパル|権利|単位の多要素認証)": "利用者",
    r"レポート|リポート|報告の「": "報告書",
    r"人の作業|作業者の手順": "人が行う手順",
    r"IIJ ID コンソール|IIJ IDのコンソール": "IIJ IDコンソール",
    r"監査ログで.{0,12}静か": "直近 N 時間、監査ログに変更がない",
    r"ブロックされた利用者を解除": "利用者のブロックを解除",
    r"ガードが拒否": "安全確認（ガード）で拒否された",
    r"リポジトリを複製": "リポジトリをクローン",
    r"ブロッカー|阻害要因": "要対応",
    r"お客様": "自社、ご自身",
    r"パートナー": "取引先",
    r"担当者の手順|人の手順": "人が行う手順",
    r"スケジュールされたタスク": "スケジュールタスク",
    r"わか[らりるっれ]": "分かる",
    r"[一二三四五六七八九](?:つ|か所)": "1 つ",
    r"\bSurvey\b": "サーベイ",
}
#: What the terminal and the report write otherwise than the manual, which sets Latin letters apart.
OF_MESSAGES: dict[str, str] = {
    r"IIJ ID (?=[ぁ-ん一-龠])": "IIJ ID without a blank behind it",
}
#: labels of IIJ ID's console, which stay as they are there
LABELS = ("外部IDプロバイダの管理",)
#: words of katakana are set apart by blanks, as Microsoft does
_BLANK = re.compile(rf"(?:(?<=[{PROSE}]) (?=[ぁ-ん一-龠々。、（「])|(?<=[ぁ-ん一-龠々。、）」]) (?=[{PROSE}]))")
#: people, whose names have a blank
PEOPLE = ("例示 花子", "山田 太郎")


def wrong(text: str, terms: dict[str, str] = TERMS) -> list[str]:
    """What is written otherwise than the list says."""
    for label in LABELS:
        text = text.replace(label, "")
    return [f"{found[0]} → {right}" for pattern, right in terms.items() for found in re.finditer(pattern, text)]


def blanks(text: str) -> list[str]:
    """Blanks in the midst of a Japanese sentence, with what stands around them."""
    for name in PEOPLE:
        text = text.replace(name, "")
    return [text[max(found.start() - 8, 0) : found.end() + 8] for found in _BLANK.finditer(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("既定値(24)を使う", 1),
        ("既定値 (`x`) を使う", 1),
        ("Active Directory (オンプレミス)", 1),
        ("値(既定は `x(y)`、\n  [頁](a.md#b))", 1),
        ("既定値 （24） を使う", 2),
        ("既定値（24）を使う。\n（注）", 0),
        ("`x(y)` と [頁](a.md) を <a href='(x)'> に。\n\n    # 値(注)\n\n", 0),
        ("Windows Server (2019 or later)", 0),
        ("| 表 | （なし） |", 0),
    ],
)
def test_brackets_have_the_width_of_what_they_stand_in(text: str, found: int) -> None:
    assert len(brackets(text)) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("サーバの管理、サーバーの管理", ["サーバ → サーバー"]),
        ("「外部IDプロバイダの管理」とIDプロバイダ", ["プロバイダ → プロバイダー"]),
        ("ユーザー名と対象ユーザーとユーザーが", ["ユーザー → 利用者"]),
        ("IIJ ID コンソールでの人の作業", ["人の作業 → 人が行う手順", "IIJ ID コンソール → IIJ IDコンソール"]),
        ("報告書を読む", []),
    ],
)
def test_the_list_finds_what_is_wrong(text: str, expected: list[str]) -> None:
    assert wrong(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("（APIはない）。 停止すると", ["（APIはない）。 停止すると"]),
        ("場合は コンソールで", ["場合は コンソールで"]),
        ("変更できない （報告書の", ["変更できない （報告書の"]),
        ("ワンタイム パスコードと例示 花子と IIJ ID の", []),
    ],
)
def test_blanks_of_folded_lines_are_found(text: str, expected: list[str]) -> None:
    assert [found in text and found for found in blanks(text)] == [text[:0] + item for item in expected] or len(blanks(text)) == len(expected) == 1


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(name)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


class _Loader(yaml.SafeLoader):
    """Takes Ansible's tags as text."""


_Loader.add_multi_constructor("!", lambda loader, _tag, node: loader.construct_scalar(node))


def told(file: Path) -> list[str]:
    """The texts of a file: of a program its strings joined as they are told, of YAML its values as they are read, of a page its lines."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Constant, ast.JoinedStr))]
        parts = [node.values if isinstance(node, ast.JoinedStr) else [node] for node in nodes]
        joined = ["".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in values) for values in parts]
        return [line for string in joined for line in string.splitlines()]
    if file.suffix in (".yml", ".yaml"):
        return [string for document in yaml.load_all(text, _Loader) for string in _strings(document)]
    return text.splitlines()


FILES = sorted(
    file
    for pattern in ("docs/ja/*.md", "roles/**/*.yml", "playbooks/*.yml", "plugins/**/*.py", "extensions/awx/**/*.yml", "README.md", "docs/README.md")
    for file in places.ROOT.glob(pattern)
    if re.search("[ぁ-ん]", file.read_text(encoding="utf-8"))
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(places.ROOT)))
def test_one_word_for_a_thing_and_no_blank_in_a_sentence(file: Path) -> None:
    assert [(line, found) for line in told(file) if (found := [*wrong(line), *blanks(line)])] == []


@pytest.mark.parametrize("file", [file for file in FILES if file.suffix != ".md"], ids=lambda file: str(file.relative_to(places.ROOT)))
def test_messages_are_written_one_way(file: Path) -> None:
    # an English sentence may name labels of IIJ's consoles; "(?" is a pattern
    japanese = [line for line in told(file) if re.search("[ぁ-ん]", line) and not re.search(r"\(\?|\b(?:the|with)\b", line)]
    assert [(line, found) for line in japanese if (found := [*wrong(line, OF_MESSAGES), *brackets(line)])] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IIJ IDのアプリを2回、`a`で", "IIJ ID のアプリを 2 回、`a`で"),
        ("IIJ IDコンソールの「外部IDプロバイダの管理」", "IIJ IDコンソールの「外部IDプロバイダの管理」"),
        ("[頁](a.md#その1) の Windowsマシン", "[頁](a.md#その1) の Windows マシン"),
        ("```text\n1台\n```\n", "```text\n1台\n```\n"),
    ],
)
def test_latin_letters_are_set_apart(text: str, expected: str) -> None:
    assert set_apart(text) == expected == set_apart(expected)


@pytest.mark.parametrize("file", [file for file in FILES if "docs/ja/" in str(file)], ids=lambda file: file.name)
def test_a_page_is_set_in_one_way(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert set_apart(text) == text
    assert brackets(text) == []
    assert [line for line in text.splitlines() if re.search(rf"(?<!\])\((?!\?)[^()]*[{PROSE}][^()]*\)", line)] == []


def test_there_are_pages_messages_and_steps_to_look_at() -> None:
    assert {"docs", "roles", "plugins", "playbooks"} <= {file.relative_to(places.ROOT).parts[0] for file in FILES} and len(FILES) > 25


#: what English and Japanese have each in a variable of its own: its words, and forms for one and for many
_WORDED = {"count", "english", "many", "one", "said", "told", "who", "why"}


def _values(node: ast.expr) -> set[str]:
    """The variables whose values a text shows."""
    shown = [list(ast.walk(part.value)) for part in ast.walk(node) if isinstance(part, ast.FormattedValue)]
    called = {id(part.func) for parts in shown for part in parts if isinstance(part, ast.Call)}
    return {part.id for parts in shown for part in parts if isinstance(part, ast.Name) and id(part) not in called}


def _names(node: ast.expr) -> set[str]:
    """Variables, modules, steps and fields that a text names."""
    strings = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return set(re.findall(r"[a-z0-9]+(?:_[a-z0-9]+)+", " ".join(strings)))


def lost(program: str) -> list[tuple[int, set[str]]]:
    """What the English of a Text names or shows, and its Japanese does not."""
    calls = [node for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Text"]
    pairs = [(call.lineno, *call.args) for call in calls if len(call.args) == 2]
    found = [(line, (_names(english) - _names(japanese)) | (_values(english) - _values(japanese) - _WORDED)) for line, english, japanese in pairs]
    return [(line, names) for line, names in found if names]


@pytest.mark.parametrize("file", [file for file in FILES if file.suffix == ".py"], ids=lambda file: str(file.relative_to(places.ROOT)))
def test_the_japanese_names_and_shows_what_the_english_does(file: Path) -> None:
    assert lost(file.read_text(encoding="utf-8")) == []


def test_a_lost_value_and_a_lost_name_are_found() -> None:
    assert lost("Text(f'{a} of {b}: set x_y', f'{a}')") == [(1, {"b", "x_y"})]
    assert lost("Text(f'{counted(a)}: {who} x_y', f'{a} x_y')") == []
