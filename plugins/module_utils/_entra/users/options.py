# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of users: parsed, and checked before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import names, plain
from ..._core.errors import OffboardError
from ..._core.marks import Shard
from ..._module.vault_password import vault_password
from . import access_pass, passwords
from . import desired as user_desired

#: The ways of selecting users; options of both modules.
SELECTIONS = ("users", "domain", "group", "src", "snapshot")


@dataclass(frozen=True)
class SelectionOptions:
    """Which users both modules are about: by exactly one of SELECTIONS. Of the others the domain is empty, the rest None; but beside a snapshot `src` may say
    what shall be otherwise."""

    users: Sequence[str] | None
    #: "": of all domains
    domain: str
    group: str | None
    src: str | None
    snapshot: str | None
    #: userPrincipalNames or ids, as they are compared
    exclude: frozenset[str]
    provisioned_only: bool
    shard: Shard
    #: reads the password of Ansible Vault; raises OffboardError where none is given
    vault_password: Callable[[], bytes]

    @classmethod
    def of(cls, params: Mapping[str, Any], *, src_beside_snapshot: bool = False) -> SelectionOptions:
        """Exactly one way. An empty list of users selects nobody, and is no mistake; an empty domain is one, since everybody would be in it.

        Raises OffboardError `bad_option`.
        """
        given = [name for name in SELECTIONS if params[name] is not None]
        if len(given) != 1 and not (src_beside_snapshot and given == ["src", "snapshot"]):
            raise OffboardError(f"select users by exactly one of {', '.join(SELECTIONS)}; given: {', '.join(given) or 'none'}", code="bad_option")
        domain, group = names.domain(params["domain"] or ""), None if params["group"] is None else names.uuid(params["group"])
        if params["domain"] is not None and not domain:
            raise OffboardError(f"domain: {params['domain']!r} names no domain, and would mean every user of the tenant", code="bad_option")
        if group is not None and not names.is_uuid(group):
            raise OffboardError(f"group: {plain.line(params['group'])!r} is not the object id of a group", code="bad_option")
        names.check_users("users", params["users"])
        return cls(
            users=params["users"],
            domain=domain,
            group=group,
            src=params["src"],
            snapshot=params["snapshot"],
            exclude=frozenset(names.check_users("exclude", params["exclude"])),
            provisioned_only=params["provisioned_only"],
            shard=Shard.parse(params["shard"]),
            vault_password=lambda: vault_password(params),
        )


@dataclass(frozen=True)
class InfoOptions:
    """Of entra_users_info."""

    selection: SelectionOptions
    results_file: str | None
    list_users: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        return cls(selection=SelectionOptions.of(params), results_file=params["results_file"], list_users=params["list_users"])


@dataclass(frozen=True)
class LicenceGroupOption:
    id: str
    remove_direct: bool


def _check(params: Mapping[str, Any]) -> None:
    """Raises OffboardError `bad_option`, and what a length may not be, for options that do not go together."""
    snapshot, path, group = params["snapshot"], params["handover_file"], params["licence_group"]
    if snapshot is None and params["also_enable"]:
        raise OffboardError("also_enable says who shall be enabled beside those whom a snapshot has enabled, and needs snapshot", code="bad_option")
    if snapshot is not None and (params["enabled"] is not None or params["licences"]):
        raise OffboardError("with snapshot, enabled and licences come from the snapshot; leave the options out", code="bad_option")
    if params["password"] == "generate" or params["src"] is not None:
        passwords.generate(params["password_length"])
    if path is None and params["password"] == "generate":
        raise OffboardError("password=generate needs handover_file: a password must be on the disk before it is set", code="bad_option")
    if path is None and params["password"] == "temporary_access_pass":
        raise OffboardError("password=temporary_access_pass needs handover_file, for a pass is told only once", code="bad_option")
    if group and not names.is_uuid(names.uuid(group["id"])):
        raise OffboardError(f"licence_group: {plain.line(group['id'])!r} is not the object id of a group", code="bad_option")


@dataclass(frozen=True)
class Options:
    """Of entra_users. None: not given."""

    selection: SelectionOptions
    #: whether check mode finds no snapshot of which the users are meant; then what is read now is what it would hold
    snapshot_is_now: bool
    enabled: bool | None
    usage_location: str | None
    licences: Mapping[str, Any] | None
    licence_group: LicenceGroupOption | None
    #: userPrincipalNames or ids in lower case
    also_enable: frozenset[str]
    #: `keep`, `generate` or `temporary_access_pass`
    password: str
    password_length: int
    force_change: str
    synced_password: str
    revoke_sessions: bool
    terms: access_pass.Terms
    handover_file: str | None
    results_file: str | None
    journal: str | None
    #: further app registrations, as `Connection.further` takes them
    applications: Sequence[Mapping[str, Any]]
    #: the run folder whose snapshot must hold whoever is changed
    run_dir: str | None
    #: seconds
    verify_timeout: float
    #: reads the password of Ansible Vault; raises OffboardError where none is given
    vault_password: Callable[[], bytes]

    @classmethod
    def of(cls, params: Mapping[str, Any], check_mode: bool) -> Options:
        """Raises OffboardError `bad_option`, `bad_country`, and what a length or a Temporary Access Pass may not be."""
        selection, snapshot = SelectionOptions.of(params, src_beside_snapshot=True), params["snapshot"]
        _check(params)
        requires, group = params["requires"] or {}, params["licence_group"]
        return cls(
            selection=selection,
            snapshot_is_now=check_mode and snapshot is not None and not os.path.exists(snapshot),
            enabled=params["enabled"],
            usage_location=user_desired.country(params["usage_location"]) if params["usage_location"] is not None else None,
            licences=params["licences"],
            licence_group=LicenceGroupOption(names.uuid(group["id"]), group["remove_direct"]) if group else None,
            also_enable=frozenset(names.check_users("also_enable", params["also_enable"])),
            password=params["password"],
            password_length=params["password_length"],
            force_change=params["force_change"],
            synced_password=params["synced_password"],
            revoke_sessions=params["revoke_sessions"],
            terms=access_pass.Terms.from_option(params["temporary_access_pass"]),
            handover_file=params["handover_file"],
            results_file=None if check_mode else params["results_file"],
            journal=params["journal"],
            applications=params["applications"],
            run_dir=requires["run_dir"] if requires.get("snapshot") else None,
            verify_timeout=params["verify_timeout"],
            vault_password=selection.vault_password,
        )

    @property
    def gives_pass(self) -> bool:
        """Whether a Temporary Access Pass is asked for."""
        return self.password == "temporary_access_pass"

    @property
    def may_set_password(self) -> bool:
        """Whether some user may get a password; a line of `src` may ask for one."""
        return self.password == "generate" or self.selection.src is not None

    @property
    def hands_over(self) -> bool:
        """Whether some user may get a secret that is handed over."""
        return self.may_set_password or self.gives_pass

    @property
    def reads_licences(self) -> bool:
        """Whether what is wanted depends on the users' licences."""
        return self.selection.snapshot is not None or bool(self.licences or self.licence_group or self.selection.src)
