"""libvirt's networks: what libvirtd 9.0 was seen to do when it starts one, step by step."""

from __future__ import annotations

import pytest

from vnet.lab.lab import Lab
from vnet.linux.timer_wheel import JIFFY_NS

NIC = "nics: {eth0: {ip: 203.0.113.1/24}}"

CHAINS = """\
--table filter --new-chain LIBVIRT_INP
--table filter --insert INPUT --jump LIBVIRT_INP
--table filter --new-chain LIBVIRT_OUT
--table filter --insert OUTPUT --jump LIBVIRT_OUT
--table filter --new-chain LIBVIRT_FWO
--table filter --insert FORWARD --jump LIBVIRT_FWO
--table filter --new-chain LIBVIRT_FWI
--table filter --insert FORWARD --jump LIBVIRT_FWI
--table filter --new-chain LIBVIRT_FWX
--table filter --insert FORWARD --jump LIBVIRT_FWX
--table nat --new-chain LIBVIRT_PRT
--table nat --insert POSTROUTING --jump LIBVIRT_PRT
--table mangle --new-chain LIBVIRT_PRT
--table mangle --insert POSTROUTING --jump LIBVIRT_PRT
""".splitlines()

BEFORE = """\
ip link add virbr0 address MAC type bridge
echo 0 >/sys/class/net/virbr0/bridge/forward_delay
echo 1 >/sys/class/net/virbr0/bridge/stp_state
echo 1 >/proc/sys/net/ipv6/conf/virbr0/disable_ipv6
echo 0 >/proc/sys/net/ipv6/conf/virbr0/accept_ra
echo 0 >/proc/sys/net/ipv6/conf/virbr0/autoconf
""".splitlines()

SERVICES = """\
--table filter --insert LIBVIRT_INP --in-interface virbr0 --protocol tcp --destination-port 67 --jump ACCEPT
--table filter --insert LIBVIRT_INP --in-interface virbr0 --protocol udp --destination-port 67 --jump ACCEPT
--table filter --insert LIBVIRT_OUT --out-interface virbr0 --protocol tcp --destination-port 68 --jump ACCEPT
--table filter --insert LIBVIRT_OUT --out-interface virbr0 --protocol udp --destination-port 68 --jump ACCEPT
--table filter --insert LIBVIRT_INP --in-interface virbr0 --protocol tcp --destination-port 53 --jump ACCEPT
--table filter --insert LIBVIRT_INP --in-interface virbr0 --protocol udp --destination-port 53 --jump ACCEPT
--table filter --insert LIBVIRT_OUT --out-interface virbr0 --protocol tcp --destination-port 53 --jump ACCEPT
--table filter --insert LIBVIRT_OUT --out-interface virbr0 --protocol udp --destination-port 53 --jump ACCEPT
--table filter --insert LIBVIRT_FWO --in-interface virbr0 --jump REJECT
--table filter --insert LIBVIRT_FWI --out-interface virbr0 --jump REJECT
--table filter --insert LIBVIRT_FWX --in-interface virbr0 --out-interface virbr0 --jump ACCEPT
""".splitlines()  # noqa: E501

OUTWARDS = [
    "--table filter --insert LIBVIRT_FWO --source 192.168.122.0/24 --in-interface virbr0 "
    "--jump ACCEPT"
]
INWARDS = (
    "--table filter --insert LIBVIRT_FWI --destination 192.168.122.0/24 --out-interface virbr0 "
)
NAT = """\
--table nat --insert LIBVIRT_PRT --source 192.168.122.0/24 ! --destination 192.168.122.0/24 --jump MASQUERADE
--table nat --insert LIBVIRT_PRT --source 192.168.122.0/24 -p udp ! --destination 192.168.122.0/24 --jump MASQUERADE --to-ports 1024-65535
--table nat --insert LIBVIRT_PRT --source 192.168.122.0/24 -p tcp ! --destination 192.168.122.0/24 --jump MASQUERADE --to-ports 1024-65535
--table nat --insert LIBVIRT_PRT --source 192.168.122.0/24 --destination 255.255.255.255/32 --jump RETURN
--table nat --insert LIBVIRT_PRT --source 192.168.122.0/24 --destination 224.0.0.0/24 --jump RETURN
""".splitlines()  # noqa: E501
CHECKSUM = (
    "--table mangle --insert LIBVIRT_PRT --out-interface virbr0 --protocol udp "
    "--destination-port 68 --jump CHECKSUM --checksum-fill"
)
UP = [
    "ip addr add 192.168.122.1/24 broadcast 192.168.122.255 dev virbr0",
    "ip link set virbr0 up",
]
CONF = """\
strict-order
pid-file=/run/libvirt/network/default.pid
except-interface=lo
bind-dynamic
interface=virbr0
dhcp-range=192.168.122.2,192.168.122.254,255.255.255.0
dhcp-no-override
dhcp-authoritative
dhcp-lease-max=253
dhcp-hostsfile=/var/lib/libvirt/dnsmasq/default.hostsfile
addn-hosts=/var/lib/libvirt/dnsmasq/default.addnhosts
""".splitlines()
ISOLATED = ["dhcp-option=3", "no-resolv", "ra-param=*,0,0"]
DNSMASQ = (
    "dnsmasq --conf-file=/var/lib/libvirt/dnsmasq/default.conf --leasefile-ro "
    "--dhcp-script=/usr/lib/libvirt/libvirt_leaseshelper"
)
FORWARD = "echo 1 >/proc/sys/net/ipv4/ip_forward"

RULES = {
    "nat": [
        *SERVICES,
        *OUTWARDS,
        f"{INWARDS}--match conntrack --ctstate ESTABLISHED,RELATED --jump ACCEPT",
        *NAT,
        CHECKSUM,
    ],
    "route": [*SERVICES, *OUTWARDS, f"{INWARDS}--jump ACCEPT", CHECKSUM],
    "isolated": [*SERVICES, CHECKSUM],
}
"""In the order in which they are inserted, which is not that in which they stand."""


def started(host: str) -> Lab:
    return Lab.from_text(f"version: 1\nhosts: {{h: {host}}}")


def steps_of(lab: Lab) -> list[str]:
    bridge = lab.host("h").namespace.bridges["virbr0"]
    mac = bridge.device.mac.hex(":")
    steps = [step for step in lab.network.script_steps if step.script == "libvirtd"]
    return [step.command.replace(mac, "MAC") for step in steps]


def conf_steps(lines: list[str]) -> list[str]:
    return [f"echo {line} >>/var/lib/libvirt/dnsmasq/default.conf" for line in lines]


@pytest.mark.parametrize("mode", RULES)
def test_a_network_with_rules_starts_step_by_step(mode: str) -> None:
    with started(f"{{mode: {mode}, {NIC}}}") as lab:
        chains = [f"{program} -w {c}" for program in ("iptables", "ip6tables") for c in CHAINS]
        rules = [f"iptables -w {rule}" for rule in RULES[mode]]
        forwards = [FORWARD] if mode != "isolated" else []
        told = [*CONF[:5], *(ISOLATED if mode == "isolated" else ()), *CONF[5:]]
        expected = [*BEFORE, *chains, *rules, *UP, *forwards, *conf_steps(told), DNSMASQ]
        assert steps_of(lab) == expected
        assert lab.host("h").namespace.sysctls["net.ipv4.ip_forward"] == (mode != "isolated")


def test_an_open_network_has_no_rules() -> None:
    with started(f"{{mode: open, {NIC}}}") as lab:
        assert steps_of(lab) == [*BEFORE, *UP, FORWARD, *conf_steps(CONF), DNSMASQ]
        assert lab.host("h").namespace.netfilter is None


def test_dnsmasq_is_told_of_the_domain_and_of_who_has_an_address_kept() -> None:
    dhcp = (
        "dhcp: {domain: lab.test, range: 10.1.0.10-10.1.0.20, reservations: "
        "[{mac: '52:54:00:00:00:05', ip: 10.1.0.5, name: guest5}]}"
    )
    networks = f"virbr0: {{ip: 10.1.0.1/24, {dhcp}}}, quiet: {{ip: 10.2.0.1/24, dhcp: false}}"
    with started(f"{{mode: nat, {NIC}, switches: {{{networks}}}}}") as lab:
        told = [s.removeprefix("echo ") for s in steps_of(lab) if "libvirt/dnsmasq/" in s]
    folder = "/var/lib/libvirt/dnsmasq"
    assert f"domain=lab.test >>{folder}/default.conf" in told
    assert f"dhcp-range=10.1.0.10,10.1.0.20,255.255.255.0 >>{folder}/default.conf" in told
    assert f"dhcp-lease-max=11 >>{folder}/default.conf" in told
    assert f"52:54:00:00:00:05,10.1.0.5,guest5 >>{folder}/default.hostsfile" in told
    quiet = [line for line in told if line.endswith("quiet.conf")]
    assert [line.split(" ")[0] for line in quiet] == [
        "strict-order",
        "pid-file=/run/libvirt/network/quiet.pid",
        "except-interface=lo",
        "bind-dynamic",
        "interface=quiet",
        f"addn-hosts={folder}/quiet.addnhosts",
    ]


def test_the_kernel_lengthens_the_delay_of_a_bridge_that_speaks_stp() -> None:
    with started(f"{{mode: nat, {NIC}}}") as lab:
        tree = lab.host("h").namespace.bridges["virbr0"].tree
        assert tree.is_on
        assert tree.own_times.forward_delay * JIFFY_NS == 2_000_000_000
    with started(f"{{{NIC}, switches: {{virbr0: {{mode: nat, stp: false}}}}}}") as lab:
        tree = lab.host("h").namespace.bridges["virbr0"].tree
        assert (tree.is_on, tree.own_times.forward_delay) == (False, 0)


SAVED = """\
*mangle
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:LIBVIRT_PRT - [0:0]
-A POSTROUTING -j LIBVIRT_PRT
-A LIBVIRT_PRT -o virbr0 -p udp -m udp --dport 68 -j CHECKSUM --checksum-fill
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:LIBVIRT_FWI - [0:0]
:LIBVIRT_FWO - [0:0]
:LIBVIRT_FWX - [0:0]
:LIBVIRT_INP - [0:0]
:LIBVIRT_OUT - [0:0]
-A INPUT -j LIBVIRT_INP
-A FORWARD -j LIBVIRT_FWX
-A FORWARD -j LIBVIRT_FWI
-A FORWARD -j LIBVIRT_FWO
-A OUTPUT -j LIBVIRT_OUT
-A LIBVIRT_FWI -d 192.168.122.0/24 -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A LIBVIRT_FWI -o virbr0 -j REJECT --reject-with icmp-port-unreachable
-A LIBVIRT_FWO -s 192.168.122.0/24 -i virbr0 -j ACCEPT
-A LIBVIRT_FWO -i virbr0 -j REJECT --reject-with icmp-port-unreachable
-A LIBVIRT_FWX -i virbr0 -o virbr0 -j ACCEPT
-A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 53 -j ACCEPT
-A LIBVIRT_INP -i virbr0 -p tcp -m tcp --dport 53 -j ACCEPT
-A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 67 -j ACCEPT
-A LIBVIRT_INP -i virbr0 -p tcp -m tcp --dport 67 -j ACCEPT
-A LIBVIRT_OUT -o virbr0 -p udp -m udp --dport 53 -j ACCEPT
-A LIBVIRT_OUT -o virbr0 -p tcp -m tcp --dport 53 -j ACCEPT
-A LIBVIRT_OUT -o virbr0 -p udp -m udp --dport 68 -j ACCEPT
-A LIBVIRT_OUT -o virbr0 -p tcp -m tcp --dport 68 -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:LIBVIRT_PRT - [0:0]
-A POSTROUTING -j LIBVIRT_PRT
-A LIBVIRT_PRT -s 192.168.122.0/24 -d 224.0.0.0/24 -j RETURN
-A LIBVIRT_PRT -s 192.168.122.0/24 -d 255.255.255.255/32 -j RETURN
-A LIBVIRT_PRT -s 192.168.122.0/24 ! -d 192.168.122.0/24 -p tcp -j MASQUERADE --to-ports 1024-65535
-A LIBVIRT_PRT -s 192.168.122.0/24 ! -d 192.168.122.0/24 -p udp -j MASQUERADE --to-ports 1024-65535
-A LIBVIRT_PRT -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j MASQUERADE
COMMIT
""".splitlines()
"""What iptables-save said of the kernel's tables when libvirtd had started its default network."""


def tables_of(saved: str) -> dict[str, list[str]]:
    """The lines of each table; the tables stand in any order."""
    tables: dict[str, list[str]] = {}
    for line in saved.splitlines():
        if line.startswith("*"):
            tables[line] = []
        elif tables and not line.startswith("#"):
            list(tables.values())[-1].append(line)
    return tables


def test_the_rules_stand_as_in_the_kernel() -> None:
    with started(f"{{mode: nat, {NIC}}}") as lab:
        netfilter = lab.host("h").namespace.netfilter
        assert netfilter is not None
        assert tables_of(netfilter.rules4.save()) == tables_of("\n".join(SAVED))


def test_a_second_network_goes_before_the_first_and_finds_the_chains_there() -> None:
    networks = "virbr0: {mode: nat}, virbr1: {mode: isolated, ip: 10.0.0.1/24}"
    with started(f"{{{NIC}, switches: {{{networks}}}}}") as lab:
        steps = steps_of(lab)
        assert len([step for step in steps if "--new-chain" in step]) == len(CHAINS)
        netfilter = lab.host("h").namespace.netfilter
        assert netfilter is not None
        rejected = [
            line for line in netfilter.rules4.save().splitlines() if "-A LIBVIRT_FWO" in line
        ]
        assert rejected == [
            "-A LIBVIRT_FWO -i virbr1 -j REJECT --reject-with icmp-port-unreachable",
            "-A LIBVIRT_FWO -s 192.168.122.0/24 -i virbr0 -j ACCEPT",
            "-A LIBVIRT_FWO -i virbr0 -j REJECT --reject-with icmp-port-unreachable",
        ]
