"""What is wrong with a line: one message, exit code 2, no traceback, nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

WRONG = [
    ("pign", "there is no command or node 'pign' (did you mean 'ping'?)"),
    ("vm3 ip addr", "there is no command or node 'vm3' (did you mean 'vm2'?)"),
    (
        "frobnicate",
        "there is no command or node 'frobnicate' (`help` lists the commands, `nodes` the nodes)",
    ),
    ("vm\x1b[31m1", "there is no command or node 'vm\\x1b[31m1' ("),
    ("ip addr", "ip runs on a node (say which: h1 ip addr)"),
    (
        "h1",
        "h1: what shall it do? (one of ports, dhclient, dig, ",
    ),
    ("h1 pingg", "'pingg' is not a command for a node (did you mean 'ping'?)"),
    ("h1 zzz", "'zzz' is not a command for a node (one of: ports, dhclient, dig, "),
    ("on vm9 ip addr", "there is no node 'vm9' (did you mean 'vm2'?)"),
    ("on", "on: something is missing (usage: on NODE CMD...)"),
    ("nodes now", "nodes: too many words: 'now' (usage: nodes)"),
    ("help pign", "there is no command 'pign' (did you mean 'ping'?)"),
    ('ping vm1 "vm2', "cannot read the line: no closing quotation"),
    ("ping vm9 vm2", "there is no machine 'vm9' (did you mean 'vm2'?)"),
    ("ping vm1 vm9", "'vm9' is neither a machine nor an IP address (did you mean 'vm2'?)"),
    (
        "ping vm1",
        "ping: something is missing (usage: ping SRC DST [-4|-6] [-b] [-n] [-q] [-c COUNT] "
        "[-i INTERVAL] [-s SIZE] [-t TTL] [-Q TOS] [-I SOURCE] [-W TIMEOUT] [-w DEADLINE] "
        "[-M do|dont|want])",
    ),
    ("ping vm1 vm2 -c 0", "ping: -c: '0' is not a whole number from 1 to 1000000"),
    ("ping vm1 vm2 -c", "ping: -c wants a value"),
    ("ping vm1 vm2 -C", "ping: unknown option '-C' (did you mean '-c'?)"),
    ("ping vm1 vm2 -M no", "ping: -M: 'no' is none of do, dont, want"),
    ("ping vm1 vm2 -W 99999h", "ping: -W: a day is the longest"),
    ("arping vm1 ::1", "arping needs an IPv4 address (for IPv6, ping the address)"),
    ("pingall vm1", "pingall: it takes two to ping"),
    ("pingall vm1 vm9", "there is no machine 'vm9' (did you mean 'vm2'?)"),
    ("trace vm1", "trace: something is missing (usage: trace SRC[:DEVICE] EXPRESSION)"),
    ("trace h1:eth9 IP()", 'h1: device "eth9" does not exist ('),
    ("trace vm1:eth7 IP()", "vm1 has no vNIC eth7 (it has eth0)"),
    ("trace vm1 IPP()", "'IPP' is not a known layer (did you mean 'IP'?)"),
    ("wait 1", "'1' is not a duration: write a number and one of ns, us, ms, s, m, min, h"),
    ("wait 9999999h", "a lab runs for a century at most"),
    ("step 0", "step: '0' is not a whole number from 1 to 1000000"),
    ("link h1:eth7 down", "there is no cable at 'h1:eth7' (did you mean 'h1:eth0'?)"),
    (
        "link h1:eth0 off",
        "link: there is no setting 'off' (it takes: up, down, latency, bandwidth, queue, mtu, "
        "jitter, loss, duplicate, reorder, and 1 more)",
    ),
    ("link h1:eth0 los 5%", "link: there is no setting 'los' (did you mean 'loss'?)"),
    ("link h1:eth0 loss", "link: loss wants a value"),
    ("link h1:eth0 loss 5", "link: '5' is not a percentage (write a number and %)"),
    ("link h1:eth0 loss 500%", "link: '500%' is more than 100%"),
    ("link h1:eth0 loss gemodel", "link: missing key 'p'"),
    ("link h1:eth0 loss gemodel 1% 2", "link: '2' is not a percentage (write a number and %)"),
    ("link h1:eth0 mtu 10", "link: mtu is too small: 10 (at least 68)"),
    (
        "link h1:eth0 latency 0 reorder 5%",
        "link: frames cannot be reordered on h1:eth0--h2:eth0, which has no delay "
        "(give it a latency or a jitter)",
    ),
    ("ports h9", "there is no node 'h9' (there are: h1, h2, vm1, vm2)"),
    ("captures vm1:eth1", "there is no capture point 'vm1:eth1' (did you mean 'vm1:eth0'?)"),
    (
        "captures h1:nlmon",
        "h1:nlmon holds rtnetlink messages, which have no summary here "
        "(open the capture file in Wireshark)",
    ),
    ("captures vm1:eth0 many", "captures: 'many' is not a whole number from 1 to 1000"),
    ("h1 ip", "ip: something is missing (usage: NODE ip "),
    (
        "h1 ip -4",
        "ip: which object? "
        "(one of address, link, route, rule, neighbour, neighbor, maddress, netns)",
    ),
    ("h1 ip -7 addr", "ip: unknown option '-7' (it takes: -4, -6, -br, -brief, -d, -details)"),
    ("h1 ip adr", "ip: there is no object 'adr' (did you mean 'address'?)"),
    ("h1 ip addr add 10.9.9.9/24", 'Not enough information: "dev" argument is required.'),
    ("vm1 ip addr show dev", "ip addr: dev wants a value"),
    ("vm1 ip addr eth0 eth1", "ip addr: 'eth1' is out of place (it takes dev, up, master, type)"),
    ("vm1 ip addr eth9", 'vm1: device "eth9" does not exist (it has lo, eth0)'),
    ("h1 ip link show master br9", "h1 has no bridge br9 (it has xenbr0)"),
    ("h1 bridge", "bridge: something is missing (usage: NODE bridge "),
    ("h1 bridge -s", "bridge: which object? (one of fdb, link, mdb, vlan)"),
    ("h1 bridge vlna", "bridge: there is no object 'vlna' (did you mean 'vlan'?)"),
    ("h1 bridge fdb show br br9", "h1 has no bridge 'br9' (it has: xenbr0)"),
    ("h1 bridge link show dev eth9", "h1 has no device 'eth9' (did you mean 'eth0'?)"),
    (
        "h1 brctl showmacs",
        "Incorrect number of arguments for command (Usage: brctl showmacs <bridge>)",
    ),
    ("h1 brctl shwo", "never heard of command [shwo] (did you mean 'show'?)"),
    ("h1 brctl showstp br9", "bridge br9 does not exist! (h1 has no such bridge: it has: xenbr0)"),
    ("vm1 sysctl -w net.ipv4.ip_forward", "sysctl: command line(0): invalid syntax, continuing..."),
    (
        "vm1 sysctl net.ipv4.ip_forwarding",
        "sysctl: cannot stat /proc/sys/net/ipv4/ip_forwarding: No such file or directory "
        "(did you mean net.ipv4.ip_forward?)",
    ),
    (
        "vm1 sysctl net.ipv4.ip_forward=yes",
        'sysctl: setting key "net.ipv4.ip_forward": Invalid argument '
        "(net.ipv4.ip_forward takes a whole number, not 'yes')",
    ),
]


@pytest.mark.parametrize(("line", "message"), WRONG, ids=[line for line, _ in WRONG])
def test_one_clear_message(line: str, message: str, shell: Callable[..., Any]) -> None:
    ran = shell("two-hosts", line, "nodes")
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith(message)
    assert ran.err.count("\n") == 1
    assert ran.err.rstrip("\n").isprintable()


def test_a_switch_on_the_wire_has_no_ip_stack(shell: Callable[..., Any]) -> None:
    ran = shell("ipv6-only", "sw1 ip addr")
    assert (ran.code, ran.err) == (2, "sw1 is a switch on the wire: it has no IP stack\n")


def test_a_time_that_has_passed(shell: Callable[..., Any]) -> None:
    ran = shell("two-vms", "wait 2s", "run 1s")
    assert ran.err == "it is 2s already (say a later time, or `wait DURATION`)\n"


def test_commands_before_the_wrong_one_ran(shell: Callable[..., Any]) -> None:
    ran = shell("two-vms", "time", "tyme", "time")
    assert (ran.code, ran.out) == (2, "0s, no event pending\n")


def test_too_many_pings(shell: Callable[..., Any]) -> None:
    from vnet.lab.lab import Lab

    lab = Lab.from_text(
        "version: 1\nname: many\n"
        "hosts: {h1: {hypervisor: kvm, switches: {br0: }}}\n"
        "vms: {vm: {host: h1, count: 102, vnics: [{ip: 10.0.0.1/24}]}}\n"
    )
    ran = shell(lab, "pingall")
    hint = "name some of the machines, or use --classes or --sample"
    assert ran.err == f"pingall: 102 machines make 10302 pings ({hint})\n"
