"""Multicast snooping as the kernel has been seen to do it: the database, and what it passed on.

``tests/linux/bridge/recorded/record_groups.py`` has recorded it. Queries are compared byte by
byte. Left out is what the host behind the bridge says of its own groups, at moments of its own
choice; and the members of a group stand in no order, for the kernel has them by their places in
memory.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.linux.bridge.recorded.groups_script import CASES, GroupCase, port_mac
from tests.linux.bridge.recorded.play_groups import PlayedGroups
from tests.linux.bridge.recorded.record_groups import FILE

SEEN: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text())

_MLD_TYPE_AT = 2 * 62
_IGMP_TYPE_AT = 2 * 38
"""Where the type stands in the hexadecimal text of a frame with a router alert."""

_BRIDGE = port_mac(1).hex()
_TIMER = re.compile(r"/\d+\.\d\d")


def kept(frames: dict[str, list[str]], case: GroupCase) -> dict[str, list[str]]:
    """What is compared: all but the host's reports, or the queries of MLD alone."""
    if case.ipv6:
        return {
            end: [text for text in texts if text[_MLD_TYPE_AT : _MLD_TYPE_AT + 2] == "82"]
            for end, texts in frames.items()
        }
    return {
        end: [text for text in texts if not _is_own_report(text)] for end, texts in frames.items()
    }


def _is_own_report(text: str) -> bool:
    return text[12:24] == _BRIDGE and text[_IGMP_TYPE_AT : _IGMP_TYPE_AT + 2] != "11"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_kernel_passes_on_the_same(case: GroupCase) -> None:
    looks = PlayedGroups(case).looks
    assert len(looks) == len(SEEN[case.name])
    for number, (ours, seen) in enumerate(zip(looks, SEEN[case.name], strict=True)):
        assert kept(ours["frames"], case) == kept(seen["frames"], case), f"look {number}"
        lines = [sorted(_TIMER.sub("/-", look["mdb"]).splitlines()) for look in (ours, seen)]
        assert lines[0] == lines[1], f"look {number}"
