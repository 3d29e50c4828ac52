"""Where translations end that would go on for too long, and what is left of them."""

from __future__ import annotations

from tests.ovs.ofproto.xlate.translating import actions_of, explained, translated
from tests.ovs.whole_switch import switch_with
from vnet.ovs.dpif.actions import Drop, DropCause
from vnet.ovs.dpif.cookies import SlowPath

ARP = "in_port=1,arp"


def test_a_table_that_resubmits_to_itself_ends_64_deep() -> None:
    switch = switch_with(["actions=output:2,resubmit(,0)"])
    out = translated(switch, ARP)
    assert out.error is DropCause.RECURSION_TOO_DEEP
    assert out.actions == (Drop(DropCause.RECURSION_TOO_DEEP),)
    assert ">>>> over max translation depth 64 <<<<" in explained(switch, ARP)


def test_resubmits_to_later_tables_do_not_count_as_deeper() -> None:
    chain = [f"table={n},actions=resubmit(,{n + 1})" for n in range(100)]
    switch = switch_with([*chain, "table=100,actions=output:2"])
    assert actions_of(switch, ARP) == "2"


def test_every_table_may_resubmit_to_the_next_again_and_again() -> None:
    """4,064 tables, each below the one before: more than Python nests by itself."""
    chain = [f"table={n},actions=resubmit(,{n + 1})" for n in range(253)]
    again = [f"table=253,reg0={n},actions=set_field:{n + 1}->reg0,resubmit(,0)" for n in range(15)]
    switch = switch_with([*chain, *again, "table=253,reg0=15,actions=output:2"])
    assert actions_of(switch, ARP) == "2"
    assert "253. reg0=0xf, priority 32768" in explained(switch, ARP)


def test_4096_resubmits_are_the_most() -> None:
    doubling = [f"table={n},actions=resubmit(,{n + 1}),resubmit(,{n + 1})" for n in range(13)]
    switch = switch_with([*doubling, "table=13,actions=output:2"])
    assert translated(switch, ARP).error is DropCause.TOO_MANY_RESUBMITS
    assert ">>>> over 4096 resubmit actions <<<<" in explained(switch, ARP)


def test_groups_that_lead_to_groups_end_somewhere() -> None:
    """40 deep, three ways each."""
    ways = [f"group_id={n},type=all" + f",bucket=group:{n + 1}" * 3 for n in range(40)]
    switch = switch_with(["actions=group:0"], groups=[*ways, "group_id=40,type=all"][::-1])
    assert translated(switch, ARP).error is DropCause.TOO_MANY_RESUBMITS


def test_groups_that_watch_groups_are_not_watched_for_ever() -> None:
    watching = [
        f"group_id={n},type=ff" + f",bucket=watch_group:{n + 1},actions=output:2" * 3
        for n in range(40)
    ]
    switch = switch_with(["actions=group:0"], groups=[*watching, "group_id=40,type=ff"][::-1])
    assert translated(switch, ARP).error is DropCause.TOO_MANY_RESUBMITS


def test_actions_beyond_64_kb_end_the_translation_without_an_error() -> None:
    outputs = ",".join(["set_field:1->reg0,output:2"] * 200)
    doubling = [f"table={n},actions=resubmit(,{n + 1}),resubmit(,{n + 1})" for n in range(7)]
    switch = switch_with([*doubling, f"table=7,actions={outputs}"])
    out = translated(switch, ARP)
    assert out.error is DropCause.OK
    assert out.slow is SlowPath.ACTION
    assert ">>>> resubmits yielded over 64 kB of actions <<<<" in explained(switch, ARP)


def test_a_thousand_outputs_and_one_are_sent_one_by_one() -> None:
    lines = [
        f"table={n},actions={','.join(['output:2'] * 100)},resubmit(,{n + 1})" for n in range(10)
    ]
    assert not translated(switch_with(lines), ARP).slow
    one_more = switch_with([*lines, "table=10,actions=output:2"])
    assert translated(one_more, ARP).slow is SlowPath.ACTION


def test_a_stack_beyond_64_kb_is_an_error() -> None:
    pushes = ",".join(["push:NXM_NX_XXREG0[0..31]"] * 60)
    doubling = [f"table={n},actions=resubmit(,{n + 1}),resubmit(,{n + 1})" for n in range(8)]
    switch = switch_with([*doubling, f"table=8,actions={pushes}"])
    assert translated(switch, ARP).error is DropCause.STACK_TOO_DEEP


def test_groups_count_as_deeper() -> None:
    switch = switch_with(
        ["table=0,actions=group:1"],
        groups=["group_id=1,type=indirect,bucket=resubmit(,0)"],
    )
    assert translated(switch, ARP).error is DropCause.RECURSION_TOO_DEEP


def test_groups_that_watch_each_other_are_not_alive() -> None:
    switch = switch_with(
        ["actions=group:1,output:2"],
        groups=[
            "group_id=1,type=ff,bucket=watch_group:2,output:3",
            "group_id=2,type=ff,bucket=watch_group:1,output:4",
        ],
    )
    assert actions_of(switch, ARP) == "2"
    assert ">>>> bucket chaining exceeded 128 links <<<<" in explained(switch, ARP)


def test_what_goes_too_far_behind_a_patch_port_leaves_this_bridge_alone() -> None:
    switch = switch_with(["actions=output:9,output:2"], n_ports=2)
    words = "add-br br1 -- set bridge br1 datapath_type=dummy fail-mode=secure"
    for bridge, port, peer in (("br0", "a", "b"), ("br1", "b", "a")):
        words += f" -- add-port {bridge} {port} -- set interface {port} type=patch"
        words += f" options:peer={peer} ofport_request=9"
    switch.run(["ovs-vsctl", *words.split()])
    switch.ofctl(["add-flow", "br1", "actions=resubmit(,0)"])
    out = translated(switch, ARP)
    assert out.error is DropCause.OK
    assert actions_of(switch, ARP) == "2"
