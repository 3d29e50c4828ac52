"""Tables of a bridge as ``ovs-ofctl dump-tables`` lists them, and their settings."""

from __future__ import annotations

import pytest

from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.flow import Flow
from vnet.ovs.ofproto.classifier.classifier import prefix_field
from vnet.ovs.ofproto.dump.flows import dump_all_flows
from vnet.ovs.ofproto.dump.tables import dump_tables
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.rules.table import TableSettings
from vnet.ovs.openflow.messages import FlowModCommand
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.sim.scheduler import Scheduler


def bridge_with(*flows: str) -> Ofproto:
    bridge = Ofproto("br0", Scheduler())
    for text in flows:
        bridge.flow_mod(parse_flow(text, FlowModCommand.ADD))
    return bridge


def test_a_table_like_the_one_before_is_a_ditto() -> None:
    bridge = bridge_with("actions=drop", "table=3,actions=drop")
    bridge.credit_table(0, True, 5)
    bridge.credit_table(0, False, 2)
    assert dump_tables(bridge, OpenFlowVersion.OF13) == (
        "\n  table 0:\n    active=1, lookup=7, matched=5\n"
        "\n  table 1:\n    active=0, lookup=0, matched=0\n"
        "\n  table 2: ditto\n"
        "\n  table 3:\n    active=1, lookup=0, matched=0\n"
        "\n  table 4:\n    active=0, lookup=0, matched=0\n"
        "\n  tables 5...253: ditto\n"
    )


def test_openflow_1_0_tells_names_and_limits() -> None:
    bridge = bridge_with()
    bridge.configure_table(1, TableSettings(name="acl", max_flows=7))
    assert dump_tables(bridge) == (
        "\n  table 0:\n"
        "    active=0, lookup=0, matched=0\n"
        "    max_entries=1000000\n"
        "    matching:\n"
        "      exact match or wildcard: in_port eth_{src,dst,type} vlan_{vid,pcp} "
        "ip_{src,dst} nw_{proto,tos} tcp_{src,dst}\n"
        '\n  table 1 ("acl"):\n'
        "    active=0, lookup=0, matched=0\n"
        "    max_entries=7\n"
        "    (same matching)\n"
        "\n  table 2:\n"
        "    active=0, lookup=0, matched=0\n"
        "    max_entries=1000000\n"
        "    (same matching)\n"
        "\n  tables 3...253: ditto\n"
    )


@pytest.mark.parametrize(("limit", "percent"), [(None, 99), (10, 80), (1, 0), (0, 100)])
def test_what_is_free_of_a_table_without_a_limit_is_never_all_of_it_once_a_flow_stands_there(
    limit: int | None, percent: int
) -> None:
    bridge = bridge_with("actions=drop", "ip,actions=drop")
    bridge.configure_table(0, TableSettings(max_flows=limit))
    assert bridge.tables[0].free_percent == percent


def test_the_switchs_own_flows_are_listed_on_demand() -> None:
    bridge = bridge_with("table=3,priority=7,ip,actions=output:1")
    assert list(dump_all_flows(bridge)) == [
        "table_id=3, duration=0s, n_packets=0, n_bytes=0, priority=7,ip,actions=output:1",
        "table_id=254, duration=0s, n_packets=0, n_bytes=0, priority=2,recirc_id=0,actions=drop",
        "table_id=254, duration=0s, n_packets=0, n_bytes=0, "
        "priority=0,reg0=0x1,actions=controller(reason=)",
        "table_id=254, duration=0s, n_packets=0, n_bytes=0, priority=0,reg0=0x2,actions=drop",
        "table_id=254, duration=0s, n_packets=0, n_bytes=0, priority=0,reg0=0x3,actions=drop",
    ]


def test_prefixes_of_other_fields_can_be_tracked() -> None:
    bridge = bridge_with("ipv6,ipv6_dst=fd00::1,actions=drop")
    packet = Flow()
    packet.dl_type = 0x86DD
    packet.ipv6_dst = 1 << 127
    wc = Flow()
    bridge.lookup(0, packet, wc)
    assert wc.ipv6_dst == (1 << 128) - 1
    bridge.configure_table(0, TableSettings(prefixes=(prefix_field(FIELDS["ipv6_dst"]),)))
    wc = Flow()
    bridge.lookup(0, packet, wc)
    assert wc.ipv6_dst == 1 << 127 | 1 << 126
