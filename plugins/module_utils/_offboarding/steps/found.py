# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What preflight or the final gate has found that a person's step is about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: Findings shown with a step; their number is told.
LISTED = 10

#: By step, the codes of findings that a person needs to do it.
_CODES: dict[str, frozenset[str]] = {
    "other_directory_servers_clean": frozenset(
        {
            "cron_job_not_confirmed", "script_does_more", "timer_starts_it", "linux_file_not_confirmed", "linux_file_behind_link", "linux_folder_not_looked_at",
            "linux_account_not_confirmed", "names_linux_agent", "linux_start_not_found", "openldap_settings", "openldap_named_in", "openldap_not_searched",
        }
    ),
    "batch_logon_right_removed": frozenset(
        {"task_account", "local_right_entries", "orphaned_rights", "group_policies_not_read", "group_policy_not_readable"}
    ),
    "spnego_settings_removed": frozenset(
        {
            "browser_settings_left", "browser_settings_of_policy", "browser_settings_of_no_policy", "browser_entries_broader", "browser_users_not_seen",
            "client_not_readable", "group_policy_by_hand", "group_policy_item_inactive",
            "group_policy_points_at_iij", "group_policies_not_read", "group_policy_not_readable", "logon_scripts_by_hand", "logon_scripts_not_readable",
        }
    ),
    "device_certificates_deleted": frozenset(
        {
            "certificate_left", "certificate_not_confirmed", "certificate_in_use", "certificates_in_firefox", "certificate_authorities",
            "certificates_not_readable", "browser_users_not_seen",
        }
    ),
    "smartkey_uninstalled": frozenset({"intune_assignments", "intune_assignment_left", "intune_not_read"}),
    "identity_providers_unlinked": frozenset({"points_at_iij", "more_references", "not_looked_at"}),
    "relying_parties_unlinked": frozenset({"points_at_iij", "more_references", "not_looked_at"}),
    "domain_controllers_restarted": frozenset({"password_filter_not_confirmed"}),
}  # fmt: skip


def of_step(identity: str, findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings that the step is about, in their order."""
    codes = _CODES.get(identity, frozenset())
    return [finding for finding in findings if finding["code"] in codes]
