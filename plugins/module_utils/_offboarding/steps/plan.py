# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that only a person can do, as data: what is recorded about them and how that changes."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from ..._core import journal, journal_lines, names, plain
from ..._core.errors import OffboardError
from ..._core.model import Change, Object
from ..._core.text import Text
from ..._core.times import NEVER, SKEW, as_time, is_later
from .. import phrases

KIND = "manual_step"
#: What describes a step, in the order in which it is recorded.
DEFINITION = ("stage", "en", "ja", "blocks_final_gate", "source")
#: the stage whose steps wait until the final gate has opened
AFTER_FINAL_GATE = "report"
_OPEN = {"done": False, "by": "", "at": "", "note": ""}
_ID = re.compile(r"[a-z][a-z0-9_]*")
#: The folder of the run folder with the files that are evidence of steps, a folder for each step.
EVIDENCE = "evidence"
#: What is recorded of such a file: where it lies in the run folder, what it was called, who attached it and when.
_ATTACHED = {"file": str, "name": str, "sha256": str, "bytes": int, "by": str, "at": str}
_FILE = re.compile(r"[^/\x00]+")
#: a path that needs no quotes for a shell and for -e, and one that needs none in YAML
_ONE_WORD, _WORDS = re.compile(r"[\w/.,:@%+-]+"), re.compile(r"[\w/.@%+-]+(?: +[\w/.@%+-]+)*")


#: Steps that confirm what the run has done so far, and of what kind that is (see `latest`): whoever said so before the last of it cannot have meant it.
CONFIRMS = {
    "provisioning_stopped": "app_back",
    "passwords_handed_over": "handed_over",
    "administrators_have_passwords": "converted",
    "domain_controllers_restarted": "unregistered",
}
#: how a record of a step is recognised in a journal
_OF_STEP = f'"kind":"{KIND}"'.encode()
#: How the outcomes of these kinds are recognised in a journal.
_MARKS: dict[str, Callable[[bytes], bool]] = {
    "app_back": journal_lines.app_brought_back,
    # a password counts that was sent, whatever else of the user failed
    "handed_over": lambda line: b'"password_set":true' in line or b'"pass"' in line,
    "converted": lambda line: b'"action":"convert_to_managed","status":"done"' in line,
    "unregistered": journal_lines.unregistered,
}


def _maybe_handed_over(intent: bytes, ended: bytes) -> bool:
    """Whether there may be a password or a pass of which no record says so: a run was killed, or its answer lost; a later one has seen it at most."""
    if b'"(new password)"' in intent:
        return b'"password_set":' not in ended and b'"status":"skipped"' not in ended
    return b'"(new Temporary Access Pass)"' in intent and not ended


#: The same of what may have been carried out, by the intent and the outcome, which is empty where a kill left none.
_MAYBE: dict[str, Callable[[bytes, bytes], bool]] = {
    "app_back": lambda intent, ended: journal_lines.brings_app_back(intent) and journal_lines.may_have_been(ended),
    "handed_over": _maybe_handed_over,
    "converted": lambda intent, ended: b'"action":"convert_to_managed"' in intent and journal_lines.may_have_been(ended),
    "unregistered": lambda intent, ended: (
        any(one in intent for one in (b'"action":"unregister"', b'"action":"uninstall"')) and journal_lines.may_have_been(ended)
    ),
}


#: What one request does, so that it was done when it was begun, whenever a later run has seen it.
_AT_ONCE = ("app_back", "converted")


#: Of which objects these kinds are. Most of a journal is about users, and nothing else makes it long.
_ABOUT = {
    "app_back": ("application", "service_principal"),
    "handed_over": ("user",),
    "converted": ("domain",),
    "unregistered": ("windows_password_filter", "windows_software"),
}


def places(lines: Iterable[bytes], states: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """By kinds in CONFIRMS: where in the journal (the number of the line) the confirmation of the step stands that is recorded, where it stands there."""
    wanted = {
        kind: (f'"kind":"{KIND}","id":"{identity}",'.encode(), f'"at":"{states[identity]["at"]}"'.encode())
        for identity, kind in CONFIRMS.items()
        if states.get(identity, {}).get("done") is True
    }
    found: dict[str, int] = {}
    for number, line in enumerate(lines if wanted else ()):
        if _OF_STEP in line and b'"action":"confirm"' in line:
            _head, _action, after = line.partition(b'"after":')
            found |= {kind: number for kind, (step, at) in wanted.items() if step in line and at in after}
    return found


def latest(lines: Iterable[bytes], since: Mapping[str, str], behind: Mapping[str, int] | None = None) -> dict[str, str]:
    """When the journal last recorded something of these kinds in CONFIRMS (RFC 3339), or that it may have been done, each since that time: an app that was
    brought back, so that IIJ ID can work again, a way to sign in that has to be handed over, a converted domain, a password filter that a domain controller
    keeps until its restart. behind: of kinds whose time is that of a line, its number (see `places`)."""
    found: dict[str, str] = {}
    behind = behind or {}
    starts = {name: at for kind, at in since.items() for name in _ABOUT[kind]}
    recent = journal_lines.recent_of(lines, starts, {name: place for kind, place in behind.items() for name in _ABOUT[kind]})
    for intent, ended in journal.paired(recent):
        for kind in since:
            if (ended and _MARKS[kind](ended)) or (intent and _MAYBE[kind](intent, ended)):
                at = (journal_lines.begun_at if kind in _AT_ONCE else journal_lines.recorded_at)(ended or intent)
                # its intent, which is not among the lines behind the confirmation then, tells so too
                begun_before = kind in behind and not intent and at != journal_lines.recorded_at(ended) and not is_later(at, since[kind])
                found |= {} if begun_before else {kind: max(found.get(kind, ""), at, key=as_time)}
    return found


def outdated(states: Mapping[str, Mapping[str, Any]], last: Mapping[str, str], behind: Collection[str] = ()) -> dict[str, str]:
    """Steps that were confirmed before the last of what they confirm was done, and when that was. behind: kinds whose last stands behind the confirmation."""
    return {
        identity: last[kind]
        for identity, kind in CONFIRMS.items()
        if kind in last and states.get(identity, {}).get("done") is True and (kind in behind or as_time(states[identity].get("at")) < as_time(last[kind]))
    }


def as_of(states: Mapping[str, Mapping[str, Any]], last: Mapping[str, str], now: str = "", behind: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """The steps, where a confirmation older than what it confirms is none, nor one of a time that is yet to come (`now`: RFC 3339). Such a step is
    open, and `void` tells who confirmed it (`by`), when (`at`), and when the last of what it confirms was done (`since`; "": the time is yet to come).

    Of the latter nobody could say what it is older than: IIJ ID's changes until then would not count.
    """
    none = dict.fromkeys((identity for identity, state in states.items() if now and as_time(state.get("at")) > as_time(now) + SKEW), "") | outdated(
        states, last, behind
    )
    return {
        identity: {**state, **_OPEN, "void": {"by": state["by"], "at": state["at"], "since": none[identity]}} if identity in none else dict(state)
        for identity, state in states.items()
    }


def to_object(record: Mapping[str, Any]) -> Object:
    """A step out of its record in the steps file."""
    return Object(KIND, record["id"], record["id"], {name: value for name, value in record.items() if name != "id"})


def parse(content: Any) -> list[Object]:
    """The steps out of what the steps file holds. Raises ValueError, which quotes nothing, for whatever is missing, doubled or of another type."""
    records = content.get("steps") if isinstance(content, Mapping) else None
    if not isinstance(records, list):
        raise ValueError("it has no list of steps")
    if not all(isinstance(content.get(name, ""), str) for name in ("tenant_id", "directory")):
        raise ValueError("whose it is, is no text")
    found: dict[str, Object] = {}
    for record in records:
        for name in ("id", *DEFINITION, *_OPEN):
            wanted, word = (bool, "true or false") if name in ("done", "blocks_final_gate") else (str, "a text")
            if not isinstance(record, Mapping) or not isinstance(record.get(name), wanted):
                raise ValueError(f"{name} of a step is not {word}")
        if not _ID.fullmatch(record["id"]) or record["id"] in found:
            raise ValueError("the id of a step is there twice, or has other characters than a-z, 0-9 and _")
        if record["done"] and (not names.visible(record["by"]) or as_time(record["at"]) == NEVER):
            raise ValueError("a step is done, but by nobody, or at a time that is none (RFC 3339 with its zone)")
        attached = record.get("evidence", [])
        if not isinstance(attached, list) or not all(_is_attached(record["id"], one) for one in attached):
            raise ValueError("what is said of the evidence of a step is not whole")
        found[record["id"]] = to_object(record)
    return list(found.values())


def _is_attached(identity: str, entry: Any) -> bool:
    if not isinstance(entry, Mapping) or not all(isinstance(entry.get(name), wanted) for name, wanted in _ATTACHED.items()) or isinstance(entry["bytes"], bool):
        return False
    folder, _slash, name = entry["file"].rpartition("/")
    return folder == evidence_folder(identity) and name not in (".", "..") and _FILE.fullmatch(name) is not None


def evidence_folder(identity: str) -> str:
    """Where the evidence of a step lies in the run folder."""
    return f"{EVIDENCE}/{identity}"


def to_record(identity: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `to_object`."""
    attached = [{name: entry[name] for name in _ATTACHED} for entry in state.get("evidence", ())]
    return {"id": identity, **{name: state[name] for name in (*DEFINITION, *_OPEN)}, **({"evidence": attached} if attached else {})}


def to_shown(identity: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """`to_record`, with the confirmation that does not count (see `as_of`), where there is one."""
    return to_record(identity, state) | ({"void": dict(state["void"])} if state.get("void") else {})


def why_open(step: Mapping[str, Any], when: Callable[[str], str] = str) -> Text | None:
    """In words, that somebody has confirmed an open step and why that does not count; None when nobody has. `when` shows a time (RFC 3339) to people."""
    if not (void := step.get("void")):
        return None
    by, at = plain.line(void["by"]), when(void["at"])
    if not void["since"]:
        return Text(
            f"{by} confirmed it for {at}, which is yet to come; that does not count. Confirm it again.",
            f"{by} による確認の日時 {at} はまだ来ていないため、無効です。改めて確認してください。",
        )
    since = when(void["since"])
    if CONFIRMS.get(str(step.get("id"))) == "app_back":
        return Text(
            f"{by} confirmed it at {at}, but IIJ ID's app was brought back later, at {since}, so IIJ ID may work again. Look again, then confirm it again.",
            f"{by} が {at} に確認しましたが、その後（{since}）にIIJ IDのアプリを元に戻したため、無効です。状態を確かめ、改めて確認してください。",
        )
    return Text(
        f"{by} confirmed it at {at}, but the last of what it confirms was done later, at {since}, so that does not count. "
        "Do it for that too, then confirm it again.",
        f"{by} が {at} に確認しましたが、確認の対象となる作業がその後（{since}）にも行われたため、無効です。その分も実施し、改めて確認してください。",
    )


def to_do(step: Mapping[str, Any]) -> Text:
    """What to do, after why it is still to be done where somebody has confirmed it."""
    what, why = Text.of(step), why_open(step)
    return what if why is None else Text(f"{why.en} {what.en}", f"{why.ja} {what.ja}")


#: What may have become of a file that is evidence.
_BECAME = {"missing": Text("is no longer there", "がありません"), "changed": Text("is not the file that was attached", "は添付時のファイルと異なります")}


def evidence_lost(step: Mapping[str, Any]) -> list[Text]:
    """In words, each file of a step's evidence that is not there as it was attached (`state` of an entry, see `attached.py`)."""
    told = []
    for entry in step.get("evidence", ()):
        if (became := _BECAME.get(entry.get("state", ""))) is not None:
            name, file = plain.line(entry["name"]), plain.line(entry["file"])
            told.append(
                Text(
                    f"Evidence of the step {step['id']}: {name} ({file} in the run folder) {became.en}. Restore it from a backup, or attach it again.",
                    f"手順 {step['id']} の証跡: {name}（実行フォルダーの {file}）{became.ja}。バックアップから復元するか、再度添付してください。",
                )
            )
    return told


def changes(
    current: Mapping[str, Mapping[str, Any]],
    definitions: Iterable[Mapping[str, Any]] = (),
    confirm: Iterable[str] = (),
    withdraw: Iterable[str] = (),
    evidence: Mapping[str, list[Mapping[str, Any]]] | None = None,
    *,
    by: str = "",
    note: str = "",
    at: str = "",
) -> list[Change]:
    """What it takes that `definitions` are recorded, the steps `confirm` are done and the steps `withdraw` are not.

    current: the recorded steps by id. evidence: all files of a step that are its evidence then; those of other steps stay.
    at: the time of the confirmation, RFC 3339 UTC. A step that is done already
    keeps the person and the time of its first confirmation.
    Raises OffboardError `invalid_step` for a bad or repeated id, `unknown_step` with the list of those that exist.
    """
    states: dict[str, dict[str, Any]] = {identity: dict(state) for identity, state in current.items()}
    result = []
    defined: set[str] = set()
    for definition in definitions:
        identity = definition["id"]
        if not _ID.fullmatch(identity) or identity in defined:
            why = "is defined twice" if identity in defined else "has other characters than a-z, 0-9 and _"
            raise OffboardError(f"Step {identity!r} {why}; every step needs an id of its own.", code="invalid_step")
        defined.add(identity)
        wanted = {name: definition[name] for name in DEFINITION}
        before = states.get(identity)
        if before is None:
            states[identity] = {**wanted, **_OPEN}
            result.append(Change(KIND, identity, identity, "register", None, states[identity]))
        elif any(before[name] != value for name, value in wanted.items()):
            states[identity] = {**before, **wanted}
            result.append(Change(KIND, identity, identity, "register", {n: before[n] for n in wanted}, wanted))
    for action, identities, done in (("confirm", confirm, True), ("withdraw", withdraw, False)):
        after = {"done": True, "by": by, "at": at, "note": note} if done else dict(_OPEN)
        for identity in identities:
            state = _known(states, identity)
            if state["done"] != done:
                undo = phrases.english("undo_withdraw" if done else "undo_confirm", step=identity)
                result.append(Change(KIND, identity, identity, action, {name: state[name] for name in after}, after, undo=undo))
                states[identity] = _changed(state, after)
    for identity, entries in (evidence or {}).items():
        before, after = {"evidence": list(_known(states, identity).get("evidence", ()))}, {"evidence": list(entries)}
        result.append(Change(KIND, identity, identity, "attach", before, after))
        states[identity] = _changed(states[identity], after)
    return result


def apply(current: Mapping[str, Mapping[str, Any]], made: Iterable[Change]) -> dict[str, dict[str, Any]]:
    """The steps after `made`."""
    states = {identity: dict(state) for identity, state in current.items()}
    for change in made:
        states[change.id] = _changed(states.get(change.id, {}), change.after or {})
    return states


def not_done(states: Mapping[str, Mapping[str, Any]], require: Iterable[str]) -> list[str]:
    """Those of `require` that are not done. Raises OffboardError `unknown_step`."""
    return [identity for identity in require if not _known(states, identity)["done"]]


def confirm_command(identities: Iterable[str], run_dir: str) -> str:
    """What a person types when the steps are done.

    The name as YAML: of key=value only its first word would be recorded, and double quotes come escaped out of Ansible's JSON.
    """
    return f"ansible-playbook offboard.iij_id.confirm {in_run_folder(run_dir)} -e step={','.join(identities)} -e '{{by: YOUR_NAME}}'"


def in_run_folder(run_dir: str) -> str:
    """The run folder as a person types it. Of key=value only what stands before a blank would arrive: another folder, of which nothing is recorded."""
    if _ONE_WORD.fullmatch(run_dir):
        return f"-e offboard_run_dir={run_dir}"
    path = run_dir if _WORDS.fullmatch(run_dir) else json.dumps(run_dir, ensure_ascii=False)
    return f"-e {shlex.quote(f'{{offboard_run_dir: {path}}}')}"


def not_done_error(states: Mapping[str, Mapping[str, Any]], missing: list[str], run_dir: str, language: str = "both") -> OffboardError:
    """`step_not_done`: names each step, what to do in the language asked for, and how to confirm it."""
    command = confirm_command(missing, run_dir)
    void = {identity: {"void": states[identity]["void"]} for identity in missing if states[identity].get("void")}
    details = [{"id": identity, **{name: states[identity][name] for name in DEFINITION}, **void.get(identity, {})} for identity in missing]
    return OffboardError(told_not_done(details, command, language), code="step_not_done", details={"steps": details, "confirm_command": command})


def told_not_done(missing: Sequence[Mapping[str, Any]], command: str, language: str) -> str:
    """What `step_not_done` says, out of its details."""
    lines = [plain.line(f"{step['id']}: {' / '.join(to_do(step).in_language(language))}") for step in missing]
    count = "1 step that only a person can do is" if len(missing) == 1 else f"{len(missing)} steps that only a person can do are"
    head = Text(f"{count} not done.", f"人が行う手順が{len(missing)}件完了していません。")
    how = Text(
        "When done, with the same -i and -e as this run (in AWX the job template of confirm):",
        "実施後、今回と同じ -i と -e を付けて次を実行してください（AWX では confirm のジョブテンプレート）:",
    )
    return f"{' / '.join(head.in_language(language))} {' | '.join(lines)} | {' / '.join(how.in_language(language))} {command}"


def _changed(state: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """A confirmation, or its withdrawal, takes the place of one that did not count."""
    return {name: value for name, value in state.items() if name != "void" or "done" not in after} | dict(after)


def _known(states: Mapping[str, Mapping[str, Any]], identity: str) -> Mapping[str, Any]:
    if identity in states:
        return states[identity]
    known = sorted(states)
    told = phrases.english("no_step", step=repr(identity), steps=", ".join(known)) if known else phrases.english("no_step_yet", step=repr(identity))
    raise OffboardError(told, code="unknown_step", details={"steps": known})
