"""Steps over TCP in a scenario."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vnet.base.errors import TopologyError
from vnet.lab.lab import Lab
from vnet.lab.report import Report

LAB = """
version: 1
hosts:
  h1: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.1/24}}}
  h2: {hypervisor: kvm, nics: {eth0: {ip: 10.0.0.2/24}}}
links: [{ends: ['h1:eth0', 'h2:eth0'], latency: 1ms, bandwidth: 10mbit}]
scenario:
"""


def run(*steps: str) -> Report:
    with Lab.from_text(LAB + _lines(steps)) as lab:
        return lab.run()


def _lines(steps: Sequence[str]) -> str:
    return "".join(f"  - {step}\n" for step in steps)


def test_expectations_of_steps_over_tcp_are_held_against_what_was_seen() -> None:
    report = run(
        "{tcp: {from: h1, to: h2, size: 9000}, expect: {received_bytes: 9000, errors: 0}}",
        "{tcp: {from: h1, to: 10.0.0.2, port: 9, serve: false}, expect: {errors: 1}}",
        "{iperf3: {from: h1, to: h2, size: 100000}, expect: {goodput_mbit: '>= 5'}}",
        "{iperf3: {from: h1, to: h2, time: 1s, reverse: true, parallel: 2}}",
        "{http: {from: h2, to: h1, path: /a, size: 0}, expect: {status: 200, received_bytes: 0}}",
        "{http: {from: h2, to: h1, path: /a}, expect: {status: 404}}",
        "{iperf3: {from: h1, to: h2, size: 100000}, expect: {retransmits: '>= 1'}}",
    )
    assert [o.title for o in report.steps if o.failures] == ["iperf3 h1 → h2"]
    assert report.steps[3].seen["goodput_mbit"] > 8
    assert report.steps[1].remarks == ["Connection refused"]
    assert not report.held


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{tcp: {from: h9, to: h2}}", "there is no node 'h9'"),
        ("{http: {from: h1, to: h2, path: index.html}}", "path"),
        ("{iperf3: {from: h1, to: h2, parallel: 0}}", "parallel"),
        ("{iperf3: {from: h1, to: h2}, expect: {lost: 0}}", "iperf3 does not report 'lost'"),
    ],
)
def test_steps_that_cannot_be(step: str, message: str) -> None:
    with pytest.raises(TopologyError) as refused:
        run(step)
    assert message in str(refused.value)


def test_one_iperf3_after_the_other_finds_its_server_free() -> None:
    """The end of a test is still on its way, or lost, when the next begins."""
    steps = ["{iperf3: {from: h1, to: h2, size: 50000}, expect: {received_bytes: 50000}}"] * 8
    with Lab.from_text(LAB.replace("10mbit", "5mbit, loss: 3%") + _lines(steps)) as lab:
        assert lab.run().held
        lab.advance("10s")
        assert lab.network.hosts["h2"].serve_iperf().tests == 8


def test_parallel_iperf3_have_ports_of_their_own() -> None:
    one = "{iperf3: {from: h1, to: h2, size: 200000}, expect: {received_bytes: 200000}}"
    back = "{iperf3: {from: h2, to: h1, size: 200000}, expect: {received_bytes: 200000}}"
    with Lab.from_text(LAB + _lines([f"parallel: [{one}, {back}, {one}]", one])) as lab:
        assert lab.run().held
        lab.advance("1s")
        h2 = lab.network.hosts["h2"]
        assert [h2.serve_iperf(port).tests for port in (5201, 5202)] == [2, 1]


@pytest.mark.parametrize("expect", ["", ", expect: {received_bytes: 0}"])
def test_a_transfer_that_failed_does_not_hold(expect: str) -> None:
    report = run(f"{{tcp: {{from: h1, to: h2, port: 9, serve: false}}{expect}}}")
    assert [str(f) for f in report.steps[0].failures] == ["expected errors == 0, saw 1"]
    assert not report.held


def test_a_ping_that_nobody_answered_has_measured_that() -> None:
    assert run("{ping: {from: h1, to: 10.0.0.9, count: 1}}").held
