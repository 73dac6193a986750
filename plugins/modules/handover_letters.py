#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: handover_letters
short_description: Make letters of the new passwords, and remove them again
version_added: 1.0.0
description:
  - Makes a page to print (C(letters.html), one A4 page for each person, each character of the password with how it is said) and a list for a mail merge
    (C(letters.csv)) from the encrypted hand-over file of M(offboard.iij_id.entra_users). With O(split_by) there is one of each for every department or
    manager, named by them; those without one are in C(letters-without).
  - With V(encrypted) in O(formats) it makes a page (C(letters.encrypted.html)) that holds the letters encrypted (PBKDF2, AES-256-GCM), for whoever hands them
    out; a browser opens it with its password, without network. Each has a password of its own, which lies in an encrypted file beside the hand-over file
    (RV(recipients_file), opened by C(ansible-vault view)). Tell it to the recipient by another way than the page.
  - The others hold passwords in clear. They are written only into the O(folder) that you name, which must be yours alone (mode 0700, files 0600). The journal
    names the files, and nothing of what is in them.
  - With O(state=given) it is recorded who was given theirs, and whoever was gets no further letter unless O(again).
  - With O(state=absent) the files are overwritten and removed. A warning says where overwriting means nothing.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.vault
options:
  state:
    description: Whether the letters shall be there, shall not, or (V(given)) were given to the people.
    type: str
    choices: [present, absent, given]
    default: present
  folder:
    description: The folder of the letters. It is made when missing, and removed with the letters when nothing else is in it.
    type: path
  handover_file:
    description: The encrypted hand-over file. Its continuations (C(handover-2.yml)) are read too.
    type: path
  domains:
    description: Only people whose user principal names are of these domains. It is an error when nobody is found of one of them.
    type: list
    elements: str
    default: []
  users:
    description: Only these people, as user principal names or ids; besides those of O(domains). Whoever is in no hand-over file is an error.
    type: list
    elements: str
    default: []
  departments:
    description: Only people of these departments, besides those of the other options. One that nobody in the hand-over file is of is an error.
    type: list
    elements: str
    default: []
  managers:
    description: Only people with these managers, as user principal names or ids, besides those of the other options. One with nobody is an error.
    type: list
    elements: str
    default: []
  people_file:
    description:
      - What users are called today, their departments and managers, as M(offboard.iij_id.entra_managers_info) has written them. O(departments), O(managers)
        and O(split_by) need it.
      - Without it letters show the user principal name of the day when the password was set, with which nobody can sign in who was renamed since.
    type: path
  split_by:
    description: Whether all letters are in one file, or those of each department or each manager in one of their own.
    type: str
    choices: [none, department, manager]
    default: none
  formats:
    description: What to make.
    type: list
    elements: str
    choices: [html, csv, encrypted]
    default: [html, csv]
  language:
    description: The language of the letters.
    type: str
    choices: [ja, en]
    default: ja
  company:
    description: What stands on top of each letter.
    type: str
    default: ""
  sign_in_address:
    description: Where people sign in.
    type: str
    default: https://www.office.com/
  help_desk:
    description: Whom to ask, for instance a telephone number.
    type: str
    default: ""
  timezone:
    description: The time zone in which people read until when a pass is valid, as the IANA database names it.
    type: str
    default: Asia/Tokyo
  given_file:
    description: A JSON-lines file that records who was given theirs, when and by whom. Without passwords.
    type: path
  by:
    description: Who has given the letters to the people, for O(state=given).
    type: str
  again:
    description: Whether people who were given theirs get a letter again.
    type: bool
    default: false
notes:
  - With O(journal), people whose password it does not show to be set get no letter, and none is recorded as given, but they are listed in
    RV(skipped_objects) with the code C(password_not_set).
  - People whose Temporary Access Pass has ended get no letter either, but are listed with the code C(pass_ended).
  - A letter is one page whatever stands in it; with more text than usual its type is smaller. A text of yours that leaves no room is refused (V(bad_option)).
  - A person whom the hand-over file calls by no display name (it is from before 1.1.0, or Entra ID has none) is addressed by the user principal name.
  - In the list each password stands in brackets, in every line, since a password may begin as a formula does. Print it without them.
seealso:
  - module: offboard.iij_id.entra_users
  - module: offboard.iij_id.entra_managers_info
"""

EXAMPLES = r"""
- name: Letters for one domain
  offboard.iij_id.handover_letters:
    handover_file: offboard-run/handover.yml
    vault_password_file: vault-password
    folder: /srv/letters
    domains: [reiji.example]
    given_file: offboard-run/results/handed_over.jsonl
    journal: offboard-run/journal.jsonl

- name: One encrypted page for each manager
  offboard.iij_id.handover_letters:
    handover_file: offboard-run/handover.yml
    vault_password_file: vault-password
    folder: /srv/letters
    people_file: offboard-run/results/managers.jsonl
    split_by: manager
    formats: [encrypted]
    given_file: offboard-run/results/handed_over.jsonl
    journal: offboard-run/journal.jsonl

- name: These two have theirs
  offboard.iij_id.handover_letters:
    state: given
    handover_file: offboard-run/handover.yml
    vault_password_file: vault-password
    users: [taro@reiji.example, hanako@reiji.example]
    by: Jiro of the help desk
    given_file: offboard-run/results/handed_over.jsonl
    journal: offboard-run/journal.jsonl

- name: Away with them
  offboard.iij_id.handover_letters:
    state: absent
    folder: /srv/letters
    journal: offboard-run/journal.jsonl
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode. No password is among them.
  returned: always
  type: list
  elements: dict
people:
  description: How many people the letters are for.
  returned: always
  type: int
files:
  description: The files with passwords in clear.
  returned: always
  type: list
  elements: str
encrypted_files:
  description: The encrypted pages.
  returned: always
  type: list
  elements: str
recipients_file:
  description: The encrypted file with the passwords of the encrypted pages; null without such pages.
  returned: always
  type: str
skipped_objects:
  description: People who get no letter, or of whom none is recorded, with the code V(handed_over), V(pass_ended) or V(password_not_set).
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(bad_option), V(timezone_unknown), V(folder_not_private), V(file_missing), V(not_found), V(bad_handover_file), V(file_read_failed),
      V(file_write_failed), V(not_seen), V(guard_refused), or one of those of M(offboard.iij_id.vault_file) for the vault's password.
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.handover.resource import HandoverLetters

from ..module_utils._core import vault
from ..module_utils._module.arguments import spec
from ..module_utils._module.runner import require
from ..module_utils._module.vault_password import VAULT
from ..module_utils._offboarding.arguments import RUN
from ..module_utils._offboarding.runner import run


def main() -> None:
    texts = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            VAULT,
            state={"type": "str", "choices": ["present", "absent", "given"], "default": "present"},
            folder={"type": "path"},
            handover_file={"type": "path"},
            domains=texts,
            users=texts,
            departments=texts,
            managers=texts,
            people_file={"type": "path"},
            split_by={"type": "str", "choices": ["none", "department", "manager"], "default": "none"},
            formats={"type": "list", "elements": "str", "choices": ["html", "csv", "encrypted"], "default": ["html", "csv"]},
            language={"type": "str", "choices": ["ja", "en"], "default": "ja"},
            company={"type": "str", "default": ""},
            sign_in_address={"type": "str", "default": "https://www.office.com/"},
            help_desk={"type": "str", "default": ""},
            timezone={"type": "str", "default": "Asia/Tokyo"},
            given_file={"type": "path"},
            by={"type": "str"},
            again={"type": "bool", "default": False},
        ),
        required_if=[
            ("state", "present", ["folder", "handover_file"]),
            ("state", "absent", ["folder"]),
            ("state", "given", ["handover_file", "given_file", "by"]),
        ],
        supports_check_mode=True,
    )
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run(module, HandoverLetters)


if __name__ == "__main__":
    main()
