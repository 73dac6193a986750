#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: identity_provider_sheet_info
short_description: Write the sheet for the administrators of identity providers that sign people in to IIJ ID
version_added: 1.0.0
description:
  - Gives a sheet in Japanese and English that says which objects of AD FS, Microsoft Entra, Okta and other products sign people in to IIJ ID, with the commands
    that find, save, switch off and remove them.
  - What IIJ ID uses can only be ended on their side. What they send back is the evidence of the step C(identity_providers_unlinked).
  - Changes nothing and asks nobody.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
options:
  hosts:
    description: Host names of IIJ ID. Each is found itself, and what lies under it.
    type: list
    elements: str
    default: [auth.iij.jp]
  products:
    description: Which products the sheet is about.
    type: list
    elements: str
    choices: [adfs, entra, okta, other]
    default: [adfs, entra, okta, other]
  company:
    description: The name that stands on top.
    type: str
    default: ""
seealso:
  - module: offboard.iij_id.entra_references_info
  - module: offboard.iij_id.federation_partners_info
"""

EXAMPLES = r"""
- name: What must the administrators of AD FS do?
  offboard.iij_id.identity_provider_sheet_info:
    products: [adfs]
    company: Reiji Shoji
  register: asked

- name: Write it down as one page
  ansible.builtin.copy:
    content: "{{ asked.html }}"
    dest: identity-providers.html
    mode: "0644"
"""

RETURN = r"""
html:
  description: The sheet in both languages as one page. It needs no network and no script.
  returned: success
  type: str
markdown:
  description: The sheet as Markdown, C(en) and C(ja).
  returned: success
  type: dict
failure:
  description: C(code) is V(bad_option).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.runner import run_info
from ..module_utils._offboarding.identity_providers.info import info
from ..module_utils._offboarding.identity_providers.plan import PRODUCTS


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "hosts": {"type": "list", "elements": "str", "default": ["auth.iij.jp"]},
            "products": {"type": "list", "elements": "str", "choices": list(PRODUCTS), "default": list(PRODUCTS)},
            "company": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    run_info(module, info)


if __name__ == "__main__":
    main()
