# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from the assignments of apps and profiles in Intune: who gets what points at IIJ ID, and whether what is confirmed to go is gone. Pure.

The apps stay, since they may be somebody else's or be used for other services; only the assignments that a person has confirmed go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..._core import confirmations, names
from ..._core.heads import some
from ..._core.text import Text
from .. import phrases
from ..finding import Finding
from ..going_back import Way
from .candidate import Candidate

if TYPE_CHECKING:
    from .judged import Confirmed, Facts

CONFIRMED = "multi_factor_authentication_intune_assignments"
#: kinds of entra_references_info whose assignments intune_assignment removes
CHANGEABLE = frozenset({"mobile_app", "mobile_app_configuration", "targeted_managed_app_configuration", "device_configuration"})
_NOT = "not "
#: why the devices of an app are not known
_UNCOUNTED = {
    "not_detected": Text("Intune has detected no app of this name", "この名前のアプリをIntuneが検出していない"),
    "permission_missing": Text("the permission DeviceManagementManagedDevices.Read.All is missing", "権限 DeviceManagementManagedDevices.Read.All がない"),
}
_EVERYBODY = {"allDevices": Text("all devices", "すべてのデバイス"), "allLicensedUsers": Text("all users", "すべての利用者")}
_INTENTS = {
    "available": Text("available", "使用可能"),
    "required": Text("required", "必須"),
    "uninstall": Text("uninstall", "アンインストール"),
    "availableWithoutEnrollment": Text("available without enrollment", "登録なしで使用可能"),
}


def to_whom(assignment: Mapping[str, Any]) -> Text:
    """One assignment of a row in words."""
    target, group, intent = (str(assignment.get(name) or "") for name in ("target", "group", "intent"))
    name = target.removeprefix(_NOT)
    who = _EVERYBODY.get(target) or Text(*[f"{group} ({name})" if group else name] * 2)
    if target.startswith(_NOT):
        who = Text(f"not {who.en}", f"{who.ja} を除外")
    means = _INTENTS.get(intent, Text.same(intent))
    return Text(f"{means.en}: {who.en}", f"{means.ja}: {who.ja}") if intent else who


def assigned(row: Mapping[str, Any]) -> Text | None:
    """To whom Intune gives an object, and on how many devices it is; None for a row that is none of Intune's."""
    if "assignments" not in row:
        return None
    devices = row.get("devices")
    number = Text(f"devices: {devices}", f"デバイス: {devices}台") if isinstance(devices, int) else _not_counted(str(row.get("devices_reason") or ""))
    rows = row["assignments"]
    if rows is None:
        return Text(f"assigned to: not known; {number.en}", f"割り当て先: 不明、{number.ja}")
    shown = [to_whom(one) for one in rows]
    if not shown:
        return Text(f"assigned to nobody; {number.en}", f"割り当てなし、{number.ja}")
    return Text(f"assigned: {some(text.en for text in shown)}; {number.en}", f"割り当て先: {some(text.ja for text in shown)}、{number.ja}")


def _not_counted(reason: str) -> Text:
    if not reason:
        return Text("devices: not known", "デバイス数: 不明")
    why = _UNCOUNTED.get(reason, Text(f"Graph refused, {reason}", f"Graphのエラー、{reason}"))
    return Text(f"devices: not known ({why.en})", f"デバイス数: 不明（{why.ja}）")


def value(row: Mapping[str, Any], assignment: Mapping[str, Any]) -> dict[str, str]:
    """An assignment as the variable names it."""
    return {"kind": row["kind"], "object": row["id"], "target": assignment["target"]}


def _key(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return (
        str(entry.get("kind") or "mobile_app"),
        names.uuid(str(entry.get("object") or "")),
        confirmations.intune_target(str(entry.get("target") or "")),
    )


def candidates(found: Mapping[str, Any] | None, confirmed: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The rows of entra_references_info with each of their assignments that could go, and that nobody has confirmed, by its target or its own id."""
    known = {_key(entry) for entry in confirmed}
    for row in (found or {}).get("references") or ():
        for one in (row.get("assignments") or ()) if row["kind"] in CHANGEABLE else ():
            meant = value(row, one)
            if not known & {_key(meant), _key({**meant, "target": one.get("id")})}:
                yield row, one


def is_confirmed(row: Mapping[str, Any], confirmed: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an assignment of the object was confirmed to go, and it has none left: then it reaches no device any more."""
    objects = {_key(entry)[:2] for entry in confirmed}
    return row.get("assignments") == [] and _key({"kind": row["kind"], "object": row["id"]})[:2] in objects


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    accepted = names.uuids(confirmed.accepted_references)
    yield from findings(facts.references, facts.intune, confirmed.intune_assignments, accepted, final=final)


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """Assignments of objects that were not accepted as they are."""
    accepted = names.uuids(confirmed.accepted_references)
    for row, one in candidates(facts.references, confirmed.intune_assignments):
        if names.uuid(row["id"]) not in accepted:
            whom = to_whom(one)
            yield Candidate(CONFIRMED, value(row, one), Text(f"{row['name']}: {whom.en}.", f"{row['name']}: {whom.ja}"))


def findings(
    references: Mapping[str, Any] | None, looked: Mapping[str, Any] | None, confirmed: Sequence[Mapping[str, Any]], accepted: Collection[str], *, final: bool
) -> Iterator[Finding]:
    """references: what entra_references_info returned. looked: what intune_assignment_info returned of the confirmed ones, or its `failure` and `msg`."""
    if not final:
        yield from _candidates(references, confirmed, accepted)
    if not confirmed:
        return
    if looked is None or looked.get("failure"):
        yield _not_read(looked or {}, final)
        return
    left, missing = looked.get("left") or (), looked.get("not_there") or ()
    if left:
        called = [str(entry["name"]) for entry in left]
        text = (
            Text(
                f"Assignments in Intune that shall go are still there: {some(called)}. Run the stage clients again.",
                f"削除対象のIntuneの割り当てが残っています: {some(called)}。段階 clients を再実行してください。",
            )
            if final
            else Text(f"The stage clients will remove assignments in Intune: {some(called)}.", f"段階 clients で削除するIntuneの割り当て: {some(called)}")
        )
        severity, code = ("blocker", "intune_assignment_left") if final else ("info", "intune_assignments_removed")
        yield Finding(severity, code, text, tuple(str(entry["object"]) for entry in left))
    if missing and not final:
        listed = some(f"{entry['kind']} {entry['object']}: {entry['target']}" for entry in missing)
        yield Finding(
            "warning",
            "intune_assignment_not_found",
            Text(
                f"{CONFIRMED} names assignments that are not in Intune (any more): {listed}. Copy them whole, as preflight shows them.",
                f"{CONFIRMED} に指定された割り当てはIntuneにありません（削除済みを含む）: {listed}。preflight の表示どおりに指定してください。",
            ),
            tuple(str(entry["object"]) for entry in missing),
        )


def _candidates(references: Mapping[str, Any] | None, confirmed: Sequence[Mapping[str, Any]], accepted: Collection[str]) -> Iterator[Finding]:
    by_object: dict[str, tuple[Mapping[str, Any], list[Mapping[str, Any]]]] = {}
    for row, one in candidates(references, confirmed):
        if names.uuid(row["id"]) not in accepted:
            by_object.setdefault(row["id"], (row, []))[1].append(one)
    for row, rows in by_object.values():
        values = ", ".join(f"{{kind: {row['kind']}, object: {row['id']}, target: {one['target']}}}" for one in rows)
        whom = [to_whom(one) for one in rows]
        yield Finding(
            "info",
            "intune_assignments",
            Text(
                f"Intune gives {row['name']} to {some(text.en for text in whom)}. The stage clients removes these assignments, never the app or the profile, "
                f"once {CONFIRMED} has them: [{values}].",
                f"Intuneで {row['name']} が割り当てられています: {some(text.ja for text in whom)}。{CONFIRMED} に [{values}] を指定すると、段階 clients で"
                "割り当てを削除します（アプリやプロファイル自体は削除しません）。",
            ),
            (row["id"],),
        )


def _not_read(looked: Mapping[str, Any], final: bool) -> Finding:
    why = phrases.by_code(str((looked.get("failure") or {}).get("code") or ""), str(looked.get("msg") or phrases.english("not_looked_at")))
    return Finding(
        "blocker" if final else "warning",
        "intune_not_read",
        Text(
            f"Whether the assignments of {CONFIRMED} are in Intune is not known: {why.en}.",
            f"{CONFIRMED} の割り当てがIntuneにあるか確認できません: {why.ja}。",
        ),
    )


#: What the exit does to it: kind and action of the changes, by the stage.
WORK = {"clients": (("intune_assignment", "remove"),)}
#: How what the exit does to it is undone, for the manual.
WAYS = (
    Way(
        Text("assignment in Intune removed", "Intune の割り当ての削除"),
        Text(
            "`restore` with `intune`, or `intune_assignment` with `state: present` and the same journal: with target, intent and settings as they were",
            "`restore` の `intune`、または同じ `journal` で `intune_assignment` の `state: present`。割り当て先、目的、設定は元のとおりです",
        ),
        Text(
            "its id in Graph is new; a filter comes back only when Graph's beta was allowed; certificates of a profile are issued anew",
            "Graph での ID は変わります。フィルターは beta を許可していた場合だけ戻ります。プロファイルの証明書は新しく発行されます",
        ),
    ),
)
