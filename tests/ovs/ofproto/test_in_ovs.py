"""Random requests and lookups, here and in the real Open vSwitch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import pytest

from tests.ovs.ofproto.real_switch import RealSwitch, real_switch
from tests.ovs.private_ovs import IS_INSTALLED
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import FRAG_ANY, FRAG_LATER, Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.protocols import P_OF10_ANY, P_OF10_NXM_TID, P_OF13_OXM, P_OF15_OXM
from vnet.ovs.ofproto.dump.flows import dump_flows
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowModCommand
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.sim.scheduler import Scheduler

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

N_SEEDS = 4
N_REQUESTS = 20
N_RULES = 12
N_PACKETS = 8


@pytest.fixture(scope="module")
def switch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSwitch]:
    with real_switch(tmp_path_factory.mktemp("ovs")) as running:
        yield running


ADDRESSES = ("10.0.0.1", "10.0.0.2", "10.1.0.1", "11.0.0.1", "192.168.0.1", "138.0.0.1")
PORTS = (80, 81, 443, 0x8050, 1024)


def some(random: Random, share: float, *choices: str) -> list[str]:
    """One of the choices, or nothing."""
    return [random.choice(choices)] if random.random() < share else []


def random_match(random: Random) -> list[str]:
    """Protocol, port, addresses under prefixes and other masks, transport ports and flags."""
    protocol = random.choice(("", "ip", "tcp", "tcp", "udp", "arp"))
    parts = [protocol] if protocol else []
    parts += some(random, 0.3, "in_port=1", "in_port=2")
    parts += some(random, 0.2, "reg0=0", "reg0=1")
    parts += some(random, 0.2, "dl_src=02:00:00:00:00:01", "dl_src=02:00:00:00:00:02")
    if protocol:
        names = ("arp_spa", "arp_tpa") if protocol == "arp" else ("nw_src", "nw_dst")
        for name in names:
            address = random.choice(ADDRESSES)
            mask = random.choice(("/1", "/8", "/16", "/31", "", "", "/255.0.255.0"))
            parts += some(random, 0.5, f"{name}={address}{mask}")
    if protocol in ("tcp", "udp"):
        for name in ("tp_src", "tp_dst"):
            mask = random.choice(("0xffff", "0xff00", "0x8000", "0xfff0"))
            parts += some(random, 0.4, f"{name}={random.choice(PORTS)}/{mask}")
    if protocol == "tcp":
        parts += some(random, 0.2, "tcp_flags=+syn", "tcp_flags=+ack-syn")
    return parts


# -- lookups


def random_rules(random: Random) -> list[str]:
    """With conjunctions in every other table."""
    conjunctive = random.random() < 0.5
    lines = []
    for _ in range(N_RULES):
        actions = "drop"
        parts = [f"priority={random.choice((1, 2, 5, 5))}", *random_match(random)]
        if conjunctive and random.random() < 0.6:
            actions = f"conjunction({random.randint(1, 2)},{random.randint(1, 2)}/2)"
        elif conjunctive:
            parts += some(random, 0.5, "conj_id=1", "conj_id=2")
        lines.append(f"{','.join(parts)},actions={actions}")
    return lines


def random_packet(random: Random) -> str:
    protocol = random.choice(("tcp", "tcp", "udp", "arp"))
    source, destination = random.choice(ADDRESSES), random.choice(ADDRESSES)
    parts = [f"in_port={random.randint(1, 3)}", f"dl_src=02:00:00:00:00:0{random.randint(1, 3)}"]
    if protocol == "arp":
        return ",".join([*parts, "arp", f"arp_spa={source}", f"arp_tpa={destination}"])
    parts += [protocol, f"nw_src={source}", f"nw_dst={destination}", "nw_ttl=64"]
    parts += [f"{protocol}_{end}={random.choice(PORTS)}" for end in ("src", "dst")]
    flags = [f"tcp_flags={random.choice(('syn', 'ack', 'syn|ack'))}"] if protocol == "tcp" else []
    return ",".join([*parts, *flags])


def megaflow(bridge: Ofproto, packet: str) -> str:
    """What the packet's lookup depends on, as a trace prints it; translation adds the first."""
    flow = Flow(parse_flow(packet, FlowModCommand.DELETE).match.value)
    wc = Flow(Flow.dl_type.mask | Flow.packet_type.mask | Flow.recirc_id.mask)
    wc.in_port = 0xFFFF
    if flow.dl_type == 0x0800:
        wc.nw_frag = FRAG_ANY | FRAG_LATER
    bridge.lookup(0, flow, wc)
    wc.key &= ~(Flow.conj_id.mask | Flow.regs[0].mask)
    return match_text(Match(flow.key & wc.key, wc.key))


@pytest.mark.parametrize("seed", range(N_SEEDS))
def test_lookups_depend_on_the_same_bits(switch: RealSwitch, seed: int) -> None:
    random = Random(seed)
    lines = random_rules(random)
    switch.set_flows(lines)
    bridge = Ofproto("br0", Scheduler())
    for line in lines:
        bridge.flow_mod(parse_flow(line, FlowModCommand.ADD, allowed=P_OF10_ANY))
    for _ in range(N_PACKETS):
        packet = random_packet(random)
        assert megaflow(bridge, packet) == switch.megaflow(packet), (packet, lines)


# -- requests

VERSIONS = {
    "OpenFlow10": (P_OF10_ANY, P_OF10_NXM_TID),
    "OpenFlow13": (P_OF13_OXM, P_OF13_OXM),
    "OpenFlow15": (P_OF15_OXM, P_OF15_OXM),
}
"""The protocols that may be used to change flows, and the one by which they are listed."""

COMMANDS = {
    FlowModCommand.ADD: ("add-flow",),
    FlowModCommand.MODIFY: ("mod-flows",),
    FlowModCommand.MODIFY_STRICT: ("--strict", "mod-flows"),
    FlowModCommand.DELETE: ("del-flows",),
    FlowModCommand.DELETE_STRICT: ("--strict", "del-flows"),
}
ACTIONS = (
    "drop",
    "output:1",
    "output:2",
    "load:1->NXM_NX_REG1[],output:1",
    "group:7",
    "resubmit(,3)",
    "clone(output:2)",
)


def random_request(random: Random, command: FlowModCommand) -> str:
    deletes = command in (FlowModCommand.DELETE, FlowModCommand.DELETE_STRICT)
    adds = command is FlowModCommand.ADD
    parts = some(random, 0.5, "table=0", "table=1", "table=2")
    if command is not FlowModCommand.DELETE:
        parts += some(random, 0.7, "priority=1", "priority=5", "priority=65535")
    cookies = [] if deletes else ["cookie=0x1", "cookie=0x11"]
    if not adds:
        cookies += ["cookie=0x1/-1", "cookie=0x1/0xf"]
    parts += some(random, 0.4, *cookies)
    if deletes:
        parts += some(random, 0.3, "out_port=1", "out_port=2")
    else:
        parts += some(random, 0.2, "idle_timeout=100", "hard_timeout=300")
        parts += some(random, 0.2, "send_flow_rem", "check_overlap")
    parts += some(random, 0.4, "in_port=1", "in_port=2")
    parts += some(random, 0.5, "ip", "arp", "ip,nw_dst=10.0.0.0/24", "tcp,tp_dst=80")
    actions = [] if deletes else [f"actions={random.choice(ACTIONS)}"]
    return ",".join([*parts, *actions])


def refusal(bridge: Ofproto, command: FlowModCommand, text: str, allowed: int) -> str | None:
    try:
        bridge.flow_mod(parse_flow(text, command, allowed=allowed))
    except OpenFlowError as error:
        return error.name
    except OvsTextError as error:
        return str(error)
    return None


def without_ages(line: str) -> str:
    return re.sub(r"(duration|idle_age|hard_age)=[^,]*, ", "", line.strip())


@pytest.mark.parametrize("seed", range(N_SEEDS))
def test_requests_leave_the_same_flows(switch: RealSwitch, seed: int) -> None:
    random = Random(seed)
    switch.set_flows([])
    bridge = Ofproto("br0", Scheduler())
    for _ in range(N_REQUESTS):
        command = random.choice([FlowModCommand.ADD, FlowModCommand.ADD, *COMMANDS])
        version = random.choice(list(VERSIONS))
        text = random_request(random, command)
        words = ["-O", version, *COMMANDS[command], "br0", *([text] if text else [])]
        theirs = switch.refusal(*words)
        ours = refusal(bridge, command, text, VERSIONS[version][0])
        assert (ours is None) == (theirs is None), words
        assert ours == theirs or "ovs-ofctl" in str(theirs), words
    for version, (_, protocol) in VERSIONS.items():
        listed = switch.ofctl("-O", version, "--no-names", "dump-flows", "br0").splitlines()
        theirs_listed = [without_ages(line) for line in listed if "n_packets" in line]
        assert [without_ages(line) for line in dump_flows(bridge, protocol)] == theirs_listed
