"""``dhcp`` and ``dhclient``: leases of servers, and what clients are told to do."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.errors import UsageError
from vnet.base.text import one_of, quote
from vnet.base.units import NS_PER_S
from vnet.guest.apps.dhcp import ACTIONS
from vnet.lab.lease_rows import lease_rows
from vnet.linux.services.dhcp_client.daemon import DhcpClientDaemon
from vnet.linux.services.dhcp_server.daemon import DhcpServer
from vnet.shell.context import ShellContext, Words, machines, nodes
from vnet.shell.options import Arguments, Option
from vnet.shell.output import Output, columns
from vnet.shell.registry import Group, NodeUse, command

_VIEWS = ("leases", "file", "log")
_NS_PER_US = 1_000


@command(
    "dhcp",
    "leases|file|log [NODE] | start|renew|release|reboot NODE [DEVICE]",
    "leases and logs of DHCP servers; what DHCP clients are told to do",
    group=Group.TRAFFIC,
    words=(1, 3),
    options={},
    examples=["dhcp leases", "dhcp log h1", "dhcp renew vm1"],
    completes=[Words(*_VIEWS, *ACTIONS), nodes],
)
def dhcp(context: ShellContext, arguments: Arguments) -> Output:
    """``file`` shows the leases as dnsmasq keeps them; ``log`` of a machine without a server
    shows that of its client. ``reboot`` ends a client without a word and starts it again."""
    what, node = arguments.words[0], arguments.word(1)
    if what in ACTIONS:
        if node is None:
            raise UsageError(f"dhcp: {what} whose address?", f"dhcp {what} vm1")
        return _run(context, node, what, arguments.word(2))
    if what not in _VIEWS:
        known = one_of((*_VIEWS, *ACTIONS))
        raise UsageError(f"dhcp: there is no {quote(what)}", f"known are: {known}")
    servers = list(_servers(context, node))
    if what == "leases":
        return _leases(context, servers)
    if what == "file":
        return "".join(server.leases.text() for server in servers).rstrip("\n")
    return _logs(context, servers, node)


@command(
    "dhclient",
    "NODE [-4] [-1] [-r|-x] [-v] [DEVICE]",
    "get an address by DHCP, give it back (-r), or end the client (-x)",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(1, 2),
    options={
        "-r": Option("release"),
        "-x": Option("stop"),
        "-v": Option("verbose"),
        "-4": Option("ipv4"),
        "-1": Option("once"),
    },
    examples=["vm1 dhclient -v eth0", "vm1 dhclient -r"],
    completes=[machines],
)
def dhclient(context: ShellContext, arguments: Arguments) -> Output:
    """Without -v nothing is said where all is well."""
    node, device = arguments.words[0], arguments.word(1)
    if arguments.options.get("stop"):
        context.machine(node).dhcp_client(device).stop()
        return ""
    action = "release" if arguments.options.get("release") else "reboot"
    said = _run(context, node, action, device)
    is_quiet = not arguments.options.get("verbose")
    return "" if is_quiet and context.machine(node).dhcp_client(device).is_bound else said


def _run(context: ShellContext, node: str, action: str, device: str | None) -> str:
    """Have a client act, and tell what it said meanwhile."""
    machine = context.machine(node)
    client = machine.dhcp_client(device)
    n_before = client.log_lines.n_written
    machine.dhcp(action, device=device)
    return "\n".join(client.log_lines.since(n_before))


def _servers(context: ShellContext, node: str | None) -> Iterator[DhcpServer]:
    if node is not None:
        yield from context.namespace(node).dhcp_servers.values()
        return
    for machine in context.lab.network.machines():
        yield from machine.namespace.dhcp_servers.values()


def _leases(context: ShellContext, servers: list[DhcpServer]) -> Output:
    if not servers:
        return "nobody leases addresses here"
    wanted = {server.interface.device.label for server in servers}
    rows = [row for row in lease_rows(context.lab.network) if row.server in wanted]
    shown = [
        (*row[:3], row.name or "-", "forever" if row.left_s is None else f"{row.left_s}s")
        for row in rows
    ]
    return columns(("SERVER", "ADDRESS", "MAC", "NAME", "LEFT"), shown, numbers=(4,))


def _logs(context: ShellContext, servers: list[DhcpServer], node: str | None) -> str:
    lines = [(time, "dnsmasq-dhcp", text) for server in servers for time, text in server.log]
    if node is not None:
        for client in _clients(context, node):
            lines += [(time, "dhclient", text) for time, text in client.log_lines]
    lines.sort(key=lambda line: line[0])
    return "\n".join(f"[{_seconds(time)}] {who}: {text}" for time, who, text in lines)


def _clients(context: ShellContext, node: str) -> list[DhcpClientDaemon]:
    machine = context.lab.network.machine(node)
    return [] if machine is None else list(machine.dhcp_clients.values())


def _seconds(time_ns: int) -> str:
    seconds, rest_ns = divmod(time_ns, NS_PER_S)
    return f"{seconds:>5}.{rest_ns // _NS_PER_US:06}"
