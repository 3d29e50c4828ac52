"""``dpctl/show`` and ``dpctl/dump-dps``: which datapaths there are, and what they have counted;
``dpctl/cache-...`` and ``dpctl/offload-stats-show``, which no userspace datapath has."""

from __future__ import annotations

from vnet.ovs.dpif.text.show import show_datapath
from vnet.ovs.vswitchd.appctl.dpctl.call import (
    DpctlCall,
    DpctlError,
    Errno,
    lines_text,
    why_not_there,
)


def show(call: DpctlCall) -> None:
    """``show [-s] [dp...]``."""
    found = call.datapaths()
    is_wrong = False
    for name in call.words or found:
        if name in found:
            call.put(lines_text(show_datapath(found[name], with_counters=call.shows_statistics)))
        else:
            call.complain(f"opening datapath {name} failed", why_not_there(name))
            is_wrong = True
    if is_wrong:
        raise DpctlError


def dump_names(call: DpctlCall) -> None:
    """``dump-dps``."""
    call.say(*call.datapaths())


def show_cache_sizes(call: DpctlCall) -> None:
    """``cache-get-size [dp]``: a userspace datapath tells of none."""
    found = call.datapaths()
    for name in call.words or found:
        if name not in found:
            raise DpctlError(f"Opening datapath {name} failed", why_not_there(name))
        call.say(f"{name}:")


def set_cache_size(call: DpctlCall) -> None:
    """``cache-set-size dp cache <size>``."""
    name, _cache, size = call.words
    if not size.isdecimal():
        raise DpctlError("size is malformed", Errno.EINVAL)
    call.open(name, f"Opening datapath {name} failed")
    raise DpctlError("Setting caches not supported", Errno.EOPNOTSUPP)


def show_offload(call: DpctlCall) -> None:
    """``offload-stats-show [dp]``: nothing is offloaded, which the real one takes for an error."""
    call.datapath(1)
    raise DpctlError("retrieving offload statistics", Errno.EINVAL)
