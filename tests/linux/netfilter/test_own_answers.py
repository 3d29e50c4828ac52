"""What a machine says to itself by the loopback, and answers, where addresses are translated."""

from __future__ import annotations

from scapy.layers.inet import ICMP

from tests.linux.kit import Lab, dropped, host, ip, router, swallow, to_host
from vnet.base.ids import ip_from_text
from vnet.linux.netns import drops
from vnet.tables.conntrack.linux import status


def test_an_answer_of_no_known_connection_may_be_of_one_where_the_loopback_brings_it_in() -> None:
    """There it is of another zone; and from an own address it cannot go on."""
    lab = Lab()
    machine, inside, _ = router(lab)
    netfilter = machine.make_netfilter()
    netfilter.rules4.restore("*raw\n-A PREROUTING -j CT --zone 3\nCOMMIT\n")
    netfilter.rules4.restore("*nat\n-A INPUT -j SNAT --to-source 10.0.2.254\nCOMMIT\n")
    netfilter.rules4.restore("*filter\n-A INPUT -i lo\nCOMMIT\n")
    inside.send(to_host(inside, ip("10.0.1.1", "10.0.1.254") / ICMP(id=1)))
    lab.run(0)
    (entry,) = netfilter.conntrack.entries(machine.scheduler.now_ns)
    assert entry.status & status.SEEN_REPLY
    assert dropped(machine, drops.MARTIAN_SOURCE) == 1
    assert "[0:0] -A INPUT -i lo" in netfilter.rules4.save("filter", counters=True)


def test_nothing_leaves_from_the_address_of_the_loopback() -> None:
    lab = Lab()
    machine, probe = host(lab, "10.0.0.1/24")
    rules = "-A OUTPUT -p udp -j REDIRECT\n-A POSTROUTING -p udp -j SNAT --to-source 10.0.0.9"
    machine.make_netfilter().rules4.restore(f"*nat\n{rules}\nCOMMIT\n")
    machine.sockets.open_udp(swallow).send_to(ip_from_text("10.0.0.2"), 9, b"")
    lab.run(0)
    assert dropped(machine, drops.LOOPBACK_SOURCE) == 1
    assert probe.of(ICMP) == []


def test_errors_about_what_a_machine_says_to_itself_have_no_limit() -> None:
    lab = Lab()
    machine, _ = host(lab, "10.0.0.1/24")
    rules = machine.make_netfilter().rules4
    rules.restore("*nat\n-A POSTROUTING -o lo -j SNAT --to-source 10.0.0.9\nCOMMIT\n")
    rules.restore("*filter\n-A OUTPUT -p icmp\nCOMMIT\n")
    socket = machine.sockets.open_udp(swallow)
    for _ in range(10):
        socket.send_to(ip_from_text("10.0.0.1"), 9, b"")
        lab.run(0)
    assert "[10:" in rules.save("filter", counters=True).partition("-A OUTPUT")[0]
