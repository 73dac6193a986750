#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_file_info
short_description: Files and folders of a Windows machine, and single values of a YAML file
version_added: 0.1.0
description:
  - Tells what is at a path, and in a folder, hidden files too.
  - With O(yaml_values), returns single values of a YAML file, such as the bind user's DN in C(config.yml) of Directory Sync, which is the only
    reliable way to know
    that account. Nothing else of the file is returned, as it also holds a password.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.windows
options:
  paths:
    description: Absolute paths. No wildcards, environment variables or short (8.3) names.
    type: list
    elements: str
    required: true
  yaml_values:
    description:
      - The values to read from those of O(paths) that are files, as a dictionary of a name and a path of keys with dots between them; list items by
        their number.
      - A path that looks like a secret's (password, token, ...) is refused, and so is one that leads to a mapping.
    type: dict
    default: {}
seealso:
  - module: offboard.iij_id.win_file
"""

EXAMPLES = r"""
- name: Which account does Directory Sync bind as?
  offboard.iij_id.win_file_info:
    paths:
      - C:\Program Files\IIJ ID Service Directory Sync\config\config.yml
    yaml_values:
      bind_dn: ad.ldap.user
      user_filter: ad.ldap.filter.user
  register: config
  # config.files[0]['values'].bind_dn
"""

RETURN = r"""
files:
  description: One entry for each path, in the order of O(paths).
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path.
      type: str
      returned: always
    exists:
      description: Whether there is anything.
      type: bool
      returned: always
    is_dir:
      description: Whether it is a folder.
      type: bool
      returned: always
    hidden:
      description: Whether it is hidden.
      type: bool
      returned: always
    size:
      description: Size of a file in bytes.
      type: int
      returned: always
    children:
      description: Everything in a folder, at any depth, each with C(path), C(is_dir), C(hidden), C(link) and C(size).
      type: list
      elements: dict
      returned: always
    values:
      description: The named values as texts, whatever they look like; null where the file has none.
      type: dict
      returned: for a file, with O(yaml_values)
failure:
  description: C(code) is V(path_invalid), V(secret_refused), V(not_a_value), V(config_unreadable), V(file_read_failed), V(listing_unreadable), or one
    of the connection,
    see M(offboard.iij_id.win_software).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.arguments import WINDOWS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.machine import OPTIONS, info_of

from ..module_utils._core.foreign_yaml import YAML_IMPORT_ERROR
from ..module_utils._module.runner import require, run_info
from ..module_utils._windows.client import WINRM_IMPORT_ERROR


def main() -> None:
    module = AnsibleModule(argument_spec=spec(WINDOWS, **OPTIONS["files"]), supports_check_mode=True)
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    require(module, "PyYAML", YAML_IMPORT_ERROR)
    run_info(module, info_of("files"))


if __name__ == "__main__":
    main()
