# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import math

from ansible_collections.offboard.iij_id.plugins.module_utils._module import clock


def test_what_is_yet_to_come_is_not_fresh():
    def ahead(seconds):
        return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)).isoformat()

    assert 0 <= clock.seconds_since(clock.now()) < 60
    assert -250 < clock.seconds_since(ahead(200)) < 0
    assert clock.seconds_since(ahead(400)) == math.inf
