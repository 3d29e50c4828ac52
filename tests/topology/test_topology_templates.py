"""Templates of every kind, and the stars that connect them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from vnet.base.ids import ip_text, mac_text
from vnet.lab.lab import Lab
from vnet.topology.load import parse_topology
from vnet.topology.model import Topology

RACK = """\
version: 1
hosts:
  h: {count: 20, nics: {eth0: {ip: 192.0.2.1/24, mac: '02:00:00:00:00:fe'}}, switches: {br0: }}
switches:
  tor: {count: 2, ports: 11}
  spine: {ports: 2}
vms:
  vm: {host: 'h*', count: 1000, vnics: [{ip: 10.0.0.1/16}]}
links:
  - {ends: ['h*:eth0', 'tor*:p*'], latency: 5us, bandwidth: 10gbit}
  - {ends: ['tor*:p11', 'spine:p*'], bandwidth: 40gbit}
captures: ['h*:eth0']
"""


@pytest.fixture(scope="module")
def rack() -> Topology:
    return parse_topology(RACK)


def small(more: str, *, hosts: str = "h: {count: 4, nics: {eth0: }, switches: {br0: }}") -> str:
    return f"version: 1\nhosts: {{{hosts}}}\n{more}\n"


def wires(text: str) -> list[str]:
    return [f"{link.ends[0]} {link.ends[1]}" for link in parse_topology(text).links]


# --- instances ---


def test_hosts_switches_and_routers_are_multiplied() -> None:
    text = """\
version: 1
hosts: {h: {count: 2, nics: {eth0: }}}
switches: {sw: {count: 3, ports: 2}}
routers: {r: {count: 2, nics: {eth0: {ip: 10.0.0.1/8}}, gateway: 10.0.0.9}}
"""
    topology = parse_topology(text)
    assert list(topology.hosts) == ["h1", "h2"]
    assert [switch.ports for switch in topology.switches.values()] == [("p1", "p2")] * 3
    assert [ip_text(r.nics["eth0"].addresses[0].ip) for r in topology.routers.values()] == [
        "10.0.0.1",
        "10.0.0.2",
    ]
    assert [len(router.routes) for router in topology.routers.values()] == [1, 1]
    macs = [host.nics["eth0"].mac for host in topology.hosts.values()]
    assert macs[0] != macs[1], "a card without a MAC in the file gets one of its own"


def test_addresses_and_macs_of_hosts_count_up(rack: Topology) -> None:
    cards = [host.nics["eth0"] for host in rack.hosts.values()]
    assert [ip_text(card.addresses[0].ip) for card in cards[:2]] == ["192.0.2.1", "192.0.2.2"]
    assert [mac_text(card.mac) for card in cards[:3]] == [
        "02:00:00:00:00:fe",
        "02:00:00:00:00:ff",
        "02:00:00:00:01:00",
    ]


def test_an_instance_is_what_the_entry_would_be_by_itself() -> None:
    one = parse_topology(small("", hosts="h1: {nics: {eth0: {ip: 10.0.0.1/8}}, switches: {b: }}"))
    many = parse_topology(
        small("", hosts="h: {count: 1, nics: {eth0: {ip: 10.0.0.1/8}}, switches: {b: }}")
    )
    assert one.hosts == many.hosts


def test_a_switch_without_a_number_of_ports_has_those_of_its_links() -> None:
    text = small("switches: {s: {count: 2}}\nlinks: [{ends: ['h*:eth0', 's*:x*']}]")
    switches = parse_topology(text).switches
    assert {name: switch.ports for name, switch in switches.items()} == {
        "s1": ("x1", "x2"),
        "s2": ("x1", "x2"),
    }


def test_the_lab_knows_which_template_made_a_node(rack: Topology) -> None:
    assert Counter(rack.templates.values()) == {"h": 20, "tor": 2, "vm": 1000}
    assert rack.templates["vm7"] == "vm"
    assert "spine" not in rack.templates


# --- stars ---


def test_vms_fill_the_hosts_in_blocks(rack: Topology) -> None:
    hosts = [vm.host for vm in rack.vms.values()]
    assert Counter(hosts) == {f"h{number}": 50 for number in range(1, 21)}
    assert hosts == sorted(hosts, key=lambda host: int(host[1:]))
    assert [vm.domid for vm in rack.vms.values()] == [*range(1, 51)] * 20


def test_what_does_not_divide_is_dealt_evenly() -> None:
    hosts = "h: {count: 3, switches: {b: }}"
    text = small("vms: {v: {count: 7, host: 'h*', vnics: [{}]}}", hosts=hosts)
    assert [vm.host for vm in parse_topology(text).vms.values()] == [
        *("h1", "h1", "h1", "h2", "h2", "h3", "h3")
    ]


def test_links_meet_in_blocks_and_count_the_ports(rack: Topology) -> None:
    ends = [(str(link.ends[0]), str(link.ends[1])) for link in rack.links]
    assert ends[:2] == [("h1:eth0", "tor1:p1"), ("h2:eth0", "tor1:p2")]
    assert ends[9:11] == [("h10:eth0", "tor1:p10"), ("h11:eth0", "tor2:p1")]
    assert ends[19:] == [
        ("h20:eth0", "tor2:p10"),
        ("tor1:p11", "spine:p1"),
        ("tor2:p11", "spine:p2"),
    ]
    assert {link.latency_ns for link in rack.links[:20]} == {5_000}


def test_the_larger_template_decides_whichever_end_it_is_at() -> None:
    links = "switches: {s: {count: 2}}\nlinks: [{ends: ['s*:p*', 'h*:eth0']}]"
    assert wires(small(links)) == [
        "s1:p1 h1:eth0",
        "s1:p2 h2:eth0",
        "s2:p1 h3:eth0",
        "s2:p2 h4:eth0",
    ]


def test_ports_count_on_from_one_link_to_the_next() -> None:
    hosts = "a: {count: 2, nics: {eth0: }}, b: {count: 2, nics: {eth0: }}"
    links = "links: [{ends: ['a*:eth0', 's:p*']}, {ends: ['b*:eth0', 's:p*']}]"
    assert wires(small(f"switches: {{s: {{ports: 4}}}}\n{links}", hosts=hosts)) == [
        "a1:eth0 s:p1",
        "a2:eth0 s:p2",
        "b1:eth0 s:p3",
        "b2:eth0 s:p4",
    ]


def test_captures_take_stars() -> None:
    def captures(points: str) -> list[str]:
        vms = "vms: {v: {count: 3, host: h1, vnics: [{}]}}"
        return [str(p) for p in parse_topology(small(f"{vms}\ncaptures: {points}")).captures]

    assert captures("['h*:eth0', 'h2:nlmon']") == [
        *("h1:eth0", "h2:eth0", "h3:eth0", "h4:eth0"),
        "h2:nlmon",
    ]
    assert captures("['h1:vnet*']") == ["h1:vnet0", "h1:vnet1", "h1:vnet2"]
    assert captures("['h*:vnet*']") == ["h1:vnet0", "h1:vnet1", "h1:vnet2"]


def test_a_step_may_name_a_link_that_a_star_made() -> None:
    text = small(
        "switches: {s: }\nlinks: [{ends: ['h*:eth0', 's:p*']}]\n"
        "scenario: [{link: {end: 's:p2', state: down}}]"
    )
    with Lab.from_text(text) as lab:
        lab.run()
        assert [link.up for link in lab.network.links] == [True, False, True, True]


# --- what cannot be; the place is marked with ^ ---

LINKS = "switches: {s: {count: 2, ports: 4}, one: {ports: 4}}\nvms: {vm: {host: h1, count: 2}}\n"
FAULTS = {
    "a host that is a template": (
        "vms: {v: {host: ^h, count: 2}}",
        "there is no host 'h' (did you mean 'h*'?)",
    ),
    "a star for one machine": (
        "vms: {v: {host: ^'h*'}}",
        "'h*' deals out many machines, and this is one (write a count, or name one host)",
    ),
    "a star that leads to nothing": (
        "vms: {v: {host: ^'host*', count: 2}}",
        "there is no template for 'host*' (there are: h*)",
    ),
    "a star and no template": (
        "switches: {one: }\nlinks: [{ends: ['h*:eth0', ^'one*:p*']}]",
        "'one' has no count, so there is no 'one*' (write 'one', or give it a count)",
    ),
    "another section's template": (
        "vms: {v: {count: 2, host: h1}, w: {count: 2, host: ^'v*'}}",
        "there is no template for 'v*' (there are: h*)",
    ),
    "a star inside a name": (
        "captures: [^'h*1:eth0']",
        "'h*1:eth0' is not of the form node:device (a star ends a name, as in h*:eth0 or tor*:p*)",
    ),
    "a bare star": (
        "vms: {v: {host: ^'*', count: 2}}",
        "'*' is not a name (a letter or digit, then up to 62 letters, digits, '.', '_' or '-')",
    ),
    "a link to a template": (
        LINKS + "links: [{ends: [^'h:eth0', 'one:p1']}]",
        "there is no node 'h' (did you mean 'h*'?)",
    ),
    "a star with nothing to count": (
        LINKS + "links: [{ends: ['h1:eth0', ^'one:p*']}]",
        "the star in 'one:p*' has nothing to count: the link is a single one (write 'one:p1')",
    ),
    "one port for all": (
        LINKS + "links: [{ends: ['h*:eth0', ^'one:p1']}]",
        "4 links would end at one 'one:p1' ('one:p*' counts its devices)",
    ),
    "one port of each for many": (
        LINKS + "links: [{ends: ['h*:eth0', ^'s*:p3']}]",
        "2 links would end at one 's*:p3' ('s*:p*' counts its devices)",
    ),
    "too few ports": (
        "switches: {one: {ports: 2}}\nlinks: [{ends: ['h*:eth0', ^'one:p*']}]",
        "one has no port 'p3' (it has p1 to p2)",
    ),
    "a card that no instance has": (
        LINKS + "links: [{ends: [^'h*:eth1', 'one:p*']}]",
        "h1 has no card 'eth1' (it has: eth0)",
    ),
    "a link to virtual machines": (
        LINKS + "links: [{ends: [^'vm*:eth0', 'one:p*']}]",
        "a link cannot end at the virtual machine 'vm1' (its cards plug into a switch of its host)",
    ),
    "the same ends twice": (
        LINKS + "links: [{ends: ['h*:eth0', 'one:p*']}, {ends: [^'h*:eth0', 's*:p*']}]",
        "h1:eth0 has a link already (in line 5; put a switch between them)",
    ),
    "a capture of a template": (
        "captures: [^'h:eth0']",
        "there is no node 'h' (did you mean 'h*'?)",
    ),
    "a capture that no instance has": (
        "captures: [^'h*:eth1']",
        "h1 has no device 'eth1' (did you mean 'eth0'?)",
    ),
    "a capture of no number": (
        "captures: [^'h*:wlan*']",
        "h1 has no device 'wlan*' (it has: eth0, br0, nlmon)",
    ),
    "a capture twice": (
        "captures: ['h3:eth0', ^'h*:eth0']",
        "h3:eth0 is captured twice (already in line 3)",
    ),
    "a step's machine that is a template": (
        "vms: {vm: {host: h1, count: 2}}\nscenario: [{ping: {from: ^vm, to: 10.0.0.1}}]",
        "there is no node 'vm' (its template makes vm1 to vm2)",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_wrong_star_is_told_once(case: str, assert_problem: Callable[[str, str], None]) -> None:
    text, message = FAULTS[case]
    assert_problem(small(text), message)


TEMPLATE_FAULTS = {
    "addresses run over": (
        "hosts: {h: {count: 300, nics: {eth0: {ip: ^192.0.2.1/24}}}}",
        "300 addresses from '192.0.2.1/24' do not fit in its network "
        "(choose a shorter prefix length)",
    ),
    "a router's addresses": (
        "routers: {r: {count: 3, nics: {eth0: {ip: ^255.255.255.253/8}}}}",
        "3 addresses from '255.255.255.253/8' do not fit in its network "
        "(choose a shorter prefix length)",
    ),
    "MAC addresses run over": (
        "hosts: {h: {count: 300, nics: {eth0: {mac: ^'02:00:00:ff:ff:00'}}}}",
        "300 MAC addresses from '02:00:00:ff:ff:00' run over (the last three bytes count up)",
    ),
    "too many": (
        "hosts: {h: {count: ^100001}}",
        "count is too large: 100001 (at most 100000)",
    ),
    "too many in all": (
        "switches: {a: {count: 60000}, ^b: {count: 60000}}",
        "more than 100000 switches",
    ),
    "too many ports": (
        "switches: {^a: {count: 60000, ports: 4096}}",
        "more than 1000000 devices and addresses",
    ),
    "a long name": (
        f"routers: {{^{'r' * 62}: {{count: 10}}}}",
        f"the name '{'r' * 62}10' is too long (names have up to 63 characters)",
    ),
    "a name that is taken": (
        "hosts: {h: {count: 9}, ^h1: }",
        "the name 'h1' is used twice (hosts has it in line 2)",
    ),
    "many names that are taken": (
        "hosts: {h: {count: 9}}\nrouters: {^h: {count: 9}}",
        "the name 'h1' is used twice (hosts has it in line 2)",
    ),
    "an uplink that is not there": (
        "hosts: {h: {count: 9, switches: {b: {uplink: ^eth9}}}}",
        "h has no card 'eth9' (h has no cards)",
    ),
    "devices with one name": (
        "hosts: {h: {count: 9, hypervisor: xen, nics: {eth0: , ^peth0: }, switches: {s: }}}",
        "h1 would have two devices named 'peth0' (network-bridge makes one)",
    ),
    "a gateway among the instances": (
        "hosts: {h: {count: 9, nics: {eth0: {ip: 10.0.0.1/8}}, gateway: ^10.0.0.9}}",
        "gateway '10.0.0.9' is the machine's own address (that of number 9)",
    ),
    "a flow that is none": (
        "switches: {s: {count: 9, type: ovs, flows: [^'in_port=1']}}",
        "must specify an action",
    ),
    "settings of a port that is not there": (
        "hosts: {h: {count: 9, switches: {s: {type: ovs, ports: {^vnet0: {tag: 1}}}}}}",
        "h1:s has no port 'vnet0' (it has none)",
    ),
}


@pytest.mark.parametrize("case", TEMPLATE_FAULTS)
def test_a_wrong_template_is_told_once(
    case: str, assert_problem: Callable[[str, str], None]
) -> None:
    text, message = TEMPLATE_FAULTS[case]
    assert_problem(f"version: 1\n{text}\n", message)


def test_what_is_too_much_does_not_crowd_out_the_rest(
    assert_problem: Callable[[str, str], None],
) -> None:
    text = """\
version: 1
switches: {a: {count: 60000}, ^b: {count: 60000}, c: {count: 40000}}
"""
    assert_problem(text, "more than 100000 switches")


def test_an_address_that_two_templates_share_is_told_once(
    assert_problem: Callable[[str, str], None],
) -> None:
    text = """\
vms: {a: {host: 'h*', count: 8, vnics: [{ip: 10.0.0.1/8}]},
      b: {host: 'h*', count: 8, vnics: [{ip: ^10.0.0.1/8}]}}"""
    message = "address '10.0.0.1' of b1:eth0 is also that of a1:eth0 (they are in one segment)"
    assert_problem(small(text), message)


def test_what_hangs_on_a_faulty_template_is_not_blamed(
    problems: Callable[[str], list[str]],
) -> None:
    text = """\
version: 1
hosts: {rack2: {count: 3, nics: {eth0: {ip: 10.0.0.1/31}}, switches: {b: }}}
vms: {v: {host: 'rack2*', count: 9, vnics: [{}]}, w: {host: rack23}}
switches: {s: }
links: [{ends: ['rack2*:eth0', 's:p*']}]
captures: ['rack2*:eth0', 'rack21:eth0', 'v3:eth0']
"""
    assert [problem[:5] for problem in problems(text)] == ["2:45:"]


def test_a_refused_address_is_not_counted_up(problems: Callable[[str], list[str]]) -> None:
    text = """\
version: 1
hosts: {h: {count: 9, nics: {eth0: {ip: !x 255.255.255.250/8}}}}
"""
    assert problems(text) == [
        "2:41: tag '!x' is not allowed (a topology file is plain data)",
    ]


@pytest.mark.slow
def test_links_of_stars_are_limited(assert_problem: Callable[[str, str], None]) -> None:
    text = """\
version: 1
switches: {s: {count: 70000}, one: }
links:
  - {ends: ['s*:a', 'one:p*']}
  - {ends: ['s*:b', 'one:p*']}
  - {ends: ^['s*:c', 'one:p*']}
"""
    assert_problem(text, "more than 200000 links")


def hall(machines: int) -> Topology:
    hosts = max(2, machines // 20)
    text = RACK.replace("count: 20,", f"count: {hosts},").replace("192.0.2.1/24", "10.9.0.1/16")
    text = text.replace("count: 1000", f"count: {machines}").replace("p11", "up1")
    return parse_topology(text.replace(", ports: 11", ""))


def test_effort_grows_with_the_number_of_machines_hosts_and_links(
    assert_linear: Callable[[Callable[[int], object]], None],
) -> None:
    assert_linear(hall)


@pytest.mark.slow
def test_many_entries_may_name_one_large_template(
    assert_linear: Callable[[Callable[[int], object]], None],
) -> None:
    def load(number: int) -> Topology:
        vms = "".join(f"\n  v{n}x: {{host: 'h*', count: 1}}" for n in range(number))
        return parse_topology(f"version: 1\nhosts: {{h: {{count: {number}}}}}\nvms:{vms}\n")

    assert_linear(load)


def test_the_same_star_again_is_told_by_itself(
    assert_problem: Callable[[str, str], None],
) -> None:
    message = "h*:eth0 is captured twice (already in line 4)"
    assert_problem(small("captures:\n- 'h*:eth0'\n- ^'h*:eth0'"), message)
