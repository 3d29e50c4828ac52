"""``brctl show``, ``showmacs`` and ``showstp`` of bridge-utils, tabs and all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vnet.l2.stp.port import StpTimer
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.tree_timer import TreeTimer
from vnet.linux.timer_wheel import JIFFY_NS

_NS_PER_CENTISECOND = 10_000_000
_ADDRESS_BITS = 48


def bridges_text(bridges: Iterable[Bridge]) -> str:
    """``brctl show``: bridges, and the ports of each, in alphabetical order."""
    lines = ["bridge name\tbridge id\t\tSTP enabled\tinterfaces"]
    for bridge in sorted(bridges, key=lambda bridge: bridge.device.name):
        tree = bridge.tree
        names = sorted(port.device.name for port in bridge.ports) or [""]
        speaks = "yes" if tree.is_on else "no"
        name = bridge.device.name
        lines.append(f"{name}\t\t{identifier_text(tree.bridge_id)}\t{speaks}\t\t{names[0]}")
        lines += ["\t" * 7 + name for name in names[1:]]
    return "\n".join(lines)


def macs_text(bridge: Bridge) -> str:
    """``brctl showmacs BRIDGE``: by MAC; the ageing timer counts up from the last frame."""
    now_ns = bridge.scheduler.now_ns
    lines = ["port no\tmac addr\t\tis local?\tageing timer"]
    for entry in sorted(bridge.fdb, key=lambda entry: entry.mac):
        age_ns = now_ns - entry.updated_ns if entry.is_dynamic else 0
        if entry.is_dynamic and age_ns > bridge.fdb.ageing_ns:
            continue
        local = "yes" if entry.is_local else "no"
        mac = entry.mac.hex(":")
        lines.append(f"{entry.port.number:>3}\t{mac}\t{local}\t\t{time_text(age_ns)}")
    return "\n".join(lines)


def tree_text(bridge: Bridge) -> str:
    """``brctl showstp BRIDGE``: the bridge, and its ports by name."""
    blocks = [_bridge_lines(bridge)]
    blocks += [_port_lines(port) for port in sorted(bridge.ports, key=lambda p: p.device.name)]
    return "\n".join(line for lines in blocks for line in lines)


def identifier_text(identifier: int) -> str:
    """A bridge's identifier: priority, a dot, the address."""
    return f"{identifier >> _ADDRESS_BITS:04x}.{identifier & (1 << _ADDRESS_BITS) - 1:012x}"


def _bridge_lines(bridge: Bridge) -> Iterator[str]:
    tree = bridge.tree
    root_port = 0 if tree.root_port is None else tree.root_port.number
    times = tree.times
    yield bridge.device.name
    yield f" bridge id\t\t{identifier_text(tree.bridge_id)}"
    yield f" designated root\t{identifier_text(tree.root_id)}"
    yield f" root port\t\t{root_port:4}\t\t\tpath cost\t\t{tree.root_path_cost:4}"
    # The tool reads both columns from the same files, which have the times in force.
    for name, gap, time in (
        ("max age", "\t\t", times.max_age),
        ("hello time", "\t", times.hello_time),
        ("forward delay", "\t", times.forward_delay),
    ):
        text = time_text(time * JIFFY_NS)
        yield f" {name}\t\t{text}\t\t\tbridge {name}{gap}{text}"
    yield f" ageing time\t\t{time_text(bridge.ageing.shown_ns)}"
    hello, notice, change = tree.timers()
    yield f" hello timer\t\t{left_text(hello)}\t\t\ttcn timer\t\t{left_text(notice)}"
    yield (
        f" topology change timer\t{left_text(change)}\t\t\t"
        f"gc timer\t\t{time_text(bridge.ageing.left_ns)}"
    )
    flags = "TOPOLOGY_CHANGE " * tree.topology_change
    flags += "TOPOLOGY_CHANGE_DETECTED " * tree.has_detected_change
    yield f" flags\t\t\t{flags}"
    yield ""
    yield ""


def _port_lines(port: BridgePort) -> Iterator[str]:
    tree = port.tree
    root_id, cost, bridge_id, port_id = tree.best
    yield f"{port.device.name} ({port.number})"
    yield f" port id\t\t{tree.id:04x}\t\t\tstate\t\t{port.state.name.lower():>15}"
    yield f" designated root\t{identifier_text(root_id)}\tpath cost\t\t{tree.path_cost:4}"
    yield (
        f" designated bridge\t{identifier_text(bridge_id)}\tmessage age timer\t"
        f"{left_text(tree.message_age)}"
    )
    yield (
        f" designated port\t{port_id:04x}\t\t\tforward delay timer\t{left_text(tree.forward_delay)}"
    )
    yield f" designated cost\t{cost:4}\t\t\thold timer\t\t{left_text(tree.hold)}"
    flags = "CONFIG_PENDING " * tree.config_is_pending
    flags += "TOPOLOGY_CHANGE_ACK " * tree.must_acknowledge
    yield f" flags\t\t\t{flags}"
    if port.hairpin:
        yield f" hairpin mode\t\t{1:4}"
    yield ""


def left_text(timer: StpTimer) -> str:
    """How long a timer has left, in seconds; 0 where it does not run."""
    assert isinstance(timer, TreeTimer)
    return time_text(timer.left_ns)


def time_text(time_ns: int) -> str:
    """Seconds with hundredths, in a column of their own."""
    seconds, hundredths = divmod(time_ns // _NS_PER_CENTISECOND, 100)
    return f"{seconds:4}.{hundredths:02}"
