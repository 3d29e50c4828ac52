"""``virsh``: the machines and networks of a host, as libvirt's own tool shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vnet.base.errors import UsageError
from vnet.base.ids import mac_from_text
from vnet.base.text import did_you_mean
from vnet.guest.machine import Guest
from vnet.hypervisor.modes.libvirt import StartedNetwork
from vnet.lab.domains import Domains
from vnet.lab.network import Network, front_of
from vnet.linux.services.dhcp_server.leases import Lease
from vnet.shell.context import ShellContext, Words
from vnet.shell.options import Arguments
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command
from vnet.shell.views import virsh as views
from vnet.topology.model import Hypervisor

_MODELS = {Hypervisor.KVM: "virtio", Hypervisor.XEN: "netfront"}


@dataclass(frozen=True)
class Host:
    """The host whose libvirtd is asked."""

    network: Network
    domains: Domains

    @property
    def name(self) -> str:
        return self.domains.host.name

    @property
    def networks(self) -> dict[str, StartedNetwork]:
        return self.domains.networks.started

    def find_network(self, name: str) -> StartedNetwork:
        """A network by name or UUID."""
        for network in self.networks.values():
            if name in (network.wanted.name, network.uuid):
                return network
        why = f"Network not found: no network with matching name '{name}'"
        raise UsageError(f"error: failed to get network '{name}'", why)

    def find_guest(self, name: str) -> Guest:
        """A machine that runs here, by name or number."""
        for vm, domid in self.domains.running.items():
            if name in (vm, str(domid)):
                return self.network.vms[vm]
        known = did_you_mean(name, list(self.domains.running), "there are")
        raise UsageError(f"error: failed to get domain '{name}'", known or "there is none")

    def leases(self, network: StartedNetwork) -> list[Lease]:
        """Who has an address of a network."""
        namespace = self.network.hosts[self.name].namespace
        server = namespace.dhcp_servers.get(namespace.interface(network.wanted.bridge))
        return [] if server is None else list(server.leases)

    def cards_on(self, bridge: str) -> int:
        """How many cards of machines are plugged into a bridge."""
        vnics = [vnic for vm in self.domains.running for vnic in self.network.vms[vm].vnics]
        return sum(self.network.plug_of(vnic) == (self.name, bridge) for vnic in vnics)


@dataclass(frozen=True)
class _Given:
    """What followed a command: its argument, if it takes one, and options."""

    argument: str = ""
    flags: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Command:
    run: Callable[[Host, _Given], str]
    argument: str = ""
    flags: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def _list(host: Host, given: _Given) -> str:
    running = {} if "--inactive" in given.flags else host.domains.running
    if "--name" in given.flags:
        return "\n".join(running)
    if "--id" in given.flags:
        return "\n".join(str(domid) for domid in running.values())
    rows = [(str(domid), vm, "running") for vm, domid in running.items()]
    return views.table(("Id", "Name", "State"), rows)


def _domiflist(host: Host, given: _Given) -> str:
    guest = host.find_guest(given.argument)
    by_bridge = {network.wanted.bridge: name for name, network in host.networks.items()}
    model = _MODELS.get(host.domains.host.hypervisor, "-")
    rows = []
    for vnic in guest.vnics:
        _host, bridge = host.network.plug_of(vnic)
        kind, source = "bridge", bridge
        if bridge in by_bridge:
            kind, source = "network", by_bridge[bridge]
        elif not bridge:
            kind, source = "ethernet", "-"
        front = front_of(vnic)
        rows.append((front.peer.name, kind, source, model, front.mac.hex(":")))
    return views.table(("Interface", "Type", "Source", "Model", "MAC"), rows)


def _net_list(host: Host, given: _Given) -> str:
    hidden = {"--inactive", "--transient", "--no-autostart"} & given.flags
    networks = [] if hidden else sorted(host.networks.items())
    shown = [flag for flag in ("--table", "--name", "--uuid") if flag in given.flags]
    if len(shown) > 1:
        what = "error: Only one argument from --table, --name and --uuid may be specified."
        raise UsageError(what)
    if shown == ["--name"]:
        return "\n".join(name for name, _network in networks)
    if shown == ["--uuid"]:
        return "\n".join(network.uuid for _name, network in networks)
    rows = [(name, "active", "yes", "yes") for name, _network in networks]
    return views.table(("Name", "State", "Autostart", "Persistent"), rows)


def _net_info(host: Host, given: _Given) -> str:
    return views.network_info(host.find_network(given.argument))


def _net_dumpxml(host: Host, given: _Given) -> str:
    network = host.find_network(given.argument)
    running = "--inactive" not in given.flags
    return views.network_xml(network, host.cards_on(network.wanted.bridge) if running else 0)


def _net_uuid(host: Host, given: _Given) -> str:
    return host.find_network(given.argument).uuid


def _net_name(host: Host, given: _Given) -> str:
    return host.find_network(given.argument).wanted.name


def _net_dhcp_leases(host: Host, given: _Given) -> str:
    network = host.find_network(given.argument)
    leases = host.leases(network)
    if "--mac" in given.values:
        text = given.values["--mac"]
        try:
            mac = mac_from_text(text)
        except ValueError:
            what = f"error: Failed to get leases info for {network.wanted.name}"
            raise UsageError(what, f"invalid MAC address: {text}") from None
        leases = [lease for lease in leases if lease.hwaddr == mac]
    return views.leases_table(leases, network.wanted.prefix_length)


_SOME = ("--inactive", "--all", "--persistent", "--transient", "--autostart", "--no-autostart")

_COMMANDS = {
    "list": _Command(_list, flags=(*_SOME, "--name", "--id", "--table")),
    "domiflist": _Command(_domiflist, "domain", ("--inactive",)),
    "net-list": _Command(_net_list, flags=(*_SOME, "--uuid", "--name", "--table")),
    "net-info": _Command(_net_info, "network"),
    "net-dumpxml": _Command(_net_dumpxml, "network", ("--inactive",)),
    "net-uuid": _Command(_net_uuid, "network"),
    "net-name": _Command(_net_name, "network"),
    "net-dhcp-leases": _Command(_net_dhcp_leases, "network", options=("--mac",)),
}


def _read(name: str, known: _Command, words: Sequence[str]) -> _Given:
    """Part the words behind a command as virsh does, with its complaints."""
    flags, values = set(), {}
    free = [f"--{known.argument}"] * bool(known.argument) + list(known.options)
    takes_value = list(free)
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        option, joined, value = word.partition("=")
        if not word.startswith("--"):
            if not free:
                raise UsageError(f"error: unexpected data '{word}'")
            values[free.pop(0)] = word
        elif option in takes_value:
            if not joined:
                if not waiting:
                    raise UsageError(f"error: expected syntax: {option} <string>")
                value = waiting.pop(0)
            values[option] = value
            free = [each for each in free if each != option]
        elif word in known.flags:
            flags.add(word)
        else:
            raise UsageError(f"error: command '{name}' doesn't support option {word}")
    if known.argument and f"--{known.argument}" not in values:
        raise UsageError(f"error: command '{name}' requires <{known.argument}> option")
    return _Given(values.get(f"--{known.argument}", ""), frozenset(flags), values)


def _what(context: ShellContext, words: Sequence[str]) -> Iterable[str]:
    """The networks or machines of the node that stands first."""
    domains = context.lab.network.domains.get(words[0])
    known = _COMMANDS.get(words[1]) if len(words) > 1 else None
    if domains is None or known is None or not known.argument:
        return ()
    return domains.running if known.argument == "domain" else domains.networks.started


@command(
    "virsh",
    "list|domiflist|net-list|net-info|net-dumpxml|net-dhcp-leases ...",
    "machines and networks of a host, as libvirt's virsh(1) shows them",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(2, None),
    examples=["h1 virsh list", "h1 virsh domiflist vm1", "h1 virsh net-list --all"],
    completes=[Words(), Words(*_COMMANDS), _what],
)
def virsh(context: ShellContext, arguments: Arguments) -> Output:
    """On hosts of KVM and of Xen; networks are those of modes nat, route, isolated and open."""
    node, name, *words = arguments.words
    domains = context.lab.network.domains.get(node)
    if domains is None or domains.host.hypervisor not in _MODELS:
        raise UsageError(f"{node} has no libvirt", "hosts of kvm and xen have it")
    known = _COMMANDS.get(name)
    if known is None:
        hint = did_you_mean(name, list(_COMMANDS), "there are")
        raise UsageError(f"error: unknown command: '{name}'", hint)
    return known.run(Host(context.lab.network, domains), _read(name, known, words)) + "\n\n"
