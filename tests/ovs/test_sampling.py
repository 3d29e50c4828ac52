"""Samples for collectors go into the datapath's actions, and leave the packet alone."""

from __future__ import annotations

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import frame_of, outputs, switch_with
from vnet.ovs.dpif.text.flows import dump_line

FRAME = frame_of("udp,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02")
COLLECTOR = 'targets="127.0.0.1:9"'


def sampled(column: str, *settings: str, flows: tuple[str, ...] = ("actions=output:2",)) -> Switch:
    """A switch with a row of a collectors' table in a column of its bridge."""
    switch = switch_with(flows)
    creation = ("--", "--id=@row", "create", column, COLLECTOR, *settings)
    switch.vsctl("set", "bridge", BRIDGE, f"{column}=@row", *creation)
    return switch


def actions(switch: Switch) -> str:
    """What the one megaflow does that a frame leaves."""
    switch.inject("p1", FRAME)
    (flow,) = switch.datapath.flows()
    return dump_line(flow, switch.scheduler.now_ns).partition("actions:")[2]


def test_sflow_takes_a_copy_first_and_says_where_the_packet_goes() -> None:
    shown = actions(sampled("sflow", "sampling=2"))
    user = "userspace(pid=0,sFlow(vid=0,pcp=0,output=2147483649),actions)"
    assert shown == f"sample(sample=50.0%,actions({user})),2"


def test_ipfix_takes_copies_of_what_comes_and_of_what_goes() -> None:
    shown = actions(sampled("ipfix", "sampling=1"))
    user = "userspace(pid=0,ipfix(output_port={}))"
    assert shown == f"{user.format(4294967295)},{user.format(2)},2"


def test_to_ask_for_ipfix_of_input_turns_it_off_as_in_open_vswitch() -> None:
    switch = sampled("ipfix", "sampling=1", "other_config:enable-input-sampling=true")
    assert actions(switch) == "userspace(pid=0,ipfix(output_port=2)),2"


def test_netflow_tells_every_connection_apart() -> None:
    switch = sampled("netflow")
    for port in (1, 2, 3):
        assert outputs(switch, "p1", frame_of(f"udp,nw_src=10.0.0.1,udp_src={port}")) == ["p2"]
    assert switch.datapath.stats().n_flows == 3


def test_a_dropped_packet_is_counted_though_a_sample_of_it_was_taken() -> None:
    switch = sampled("ipfix", "sampling=1", flows=("actions=drop",))
    for _ in range(3):
        assert outputs(switch, "p1", FRAME) == []
    drops = {reason.word: count for reason, count in switch.devices["p1"].drops.items()}
    assert drops == {"ovs-flow-drops": 3}


def test_sample_actions_wait_for_a_collector() -> None:
    sample = "sample(probability=65535,collector_set_id=1)"
    switch = switch_with([f"actions={sample},output:2"])
    assert actions(switch) == "2"
    rows = ("--id=@i", "create", "ipfix", COLLECTOR, "--", "--id=@b", "get", "bridge", BRIDGE)
    creation = ("create", "flow_sample_collector_set", "id=1", "bridge=@b", "ipfix=@i")
    switch.vsctl("--", *rows, "--", *creation)
    assert actions(switch) == (
        "userspace(pid=0,flow_sample(probability=65535,collector_set_id=1,obs_domain_id=0,"
        "obs_point_id=0,output_port=4294967295)),2"
    )
