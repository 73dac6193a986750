# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IIJ ID's app registrations, and what its app still does. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._core import names
from ..._core.heads import some
from ..._core.text import Text
from .. import gate, phrases, quiet
from ..finding import Finding
from ..going_back import Way
from .candidate import Candidate

if TYPE_CHECKING:
    from .judged import Confirmed, Facts


def candidates(facts: Facts, confirmed: Confirmed) -> list[Mapping[str, Any]]:
    """Living apps for which something speaks, and of which the operator has not said whose they are."""
    known = names.uuids((*confirmed.client_ids, *confirmed.not_iij_client_ids, confirmed.own_client_id))
    return [app for app in facts.apps or () if app.get("why") and names.uuid(app["client_id"]) not in known and not app.get("deleted")]


def _candidate(severity: str, app: Mapping[str, Any]) -> Finding:
    why = phrases.reasons(app["why"])
    return Finding(
        severity,
        "app_candidate",
        Text(
            f"The app registration {app['display_name']} ({app['client_id']}) may be IIJ ID's: {why.en}. If the console of IIJ ID shows this "
            "client id, put it into offboard_iij_client_id, or into microsoft_365_old_client_ids for a forgotten one; if it is somebody else's, into "
            "microsoft_365_not_iij_client_ids.",
            f"アプリの登録 {app['display_name']}（{app['client_id']}）はIIJ IDのものかもしれません（{why.ja}）。"
            "IIJ IDコンソールのクライアントIDと一致すれば offboard_iij_client_id に、古いものなら microsoft_365_old_client_ids に、"
            "IIJ IDのものでなければ microsoft_365_not_iij_client_ids に指定してください。",
        ),
        (app["client_id"],),
    )


def findings(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    if facts.apps is None:
        return
    present = {names.uuid(app["client_id"]) for app in facts.apps}
    if confirmed.disable_app is False and facts.app is not None and facts.app.enabled:
        yield Finding(
            "warning",
            "stop_will_block_people",
            Text(
                "IIJ ID's stop blocks users and takes their licences until the stage users has repaired that. Nobody is blocked when its service principal is "
                "switched off before: set microsoft_365_disable_app: true, run the stage gate, wait until the time that it names (a token issued "
                "before stays good "
                "for up to 90 minutes), and only then stop the provisioning in IIJ ID's console, which will show errors.",
                "IIJ IDのプロビジョニングを停止すると、usersの段階で復旧するまで利用者がブロックされ、ライセンスが外れます。"
                "先にサービスプリンシパルを無効化すれば誰もブロックされません。microsoft_365_disable_app: true としてgateの段階を実行し、示された時刻"
                "（発行済みトークンは最長90分有効）を過ぎてから、IIJ IDコンソールで停止してください。コンソールにはエラーが表示されます。",
            ),
        )
    yield from (_candidate("warning", app) for app in candidates(facts, confirmed))
    gone = tuple(identity for identity in confirmed.client_ids if names.uuid(identity) not in present)
    if gone:
        yield Finding(
            "warning",
            "app_not_found",
            Text(
                f"The tenant has no app registration with the confirmed client id {some(gone)}. It is gone already, or the id is wrong.",
                f"指定されたクライアントID {some(gone)} のアプリの登録はテナントにありません（削除済みか、IDの誤り）。",
            ),
            gone,
        )


def provisioning_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What forbids to repair the users: IIJ ID would undo it. Before the stop is confirmed: when it may be done, so that it blocks nobody."""
    app = facts.app or quiet.AppActivity()
    step = next((step for step in facts.steps or () if step["id"] == gate.STOPPED), None)
    until = quiet.token_good_until(app, confirmed.token_minutes, facts.now)
    if step is None or not step["done"]:
        return [_stop_later(app, until, confirmed.token_minutes)] if until else []
    start = quiet.counts_from(step["at"], app, confirmed.token_minutes, facts.now)
    found = quiet.since(app.activities or (), start)
    return [Finding("blocker", "still_active", gate.still_active(found, phrases.told("since", start=start), until))] if found else []


def _stop_later(app: quiet.AppActivity, until: str, minutes: int) -> Finding:
    told = phrases.told("stop_later", at=app.switched_off_at or "", minutes=minutes, until=until, step=gate.STOPPED)
    return Finding("blocker", "token_may_be_good", told, (gate.STOPPED,))


def left(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """Those that are still there at the end, or may be."""
    confirmed_ids = names.uuids(confirmed.client_ids)
    for app in facts.apps or ():
        if names.uuid(app["client_id"]) in confirmed_ids and not app.get("deleted"):
            text = Text(
                f"IIJ ID's app registration {app['display_name']} ({app['client_id']}) is still in the tenant.",
                f"IIJ IDのアプリの登録 {app['display_name']}（{app['client_id']}）がまだテナントにあります。",
            )
            yield Finding("blocker", "app_present", text, (app["client_id"],))
    yield from (_candidate("blocker", app) for app in candidates(facts, confirmed))


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    yield from left(facts, confirmed) if final else findings(facts, confirmed)


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """Whose an app is, and whether to switch IIJ ID's off before the stop."""
    for app in sorted(candidates(facts, confirmed), key=lambda app: -len(app["why"])):
        why = phrases.reasons(list(app["why"]))
        told = Text(
            f"{app['display_name']}: {why.en}. It belongs into one of three variables: the id of the console, the forgotten ones, or those of others.",
            f"{app['display_name']}: {why.ja}（3つの変数のいずれか1つに指定）",
        )
        for variable in ("offboard_iij_client_id", "microsoft_365_old_client_ids", "microsoft_365_not_iij_client_ids"):
            yield Candidate(variable, app["client_id"], told)
    if confirmed.disable_app is False and facts.app is not None and facts.app.enabled:
        yield Candidate("microsoft_365_disable_app", True, Text("Its app is enabled.", "アプリは有効です。"))


#: What the exit does to it: kind and action of the changes, by the stage.
WORK = {
    "gate": (("service_principal", "disable"),),
    "app": (("oauth2_permission_grant", "remove"), ("app_role_assignment", "remove"), ("service_principal", "delete"), ("application", "delete")),
}
#: How what the exit does to it is undone, for the manual.
WAYS = (
    Way(
        Text("IIJ's service principal disabled (the hard guard)", "IIJのサービスプリンシパルの無効化（ハードガード）"),
        Text("`restore` with `app`, or `entra_app` with `enabled: true`", "`restore` の `app`、または `entra_app` の `enabled: true`"),
        Text(
            "`restore` enables it only where this exit has disabled it, by the journal",
            "`restore` が有効化するのは、この作業で無効化した場合（ジャーナルによる）だけです",
        ),
    ),
    Way(
        Text("IIJ's app removed", "IIJのアプリの削除"),
        Text("`restore` with `app`, or `entra_app` with `state: present`", "`restore` の `app`、または `entra_app` の `state: present`"),
        Text("30 days; its secrets come back, consent has to be checked", "30 日以内。シークレットは戻りますが、同意は確認が必要です"),
    ),
)
