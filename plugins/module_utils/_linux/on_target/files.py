# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders: what is there, who uses it, and removing it without ever following a link or leaving the file system."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import stat

from .errors import TargetError, reading

#: What an agent's folder holds, whatever its name.
SIGNS = ("bin/normal_mode.sh", "config/secret.yml")
#: File systems that write new bytes over the old ones, see shred(1). Not so: btrfs, zfs, overlay, nfs, fuse, f2fs, log-structured and compressed ones.
IN_PLACE = ("ext2", "ext3", "ext4", "xfs", "vfat", "tmpfs")
_NAMES = 100
_MOST_FOLDERS = 500000
_BLOCK = bytes(1 << 20)
_WHERE = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def files_of(folder):
    """Paths of the files and links in a folder of crontabs or units; none when there is no folder."""
    with reading(folder, "crontab_unreadable"):
        try:
            names = sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        paths = [os.path.join(folder, name) for name in names if not name.startswith(".")]
        return [path for path in paths if os.path.islink(path) or os.path.isfile(path)]


def text_of(path, most=1000000):
    """The first `most` bytes of a plain file; no unit, table or script of the boot has more.

    Nothing of what is no plain file: a device would be set going by opening it, and at a pipe a reader would wait for ever.
    """
    if not os.path.isfile(path):
        return ""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(descriptor, most).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def look(paths):
    """Each of the paths, there or not, with what a person and the guards want to know. No contents."""
    mounts = mount_points()
    found = []
    for path in paths:
        link = link_above(path)
        answer = {"path": path, "exists": os.path.lexists(path), "link": link}
        if answer["exists"] and not link:
            with reading(path, "listing_unreadable"):
                answer.update(_described(path, mounts))
        found.append(answer)
    return found


def link_above(path):
    """The first link to another place among the path and the folders above it."""
    at = ""
    for part in path.split("/")[1:]:
        at += "/" + part
        if os.path.islink(at):
            return at
    return ""


def _described(path, mounts):
    top = os.lstat(path)
    files, size, links, names, mount = 0, 0, 0, [], ""
    for folder, found in _below(path) if stat.S_ISDIR(top.st_mode) else ():
        for name, what in found:
            place = os.path.join(folder, name)
            if len(names) < _NAMES:
                names.append(place[len(path) + 1 :])
            # of an overlay only the folders have one device number; a folder of the same disk may be mounted too
            if place in mounts or (stat.S_ISDIR(what.st_mode) and what.st_dev != top.st_dev):
                mount = mount or place
            links += stat.S_ISLNK(what.st_mode)
            if stat.S_ISREG(what.st_mode):
                files += 1
                size += what.st_size
    if not stat.S_ISDIR(top.st_mode):
        files, size = 1, top.st_size
    kind, options = file_system(path, mounts)
    try:
        owner = pwd.getpwuid(top.st_uid).pw_name
    except KeyError:
        owner = str(top.st_uid)
    return {
        "is_dir": stat.S_ISDIR(top.st_mode),
        "is_plain": stat.S_ISREG(top.st_mode) or stat.S_ISDIR(top.st_mode),
        "files": files,
        "bytes": size,
        "links": links,
        "children": names,
        "owner": owner,
        "mount": path if path in mounts else mount,
        "file_system": kind,
        "in_place": kind in IN_PLACE and "data=journal" not in options,
        "used_by": users(path),
        "identity": [top.st_dev, top.st_ino],
    }


def _below(path):
    """(folder, [(name, lstat)]) of everything below; links are not followed, other file systems not entered."""
    device = os.lstat(path).st_dev
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        found = [(name, os.lstat(os.path.join(folder, name))) for name in sorted(os.listdir(folder))]
        yield folder, found
        waiting += [os.path.join(folder, name) for name, what in reversed(found) if stat.S_ISDIR(what.st_mode) and what.st_dev == device]


def mount_points():
    """{mount point: (type, options)}; the last one mounted there is what is seen."""
    found = {}
    with reading("/proc/self/mountinfo", "listing_unreadable"), open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
        for line in stream:
            before, _dash, after = line.rstrip("\n").partition(" - ")
            fields, kind = before.split(" "), after.split(" ")
            point = fields[4]
            for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
                point = point.replace(octal, character)
            found[point] = (kind[0], fields[5] + "," + kind[-1])
    return found


def file_system(path, mounts):
    """(type, options) of the one on which a path lies."""
    while path not in mounts and path != "/":
        path = os.path.dirname(path)
    return mounts.get(path, ("unknown", ""))


def users(path):
    """Processes that run from there: their program, folder or an open file lies in it."""
    found = []
    for pid in os.listdir("/proc"):
        if not pid.isdigit():
            continue
        places = ["exe", "cwd"]
        with contextlib.suppress(OSError):
            places += [f"fd/{number}" for number in os.listdir(f"/proc/{pid}/fd")]
        for place in places:
            with contextlib.suppress(OSError):  # it has ended, or is the kernel's own
                target = os.readlink(f"/proc/{pid}/{place}")
                if (target == path or target.startswith(path + "/")) and _is_here(pid, place, target, path):
                    found.append({"pid": int(pid), "uses": target})
                    break
    return found


def _is_here(pid, place, target, path):
    """Whether what a process uses lies on this machine, and not in a container whose own file system has the same name.

    A container's file system is another device. A service with mounts of its own, or a container that was given the folder, uses the same one.
    """
    if os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt"):
        return True
    own = target if os.path.lexists(target) else path
    return os.stat(f"/proc/{pid}/{place}").st_dev == os.lstat(own).st_dev


def search(roots, paths):
    """What `find` finds, and all of it with the paths as `look` sees them."""
    found = find(roots)
    return {**found, "files": look(list(dict.fromkeys([*paths, *found["copies"]])))}


def find(roots):
    """Folders below the roots that hold an agent, whatever their name; and what was not looked into."""
    copies, left_out, searched, count = [], [], set(), 0
    for root in roots:
        if os.path.islink(root) and os.path.isdir(root):
            left_out.append(root)
        if not os.path.isdir(root) or os.path.islink(root):
            continue
        device = os.lstat(root).st_dev
        waiting = [root]
        while waiting:
            folder = waiting.pop()
            count += 1
            if count > _MOST_FOLDERS:
                raise TargetError(f"there are more than {_MOST_FOLDERS} folders below {', '.join(roots)}; name narrower ones", "too_large")
            if all(os.path.isfile(os.path.join(folder, sign)) for sign in SIGNS):
                copies.append(folder)
            try:
                with os.scandir(folder) as entries:
                    inside = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
            except FileNotFoundError:  # it has gone meanwhile
                continue
            except OSError:
                left_out.append(folder)
                continue
            if folder == root:
                searched.add(root)
            for place in reversed(inside):
                try:
                    (waiting if os.lstat(place).st_dev == device else left_out).append(place)
                except FileNotFoundError:
                    continue
                except OSError:
                    left_out.append(place)
    # another file system that is a root itself was looked into
    return {"copies": sorted(set(copies)), "not_looked_at": sorted(set(left_out) - searched)}


def remove(path, identity, overwrite):
    """Contents overwritten as far as possible, then everything removed. Raises TargetError where it is no longer what was read."""
    if os.geteuid() != 0:
        raise TargetError("removing takes root; use become", "not_root")
    folder, name = os.path.split(path)
    done = {"overwritten": 0, "not_overwritten": []}
    try:
        above = _opened(folder)
    except OSError as exc:
        raise TargetError(f"cannot open {folder}: {exc.strerror or exc}", "changed_since_read", path=path) from exc
    try:
        top = os.lstat(name, dir_fd=above)
        if [top.st_dev, top.st_ino] != list(identity):
            raise TargetError(f"{path} is not what it was when it was read; look at it, and run the task again", "changed_since_read", path=path)
        if found := users(path):
            raise TargetError(f"{path} is in use: {_shown(found)}", "file_in_use", path=path, used_by=found[:5])
        if overwrite:
            _each(above, name, path, top.st_dev, mount_points(), lambda at, entry, place: _wipe(at, entry, place, done))
        _each(above, name, path, top.st_dev, mount_points(), _unlink, last=_rmdir)
    except FileNotFoundError:
        pass  # somebody else was as quick
    except OSError as exc:
        msg = f"{exc.filename or path} cannot be removed: {exc.strerror or exc}"
        raise TargetError(msg, "file_in_use", path=path, **done, steps_done=["removal was tried"]) from exc
    except TargetError as exc:
        if done["overwritten"]:
            exc.details.update(done, steps_done=["contents were overwritten"])
        raise
    finally:
        os.close(above)
    if os.path.lexists(path):
        raise TargetError(f"{path} was removed, but is there again", "not_seen", path=path, **done, steps_done=["removal was tried"])
    return done


def _shown(found):
    return ", ".join(f"process {one['pid']} uses {one['uses']}" for one in found[:5])


def _opened(folder):
    """A descriptor of a folder, to which no link has led."""
    at = os.open("/", _WHERE)
    for part in filter(None, folder.split("/")):
        try:
            below = os.open(part, _WHERE, dir_fd=at)
        finally:
            os.close(at)
        at = below
    return at


def _each(above, name, place, device, mounts, act, last=None):
    """`act` for everything that is no folder, `last` for each folder after what is in it."""
    what = os.lstat(name, dir_fd=above)
    if place in mounts or (stat.S_ISDIR(what.st_mode) and what.st_dev != device):
        raise TargetError(f"another file system is mounted at {place}", "changed_since_read", path=place)
    if not stat.S_ISDIR(what.st_mode):
        act(above, name, place)
        return
    inside = os.open(name, _WHERE, dir_fd=above)
    try:
        if os.fstat(inside).st_ino != what.st_ino or os.fstat(inside).st_dev != device:
            raise TargetError(f"{place} was changed meanwhile", "changed_since_read", path=place)
        for entry in sorted(os.listdir(inside)):
            _each(inside, entry, place + "/" + entry, device, mounts, act, last)
    finally:
        os.close(inside)
    if last:
        last(above, name, place)


def _wipe(above, name, place, done):
    what = os.lstat(name, dir_fd=above)
    if not stat.S_ISREG(what.st_mode):
        return
    why = "it has another name, at which it stays" if what.st_nlink > 1 else ""
    if not why and what.st_size:
        try:
            # O_NONBLOCK: what has become a pipe meanwhile
            handle = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=above)
            try:
                now = os.fstat(handle)
                if now.st_ino != what.st_ino or not stat.S_ISREG(now.st_mode) or now.st_nlink > 1:
                    raise OSError(errno.EBUSY, "it was changed meanwhile")
                left = now.st_size
                while left > 0:
                    left -= os.write(handle, _BLOCK[: min(left, len(_BLOCK))])
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as exc:
            why = exc.strerror or str(exc)
    if why:
        done["not_overwritten"].append({"path": place, "why": why})
    else:
        done["overwritten"] += 1


def _unlink(above, name, place):
    try:
        os.unlink(name, dir_fd=above)
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, place) from exc


def _rmdir(above, name, place):
    try:
        os.rmdir(name, dir_fd=above)
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, place) from exc
