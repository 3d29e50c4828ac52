"""Traffic: ping, arping, udp, pingall, and a traced packet."""

from __future__ import annotations

import re

from vnet.base.errors import UsageError
from vnet.base.ids import IPV4_ANY, ip_from_text, ip_text, is_link_local_ip6
from vnet.cli.progress import pings_bar
from vnet.guest.apps.ping import is_broadcast
from vnet.guest.apps.ping_text import ping_text
from vnet.guest.vnic import Vnic
from vnet.lab.classes import machine_classes
from vnet.lab.handles import MachineHandle
from vnet.lab.pingall import MOST_SAMPLES, PingAll, choose_pairs, class_pairs
from vnet.shell.context import ShellContext, machines
from vnet.shell.options import Arguments, Option, choice, duration, whole_number
from vnet.shell.output import Output, plural
from vnet.shell.pingall import class_matrix, machine_matrix, sample_table
from vnet.shell.registry import Group, NodeUse, command
from vnet.topology.packets.expression import build_packet

_MOST_PACKETS = 1_000_000
_COUNT = Option("count", whole_number(1, _MOST_PACKETS))
_INTERVAL = Option("interval", duration)
_SIZE = Option("size", whole_number(0, 65_507))
_LINK_MULTICAST = b"\xff\x02"
_HEX = re.compile("[0-9A-Fa-f]{1,2}", re.ASCII)


def _tos(text: str) -> int:
    """A type of service, in decimal or, behind 0x, in hexadecimal."""
    digits = text[2:] if text[:2].lower() == "0x" else ""
    if _HEX.fullmatch(digits):
        return int(digits, 16)
    return int(whole_number(0, 255)(text))


@command(
    "ping",
    "SRC DST [-4|-6] [-b] [-n] [-q] [-c COUNT] [-i INTERVAL] [-s SIZE] [-t TTL] [-Q TOS] "
    "[-I SOURCE] [-W TIMEOUT] [-w DEADLINE] [-M do|dont|want]",
    "echo requests from a machine to a machine or an address",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(2, 2),
    options={
        "-c": _COUNT,
        "-i": _INTERVAL,
        "-s": _SIZE,
        "-t": Option("ttl", whole_number(1, 255)),
        "-Q": Option("tos", _tos),
        "-I": Option("source", str),
        "-W": Option("timeout", duration),
        "-w": Option("deadline", duration),
        "-b": Option("broadcast"),
        "-n": Option("numeric"),
        "-q": Option("quiet"),
        "-4": Option("family", value=4),
        "-6": Option("family", value=6),
        "-M": Option("df", choice(do=True, dont=False, want=None)),
    },
    examples=["ping vm1 vm2 -c 2", "vm1 ping 10.0.0.2 -c 3 -i 200ms -s 1400 -M do"],
    completes=[machines, machines],
)
def ping(context: ShellContext, arguments: Arguments) -> Output:
    """INTERVAL, TIMEOUT and DEADLINE are seconds, or have a unit. SOURCE is an address or a device.

    -b allows a broadcast address; -n shows addresses only, -q only what it came to.
    """
    source, target = arguments.words
    options = dict(arguments.options)
    broadcast, numeric, quiet = (
        options.pop(key, False) for key in ("broadcast", "numeric", "quiet")
    )
    machine = context.machine(source)
    context.target(target, source)
    named = context.lab.network.machine(target) is not None
    where = target if named else _address_of(machine, target, options.get("family"))
    address, _, device = where.partition("%")
    if not named:
        ip = ip_from_text(address)
        if not broadcast and is_broadcast(machine.namespace, ip):
            raise UsageError(
                "ping: Do you want to ping broadcast? Then -b. "
                "If not, check your local firewall rules"
            )
    if "deadline" in options:
        options.setdefault("count", _MOST_PACKETS)
    result = machine.ping(where, **options)

    def name_of(ip: bytes) -> str:
        of_link = is_link_local_ip6(ip) or ip[:2] == _LINK_MULTICAST
        text = f"{ip_text(ip)}%{device}" if device and of_link else ip_text(ip)
        name = context.name_of(ip) if named and not numeric else text
        return text if name == text else f"{name} ({text})"

    return ping_text(result, target, name_of, quiet=quiet)


def _address_of(machine: MachineHandle, text: str, family: int | None) -> str:
    """An address as it stands; for a name, what the machine's DNS server has for it."""
    try:
        ip_from_text(text.partition("%")[0])
    except ValueError:
        try:
            return machine.resolve(text, family=family)[0]
        except UsageError as error:
            raise UsageError(f"ping: {error.what}") from None
    return text


@command(
    "arping",
    "SRC DST [-c COUNT] [-I DEVICE] [-U] [-D]",
    "ask by ARP for an address, announce one (-U), or look for a duplicate (-D)",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(2, 2),
    options={
        "-c": _COUNT,
        "-I": Option("device", str),
        "-U": Option("mode", value="announce"),
        "-D": Option("mode", value="duplicate"),
    },
    examples=["arping vm1 10.0.0.2 -c 2", "vm1 arping -D 10.0.0.9", "vm1 arping -U 10.0.0.1"],
    completes=[machines, machines],
)
def arping(context: ShellContext, arguments: Arguments) -> Output:
    """Shows who answered, and how soon."""
    source, target = arguments.words
    machine, device = context.machine(source), arguments.options.get("device")
    if device is not None and device not in machine.namespace.interfaces:
        raise UsageError(f"arping: Device {device} not available.")
    return machine.arping(context.target(target), **arguments.options).text()


@command(
    "udp",
    "SRC DST [-p PORT] [-c COUNT] [-i INTERVAL] [-s SIZE]",
    "datagrams to an echo server, which is started when DST is a machine",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(2, 2),
    options={
        "-p": Option("port", whole_number(1, 65_535)),
        "-c": _COUNT,
        "-i": _INTERVAL,
        "-s": _SIZE,
    },
    examples=["udp vm1 vm2 -p 7 -c 5 -i 10ms", "vm2 udp 10.0.0.1 -p 5000"],
    completes=[machines, machines],
)
def udp(context: ShellContext, arguments: Arguments) -> Output:
    """A port where nobody listens answers with an ICMP error, which is shown."""
    source, target = arguments.words
    sender = context.machine(source)
    server = context.lab.network.machine(context.target(target, source))
    port = arguments.options.get("port", 7)
    if server is not None:
        server.serve_echo(port)
    app = sender.udp(target, **arguments.options)
    errors = [f"From {error}" for error in app.errors]
    figures = f"{plural(app.sent, 'datagram')} sent, {app.received} echoed"
    return "\n".join([f"{source} sends to {target} port {port}", *errors, figures])


@command(
    "pingall",
    "[NAME...] [--classes] [--sample N]",
    "every VM pings every other once, or a few of them do",
    group=Group.TRAFFIC,
    words=(0, None),
    options={
        "--classes": Option("classes"),
        "--sample": Option("sample", whole_number(1, MOST_SAMPLES)),
    },
    examples=["pingall", "pingall vm1 vm2", "pingall --classes", "pingall --sample 500"],
    completes=[machines],
)
def pingall(context: ShellContext, arguments: Arguments) -> Output:
    """A matrix of round trips in milliseconds; named machines may be hosts and routers too.

    --classes: one or two of each class of like machines, and a matrix of classes.
    --sample: that many random pairs, the same ones for the same seed, and who lost a ping.
    """
    lab = context.lab
    names = list(dict.fromkeys(arguments.words)) or list(lab.network.vms)
    for name in names:
        context.machine(name)
    pairs = choose_pairs(lab.network, names, **arguments.options)
    app = PingAll(lab.network, pairs)
    with pings_bar(app):
        lab.wait_for(app)
    if "classes" in arguments.options:
        classes = machine_classes(lab.network, names)
        return class_matrix(app, classes, class_pairs(classes))
    return sample_table(app) if "sample" in arguments.options else machine_matrix(app, names)


@command(
    "trace",
    "SRC[:DEVICE] EXPRESSION",
    "send a packet in Scapy's notation from a machine and follow all it causes",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    verbatim=True,
    words=(2, None),
    examples=[
        'trace vm1 IP(dst="10.0.0.2")/ICMP()',
        'trace vm1:eth0 Ether(dst="ff:ff:ff:ff:ff:ff")/ARP(pdst="10.0.0.2")',
        'vm1 trace IP(dst="10.0.0.2") / UDP(dport=9) / "hello"',
    ],
    completes=[machines],
)
def trace(context: ShellContext, arguments: Arguments) -> Output:
    """The expression is read as data and never run. What it leaves open comes from SRC."""
    from vnet.shell.dispatch import first_word

    source, expression = first_word(arguments.text)
    name, _, device = source.partition(":")
    vnic = context.machine(name).vnic(device or 0)
    packet = build_packet(
        _unquoted(expression),
        mac=vnic.interface.device.mac,
        ip4=_own_address(vnic, IPV4_ANY),
        ip6=_own_address(vnic, bytes(16)),
    )
    return str(context.lab.trace(name, packet, device=device or 0))


def _unquoted(expression: str) -> str:
    """A packet begins with a layer, so quotes around all of it are meant for a shell."""
    text = expression.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text


def _own_address(vnic: Vnic, any_address: bytes) -> bytes:
    """The vNIC's first address of the family of ``any_address``, empty for none."""
    for address in vnic.interface.addresses:
        if len(address.ip) == len(any_address) and not is_link_local_ip6(address.ip):
            return address.ip
    return b""
