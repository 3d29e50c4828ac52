"""Steps that look, move and hold others, in a running lab."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from vnet.base.errors import TopologyError
from vnet.base.units import parse_duration_ns
from vnet.lab.lab import Lab
from vnet.lab.report import Report, StepOutcome
from vnet.sim.frame import Frame

LabWith = Callable[..., Lab]

FABRIC = """
version: 1
name: fabric
hosts:
  h1: {hypervisor: kvm, nics: {eth0: }, switches: {br0: }}
  h2: {hypervisor: xen, style: enslaved, nics: {eth0: }, switches: {br0: , br1: }}
switches: {sw1: {ports: 2}}
vms:
  vm1: {host: h1, vnics: [{ip: [10.0.0.1/24, '2001:db8::1/64']}]}
  vm2: {host: h2, vnics: [{ip: [10.0.0.2/24, '2001:db8::2/64'], switch: br0}]}
links:
  - {ends: ['h1:eth0', 'sw1:p1'], latency: 1ms}
  - {ends: ['h2:eth0', 'sw1:p2'], latency: 1ms}
captures: ['vm1:eth0', 'h1:vnet0', 'sw1:p2', 'h2:nlmon']
"""


def fabric(*steps: str) -> Lab:
    return Lab.from_text(FABRIC + "scenario:\n" + "".join(f"  - {step}\n" for step in steps))


def failures(report: Report) -> list[str]:
    return [f"{o.title}: {f}" for o in report.steps for f in o.failures]


def run(*steps: str) -> Report:
    with fabric(*steps) as lab:
        return lab.run()


PING = "{ping: {from: vm1, to: 10.0.0.2, count: 2}, expect: {received: 2}}"


def test_frames_are_counted_while_the_step_lasts() -> None:
    expect = "expect: {frames matching icmp on vm1:eth0: 4, frames matching arp on sw1:p2: 2}"
    ping = f"{{ping: {{from: vm1, to: 10.0.0.2, count: 2}}, {expect}}}"
    report = run("{wait: 3s}", ping, ping)
    assert failures(report) == [
        "ping vm1 → 10.0.0.2 ×2: expected frames matching arp on sw1:p2 == 2, saw 0"
    ]
    assert report.steps[1].seen["frames matching icmp on vm1:eth0"] == 4


def test_a_step_of_expectations_counts_from_the_start() -> None:
    report = run(
        "{wait: 3s}",
        PING,
        PING,
        "{expect: {frames matching icmp on vm1:eth0: 8, frames matching icmp on h1:br0: 0}}",
    )
    assert failures(report) == []
    assert report.held
    assert report.steps[3].started_ns == report.steps[3].ended_ns


def test_counting_ends_with_the_step() -> None:
    with fabric("{wait: 1s, expect: {frames on vm1:eth0: '>= 0'}}") as lab:
        device = lab.vm("vm1").vnic(0).interface.device
        before = len(device.sniffers or ())
        lab.run()
        assert len(device.sniffers or ()) == before


def test_what_a_switch_has_learned() -> None:
    report = run(
        "{fdb: {switch: sw1, mac: vm1}, expect: {port: none, entries: 0, moves: 0}}",
        PING,
        # The two machines, and a bridge of each host, which has joined a group.
        "{fdb: {switch: sw1, mac: vm1}, expect: {port: p1, entries: 4}}",
        "{fdb: {switch: 'h2:br0', mac: 'vm2:eth0'}, expect: {port: vif1.0}}",
        "{fdb: {switch: 'h2:br1'}, expect: {entries: 0}}",
    )
    assert failures(report) == []


def test_a_switch_forgets() -> None:
    text = FABRIC.replace(", '2001:db8::1/64'", "").replace(", '2001:db8::2/64'", "")
    steps = (
        f"scenario:\n  - {PING}\n  - wait: 340s\n"
        "  - {fdb: {switch: sw1, mac: vm1}, expect: {port: none, entries: 0}}\n"
    )
    with Lab.from_text(text + steps) as lab:
        assert failures(lab.run()) == []


def test_counters_of_a_device_and_of_the_wire_behind_it() -> None:
    text = FABRIC.replace("latency: 1ms", "latency: 1ms, mtu: 1000")
    steps = (
        "scenario:\n"
        "  - {ping: {from: vm1, to: 10.0.0.2, count: 2, size: 1400}, expect: {received: 0}}\n"
        "  - {counters: {device: 'h1:eth0'}, expect: {link-mtu: 2, drops: 2, link-down: 0, "
        "rx_packets: '> 0', tx_bytes: '> 2000'}}\n"
        "  - {counters: {device: 'sw1:p2'}, expect: {drops: 0}}\n"
    )
    with Lab.from_text(text + steps) as lab:
        report = lab.run()
    assert failures(report) == []
    assert report.steps[1].seen["rx_bytes"] > 0


def test_the_counters_of_a_back_end_that_has_gone() -> None:
    report = run("{move: {vm: vm1, to: h2, switch: br0}}", "{counters: {device: 'h1:vnet0'}}")
    assert report.steps[1].error == "h1:vnet0 is there no more (its machine has moved)"


def test_pingall_is_a_step() -> None:
    text = """
version: 1
hosts: {h: {count: 2, nics: {eth0: }, switches: {br0: }}}
vms: {vm: {count: 8, host: 'h*', vnics: [{ip: 10.0.0.1/24}]}}
links: [{ends: ['h1:eth0', 'h2:eth0'], up: false}]
scenario:
  - {pingall: {}, expect: {sent: 56, received: 24, lost: 32}}
  - {link: {end: 'h1:eth0', state: up}}
  - {pingall: {classes: true}, expect: {sent: 12, lost: 0}}
  - {pingall: {sample: 10}, expect: {sent: 10, lost: 0}}
  - {pingall: {among: [vm1, vm5, vm8]}, expect: {received: 6}}
"""
    with Lab.from_text(text) as lab:
        report = lab.run()
    assert failures(report) == []
    assert [outcome.title for outcome in report.steps if "pingall" in outcome.title] == [
        "pingall of 8",
        "pingall of 8 classes",
        "pingall of 8 sample 10",
        "pingall of 3",
    ]


def test_pings_among_too_many_are_refused_with_the_ways_out() -> None:
    text = """
version: 1
hosts: {h1: {switches: {br0: }}}
vms: {vm: {count: 200, host: h1, vnics: [{ip: 10.0.0.1/16}]}}
scenario: [{pingall: {}}]
"""
    with pytest.raises(TopologyError) as caught:
        Lab.from_text(text)
    assert str(caught.value) == (
        "<text>:5:22: 200 machines make 39800 pings (write classes: true, or sample: 1000)"
    )


# Machines that move


def test_a_machine_that_moves_is_learned_anew() -> None:
    report = run(
        "{wait: 3s}",
        PING,
        "{fdb: {switch: sw1, mac: vm1}, expect: {port: p1, moves: 0}}",
        "{move: {vm: vm1, to: h2, switch: br0}, expect: {host: h2, device: vif2.0}}",
        "{wait: 10ms}",
        "{fdb: {switch: sw1, mac: vm1}, expect: {port: p2, moves: 1}}",
        "{fdb: {switch: 'h1:br0', mac: vm1}, expect: {port: eth0}}",
        PING,
        "{ping: {from: vm2, to: '2001:db8::1', count: 1}, expect: {received: 1}}",
        "{move: {vm: vm1, to: h1}, expect: {host: h1, device: vnet1}}",
        PING,
    )
    assert failures(report) == []


def test_a_machine_that_moves_in_silence_is_lost_until_it_speaks() -> None:
    report = run(
        PING,
        "{move: {vm: vm1, to: h2, switch: br0, announce: false}}",
        "{fdb: {switch: sw1, mac: vm1}, expect: {port: p1}}",
        "{ping: {from: vm2, to: 10.0.0.1, count: 1}, expect: {received: 1}}",
    )
    # Both are on one bridge now, which has forgotten nothing but where vm1 was: behind its card.
    assert failures(report) == [
        "ping vm2 → 10.0.0.1 ×1: expected received == 1, saw 0",
    ]


def test_what_a_moving_machine_announces() -> None:
    with fabric("{wait: 3s}", "{move: {vm: vm1, to: h2, switch: br0}}", "{wait: 1ms}") as lab:
        lab.run(until="2999ms")
        lab.vm("vm1").vnic(0).sent  # noqa: B018 - the log exists before the move
        before = lab.vm("vm1").vnic(0).sent.total
        lab.run()
        said = [packet.summary() for packet in lab.vm("vm1").vnic(0).sent[-3:]]
        assert lab.vm("vm1").vnic(0).sent.total == before + 3
    assert said[0] == "Ether / ARP who has 10.0.0.1 says 10.0.0.1"
    assert "ICMPv6ND_NA" in said[1]
    assert "ICMPv6ND_NA" in said[2]


def test_the_back_end_goes_and_what_it_dropped_stays_counted() -> None:
    with fabric(PING, "{move: {vm: vm1, to: h2, switch: br0}}", PING) as lab:
        lab.run(until="500ms")
        old = lab.network.device("h1", "vnet0")
        assert old is not None
        old.receive(Frame(bytes(5)))
        lab.scheduler.at(1_003_999_999, lambda: None)
        report = lab.run()
        assert lab.network.device("h1", "vnet0") is None
        assert old not in list(lab.network.devices())
        assert not lab.switch("h1:br0").bridge.port_of(old)
    assert ("h1:vnet0", "frame-too-short", 1) in [
        (row.place, row.reason.word, row.frames) for row in report.drops
    ]


@pytest.mark.parametrize("hypervisor", ["vmware", "hyperv", "kvm", "xen"])
def test_a_machine_moves_within_its_host_and_back(hypervisor: str) -> None:
    """On VMware and Hyper-V its back end keeps its name, which is free only once it has gone."""
    text = f"""
version: 1
hosts:
  h1: {{hypervisor: {hypervisor}, switches: {{s1: {{uplink: none}}, s2: {{uplink: none}}}}}}
vms:
  a: {{host: h1, vnics: [{{ip: 10.0.0.1/24, switch: s1}}, {{ip: 10.1.0.1/24, switch: s1}}]}}
  b: {{host: h1, vnics: [{{ip: 10.0.0.2/24, switch: s2}}]}}
scenario:
  - {{ping: {{from: a, to: b, count: 1}}, expect: {{received: 0}}}}
  - {{move: {{vm: a, to: h1, switch: s2}}}}
  - {{ping: {{from: a, to: b, count: 1}}, expect: {{received: 1}}}}
  - {{move: {{vm: a, to: h1, switch: s1}}}}
  - {{ping: {{from: a, to: b, count: 1}}, expect: {{received: 0}}}}
"""
    with Lab.from_text(text) as lab:
        assert failures(lab.run()) == []


def test_a_tap_takes_the_next_free_name() -> None:
    text = """
version: 1
hosts:
  h1: {switches: {br0: {uplink: none}}}
  h2: {nics: {vnet0: , vnet1: }, switches: {br0: {uplink: none}}}
vms: {a: {host: h1, vnics: [{ip: 10.0.0.1/24}]}}
scenario:
  - {move: {vm: a, to: h2}, expect: {device: vnet2}}
  - {move: {vm: a, to: h1}, expect: {device: vnet1}}
"""
    with Lab.from_text(text) as lab:
        assert failures(lab.run()) == []


def test_a_name_that_is_taken_stops_the_move_before_it_begins() -> None:
    text = """
version: 1
hosts:
  h1: {switches: {br0: }}
  h2: {hypervisor: vmware, nics: {a.eth0: }, switches: {br0: {uplink: none}}}
vms: {a: {host: h1, vnics: [{ip: 10.0.0.1/24}]}, b: {host: h1, vnics: [{ip: 10.0.0.2/24}]}}
scenario:
  - {move: {vm: a, to: h2}}
  - {ping: {from: a, to: b, count: 1}, expect: {received: 1}}
"""
    with Lab.from_text(text) as lab:
        report = lab.run()
    assert report.steps[0].error == "h2 has a device named a.eth0 already (rename that one)"
    assert failures(report) == []


def test_moving_for_ever_leaves_nothing_behind() -> None:
    moves = "{move: {vm: vm1, to: h2, switch: br0}}, {move: {vm: vm1, to: h1}}"
    with fabric(f"{{repeat: {{count: 50, steps: [{moves}]}}}}") as lab:
        devices, steps = len(list(lab.network.devices())), len(lab.network.script_steps)
        lab.run()
        assert len(list(lab.network.devices())) == devices
        assert len(lab.network.script_steps) == steps
        assert len(lab.network.domains["h1"]._mode.log.steps) < 20


def test_moving_shows_in_netlink() -> None:
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

    with fabric(PING, "{move: {vm: vm2, to: h1}}", "{wait: 1s}") as lab:
        lab.run()
        kinds = []
        for packet in lab.captures["h2:nlmon"]:
            data = bytes(packet)[16:]
            message = ifinfmsg(data)
            message.decode()
            if message["header"]["type"] in (16, 17) and message.get_attr("IFLA_IFNAME") == (
                "vif1.0"
            ):
                kinds.append(message["header"]["type"])
    assert kinds[-1] == 17, "RTM_DELLINK comes last"


# Steps that hold others


def outcomes(report: Report) -> list[tuple[int, str, int, int, bool]]:
    return [(o.depth, o.title, o.rounds, o.failed_rounds, o.held) for o in report.steps]


def test_a_repeat_stands_for_all_its_rounds() -> None:
    report = run(
        "{repeat: {count: 3, interval: 1s, steps: [{wait: 2s}, {ping: {from: vm1, to: vm2, "
        "count: 1}, expect: {received: 1}}]}, expect: {rounds: 3, frames matching icmp on "
        "vm1:eth0: 6}}",
        "{wait: 1ns}",
    )
    assert failures(report) == []
    assert outcomes(report) == [
        (0, "repeat ×3", 1, 0, True),
        (1, "wait 2s", 3, 0, True),
        (1, "ping vm1 → vm2 ×1", 3, 0, True),
        (0, "wait 0.000000001s", 1, 0, True),
    ] or outcomes(report)[3][1].startswith("wait ")
    first = report.steps[0]
    assert (first.started_ns, first.seen["rounds"]) == (0, 3)
    assert report.steps[3].started_ns == first.ended_ns


def test_the_first_round_that_failed_is_kept() -> None:
    """The link is down in the second round of three."""
    report = run(
        "{at: 10s, link: {end: 'h1:eth0', state: down}}",
        "{at: 25s, link: {end: 'h1:eth0', state: up}}",
        "{at: 1s, repeat: {count: 3, interval: 2s, steps: [{wait: 2s}, {ping: {from: vm1, to: vm2, "
        "count: 1, timeout: 12s}, expect: {received: 1}}, {wait: 8s}]}}",
    )
    ping = report.steps[4]
    assert (ping.rounds, ping.failed_rounds, ping.held) == (3, 1, False)
    assert [str(f) for f in ping.failures] == ["expected received == 1, saw 0"]
    assert ping.started_ns is not None
    assert 10 <= ping.started_ns / 1e9 < 25, "the outcome is that of the failed round"
    assert not report.held
    assert report.steps[2].held, "the repeat itself did its rounds"


def test_what_is_repeated_forever_keeps_nobody_waiting() -> None:
    report = run(
        "{at: 1s, repeat: {count: forever, interval: 1s, steps: [{ping: {from: vm1, to: vm2, "
        "count: 1}, expect: {received: 1}}]}}",
        "{wait: 4500ms}",
    )
    assert failures(report) == []
    s = 1_000_000_000
    assert report.steps[2].started_ns == s, "what follows begins with it"
    assert report.virtual_ns == 5_500_000_000, "the scenario ends without it"
    assert [(o.title, o.rounds, o.held) for o in report.steps[:2]] == [
        ("repeat forever", 1, True),
        ("ping vm1 → vm2 ×1", 5, True),
    ]
    assert report.steps[0].seen == {"rounds": 5}


def test_a_round_that_failed_in_what_is_repeated_forever_is_told() -> None:
    report = run(
        "{at: 2500ms, link: {end: 'h1:eth0', state: down}}",
        "{at: 1s, repeat: {count: forever, interval: 1s, steps: [{ping: {from: vm1, to: vm2, "
        "count: 1, timeout: 1s}, expect: {received: 1}}]}}",
        "{at: 8s, wait: 1s}",
    )
    assert [str(f) for f in report.steps[2].failures] == ["expected received == 1, saw 0"]
    assert not report.held


def test_a_lab_of_nothing_but_endless_steps_runs_a_while() -> None:
    report = run("{repeat: {count: forever, interval: 1s, steps: [{wait: 1s}]}}")
    assert report.held
    assert report.steps[0].seen == {"rounds": 3}


def test_parallel_steps_begin_at_once_and_the_last_ends_them() -> None:
    report = run(
        "{parallel: [{wait: 1s}, {wait: 3s}, {repeat: {count: 2, steps: [{wait: 1s}]}}]}",
        "{wait: 1s}",
    )
    spans = {o.title: (o.started_ns, o.ended_ns) for o in report.steps if o.depth == 1}
    s = 1_000_000_000
    assert spans == {"wait 1s": (0, s), "wait 3s": (0, 3 * s), "repeat ×2": (0, 2 * s)}
    assert report.steps[-1].started_ns == 3 * s


def test_json_nests_as_the_file_does() -> None:
    report = run("{repeat: {count: 2, steps: [{parallel: [{wait: 1s}, {wait: 2s}]}]}}", PING)
    steps = json.loads(json.dumps(report.as_json()))["steps"]
    assert [step["step"] for step in steps] == ["repeat ×2", "ping vm1 → 10.0.0.2 ×2"]
    (parallel,) = steps[0]["steps"]
    assert (parallel["rounds"], parallel["failed"]) == (2, 0)
    assert [step["step"] for step in parallel["steps"]] == ["wait 1s", "wait 2s"]
    assert "rounds" not in steps[1]


def test_a_check_in_a_repeat_counts_on_from_the_start_of_the_run() -> None:
    report = run(
        "{wait: 3s}",
        "{repeat: {count: 3, steps: ["
        "{ping: {from: vm1, to: 10.0.0.2, count: 1}}, "
        "{expect: {frames matching icmp on vm1:eth0: '<= 5'}}]}}",
    )
    check = report.steps[3]
    assert (check.rounds, check.failed_rounds) == (3, 1)
    assert [str(failure) for failure in check.failures] == [
        "expected frames matching icmp on vm1:eth0 <= 5, saw 6"
    ]


def test_a_round_that_was_cut_short_does_not_count() -> None:
    with fabric("{repeat: {count: 5, steps: [{wait: 1s}]}}") as lab:
        lab.run(until="1500ms")
    wait = lab.report().steps[1]
    assert (wait.rounds, wait.failed_rounds, wait.held) == (1, 0, False)


def test_frames_on_a_device_that_has_gone_are_an_error_of_the_step() -> None:
    report = run(
        "{move: {vm: vm1, to: h2, switch: br0}}", "{wait: 1s, expect: {frames on h1:vnet0: 0}}"
    )
    assert report.steps[1].error == "h1:vnet0 is there no more (its machine has moved)"


def test_an_echo_step_is_echoed_whatever_came_before_it(lab_with: LabWith) -> None:
    with lab_with(
        "  - {udp: {from: vm1, to: vm2, count: 2, echo: false}, expect: {received: 2}}\n"
        "  - {udp: {from: vm1, to: vm2, count: 3}, expect: {received: 3}}\n"
        "  - {udp: {from: vm1, to: vm2, count: 2, echo: false}, expect: {received: 2, "
        "frames matching udp on vm1:eth0: 2}}\n"
    ) as lab:
        assert failures(lab.run()) == []


def test_samples_differ_from_one_time_to_the_next() -> None:
    text = """
version: 1
hosts: {h1: {switches: {br0: }}}
vms: {vm: {count: 30, host: h1, vnics: [{ip: 10.0.0.1/24}]}}
"""
    with Lab.from_text(text) as lab:
        first = set(lab.pingall(sample=10).outcomes)
        lab.advance("1s")
        second = set(lab.pingall(sample=10).outcomes)
    with Lab.from_text(text) as lab:
        assert set(lab.pingall(sample=10).outcomes) == first != second


def test_a_run_that_ends_inside_a_repeat_has_not_held() -> None:
    with fabric("{repeat: {count: 5, steps: [{wait: 1s}, {wait: 1s}]}}", "{wait: 1s}") as lab:
        lab.run(until="3500ms")
    by_title: list[StepOutcome] = lab.report().steps
    assert [o.held for o in by_title] == [False, True, False, False]
    assert by_title[0].error == "not finished when the run ended"
    assert by_title[0].seen == {"rounds": 1}


def test_a_thousand_rounds_do_not_pile_up() -> None:
    report = run(
        "{repeat: {count: 2000, steps: [{wait: 1ms}, {fdb: {switch: sw1}}, "
        "{link: {end: 'h1:eth0', state: up}}]}}"
    )
    assert [o.rounds for o in report.steps] == [1, 2000, 2000, 2000]
    assert report.virtual_ns == parse_duration_ns("2s")


def test_an_error_inside_a_repeat_is_the_steps_own(lab_with: LabWith) -> None:
    with lab_with(
        "  - {repeat: {count: 2, steps: [{arping: {from: vm1, to: 172.16.0.1}}]}}\n  - {wait: 1s}\n"
    ) as lab:
        report = lab.run()
    assert [o.held for o in report.steps] == [True, False, True]
    assert "172.16.0.1 is not on a connected net" in report.steps[1].error
    assert report.steps[1].failed_rounds == 2


@pytest.mark.parametrize("until", ["1s", "2500ms"])
def test_a_run_in_parts_is_the_same_run(until: str) -> None:
    steps = (
        "{parallel: [{ping: {from: vm1, to: vm2, count: 3}, expect: {frames on sw1:p2: '> 1'}}, "
        "{repeat: {count: 3, steps: [{wait: 700ms}]}}]}",
        "{move: {vm: vm1, to: h2, switch: br0}}",
        PING,
    )
    whole, parts = fabric(*steps), fabric(*steps)

    def shown(lab: Lab) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = lab.report().as_json()["steps"]
        return found

    whole.run()
    parts.run(until=until)
    parts.run()
    assert shown(parts) == shown(whole)


def test_arping_expects_the_mac_of_a_machine_by_name() -> None:
    text = """
version: 1
hosts:
  h1: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.1/24}}}
  h2: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.2/24}}}
links: [{ends: ['h1:eth0', 'h2:eth0']}]
scenario:
"""
    step = "  - {arping: {from: h1, to: 10.0.0.2}, expect: {mac: %s}}\n"
    good = [step % name for name in ("h2", "'h2:eth0'", "'!= h1'")]
    with Lab.from_text(text + "".join([*good, step % "h1"])) as lab:
        outcomes = lab.run().steps
    assert [outcome.held for outcome in outcomes] == [True, True, True, False]
    with pytest.raises(TopologyError, match="there is no node 'h3'"):
        Lab.from_text(text + step % "h3")
