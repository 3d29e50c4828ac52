"""The rules by which libvirt 9.0 guards its networks: its own chains, and what goes into them.

Each is a command line as libvirtd runs it, without the program and ``-w``. Every rule is inserted
at the top of its chain, so they stand there in the opposite order.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.hypervisor.modes.virtual_network import Forward, VirtualNetwork

_CHAINS = (
    ("filter", "INPUT", "LIBVIRT_INP"),
    ("filter", "OUTPUT", "LIBVIRT_OUT"),
    ("filter", "FORWARD", "LIBVIRT_FWO"),
    ("filter", "FORWARD", "LIBVIRT_FWI"),
    ("filter", "FORWARD", "LIBVIRT_FWX"),
    ("nat", "POSTROUTING", "LIBVIRT_PRT"),
    ("mangle", "POSTROUTING", "LIBVIRT_PRT"),
)

_BOOTP_SERVER, _BOOTP_CLIENT, _DOMAIN = 67, 68, 53


def private_chains() -> Iterator[str]:
    """The chains of libvirt's own, made when the first network starts that has rules."""
    for table, hook, chain in _CHAINS:
        yield f"--table {table} --new-chain {chain}"
        yield f"--table {table} --insert {hook} --jump {chain}"


def rules_of(network: VirtualNetwork) -> Iterator[str]:
    """What a network inserts when it starts; nothing if it is open."""
    if network.forward is Forward.OPEN:
        return
    bridge, subnet = network.bridge, network.subnet
    yield from _service_rules(bridge)
    into = "--table filter --insert"
    yield f"{into} LIBVIRT_FWO --in-interface {bridge} --jump REJECT"
    yield f"{into} LIBVIRT_FWI --out-interface {bridge} --jump REJECT"
    yield f"{into} LIBVIRT_FWX --in-interface {bridge} --out-interface {bridge} --jump ACCEPT"
    if network.forward is not Forward.ISOLATED:
        yield f"{into} LIBVIRT_FWO --source {subnet} --in-interface {bridge} --jump ACCEPT"
        answers = ""
        if network.forward is Forward.NAT:
            answers = "--match conntrack --ctstate ESTABLISHED,RELATED "
        about = f"--destination {subnet} --out-interface {bridge}"
        yield f"{into} LIBVIRT_FWI {about} {answers}--jump ACCEPT"
    if network.forward is Forward.NAT:
        yield from _masquerade(subnet)
    if network.has_dhcp:
        udp = f"--out-interface {bridge} --protocol udp --destination-port {_BOOTP_CLIENT}"
        yield f"--table mangle --insert LIBVIRT_PRT {udp} --jump CHECKSUM --checksum-fill"


def _service_rules(bridge: str) -> Iterator[str]:
    """Guests reach DHCP and DNS of the host, whatever else its rules say."""
    for server, client in ((_BOOTP_SERVER, _BOOTP_CLIENT), (_DOMAIN, _DOMAIN)):
        for chain, side, port in (
            ("LIBVIRT_INP", "--in-interface", server),
            ("LIBVIRT_OUT", "--out-interface", client),
        ):
            for protocol in ("tcp", "udp"):
                what = f"{side} {bridge} --protocol {protocol} --destination-port {port}"
                yield f"--table filter --insert {chain} {what} --jump ACCEPT"


def _masquerade(subnet: str) -> Iterator[str]:
    """What leaves the network gets the host's address, but for groups and everybody."""
    into = f"--table nat --insert LIBVIRT_PRT --source {subnet}"
    elsewhere = f"! --destination {subnet}"
    yield f"{into} {elsewhere} --jump MASQUERADE"
    for protocol in ("udp", "tcp"):
        yield f"{into} -p {protocol} {elsewhere} --jump MASQUERADE --to-ports 1024-65535"
    for everybody in ("255.255.255.255/32", "224.0.0.0/24"):
        yield f"{into} --destination {everybody} --jump RETURN"
