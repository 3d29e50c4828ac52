"""The words of ``mod-port``, and how settings and states of ports are printed."""

from __future__ import annotations

import pytest

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.messages import PortConfig, PortMod, PortState
from vnet.ovs.openflow.text.port import parse_port_mod, port_config_text, port_state_text

PORT = OfpPort(3)


@pytest.mark.parametrize(
    ("word", "config", "mask"),
    [
        ("down", PortConfig.PORT_DOWN, PortConfig.PORT_DOWN),
        ("up", PortConfig.NONE, PortConfig.PORT_DOWN),
        ("no-flood", PortConfig.NO_FLOOD, PortConfig.NO_FLOOD),
        ("noflood", PortConfig.NO_FLOOD, PortConfig.NO_FLOOD),
        ("Flood", PortConfig.NONE, PortConfig.NO_FLOOD),
        ("no-receive", PortConfig.NO_RECV, PortConfig.NO_RECV),
        ("no-receive-stp", PortConfig.NO_RECV_STP, PortConfig.NO_RECV_STP),
        ("no-forward", PortConfig.NO_FWD, PortConfig.NO_FWD),
        ("no-packet-in", PortConfig.NO_PACKET_IN, PortConfig.NO_PACKET_IN),
        ("no-stp", PortConfig.NO_STP, PortConfig.NO_STP),
        ("no-up", PortConfig.PORT_DOWN, PortConfig.PORT_DOWN),
    ],
)
def test_each_word_sets_or_clears_one_bit(word: str, config: PortConfig, mask: PortConfig) -> None:
    assert parse_port_mod(PORT, word) == PortMod(PORT, config, mask)


def test_other_words_are_refused() -> None:
    with pytest.raises(OvsTextError) as refusal:
        parse_port_mod(PORT, "no-Sense")
    assert refusal.value.what == "unknown mod-port command 'no-Sense'"


def test_bits_are_printed_by_their_names() -> None:
    assert port_config_text(PortConfig.PORT_DOWN | PortConfig.NO_FLOOD) == "PORT_DOWN NO_FLOOD"
    assert port_config_text(PortConfig.NONE) == "0"
    assert port_state_text(PortState.LINK_DOWN) == "LINK_DOWN"
