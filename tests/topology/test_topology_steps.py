"""Steps that look, move and hold others: what they mean, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vnet.base.ids import mac_from_text
from vnet.base.text import one_of
from vnet.sim.netem import GilbertElliott
from vnet.topology.load import parse_topology
from vnet.topology.model import Endpoint
from vnet.topology.schema.step import VERBS
from vnet.topology.steps import (
    CheckStep,
    CountersStep,
    Expectation,
    FdbStep,
    FrameQuery,
    LinkStep,
    MoveStep,
    ParallelStep,
    RepeatStep,
    Step,
    WaitStep,
    expected_end_ns,
)

LAB = """\
version: 1
hosts:
  h1: {nics: {eth0: {ip: 192.0.2.1/24}}, switches: {br0: , br1: }}
  h2: {nics: {eth0: }, switches: {br0: }}
  h3: {switches: {br5: , br6: }}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br0, mac: '52:54:00:00:00:01'}]}
switches: {sw1: {ports: 2}}
links: [{ends: ['h1:eth0', 'sw1:p1']}]
captures: ['h1:nlmon']
"""
"""Ten lines, so that an addition starts in line 11."""


def only_step(text: str) -> Step:
    (step,) = parse_topology(f"{LAB}scenario: [{text}]").scenario
    return step


def test_expectations_on_frames_name_a_device_and_a_filter() -> None:
    step = only_step(
        "{wait: 1s, expect: {frames matching icmp or arp on vm1:eth0: '>= 2', "
        "frames on sw1:p1: 3, 'frames  matching tcp[13] & 2 != 0  on  h1:br0': 0}}"
    )
    vm1, p1, br0 = Endpoint("vm1", "eth0"), Endpoint("sw1", "p1"), Endpoint("h1", "br0")
    assert step.expect == (
        Expectation(
            "frames matching icmp or arp on vm1:eth0", ">=", 2, FrameQuery(vm1, "icmp or arp")
        ),
        Expectation("frames on sw1:p1", "==", 3, FrameQuery(p1)),
        Expectation(
            "frames  matching tcp[13] & 2 != 0  on  h1:br0",
            "==",
            0,
            FrameQuery(br0, "tcp[13] & 2 != 0"),
        ),
    )


def test_a_step_of_nothing_but_expectations() -> None:
    step = only_step("{expect: {frames on vm1:eth0: 3}}")
    assert isinstance(step, CheckStep)
    assert step.title == "expect"


def test_a_station_is_a_mac_or_a_card() -> None:
    mac = mac_from_text("52:54:00:00:00:01")
    for text in ("vm1", "'vm1:eth0'", "52:54:00:00:00:01", "'52-54-00-00-00-01'"):
        step = only_step(f"{{fdb: {{switch: 'h1:br0', mac: {text}}}}}")
        assert isinstance(step, FdbStep)
        assert (step.node, step.bridge, step.mac) == ("h1", "br0", mac)
    assert only_step("{fdb: {switch: sw1}}") == FdbStep(None, (), 11, "sw1", None, None)


def test_counters_move_and_their_expectations() -> None:
    step = only_step("{counters: {device: 'sw1:p1'}, expect: {drops: 0, link-mtu: '< 3'}}")
    assert isinstance(step, CountersStep)
    assert [e.key for e in step.expect] == ["drops", "link-mtu"]
    assert only_step("{move: {vm: vm1, to: h2}}") == MoveStep(None, (), 11, "vm1", "h2")
    step = only_step("{move: {vm: vm1, to: h3, switch: br6, announce: false}}")
    assert step == MoveStep(None, (), 11, "vm1", "h3", "br6", False)


def test_a_link_step_changes_what_it_says() -> None:
    step = only_step(
        "{link: {end: 'sw1:p1', state: up, latency: 20ms, bandwidth: 1mbit, queue: 9, mtu: 1400, "
        "jitter: 2ms, loss: {p: 1%, r: 30%}, duplicate: 0.5%, reorder: 25%, corrupt: 0}}"
    )
    assert isinstance(step, LinkStep)
    assert step.change == {
        "up": True,
        "latency_ns": 20_000_000,
        "bandwidth_bps": 1_000_000,
        "queue_frames": 9,
        "mtu_bytes": 1400,
        "jitter_ns": 2_000_000,
        "loss": GilbertElliott(0.01, 0.3),
        "duplicate": 0.005,
        "reorder": 0.25,
        "corrupt": 0.0,
    }
    assert step.title == (
        "link sw1:p1 up latency 20ms bandwidth 1mbit queue 9 mtu 1400 jitter 2ms "
        "loss gemodel p 1% r 30% 1-h 100% 1-k 0% duplicate 0.5% reorder 25% corrupt 0%"
    )
    step = only_step("{link: {end: 'h1:eth0', mtu: , loss: 5%}}")
    assert isinstance(step, LinkStep)
    assert step.change == {"mtu_bytes": None, "loss": 0.05}
    assert step.title == "link h1:eth0 mtu none loss 5%"


def test_steps_hold_steps_and_add_up_their_time() -> None:
    step = only_step(
        "{repeat: {count: 3, interval: 1s, steps: [{wait: 2s}, {parallel: [{wait: 1s}, "
        "{wait: 5s}]}]}, expect: {rounds: 3}}"
    )
    assert isinstance(step, RepeatStep)
    first, second = step.steps
    assert isinstance(first, WaitStep)
    assert isinstance(second, ParallelStep)
    assert expected_end_ns([step]) == 24_000_000_000


FAULTS = {
    "expectation on frames nowhere": (
        "{wait: 1s, expect: {^frames matching icmp on vm1:eth7: 1}}",
        "vm1 has no device 'eth7' (did you mean 'eth0'?)",
    ),
    "expectation on frames of nobody": (
        "{wait: 1s, expect: {^frames on vm9:eth0: 1}}",
        "there is no node 'vm9' (did you mean 'vm1'?)",
    ),
    "expectation on frames of a node": (
        "{wait: 1s, expect: {^frames matching arp on vm1: 1}}",
        "'vm1' is not of the form node:device (for example h1:eth0)",
    ),
    "expectation on frames of netlink": (
        "{wait: 1s, expect: {^frames on h1:nlmon: 1}}",
        "no frames pass h1:nlmon (it records rtnetlink messages)",
    ),
    "expectation on frames, misspelt": (
        "{wait: 1s, expect: {^frames like arp on vm1:eth0: 1}}",
        "wait does not report 'frames like arp on vm1:eth0' (write 'frames matching FILTER on "
        "DEVICE', or 'frames on DEVICE')",
    ),
    "expectation on frames, no number": (
        "{wait: 1s, expect: {frames on vm1:eth0: ^many}}",
        "frames on vm1:eth0 is compared with a whole number, not the text 'many' (for example 3 "
        "or '>= 2')",
    ),
    "fdb of a host": (
        "{fdb: {switch: ^h1}}",
        "'h1' is no switch (write sw1, or h1:br0 for a switch in a host)",
    ),
    "fdb of a port": (
        "{fdb: {switch: ^'sw1:p1'}}",
        "'sw1:p1' is no switch (write sw1, or h1:br0 for a switch in a host)",
    ),
    "fdb of no bridge": (
        "{fdb: {switch: ^'h2:br1'}}",
        "h2 has no switch 'br1' (did you mean 'br0'?)",
    ),
    "fdb of no station": (
        "{fdb: {switch: sw1, mac: ^vm7}}",
        "there is no node 'vm7' (did you mean 'vm1'?)",
    ),
    "fdb of no card": (
        "{fdb: {switch: sw1, mac: ^'vm1:eth1'}}",
        "vm1 has no card 'eth1' (did you mean 'eth0'?)",
    ),
    "fdb of a machine without cards": (
        "{fdb: {switch: sw1, mac: ^h3}}",
        "h3 has no card",
    ),
    "counters of nothing": (
        "{counters: {device: ^'h1:eth9'}}",
        "h1 has no device 'eth9' (did you mean 'eth0'?)",
    ),
    "counters of netlink": (
        "{counters: {device: ^'h1:nlmon'}}",
        "h1:nlmon is no device (it records rtnetlink messages)",
    ),
    "counters of another name": (
        "{counters: {device: 'h1:eth0'}, expect: {^rx_frames: 1}}",
        "counters does not report 'rx_frames' (did you mean 'rx_packets'?)",
    ),
    "move of a host": (
        "{move: {vm: ^h1, to: h2}}",
        "'h1' is no virtual machine (only those move)",
    ),
    "move to a switch": (
        "{move: {vm: vm1, to: ^sw1}}",
        "'sw1' is no host (virtual machines move from host to host)",
    ),
    "move to no switch": (
        "{move: {vm: vm1, to: h2, switch: ^br7}}",
        "host 'h2' has no switch 'br7' (did you mean 'br0'?)",
    ),
    "move without a switch": (
        "{move: ^{vm: vm1, to: h3}}",
        "the step does not say which switch of h3 vm1 plugs into (it has: br5, br6)",
    ),
    "a link that stays as it is": (
        "{link: ^{end: 'h1:eth0'}}",
        "the step changes nothing (write state: down, or a setting such as loss: 5%)",
    ),
    "a bad setting of a link": (
        "{link: {end: 'h1:eth0', loss: ^5}}",
        "5 has no unit (for example 1%)",
    ),
    "pingall by two ways": (
        "{pingall: {among: [h1, vm1], classes: true, ^sample: 3}}",
        "classes and a sample are two ways (leave one of the two out)",
    ),
    "pingall of one": (
        "{pingall: ^{}}",
        "it takes two to ping (there are 1 to choose from)",
    ),
    "pingall of a switch": (
        "{pingall: {among: [vm1, ^sw1]}}",
        "'sw1' is a switch (steps are made by hosts, VMs and routers)",
    ),
    "pingall of nothing": (
        "{^pingall: }",
        "pingall says nothing (write pingall: {})",
    ),
    "pingall among one": (
        "{pingall: ^{among: [vm1]}}",
        "it takes two to ping (there are 1 to choose from)",
    ),
    "pingall to oneself": (
        "{pingall: ^{to: vm1}}",
        "it takes two to ping (name those that shall)",
    ),
    "pingall to one by sample": (
        "{pingall: {to: h1, ^sample: 3}}",
        "sample chooses among pairs, and 'to' has one target",
    ),
    "pingall to nobody": (
        "{pingall: {to: ^vm9}}",
        "there is no node 'vm9' (did you mean 'vm1'?)",
    ),
    "nothing to repeat": (
        "{repeat: {count: 2, steps: ^[]}}",
        "steps has 0 entries (at least 1)",
    ),
    "repeat without end": (
        "{repeat: {count: ^10000000, steps: [{wait: 1s}]}}",
        "count is too large: 10000000 (at most 1000000)",
    ),
    "repeat how often": (
        "{repeat: {^count: , steps: [{wait: 1s}]}}",
        "count wants a whole number or forever, not nothing",
    ),
    "repeat as often as some word": (
        "{repeat: {count: ^often, steps: [{wait: 1s}]}}",
        "count wants a whole number, not the text 'often'",
    ),
    "forever inside another step": (
        "{parallel: [{repeat: {count: ^forever, steps: [{wait: 1s}]}}]}",
        "inside another step, nothing can be repeated forever (that step would never end)",
    ),
    "forever with a result": (
        "{repeat: {count: forever, steps: [{wait: 1s}]}, expect: ^{rounds: 3}}",
        "what is repeated forever has no result (expect something of the steps inside)",
    ),
    "repeats that multiply": (
        "{repeat: {count: 10000, steps: [{repeat: {count: ^10000, steps: [{wait: 1s}]}}]}}",
        "with the repeats around it, that makes 100000000 rounds (at most 1000000)",
    ),
    "a time inside": (
        "{parallel: [{^at: 1s, wait: 1s}]}",
        "inside another step, 'at' cannot be said (it counts from the start of the lab; write a "
        "wait before)",
    ),
    "a fault inside": (
        "{repeat: {count: 2, steps: [{parallel: [{ping: {from: vm1, to: ^vm7}}]}]}}",
        "there is no node 'vm7' (did you mean 'vm1'?)",
    ),
    "an unknown key inside": (
        "{repeat: {count: 2, steps: [{parallel: [{^pong: {from: vm1, to: h1}}]}]}}",
        "unknown key 'pong' (did you mean 'ping'?)",
    ),
    "an empty step inside": (
        "{parallel: [^{}]}",
        f"the step does nothing (it needs one of {one_of(VERBS, 20)})",
    ),
}


@pytest.mark.parametrize(("step", "message"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_step_is_one_problem(
    step: str, message: str, assert_problem: Callable[[str, str], None]
) -> None:
    assert_problem(f"{LAB}scenario: [{step}]", message)
