"""The wanted configuration: what it accepts, and what missing or odd values mean."""

from __future__ import annotations

import pytest

from vnet.base.ids import mac_from_text
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.switching.vlan_mode import PriorityTags, VlanMode
from vnet.ovs.vswitchd.config import (
    BridgeConfig,
    BridgePortConfig,
    InterfaceConfig,
    SwitchConfig,
)
from vnet.ovs.vswitchd.tunnel_options import read_tunnel


def port(name: str, **settings: object) -> BridgePortConfig:
    return BridgePortConfig(name, (InterfaceConfig(name),), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "mode"),
    [
        (port("p"), VlanMode.TRUNK),
        (port("p", tag=5), VlanMode.ACCESS),
        (port("p", tag=5, trunks=(6,)), VlanMode.ACCESS),
        (port("p", tag=5, vlan_mode="native-tagged"), VlanMode.NATIVE_TAGGED),
    ],
)
def test_without_a_vlan_mode_a_tag_makes_an_access_port(
    config: BridgePortConfig, mode: VlanMode
) -> None:
    assert config.effective_vlan_mode is mode


def test_odd_words_of_other_config_mean_the_default() -> None:
    odd = port("p", other_config={"qinq-ethtype": "odd", "priority-tags": "odd"})
    assert odd.qinq_ethertype == 0x88A8
    assert odd.priority_tags is PriorityTags.NEVER
    old = port("p", other_config={"qinq-ethtype": "802.1q", "priority-tags": "true"})
    assert old.qinq_ethertype == 0x8100
    assert old.priority_tags is PriorityTags.IF_NONZERO


def test_a_bridge_has_the_manuals_defaults() -> None:
    bridge = BridgeConfig("br0")
    assert (bridge.mac_aging_time_s, bridge.mac_table_size) == (300, 8192)
    assert not bridge.is_secure
    assert not bridge.forward_bpdu
    assert bridge.datapath_id is None
    assert bridge.hwaddr is None


@pytest.mark.parametrize(
    ("text", "datapath_id"),
    [
        ("00000000000000FF", 0xFF),
        ("0x5ad515c0", 0x5AD515C0),
        ("0X12", 0x12),
        ("0xffffffffffffffff", 0xFFFFFFFFFFFFFFFF),
        ("12", None),
        ("0x", None),
        ("0x0", None),
        ("0x000000000000000ff", None),
        ("0x12zz", None),
    ],
)
def test_a_datapath_id_is_read_as_open_vswitch_reads_it(text: str, datapath_id: int | None) -> None:
    assert BridgeConfig("br0", other_config={"datapath-id": text}).datapath_id == datapath_id


def test_a_bridge_reads_its_other_config() -> None:
    bridge = BridgeConfig(
        "br0",
        fail_mode="secure",
        other_config={
            "datapath-id": "0x00000000000000ff",
            "hwaddr": "aa:55:aa:55:00:00",
            "mac-aging-time": "20",
            "mac-table-size": "many",
            "forward-bpdu": "true",
        },
    )
    assert bridge.is_secure
    assert bridge.datapath_id == 255
    assert bridge.hwaddr == mac_from_text("aa:55:aa:55:00:00")
    assert (bridge.mac_aging_time_s, bridge.mac_table_size) == (20, 8192)
    assert bridge.forward_bpdu


def test_a_bridge_always_has_its_local_port() -> None:
    first, second = BridgeConfig("br0", ports=(port("p1"),)).all_ports
    assert (first.name, first.interfaces[0].type, second.name) == ("br0", "internal", "p1")
    own = port("br0", tag=3)
    assert BridgeConfig("br0", ports=(own,)).all_ports == (own,)


def test_the_switch_has_the_manuals_defaults() -> None:
    config = SwitchConfig()
    assert (config.vlan_limit, config.flow_limit) == (1, 200_000)
    assert (config.max_idle_ms, config.max_revalidator_ms) == (10_000, 500)


@pytest.mark.parametrize(
    ("interface", "sentence"),
    [
        (
            InterfaceConfig("p", type="odd"),
            "could not open network device p (Address family not supported by protocol)",
        ),
        (
            InterfaceConfig("p", type="patch"),
            "p: patch type requires valid 'peer' argument",
        ),
        (
            InterfaceConfig("p", type="patch", options={"peer": "p"}),
            "p: patch peer must not be self",
        ),
        (
            InterfaceConfig("p", type="patch", options={"peer": "q", "key": "1"}),
            "p: patch type takes only a 'peer' argument",
        ),
    ],
)
def test_what_the_daemon_would_refuse_is_refused(interface: InterfaceConfig, sentence: str) -> None:
    with pytest.raises(OvsTextError) as refusal:
        interface.check()
    assert refusal.value.what == sentence


@pytest.mark.parametrize("option", ["dst_port", "key", "ttl", "tos", "egress_pkt_mark"])
def test_an_option_of_a_tunnel_may_have_thousands_of_digits(option: str) -> None:
    options = {"remote_ip": "1.2.3.4", option: "9" * 5000}
    assert read_tunnel("t", "vxlan", options).config.remote == bytes((1, 2, 3, 4))
