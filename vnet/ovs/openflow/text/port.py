"""What an administrator sets on a port, as text (ovs-ofctl(8), ``mod-port``)."""

from __future__ import annotations

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.messages import PortConfig, PortMod, PortState

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
