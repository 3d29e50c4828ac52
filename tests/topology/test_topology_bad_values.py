"""One fault in a sound file: the exact message, at the place marked with ``^``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

LAB = """\
version: 1
hosts:
  h1: {nics: {eth0: {ip: 192.0.2.1/24}}, switches: {br0: }}
  h2: {nics: {eth0: }, switches: {br0: }}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24}]}
switches:
  sw1: {ports: 2}
"""
"""A sound beginning of nine lines, so that an addition starts in line 10."""

ADDITIONS = {
    "unknown key": (
        "^vmz: {}",
        "unknown key 'vmz' (did you mean 'vms'?)",
    ),
    "unknown key, none like it": (
        "^xyzzy: {}",
        "unknown key 'xyzzy' (known here: version, name, seed, epoch, hosts, vms, "
        "switches, routers, links, captures, and 1 more)",
    ),
    "unknown key inside": (
        "routers: {r1: {nics: {eth0: {^pi: 10.0.0.9/24}}}}",
        "unknown key 'pi' (known here: ip, mac, mtu, ipv6, tc, dns, dhcp, dhcp_relay, ra)",
    ),
    "missing key": (
        "links:\n  - ^{latency: 1ms}",
        "missing key 'ends'",
    ),
    "wrong type": (
        "links: [^3]",
        "an entry of links wants a map, not the number 3",
    ),
    "text for a number": (
        "seed: ^one",
        "seed wants a whole number, not the text 'one'",
    ),
    "a fraction": (
        "seed: ^1.5",
        "seed wants a whole number, not the number 1.5",
    ),
    "yes for true": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], up: ^yes}]",
        "up wants true or false, not the text 'yes' (in YAML 1.2 yes, no, on and off are text)",
    ),
    "negative": (
        "seed: ^-1",
        "seed is negative: -1 (at least 0)",
    ),
    "bad time": (
        "epoch: ^now",
        "'now' is not a time (for example 2025-01-01T00:00:00Z)",
    ),
    "far time": (
        "epoch: ^9999-01-01T00:00:00Z",
        "'9999-01-01T00:00:00Z' is not between the years 1970 and 2200",
    ),
    "path separator": (
        "name: ^../../etc",
        "'../../etc' is not a name (a letter or digit, then up to 62 letters, digits, "
        "'.', '_' or '-')",
    ),
    "escape in a name": (
        'routers: {^"\\e[2Jr1": {}}',
        "'\\x1b[2Jr1' is not a name (a letter or digit, then up to 62 letters, digits, "
        "'.', '_' or '-')",
    ),
    "long name": (
        "name: ^nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
        "'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn' is not a "
        "name (a letter or digit, then up to 62 letters, digits, '.', '_' or '-')",
    ),
    "number for a name": (
        "name: ^7",
        "name wants a name, not the number 7 (put it in quotes)",
    ),
    "name of two nodes": (
        "routers: {^vm1: {}}",
        "the name 'vm1' is used twice (vms has it in line 6)",
    ),
    "address as a name": (
        "routers: {^10.0.0.1: {}}",
        "'10.0.0.1' is an IP address, not a name",
    ),
    "reserved name": (
        "routers: {r1: {nics: {^lo: {}}}}",
        "the name 'lo' is reserved",
    ),
    "bad unit": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], latency: ^1 parsec}]",
        "'1 parsec' is not a duration (write a number and one of ns, us, ms, s, m, min, h)",
    ),
    "no unit": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], latency: ^10}]",
        "10 has no unit (for example 10ms)",
    ),
    "negative time": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], latency: ^-1ms}]",
        "'-1ms' is negative (for example 10ms)",
    ),
    "absurd time": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], latency: ^99999999h}]",
        "'99999999h' is more than a year",
    ),
    "list for a time": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], latency: ^[1ms]}]",
        "latency wants a duration, not a list (for example 10ms)",
    ),
    "bad rate": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], bandwidth: ^fast}]",
        "'fast' is not a rate (write a number and one of bit, kbit, mbit, gbit, tbit)",
    ),
    "no bandwidth at all": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], bandwidth: ^0bit}]",
        "a bandwidth of 0 carries nothing (leave it out for no limit)",
    ),
    "absurd rate": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], bandwidth: ^9999999tbit}]",
        "'9999999tbit' is more than 1000tbit",
    ),
    "small mtu": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], mtu: ^10}]",
        "mtu is too small: 10 (at least 68)",
    ),
    "large queue": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], queue: ^10000000}]",
        "queue is too large: 10000000 (at most 1000000)",
    ),
    "share without a unit": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], loss: ^5}]",
        "5 has no unit (for example 1%)",
    ),
    "fraction for a share": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], corrupt: ^0.01}]",
        "0.01 has no unit (for example 1%)",
    ),
    "more than all": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], duplicate: ^100.1%}]",
        "'100.1%' is more than 100%",
    ),
    "less than none": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], loss: ^-1%}]",
        "'-1%' is negative (for example 1%)",
    ),
    "share in words": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], loss: ^1 percent}]",
        "'1 percent' is not a percentage (write a number and %)",
    ),
    "list for a share": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], reorder: ^[5%], latency: 1ms}]",
        "reorder wants a percentage, not a list (for example 1%)",
    ),
    "jitter without a unit": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], jitter: ^2}]",
        "2 has no unit (for example 10ms)",
    ),
    "burst model without its first letter": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], ^loss: {r: 30%}}]",
        "missing key 'p'",
    ),
    "burst model with another letter": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], loss: {p: 1%, ^h: 30%}}]",
        "unknown key 'h' (known here: p, r, 1-h, 1-k)",
    ),
    "burst model with a bad share": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], loss: {p: 1%, 1-h: ^200%}}]",
        "'200%' is more than 100%",
    ),
    "reordering without delay": (
        "links: [{ends: ['h1:eth0', 'h2:eth0'], latency: 0, reorder: ^25%}]",
        "frames cannot be reordered on a link without delay (give it a latency or a jitter)",
    ),
    "link to nothing": (
        "links: [{ends: ['h1:eth0', ^'h3:eth0']}]",
        "there is no node 'h3' (there are: h1, h2, vm1, vm2, sw1)",
    ),
    "link to no card": (
        "links: [{ends: ['h1:eth0', ^'h2:eth1']}]",
        "h2 has no card 'eth1' (it has: eth0)",
    ),
    "link to a VM": (
        "links: [{ends: ['h1:eth0', ^'vm1:eth0']}]",
        "a link cannot end at the virtual machine 'vm1' (its cards plug into a switch of its host)",
    ),
    "link to no port": (
        "links: [{ends: ['h1:eth0', ^'sw1:p3']}]",
        "sw1 has no port 'p3' (it has p1 to p2)",
    ),
    "two links on one card": (
        "links:\n- {ends: ['h1:eth0', 'h2:eth0']}\n- {ends: [^'h1:eth0', 'sw1:p1']}",
        "h1:eth0 has a link already (in line 11; put a switch between them)",
    ),
    "link to itself": (
        "links: [{ends: ['h1:eth0', ^'h1:eth0']}]",
        "h1:eth0 has a link already (in line 10; put a switch between them)",
    ),
    "one end": (
        "links: [{ends: ^['h1:eth0']}]",
        "ends has 1 entry (exactly 2)",
    ),
    "no device": (
        "links: [{ends: [^h1, 'h2:eth0']}]",
        "'h1' is not of the form node:device (for example h1:eth0)",
    ),
    "capture of no node": (
        "captures: [^'vm3:eth0']",
        "there is no node 'vm3' (did you mean 'vm2'?)",
    ),
    "capture of no device": (
        "captures: [^'vm1:eth1']",
        "vm1 has no device 'eth1' (did you mean 'eth0'?)",
    ),
    "capture of a back end too far": (
        "captures: [^'h1:vnet2']",
        "h1 has no device 'vnet2' (did you mean 'vnet1'?)",
    ),
    "capture twice": (
        "captures: ['vm1:eth0', ^'vm1:eth0']",
        "vm1:eth0 is captured twice (already in line 10)",
    ),
    "capture of everything": (
        "captures: [^all]",
        "'all' is not of the form node:device (for example h1:eth0)",
    ),
    "no verb": (
        "scenario: [^{at: 1s}]",
        "the step does nothing (it needs one of ping, arping, udp, tcp, iperf3, http, dns, dhcp, "
        "traceroute, tracepath, pingall, send, join, leave, link, move, wait, fdb, counters, tc, "
        "and 12 more)",
    ),
    "two verbs": (
        "scenario: [{^wait: 1s, ping: {from: vm1, to: vm2}}]",
        "the step does two things: ping and wait (write two steps)",
    ),
    "empty verb": (
        "scenario: [{^ping: }]",
        "ping says nothing",
    ),
    "unknown verb": (
        "scenario: [{^pnig: {from: vm1, to: vm2}}]",
        "unknown key 'pnig' (did you mean 'ping'?)",
    ),
    "from nobody": (
        "scenario: [{ping: {from: ^vm9, to: vm2}}]",
        "there is no node 'vm9' (did you mean 'vm2'?)",
    ),
    "to nobody": (
        "scenario: [{ping: {from: vm1, to: ^vm9}}]",
        "there is no node 'vm9' (did you mean 'vm2'?)",
    ),
    "from a switch": (
        "scenario: [{ping: {from: ^sw1, to: vm2}}]",
        "'sw1' is a switch (steps are made by hosts, VMs and routers)",
    ),
    "to a machine without address": (
        "scenario: [{ping: {from: vm1, to: ^h2}}]",
        "h2 has no IP address (write an address instead)",
    ),
    "arping by IPv6": (
        "scenario: [{arping: {from: vm1, to: ^'2001:db8::1'}}]",
        "2001:db8::1 has no IPv4 address (ARP is for IPv4 only)",
    ),
    "neither name nor address": (
        "scenario: [{ping: {from: vm1, to: ^'fe80::zz'}}]",
        "'fe80::zz' is neither a name nor an IP address",
    ),
    "million of millions": (
        "scenario: [{ping: {from: vm1, to: vm2, count: ^10000000}}]",
        "count is too large: 10000000 (at most 1000000)",
    ),
    "expectation on nothing": (
        "scenario: [{ping: {from: vm1, to: vm2}, expect: {^recieved: 3}}]",
        "ping does not report 'recieved' (did you mean 'received'?)",
    ),
    "expectation of a wait": (
        "scenario: [{wait: 1s, expect: {^sent: 3}}]",
        "wait does not report 'sent' (it reports nothing)",
    ),
    "expectation of another type": (
        "scenario: [{ping: {from: vm1, to: vm2}, expect: {received: ^all}}]",
        "received is compared with a whole number, not the text 'all' (for example 3 or '>= 2')",
    ),
    "expectation of a list": (
        "scenario: [{ping: {from: vm1, to: vm2}, expect: {received: ^[3]}}]",
        "received wants a value, not a list (for example 3 or '>= 2')",
    ),
    "order where there is none": (
        "links: [{ends: ['h1:eth0', 'h2:eth0']}]\nscenario: [{link: {end: 'h1:eth0', "
        "state: up}, expect: {state: ^'> up'}}]",
        "state cannot be compared by > (it is up or down; use == or !=)",
    ),
    "link step on nothing": (
        "links: [{ends: ['h1:eth0', 'h2:eth0']}]\nscenario: [{link: {end: ^'sw1:p1', state: up}}]",
        "no link ends at sw1:p1 (links end at: h1:eth0, h2:eth0)",
    ),
    "bad state": (
        "scenario: [{link: {end: 'h1:eth0', state: ^off}}]",
        "state cannot be 'off' (one of: up, down)",
    ),
    "send from no card": (
        "scenario: [{send: {from: ^'vm1:eth7', packet: 'Ether()/ARP()'}}]",
        "vm1 has no device 'eth7' (did you mean 'eth0'?)",
    ),
    "packet without a frame": (
        "scenario: [{send: {from: vm1, packet: ^'ARP()'}}]",
        "ARP cannot be put on a wire by itself (begin with Ether(), IP() or IPv6())",
    ),
    "packet that is code": (
        "scenario: [{send: {from: vm1, packet: ^'__import__(\"os\")'}}]",
        "'__import__' is not a known layer (there are: Raw, Padding, Ether, Dot3, LLC, "
        "SNAP, Dot1Q, Dot1AD, STP, ARP, and 52 more)",
    ),
    "packet to a name": (
        "scenario: [{send: {from: vm1, packet: ^'IP(dst=\"a.example\")'}}]",
        "IP.dst wants a literal IPv4 address, not 'a.example' (names, networks and "
        "ranges are not looked up)",
    ),
}


@pytest.mark.parametrize(("addition", "message"), ADDITIONS.values(), ids=ADDITIONS)
def test_one_fault_in_a_sound_file_is_one_problem(
    addition: str, message: str, assert_problem: Callable[[str, str], None]
) -> None:
    assert_problem(LAB + addition, message)
