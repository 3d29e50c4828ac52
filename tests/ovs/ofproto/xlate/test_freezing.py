"""Translations that stop and go on: numbers, what is kept, and for how long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.ofproto.xlate.translating import actions_of, explained, translated
from tests.ovs.whole_switch import switch_with
from vnet.ovs.dpif.actions import Drop, DropCause, Recirc, Userspace
from vnet.ovs.dpif.cookies import ControllerCookie
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.xlate.cache import XlateCache
from vnet.ovs.ofproto.xlate.context import XlateOut
from vnet.ovs.ofproto.xlate.recirc import RELEASED_LINGER_NS, FrozenState, RecircTable
from vnet.ovs.openflow.ofpacts import Output

TCP = "in_port=1,tcp,tcp_dst=80"
TO_PORT_2 = Output(OfpPort(2))
TRACKED = ["table=0,ip,actions=ct(table=1)", "table=1,ip,actions=output:2"]


def recirc_id_of(out: XlateOut) -> int:
    (recirc,) = (action for action in out.actions if isinstance(action, Recirc))
    return recirc.recirc_id


def resumed(switch: Switch, out: XlateOut, **wishes: Any) -> XlateOut:
    """What becomes of the packet when the datapath looks it up again."""
    return translated(switch, f"recirc_id={recirc_id_of(out)},{TCP}", **wishes)


@pytest.fixture
def state() -> FrozenState:
    return FrozenState(switch_with().bridge(BRIDGE), table_id=3, metadata=0)


def test_equal_states_share_a_number(state: FrozenState) -> None:
    table = RecircTable()
    assert table.ref_state(state) == table.ref_state(replace(state)) == 1
    assert table.ref_state(replace(state, actions=(TO_PORT_2,))) == 2
    assert table.find(1) == state
    assert table.find_id(state) == 1


def test_a_number_that_nobody_holds_is_found_for_a_quarter_of_a_second(state: FrozenState) -> None:
    table = RecircTable()
    number = table.ref_state(state)
    table.ref_id(number)
    table.unref(number, now_ns=5)
    table.unref(number, now_ns=10)
    table.sweep(10 + RELEASED_LINGER_NS - 1)
    assert table.find(number) == state
    assert not table.ref_id(number)
    table.sweep(10 + RELEASED_LINGER_NS)
    assert table.find(number) is None
    assert len(table) == 0


def test_a_state_that_comes_again_after_its_number_was_released_gets_another(
    state: FrozenState,
) -> None:
    table = RecircTable()
    table.unref(table.ref_state(state), now_ns=0)
    assert table.ref_state(state) == 2


def test_a_translation_holds_its_numbers_until_it_is_released() -> None:
    switch = switch_with(TRACKED)
    recirc = switch.vswitchd.backer.recirc
    first, second = translated(switch, TCP), translated(switch, TCP)
    assert first.recirc_ids == second.recirc_ids
    first.release(recirc, 0)
    assert recirc.ref_id(recirc_id_of(second))


def test_the_packet_goes_on_where_it_stopped_with_registers_stack_and_action_set() -> None:
    switch = switch_with()
    for flow in (
        "table=0,tcp,actions=set_field:7->reg3,push:NXM_NX_REG3[],write_actions(output:4),goto_table:1",
        "table=1,tcp,actions=debug_recirc,pop:NXM_NX_REG4[],resubmit(,2)",
        "table=2,tcp,reg3=7,reg4=7,actions=output:2",
    ):
        switch.ofctl(["-OOpenFlow15", "add-flow", BRIDGE, flow])
    out = translated(switch, TCP)
    again = resumed(switch, out)
    assert actions_text(again.actions) == "2,4"


def test_what_comes_after_a_resubmit_that_froze_is_done_after_it() -> None:
    switch = switch_with(
        [
            "table=0,tcp,actions=output:2,resubmit(,1),output:3",
            "table=1,tcp,actions=debug_recirc,output:4",
        ]
    )
    out = translated(switch, TCP)
    assert actions_of(switch, TCP) == f"2,recirc({recirc_id_of(out):#x})"
    assert actions_text(resumed(switch, out).actions) == "4,3"


def test_a_thawed_trace_says_what_is_restored() -> None:
    switch = switch_with(["cookie=5,tcp,actions=debug_recirc,controller"])
    number = recirc_id_of(translated(switch, TCP))
    lines = explained(switch, f"recirc_id={number},{TCP}")
    assert "Resuming from table 0" in lines
    assert any(
        line.startswith("Restoring actions: unroll_xlate(table=0, cookie=5)") for line in lines
    )


def test_a_packet_of_a_number_that_is_gone_is_dropped() -> None:
    switch = switch_with(TRACKED)
    out = translated(switch, f"recirc_id=77,{TCP}")
    assert out.error is DropCause.NO_RECIRCULATION_CONTEXT
    assert out.actions == (Drop(DropCause.NO_RECIRCULATION_CONTEXT),)


def test_actions_of_ones_own_and_frozen_ones_do_not_go_together() -> None:
    switch = switch_with(TRACKED)
    out = translated(switch, TCP)
    conflict = resumed(switch, out, actions=(TO_PORT_2,))
    assert conflict.error is DropCause.RECIRCULATION_CONFLICT


def test_a_frozen_bridge_that_is_gone_ends_the_packet() -> None:
    switch = switch_with(TRACKED)
    out = translated(switch, TCP)
    state = switch.vswitchd.backer.recirc.find(recirc_id_of(out))
    assert state is not None
    gone = replace(state, bridge=Ofproto(BRIDGE, switch.scheduler))
    late = translated(switch, TCP, frozen_state=gone)
    assert late.error is DropCause.BRIDGE_NOT_FOUND


def test_a_pause_is_only_carried_out_where_something_may_happen() -> None:
    switch = switch_with(["actions=output:2,controller(pause,userdata=01.02),output:3"])
    assert actions_of(switch, TCP) == "2"
    out = translated(switch, TCP, cache=XlateCache())
    userspace = out.actions[-1]
    assert isinstance(userspace, Userspace)
    assert isinstance(userspace.cookie, ControllerCookie)
    assert userspace.cookie.continuation
    state = switch.vswitchd.backer.recirc.find(userspace.cookie.recirc_id)
    assert state is not None
    assert (state.userdata, state.actions[-1]) == (b"\1\2", Output(OfpPort(3)))
