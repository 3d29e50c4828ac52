"""The commands, by subject. Importing this package registers all of them."""

from vnet.shell.commands import (
    basics,
    brctl,
    bridge,
    dig,
    dmesg,
    inventory,
    node,
    nslookup,
    openvswitch,
    running,
    tc,
    traffic,
    traffic_groups,
    traffic_paths,
    traffic_streams,
    watching,
)

__all__ = [
    "basics",
    "brctl",
    "bridge",
    "dig",
    "dmesg",
    "inventory",
    "node",
    "nslookup",
    "openvswitch",
    "running",
    "tc",
    "traffic",
    "traffic_groups",
    "traffic_paths",
    "traffic_streams",
    "watching",
]
