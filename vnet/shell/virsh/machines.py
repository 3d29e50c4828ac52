"""What virsh does with machines (domains). All of a host's are running."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.base.errors import UsageError
from vnet.shell.views import virsh as views
from vnet.shell.virsh.host import Host
from vnet.shell.virsh.language import SOME, Command, Given


def _list(host: Host, given: Given) -> str:
    running = {} if "--inactive" in given.flags else host.domains.running
    if "--name" in given.flags:
        return "\n".join(running)
    if "--id" in given.flags:
        return "\n".join(str(domid) for domid in running.values())
    rows = [(str(domid), vm, "running") for vm, domid in running.items()]
    return views.table(("Id", "Name", "State"), rows)


def _domiflist(host: Host, given: Given) -> str:
    rows = [
        (card.back_end, card.kind, card.source, card.model, card.mac.hex(":"))
        for card in host.cards_of(host.find_guest(given.argument))
    ]
    return views.table(("Interface", "Type", "Source", "Model", "MAC"), rows)


def _domifaddr(host: Host, given: Given) -> str:
    """From the leases, which is where virsh looks unless told otherwise."""
    source = given.values.get("--source", "lease")
    if source not in ("lease", "agent", "arp"):
        raise UsageError(f"error: Unknown data source '{source}'")
    if source != "lease":
        why = f"there is no {source} here to ask, only leases"
        raise UsageError("error: Failed to query for interfaces addresses", why)
    rows = []
    for card in host.cards_of(host.find_guest(given.argument)):
        if card.kind != "network" or card.back_end != given.values.get(
            "--interface", card.back_end
        ):
            continue
        network = host.find_network(card.source)
        mine = [lease for lease in host.leases(network) if lease.hwaddr == card.mac]
        rows += [(card, lease.ip, network.wanted.prefix_length) for lease in mine]
    return views.addresses(rows)


def _dominfo(host: Host, given: Given) -> str:
    guest = host.find_guest(given.argument)
    name = guest.namespace.name
    return views.domain_info(name, host.domains.running[name], host.uuid_of(guest))


def _dumpxml(host: Host, given: Given) -> str:
    guest = host.find_guest(given.argument)
    name, kind = guest.namespace.name, host.domains.host.hypervisor.value
    number = None if "--inactive" in given.flags else host.domains.running[name]
    return views.domain_xml(name, kind, number, host.uuid_of(guest), host.cards_of(guest))


def _domid(host: Host, given: Given) -> str:
    return str(host.domains.running[_domname(host, given)])


def _domname(host: Host, given: Given) -> str:
    return host.find_guest(given.argument).namespace.name


def _domuuid(host: Host, given: Given) -> str:
    return host.uuid_of(host.find_guest(given.argument))


def _domstate(host: Host, given: Given) -> str:
    host.find_guest(given.argument)
    return "running"


def _start(host: Host, given: Given) -> str:
    host.find_guest(given.argument)
    raise UsageError("error: Domain is already active")


MACHINES: Mapping[str, Command] = {
    "domid": Command(_domid, "convert a domain name or UUID to domain id", "domain"),
    "domifaddr": Command(
        _domifaddr,
        "Get network interfaces' addresses for a running domain",
        "domain",
        ("--full",),
        ("--interface", "--source"),
    ),
    "domiflist": Command(
        _domiflist, "list all domain virtual interfaces", "domain", ("--inactive",)
    ),
    "dominfo": Command(_dominfo, "domain information", "domain"),
    "domname": Command(_domname, "convert a domain id or UUID to domain name", "domain"),
    "domstate": Command(_domstate, "domain state", "domain", ("--reason",)),
    "domuuid": Command(_domuuid, "convert a domain name or id to domain UUID", "domain"),
    "dumpxml": Command(_dumpxml, "domain information in XML", "domain", ("--inactive",)),
    "list": Command(_list, "list domains", flags=(*SOME, "--name", "--id", "--table")),
    "start": Command(_start, "start a (previously defined) inactive domain", "domain"),
}
