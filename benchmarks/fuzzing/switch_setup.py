"""What the switch of the fuzz target is made of, and how it is set up anew at random.

Two bridges with a patch port between. Behind it are a bond and two tunnels, whose outer headers
come and go by a third. Everything is a command line of ``ovs-vsctl`` or ``ovs-appctl``.
"""

from __future__ import annotations

from benchmarks.fuzzing.flow_tables import IPS, MACS
from vnet.base.chance import Stream

NEAR, FAR, UNDER = "br0", "br1", "br2"
HOST_MAC = "02:00:00:00:04:01"
HOST_IP, REMOTE_IP, REMOTE_MAC = "10.0.0.9", IPS[1], MACS[1]
N_NEAR_PORTS = 5
"""Of the near bridge, the patch port included."""

NEAR_COLUMNS = ("other-config:openflow-full=true",)

OTHER_BRIDGES = (
    f"add-br {UNDER} -- set bridge {UNDER} datapath_type=dummy other-config:hwaddr={HOST_MAC} "
    f"-- add-port {UNDER} u1 -- set interface u1 type=dummy",
    f"add-br {FAR} -- set bridge {FAR} datapath_type=dummy fail-mode=secure",
    f"add-port {NEAR} to1 -- set interface to1 type=patch options:peer=to0 ofport_request=5 "
    f"-- add-port {FAR} to0 -- set interface to0 type=patch options:peer=to1 ofport_request=1",
    f"add-port {FAR} q2 -- set interface q2 type=dummy ofport_request=2",
    f"add-bond {FAR} bond0 q3 q4 -- set interface q3 type=dummy ofport_request=3 "
    "-- set interface q4 type=dummy ofport_request=4",
    f"add-port {FAR} vx -- set interface vx type=vxlan ofport_request=5 "
    f"options:remote_ip={REMOTE_IP} options:key=flow",
    f"add-port {FAR} gr -- set interface gr type=gre ofport_request=6 "
    f"options:remote_ip={REMOTE_IP} options:key=7",
)
UNDERLAY = (
    f"netdev-dummy/ip4addr {UNDER} {HOST_IP}/24",
    f"ovs/route/add 10.0.0.0/24 {UNDER}",
    f"tnl/neigh/set {UNDER} {REMOTE_IP} {REMOTE_MAC}",
)
"""Without it, tunnels lead nowhere."""

_FAR_FLOWS = (
    *("actions=NORMAL", "actions=NORMAL", "in_port=1,actions=output:{far},output:{tunnel}"),
    *("in_port={far},actions=output:1", "in_port={tunnel},actions=output:1,output:{far}"),
    *("ip,in_port={far},actions=ct(commit),output:1", "in_port=1,actions=ct(table=1)"),
    *("table=1,actions=NORMAL", "arp,in_port={far},actions=set_field:77->tun_id,output:{tunnel}"),
    *("udp,in_port=1,actions=set_field:77->tun_id,output:{tunnel}", "ip,in_port=1,actions=FLOOD"),
    *("in_port={tunnel},actions=NORMAL", "tun_id=77,actions=push_vlan:0x8100,output:{far}"),
)
_N_FAR_FLOWS = 6
_PLACES = {"far": ("2", "3", "4"), "tunnel": ("5", "6")}

_PORT_COLUMNS = ("tag", "trunks", "vlan_mode", "cvlans", "other_config")
_PORT_SETTINGS = (
    *("", "", "tag=10", "tag=20", "trunks=10,20", "protected=true"),
    *("tag=10 vlan_mode=native-tagged trunks=10,20", "tag=20 vlan_mode=access"),
    *("tag=10 vlan_mode=dot1q-tunnel cvlans=20", "other_config:priority-tags=always"),
)
_BOND_COLUMNS = ("bond_mode", "lacp", "other_config")
_BOND_SETTINGS = (
    *("", "bond_mode=active-backup", "bond_mode=balance-slb", "bond_mode=balance-tcp"),
    *("bond_mode=balance-tcp lacp=active", "lacp=passive other_config:lacp-fallback-ab=true"),
    "bond_mode=balance-slb lacp=active other_config:lacp-time=fast",
)
_FAR_SETTINGS = (
    *("", "", "", "mcast_snooping_enable=true"),
    *("stp_enable=true", "rstp_enable=true", "other_config:forward-bpdu=true"),
)
_QUIET = "mcast_snooping_enable=false stp_enable=false rstp_enable=false other_config={}"
_SELECTIONS = (
    *("select_all=true", "select_src_port=@p1,@p2", "select_dst_port=@p3,@to1"),
    *("select_src_port=@to1 select_vlan=10,20", "select_all=true select_vlan=0"),
)
_DESTINATIONS = ("output_port=@p4", "output_port=@p4 snaplen=40", "output_vlan=20")


def port_settings(chance: Stream) -> str:
    """Other VLANs for the ports of the near bridge, another bond, and perhaps mirrors."""
    commands = [f"clear bridge {NEAR} mirrors", quiet()]
    for port in ("p1", "p2", "p3", "p4", "to1"):
        commands.append(f"clear port {port} {' '.join(_PORT_COLUMNS)}")
        commands.append(f"set port {port} protected=false {chance.choice(_PORT_SETTINGS)}")
    for row, choices in ((f"bridge {FAR}", _FAR_SETTINGS), ("port bond0", _BOND_SETTINGS)):
        settings = chance.choice(choices)
        if settings:
            commands.append(f"set {row} {settings}")
    if chance.random() < 0.3:
        commands += mirrors(chance, chance.choice((1, 1, 2)))
    return " -- ".join(commands)


def quiet() -> str:
    """The far bridge as it is when it says nothing by itself."""
    return f"set bridge {FAR} {_QUIET} -- clear port bond0 {' '.join(_BOND_COLUMNS)}"


def mirrors(chance: Stream, count: int) -> list[str]:
    """Commands that make some of the near bridge."""
    names = [f"@m{number}" for number in range(count)]
    commands = [f"--id=@{port} get port {port}" for port in ("p1", "p2", "p3", "p4", "to1")]
    commands += [
        f"--id={name} create mirror name={name[1:]} "
        f"{chance.choice(_SELECTIONS)} {chance.choice(_DESTINATIONS)}"
        for name in names
    ]
    return [*commands, f"set bridge {NEAR} mirrors={','.join(names)}"]


def far_flows(chance: Stream) -> list[str]:
    """Flows of the far bridge, the last of which takes everything."""
    flows = []
    for _ in range(_N_FAR_FLOWS):
        places = {name: chance.choice(ports) for name, ports in _PLACES.items()}
        flows.append(
            f"priority={chance.randint(1, 9)},{chance.choice(_FAR_FLOWS)}".format(**places)
        )
    return [*flows, "priority=0,actions=NORMAL"]
