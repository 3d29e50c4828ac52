"""Machines join multicast groups and leave them, and snooping switches hear of it."""

from __future__ import annotations

import pytest

from vnet.base.errors import TopologyError, UsageError
from vnet.lab.lab import Lab
from vnet.lab.report import Report

LAB = """
version: 1
hosts:
  h:
    hypervisor: kvm
    nics: {eth0: {ip: [10.0.0.9/24, '2001:db8::9/64']}}
    switches: {br0: {uplink: eth0, multicast: {querier: true}}}
vms:
  vm: {host: h, count: 3, vnics: [{ip: [10.0.0.1/24, '2001:db8::1/64']}], gateway: 10.0.0.254}
routers:
  r: {nics: {eth0: {ip: 10.9.0.1/24}}}
scenario:
  - {wait: 40s}
"""


def run(*steps: str) -> Report:
    with Lab.from_text(LAB + "".join(f"  - {step}\n" for step in steps)) as lab:
        return lab.run()


@pytest.mark.parametrize("group", ["239.1.1.1", "ff05::1:3"])
def test_a_members_packets_come_to_it_alone_and_to_nobody_once_it_has_left(group: str) -> None:
    send = f"{{udp: {{from: vm1, to: '{group}', port: 9, count: 2, echo: false}}, expect: "
    report = run(
        f"{{join: {{machine: vm2, group: '{group}'}}, "
        f"expect: {{device: eth0, groups: '{group}'}}}}",
        "{wait: 1s}",
        f"{send}{{received: 2, 'frames matching udp on vm2:eth0': 2, "
        "'frames matching udp on vm3:eth0': 0}}",
        f"{{leave: {{machine: 'vm2:eth0', group: '{group}'}}, expect: {{groups: ''}}}}",
        "{wait: 3s}",
        f"{send}{{received: 0, 'frames matching udp on vm2:eth0': 0, "
        "'frames matching udp on vm3:eth0': 0}}",
    )
    assert report.held, [(o.title, o.failures, o.error, o.remarks) for o in report.steps]


def test_every_member_answers_an_echo_to_the_group() -> None:
    report = run(
        "{join: {machine: vm2, group: 239.1.1.1}}",
        "{join: {machine: vm3, group: 239.1.1.1}}",
        "{join: {machine: r, group: 239.1.1.1}}",
        "{wait: 1s}",
        "{udp: {from: vm1, to: 239.1.1.1, count: 1}, "
        "expect: {received: 1, frames matching udp and dst host 10.0.0.1 on vm1:eth0: 2}}",
    )
    assert report.held, [(o.title, o.failures, o.error, o.remarks) for o in report.steps]


def test_what_a_socket_would_refuse_is_the_step_s_error() -> None:
    report = run(
        "{join: {machine: vm1, group: 239.1.1.1}}",
        "{join: {machine: vm1, group: 239.1.1.1}}",
        "{leave: {machine: vm1, group: 239.1.1.2}}",
    )
    assert [outcome.error for outcome in report.steps[2:]] == [
        "vm1:eth0 is in 239.1.1.1 already",
        "vm1 is not in 239.1.1.2 (it is in 239.1.1.1)",
    ]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            "{join: {machine: vm1, group: 10.0.0.1}}",
            "'10.0.0.1' is no multicast group (those are 224.0.0.0/4 and ff00::/8)",
        ),
        ("{join: {machine: vm9, group: 239.1.1.1}}", "there is no node 'vm9'"),
        ("{leave: {machine: 'vm1:eth1', group: 239.1.1.1}}", "vm1 has no device 'eth1'"),
    ],
)
def test_steps_that_cannot_be(step: str, message: str) -> None:
    with pytest.raises(TopologyError) as refused:
        run(step)
    assert message in str(refused.value)


def test_a_program_joins_and_leaves() -> None:
    with Lab.from_text(LAB) as lab:
        vm = lab.vm("vm1")
        assert vm.join("239.1.1.1") == "eth0"
        assert vm.join("ff05::1:3", device="eth0") == "eth0"
        assert vm.groups == ["239.1.1.1", "ff05::1:3"]
        vm.leave("239.1.1.1")
        assert vm.groups == ["ff05::1:3"]
        with pytest.raises(UsageError, match=r"10\.0\.0\.1 is no multicast group"):
            vm.join("10.0.0.1")
