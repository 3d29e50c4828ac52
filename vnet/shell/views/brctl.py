"""``brctl show`` and ``brctl showmacs`` of bridge-utils, tabs and all."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.linux.bridge.bridge import Bridge

_BRIDGE_PRIORITY = 0x8000
_NS_PER_CENTISECOND = 10_000_000


def bridges_text(bridges: Iterable[Bridge]) -> str:
    """``brctl show``: the ports of each bridge in alphabetical order."""
    lines = ["bridge name\tbridge id\t\tSTP enabled\tinterfaces"]
    for bridge in bridges:
        identifier = f"{_BRIDGE_PRIORITY:04x}.{bridge.device.mac.hex()}"
        names = sorted(port.device.name for port in bridge.ports) or [""]
        lines.append(f"{bridge.device.name}\t\t{identifier}\tno\t\t{names[0]}")
        lines += ["\t" * 7 + name for name in names[1:]]
    return "\n".join(lines)


def macs_text(bridge: Bridge) -> str:
    """``brctl showmacs BRIDGE``: by MAC; the ageing timer counts up from the last frame."""
    now_ns = bridge.scheduler.now_ns
    lines = ["port no\tmac addr\t\tis local?\tageing timer"]
    for entry in sorted(bridge.fdb, key=lambda entry: entry.mac):
        age_ns = now_ns - entry.updated_ns if entry.is_dynamic else 0
        seconds, hundredths = divmod(age_ns // _NS_PER_CENTISECOND, 100)
        local = "yes" if entry.is_local else "no"
        lines.append(
            f"{entry.port.number:>3}\t{entry.mac.hex(':')}\t{local}\t\t{seconds:>4}.{hundredths:02}"
        )
    return "\n".join(lines)
