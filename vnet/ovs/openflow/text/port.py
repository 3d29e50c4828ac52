"""What an administrator sets on a port, as text (ovs-ofctl(8), ``mod-port``)."""

from __future__ import annotations

from itertools import takewhile

from vnet.base.ids import mac_text
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import NO_NAMES, Names, port_text
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.messages import (
    PortConfig,
    PortDesc,
    PortFeatures,
    PortMod,
    PortReason,
    PortState,
    PortStatus,
)

_SETTINGS: dict[str, tuple[PortConfig, bool]] = {
    "up": (PortConfig.PORT_DOWN, False),
    "down": (PortConfig.PORT_DOWN, True),
    "stp": (PortConfig.NO_STP, False),
    "receive": (PortConfig.NO_RECV, False),
    "receive-stp": (PortConfig.NO_RECV_STP, False),
    "flood": (PortConfig.NO_FLOOD, False),
    "forward": (PortConfig.NO_FWD, False),
    "packet-in": (PortConfig.NO_PACKET_IN, False),
}
"""For each word the bit, and what the word sets it to; ``no-`` before it turns that round."""

_TREE_STATES = {
    PortState.STP_LEARN: "STP_LEARN",
    PortState.STP_FORWARD: "STP_FORWARD",
    PortState.STP_BLOCK: "STP_BLOCK",
}

_REASONS = {PortReason.ADD: "ADD", PortReason.DELETE: "DEL", PortReason.MODIFY: "MOD"}

_FEATURES = {
    PortFeatures.HD_10MB: "10MB-HD",
    PortFeatures.FD_10MB: "10MB-FD",
    PortFeatures.HD_100MB: "100MB-HD",
    PortFeatures.FD_100MB: "100MB-FD",
    PortFeatures.HD_1GB: "1GB-HD",
    PortFeatures.FD_1GB: "1GB-FD",
    PortFeatures.FD_10GB: "10GB-FD",
    PortFeatures.FD_40GB: "40GB-FD",
    PortFeatures.FD_100GB: "100GB-FD",
    PortFeatures.FD_1TB: "1TB-FD",
    PortFeatures.OTHER: "OTHER",
    PortFeatures.COPPER: "COPPER",
    PortFeatures.FIBER: "FIBER",
    PortFeatures.AUTONEG: "AUTO_NEG",
    PortFeatures.PAUSE: "AUTO_PAUSE",
    PortFeatures.PAUSE_ASYM: "AUTO_PAUSE_ASYM",
}


def parse_port_mod(port: OfpPort, text: str) -> PortMod:
    """One of ``mod-port``'s words, such as ``down``, ``no-flood`` or ``receive``, in any case."""
    word = text.lower()
    negated = word.startswith("no")
    if negated:
        word = word.removeprefix("no").removeprefix("-")
    if word not in _SETTINGS:
        raise OvsTextError(f"unknown mod-port command '{text}'")
    bit, on = _SETTINGS[word]
    return PortMod(port, config=bit if on != negated else PortConfig.NONE, mask=bit)


def port_config_text(config: PortConfig) -> str:
    """The configuration as ``ovs-ofctl show`` prints it after ``config:``."""
    return _names_text(config)


def port_state_text(state: PortState) -> str:
    """The state as ``ovs-ofctl show`` prints it after ``state:``.

    Nothing is put between the state in a spanning tree and others, as there.
    """
    tree, others = state & PortState.STP_MASK, state & ~PortState.STP_MASK
    if not tree:
        return _names_text(others)
    return _TREE_STATES[tree] + (_names_text(others) if others else "")


def _names_text(bits: PortConfig | PortState) -> str:
    return " ".join(bit.name for bit in bits if bit.name is not None) or "0"


def port_status_text(status: PortStatus) -> str:
    """A port that came, went or changed, as ``ovs-ofctl monitor`` prints it."""
    return f"{_REASONS[status.reason]}: {port_desc_text(status.desc)}"


def port_mod_text(mod: PortMod, names: Names = NO_NAMES) -> str:
    """A change of a port, as Open vSwitch prints one after the message's type, in four lines."""
    mac = "00:00:00:00:00:00" if mod.mac is None else mac_text(mod.mac)
    return "\n     ".join(
        (
            f"port: {port_text(mod.port, names)}: addr:{mac}",
            f"config: {port_config_text(mod.config)}",
            f"mask:   {port_config_text(mod.mask)}",
            f"advertise: {_features_text(mod.advertise) or 'UNCHANGED'}",
        )
    )


def port_desc_text(desc: PortDesc) -> str:
    """What a switch says of a port, as ``ovs-ofctl show`` prints it, in several lines."""
    lines = [
        f"{port_text(desc.port)}({_printable(desc.name)}): addr:{mac_text(desc.mac)}",
        f"config:     {port_config_text(desc.config)}",
        f"state:      {port_state_text(desc.state)}",
    ]
    for name in ("current", "advertised", "supported", "peer"):
        features: PortFeatures = getattr(desc, name)
        if features:
            lines.append(f"{name + ':':<11} {_features_text(features)}")
    now_mbps, most_mbps = desc.current_kbps // 1000, desc.max_kbps // 1000
    lines.append(f"speed: {now_mbps} Mbps now, {most_mbps} Mbps max")
    return "\n     ".join(lines)


def _printable(name: str) -> str:
    """A name up to the first character that is none."""
    return "".join(takewhile(lambda char: " " <= char <= "~", name))


def _features_text(features: PortFeatures) -> str:
    return " ".join(text for bit, text in _FEATURES.items() if features & bit)
