# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What identifies a thing of a machine in journals, reports and predictions, where those of many machines stand together. Pure."""

from __future__ import annotations


def on_host(host: str, *names: str) -> str:
    """The id: the machine's host, then the thing's own names."""
    return "/".join((host, *names))


def is_of(host: str, identity: str) -> bool:
    """Whether the thing lies on that machine."""
    return host_of(identity) == host


def host_of(identity: str) -> str:
    """The machine's host. Until 1.0 files of Linux machines had `host:/path`."""
    return identity.partition("/")[0].removesuffix(":")
