# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IIJ ID's provisioning does to a Microsoft 365 tenant, through Graph and with the rights of its own app.

From the vendor's pages (manual.iij.jp, IIJ ID): it writes displayName, names, mailNickname, accountEnabled, usageLocation, jobTitle,
department, telephone, preferredLanguage and licences; a change made by hand in Entra is reverted within about a day; after provisioning was
stopped in the console users have to be unblocked and given their licences again; with a bad secret its jobs just fail.
What happens to users when provisioning stops is described by that repair only, so the stop here blocks everyone and takes every
directly assigned licence, once.
"""

from __future__ import annotations

import datetime
import time
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .. import company
from ..company import Person
from ..rest import Rest

_SELECT = (
    "id,displayName,surname,givenName,mailNickname,accountEnabled,usageLocation,jobTitle,department,businessPhones,preferredLanguage,licenseAssignmentStates"
)
_BATCH = 20


@dataclass
class Outcome:
    """What one run did: writes that took effect, writes refused (status by count), or why it could not run at all."""

    at: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))
    wrote: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Actor:
    """Provisioning of `people` into one tenant. A token is used to its end, as any client library does: switching the app off does not end it."""

    def __init__(self, url: str, ca_file: Path, app: str = "iij", people: Iterable[Person] | None = None) -> None:
        self._rest = Rest(url, ca_file)
        self._url = url
        self._app = company.app(app)
        self._held, self._until = "", 0.0
        self._people = list(company.people() if people is None else people)

    def apply(self) -> Outcome:
        """One cycle with provisioning on: everybody as IIJ ID has them."""
        return self._run(provisioned=True)

    def withdraw(self) -> Outcome:
        """What stopping does: everybody blocked, no direct licence left."""
        return self._run(provisioned=False)

    def _run(self, provisioned: bool) -> Outcome:
        outcome = Outcome()
        try:
            headers = {"Authorization": f"Bearer {self._token()}"}
            users = {user["id"]: user for user in self._users(headers)}
            requests = [item for person in self._people if person.id in users for item in _requests(person, users[person.id], provisioned)]
            for start in range(0, len(requests), _BATCH):
                self._send(requests[start : start + _BATCH], headers, outcome)
        except (OSError, RuntimeError) as error:
            outcome.error = str(error)
        return outcome

    def forget_token(self) -> None:
        """As if the one in hand had ended."""
        self._until = 0.0

    def _token(self) -> str:
        if time.time() < self._until:
            return self._held
        form = {
            "grant_type": "client_credentials",
            "client_id": self._app["client_id"],
            "client_secret": self._app["secret"],
            "scope": f"{self._url}/.default",
        }
        asked = time.time()
        reply = self._rest.call("POST", f"/{company.tenant_id()}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode())
        if reply.status != 200:
            raise RuntimeError(f"sign-in refused: {reply.data['error_description'].split(' Trace ID', 1)[0]}")
        self._held, self._until = reply.data["access_token"], asked + reply.data["expires_in"]
        return self._held

    def _users(self, headers: dict[str, str]) -> Iterator[dict[str, Any]]:
        path: str | None = f"/v1.0/users?$select={_SELECT}&$top=999"
        while path:
            reply = self._rest.call("GET", path, headers=headers)
            if reply.status != 200:
                raise RuntimeError(f"users cannot be read: {reply.status} {reply.data['error']['message']}")
            yield from reply.data["value"]
            path = reply.data.get("@odata.nextLink", "").removeprefix(self._url)

    def _send(self, requests: list[dict[str, Any]], headers: dict[str, str], outcome: Outcome) -> None:
        """One batch. What is refused now is found different again in the next cycle."""
        body = {"requests": [{"id": str(number), **item} for number, item in enumerate(requests)]}
        reply = self._rest.call("POST", "/v1.0/$batch", body, headers)
        if reply.status != 200:
            raise RuntimeError(f"batch refused: {reply.status} {reply.data['error']['message']}")
        for answer in reply.data["responses"]:
            if answer["status"] < 400:
                outcome.wrote += 1
            else:
                outcome.refused[answer["status"]] = outcome.refused.get(answer["status"], 0) + 1


def _requests(person: Person, user: dict[str, Any], provisioned: bool) -> Iterator[dict[str, Any]]:
    """The writes that bring one user in line, none where nothing differs."""
    json = {"Content-Type": "application/json"}
    changes = {name: value for name, value in _attributes(person, provisioned).items() if user[name] != value}
    if changes:
        yield {"method": "PATCH", "url": f"/users/{person.id}", "headers": json, "body": changes}
    direct = {state["skuId"] for state in user["licenseAssignmentStates"] if state["assignedByGroup"] is None}
    wanted = {company.sku_id(part) for part in person.licences} if provisioned else set()
    if direct != wanted:
        body = {"addLicenses": [{"skuId": sku, "disabledPlans": []} for sku in sorted(wanted - direct)], "removeLicenses": sorted(direct - wanted)}
        yield {"method": "POST", "url": f"/users/{person.id}/assignLicense", "headers": json, "body": body}


def _attributes(person: Person, provisioned: bool) -> dict[str, Any]:
    if not provisioned:
        return {"accountEnabled": False}
    values: dict[str, Any] = {"accountEnabled": person.enabled}
    if person.usage_location:
        values["usageLocation"] = person.usage_location
    if not person.synced:  # what Active Directory masters nobody else can write
        values |= {
            "displayName": person.name,
            "surname": person.family,
            "givenName": person.given,
            "mailNickname": person.account,
            "jobTitle": person.title,
            "department": person.department,
            "businessPhones": [person.phone],
            "preferredLanguage": "ja-JP",
        }
    return values
