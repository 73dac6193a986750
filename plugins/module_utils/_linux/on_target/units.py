# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's units, of the machine and of its users, that start something by themselves: timers, paths, sockets, services. Reading alone.

Users write units of their own, so these files are strangers'.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import os
import re

from .errors import TargetError, reading
from .files import files_of, text_of

#: Of the machine, the strongest first: what systemd-run has made, then the administrator's. Not what generators make of other files, such as crontabs.
FOLDERS = (
    "/run/systemd/transient",
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
#: Of every user, the strongest first.
USER_FOLDERS = (
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/share/systemd/user",
    "/usr/share/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
)
#: Users (names) whose systemd runs without them, and users (numbers) whose is running.
LINGER, RUNTIME = "/var/lib/systemd/linger", "/run/user"
#: systemd keeps a link here for each unit that is active, invocation:NAME (src/core/unit.c); a user's keeps them below RUNTIME.
ACTIVE = "/run/systemd/units"
_ACTIVE = "invocation:"
#: systemd passes other names over. Of a template (NAME@.timer) units are made, one for each text behind the @.
_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,250}")
#: Folders with links to the units that another one starts.
_WANTING = (".wants", ".requires", ".upholds")
#: What a service starts, in this order.
_COMMANDS = ("ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecStop", "ExecStopPost")
#: What a service has systemd start besides itself.
_WITH_IT = ("Wants", "Requires", "BindsTo", "Upholds", "OnSuccess", "OnFailure")
#: Which setting of a unit names the service that it starts; a service is its own.
_NAMED_BY = {"timer": "Unit", "path": "Unit", "socket": "Service"}
_STARTER = re.compile(r"(?P<prefix>[A-Za-z0-9:_.\\-]+)(?:@(?P<instance>[A-Za-z0-9:_.\\@-]*))?\.(?P<type>timer|path|socket|service)")
_YES = ("1", "yes", "y", "true", "t", "on")


def starters(accounts):
    """Of the machine, of every user ("*") and of each of the accounts; and folders of users that even root may not read, as on a file server."""
    everybody = _starters(USER_FOLDERS, {"user": "*", "uid": None, "home": ""})
    found, not_looked_at = _starters(FOLDERS, {"user": "", "uid": None, "home": "/root"}, ACTIVE) + everybody, []
    etc, run, *others = USER_FOLDERS
    for account in accounts:
        runtime, home = f"{RUNTIME}/{account.pw_uid}/systemd", account.pw_dir.rstrip("/")
        own = (f"{runtime}/transient", f"{home}/.config/systemd/user", f"{runtime}/user", f"{home}/.local/share/systemd/user")
        whose = {"user": account.pw_name, "uid": account.pw_uid, "home": account.pw_dir}
        try:
            if not any(files_of(folder) or _names(folder) for folder in own):
                continue
            # the order of systemd.unit(5)
            units = _starters((*own[:2], etc, own[2], run, own[3], *others), whose, f"{runtime}/units")
        except TargetError as exc:
            not_looked_at.append(exc.details["path"])
            continue
        # what the user has not changed is everybody's, and told once
        found += [unit for unit in units if unit not in ({**one, **whose} for one in everybody)]
    return found, not_looked_at


def _starters(folders, whose, active=""):
    """Units with what their services start, the strongest folder first, and whether something starts them, or somebody has started them and they go on.

    active: the folder of those that are.
    """
    runs = {entry[len(_ACTIVE) :] for entry in _names(active) if entry.startswith(_ACTIVE)}
    wanted = {name for folder in folders for entry in _names(folder) if entry.endswith(_WANTING) for name in _names(os.path.join(folder, entry))}
    unit = functools.lru_cache(maxsize=None)(lambda name: _unit(name, folders))  # many services want the same ones
    found, named = [], set()
    for name in sorted(wanted | runs | {os.path.basename(path) for folder in folders for path in files_of(folder)}):
        what = _STARTER.fullmatch(name)
        path = _file_of(name, folders)
        # a link to /dev/null (masked): systemd starts nothing of that name, whatever the weaker folders hold
        if not what or not path or not os.path.isfile(path):
            continue
        service = name
        if what["type"] != "service":
            service = _service_of(what, unit(name))
            named.add(service)
        # systemd-run starts the timers that it makes, and what it made is gone when it has ended
        transient = what["type"] != "service" and os.path.basename(os.path.dirname(path)) == "transient"
        # a service that does one thing and ends is started by something else
        goes_on = name in runs and (what["type"] != "service" or (unit(name).get("Type") or [""])[-1] != "oneshot")
        for one in _together(service, unit):
            settings = unit(one)
            found.append(
                {
                    **whose,
                    "name": name,
                    "path": path,
                    "service": one,
                    "commands": [command for setting in _COMMANDS for command in settings.get(setting, ())],
                    "folder": (settings.get("WorkingDirectory") or [""])[-1],
                    "environment": settings.get("Environment", []),
                    "environment_files": _environment_files(one, settings, whose),
                    "runs_as": (settings.get("User") or [""])[-1],
                    "enabled": name in wanted or transient or goes_on,
                }
            )
    # a service that another unit is there to start is told by that one
    return [one for one in found if one["enabled"] or one["name"] not in named]


def _together(service, unit):
    """The service, and those that systemd starts with it, before it or after it. `unit`: the settings of one."""
    found = [service]
    for name in found:  # which grows
        settings = unit(name)
        named = [one for setting in _WITH_IT for value in settings.get(setting, ()) for one in value.split()]
        found += [one for one in dict.fromkeys(named) if one.endswith(".service") and one not in found]
    return found


def _environment_files(service, settings, whose):
    """Contents of the files that hold variables of a service; one that is not there, or cannot be read, has none. A user's pattern is not looked for."""
    prefix, _at, instance = service.rpartition(".")[0].partition("@")
    known = {"%": "%", "i": instance, "p": prefix, "n": service, "N": service.rpartition(".")[0], "h": whose["home"]}
    texts = []
    for value in settings.get("EnvironmentFile", ()):
        path = re.sub("%(.)", lambda found: known.get(found.group(1), found.group()), value).strip("\"'").lstrip("-")
        for file in sorted(glob.glob(path)) if whose["uid"] is None else [path]:
            with contextlib.suppress(OSError):
                texts.append(text_of(file))
    return texts


def _service_of(what, unit):
    """The service that a timer, a path or a socket starts."""
    instance = what["instance"]
    if what["type"] == "socket" and (unit.get("Accept") or [""])[-1].lower() in _YES:
        return what["prefix"] + "@.service"  # one for each connection
    service = (unit.get(_NAMED_BY[what["type"]]) or ["%p" + ("@%i" if instance is not None else "") + ".service"])[-1]
    return service.replace("%p", what["prefix"]).replace("%i", instance or "")


def _template(name):
    """NAME@.timer of NAME@instance.timer; another name as it is."""
    prefix, at, rest = name.partition("@")
    return f"{prefix}@.{rest.rpartition('.')[2]}" if at else name


def _file_of(name, folders):
    """The file of a unit in the strongest folder, or of the template that it is made of; "" where there is none."""
    names = (name, _template(name)) if _NAME.fullmatch(name) else ()
    return next((path for one in names for path in (os.path.join(folder, one) for folder in folders) if os.path.lexists(path)), "")


def _unit(name, folders):
    """Settings of a unit: of its file, and of what was added to it or its template (drop-ins, `systemctl edit`)."""
    path = _file_of(name, folders)
    if not path:
        return {}
    additions = {}
    for one in dict.fromkeys((_template(name), name)):
        for folder in reversed(folders):
            additions.update((os.path.basename(file), file) for file in files_of(os.path.join(folder, one + ".d")) if file.endswith(".conf"))
    return settings_of(path, *(additions[one] for one in sorted(additions)))


def settings_of(*paths):
    """Settings of unit files, one after the other, all values of each; an empty one takes back what came before."""
    settings = {}
    for path in paths:
        for line in _read(path).replace("\\\n", " ").splitlines():
            name, equals, value = line.partition("=")
            if equals and not line.lstrip().startswith(("#", ";")):
                value = value.strip()
                settings[name.strip()] = [*settings.get(name.strip(), []), value] if value else []
    return settings


def _read(path):
    with reading(path, "crontab_unreadable"):
        return text_of(path)


def _names(folder):
    """What is in a folder; nothing when it is none."""
    try:
        return os.listdir(folder)
    except OSError:
        return []
