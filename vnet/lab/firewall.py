"""The rules of iptables that a machine starts with."""

from __future__ import annotations

from vnet.linux.netns.namespace import Namespace
from vnet.topology.model import Firewall


def restore_firewall(namespace: Namespace, firewall: Firewall) -> None:
    """Restore both texts, as iptables-restore(8) would."""
    if firewall.ipv4:
        namespace.make_netfilter().rules4.restore(firewall.ipv4)
    if firewall.ipv6:
        namespace.make_netfilter().rules6.restore(firewall.ipv6)
