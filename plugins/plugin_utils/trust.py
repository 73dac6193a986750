# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which texts are templates: ansible-core 2.19 and later mark those that are, earlier ones those that are not."""

from __future__ import annotations

from typing import Any


def trusted(template: str) -> str:
    """ansible-core 2.19 and later render no other text."""
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return template
    return trust_as_template(template)


def untrusted(answer: dict[str, Any]) -> dict[str, Any]:
    """What a machine or a tenant has said, which no ansible-core takes for a template: 2.18 needs to be told."""
    try:
        from ansible.template import trust_as_template  # noqa: F401 - the mark of 2.19 and later
    except ImportError:
        from ansible.utils.unsafe_proxy import wrap_var

        return wrap_var(answer)
    return answer
