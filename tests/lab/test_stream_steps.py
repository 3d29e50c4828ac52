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


FORWARDING = """
version: 1
hosts:
  h1:
    mode: nat
    nics: {eth0: {ip: 203.0.113.1/24}}
    iptables:
      nat:
        PREROUTING:
          - -i eth0 -p tcp --dport 8080 -j DNAT --to-destination 192.168.122.50:80
          - -i eth0 -p tcp --dport 5201 -j DNAT --to-destination 192.168.122.50
          - -i eth0 -p udp --dport 5353 -j DNAT --to-destination 192.168.122.50:53
        POSTROUTING:
          - -d 192.168.122.50 -p udp -j MASQUERADE
vms:
  web: {host: h1, gateway: 192.168.122.1, vnics: [{ip: 192.168.122.50/24}]}
routers:
  out: {nics: {eth0: {ip: 203.0.113.9/24}}}
links: [{ends: ['h1:eth0', 'out:eth0'], latency: 1ms}]
scenario:
  - {iptables: {machine: h1, commands: -I FORWARD 1 -d 192.168.122.50 -j ACCEPT}, at: 5s}
"""


def test_the_server_of_a_step_may_be_a_machine_behind_a_translation() -> None:
    steps = (
        "{http: {from: out, to: 203.0.113.1, port: 8080, size: 3000, server: 'web:80'}, "
        "expect: {status: 200, received_bytes: 3000}}",
        "{tcp: {from: out, to: 203.0.113.1, port: 8080, server: web:80}}",
        "{iperf3: {from: out, to: h1, size: 9000, server: web}, expect: {received_bytes: 9000}}",
        "{udp: {from: out, to: h1, port: 5353, server: web:53}, expect: {received: 1}}",
        "{udp: {from: out, to: h1, port: 5353, server: web:53, echo: false}, "
        "expect: {received: 1}}",
    )
    with Lab.from_text(FORWARDING + _lines(steps)) as lab:
        report = lab.run()
        assert report.held, report
        listening = lab.network.hosts["h1"].namespace.sockets.tcp.listeners
        assert all(port == 53 for _, port in listening)


def test_a_server_makes_way_for_another_kind_once_its_step_has_ended() -> None:
    ends = "from: h1, to: h2, port: 81"
    report = run(
        f"{{http: {{{ends}, size: 10}}}}",
        f"{{tcp: {{{ends}}}}}",
        f"{{iperf3: {{{ends}, size: 10000}}}}",
        f"{{http: {{{ends}, size: 10}}, expect: {{status: 200}}}}",
    )
    assert report.held, report


def test_a_server_that_another_step_needs_is_told_of() -> None:
    tcp = "{tcp: {from: h1, to: h2, port: 81, size: 100000}}"
    report = run(f"parallel: [{tcp}, {{http: {{from: h1, to: h2, port: 81}}}}]")
    assert [step.error for step in report.steps if step.error] == [
        "h2: TCP port 81: Address already in use "
        "(the server of 'tcp h1 → h2:81' has it until that ends; write another port)"
    ]


def test_an_iperf3_behind_a_translation_cannot_have_the_next_port() -> None:
    one = "{iperf3: {from: out, to: h1, size: 90000, server: web}}"
    with Lab.from_text(FORWARDING + f"  - {{at: 5s, parallel: [{one}, {one}]}}\n") as lab:
        assert [step.error for step in lab.run().steps if step.error] == [
            "web: TCP port 5201 is busy with a test of another step "
            "(one after the other, or give each a port of its own)"
        ]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("server: web9", "there is no node 'web9'"),
        ("server: 'h2:http'", "'h2:http' is not of the form machine:port"),
        ("server: 'h2:0'", "'h2:0' is not of the form machine:port"),
        ("server: h2, serve: false", "with 'serve: false' nobody serves"),
    ],
)
def test_servers_that_cannot_be(keys: str, message: str) -> None:
    with pytest.raises(TopologyError, match=message):
        run(f"{{tcp: {{from: h1, to: 10.0.0.2, {keys}}}}}")


def test_the_title_of_an_http_step_tells_its_port_unless_it_is_the_usual_one() -> None:
    steps = (
        "{http: {from: h1, to: h2}, expect: {status: 404}}",
        "{http: {from: h1, to: h2, port: 8080}, expect: {status: 404}}",
    )
    titles = [step.title for step in run(*steps).steps]
    assert titles == ["http h1 → h2/", "http h1 → h2:8080/"]
