"""What the lab's own commands print and do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vnet.lab.lab import Lab
from vnet.shell.commands import running
from vnet.shell.context import ShellContext
from vnet.shell.dispatch import run_line

Shell = Callable[..., Any]

FAILING = """
version: 1
name: failing
hosts: {h1: {hypervisor: kvm, switches: {br0: }}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24}]}
scenario:
  - ping: {from: vm1, to: vm2, count: 1}
    expect: {received: 2}
"""


def test_nodes(shell: Shell) -> None:
    assert shell("ipv6-only", "nodes").out.splitlines() == [
        "NODE  KIND      WHERE   ADDRESSES",
        "h1    kvm host  br0",
        "h2    kvm host  br0",
        "vm1   VM        on h1   2001:db8::1",
        "vm2   VM        on h2   2001:db8::2",
        "sw1   switch    p1, p2",
    ]


def test_links_count_both_ways_and_losses(shell: Shell) -> None:
    ran = shell("two-hosts", "ping vm1 vm2 -c 1", "link h2:eth0 down", "links")
    assert ran.out.splitlines()[6:] == [
        "h1:eth0 - h2:eth0 is down",
        "FROM     TO       STATE  LATENCY  RATE   FRAMES  BYTES  LOST  WHY",
        "h1:eth0  h2:eth0  down   1ms      1gbit       2    140     0",
        "h2:eth0  h1:eth0  down   1ms      1gbit       2    140     0",
    ]


def test_what_is_on_the_wire_when_the_plug_is_pulled_is_lost(shell: Shell) -> None:
    ran = shell("two-hosts", "run 1000500us", "link h1:eth0 down", "run 1002ms", "links")
    assert ran.out.splitlines()[-2].split()[-3:] == ["1", "link-down", "1"]


def test_a_cable_by_the_device_that_holds_it_now(shell: Shell) -> None:
    ran = shell("two-hosts", "link h1:peth0 down", "link h1:peth0 up")
    assert ran.out == "h1:eth0 - h2:eth0 is down\nh1:eth0 - h2:eth0 is up\n"


def test_impairments_are_set_as_tc_spells_them_and_listed(shell: Shell) -> None:
    ran = shell(
        "two-hosts",
        "link h1:eth0 loss gemodel 1% 30% duplicate 100% jitter 1us queue 7",
        "link h1:eth0 bandwidth none loss 0 mtu 1400",
        "ping vm1 vm2 -c 1",
        "links",
    )
    lines = ran.out.splitlines()
    assert lines[:2] == [
        "h1:eth0 - h2:eth0: latency 1ms bandwidth 1gbit jitter 1us "
        "loss gemodel p 1% r 30% 1-h 100% 1-k 0% duplicate 100%",
        "h1:eth0 - h2:eth0: latency 1ms bandwidth none jitter 1us duplicate 100%",
    ]
    assert lines[-3].endswith("WHY  IMPAIRMENTS                IMPAIRED")
    assert lines[-2].endswith("jitter 1us duplicate 100%  duplicated 2")


def test_a_lab_without_cables(shell: Shell) -> None:
    ran = shell("two-vms", "links", "link vm1:eth0 down")
    assert ran.out == "this lab has no cables\n"
    assert ran.err == "there is no cable at 'vm1:eth0' (this lab has no cables)\n"


def test_ports_of_a_node(shell: Shell) -> None:
    lab = Lab.load("@two-vms")
    lines = shell(lab, "ping vm1 vm2 -c 1", "ports h1").out.splitlines()[6:]
    macs = {d.name: d.mac.hex(":") for d in lab.network.devices() if d.owner == "h1"}
    assert [" ".join(line.split()) for line in lines] == [
        "DEVICE KIND STATE MAC MTU MASTER RX RX-BYTES TX TX-BYTES DROPS",
        "h1:lo loopback UNKNOWN 00:00:00:00:00:00 65536 - 0 0 0 0 0",
        f"h1:br0 bridge UP {macs['br0']} 1500 - 1 42 0 0 1",
        f"h1:vnet0 vif UP {macs['vnet0']} 1500 br0 2 140 2 140 0",
        f"h1:vnet1 vif UP {macs['vnet1']} 1500 br0 2 140 2 140 0",
    ]


def test_run_shows_the_steps_and_holds(shell: Shell) -> None:
    ran = shell("two-vms", "run", "time")
    assert ran.code == 0
    assert "ping vm1 → vm2 ×3" in ran.out
    assert "two-vms: 1 step, all held, 3s of virtual time" in ran.out


def test_a_scenario_that_does_not_hold_is_exit_code_1_and_ends_it(shell: Shell) -> None:
    ran = shell(Lab.from_text(FAILING), "run", "nodes")
    assert ran.code == 1
    assert "NOT all held" in ran.out
    assert "NODE" not in ran.out


def test_a_scenario_cut_short_has_not_failed(shell: Shell) -> None:
    ran = shell("two-hosts", "run 4s", "run")
    assert ran.code == 0
    assert "1 step, all held, 4s of virtual time\n3 steps of the scenario to go\n" in ran.out
    assert ran.out.splitlines()[-1].startswith("two-hosts: 4 steps, all held")


def test_step_moves_a_frame_by_one_device(shell: Shell) -> None:
    lab = Lab.load("@two-vms")
    lines = shell(lab, "step", "run 500ms", "step", "step", "step 2").out.splitlines()
    assert lines[0] == "no event is pending; `run 0s` begins the scenario"
    asks = "ARP who has 10.0.0.2 says 10.0.0.1"
    answers = f"ARP is at {lab.vm('vm2').vnic(0).mac} says 10.0.0.2"
    assert lines[-11:] == [
        f"          1s  vm1:eth0         > Ether / {asks}",
        "1s, 3 events pending, the next at 1s",
        f"          1s  h1:vnet0         < Ether / {asks}",
        f"          1s  h1:vnet1         > Ether / {asks}",
        f"          1s  h1:br0           < Ether / {asks}",
        "1s, 4 events pending, the next at 1s",
        f"          1s  vm2:eth0         < Ether / {asks}",
        f"          1s  vm2:eth0         > Ether / {answers}",
        f"          1s  h1:vnet1         < Ether / {answers}",
        f"          1s  h1:vnet0         > Ether / {answers}",
        "1s, 4 events pending, the next at 1s",
    ]


def test_stepping_leaves_nothing_behind(shell: Shell) -> None:
    stepped, plain = Lab.load("@two-vms"), Lab.load("@two-vms")
    shell(stepped, "run 0s", "step 12", "step", "run")
    shell(plain, "run")
    assert stepped.report().as_json() == plain.report().as_json()


def test_stepping_takes_its_sniffers_away() -> None:
    context = ShellContext(Lab.load("@two-vms"))
    before = [device.sniffers for device in context.lab.network.devices()]
    run_line(context, "run 0s")
    run_line(context, "step 5")
    assert [device.sniffers for device in context.lab.network.devices()] == before


def test_a_long_step_is_cut(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_MOST_LINES", 3)
    lines = shell("two-vms", "run 0s", "step 7").out.splitlines()[-5:]
    assert [" > " in line or " < " in line for line in lines] == [True] * 3 + [False] * 2
    assert lines[3] == "... and 11 frames more"


def test_wait_and_time(shell: Shell) -> None:
    ran = shell("two-vms", "wait 200ms", "time")
    assert ran.out == "200ms, no event pending\n" * 2


def test_ping_between_machines(shell: Shell) -> None:
    ran = shell("two-hosts", "ping vm1 vm2 -c 2", "vm2 ping 10.0.0.9 -c 1")
    assert ran.out.splitlines() == [
        "PING vm2 (10.0.0.2) 56(84) bytes of data.",
        "64 bytes from vm2 (10.0.0.2): icmp_seq=1 ttl=64 time=4.00 ms",
        "64 bytes from vm2 (10.0.0.2): icmp_seq=2 ttl=64 time=2.00 ms",
        "",
        "--- vm2 ping statistics ---",
        "2 packets transmitted, 2 received, 0% packet loss, time 1000ms",
        "rtt min/avg/max/mdev = 2.001/3.001/4.002/1.000 ms",
        "PING 10.0.0.9 (10.0.0.9) 56(84) bytes of data.",
        "From 10.0.0.2 icmp_seq=1 Destination Host Unreachable",
        "",
        "--- 10.0.0.9 ping statistics ---",
        "1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 0ms",
        "",
    ]


def test_ping_options_reach_the_packet(shell: Shell) -> None:
    lab = Lab.load("@two-vms")
    shell(lab, "vm1 ping vm2 -c 2 -i 0.5 -s 100 -t 9 -M do")
    requests = [p for p in lab.vm("vm1").vnic(0).sent if p.haslayer("ICMP")]
    assert [(p["IP"].ttl, str(p["IP"].flags), len(p)) for p in requests] == [(9, "DF", 142)] * 2
    assert requests[1].time - requests[0].time == pytest.approx(0.5)


def test_arping_asks_announces_and_looks_for_duplicates(shell: Shell) -> None:
    ran = shell("two-vms", "arping vm1 vm2", "vm1 arping -U 10.0.0.1", "vm1 arping -D 10.0.0.2")
    mac = Lab.load("@two-vms").vm("vm2").vnic(0).mac.upper()
    assert ran.out.splitlines() == [
        "ARPING 10.0.0.2 from 10.0.0.1 eth0",
        f"Unicast reply from 10.0.0.2 [{mac}]  0.000ms",
        "Sent 1 probes (1 broadcast(s))",
        "Received 1 response(s)",
        "ARPING 10.0.0.1 from 10.0.0.1 eth0",
        "Sent 1 probes (1 broadcast(s))",
        "Received 0 response(s)",
        "ARPING 10.0.0.2 from 0.0.0.0 eth0",
        f"Unicast reply from 10.0.0.2 [{mac}]  0.000ms",
        "Sent 1 probes (1 broadcast(s))",
        "Received 1 response(s)",
    ]


def test_arping_asks_by_unicast_once_it_was_answered(shell: Shell) -> None:
    ran = shell("two-vms", "arping vm1 vm2 -c 3 -I eth0", "arping vm1 vm2 -I eth7")
    assert ran.out.splitlines()[-2:] == [
        "Sent 3 probes (1 broadcast(s))",
        "Received 3 response(s)",
    ]
    assert ran.err == "arping: Device eth7 not available.\n"


def test_udp_to_a_machine_is_echoed_and_to_a_closed_port_is_not(shell: Shell) -> None:
    ran = shell("two-vms", "udp vm1 vm2 -p 5000 -c 3 -i 1ms", "udp vm1 10.0.0.2 -p 9")
    assert ran.out.splitlines() == [
        "vm1 sends to vm2 port 5000",
        "3 datagrams sent, 3 echoed",
        "vm1 sends to 10.0.0.2 port 9",
        "From 10.0.0.2 Destination Port Unreachable",
        "1 datagram sent, 0 echoed",
    ]


def test_pingall_tells_tenants_with_the_same_addresses_apart(shell: Shell) -> None:
    assert shell("three-tenants", "pingall red1 red2 green1 blue2").out.splitlines() == [
        "ms        red1    red2  green1  blue2",
        "red1         -  0.000*    self      X",
        "red2    0.000*       -  0.000*      X",
        "green1    self  0.000*       -      X",
        "blue2   0.000*       X  0.000*      -",
        "10 pings, 6 answered, 4 lost",
        "self: the asker has that address too, and answered itself",
        "*: several machines have that address, and any of them may have answered",
    ]


def test_pingall_is_at_one_virtual_time(shell: Shell) -> None:
    ran = shell("two-hosts", "pingall", "time")
    assert ran.out.splitlines()[:4] == [
        "ms     vm1    vm2",
        "vm1      -  3.002",
        "vm2  3.002      -",
        "2 pings, 2 answered, 0 lost",
    ]
    assert ran.out.splitlines()[4].startswith("3.001904ms, ")


@pytest.mark.parametrize(
    "expression",
    [
        'IP(dst="10.0.0.2")/ICMP()',
        "'IP(dst=\"10.0.0.2\") / ICMP()'",
        'IP(dst="10.0.0.2") / ICMP() / "quoted \'payload\'"',
    ],
)
def test_trace_follows_a_packet(expression: str, shell: Shell) -> None:
    ran = shell("two-hosts", "ping vm1 vm2 -c 1", f"trace vm1 {expression}")
    places = [line.split()[1] for line in ran.out.splitlines()[3:]]
    assert ran.code == 0
    assert [p for p in places if p.endswith("peth0")] == [
        "h1:peth0",
        "h2:peth0",
        "h2:peth0",
        "h1:peth0",
    ]


def test_captures(shell: Shell) -> None:
    ran = shell("two-vms", "ping vm1 vm2 -c 1", "captures", "captures vm1:eth0 2")
    assert ran.out.splitlines()[6:] == [
        "POINT     FRAMES",
        "vm1:eth0       4",
        "vm2:eth0       4",
        "          0s  > Ether / IP / ICMP 10.0.0.1 > 10.0.0.2 echo-request 0 / Raw",
        "          0s  < Ether / IP / ICMP 10.0.0.2 > 10.0.0.1 echo-reply 0 / Raw",
    ]


def test_captures_of_before_the_session_are_counted(shell: Shell) -> None:
    lab = Lab.load("@two-vms")
    lab.run()
    ran = shell(lab, "captures vm1:eth0")
    assert ran.out == "vm1:eth0: 8 frames before this session, none in it\n"


def test_drops_name_cause_and_cure(shell: Shell) -> None:
    ran = shell("two-vms", "drops", "ping vm1 10.0.0.9 -c 1", "drops")
    assert ran.out.splitlines()[0] == "nothing was dropped"
    assert "vm1:eth0       1  no-neighbor" in ran.out
    assert (
        "no-neighbor: nobody answered for the next hop's address\n"
        "  cure: see that the next hop is up, on this segment, and has that address\n"
    ) in ran.out


def test_drops_explains_a_reason_that_nothing_met_yet(shell: Shell) -> None:
    ran = shell("two-vms", "drops no-route")
    assert ran.out.startswith("no-route: no route leads to the destination\n  cure: ")
    assert "did you mean 'no-route'?" in shell("two-vms", "drops no-rout").err


def test_a_node_called_like_a_command_is_reached_by_on(shell: Shell) -> None:
    lab = Lab.from_text(FAILING.replace("vm1", "time"))
    assert shell(lab, "time").out.endswith("no event pending\n")
    assert shell(lab, "on time ip route").out.startswith("10.0.0.0/24 dev eth0")


def test_history_comments_and_quit(shell: Shell) -> None:
    ran = shell("two-vms", "time", "# a remark", "", "history", "quit", "nodes")
    assert (ran.code, ran.out) == (0, "0s, no event pending\n   1  time\n   2  history\n")


@pytest.mark.slow
def test_the_shell_is_not_needed_by_the_rest() -> None:
    import subprocess
    import sys

    script = (
        "import sys, vnet.shell.app, vnet.cli.main\n"
        "assert 'cmd2' not in sys.modules and 'prompt_toolkit' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_brctl_and_bridge_know_linux_bridges_only(shell: Shell) -> None:
    text = """
version: 1
hosts: {h1: {nics: {eth0: }, switches: {br0: {type: ovs}, br1: }}}
vms: {vm1: {host: h1, vnics: [{switch: br0}, {switch: br1}]}}
switches: {sw1: {type: ovs}}
links: [{ends: ['h1:eth0', 'sw1:p1']}]
"""
    lab = Lab.from_text(text)
    ran = shell(lab, "h1 brctl show", "sw1 brctl show", "h1 bridge link", "sw1 bridge fdb")
    heading, row, nothing, port = ran.out.splitlines()
    assert heading == nothing == "bridge name\tbridge id\t\tSTP enabled\tinterfaces"
    assert row.startswith("br1\t\t")
    assert port.startswith("6: vnet1: ")
    assert "br0" not in ran.out
    rows = [line.split() for line in shell(lab, "ports h1", "ports sw1").out.splitlines()]
    masters = {row[0]: row[5] for row in rows}
    assert [masters[f"h1:{name}"] for name in ("eth0", "vnet0", "vnet1", "br0")] == [
        "br0",
        "br0",
        "br1",
        "-",
    ]
    assert (masters["sw1:p1"], masters["sw1:sw1"]) == ("sw1", "-")
    ran = shell(lab, "h1 ip link show br0")
    assert " qdisc noqueue state UNKNOWN " in ran.out


def test_a_machine_joins_a_group_and_leaves_it(shell: Shell) -> None:
    ran = shell(
        "two-vms", "vm1 join 239.1.1.1", "join vm2 239.1.1.2 -I eth0", "vm1 leave 239.1.1.1"
    )
    assert ran.out.splitlines() == [
        "vm1:eth0 joins 239.1.1.1",
        "vm2:eth0 joins 239.1.1.2",
        "vm1:eth0 leaves 239.1.1.1",
    ]
    assert "vm1 is not in 239.1.1.1 (it joined none)" in shell("two-vms", "vm1 leave 239.1.1.1").err
    assert "10.0.0.1 is no multicast group" in shell("two-vms", "vm1 join 10.0.0.1").err


def test_hosts_and_routers_are_traced_too(shell: Shell) -> None:
    ran = shell("stp-ring", "run 40s", 'h1 trace IP(dst="10.0.0.2")/ICMP()', "nodes")
    assert "h1:eth0           handed to the device" in ran.out
    assert "h2:eth0           sent [42] 10.0.0.2 → 10.0.0.1 ICMP echo reply" in ran.out
    ran = shell("three-routers", "run 5s", 'trace r1:eth2 IP(dst="10.0.3.3")/ICMP()')
    assert "sent [42] 192.0.2.9 → 10.0.3.3 ICMP echo request" in ran.out
    ran = shell("three-routers", 'trace h1 IP(dst="10.0.3.3")/ICMP()')
    assert ran.err == "h1 has no device number 0 with an address (name one: eth0, br0, vnet0)\n"
    assert "s1 is a switch on the wire" in shell("stp-ring", "trace s1 IP()").err
