"""Names in a scenario: asking for them, and using them as targets."""

from __future__ import annotations

import pytest

from vnet.lab.lab import Lab
from vnet.lab.report import Report

LAB = """
version: 1
hosts:
  h1:
    hypervisor: kvm
    sysctls: {net.ipv4.ip_forward: 1}
    nics: {eth0: {ip: 203.0.113.1/24}}
    switches:
      br0:
        uplink: none
        ip: 10.0.0.1/24
        dns:
          domain: lab.test
          upstream: 203.0.113.2
          records: [www.lab.test CNAME vm2.lab.test]
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.2/24}], gateway: 10.0.0.1,
        dns: {servers: 10.0.0.1, search: lab.test}}
  vm2: {host: h1, vnics: [{ip: 10.0.0.3/24}]}
routers:
  out:
    gateway: 203.0.113.1
    nics:
      eth0:
        ip: 203.0.113.2/24
        dns: {domain: example.test, ttl: 1min, hosts: {far: 203.0.113.2}}
links: [{ends: ['h1:eth0', 'out:eth0'], latency: 1ms}]
scenario:
"""


def run(*steps: str) -> Report:
    with Lab.from_text(LAB + "".join(f"  - {step}\n" for step in steps)) as lab:
        return lab.run()


def test_a_name_is_asked_for_and_the_answer_is_judged() -> None:
    report = run(
        "{dns: {from: vm1, name: vm2.lab.test}, expect: {data: 10.0.0.3, authoritative: true}}",
        "{dns: {from: vm1, name: www.lab.test}, expect: {answers: 2, status: NOERROR}}",
        "{dns: {from: vm1, name: far.example.test}, expect: {data: 203.0.113.2, time_ms: '>= 2'}}",
        "{dns: {from: vm1, name: far.example.test}, "
        "expect: {time_ms: '< 1', authoritative: false}}",
        "{dns: {from: vm2, name: 10.0.0.2, server: h1}, expect: {data: vm1.lab.test.}}",
        "{dns: {from: vm2, name: x.lab.test, server: 10.0.0.1}, expect: {status: NXDOMAIN}}",
        "{dns: {from: vm1, name: elsewhere.org, type: MX}, expect: {status: REFUSED}}",
        "{dns: {from: vm1, name: vm2.lab.test, tcp: true}, expect: {tcp: true, sent: 1}}",
        "{dns: {from: vm2, name: a, server: vm1, tries: 1}, expect: {received: 0, status: none}}",
    )
    assert [outcome.failures for outcome in report.steps] == [[]] * 9


def test_a_lookup_that_nobody_answers_has_failed() -> None:
    (outcome,) = run("{dns: {from: vm2, name: a.test, server: vm1, tries: 1}}").steps
    assert [failure.expectation.key for failure in outcome.failures] == ["received"]


@pytest.mark.parametrize(
    ("step", "expect"),
    [
        ("ping: {from: vm1, to: www.lab.test, count: 2}", "{received: 2}"),
        ("ping: {from: vm1, to: www, count: 1}", "{received: 1}"),
        ("udp: {from: vm1, to: vm2.lab.test, count: 3, interval: 1ms}", "{received: 3}"),
        ("tcp: {from: vm1, to: far.example.test, size: 5000}", "{received_bytes: 5000}"),
        ("http: {from: vm1, to: www.lab.test, path: /a, size: 9}", "{status: 200}"),
        ("iperf3: {from: vm1, to: www.lab.test, size: 100000}", "{received_bytes: '> 0'}"),
        ("traceroute: {from: vm1, to: far.example.test}", "{hops: 2, reached: true}"),
        ("tracepath: {from: vm1, to: far.example.test}", "{reached: true}"),
        ("ping: {from: vm1, to: nosuch.lab.test, count: 1}", "{errors: 1, sent: 0}"),
    ],
)
def test_a_target_may_be_a_name_that_the_dns_knows(step: str, expect: str) -> None:
    report = run(f"{{{step}, expect: {expect}}}")
    assert report.steps[0].failures == []


def test_looking_up_what_a_target_is_called_leaves_frames_on_the_wire() -> None:
    report = run(
        "{ping: {from: vm1, to: www, count: 1}, "
        "expect: {frames matching udp port 53 on vm1:eth0: 4, received: 1}}",
    )
    assert report.steps[0].failures == []


def test_a_name_without_an_address_is_told_in_the_words_of_the_resolver() -> None:
    (outcome,) = run("{ping: {from: vm1, to: nosuch.lab.test}}").steps
    assert outcome.remarks == ["nosuch.lab.test: Name or service not known"]


def test_the_same_lookups_are_there_in_python() -> None:
    with Lab.from_text(LAB) as lab:
        vm1 = lab.vm("vm1")
        assert vm1.resolve("www") == ["10.0.0.3"]
        assert vm1.dig("far.example.test").answers == ["203.0.113.2"]
        assert vm1.dig("lab.test", "SOA", server="h1").status == "NOERROR"
        assert vm1.ping("www.lab.test", count=1).received == 1


LEASES = """
version: 1
hosts:
  h1:
    hypervisor: kvm
    mode: nat
    nics: {eth0: {ip: 203.0.113.1/24}}
    dns: 203.0.113.2
  out:
    hypervisor: kvm
    nics: {eth0: {ip: 203.0.113.2/24, dns: {domain: example.test, hosts: {far: 203.0.113.2}}}}
vms:
  vm1: {host: h1, vnics: [{ip: dhcp}]}
  vm2: {host: h1, vnics: [{ip: dhcp}]}
links: [{ends: ['h1:eth0', 'out:eth0']}]
scenario:
  - wait: 40s
"""


def test_a_virtual_network_knows_who_has_leases_and_asks_whom_its_host_asks() -> None:
    steps = (
        "{dns: {from: vm1, name: vm2}, expect: {answers: 1, authoritative: true}}",
        "{dns: {from: vm1, name: far.example.test}, expect: {data: 203.0.113.2}}",
        "{ping: {from: vm1, to: far.example.test, count: 1}, expect: {received: 1}}",
        "{dns: {from: vm1, name: nosuch.example.org}, expect: {status: REFUSED}}",
    )
    with Lab.from_text(LEASES + "".join(f"  - {step}\n" for step in steps)) as lab:
        report = lab.run()
    assert [outcome.failures for outcome in report.steps] == [[]] * 5
