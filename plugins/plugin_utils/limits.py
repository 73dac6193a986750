# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `--limit` leaves of the inventory, by Ansible's own rules: patterns, and files of them (`@FILE`), which the lookup inventory_hostnames does not know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

CONTROLLER = "localhost"


def within(limit: str, groups: Mapping[str, Iterable[str]]) -> list[str]:
    """The machines of `groups` (Ansible's variable) within a limit, and the controller where it is. Raises AnsibleError for a file that is not there."""
    manager = InventoryManager(DataLoader(), parse=False)
    for group, hosts in groups.items():
        manager.add_group(group)
        for host in hosts:
            manager.add_host(host, group=group)
    manager.subset(limit)
    # the controller needs no entry in the inventory
    return [host.name for host in manager.get_hosts(["all", CONTROLLER])]
