"""Running a lab: scenarios whole and in parts, what steps see, and mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP

from vnet import Lab as PublicLab
from vnet.base.errors import (
    ReentryError,
    StorageError,
    TopologyError,
    UsageError,
    VnetError,
)
from vnet.lab.lab import Lab
from vnet.lab.shipped import shipped

MS = 1_000_000
S = 1_000 * MS
LabWith = Callable[..., Lab]


def titles(lab: Lab) -> list[tuple[str, int | None, int | None, bool]]:
    return [(o.title, o.started_ns, o.ended_ns, o.held) for o in lab.report().steps]


# Time


def test_the_public_name() -> None:
    assert PublicLab is Lab


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_topology_holds(name: str) -> None:
    with Lab.load(f"@{name}") as lab:
        report = lab.run()
    assert report.held, [str(f) for o in report.steps for f in o.failures]
    assert report.steps


def test_without_a_scenario_it_runs_on(lab_with: LabWith) -> None:
    lab = lab_with()
    assert lab.run().virtual_ns == 5 * S
    assert lab.run(until="7s").virtual_ns == 7 * S
    assert lab.run().virtual_ns == 12 * S
    assert lab.run(until=1).virtual_ns == 12 * S  # the past is past


def test_a_run_ends_with_its_last_step(lab_with: LabWith) -> None:
    lab = lab_with("  - {at: 1s, ping: {from: vm1, to: vm2, count: 2}, expect: {received: 2}}\n")
    report = lab.run()
    assert report.held
    assert report.virtual_ns == 2 * S + 2 * MS
    assert lab.run().virtual_ns == 7 * S + 2 * MS


def test_until_is_where_the_clock_stands_after(lab_with: LabWith) -> None:
    lab = lab_with("  - {at: 1s, ping: {from: vm1, to: vm2, count: 1}}\n")
    assert lab.run(until="4s").virtual_ns == 4 * S
    assert lab.now_ns == 4 * S


def test_a_run_in_parts_is_the_run(lab_with: LabWith) -> None:
    scenario = (
        "  - {at: 1s, ping: {from: vm1, to: vm2, count: 4}, expect: {received: 4}}\n"
        "  - {udp: {from: vm2, to: vm1, count: 3, interval: 100ms}, expect: {received: 3}}\n"
    )
    whole, parts = lab_with(scenario), lab_with(scenario)
    whole.run()
    report = parts.run(until="2.5s")
    assert not report.held
    assert [outcome.ended_ns for outcome in report.steps] == [None, None]
    assert parts.run(until="2500ms").virtual_ns == 2_500 * MS
    parts.advance(17)
    parts.run()
    assert titles(parts) == titles(whole)
    assert parts.now_ns == whole.now_ns
    for name, packets in whole.captures.items():
        again = parts.captures[name]
        assert [(p.time, bytes(p)) for p in packets] == [(p.time, bytes(p)) for p in again]


def test_advance_does_not_start_the_scenario(lab_with: LabWith) -> None:
    lab = lab_with("  - {at: 1s, wait: 1s}\n")
    lab.advance("3s")
    assert lab.report().steps == []
    assert titles(lab_with("  - {wait: 1s}\n")) == []
    lab.run()
    assert titles(lab) == [("wait 1s", 3 * S, 4 * S, True)]


# Steps


def test_steps_with_and_without_a_time(lab_with: LabWith) -> None:
    lab = lab_with(
        "  - {at: 1s, ping: {from: vm1, to: vm2, count: 3}}\n"
        "  - {at: 2s, wait: 100ms}\n"
        "  - {wait: 1s}\n"
        "  - {at: 1500ms, wait: 5s}\n"
    )
    lab.run()
    assert titles(lab) == [
        ("ping vm1 → vm2 ×3", S, 3 * S + 2 * MS, True),
        ("wait 100ms", 2 * S, 2_100 * MS, True),
        ("wait 1s", 2_100 * MS, 3_100 * MS, True),
        ("wait 5s", 1_500 * MS, 6_500 * MS, True),
    ]


def test_the_first_step_without_a_time_begins_at_once(lab_with: LabWith) -> None:
    lab = lab_with("  - {wait: 1s}\n  - {wait: 2s}\n")
    lab.run()
    assert [(start, end) for _, start, end, _ in titles(lab)] == [(0, S), (S, 3 * S)]


def test_every_kind_of_step(lab_with: LabWith) -> None:
    lab = lab_with(
        "  - {wait: 3s}\n"
        "  - {ping: {from: vm1, to: '2001:db8::2', count: 1}, expect: {received: 1}}\n"
        "  - {ping: {from: h1, to: h2, count: 1, size: 1000, ttl: 3, df: true},"
        " expect: {lost: 0}}\n"
        "  - {arping: {from: vm1, to: 10.0.0.2}, expect: {received: 1}}\n"
        "  - {arping: {from: vm1, to: 10.0.0.2, mode: duplicate}, expect: {duplicate: true}}\n"
        "  - {arping: {from: vm1, to: 10.0.0.1, mode: announce}, expect: {sent: 1}}\n"
        "  - {udp: {from: vm1, to: vm2, count: 2}, expect: {received: 2, errors: 0}}\n"
        "  - {udp: {from: vm1, to: vm2, port: 9, count: 2, echo: false}, expect: {received: 2}}\n"
        "  - {send: {from: vm1, packet: 'IP(dst=\"10.0.0.2\")/ICMP()', count: 2},"
        " expect: {sent: 2}}\n"
        "  - {link: {end: 'h1:eth0', state: down}, expect: {state: down}}\n"
        "  - {ping: {from: vm1, to: vm2, count: 1}, expect: {received: 0}}\n"
        "  - {link: {end: 'h1:eth0', state: up}, expect: {state: up}}\n"
        "  - {ping: {from: vm1, to: vm2, count: 1}, expect: {received: 1}}\n"
    )
    report = lab.run()
    assert report.held, [(o.title, o.error, o.failures) for o in report.steps if not o.held]


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("received: 3", "expected received == 3, saw 1"),
        ("received: '> 1'", "expected received > 1, saw 1"),
        ("rtt_max_ms: '< 2'", "expected rtt_max_ms < 2"),
        ("lost: '!= 0'", "expected lost != 0, saw 0"),
    ],
)
def test_an_expectation_that_fails(lab_with: LabWith, expect: str, words: str) -> None:
    lab = lab_with(f"  - {{ping: {{from: vm1, to: vm2, count: 1}}, expect: {{{expect}}}}}\n")
    report = lab.run()
    assert not report.held
    assert [str(failure)[: len(words)] for failure in report.steps[0].failures] == [words]
    assert report.as_json()["steps"][0]["held"] is False


def test_what_was_not_seen_fails(lab_with: LabWith) -> None:
    lab = lab_with(
        "  - {ping: {from: vm1, to: 10.0.0.99, count: 1}, expect: {rtt_max_ms: '< 5'}}\n"
    )
    assert str(lab.run().steps[0].failures[0]) == "expected rtt_max_ms < 5, saw None"


def test_a_step_that_cannot_run_says_why_and_the_rest_goes_on(lab_with: LabWith) -> None:
    lab = lab_with(
        "  - {arping: {from: vm1, to: 172.16.0.1}}\n"
        "  - {ping: {from: vm1, to: 172.16.0.1, count: 1}, expect: {errors: 1}}\n"
        "  - {wait: 1s}\n"
    )
    report = lab.run()
    assert "not on a connected net" in report.steps[0].error
    assert [outcome.held for outcome in report.steps] == [False, True, True]
    assert not report.held


def test_unfinished_steps_are_judged_when_the_lab_closes(lab_with: LabWith) -> None:
    lab = lab_with(
        "  - {ping: {from: vm1, to: vm2, count: 10}, expect: {received: 10}}\n  - {wait: 1s}\n"
    )
    lab.run(until="2500ms")
    report = lab.close()
    first, second = report.steps
    assert first.seen["received"] == 3
    assert first.error == "not finished when the run ended"
    assert second.error == "not begun when the run ended"
    assert str(first.failures[0]) == "expected received == 10, saw 3"
    assert second.started_ns is None
    assert not report.held
    assert lab.close().steps[0].failures == first.failures  # closing twice changes nothing


# What a lab tells


def test_links_and_drops_are_counted(lab_with: LabWith) -> None:
    lab = lab_with()
    lab.vm("vm1").ping("10.0.0.2", count=2)
    lab.vm("vm1").ping("10.0.0.99", count=1)
    report = lab.report()
    assert [(row.source, row.target) for row in report.links] == [
        ("h1:eth0", "h2:eth0"),
        ("h2:eth0", "h1:eth0"),
    ]
    assert report.links[0].frames > report.links[1].frames > 0
    drops = {(row.place, row.reason.word): row.frames for row in report.drops}
    assert drops["vm1:eth0", "no-neighbor"] == 1


def test_views(lab_with: LabWith) -> None:
    lab = lab_with()
    lab.vm("vm1").ping("vm2", count=1)
    assert lab.name == "small"
    assert lab.machine("vm1").name == lab.vm("vm1").name == "vm1"
    assert lab.machine("h1").name == "h1"
    assert [vnic.name for vnic in lab.vm("vm1").vnics] == ["vm1:eth0"]
    assert lab.vm("vm1").vnic("eth0") is lab.vm("vm1").vnic()
    fdb = lab.switch("h1:xenbr0").fdb()
    assert {entry["port"] for entry in fdb} >= {"vif1.0", "peth0"}
    assert "vm1:eth0" in lab.graph
    assert repr(lab).startswith("<Lab small at ")


# Mistakes


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda lab: lab.vm("vm9"), r"no VM vm9 \(there are vm1, vm2\)"),
        (lambda lab: lab.host("vm1"), r"no host vm1 \(there are h1, h2\)"),
        (lambda lab: lab.router("r1"), r"no router r1 \(there are none\)"),
        (lambda lab: lab.machine("x"), r"no machine x \(there are h1, h2, vm1, vm2\)"),
        (lambda lab: lab.switch("sw"), r"no switch sw \(there are h1:xenbr0, h2:xenbr0\)"),
        (lambda lab: lab.switch("xenbr0"), "say h1:xenbr0 or h2:xenbr0"),
        (lambda lab: lab.vm("vm1").vnic(3), r"vm1 has no vNIC 3 \(it has eth0\)"),
        (lambda lab: lab.vm("vm1").vnic("eth9"), "vm1 has no vNIC eth9"),
        (lambda lab: lab.vm("vm1").namespace.interface("eth9"), "does not exist"),
        (lambda lab: lab.run(until="soon"), "not a virtual time"),
        (lambda lab: lab.run(until=-1), "not a virtual time"),
        (lambda lab: lab.run(until=1.5), "not a virtual time"),
        (lambda lab: lab.advance("-2s"), "not a virtual time"),
        (lambda lab: lab.advance(None), "how long"),
        (lambda lab: lab.trace("vm9", IP()), "no machine vm9"),
        (lambda lab: lab.trace("vm1", IP(dst="10.0.0.2"), within="long"), "not a virtual time"),
        (lambda lab: lab.trace("vm1", "hello"), "not str"),
        (lambda lab: Lab.load("@nothing"), r"no shipped topology @nothing \(there are @"),
        (lambda lab: Lab.load("/nonexistent.yaml"), "there is no such file"),
        (lambda lab: Lab.from_text("version: 2"), "version"),
        (lambda lab: Lab.load("@two-vms", pcap_format="txt"), "no format 'txt'"),
    ],
)
def test_mistakes_are_vnet_errors(
    lab_with: LabWith, call: Callable[[Lab], object], words: str
) -> None:
    lab = lab_with()
    with pytest.raises(VnetError, match=words):
        call(lab)
    assert lab.now_ns == 0


def test_exit_codes() -> None:
    assert issubclass(TopologyError, VnetError)
    assert (UsageError("x").exit_code, StorageError("x").exit_code) == (2, 3)


def test_a_folder_that_cannot_be_written(tmp_path: Any) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="choose another folder for captures"):
        Lab.load("@two-vms", pcap_dir=tmp_path / "file" / "below")


@pytest.mark.parametrize(
    "call",
    [
        lambda lab: lab.run(),
        lambda lab: lab.advance("1s"),
        lambda lab: lab.trace("vm1", IP(dst="10.0.0.2") / ICMP()),
        lambda lab: lab.vm("vm1").ping("10.0.0.2"),
        lambda lab: lab.vm("vm1").udp("10.0.0.2"),
    ],
)
def test_inside_an_event_and_after_the_end(
    lab_with: LabWith, call: Callable[[Lab], object]
) -> None:
    lab = lab_with("  - {ping: {from: vm1, to: vm2, count: 1}}\n")
    lab.scheduler.after(0, lambda: call(lab))
    with pytest.raises(ReentryError):
        lab.advance(0)
    lab.advance("1s")
    assert [f for f in lab.vm("vm1").vnic(0).sent if ICMP in f] == []
    lab.close()
    with pytest.raises(UsageError, match="closed"):
        call(lab)


def test_an_event_that_raises_does_not_break_the_lab(lab_with: LabWith) -> None:
    lab = lab_with()

    def bad() -> None:
        raise KeyError("a user's callback")

    lab.scheduler.at(S, bad)
    with pytest.raises(KeyError):
        lab.advance("2s")
    assert lab.now_ns == S
    lab.advance("1s")
    assert lab.vm("vm1").ping("10.0.0.2", count=1).received == 1


def test_a_ping_that_is_interrupted_leaves_nothing_behind(lab_with: LabWith) -> None:
    lab = lab_with()

    def interrupt() -> None:
        raise KeyboardInterrupt

    lab.scheduler.at(1_500 * MS, interrupt)
    with pytest.raises(KeyboardInterrupt):
        lab.vm("vm1").ping("10.0.0.2", count=10)
    assert lab.vm("vm1").namespace.sockets.echo == {}
    lab.advance("5s")
    assert len([f for f in lab.vm("vm1").vnic(0).sent if ICMP in f]) == 2


@pytest.mark.parametrize("until", ["1300000h", 2**62])
def test_a_lab_runs_for_a_century_at_most(lab_with: LabWith, until: str | int) -> None:
    with lab_with() as lab:
        with pytest.raises(UsageError, match="a century at most"):
            lab.run(until=until)
        with pytest.raises(UsageError, match="a century at most"):
            lab.advance(until)
