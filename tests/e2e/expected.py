# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the end must be like: the fixture company and the operator's decisions, put together."""

from __future__ import annotations

from lab import company, inventory

PEOPLE = list(company.people())
DECISIONS = inventory.decisions()
DOMAINS = [
    item["id"] for item in company.data()["tenant"]["domains"] if item.get("federation") == "iij" or item.get("parent") in DECISIONS["microsoft_365_domains"]
]
APPS = {key: company.app(key)["client_id"] for key in ("iij", "iij_old", "decoy", "offboard", "readonly")}
GONE_APPS = {APPS["iij"], APPS["iij_old"]}
ACCOUNTS = {*DECISIONS["directory_sync_accounts"], *DECISIONS["integrated_windows_authentication_accounts"]}

#: GUIDs of the group policies that are edited
POLICIES = {*DECISIONS["directory_sync_policies"], *DECISIONS["integrated_windows_authentication_policies"]}

#: Whose passwords an app with the role User Administrator may not set (learn.microsoft.com, "Who can reset passwords").
_HIGHER = {"Global Administrator", "Exchange Administrator"}


def gets_password(person: company.Person) -> bool:
    """People of the converted domains who work, unless password hash synchronization serves them or a higher administrator must do it."""
    return person.enabled and not person.synced and _HIGHER.isdisjoint(person.roles)


WITH_PASSWORD = {person.upn: person for person in PEOPLE if gets_password(person)}
LEFT_OUT = [person for person in PEOPLE if person.enabled and not person.synced and not gets_password(person)]
