# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deleting a guest and inviting again, with what the account held given to the new one.

The page of 2020 knows no other way to change how a guest signs in; today's is to reset the redemption. Before anything is deleted a copy is on
the disk, and each step is looked up before it is made, so that the same task ends the work after a kill at any point.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..._core import phrases, strict_json
from ..._core.errors import NotSeen, OffboardError
from ..._core.model import Change, Object
from ..._core.plain import shortened, to_json
from ..._graph.batches import Answer, Request
from ..._graph.client import Client
from ..._graph.errors import AnswerLost
from ..._module import waiting
from ..._module.clock import now
from ..._module.files import write_atomically
from ..users.licences import Skus
from . import copy as guest_copy
from .copy import Step
from .options import Options
from .plan import invitation_body, made_by_invitation

#: A new account is not known everywhere at once, which refuses what is right a moment later: so often is it tried, with growing pauses.
_ATTEMPTS, _LONGEST_PAUSE = 6, 30.0
#: Refusals that another attempt does not change.
_FINAL = ("permission_missing", "unauthorized")


# -- files


def read_copies(folder: str, tenant_id: str) -> list[dict[str, Any]]:
    """The copies of this tenant's guests. Raises OffboardError `copy_unreadable`: unfinished work must not be overlooked."""
    copies = []
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for name in names:
        if name.startswith("guest_") and name.endswith(".json"):
            path = os.path.join(folder, name)
            try:
                with open(path, encoding="utf-8") as stream:
                    data = strict_json.loads(stream.read())
            except (OSError, ValueError) as exc:
                raise OffboardError(f"the copy {path} cannot be read ({exc}); mend it or move it away", code="copy_unreadable") from exc
            if guest_copy.is_copy(data, tenant_id):
                copies.append(data)
    return copies


def copy_path(folder: str, copy: Mapping[str, Any]) -> str:
    """Where the copy of an old account lies."""
    return os.path.join(folder, f"guest_{shortened(re.sub(r'[^A-Za-z0-9.@+-]', '_', copy['mail']))}_{copy['old_id']}.json")


def _write(path: str, copy: Mapping[str, Any]) -> None:
    write_atomically(path, to_json(copy, indent=1).encode() + b"\n")


# -- reading


def read_holdings(client: Client, keys: Iterable[str], role_assignable_groups: bool) -> dict[str, dict[str, Any]]:
    """What accounts hold, by object id. Raises GraphError; only that there is no manager is no error."""
    wanted = {path: (key, name) for key in keys for name, path in guest_copy.paths(key).items()}
    parts: dict[str, dict[str, Any]] = {}
    for path, answer in client.get_many(list(wanted)):
        key, name = wanted[path]
        parts.setdefault(key, {})[name] = _part(client, path, name, answer)
    return {key: guest_copy.holdings(**part, role_assignable_groups=role_assignable_groups) for key, part in parts.items()}


def _part(client: Client, path: str, name: str, answer: Answer) -> Any:
    if name == "manager" and answer.status == 404:
        return None
    if not answer.ok:
        raise answer.error(Request("GET", path))
    if name in ("user", "manager"):
        return answer.body
    return list(client.list(path)) if "@odata.nextLink" in answer.body else answer.body["value"]


# -- the work


class Reinvitation:
    """The way of one guest. `find` gives the accounts that have the mail address now, `tell` shows what is waited for."""

    def __init__(self, client: Client, options: Options, find: Callable[[str], list[Object]], tell: Callable[[str], None], copy: dict[str, Any]) -> None:
        self._client, self._options, self._find, self._tell, self._copy = client, options, find, tell, copy
        self._skus = Skus(lambda: client.list("/subscribedSkus"))
        self.path = copy_path(options.backup_dir, copy)
        self.steps: list[str] = []

    def run(self, change: Change) -> str:
        """The id of the new account. Raises OffboardError; `steps` tells what was done until then, and the copy stays for the next run."""
        if not (change.before or {}).get("deleted"):
            if (other := self._there()) and not self._copy["invited_at"]:
                raise self._taken([other], "is not deleted")
            _write(self.path, self._copy)
            self._delete()
        key = self._copy["new_id"] or self._there() or self._invite(change)
        if key != self._copy["new_id"]:
            self._copy["new_id"] = key
            _write(self.path, self._copy)
        self._put_back(key)
        self._copy["completed_at"] = now()
        _write(self.path, self._copy)
        return key

    def _delete(self) -> None:
        key = self._copy["old_id"]
        self._client.delete(f"/users/{key}")
        self.steps.append("deleted")

    def _there(self) -> str | None:
        """The new account: it has the address, and is not the old one, which may still be shown. Raises OffboardError `address_taken`."""
        found = [item for item in self._find(self._copy["mail"]) if item.id != self._copy["old_id"]]
        if len(found) > 1 or not all(made_by_invitation(item) for item in found):
            raise self._taken([item.id for item in found], "goes no further")
        return found[0].id if found else None

    def _taken(self, keys: list[str], so: str) -> OffboardError:
        mail, old = self._copy["mail"], self._copy["old_id"]
        msg = f"{mail} is also an address of {', '.join(keys)}, so the re-invitation of guest {old} {so}. Take the address off that account"
        return OffboardError(f"{msg} (mail, otherMails, proxyAddresses), and run the task again.", code="address_taken")

    def _invite(self, change: Change) -> str:
        """Once the old account is gone: while it is shown, Entra would only invite it once more. Nobody is invited twice for a lost answer."""
        if self._copy["invited_at"] and (late := self._late()):
            return late
        self._wait_until_gone()
        if there := self._there():
            return there
        self._copy["invited_at"] = now()
        _write(self.path, self._copy)
        try:
            key = str((self._client.post("/invitations", invitation_body(change)).get("invitedUser") or {}).get("id") or "")
        except AnswerLost as lost:
            key = self._late()
            if not key:
                msg = f"{lost.msg} Read back, nobody is invited, and it was not sent again. Run the task again."
                raise OffboardError(msg, code=lost.code) from lost  # pylint: disable=bad-exception-cause
        except OffboardError:
            self._copy["invited_at"] = None  # refused: there is nothing to wait for
            _write(self.path, self._copy)
            raise
        if key == self._copy["old_id"]:
            raise NotSeen("Entra invited the old account, which is deleted, once more. Run the task again later.")
        self.steps.append("invited")
        return key

    def _late(self) -> str:
        """The account that an invitation without an answer may have made; empty when it does not show in time."""
        found: str | None = None

        def read() -> bool:
            nonlocal found
            found = self._there()
            return bool(found)

        waiting.is_shown(read, min(waiting.LOST_TIMEOUT, self._options.verify_timeout), agreeing=waiting.ONE_READ)
        return found or ""

    def _wait_until_gone(self) -> None:
        mail = self._copy["mail"]

        def telling(_left: int) -> None:
            self._tell(phrases.english("waits_for_old_account", mail=mail))

        if not waiting.is_shown(self._old_is_gone, self._options.verify_timeout, pausing=telling):
            raise NotSeen(f"{mail} is deleted, but reading still shows the old account. Run the task again later.")

    def _old_is_gone(self) -> bool:
        old = self._copy["old_id"]
        ((_path, answer),) = self._client.get_many([f"/users/{old}?$select=id"])
        return answer.status == 404 and all(item.id != old for item in self._find(self._copy["mail"]))

    def _put_back(self, key: str) -> None:
        """Ask for what is missing and look again, until nothing is missing. Nothing that may have been carried out is sent twice."""
        tries: Counter[str] = Counter()
        failed: dict[str, OffboardError] = {}
        left: list[Step] | None = None

        def all_back() -> bool:
            nonlocal left
            left = self._left(key)
            if not left:
                return left is not None
            given_up = [step for step in left if _is_final(failed.get(step.name), tries[step.name])]
            if len(given_up) == len(left):
                if not self._options.accept_losses or any(failed[step.name].details.get("status") != 404 for step in left):
                    raise self._unfinished(left, failed)
                self._copy["lost"] += [{"what": "gone", "id": "", "name": step.name, "why": "it is no longer there"} for step in left]
                return True
            again = [step for step in left if step.method and step not in given_up and (step.name in failed or not tries[step.name])]
            tries.update(step.name for step in again)
            self._send(again, failed)
            return False

        def telling(_waiting: int) -> None:
            mail = self._copy["mail"]
            self._tell(phrases.english("waits_for_new_account", mail=mail) if left is None else phrases.english("puts_back", mail=mail, number=len(left)))

        seconds = self._options.verify_timeout
        if not waiting.is_shown(all_back, seconds, agreeing=waiting.ONE_READ, longest_pause=_LONGEST_PAUSE, pausing=telling):
            raise self._unfinished(left, failed)

    def _left(self, key: str) -> list[Step] | None:
        """What is missing; None while reading does not show the new account."""
        try:
            held = read_holdings(self._client, [key], True)
        except OffboardError as exc:
            if exc.details.get("status") == 404:
                return None
            raise
        return guest_copy.missing(self._copy, key, held[key], self._skus.lost_plans)

    def _send(self, steps: list[Step], failed: dict[str, OffboardError]) -> None:
        """What was refused is in `failed` afterwards. What has no answer is not: looking again tells."""

        def done(pairs: list[tuple[Request, Answer]]) -> None:
            for request, answer in pairs:
                step: Step = request.tag
                failed.pop(step.name, None)
                if answer.ok:
                    self.steps.append(step.name)
                elif not answer.uncertain:
                    failed[step.name] = answer.error(request)

        self._client.batch([self._request(step) for step in steps], done)

    def _request(self, step: Step) -> Request:
        body = self._client.reference(step.reference) if step.reference else step.body
        return Request(step.method, step.path, body, step)

    def _unfinished(self, left: list[Step] | None, failed: Mapping[str, OffboardError]) -> OffboardError:
        what = f"The copy is {self.path}; run the same task again to go on."
        if left is None:
            return NotSeen(f"the new account of {self._copy['mail']} is not shown yet. {what}")
        reasons = {step.name: failed[step.name].msg if step.name in failed else "not seen yet" for step in left}
        codes = sorted({failed[name].code for name in reasons if name in failed})
        code = codes[0] if len(codes) == 1 else "not_put_back" if codes else "not_seen"
        told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        return OffboardError(f"{self._copy['mail']} is invited, but not all was put back: {told}. {what}", code=code, details={"left": list(reasons)})


def _is_final(error: OffboardError | None, tries: int) -> bool:
    return error is not None and (error.code in _FINAL or tries >= _ATTEMPTS)
