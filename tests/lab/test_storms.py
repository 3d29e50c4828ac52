"""A loop without spanning tree: the storm is bounded, and has a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet.cli.render import storm_text
from vnet.lab.lab import Lab
from vnet.lab.report import Report
from vnet.lab.shipped import shipped

RING = """
version: 1
name: ring
hosts:
  h1: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.1/24}}}
  h2: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.2/24}}}
switches: {s1: , s2: , s3: }
links:
  - {ends: ['h1:eth0', 's1:h'], latency: 10us, bandwidth: 10mbit}
  - {ends: ['h2:eth0', 's2:h'], latency: 10us, bandwidth: 10mbit}
  - {ends: ['s1:a', 's2:a'], latency: 10us, bandwidth: 1mbit, queue: 20}
  - {ends: ['s2:b', 's3:b'], latency: 10us, bandwidth: 1mbit, queue: 20}
  - {ends: ['s3:c', 's1:c'], latency: 10us, bandwidth: 1mbit, queue: 20, up: %s}
scenario:
  - %s
  - {wait: 2s}
"""

ARPING = "{arping: {from: h1, to: 10.0.0.99, count: 3}}"


def run(step: str = ARPING, closed: str = "true") -> tuple[Lab, Report]:
    with Lab.from_text(RING % (closed, step)) as lab:
        return lab, lab.run()


def test_a_storm_is_named_with_its_loop() -> None:
    lab, report = run()
    (storm,) = report.storms
    assert storm.loop == ("s1", "s2", "s3")
    assert sorted(storm.copies) == ["s1", "s2", "s3"]
    assert storm.mac == lab.host("h1").vnic("eth0").mac
    assert storm.began_ns < 10_000_000
    assert storm.ended_ns > report.virtual_ns - 100_000_000
    frames, ports = storm.copies["s1"]
    assert frames > 1000
    assert ports == ("a", "c")
    assert report.as_json()["storms"][0]["loop"] == ["s1", "s2", "s3"]
    text = storm_text(storm)
    assert text.startswith("storm in the loop of s1, s2, s3, from ")
    assert f"frames of {storm.mac} came back to s1 {frames} by a, c" in text


def test_a_storm_is_bounded_by_the_links_rate_and_queue() -> None:
    lab, report = run()
    seconds = report.virtual_ns / 1e9
    for link in lab.network.links[2:]:
        for end in link.ends:
            assert end.tx_bytes * 8 / seconds <= 1_000_000
            assert len(end.queued) <= 21


def test_a_storm_ends_when_the_loop_is_opened() -> None:
    link = "{parallel: [%s, {repeat: {count: 1, steps: [{wait: 1s}, %s]}}]}"
    _, report = run(link % (ARPING, "{link: {end: 's3:c', state: down}}"))
    (storm,) = report.storms
    assert 900_000_000 < storm.ended_ns < 1_100_000_000


@pytest.mark.parametrize(
    "step",
    [
        ARPING,
        "{ping: {from: h1, to: h2, count: 300, interval: 1ms}}",
        '{send: {from: h1, packet: \'Ether(dst="ff:ff:ff:ff:ff:ff")/"same"\', count: 500, '
        "interval: 1ms}}",
    ],
)
def test_without_a_loop_nothing_is_called_a_storm(step: str) -> None:
    _, report = run(step, closed="false")
    assert report.storms == []
    assert "storms" not in report.as_json()


SAID_AGAIN = """
version: 1
hosts:
  h1: {nics: {eth0: }, switches: {br0: }}
  h2: {nics: {eth0: }, switches: {br0: }}
vms: {a: {host: h1, vnics: [{ip: 10.0.0.1/24}]}}
switches: {s1: , s2: , s3: , s4: }
links:
  - {ends: ['h1:eth0', 's1:h'], latency: 10us, bandwidth: 1gbit}
  - {ends: ['h2:eth0', 's4:h'], latency: 10us, bandwidth: 1gbit}
  - {ends: ['s1:a', 's2:a'], latency: 10us, bandwidth: 1gbit}
  - {ends: ['s2:c', 's4:c'], latency: 10us, bandwidth: 1gbit}
  - {ends: ['s1:b', 's3:b'], latency: 10us, bandwidth: 1gbit, up: false}
  - {ends: ['s3:d', 's4:d'], latency: 10us, bandwidth: 1gbit}
scenario:
  - send: &say
      {from: a, packet: 'Ether(dst="ff:ff:ff:ff:ff:ff")/"same"', count: 300, interval: 1ms}
"""


@pytest.mark.parametrize(
    "steps",
    [
        "  - {move: {vm: a, to: h2}}\n",
        "  - {link: {end: 's1:a', state: down}}\n  - {link: {end: 's1:b', state: up}}\n",
        "  - {link: {end: 's1:a', state: down}}\n  - {link: {end: 's1:b', state: up}}\n"
        "  - {wait: 600s}\n",
    ],
)
def test_what_is_said_again_from_elsewhere_is_no_storm(steps: str) -> None:
    with Lab.from_text(SAID_AGAIN + steps + "  - {send: *say}\n") as lab:
        report = lab.run()
    assert report.held
    assert report.storms == []


def test_only_cables_that_were_plugged_in_make_the_loop() -> None:
    text = Path(shipped()["broadcast-storm"]).read_text()
    head = text[: text.index("scenario:")]
    steps = (
        "scenario:\n  - {link: {end: 's1:c', state: up}}\n"
        "  - {arping: {from: h1, to: 10.0.0.99, interval: 500ms}}\n"
        "  - {link: {end: 's1:c', state: down}}\n"
    )
    with Lab.from_text(head + steps) as lab:
        (storm,) = lab.run().storms
    assert storm.loop == ("s1", "s2", "s3")
    assert sorted(storm.copies) == ["s1", "s2", "s3"]


def test_a_machine_that_moves_is_no_storm() -> None:
    text = """
version: 1
hosts: {h1: {switches: {br0: , br1: }}, h2: {switches: {br0: }}}
vms: {vm1: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br0}]}}
scenario:
  - repeat: {count: 200, steps: [{move: {vm: vm1, to: h2}}, {move: {vm: vm1, to: h1, switch: br0}}]}
"""
    with Lab.from_text(text) as lab:
        assert lab.run().storms == []


@pytest.mark.slow
def test_two_storms_are_two() -> None:
    plug, pull = "{link: {end: 's3:c', state: up}}", "{link: {end: 's3:c', state: down}}"
    steps = ", ".join((plug, ARPING, "{wait: 1s}", pull, "{wait: 30s}"))
    _, report = run(f"{{repeat: {{count: 2, steps: [{steps}]}}}}", closed="false")
    first, second = report.storms
    assert first.ended_ns < 5_000_000_000 < 30_000_000_000 < second.began_ns


@pytest.mark.parametrize("frames", [250, 257, pytest.param(600, marks=pytest.mark.slow)])
def test_a_storm_of_many_frames_is_a_storm(frames: int) -> None:
    text = """
version: 1
hosts: {h1: {nics: {eth0: {ip: 10.0.0.1/24}}}}
switches: {s1: , s2: , s3: }
links:
  - {ends: ['h1:eth0', 's1:h'], latency: 1ms}
  - {ends: ['s1:a', 's2:a'], latency: 1ms}
  - {ends: ['s2:b', 's3:b'], latency: 1ms}
  - {ends: ['s3:c', 's1:c'], latency: 1ms}
"""
    with Lab.from_text(text) as lab:
        for number in range(frames):
            lab.host("h1").vnic("eth0").send(b"\xff" * 6 + b"\2" * 6 + number.to_bytes(50, "big"))
        lab.advance("100ms")
        (storm,) = lab.report().storms
    assert sorted(storm.copies) == ["s1", "s2", "s3"]
    assert all(copies > 1_000 for copies, _ports in storm.copies.values())


def test_a_ring_that_a_moved_plug_has_closed_is_named() -> None:
    text = """
version: 1
hosts: {h1: {nics: {eth0: {ip: 10.0.0.1/24}}}}
switches: {s1: , s2: , s3: }
links:
  - {ends: ['h1:eth0', 's1:h']}
  - {ends: ['s1:a', 's2:a'], latency: 10us, bandwidth: 1mbit, queue: 20}
  - {ends: ['s2:b', 's3:b'], latency: 10us, bandwidth: 1mbit, queue: 20}
  - {ends: ['s3:c', 's3:d'], latency: 10us, bandwidth: 1mbit, queue: 20, up: false}
scenario:
  - {link: {end: 's3:c', to: 's1:c', state: up}}
  - {arping: {from: h1, to: 10.0.0.99, count: 1}}
  - {wait: 300ms}
"""
    with Lab.from_text(text) as lab:
        (storm,) = lab.run().storms
    assert storm.loop == ("s1", "s2", "s3")
