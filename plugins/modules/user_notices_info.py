#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: user_notices_info
short_description: Write the notices for the users whose sign-in changes
version_added: 1.0.0
description:
  - Gives the texts that users read before and after their sign-in changes, in Japanese and English, as pages and as plain text for a mail, with your own dates,
    domains and addresses.
  - They say what changes and when (V(sign_in)), when the app IIJ SmartKey stays (V(smartkey)), how a device certificate is removed step by step on Windows,
    macOS, iOS, Android and in Firefox (V(certificates)), which settings of a browser are not needed any more (V(browsers)), and how a security key is
    registered anew (V(security_keys)).
  - No password is in them. Those are in the letters of M(offboard.iij_id.handover_letters).
  - Changes nothing and asks nobody.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
options:
  day:
    description: The day on which the sign-in changes, such as V(2026-12-05).
    type: str
    required: true
  time:
    description: The time of that day in your own words, for instance V(22:00). It is shown after the day.
    type: str
    default: ""
  domains:
    description: The domains whose users are addressed.
    type: list
    elements: str
    required: true
  topics:
    description: What to write about.
    type: list
    elements: str
    choices: [sign_in, smartkey, certificates, browsers, security_keys]
    default: [sign_in, smartkey, certificates, browsers, security_keys]
  company:
    description: The name that stands on top.
    type: str
    default: ""
  sign_in_address:
    description: Where people sign in from then on. It must begin with C(https://).
    type: str
    default: https://www.office.com/
  help_desk:
    description: Whom to ask, for instance a telephone number.
    type: str
    default: ""
  passwords:
    description: What the users get, as in M(offboard.iij_id.entra_users).
    type: str
    choices: [generate, temporary_access_pass, keep]
    default: generate
  windows_password:
    description: Whether people whose password is synchronized from Active Directory go on with that of their PC.
    type: bool
    default: false
  hosts:
    description: The names in settings of browsers that are not needed any more.
    type: list
    elements: str
    default: [auth.iij.jp]
  certificate_issuer:
    description: Who issued the device certificates, as people see it. Without it nothing is said of the issuer.
    type: str
    default: ""
  links:
    description: Further addresses for those who have questions. Each must begin with C(https://).
    type: list
    elements: str
    default: []
  language:
    description: The language of the notices. With V(both) a page has the Japanese text and the English one below it.
    type: str
    choices: [both, ja, en]
    default: both
seealso:
  - module: offboard.iij_id.handover_letters
"""

EXAMPLES = r"""
- name: What do we tell them?
  offboard.iij_id.user_notices_info:
    day: "2026-12-05"
    time: "22:00"
    domains: [reiji.example]
    company: Reiji Shoji
    help_desk: ext. 1234
  register: told

- name: Write the pages
  ansible.builtin.copy:
    content: "{{ item.html }}"
    dest: "/srv/notices/{{ item.file }}.html"
    mode: "0644"
  loop: "{{ told.notices }}"
  loop_control:
    label: "{{ item.file }}"
"""

RETURN = r"""
notices:
  description: The notices, in the order of O(topics) in this documentation.
  returned: success
  type: list
  elements: dict
  contains:
    topic: {description: One of O(topics)., type: str, returned: always}
    file: {description: 'A name for files, without ending.', type: str, returned: always}
    steps: {description: Ids of the steps of a person that it belongs to., type: list, elements: str, returned: always}
    title: {description: 'Its title, C(en) and C(ja).', type: dict, returned: always}
    html: {description: The page. It needs no network and no script., type: str, returned: always}
    plain: {description: 'The plain text by language, C(ja) and C(en).', type: dict, returned: always}
failure:
  description: C(code) is V(bad_option).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._module.runner import run_info
from ..module_utils._offboarding.notices.info import info
from ..module_utils._offboarding.notices.plan import TOPICS


def main() -> None:
    texts = {"type": "list", "elements": "str"}
    module = AnsibleModule(
        argument_spec={
            "day": {"type": "str", "required": True},
            "time": {"type": "str", "default": ""},
            "domains": {**texts, "required": True},
            "topics": {**texts, "choices": list(TOPICS), "default": list(TOPICS)},
            "company": {"type": "str", "default": ""},
            "sign_in_address": {"type": "str", "default": "https://www.office.com/"},
            "help_desk": {"type": "str", "default": ""},
            "passwords": {"type": "str", "choices": ["generate", "temporary_access_pass", "keep"], "default": "generate", "no_log": False},
            "windows_password": {"type": "bool", "default": False, "no_log": False},
            "hosts": {**texts, "default": ["auth.iij.jp"]},
            "certificate_issuer": {"type": "str", "default": ""},
            "links": {**texts, "default": []},
            "language": {"type": "str", "choices": ["both", "ja", "en"], "default": "both"},
        },
        supports_check_mode=True,
    )
    run_info(module, info)


if __name__ == "__main__":
    main()
