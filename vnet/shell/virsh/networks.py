"""What virsh does with networks. All of a host's are active, for as long as the lab lives."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.base.errors import UsageError
from vnet.base.ids import mac_from_text
from vnet.shell.views import virsh as views
from vnet.shell.virsh.host import Host
from vnet.shell.virsh.language import SOME, Command, Given


def _net_list(host: Host, given: Given) -> str:
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


def _net_info(host: Host, given: Given) -> str:
    return views.network_info(host.find_network(given.argument))


def _net_dumpxml(host: Host, given: Given) -> str:
    network = host.find_network(given.argument)
    running = "--inactive" not in given.flags
    return views.network_xml(network, host.cards_on(network.wanted.bridge) if running else 0)


def _net_uuid(host: Host, given: Given) -> str:
    return host.find_network(given.argument).uuid


def _net_name(host: Host, given: Given) -> str:
    return host.find_network(given.argument).wanted.name


def _net_dhcp_leases(host: Host, given: Given) -> str:
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


def _net_start(host: Host, given: Given) -> str:
    name = host.find_network(given.argument).wanted.name
    why = "Requested operation is not valid: network is already active"
    raise UsageError(f"error: Failed to start network {name}", why)


def _net_destroy(host: Host, given: Given) -> str:
    wanted = host.find_network(given.argument).wanted
    hint = f"networks are up as long as the lab; '{host.name} ip link set {wanted.bridge} down'"
    raise UsageError(
        f"error: Failed to destroy network {wanted.name}", f"{hint} cuts its guests off"
    )


NETWORKS: Mapping[str, Command] = {
    "net-destroy": Command(_net_destroy, "destroy (stop) a network", "network"),
    "net-dhcp-leases": Command(
        _net_dhcp_leases, "print lease info for a given network", "network", options=("--mac",)
    ),
    "net-dumpxml": Command(_net_dumpxml, "network information in XML", "network", ("--inactive",)),
    "net-info": Command(_net_info, "network information", "network"),
    "net-list": Command(_net_list, "list networks", flags=(*SOME, "--uuid", "--name", "--table")),
    "net-name": Command(_net_name, "convert a network UUID to network name", "network"),
    "net-start": Command(_net_start, "start a (previously defined) inactive network", "network"),
    "net-uuid": Command(_net_uuid, "convert a network name to network UUID", "network"),
}
