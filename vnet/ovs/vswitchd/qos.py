"""Quality of service: from rows of QoS and Queue to the queues of a device.

``linux-htb`` is built (ovs-vswitchd.conf.db(5), tc-htb(8)), with the defaults and limits that Open
vSwitch gives its classes. ``linux-noop`` leaves a device as it is, and so does an unknown type.
Dummy devices have no queues.
"""

from __future__ import annotations

from collections.abc import Mapping

from vnet.netdev.device import NetDevice
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.ports.port_queues import PortQueues
from vnet.ovs.vswitchd.config import QosConfig
from vnet.ovs.vswitchd.row import setting_number
from vnet.sim.qdisc.htb import Htb, HtbRate
from vnet.sim.scheduler import Scheduler

HTB = "linux-htb"
NOOP = "linux-noop"

MAX_HTB_QUEUE = 0xEFFF
DEFAULT_RATE_BPS = 10_000_000_000
"""The rate of a port that asks for none and whose speed nobody knows."""

_HEADROOM_BYTES = 64
"""What a frame may be longer than its device's mtu."""

_RATE_PER_QUANTUM = 10
_QUANTUM_LIMITS = (1_000, 200_000)


def dscp_of(wanted: QosConfig | None) -> dict[int, int]:
    """What DSCP packets of each queue get, where the queue says so."""
    queues = {} if wanted is None or not wanted.type else wanted.queues
    return {number: queue.dscp for number, queue in queues.items() if queue.dscp is not None}


def types_for(port: OfPort) -> tuple[str, ...]:
    """The types that a port's device can do."""
    no_queues = port.device is None or port.device.kind == "dummy"
    return () if no_queues else (HTB, NOOP)


def configure(port: OfPort, wanted: QosConfig | None, scheduler: Scheduler) -> None:
    """Give a port the queues that it should have."""
    device = port.device
    if device is None:
        return
    if wanted is None or wanted.type != HTB or HTB not in types_for(port):
        remove(port)
        return
    root = _root(wanted.other_config, device.mtu_bytes)
    queues: dict[int, Mapping[str, str]] = {0: {}}
    queues |= {number: queue.other_config for number, queue in wanted.queues.items()}
    leaves = {
        number: _leaf(settings, root, device.mtu_bytes)
        for number, settings in queues.items()
        if number <= MAX_HTB_QUEUE
    }
    if port.queues is None:
        port.queues = PortQueues(HTB, Htb(scheduler, device, root, leaves))
        device.qdisc = port.queues.qdisc
    else:
        port.queues.qdisc.configure(root, leaves)
    details = {number: _leaf_details(leaf) for number, leaf in leaves.items()}
    port.queues.configure(_root_details(root), details, scheduler.now_ns)


def remove(port: OfPort) -> None:
    """Take a port's queues away; what waits in them is sent."""
    if port.queues is not None:
        device: NetDevice | None = port.device
        assert device is not None
        device.qdisc = None
        port.queues.qdisc.close()
        port.queues = None


def _bytes(settings: Mapping[str, str], name: str) -> int:
    """A setting in bits as bytes; 0 where it is missing."""
    return max(setting_number(settings, name, 0), 0) // 8


def _root(settings: Mapping[str, str], mtu_bytes: int) -> HtbRate:
    rate = _bytes(settings, "max-rate") or DEFAULT_RATE_BPS // 8
    return HtbRate(rate, rate, mtu_bytes, quantum_bytes=_quantum(rate, mtu_bytes))


def _leaf(settings: Mapping[str, str], root: HtbRate, mtu_bytes: int) -> HtbRate:
    """A class that gets by is never quite without a rate of its own: an mtu a second is least."""
    most = root.rate_bytes_per_s
    rate = min(max(_bytes(settings, "min-rate"), mtu_bytes), most)
    ceil = min(max(_bytes(settings, "max-rate") or most, rate), most)
    return HtbRate(
        rate,
        ceil,
        max(_bytes(settings, "burst"), mtu_bytes + _HEADROOM_BYTES),
        priority=max(setting_number(settings, "priority", 0), 0),
        quantum_bytes=_quantum(rate, mtu_bytes),
    )


def _quantum(rate_bytes_per_s: int, mtu_bytes: int) -> int:
    """How many bytes a class may send before it is the next one's turn."""
    share = rate_bytes_per_s // _RATE_PER_QUANTUM
    least, most = _QUANTUM_LIMITS
    return mtu_bytes if share < mtu_bytes else min(max(share, least), most)


def _root_details(rate: HtbRate) -> dict[str, str]:
    return {"max-rate": str(rate.rate_bytes_per_s * 8)}


def _leaf_details(rate: HtbRate) -> dict[str, str]:
    details = {"min-rate": rate.rate_bytes_per_s * 8}
    if rate.ceil_bytes_per_s != rate.rate_bytes_per_s:
        details["max-rate"] = rate.ceil_bytes_per_s * 8
    details["burst"] = rate.burst_bytes * 8
    if rate.priority:
        details["priority"] = rate.priority
    return {name: str(value) for name, value in details.items()}
