"""LACP between two bonds, frame by frame: settings of both ends, cut links, and changes meanwhile.

Keys are set everywhere: without one a bond is named by a port that the database's order of rows
decides about.
"""

from __future__ import annotations

from tests.ovs.recorded.script import BRIDGE, Script
from vnet.base.ids import Mac
from vnet.wire import ether, lacp
from vnet.wire.lacp import Info, Pdu, State

_LEFT, _RIGHT = ("p1", "p2"), ("p3", "p4")
_WIRES = (("p1", "p3"), ("p2", "p4"))
_MODES = ("balance-tcp", "balance-tcp", "active-backup", "balance-slb")
_LACP = ("active", "active", "active", "passive")
_SLOW = ("",)
_FAST = ("other_config:lacp-time=fast",)
_PORT_SETTINGS = (
    *("other_config:lacp-port-id=99", "other_config:lacp-port-priority=5"),
    *("other_config:lacp-port-priority=70000", "other_config:lacp-port-id=-1"),
)
_SYSTEMS = (
    *("", "", "other_config:lacp-system-priority=7", "other_config:lacp-system-priority=0"),
    *("other_config:lacp-system-id=00:00:00:00:00:07", "other_config:lacp-system-priority=65536"),
)


def draw(script: Script) -> None:
    script.bridge()
    script.bridge("br1", dpid=2)
    fast = script.happens(0.7)
    _bond(script, BRIDGE, "bond0", _LEFT, 1, fast)
    _bond(script, "br1", "bond1", _RIGHT, 3, fast and script.happens(0.8))
    script.carry(*_both_ways(_WIRES))
    _show(script)
    # Slow ones need half a minute to say anything at all.
    pause_ms = 1_000 if fast else 15_000
    for _ in range(script.number(4, 8)):
        script.warp(pause_ms * script.number(1, 6), 500)
        _change(script, fast)
        _show(script)
    script.carry(*_both_ways(_WIRES))
    script.warp(pause_ms * 7, 500)
    _show(script)


def _both_ways(wires: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return (*wires, *((other, port) for port, other in wires))


def _bond(
    script: Script, bridge: str, name: str, ports: tuple[str, str], first: int, fast: bool
) -> None:
    settings = [
        f"bond_mode={script.choose(*_MODES)}",
        f"lacp={script.choose(*_LACP)}",
        script.choose(*(_FAST if fast else _SLOW)),
        script.choose(*_SYSTEMS),
        "other_config:bond-rebalance-interval=0",
    ]
    words = f"add-bond {bridge} {name} {' '.join(ports)} {' '.join(filter(None, settings))}"
    key = script.choose(first, first, 77)
    for number, port in enumerate(ports, first):
        words += f" -- set interface {port} type=dummy ofport_request={number}"
        words += f" other_config:lacp-aggregation-key={key}"
        if script.happens(0.3):
            words += f" {script.choose(*_PORT_SETTINGS)}"
    script.vsctl(words)


def _change(script: Script, fast: bool) -> None:
    """Something happens to a wire, a port or a setting."""
    port = script.choose(*_LEFT, *_RIGHT)
    bond = "bond0" if port in _LEFT else "bond1"
    match script.number(1, 9):
        case 1 | 2:
            script.carry(*_both_ways((script.choose(*_WIRES),)))
        case 3:
            ways = _both_ways(_WIRES)
            lost = script.choose(*ways)
            script.carry(*(way for way in ways if way != lost))
        case 4:
            script.carry(*_both_ways(_WIRES))
        case 5:
            script.appctl(f"netdev-dummy/set-admin-state {port} {script.choose('down', 'up')}")
        case 6:
            script.vsctl(f"set port {bond} lacp={script.choose('active', 'passive')}")
        case 7:
            time = script.choose("fast", "slow") if fast else "slow"
            script.vsctl(f"set port {bond} other_config:lacp-time={time}")
        case 8:
            script.vsctl(f"set interface {port} {script.choose(*_PORT_SETTINGS)}")
        case 9:
            script.receive(port, _oddity(script))


def _oddity(script: Script) -> bytes:
    """A frame of the slow protocols that cannot be read, or is a marker. One that can be read would
    change what two threads of the real switch look at, at a moment that nobody chooses.
    """
    stranger = Info(1, Mac(b"\x02\0\0\0\0\x63"), 5, 1, 1, State(script.number(0, 255)))
    payload = lacp.emit(Pdu(stranger, script.choose(stranger, lacp.NOBODY)))
    payload = script.choose(
        payload[:60],
        b"\x02" + payload[1:],
        b"\x03" + payload[1:],
        payload[:3] + b"\x15" + payload[4:],
    )
    frame = ether.frame(lacp.TARGET, stranger.system, lacp.ETHER_TYPE, payload)
    return frame if script.happens(0.8) else frame[:12] + b"\x81\x00\x00\x05" + frame[12:]


def _show(script: Script) -> None:
    script.show("ovs-appctl lacp/show")
    script.show("ovs-appctl lacp/show-stats")
    script.show("ovs-appctl bond/show bond0")
    script.show("ovs-appctl bond/show bond1")
