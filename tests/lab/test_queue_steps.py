"""Queues in a topology file, and the step that changes and reads them."""

from __future__ import annotations

from vnet.lab.lab import Lab
from vnet.lab.report import Report

LAB = """
version: 1
routers:
  r1:
    nics:
      eth0:
        ip: 10.0.0.1/24
        tc:
          - 'qdisc add root handle 1: tbf rate 1mbit burst 10kb latency 50ms'
          - 'qdisc add parent 1:1 handle 10: prio'
          - qdisc add ingress
          - filter add ingress protocol ip u32 match ip protocol 17 0xff action drop
  r2: {nics: {eth0: {ip: 10.0.0.2/24, tc: qdisc add root netem delay 10ms}}}
switches: {sw1: {ports: 2}}
links:
  - {ends: ['r1:eth0', 'sw1:p1']}
  - {ends: ['r2:eth0', 'sw1:p2']}
"""


def run(*steps: str) -> Report:
    text = LAB + "scenario:\n" + "".join(f"  - {step}\n" for step in steps)
    with Lab.from_text(text) as lab:
        return lab.run()


PING = "{ping: {from: r1, to: r2, count: 2, interval: 100ms, timeout: 1s}"


def failures(report: Report) -> list[str]:
    return [f"{o.title}: {f}" for o in report.steps for f in o.failures] + [
        o.error for o in report.steps if o.error
    ]


def test_queues_of_a_file_stand_from_the_start() -> None:
    report = run(
        PING + ", expect: {received: 2, rtt_min_ms: 10}}",
        "{tc: {device: 'r1:eth0'}, expect: {kind: tbf, sent_packets: 3}}",
        "{tc: {device: 'r1:eth0', handle: '10:'}, expect: {kind: prio, sent_bytes: '> 200'}}",
        "{udp: {from: r2, to: r1, count: 2}, expect: {received: 0}}",
        "{counters: {device: 'r1:eth0'}, expect: {tc-filter: 2}}",
    )
    assert failures(report) == []


def test_a_step_changes_queues_of_machines_and_of_switches() -> None:
    report = run(
        "{tc: {device: 'r2:eth0', command: qdisc del root}, expect: {kind: pfifo_fast}}",
        "{tc: {device: 'sw1:p1', command: qdisc add root netem loss 100%}, expect: {kind: netem}}",
        PING + ", expect: {received: 0}}",
        "{tc: {device: 'sw1:p1'}, expect: {dropped: '>= 2', sent_packets: 0}}",
        "{tc: {device: 'sw1:p1', command: qdisc change root netem loss 0%}}",
        PING + ", expect: {received: 2}}",
    )
    assert failures(report) == []


def test_what_the_kernel_refuses_when_the_step_comes_is_told_in_its_words() -> None:
    report = run("{tc: {device: 'r2:eth0', command: 'qdisc add parent 5:1 pfifo'}}")
    assert failures(report) == ["Error: Failed to find specified qdisc."]


def test_a_machine_runs_tc_as_typed() -> None:
    with Lab.from_text(LAB) as lab:
        router = lab.machine("r1")
        assert router.tc("qdisc replace dev eth0 root handle 2: pfifo limit 9") == ""
        assert router.tc("qdisc show dev eth0 root") == "qdisc pfifo 2: root refcnt 2 limit 9p"


def test_a_tcp_transfer_gets_what_a_bucket_lets_through_and_no_more() -> None:
    report = run(
        "{tc: {device: 'r1:eth0', command: "
        "'qdisc replace root handle 1: tbf rate 10mbit burst 15kb latency 30ms'}}",
        "{iperf3: {from: r1, to: r2, time: 2s}, expect: {goodput_mbit: '< 10'}}",
        "{tc: {device: 'r1:eth0'}, expect: {sent_bytes: '> 2000000', overlimits: '> 0'}}",
    )
    assert failures(report) == []
