# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of AWX 24.6.1's API that configures it: strict about fields, filters and rights, with a log of every request. It runs no job.

Written after what awx.awx 24.6.1 sends and reads. What AWX refuses is from its source, tag 24.6.1, where a file of it is named. What else it answers (an
inventory's removal is accepted and done later, a credential type in use stays, an approval goes with its node) is from memory of awx/api, and was not
compared with a real AWX. It is stricter in one thing: a field that it does not know is refused, where AWX says nothing. Plain HTTP on loopback.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ENCRYPTED = "$encrypted$"
PAGE = 7  # small, so that nobody gets away with the first page
PROMPTS = (
    "diff_mode", "variables", "limit", "tags", "skip_tags", "job_type", "verbosity", "inventory", "credential", "execution_environment", "forks",
    "instance_groups", "job_slice_count", "labels", "timeout", "scm_branch",
)  # fmt: skip
NOTIFICATIONS = tuple(f"notification_templates_{when}" for when in ("started", "success", "error"))
#: what a notification's configuration must hold by type, as awx/main/notifications/*_backend.py (`init_parameters`) has it: name to kind and default, `...`
#: when needed
NOTIFICATION_TYPES: dict[str, dict[str, tuple[str, Any]]] = {
    "webhook": {
        "url": ("string", ...), "http_method": ("string", "POST"), "disable_ssl_verification": ("bool", False), "username": ("string", ""),
        "password": ("password", ""), "headers": ("object", ...),
    },
    "slack": {"token": ("password", ...), "channels": ("list", ...)},
}  # fmt: skip
#: what a backend reads besides
NOTIFICATIONS_MAY_HOLD = {"slack": {"hex_color"}}
#: awx/api/serializers.py, NotificationTemplateSerializer.type_map
NOTIFICATION_VALUES: dict[str, type] = {"string": str, "bool": bool, "list": list, "password": str, "object": dict}
#: awx/main/constants.py, ENV_BLOCKLIST
NO_INJECTED_ENV = {
    "VIRTUAL_ENV", "PATH", "PYTHONPATH", "JOB_ID", "INVENTORY_ID", "INVENTORY_SOURCE_ID", "INVENTORY_UPDATE_ID", "AD_HOC_COMMAND_ID", "REST_API_URL",
    "REST_API_TOKEN", "MAX_EVENT_RES", "CALLBACK_QUEUE", "CALLBACK_CONNECTION", "CACHE", "JOB_CALLBACK_DEBUG", "INVENTORY_HOSTVARS", "AWX_HOST",
    "PROJECT_REVISION", "SUPERVISOR_CONFIG_PATH",
}  # fmt: skip
#: awx/main/constants.py, SURVEY_TYPE_MAPPING: of which type a default is
SURVEY_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("text", "textarea", "password", "multiplechoice", "multiselect"), (str,)), "integer": (int,), "float": (float, int),
}  # fmt: skip


class Refused(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(body)
        self.status, self.body = status, body


@dataclass(frozen=True)
class Kind:
    """One list of the API. `fields`: name to default, `...` when needed. `refs`: fields that hold an id of another kind."""

    type: str
    fields: dict[str, Any]
    refs: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    unique: tuple[str, ...] = ("name", "organization")
    read_only: tuple[str, ...] = ()


_ORG = {"organization": "organizations"}
_NOTIFIED = dict.fromkeys(NOTIFICATIONS, "notification_templates")
_LAUNCH: dict[str, Any] = {"scm_branch": "", "job_type": None, "job_tags": "", "skip_tags": "", "limit": "", "diff_mode": None, "verbosity": None,
           "forks": None, "job_slice_count": None, "timeout": None, "extra_data": {}}  # fmt: skip
KINDS: dict[str, Kind] = {
    "organizations": Kind(
        "organization", {"name": ..., "description": "", "max_hosts": 0, "default_environment": None, "custom_virtualenv": None},
        {"default_environment": "execution_environments"}, {**_NOTIFIED, "instance_groups": "instance_groups", "galaxy_credentials": "credentials"}, ("name",),
    ),
    "execution_environments": Kind(
        "execution_environment", {"name": ..., "description": "", "organization": None, "image": ..., "credential": None, "pull": ""},
        {**_ORG, "credential": "credentials"}, unique=("name",),
    ),
    "credential_types": Kind(
        "credential_type", {"name": ..., "description": "", "kind": ..., "inputs": {}, "injectors": {}}, unique=("name", "kind"), read_only=("managed",)
    ),
    "credentials": Kind(
        "credential", {"name": ..., "description": "", "organization": None, "credential_type": ..., "inputs": {}},
        {**_ORG, "credential_type": "credential_types"}, unique=("name", "organization", "credential_type"),
    ),
    "projects": Kind(
        "project",
        {"name": ..., "description": "", "organization": None, "scm_type": "", "scm_url": "", "scm_branch": "", "scm_refspec": "", "local_path": "",
         "credential": None, "scm_clean": False, "scm_delete_on_update": False, "scm_track_submodules": False, "scm_update_on_launch": False,
         "scm_update_cache_timeout": 0, "allow_override": False, "timeout": 0, "default_environment": None, "scm_revision": ""},
        {**_ORG, "credential": "credentials", "default_environment": "execution_environments"}, _NOTIFIED,
    ),
    "inventories": Kind(
        "inventory",
        {"name": ..., "description": "", "organization": ..., "kind": "", "host_filter": None, "variables": "", "prevent_instance_group_fallback": False},
        _ORG, {"instance_groups": "instance_groups"}, read_only=("pending_deletion",),
    ),
    "hosts": Kind(
        "host", {"name": ..., "description": "", "inventory": ..., "enabled": True, "variables": ""}, {"inventory": "inventories"}, unique=("name", "inventory")
    ),
    "groups": Kind(
        "group", {"name": ..., "description": "", "inventory": ..., "variables": ""}, {"inventory": "inventories"}, {"hosts": "hosts", "children": "groups"},
        ("name", "inventory"),
    ),
    "notification_templates": Kind(
        "notification_template",
        {"name": ..., "description": "", "organization": ..., "notification_type": ..., "notification_configuration": {}, "messages": None}, _ORG,
    ),
    "job_templates": Kind(
        "job_template",
        {"name": ..., "description": "", "job_type": "run", "inventory": None, "project": None, "playbook": "", "scm_branch": "", "forks": 0, "limit": "",
         "verbosity": 0, "extra_vars": "", "job_tags": "", "force_handlers": False, "skip_tags": "", "start_at_task": "", "timeout": 0,
         "use_fact_cache": False, "host_config_key": "", "survey_enabled": False, "become_enabled": False, "diff_mode": False, "allow_simultaneous": False,
         "job_slice_count": 1, "webhook_service": "", "prevent_instance_group_fallback": False, "execution_environment": None,
         **{f"ask_{name}_on_launch": False for name in PROMPTS}},
        {"inventory": "inventories", "project": "projects", "execution_environment": "execution_environments", **_ORG},
        {**_NOTIFIED, "credentials": "credentials", "labels": "labels", "instance_groups": "instance_groups"}, read_only=("organization",),
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        {"name": ..., "description": "", "organization": None, "inventory": None, "extra_vars": "", "limit": None, "scm_branch": None, "job_tags": None,
         "skip_tags": None, "survey_enabled": False, "allow_simultaneous": False, "webhook_service": "",
         **{f"ask_{name}_on_launch": False for name in ("inventory", "scm_branch", "limit", "variables", "labels", "tags", "skip_tags")}},
        {**_ORG, "inventory": "inventories"}, {**_NOTIFIED, "notification_templates_approvals": "notification_templates", "labels": "labels"},
    ),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node",
        {"identifier": ..., "workflow_job_template": ..., "unified_job_template": None, "inventory": None, "execution_environment": None,
         "all_parents_must_converge": False, **_LAUNCH},
        {"workflow_job_template": "workflow_job_templates", "unified_job_template": "unified_job_templates", "inventory": "inventories",
         "execution_environment": "execution_environments"},
        {**dict.fromkeys(("success_nodes", "failure_nodes", "always_nodes"), "workflow_job_template_nodes"), "credentials": "credentials", "labels": "labels",
         "instance_groups": "instance_groups"},
        ("identifier", "workflow_job_template"),
    ),
    "workflow_approval_templates": Kind("workflow_approval_template", {"name": ..., "description": "", "timeout": 0}, unique=()),
    "schedules": Kind(
        "schedule", {"name": ..., "description": "", "rrule": ..., "unified_job_template": ..., "enabled": True, "inventory": None, **_LAUNCH},
        {"unified_job_template": "unified_job_templates", "inventory": "inventories"}, {"credentials": "credentials", "labels": "labels"},
        ("name", "unified_job_template"),
    ),
    "instance_groups": Kind("instance_group", {"name": ..., "is_container_group": False}, unique=("name",)),
    "labels": Kind("label", {"name": ..., "organization": ...}, _ORG),
    # named as its template; one that has not ended holds its template (seen in AWX 24.6.1: 409)
    "unified_jobs": Kind("unified_job", {"name": ..., "organization": None, "status": "running"}, _ORG, unique=()),
}  # fmt: skip
ALWAYS_READ_ONLY = ("id", "type", "url", "related", "summary_fields")
UNIFIED = ("job_templates", "projects", "workflow_job_templates", "workflow_approval_templates")


class AwxApi:
    """An AWX that holds one foreign organization's worth of nothing. `projects` is its folder of manual projects."""

    username, password = "admin", "lab-admin"

    def __init__(self, projects: Path) -> None:
        self.token = secrets.token_hex(16)
        self.log: list[tuple[str, str, int]] = []
        self.objects: dict[str, dict[int, dict[str, Any]]] = {kind: {} for kind in KINDS}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[int, dict[str, Any]] = {}
        self.settings: dict[str, Any] = {"AWX_ISOLATION_SHOW_PATHS": [], "AWX_MOUNT_ISOLATED_PATHS_ON_K8S": False, "AWX_TASK_ENV": {}}
        self._projects, self._next, self._tokens, self._lock = projects, 1, {0: self.token}, threading.Lock()
        machine = {"fields": [{"id": "username", "type": "string"}, {"id": "password", "type": "string", "secret": True}]}
        self.create("credential_types", {"name": "Machine", "kind": "ssh", "inputs": machine}, managed=True)
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with api._lock:
                    try:
                        status, body = api.serve(self.command, self.path, raw, self.headers.get("Authorization") or "")
                    except Refused as refused:
                        status, body = refused.status, refused.body
                    api.log.append((self.command, self.path, status))
                data = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                for name, value in (("X-API-Product-Name", "AWX"), ("X-API-Product-Version", "24.6.1"), ("Content-Type", "application/json")):
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = _answer

            def log_message(self, *_words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="awx", daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # --- what a test looks at -----------------------------------------------------------------

    def writes(self) -> list[tuple[str, str, int]]:
        """Every request that was no GET, but for tokens."""
        return [entry for entry in self.log if entry[0] != "GET" and "/tokens/" not in entry[1]]

    def tokens(self) -> int:
        """How many are left, besides the one that the test began with. AWX keeps them for 1,000 years."""
        return len(self._tokens) - 1

    def all(self, kind: str) -> list[dict[str, Any]]:
        return list(self.objects[kind].values())

    def named(self, kind: str, name: str) -> dict[str, Any]:
        key = "identifier" if kind == "workflow_job_template_nodes" else "name"
        (found,) = (item for item in self.objects[kind].values() if item[key] == name)
        return found

    def linked(self, kind: str, name: str, relation: str) -> list[str]:
        """Names (identifiers) of what is associated."""
        target = KINDS[kind].lists[relation]
        key = "identifier" if target == "workflow_job_template_nodes" else "name"
        return [self.objects[target][one][key] for one in self.links.get((kind, self.named(kind, name)["id"], relation), [])]

    # --- requests -----------------------------------------------------------------------------

    def serve(self, method: str, path: str, raw: bytes, authorization: str) -> tuple[int, Any]:
        parts = urllib.parse.urlsplit(path)
        if not parts.path.startswith("/api/v2/") or not parts.path.endswith("/"):
            raise Refused(404, {"detail": "The requested resource could not be found."})
        words = parts.path.removeprefix("/api/v2/").strip("/").split("/")
        if words[0] == "tokens":
            return self._token(method, words, authorization)
        if authorization.removeprefix("Bearer ") not in self._tokens.values():
            raise Refused(401, {"detail": "Authentication credentials were not provided. To establish a login session, visit /api/login/."})
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        body = json.loads(raw) if raw else {}
        if words[0] == "settings" and len(words) == 2 and words[1] in ("all", "jobs"):
            return self._settings(method, body)
        if words[0] == "project_updates" and method == "GET":
            return 200, {"id": int(words[1]), "status": "successful"}
        if words[0] == "unified_job_templates" and method == "GET" and len(words) == 1:
            everything = [self._shown(kind, item) for kind in UNIFIED for item in self.objects[kind].values()]
            return 200, self._page("unified_job_templates", everything, query, parts.path)
        if words[0] not in KINDS:
            raise Refused(404, {"detail": "The requested resource could not be found."})
        return self._of_kind(method, words, query, body, parts.path)

    def _of_kind(self, method: str, words: list[str], query: dict[str, str], body: dict[str, Any], path: str) -> tuple[int, Any]:
        kind = words[0]
        if len(words) == 1:
            if method == "GET":
                return 200, self._page(kind, [self._shown(kind, item) for item in self.objects[kind].values()], query, path)
            if method == "POST" and kind not in ("workflow_approval_templates", "instance_groups", "unified_jobs"):
                return 201, self._shown(kind, self.create(kind, body))
            raise Refused(405, {"detail": f'Method "{method}" not allowed.'})
        item = self.objects[kind].get(int(words[1])) if words[1].isdecimal() else None
        if item is None:
            raise Refused(404, {"detail": "Not found."})
        if len(words) == 2:
            if method == "GET":
                return 200, self._shown(kind, item)
            if method == "PATCH":
                changed = {**item, **self._known(kind, body, item)}
                self._check(kind, changed, item)
                item.update(changed)
                return 200, self._shown(kind, item)
            if method == "DELETE":
                return self._delete(kind, item)
        elif words[2] == "survey_spec" and kind in ("job_templates", "workflow_job_templates"):
            return self._survey(method, item["id"], body)
        elif words[2] == "create_approval_template" and kind == "workflow_job_template_nodes" and method == "POST":
            return self._approval(item, body)
        elif words[2] in KINDS[kind].lists:
            return self._association(method, kind, item["id"], words[2], query, body, path)
        else:
            raise Refused(404, {"detail": "The requested resource could not be found."})
        raise Refused(405, {"detail": f'Method "{method}" not allowed.'})

    def _token(self, method: str, words: list[str], authorization: str) -> tuple[int, Any]:
        if authorization != "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode():
            raise Refused(401, {"detail": "Invalid username/password."})
        if method == "POST":
            self._next += 1
            self._tokens[self._next] = secrets.token_hex(16)
            return 201, {"id": self._next, "token": self._tokens[self._next]}
        self._tokens.pop(int(words[1]))
        return 204, None

    def _settings(self, method: str, body: dict[str, Any]) -> tuple[int, Any]:
        if method == "PATCH":
            if unknown := set(body) - set(self.settings):
                raise Refused(400, {name: ["Unknown setting."] for name in unknown})
            paths = body.get("AWX_ISOLATION_SHOW_PATHS", [])
            # awx/conf/fields.py, StringListIsolatedPathField: these options alone, and the list is kept sorted
            if any(not re.fullmatch(r"/[^:]+(:/[^:]+(:(z|O|ro|rw))?)?", path) for path in paths):
                raise Refused(400, {"AWX_ISOLATION_SHOW_PATHS": ["Invalid isolated path."]})
            self.settings.update({**body, **({"AWX_ISOLATION_SHOW_PATHS": sorted(paths)} if paths else {})})
        elif method != "GET":
            raise Refused(405, {"detail": f'Method "{method}" not allowed.'})
        return 200, dict(self.settings)

    # --- lists --------------------------------------------------------------------------------

    def _page(self, kind: str, items: list[dict[str, Any]], query: dict[str, str], path: str) -> dict[str, Any]:
        page, size = int(query.pop("page", 1)), min(int(query.pop("page_size", PAGE)), 200)
        either = {name.removeprefix("or__"): value for name, value in query.items() if name.startswith("or__")}
        every = {name: value for name, value in query.items() if not name.startswith("or__")}
        found = [
            item for item in items
            if all(self._matches(kind, item, name, value) for name, value in every.items())
            and (not either or any(self._matches(kind, item, name, value) for name, value in either.items()))
        ]  # fmt: skip
        for name in query:  # also where there is nothing to compare
            self._field_of(kind, name.removeprefix("or__"))
        following = urllib.parse.urlencode({**query, "page": page + 1})
        last = page * size >= len(found)
        return {"count": len(found), "next": None if last else f"{path}?{following}", "previous": None, "results": found[(page - 1) * size : page * size]}

    def _field_of(self, kind: str, name: str) -> tuple[list[tuple[str, str]], str, str]:
        """The way to a field over other objects: steps (field, kind), the field, and how it is compared. 400 for what is unknown."""
        *way, last = name.split("__")
        compare = last if last in ("startswith", "icontains", "in") else "exact"
        if compare != "exact":
            *way, last = way
        steps = []
        for word in way:
            target = KINDS[kind].refs.get(word) if kind in KINDS else None
            if target is None:
                raise Refused(400, {"detail": f"{kind} has no field named '{word}'"})
            steps.append((word, target))
            kind = target
        known = {"name", "organization", "description"} if kind == "unified_job_templates" else {*KINDS[kind].fields, *KINDS[kind].refs}
        if last not in {*known, "id", "type"}:
            raise Refused(400, {"detail": f"{kind} has no field named '{last}'"})
        return steps, last, compare

    def _matches(self, kind: str, item: dict[str, Any] | None, name: str, value: str) -> bool:
        steps, last, compare = self._field_of(kind, name)
        for word, target in steps:
            item = self.objects[target].get(item[word]) if item and item[word] is not None else None
        held = "" if item is None or item.get(last) is None else str(item[last])
        return {"startswith": held.startswith(value), "icontains": value.lower() in held.lower(), "in": held in value.split(","), "exact": held == value}[
            compare
        ]

    # --- objects ------------------------------------------------------------------------------

    def create(self, kind: str, body: dict[str, Any], managed: bool = False) -> dict[str, Any]:
        """Also for tests: what somebody else has made."""
        spec = KINDS[kind]
        given = self._known(kind, body, None)
        if missing := [name for name, default in spec.fields.items() if default is ... and given.get(name) in (None, "")]:
            raise Refused(400, {name: ["This field is required."] for name in missing})
        self._next += 1
        item = {"id": self._next, "type": spec.type, **{name: None if default is ... else default for name, default in spec.fields.items()}, **given}
        if kind == "credential_types":
            item["managed"] = managed
        self._check(kind, item, None)
        self.objects[kind][self._next] = item
        return item

    def _known(self, kind: str, body: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
        """The fields given, secrets kept where `$encrypted$` stands for them."""
        spec = KINDS[kind]
        if unknown := set(body) - set(spec.fields) - set(spec.read_only) - set(ALWAYS_READ_ONLY):
            raise Refused(400, {name: ["Unknown field."] for name in sorted(unknown)})
        given = {name: value for name, value in body.items() if name in spec.fields}
        for name, value in given.items():
            default = spec.fields[name]
            if value is None and default is not None and default is not ...:
                raise Refused(400, {name: ["This field may not be null."]})
            if isinstance(default, bool) and not isinstance(value, bool):
                raise Refused(400, {name: ["Must be a valid boolean."]})
        for name in ("inputs", "notification_configuration"):
            if name in given and before:
                given[name] = {key: before[name].get(key) if value == ENCRYPTED else value for key, value in given[name].items()}
        return given

    def _check(self, kind: str, item: dict[str, Any], before: dict[str, Any] | None) -> None:
        spec = KINDS[kind]
        for name, target in spec.refs.items():
            value = item.get(name)
            there = {one for other in (UNIFIED if target == "unified_job_templates" else (target,)) for one in self.objects[other]}
            if name in spec.fields and value is not None and value not in there:
                raise Refused(400, {name: [f'Invalid pk "{value}" - object does not exist.']})
        item["organization"] = self._organization(kind, item) if kind == "job_templates" else item.get("organization")
        if spec.unique:
            for other in self.objects[kind].values():
                if other is not before and other["id"] != item["id"] and all(other.get(name) == item.get(name) for name in spec.unique):
                    raise Refused(400, {"__all__": [f"{spec.type} with this {' and '.join(spec.unique)} already exists."]})
        if special := getattr(self, f"_check_{kind}", None):
            special(item, before)
        if "organization" not in spec.fields and kind != "job_templates":
            item.pop("organization", None)

    def _organization(self, kind: str, item: dict[str, Any]) -> int | None:
        return self.objects["projects"][item["project"]]["organization"] if item.get("project") else None

    def _check_inventories(self, item: dict[str, Any], _before: dict[str, Any] | None) -> None:
        item.setdefault("pending_deletion", False)
        if item["kind"] not in ("", "smart", "constructed"):
            raise Refused(400, {"kind": ["Not a valid choice."]})

    def _check_credential_types(self, item: dict[str, Any], before: dict[str, Any] | None) -> None:
        if item["kind"] not in ("cloud", "net") and not item.get("managed"):
            raise Refused(400, {"kind": [f'"{item["kind"]}" is not a valid choice.']})
        used = before and any(one["credential_type"] == before["id"] for one in self.objects["credentials"].values())
        if used and before and before["inputs"] != item["inputs"]:
            raise Refused(403, {"detail": "Modifications to inputs are not allowed for credential types that are in use"})
        # awx/main/fields.py, CredentialTypeInputField and CredentialTypeInjectorField
        fields = item["inputs"].get("fields", [])
        keys = {"type", "format", "choices", "id", "label", "help_text", "multiline", "secret", "ask_at_runtime", "default"}
        ids = [one.get("id") for one in fields]
        if set(item["inputs"]) - {"fields", "required"} or len(ids) > len(set(ids)) or "tower" in ids:
            raise Refused(400, {"inputs": ["Schema validation failed."]})
        for one in fields if not item.get("managed") else []:
            secret = {"choices", "multiline", "format", "secret"} & set(one) and one.get("type", "string") != "string"
            if set(one) - keys or not {"id", "label"} <= set(one) or one.get("type", "string") not in ("string", "boolean") or secret:
                raise Refused(400, {"inputs": [f"Schema validation failed for {one.get('id')}."]})
        environment = item["injectors"].get("env", {})
        if set(item["injectors"]) - {"file", "env", "extra_vars"} or not all(re.fullmatch(r"[a-zA-Z_]\w*", name, re.ASCII) for name in environment):
            raise Refused(400, {"injectors": ["Schema validation failed."]})
        if refused := [name for name in environment if name.startswith("ANSIBLE_") or name in NO_INJECTED_ENV]:
            raise Refused(400, {"injectors": [f"Environment variable {refused[0]} is not allowed to be used in credentials."]})
        known = {one["id"] for one in item["inputs"].get("fields", [])} | {"tower"}
        if unknown := set(re.findall(r"\{\{ *(\w+)", json.dumps(item["injectors"]))) - known:
            raise Refused(400, {"injectors": [f"{sorted(unknown)[0]} is undefined"]})

    def _secret_inputs(self, item: dict[str, Any]) -> set[str]:
        return {one["id"] for one in self.objects["credential_types"][item["credential_type"]]["inputs"]["fields"] if one.get("secret")}

    def _check_credentials(self, item: dict[str, Any], _before: dict[str, Any] | None) -> None:
        known = {one["id"] for one in self.objects["credential_types"][item["credential_type"]]["inputs"]["fields"]}
        if unknown := set(item["inputs"]) - known:
            raise Refused(400, {"inputs": {name: ["Additional properties are not allowed"] for name in unknown}})

    def _check_projects(self, item: dict[str, Any], _before: dict[str, Any] | None) -> None:
        if item["scm_type"] not in ("", "git", "svn", "insights", "archive"):
            raise Refused(400, {"scm_type": [f'"{item["scm_type"]}" is not a valid choice.']})
        # awx/main/models/projects.py, get_local_path_choices, asked by awx/api/serializers.py, ProjectOptionsSerializer.validate
        path, used = item["local_path"], {one["local_path"] for one in self.objects["projects"].values() if one["id"] != item["id"]}
        if not item["scm_type"] and (not path or path[0] in "._" or "/" in path or path in used or not (self._projects / path).is_dir()):
            raise Refused(400, {"local_path": ["This path is already being used by another manual project."]})
        if not item["scm_type"] and any(item[name] for name in ("scm_update_on_launch", "scm_delete_on_update", "scm_track_submodules", "scm_clean")):
            raise Refused(400, {"scm_type": ["Update options must be set to false for manual projects."]})
        if item["scm_type"] and not item["scm_url"]:
            raise Refused(400, {"scm_url": ["SCM URL is required."]})

    def _check_notification_templates(self, item: dict[str, Any], _before: dict[str, Any] | None) -> None:
        if item["notification_type"] not in NOTIFICATION_TYPES:
            raise Refused(400, {"notification_type": ["Not a valid choice."]})
        # awx/api/serializers.py, NotificationTemplateSerializer.validate
        fields, held = NOTIFICATION_TYPES[item["notification_type"]], dict(item["notification_configuration"])
        held = {**{name: default for name, (_kind, default) in fields.items() if default is not ...}, **held}
        told = []
        if missing := [name for name in fields if name not in held]:
            told.append(f"Missing required fields for Notification Configuration: {missing}.")
        for name, (kind, _default) in fields.items():
            if name in held and type(held[name]) is not NOTIFICATION_VALUES[kind]:
                told.append(f"Configuration field '{name}' incorrect type, expected {kind}.")
            elif kind == "list" and name in held and not held[name]:
                told.append(f"No values specified for field '{name}'")
            elif name == "http_method" and held[name].lower() not in ("put", "post"):
                told.append("HTTP method must be either 'POST' or 'PUT'.")
        if unknown := sorted(set(held) - set(fields) - NOTIFICATIONS_MAY_HOLD.get(item["notification_type"], set())):
            told.append(f"Unknown fields: {unknown}")
        if told:
            raise Refused(400, {"__all__": told})
        item["notification_configuration"] = held

    def _check_job_templates(self, item: dict[str, Any], _before: dict[str, Any] | None) -> None:
        if item["project"] is None:
            raise Refused(400, {"project": ["Job Templates must have a project assigned."]})
        project = self.objects["projects"][item["project"]]
        if not project["scm_type"] and not (self._projects / project["local_path"] / item["playbook"]).is_file():
            raise Refused(400, {"playbook": ["Playbook not found for project."]})

    def _check_workflow_job_template_nodes(self, item: dict[str, Any], _before: dict[str, Any] | None) -> None:
        template = self.objects["job_templates"].get(item["unified_job_template"])
        if item["job_type"] and not (template and template["ask_job_type_on_launch"]):
            raise Refused(400, {"job_type": ["Field is not configured to prompt on launch."]})

    def _check_schedules(self, item: dict[str, Any], _before: dict[str, Any] | None) -> None:
        # awx/api/serializers.py, SchedulePreviewSerializer.validate_rrule; what follows DTSTART is parsed by dateutil there
        if not re.match(r"DTSTART(;TZID=[\w/+-]+:\d{8}T\d{6}|:\d{8}T\d{6}Z)( (EX)?RULE:\S+| RRULE:\S+)+$", item["rrule"]) or "RRULE:" not in item["rrule"]:
            raise Refused(400, {"rrule": ["Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"]})
        for rule in re.findall(r"RULE:\S*", item["rrule"]):
            count = re.search(r"COUNT=([0-9]+)", rule)
            if "INTERVAL" not in rule:
                raise Refused(400, {"rrule": [f"INTERVAL required in rrule: {rule}"]})
            if "SECONDLY" in rule or re.search(r"BYDAY[:=][0-9]+[a-zA-Z]{2}", rule):
                raise Refused(400, {"rrule": [f"SECONDLY, and BYDAY with numeric prefix, are not supported: {rule}"]})
            if count and ("UNTIL" in rule or int(count[1]) > 999):
                raise Refused(400, {"rrule": [f"RRULE may not contain both COUNT and UNTIL, and COUNT > 999 is unsupported: {rule}"]})
        template = self.objects["job_templates"].get(item["unified_job_template"])
        if item["extra_data"] and not (template and template["ask_variables_on_launch"]):
            raise Refused(400, {"extra_data": ["Variables are not allowed on launch."]})

    def _shown(self, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        url = f"/api/v2/{kind}/{item['id']}/"
        shown = {**item, "url": url, "related": {name: f"{url}{name}/" for name in KINDS[kind].lists}, "summary_fields": {}}
        if kind in ("job_templates", "workflow_job_templates"):
            shown["related"]["survey_spec"] = f"{url}survey_spec/"
        if kind == "projects" and item["scm_type"]:
            shown["related"]["update"] = f"{url}update/"
            shown["summary_fields"]["current_update"] = {"id": item["id"], "status": "successful"}
        if kind == "workflow_job_template_nodes" and item["unified_job_template"] is not None:
            other = next(name for name in UNIFIED if item["unified_job_template"] in self.objects[name])
            shown["related"]["unified_job_template"] = f"/api/v2/{other}/{item['unified_job_template']}/"
        if kind == "credentials":
            shown["inputs"] = {name: ENCRYPTED if name in self._secret_inputs(item) else value for name, value in item["inputs"].items()}
        if kind == "notification_templates":
            secret = {name for name, (kind, _default) in NOTIFICATION_TYPES[item["notification_type"]].items() if kind == "password"}
            shown["notification_configuration"] = {
                name: ENCRYPTED if name in secret and value else value for name, value in item["notification_configuration"].items()
            }
        if kind == "organizations":
            inside = {name: sum(one.get("organization") == item["id"] for one in self.objects[name].values()) for name in
                      ("inventories", "job_templates", "projects")}  # fmt: skip
            shown["summary_fields"]["related_field_counts"] = {**inside, "teams": 0, "users": 0, "admins": 0, "hosts": 0}
        return shown

    def _delete(self, kind: str, item: dict[str, Any]) -> tuple[int, Any]:
        if kind in UNIFIED and any((job["name"], job["organization"]) == (item["name"], item.get("organization")) for job in self.all("unified_jobs")):
            raise Refused(409, {"error": "Resource is being used by running jobs."})
        if kind == "credential_types" and any(one["credential_type"] == item["id"] for one in self.objects["credentials"].values()):
            raise Refused(403, {"detail": "Credential types that are in use cannot be deleted"})
        self._gone(kind, item["id"])
        return (202 if kind == "inventories" else 204), None

    def _gone(self, kind: str, identity: int) -> None:
        gone = self.objects[kind].pop(identity, {})
        if kind == "workflow_job_template_nodes" and gone.get("unified_job_template") in self.objects["workflow_approval_templates"]:
            self._gone("workflow_approval_templates", gone["unified_job_template"])  # an approval is its node's alone
        self.links = {key: value for key, value in self.links.items() if key[:2] != (kind, identity)}
        for (owner, _id, relation), linked in self.links.items():
            if KINDS[owner].lists[relation] == kind and identity in linked:
                linked.remove(identity)
        cascades = {("organizations", "organization"), ("inventories", "inventory"), ("workflow_job_templates", "workflow_job_template")}
        for other, spec in KINDS.items():
            for one in list(self.objects[other].values()):
                for name, target in spec.refs.items():
                    if one.get(name) != identity or not (target == kind or (target == "unified_job_templates" and kind in UNIFIED)):
                        continue
                    if ((target, name) in cascades and other not in ("job_templates", "workflow_job_templates")) or other == "schedules":
                        self._gone(other, one["id"])
                    elif name in spec.fields:
                        one[name] = None

    # --- what hangs on an object --------------------------------------------------------------

    def _survey(self, method: str, identity: int, body: dict[str, Any]) -> tuple[int, Any]:
        if method == "GET":
            return 200, self.surveys.get(identity, {})
        if method == "DELETE":
            self.surveys.pop(identity, None)
            return 200, None
        # awx/api/views/__init__.py, JobTemplateSurveySpec._validate_spec_data
        kinds = {"name": str, "description": str, "spec": list}
        if set(body) - set(kinds) or not all(isinstance(body.get(name), kind) for name, kind in kinds.items()) or not body["spec"]:
            raise Refused(400, {"error": "name, description and spec are needed."})
        asked: set[str] = set()
        for question in body["spec"]:
            needed = {"type": str, "question_name": str, "variable": str, "required": bool}
            if not all(isinstance(question.get(name), kind) for name, kind in needed.items()):
                raise Refused(400, {"error": f"missing from survey question, or of another type: one of {', '.join(needed)}"})
            if set(question) - set(needed) - {"question_description", "default", "choices", "min", "max", "new_question"}:
                raise Refused(400, {"error": f"'{question['variable']}': unknown keys"})
            if wrong := self._wrong_question(question, asked):
                raise Refused(400, {"error": f"survey question '{question['variable']}': {wrong}"})
            asked.add(question["variable"])
        self.surveys[identity] = body
        return 200, None

    @staticmethod
    def _wrong_question(question: dict[str, Any], asked: set[str]) -> str:
        kind, default, choices = question["type"], question.get("default", ""), question.get("choices")
        if question["variable"] in asked:
            return "'variable' duplicated"
        if kind not in SURVEY_TYPES:
            return f"'{kind}' is not one of the allowed question types"
        if default != "" and not isinstance(default, SURVEY_TYPES[kind]):
            return "the default is of another type"
        if any(question.get(limit) is not None and not isinstance(question[limit], int) for limit in ("min", "max")):
            return "the min or max limit expected to be integer"
        if kind in ("multiplechoice", "multiselect"):
            defaults = [line for line in default.splitlines() if line.strip()]
            if choices is None:
                return "must specify choices"
            if kind == "multiplechoice" and len(defaults) > 1:
                return "Multiple Choice (Single Select) can only have one default value."
            if any(one not in choices for one in defaults):
                return "Default choice must be answered from the choices listed."
        return "$encrypted$ is a reserved keyword" if isinstance(default, str) and default.startswith(ENCRYPTED) and kind != "password" else ""

    def _approval(self, node: dict[str, Any], body: dict[str, Any]) -> tuple[int, Any]:
        if node["unified_job_template"] is not None:
            raise Refused(400, {"detail": "The node has a template."})
        made = self.create("workflow_approval_templates", body)
        node["unified_job_template"] = made["id"]
        return 201, self._shown("workflow_approval_templates", made)

    def _association(self, method: str, kind: str, identity: int, relation: str, query: dict[str, str], body: dict[str, Any], path: str) -> tuple[int, Any]:
        target = KINDS[kind].lists[relation]
        linked = self.links.setdefault((kind, identity, relation), [])
        if method == "GET":
            return 200, self._page(target, [self._shown(target, self.objects[target][one]) for one in linked], query, path)
        if method != "POST" or set(body) - {"id", "disassociate"} or body.get("id") not in self.objects[target]:
            raise Refused(400, {"detail": "id is needed."})
        if body.get("disassociate"):
            linked.remove(body["id"])
            return 204, None
        if relation == "credentials":
            of_type = [self.objects["credentials"][one]["credential_type"] for one in linked]
            if self.objects["credentials"][body["id"]]["credential_type"] in of_type:
                raise Refused(400, {"error": "Cannot assign multiple credentials of one type."})
        if target == kind == "workflow_job_template_nodes" and identity in self._reached(body["id"]):
            raise Refused(400, {"error": "Cycle detected."})
        linked.append(body["id"])
        return 204, None

    def _reached(self, start: int) -> set[int]:
        found, todo = set(), [start]
        while todo:
            one = todo.pop()
            found.add(one)
            following: Iterable[int] = (
                child for (kind, identity, _relation), linked in self.links.items() if kind == "workflow_job_template_nodes" and identity == one
                for child in linked
            )  # fmt: skip
            todo += [child for child in following if child not in found and child in self.objects["workflow_job_template_nodes"]]
        return found
