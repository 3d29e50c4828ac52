"""``upcall/...`` and ``revalidator/...``: the flows that decisions leave in the datapath."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vnet.ovs.dpif.text.show import datapath_text
from vnet.ovs.vswitchd.reconcile import Vswitchd

_NUMBER = re.compile(r"\s*([-+]?[0-9]+)")
_UINT32_ONES = 0xFFFF_FFFF

_REVALIDATOR_ID = 1
"""Open vSwitch shows a line for each of its threads, by a number of its own."""


def show(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``upcall/show``. Rounds take no time here; the real one says at least a millisecond."""
    lines = []
    revalidator = vswitchd.backer.revalidator
    if vswitchd.bridges:
        dpif, counts = vswitchd.backer.dpif, revalidator.counts
        lines += [
            f"{datapath_text(dpif)}:",
            f"  flows         : (current {dpif.stats().n_flows}) (avg {counts.average})"
            f" (max {counts.most}) (limit {revalidator.flow_limit})",
            "  dump duration : 1ms",
            f"  ufid enabled : {str(vswitchd.backer.uses_ufids).lower()}",
            "",
            f"  {_REVALIDATOR_ID}: (keys {len(revalidator)})",
        ]
    return "\n".join(lines)


def disable_megaflows(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``upcall/disable-megaflows``: each flow is of one kind of packet alone."""
    _set_megaflows(vswitchd, False)
    return "megaflows disabled"


def enable_megaflows(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``upcall/enable-megaflows``."""
    _set_megaflows(vswitchd, True)
    return "megaflows enabled"


def _set_megaflows(vswitchd: Vswitchd, is_enabled: bool) -> None:
    vswitchd.backer.revalidator.purge()
    vswitchd.backer.uses_megaflows = is_enabled


def disable_ufids(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``upcall/disable-ufid``."""
    vswitchd.backer.uses_ufids = False
    return "Datapath dumping tersely using UFID disabled"


def enable_ufids(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``upcall/enable-ufid``."""
    vswitchd.backer.uses_ufids = True
    return "Datapath dumping tersely using UFID enabled for supported datapaths"


def set_flow_limit(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``upcall/set-flow-limit flow-limit-number``: until it grows again."""
    found = _NUMBER.match(words[0])
    limit = int(found[1]) & _UINT32_ONES if found else 0
    vswitchd.backer.revalidator.flow_limit = limit
    return f"set flow_limit to {limit}"


def wait(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``revalidator/wait``: what has changed is in force, and all has been counted."""
    vswitchd.backer.revalidator.look_now()
    return ""


def purge(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``revalidator/purge``: no flow stays."""
    vswitchd.backer.revalidator.purge()
    return ""


def pause(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``revalidator/pause``: flows stay as they are."""
    vswitchd.backer.revalidator.pause()
    return ""


def resume(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``revalidator/resume``."""
    vswitchd.backer.revalidator.resume()
    return ""
