#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_restart
short_description: Restart Windows machines one at a time, domain controllers only while the others are well
version_added: 1.0.0
description:
  - Restarts one machine, or several of O(machines), strictly one at a time. It notes when Windows last shut down, asks for the restart by C(shutdown.exe),
    sees that the machine is gone, and waits until it answers again and has shut down since. The first that does not come back ends the task.
  - With O(directory) the machines are domain controllers. Before each restart every domain controller of the domain is asked how it is, and after it the
    restarted one, as M(offboard.iij_id.domain_controller_health_info) does. Those without an operations master role (FSMO) come first, the PDC emulator
    comes last, whatever the order in O(machines).
  - A domain controller is not restarted without O(directory).
  - LSA of a domain controller lets go of a password filter at a restart only. With O(only_unregistered) those machines are restarted that the journal says
    so of.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
options:
  host: &host
    description:
      - The machine's name or address. In a play over Windows hosts this and the other connection options are taken from the host's
        connection variables, as for M(offboard.iij_id.win_password_filter).
    type: str
  port: &port
    description: WinRM port. The default is 5986 for C(scheme=https) and 5985 for C(scheme=http).
    type: int
  scheme: &scheme
    description: V(http) is accepted only with a transport that encrypts messages itself (ntlm, kerberos).
    type: str
    default: https
    choices: [http, https]
  transport: &transport
    description: How to sign in. V(kerberos) needs C(pywinrm[kerberos]) on the controller.
    type: str
    default: ntlm
    choices: [basic, ntlm, kerberos]
  username: &username
    description: The account to sign in with; it must be a local administrator.
    type: str
  password: &password
    description: Its password.
    type: str
  ca_file: &ca_file
    description: Certificate authorities to trust (PEM) instead of the system's.
    type: path
  server_cert_validation: &validation
    description: V(ignore) accepts any certificate, and with it any machine that answers.
    type: str
    default: validate
    choices: [validate, ignore]
  timeout: &timeout
    description: Seconds to wait for a connection and for each answer.
    type: int
    default: 30
  verify_timeout:
    description: Seconds to wait until a machine that was restarted answers once more at the end. One that does not counts as failed (code V(not_seen)).
    type: int
    default: 120
  domain_controller: &controller
    description: The machine's DNS name in the directory, where neither its name in the inventory nor C(host) is that name or the first label of it.
      In O(machines), the host variable C(offboard_domain_controller) says it too.
    type: str
  machines:
    description:
      - Several machines, in place of O(host). Each is the name of a host of the inventory, whose connection variables are used, or a dictionary.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: A host of the inventory; without C(host) its connection variables are used.
        type: str
      host: *host
      port: *port
      scheme: *scheme
      transport: *transport
      username: *username
      password: *password
      ca_file: *ca_file
      server_cert_validation: *validation
      timeout: *timeout
      domain_controller: *controller
  directory:
    description: How to reach the directory; the machines are its domain controllers.
    type: dict
    suboptions:
      host:
        description: A domain controller's DNS name (its certificate must carry it, see O(directory.valid_names)) or address.
        type: str
        required: true
      port:
        description: LDAP port. The default is 636 for O(directory.tls=ldaps) and 389 for O(directory.tls=starttls).
        type: int
      tls:
        description: How the connection is protected. There is no way to send a password in clear.
        type: str
        default: ldaps
        choices: [ldaps, starttls]
      ca_file:
        description: Certificate authorities to trust (PEM) instead of the system's.
        type: path
      valid_names:
        description: DNS names to accept in the server's certificate besides O(directory.host), for instance when that is an address.
        type: list
        elements: str
        default: []
      authentication:
        description: V(simple) binds with user name and password; V(kerberos) uses the ticket cache of the user that runs Ansible.
        type: str
        default: simple
        choices: [simple, kerberos]
      username:
        description: The account to bind with, as userPrincipalName or C(DOMAIN\\user).
        type: str
      password:
        description: Its password.
        type: str
      timeout:
        description: Seconds to wait for a connection and for each answer.
        type: int
        default: 30
  only_unregistered:
    description:
      - Restart those machines alone on which, by the O(journal), a password filter was unregistered and which no run has restarted since. Running it again
        restarts nothing.
    type: bool
    default: false
  also:
    description:
      - With O(only_unregistered), names of O(machines) that are restarted besides, unless the O(journal) says that a run has restarted them.
    type: list
    elements: str
    default: []
  healthy_others:
    description: With O(directory), how many other healthy domain controllers must remain while one is restarted. At least 1.
    type: int
    default: 1
  ignore:
    description: DNS names of domain controllers whose state does not matter, nor that others cannot replicate from them. They never count as healthy.
    type: list
    elements: str
    default: []
  gone_minutes:
    description: How long a machine may take to go down.
    type: int
    default: 5
  back_minutes:
    description:
      - How long it may take until it answers again. Windows installs updates meanwhile.
      - A machine that a stopped run had begun to restart, and that does not answer, is waited for as long before anything else.
    type: int
    default: 30
  healthy_minutes:
    description: With O(directory), how long a domain controller may take until it is healthy.
    type: int
    default: 15
notes:
  - With O(directory), SYSVOL of every domain controller is read by SMB 3 (port 445). O(directory.authentication=simple) means NTLM there.
  - People who are signed in to the machine have 5 seconds. Choose the hour.
  - Without O(only_unregistered) it restarts whatever it is told to restart, at each run. Only what a stopped or failed run had begun is not done twice.
  - A crash, or the power switched off, does not change what Windows notes at a shutdown, so it does not count as a restart.
requirements:
  - pywinrm >= 0.5.0
  - ldap3 >= 2.9.1, < 2.10 (with O(directory))
  - smbprotocol >= 1.15, < 2 (with O(directory))
seealso:
  - module: offboard.iij_id.domain_controller_health_info
  - module: offboard.iij_id.win_password_filter
"""

EXAMPLES = r"""
- name: Restart this machine, which is no domain controller
  offboard.iij_id.win_restart:

- name: Restart the domain controllers that still hold an unregistered password filter, one at a time, the PDC emulator last
  offboard.iij_id.win_restart:
    machines: "{{ groups['iij_id_domain_controllers'] }}"
    directory:
      host: dc1.ad.reiji.example
      ca_file: /etc/ssl/certs/reiji-ca.pem
      username: offboard@ad.reiji.example
      password: "{{ vault_directory_password }}"
    only_unregistered: true
    journal: /srv/offboard-run/journal.jsonl
    requires:
      run_dir: /srv/offboard-run
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode, in the order in which they are made.
  returned: always
  type: list
  elements: dict
order:
  description: The names of the machines that are to be restarted, in that order.
  returned: when something was planned or done
  type: list
  elements: str
results:
  description: What became of each that was begun. C(status) is V(restarted) or V(failed).
  returned: when something was planned or done
  type: list
  elements: dict
restarted:
  description: The names of the machines that this task restarts, and with O(only_unregistered) also of those that an earlier run has restarted since what
    the O(journal) says of them, or because they stood in O(also).
  returned: success
  type: list
  elements: str
all_restarted:
  description: With a O(journal), whether every machine on which a password filter was unregistered was restarted since. V(false) when there is none.
  returned: success
  type: bool
controllers:
  description: With O(directory), the domain controllers as they were when they were last asked, see M(offboard.iij_id.domain_controller_health_info).
  returned: when something was planned or done
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(bad_option), V(guard_refused) (rules V(unguarded), V(controller_unknown), V(unhealthy), V(too_few_healthy)), V(changed_since_read),
      V(domain_controller_unhealthy) when one is not well any more after an earlier restart, V(restart_refused), V(restart_not_begun), V(not_back),
      V(not_healthy), V(registry_unreadable), V(not_seen), or one of the connections, see M(offboard.iij_id.win_software) and
      M(offboard.iij_id.group_policy_info).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN
from ansible_collections.offboard.iij_id.plugins.module_utils._restart import arguments
from ansible_collections.offboard.iij_id.plugins.module_utils._restart.resource import make

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(RUN, arguments.RESTART),
        required_one_of=[("host", "machines")],
        mutually_exclusive=[("host", "machines")],
        supports_check_mode=True,
    )
    for library, error in arguments.libraries(module.params):
        require(module, library, error)
    run(module, make)


if __name__ == "__main__":
    main()
