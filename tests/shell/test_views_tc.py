"""What ``tc`` shows of queues that somebody else put there, and which node it is asked on."""

from __future__ import annotations

import pytest

from vnet.base.errors import UsageError
from vnet.lab.lab import Lab
from vnet.shell.context import ShellContext
from vnet.shell.dispatch import run_line

QOS = """
version: 1
hosts:
  h1:
    switches:
      br0:
        type: ovs
        ports:
          vnet0:
            qos:
              other_config: {max-rate: 10000000}
              queues:
                0: {other_config: {min-rate: 1000000}}
                1: {other_config: {min-rate: 2000000, max-rate: 4000000, priority: 1}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24}]}
switches: {sw1: {ports: 1}}
"""


def test_queues_of_open_vswitch_are_an_htb_that_tc_leaves_alone() -> None:
    with Lab.from_text(QOS) as lab:
        context = ShellContext(lab)
        lab.vm("vm2").ping("10.0.0.1", count=2)
        assert run_line(context, "h1 tc -s qdisc show dev vnet0") == (
            "qdisc htb 1: root refcnt 2 r2q 10 default 0x1 direct_packets_stat 0 direct_qlen 1000\n"
            " Sent 238 bytes 3 pkt (dropped 0, overlimits 0 requeues 0) \n"
            " backlog 0b 0p requeues 0"
        )
        assert run_line(context, "h1 tc class show dev vnet0") == (
            "class htb 1:1 parent 1:fffe prio 0 rate 1Mbit ceil 10Mbit burst 1564b cburst 1563b \n"
            "class htb 1:fffe root rate 10Mbit ceil 10Mbit burst 1500b cburst 1500b \n"
            "class htb 1:2 parent 1:fffe prio 1 rate 2Mbit ceil 4Mbit burst 1564b cburst 1564b "
        )
        with pytest.raises(UsageError, match="Exclusivity flag on"):
            run_line(context, "h1 tc qdisc replace dev vnet0 root pfifo")


def test_ports_of_switches_on_the_wire_have_queues_as_well() -> None:
    with Lab.from_text(QOS) as lab:
        context = ShellContext(lab)
        run_line(context, "sw1 tc qdisc add dev p1 root netem delay 1ms")
        assert run_line(context, "sw1 tc qdisc show dev p1") == (
            "qdisc netem 8001: root refcnt 2 limit 1000 delay 1ms"
        )


def test_a_card_shows_what_its_link_has_dropped_and_what_waits_for_it() -> None:
    text = (
        "version: 1\nrouters:\n"
        "  a: {nics: {e: {ip: 10.0.0.1/24}}}\n  b: {nics: {e: {ip: 10.0.0.2/24}}}\n"
        "links: [{ends: ['a:e', 'b:e'], bandwidth: 1mbit, queue: 3}]\n"
    )
    with Lab.from_text(text) as lab:
        context = ShellContext(lab)
        lab.machine("a").ping("10.0.0.2", count=1)
        socket = lab.machine("a").namespace.sockets.open_udp(lambda _socket, _datagram: None, 9)
        for _ in range(6):
            socket.send_to(b"\x0a\0\0\2", 9, bytes(500))
        shown = str(run_line(context, "a tc -s qdisc show dev e")).splitlines()
        assert "dropped 2," in shown[1]
        assert " 3p " in shown[2]
