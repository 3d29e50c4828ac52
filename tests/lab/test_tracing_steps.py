"""Steps that trace a path, and what they report."""

from __future__ import annotations

from vnet.lab.lab import Lab

LAB = """
version: 1
routers:
  a: {nics: {e: {ip: 10.0.1.1/24}}, gateway: 10.0.1.2}
  b: {nics: {e: {ip: 10.0.1.2/24}, f: {ip: 10.0.2.2/24, mtu: 1300}}}
  c: {nics: {e: {ip: 10.0.2.3/24, mtu: 1300}}, gateway: 10.0.2.2}
links:
  - {ends: ['a:e', 'b:e'], latency: 1ms}
  - {ends: ['b:f', 'c:e'], latency: 1ms}
scenario:
  - traceroute: {from: a, to: c, queries: 1}
    expect: {hops: 2, reached: true, path: 10.0.1.2 10.0.2.3, note: ''}
  - traceroute: {from: a, to: 10.9.9.9, icmp: true, hops: 3, wait: 1s}
    expect: {reached: false, note: '!N', path: 10.0.1.2}
  - wait: 10s
  - tracepath: {from: a, to: c}
    expect: {pmtu: 1300, hops: 2, back: 2, reached: true}
"""


def test_the_steps_report_hops_path_and_path_mtu() -> None:
    with Lab.from_text(LAB) as lab:
        report = lab.run()
    assert [f"{step.title}: {failure}" for step in report.steps for failure in step.failures] == []
