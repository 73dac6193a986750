# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m dev.alone COMMAND …`: run a command where it disturbs nobody and nothing of it survives; needs root.

It gets network, process and mount namespaces of its own: the lab's addresses are free in there, whoever else uses them outside,
and every process dies with the command.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys

COMMAND = ["unshare", "--net", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", sys.executable, "-m", "dev.alone"]

_SIOCSIFFLAGS, _IFF_UP, _IFF_RUNNING = 0x8914, 0x1, 0x40


def main(words: list[str]) -> None:
    """Inside the namespaces: switch loopback on, become the command."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loopback:
        fcntl.ioctl(loopback, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP | _IFF_RUNNING))
    os.execvp(words[0], words)


if __name__ == "__main__":
    main(sys.argv[1:])
