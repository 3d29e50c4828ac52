"""``dpctl/ipf-...``: fragments that wait until their packet is whole."""

from __future__ import annotations

import re

from vnet.ovs.vswitchd.appctl.dpctl.call import DpctlCall, DpctlError, Errno
from vnet.tables.conntrack.packet import IPV4, IPV6
from vnet.tables.conntrack.text import fragments_text

_FAMILIES = {"v4": IPV4, "v6": IPV6}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_UINT32_ONES = 0xFFFF_FFFF


def show_status(call: DpctlCall) -> None:
    """``ipf-get-status [dp]``."""
    fragments = call.datapath(1).tracker.fragments
    call.put(fragments_text(fragments, verbose=call.verbosity > 0))


def enable(call: DpctlCall) -> None:
    """``ipf-set-enabled [dp] v4|v6``."""
    _set_enabled(call, True)
    call.say("enabling fragmentation reassembly successful")


def disable(call: DpctlCall) -> None:
    """``ipf-set-disabled [dp] v4|v6``."""
    _set_enabled(call, False)
    call.say("disabling fragmentation reassembly successful")


def _set_enabled(call: DpctlCall, is_enabled: bool) -> None:
    dpif = call.datapath(3)
    family = _FAMILIES.get(call.last_words(1)[0])
    if family is None:
        raise DpctlError("parameter missing: 'v4' for IPv4 or 'v6' for IPv6", Errno.EINVAL)
    dpif.tracker.fragments.is_enabled[family] = is_enabled


def set_least(call: DpctlCall) -> None:
    """``ipf-set-min-frag [dp] v4|v6 minfragment``."""
    dpif = call.datapath(3)
    family_name, size = call.last_words(2)
    family = _FAMILIES.get(family_name)
    if family is None:
        raise DpctlError("parameter missing: v4 for IPv4 or v6 for IPv6", Errno.EINVAL)
    n_bytes = _number(size, "parameter missing for minimum fragment size")
    try:
        dpif.tracker.fragments.set_min_bytes(family, n_bytes)
    except ValueError:
        what = "requested minimum fragment size too small; see documentation"
        raise DpctlError(what, Errno.EPERM) from None
    call.say("setting minimum fragment size successful")


def set_most(call: DpctlCall) -> None:
    """``ipf-set-max-nfrags [dp] maxfrags``."""
    dpif = call.datapath(2)
    n_fragments = _number(call.last_words(1)[0], "parameter missing for maximum fragments")
    try:
        dpif.tracker.fragments.set_max_held(n_fragments)
    except ValueError:
        raise DpctlError("setting maximum fragments failed", Errno.EPERM) from None
    call.say("setting maximum fragments successful")


def _number(text: str, missing: str) -> int:
    found = _DECIMAL.match(text)
    if found is None:
        raise DpctlError(missing, Errno.EINVAL)
    return int(found[0]) & _UINT32_ONES
