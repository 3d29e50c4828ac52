"""``bridge vlan show``: which VLANs each port is in, and each bridge itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.vlan import Vlan
from vnet.shell.views.bridge import index_of

_NAME_COLUMNS = 16
_HEADING = f"{'port':<{_NAME_COLUMNS}}  vlan-id  "
_MORE = " " * (_NAME_COLUMNS + 4)


def vlans_text(
    bridges: Iterable[Bridge],
    *,
    device: str | None = None,
    vid: int | None = None,
    statistics: bool = False,
    details: bool = False,
    ranges: bool = False,
) -> str:
    """A line for each VLAN of a port, and with ``ranges`` one for each run of like ones.

    ``statistics`` adds what passed, ``details`` the state; those always come in runs.
    """
    ports = [port for bridge in bridges for port in (bridge.own_port, *bridge.ports)]
    lines = [_HEADING]
    for port in sorted(ports, key=index_of):
        if device not in (None, port.device.name):
            continue
        name = port.device.name
        for first, last in _runs(port, vid, together=(ranges or details) and not statistics):
            span = f"{first.vid}-{last.vid}" if last is not first else f"{first.vid}"
            lines.append(f"{name:<{_NAME_COLUMNS}}  {span}{_flags(port, first)}")
            name = ""
            if details:
                lines.append(f"{_MORE}state {first.state.name.lower()} mcast_router 1")
            if statistics:
                lines += _counters(first)
    return "\n".join(lines)


def _runs(port: BridgePort, vid: int | None, *, together: bool) -> Iterator[tuple[Vlan, Vlan]]:
    """The first and last of each run of VLANs that follow each other and are alike."""
    chosen = [vlan for vlan in port.vlans if vid in (None, vlan.vid)]
    start = 0
    for at, vlan in enumerate(chosen, 1):
        after = chosen[at] if at < len(chosen) else None
        goes_on = together and after is not None and _alike(port, vlan, after)
        if not goes_on:
            yield chosen[start], vlan
            start = at


def _alike(port: BridgePort, one: Vlan, other: Vlan) -> bool:
    return (
        other.vid == one.vid + 1
        and one.untagged == other.untagged
        and one.state is other.state
        and port.vlans.pvid not in (one.vid, other.vid)
    )


def _flags(port: BridgePort, vlan: Vlan) -> str:
    pvid = " PVID" if port.vlans.pvid == vlan.vid else ""
    return pvid + (" Egress Untagged" if vlan.untagged else "")


def _counters(vlan: Vlan) -> list[str]:
    counted = vlan.counters
    return [
        f"{_MORE}RX: {counted.rx_bytes} bytes {counted.rx_packets} packets",
        f"{_MORE}TX: {counted.tx_bytes} bytes {counted.tx_packets} packets",
    ]
