# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_certificate and its _info twin: reading stores, saving, removing key and certificate, verifying."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import certificate_names, journal, phrases
from ..._core.errors import OffboardError
from ..._core.machine_ids import is_of
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plain import file_part
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.files import read_journal, write_atomically
from ..._module.runner import Resource
from .. import registry
from ..client import Client
from ..connection import Connection
from ..contents import Contents
from ..files import plan as files
from ..files.resource import existing, files_below, look, unlistable
from ..paths import quoted
from ..reg_query import Key as RegistryKey
from ..reg_query import expand
from . import firefox
from . import plan as certificates
from .options import InfoOptions, Options
from .plan import MACHINE, StoredCertificate

_SYSTEM = r"SOFTWARE\Microsoft\SystemCertificates"
#: of a user's personal store, and of what was asked for and not issued yet
_FILES, _REQUESTS = (rf"AppData\Roaming\Microsoft\SystemCertificates\{store}\Certificates" for store in ("My", "Request"))
#: certificates of services; what belongs to the account of Windows itself
_SERVICES, _SYSTEM_ACCOUNT = (r"HKLM\SOFTWARE\Microsoft", r"Cryptography\Services"), ("S-1-5-18", r"HKU\.DEFAULT")
_KEYS = r"AppData\Roaming\Microsoft\Crypto\RSA"
_FIREFOX = r"AppData\Roaming\Mozilla\Firefox\Profiles"
#: where authorities lie: the machine's own, those of group policies, those of the directory
_AUTHORITIES = tuple(
    (store, rf"{place}\{store}")
    for place in (rf"HKLM\{_SYSTEM}", r"HKLM\SOFTWARE\Policies\Microsoft\SystemCertificates", r"HKLM\SOFTWARE\Microsoft\EnterpriseCertificates")
    for store in ("Root", "CA")
)
#: What is asked of every machine, one after the other: `Look` asks what stands together at once. Authorities are asked for only when issuers are sought.
QUERIES = (
    (
        registry.query_below(rf"HKLM\{_SYSTEM}\My\Certificates"),
        *(registry.query_below(rf"{root}\{path}") for root, path, _service in certificates.SERVICES),
    ),
    tuple(registry.query_below(rf"{place}\Certificates") for _store, place in _AUTHORITIES),
)
#: with authorities only, whose private keys are on no such machine: hundreds of certificates
_WITHOUT_KEYS = frozenset(("root", "authroot", "ca", "disallowed", "trust", "smartcardroot", "clientauthissuer", "trustedpublisher", "flightroot"))
# HRESULTs of certutil: NTE_NOT_FOUND; CRYPT_E_NOT_FOUND is 0x80092004; NTE_BAD_KEYSET
_GONE = (0x80090011, 0x80092004, 0x80090016)


def profiles(machine: registry.RegistryConnection) -> dict[str, str]:
    """The folders of people's profiles by SID, signed in or not. Raises OffboardError `registry_unreadable`."""
    known = registry.environment(machine)
    return {name: files.normalised(expand(path, known)) for name, path in registry.profiles(machine).items() if path}


def _of_registry(keys: Iterable[RegistryKey], store: str, unreadable: list[str]) -> Iterator[StoredCertificate]:
    for key in keys:
        if not re.fullmatch("[0-9A-Fa-f]{40}", key.name):
            continue
        try:
            try:
                blob = bytes.fromhex(key.text("Blob"))
            except ValueError:
                blob = b""
            yield certificates.parse(blob, store, key.path)
        except OffboardError as exc:
            unreadable.append(exc.details["place"])


def _is_of_certificate(key: RegistryKey) -> bool:
    """A store has lists of revoked and of trusted certificates beside them, which are named alike."""
    return key.path.rpartition("\\")[0].casefold().endswith("\\certificates")


class Stores:
    """The personal stores of a machine and of every user that has a profile there."""

    def __init__(self, machine: registry.RegistryConnection) -> None:
        self.machine = machine
        self.profiles: dict[str, str] = {}
        self.signed_in: list[str] = []
        self.unreadable: list[str] = []
        self._contents: Contents | None = None

    @property
    def contents(self) -> Contents:
        """Reads files of the machine."""
        if self._contents is None:
            self._contents = Contents(self.machine, registry.system_root(self.machine))
        return self._contents

    def read(self) -> list[StoredCertificate]:
        """Every certificate. What is none that can be read is in `unreadable`."""
        machine, self.unreadable = self.machine, []
        self.profiles = profiles(machine)
        found = list(_of_registry(_certificates(machine, rf"HKLM\{_SYSTEM}\My"), MACHINE, self.unreadable))
        self.signed_in = list(registry.user_hives(machine))
        for sid in self.signed_in:
            found += _of_registry(_certificates(machine, rf"HKU\{sid}\{_SYSTEM}\My"), sid, self.unreadable)
        found += self._of_files(_FILES)
        return found

    def elsewhere(self, going: Iterable[StoredCertificate]) -> list[StoredCertificate]:
        """What stands in other stores than those that `read` reads, and has a private key, which may be that of one that goes.

        Read only where a key is to be removed: a machine has dozens of stores (learn.microsoft.com/windows/win32/seccrypto/system-store-locations).
        """
        if not any(certificates.fate_of_key(one, ()) == certificates.REMOVED for one in going):
            return []
        found = list(self._of_files(_REQUESTS))
        for store, hive in ((MACHINE, "HKLM"), _SYSTEM_ACCOUNT, *((sid, rf"HKU\{sid}") for sid in self.signed_in)):
            passed_over = _WITHOUT_KEYS if store == _SYSTEM_ACCOUNT[0] else _WITHOUT_KEYS | {"my"}  # which `read` reads
            names = [name for name in registry.subkeys(self.machine, hive, _SYSTEM) if name.casefold() not in passed_over]
            keys = registry.read_all(self.machine, [rf"{hive}\{_SYSTEM}\{name}" for name in names])
            found += _of_registry(filter(_is_of_certificate, keys), store, self.unreadable)
        found += _of_registry(filter(_is_of_certificate, registry.read_below(self.machine, *_SERVICES)), MACHINE, self.unreadable)
        return [one for one in found if one.key]

    def _of_files(self, below: str) -> Iterator[StoredCertificate]:
        stores = {rf"{path}\{below}".casefold(): sid for sid, path in self.profiles.items()}
        folders = [entry.path for entry in existing(self.machine, [rf"{path}\{below}" for path in self.profiles.values()])]
        inside = files_below(self.machine, folders) if folders else []
        filled = {_folder(entry) for entry in inside}
        if refused := unlistable(self.machine, [folder for folder in folders if folder.casefold() not in filled]):
            raise OffboardError(f"{self.machine.host}: {refused[0]} cannot be listed; is the account an administrator?", code="store_unreadable")
        named = [entry for entry in inside if _folder(entry) in stores and re.search(r"\\[0-9A-Fa-f]{40}$", entry.path)]
        blobs = self.contents.read((entry.path, entry.size) for entry in named if entry.size <= certificates.MAX_BLOB_BYTES)
        for entry in named:
            if entry.size <= certificates.MAX_BLOB_BYTES and entry.path not in blobs:
                raise OffboardError(f"{self.machine.host}: {entry.path} could not be read", code="file_read_failed")
            try:
                yield certificates.parse(blobs.get(entry.path, b""), stores[_folder(entry)], entry.path)
            except OffboardError:
                self.unreadable.append(entry.path)

    def shows(self, identity: str) -> bool:
        """Whether `read` would have found the certificate of this id (without its host), were it there."""
        store, *registry_of, thumbprint = identity.split("/")
        if any(place.upper().endswith(f"\\{thumbprint}") for place in self.unreadable):
            return False
        return store == MACHINE or store in (self.signed_in if registry_of else self.profiles)

    def uses(self) -> dict[str, list[str]]:
        """By thumbprint, which services serve with a certificate of the machine, as far as they name it in the registry."""
        found: dict[str, list[str]] = {}
        for root, path, service in certificates.SERVICES:
            for thumbprint, where in certificates.used_by(registry.read_below(self.machine, root, path), service):
                found.setdefault(thumbprint, []).append(where)
        return found

    def key_path(self, certificate: StoredCertificate, container: str) -> str:
        """The file of a user's CAPI key."""
        guid = registry.read(self.machine, r"HKLM\SOFTWARE\Microsoft\Cryptography")[0].text("MachineGuid")
        if not re.fullmatch(r"[0-9A-Fa-f-]{36}", guid):
            raise OffboardError(f"{self.machine.host}: MachineGuid, by which keys are named, is missing", code="registry_unreadable")
        if (profile := self.profiles.get(certificate.store)) is None:
            raise OffboardError(f"{certificate.store} has no profile in which its key could lie", code="key_refused")
        return rf"{profile}\{_KEYS}\{registry.of_profile(certificate.store)}\{certificates.key_file(container, guid)}"


def _folder(entry: files.ListedPath) -> str:
    return entry.path.rpartition("\\")[0].casefold()


def _certificates(machine: registry.RegistryConnection, store: str) -> list[RegistryKey]:
    """What lies below a store's key; empty when the listings above it prove that there is none."""
    hive, part, above, below = rf"{store}\Certificates".split("\\", 3)  # HKLM\SOFTWARE\Microsoft or HKU\SID\SOFTWARE are always there
    return registry.read_below(machine, rf"{hive}\{part}\{above}", below)


class Certificates(Resource):
    """The certificates that one Ansible task means."""

    noun = "certificates"
    kinds = (certificates.KIND,)
    on_machine = True

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._stores = Stores(client)
        self._found: list[StoredCertificate] = []
        self._uses: dict[str, list[str]] = {}
        self._saved: dict[str, str] = {}
        self._left: list[dict[str, str]] = []

    def read(self) -> Iterator[Object]:
        """Every certificate of every personal store, since each may use the key of another."""
        self._found, self._uses = self._stores.read(), self._stores.uses()
        for certificate in self._found:
            yield certificates.object_of(self._client.host, certificate)

    def plan(self, current: Iterable[Object]) -> Plan:
        """A removal for each that is meant. Raises NotExact."""
        current = list(current)  # only when it has been read, what was found is known
        certificates.check_spelling(self._found, [*self._options.issuers, *self._options.except_issuers], self._removed_issuers)
        host, wanted, names = self._client.host, self._options.thumbprints, self._options.issuers
        saved = bool(self._options.backup_dir)
        plan = certificates.planned(
            host,
            current,
            self._found,
            wanted,
            names,
            kept=self._options.except_thumbprints,
            kept_names=self._options.except_issuers,
            uses=self._uses,
            saved=saved,
            elsewhere=self._stores.elsewhere(one for one in self._found if certificates.why(one, wanted, names)),
        )
        if self._stores.unreadable:
            unreadable = self._stores.unreadable
            plan.warnings.append(phrases.english("certificates_unreadable", host=host, number=len(unreadable), names=", ".join(unreadable)))
        return plan

    def _removed_issuers(self) -> Iterator[str]:
        records = read_journal(self._options.journal) if self._options.journal else ()
        for record in journal.removed(records, certificates.KIND):
            if is_of(self._client.host, record["id"]):
                yield str(record["before"].get("issuer", ""))

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        """The rules authority_certificate, certificate_in_use, certificate_unreadable."""
        yield from plan.refusals
        if plan.changes and self._stores.unreadable:
            where = tuple(self._stores.unreadable)
            msg = "certificates that cannot be read may use the keys of those that shall go; look at them first"
            yield Refusal("certificate_unreadable", msg, where)

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this machine's certificates."""
        there = {certificate.id(self._client.host) for certificate in self._found}
        yield from (change for change in begun if is_of(self._client.host, change.id) and change.id not in there and self._shows(change))

    def _shows(self, change: Change) -> bool:
        return self._stores.shows(change.id.removeprefix(f"{self._client.host}/"))

    def apply(self, change: Change) -> dict[str, Any]:
        """Save the certificate, remove its key, then the certificate: a key without its certificate would never be found again."""
        now = self._stores.read()
        certificate = next((item for item in now if item.id(self._client.host) == change.id), None)
        if certificate is None:
            if not self._shows(change):
                msg = f"{change.name} cannot be looked at any more: its user has signed out, or their profile is gone; run the task again"
                raise OffboardError(msg, code="changed_since_read")
            return {}
        others = [*(item for item in now if item is not certificate), *self._stores.elsewhere([certificate])]
        fate = certificates.fate_of_key(certificate, others)
        if self._stores.unreadable:
            raise OffboardError("a certificate cannot be read that could be read before; look at it, and run again", code="changed_since_read")
        details: dict[str, Any] = {"private_key": fate}
        if self._options.backup_dir:
            details["saved"] = self._save(certificate)
        if fate == certificates.REMOVED:
            self._remove_key(certificate)
        elif fate == certificates.LEFT and certificate.key:
            self._left.append({"store": certificate.store, "thumbprint": certificate.thumbprint, "provider": certificate.key.provider})
        self._remove(certificate)
        return details

    def _save(self, certificate: StoredCertificate) -> str:
        folder = self._options.backup_dir
        path = os.path.join(folder, f"{file_part(self._client.host)}-{file_part(certificate.store)}-{certificate.thumbprint}.cer")
        write_atomically(path, certificate.der)
        self._saved[certificate.id(self._client.host)] = path
        return path

    def _remove_key(self, certificate: StoredCertificate) -> None:
        key = certificate.key
        if key is None:
            return
        if key.of_machine:
            answer = self._client.run("certutil.exe", "-csp", key.provider, "-delkey", key.container)
            if answer.exit_code and answer.exit_code not in _GONE:
                msg = f"certutil refused to remove the private key (exit code 0x{answer.exit_code:08X}), so its certificate was left too"
                raise OffboardError(msg, code="key_refused", details={"exit_code": answer.exit_code})
            return
        self._delete_file(self._stores.key_path(certificate, key.container), "key_refused")

    def _delete_file(self, path: str, code: str) -> None:
        entry = look(self._client, [path])[0]
        if not entry.exists:
            return
        if entry.is_folder or entry.is_link:
            raise OffboardError(f"{path} is a folder or a link, and not what belongs there", code=code)
        self._client.cmd(f"del /f /q /a {quoted(path)}")
        if look(self._client, [path])[0].exists:
            raise OffboardError(f"{path} could not be deleted", code=code)

    def _remove(self, certificate: StoredCertificate) -> None:
        if certificate.in_file:
            self._delete_file(certificate.place, "certificate_refused")
            return
        if certificate.store == MACHINE:
            answer = self._client.run("certutil.exe", "-delstore", "My", certificate.thumbprint)
        else:
            answer = self._client.run("reg.exe", "delete", certificate.place, "/f", "/reg:64")
        if answer.exit_code and answer.exit_code not in _GONE:
            raise OffboardError(
                f"Windows refused to remove the certificate (exit code 0x{answer.exit_code:08X})",
                code="certificate_refused",
                details={"exit_code": answer.exit_code},
            )

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read every store again."""
        host = self._client.host
        now = {certificate.id(host) for certificate in self._stores.read()} if len(applied) else set()
        for change in applied:
            if change.id in now:
                yield Outcome(change, "failed", "not_seen", f"{change.name} was removed, but is still in the store")

    def facts(self, plan: Plan) -> dict[str, Any]:
        return {"saved": self._saved, "keys_left": self._left, "unreadable": self._stores.unreadable}

    def close(self) -> None:
        self._client.close()


def make(params: Mapping[str, Any]) -> Certificates:
    options = Options.of(params)
    return Certificates(Client(Connection.from_params(params)), options)


def info(client: Client, options: InfoOptions) -> dict[str, Any]:
    wanted, names = options.thumbprints, options.issuers
    stores = Stores(client)
    found, uses = stores.read(), stores.uses()
    shown = []
    for certificate in found:
        reasons = certificates.why(certificate, wanted, names)
        if reasons or not (wanted or names):
            fate = certificates.fate_of_key(certificate, found)
            more = {"private_key": fate, "profile": stores.profiles.get(certificate.store, ""), "why": reasons}
            used = uses.get(certificate.thumbprint, []) if certificate.store == MACHINE else []
            shown.append({**certificates.state_of(certificate), **more, "used_by": used})
    odd: list[str] = []
    authorities = [
        {"store": store, "place": item.place, "thumbprint": item.thumbprint, "subject": item.subject, "issuer": item.issuer}
        for store, place in (_AUTHORITIES if names else ())
        for item in _of_registry(_certificates(client, place), store, odd)
        if {certificate_names.key(item.issuer), certificate_names.key(item.subject)} & set(names)
    ]
    return {
        "certificates": shown,
        "authorities": authorities,
        "firefox": list(_of_firefox(stores, names)) if options.firefox else [],
        "issuers": _counted(found),
        "authorities_unreadable": odd,
        "unreadable": stores.unreadable,
    }


def _counted(found: Iterable[StoredCertificate]) -> list[dict[str, Any]]:
    counts: dict[str, int] = {}
    for certificate in found:
        if certificate.client_auth and not certificate.is_ca:
            counts[certificate.issuer] = counts.get(certificate.issuer, 0) + 1
    return [{"issuer": issuer, "certificates": number} for issuer, number in sorted(counts.items())]


def _of_firefox(stores: Stores, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Firefox keeps its own certificates. They are only reported: replacing the database of a program that may run destroys it."""
    folders = {rf"{path}\{_FIREFOX}": sid for sid, path in stores.profiles.items()}
    there = [entry.path for entry in existing(stores.machine, list(folders))]
    databases = files_below(stores.machine, [rf"{folder}\cert9.db" for folder in there]) if there else []
    contents = stores.contents.read((entry.path, entry.size) for entry in databases if entry.size <= firefox.MAX_BYTES)
    for entry in databases:
        sid = next((sid for folder, sid in folders.items() if files.within(entry.path, folder)), "")
        try:
            if entry.path not in contents:
                raise OffboardError("The database cannot be read, or is too long", code="database_unreadable")
            found, odd = firefox.certificates(contents[entry.path], sid)
        except OffboardError as exc:
            yield {"store": sid, "database": entry.path, "readable": False, "msg": exc.msg, "certificates": []}
            continue
        shown = [
            {name: certificates.state_of(item)[name] for name in ("thumbprint", "subject", "issuer", "not_after", "client_auth")}
            for item in found
            if not names or certificate_names.key(item.issuer) in names
        ]
        msg = f"{odd} certificates in it cannot be read" if odd else ""
        yield {"store": sid, "database": entry.path, "readable": not odd, "msg": msg, "certificates": shown}
