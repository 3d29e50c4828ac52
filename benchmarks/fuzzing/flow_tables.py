"""Random flow tables, groups and packets that have to do with each other.

Values come from pools so small that many packets meet many flows, and that masks, priorities and
tables matter. Flows go from table to later tables, unless loops are wanted. Everything is text in
``ovs-ofctl`` syntax, and a small part of the flows makes no sense to a switch.

No packet is, and no flow makes one, addressed to its own sender: what a learning switch does with
such a packet depends on whether it learned from it just now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vnet.base.chance import Stream

N_PORTS = 4
N_TABLES = 4

MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:01:01")
_GROUP_MACS = ("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:05", "01:80:c2:00:00:00")
IPS = ("10.0.0.1", "10.0.0.2", "10.0.1.1", "192.168.0.1")
IP6S = ("fd00::1", "fd00::2", "fd00:1::1")

_POOLS: dict[str, Sequence[str]] = {
    "mac": MACS,
    "group_mac": _GROUP_MACS,
    "new_source": ("02:00:00:00:02:01", "02:00:00:00:02:02"),
    "new_target": ("02:00:00:00:03:01", "01:00:5e:00:00:05"),
    "mac_masked": (
        *MACS,
        "01:00:00:00:00:00/01:00:00:00:00:00",
        "02:00:00:00:00:00/ff:ff:ff:ff:00:00",
    ),
    "ip": IPS,
    "ip_masked": (*IPS, "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/30", "0.0.0.1/0.0.0.255"),
    "ip6": IP6S,
    "ip6_masked": (*IP6S, "fd00::/16", "fd00::/64", "::1/::ffff"),
    "tp": ("53", "80", "1000", "1001"),
    "tp_masked": ("53", "80", "1000", "0x3e8/0xfff8", "0x0/0x1", "0x40/0xfff0"),
    "vid": ("10", "20"),
    "pcp": ("0", "3"),
    "tos": ("0", "184"),
    "ecn": ("0", "1"),
    "ttl": ("1", "2", "64"),
    "flags": ("syn", "ack", "syn|ack", "fin|ack", "rst"),
    "flags_masked": ("+syn", "+syn-ack", "-syn", "+ack", "+fin"),
    "op": ("1", "2"),
    "label": ("16", "100"),
    "bit": ("0", "1"),
    "port": tuple(map(str, range(1, N_PORTS + 1))),
    "reg": ("reg0", "reg1", "reg2"),
    "n": ("0", "1", "5"),
    "n_masked": ("0", "1", "0x1/0x1", "0x4/0x6"),
    "group": ("1", "2", "3", "4", "5"),
    "meter": ("1", "2", "3"),
    "zone": ("1", "2"),
    "size": ("60", "100", "200"),
}

_IP = ("nw_src={ip}", "nw_dst={ip}", "nw_tos={tos}", "nw_ecn={ecn}", "nw_ttl={ttl}")
_IP6 = ("ipv6_src={ip6}", "ipv6_dst={ip6}", "nw_tos={tos}", "nw_ecn={ecn}", "nw_ttl={ttl}")
_TCP = ("tcp_src={tp}", "tcp_dst={tp}", "tcp_flags={flags}")
_UDP = ("udp_src={tp}", "udp_dst={tp}")
_ARP = ("arp_op={op}", "arp_spa={ip}", "arp_tpa={ip}", "arp_sha={mac}", "arp_tha={mac}")
_ND = ("nd_target={ip6}",)
_MPLS = ("mpls_label={label}", "mpls_ttl={ttl}", "mpls_bos=1", "mpls_tc={pcp}")

_PACKETS: Mapping[str, Sequence[str]] = {
    "dl_type=0x88b5": (),
    "arp": _ARP,
    "ip,nw_proto=50": _IP,
    "tcp": (*_IP, *_TCP),
    "udp": (*_IP, *_UDP),
    "sctp": (*_IP, "sctp_src={tp}", "sctp_dst={tp}"),
    "icmp": (*_IP, "icmp_type=8", "icmp_code=0"),
    "ip,nw_frag=later": _IP,
    "udp,nw_frag=first": (*_IP, *_UDP),
    "tcp6": (*_IP6, *_TCP),
    "udp6": (*_IP6, *_UDP),
    "icmp6": (*_IP6, "icmpv6_type=128", "icmpv6_code=0"),
    "icmp6,icmpv6_type=135": (*_IP6, *_ND, "nd_sll={mac}"),
    "icmp6,icmpv6_type=136": (*_IP6, *_ND, "nd_tll={mac}"),
    "mpls": _MPLS,
}
"""What packets say, all of it, by their kind."""

_ANY_MATCHES = (
    *("in_port={port}", "dl_src={mac_masked}", "dl_dst={mac_masked}", "dl_vlan={vid}"),
    *("vlan_tci=0", "vlan_tci=0x1000/0x1000", "dl_vlan={vid},dl_vlan_pcp={pcp}", "conj_id=7"),
    *("{reg}={n_masked}", "metadata={n_masked}", "pkt_mark={n}", "tun_id={n}"),
    *("ct_state=+trk+new", "ct_state=+est", "ct_state=-trk", "ct_mark={n}", "ct_zone={zone}"),
)
_IP_MATCHES = ("nw_tos={tos}", "nw_ecn={ecn}", "nw_ttl={ttl}", "nw_frag=no", "nw_frag=not_later")
_IP4_MATCHES = ("nw_src={ip_masked}", "nw_dst={ip_masked}", *_IP_MATCHES)
_IP6_MATCHES = ("ipv6_src={ip6_masked}", "ipv6_dst={ip6_masked}", "ipv6_label=0", *_IP_MATCHES)
_TP_MATCHES = ("tp_src={tp_masked}", "tp_dst={tp_masked}")
_TCP_MATCHES = (*_TP_MATCHES, "tcp_flags={flags_masked}")

_MATCHES: Mapping[str, Sequence[str]] = {
    "": (),
    "arp": (*_ARP, "arp_spa={ip_masked}"),
    "ip": (*_IP4_MATCHES, "nw_frag=yes", "nw_frag=later"),
    "tcp": (*_IP4_MATCHES, *_TCP_MATCHES),
    "udp": (*_IP4_MATCHES, *_TP_MATCHES),
    "sctp": (*_IP4_MATCHES, *_TP_MATCHES),
    "icmp": (*_IP4_MATCHES, "icmp_type=8", "icmp_code=0"),
    "ipv6": _IP6_MATCHES,
    "tcp6": (*_IP6_MATCHES, *_TCP_MATCHES),
    "udp6": (*_IP6_MATCHES, *_TP_MATCHES),
    "icmp6,icmpv6_type=135,icmpv6_code=0": (*_IP6_MATCHES, *_ND, "nd_sll={mac}"),
    "mpls": _MPLS,
}

_OUTPUTS = (
    *("output:{port}", "output:{port}", "output:{port}", "NORMAL", "NORMAL", "FLOOD", "ALL"),
    *("IN_PORT", "LOCAL", "output:reg0[0..15]", "output(port={port},max_len={size})"),
    *("enqueue:{port}:{n}", "CONTROLLER", "controller(max_len=64,id=3)", "drop"),
    *("bundle(eth_src,0,active_backup,ofport,members:1,2)", "group:{group}", "group:{group}"),
    "bundle(symmetric_l4,1,hrw,ofport,members:1,2,3)",
)
_STEPS = (
    *("load:{n}->NXM_NX_REG0[0..3]", "load:{n}->NXM_NX_REG1[]", "set_field:{n}->reg2"),
    *("set_field:{n}/0x5->metadata", "set_field:{n}->pkt_mark", "set_field:{n}->tun_id"),
    *(
        "mod_dl_src:{new_source}",
        "mod_dl_dst:{new_target}",
        "set_field:{new_target}->eth_dst",
        "set_queue:{n}",
    ),
    *("move:NXM_OF_ETH_SRC[0..15]->NXM_NX_REG0[0..15]", "move:NXM_OF_IN_PORT[]->reg1[0..15]"),
    *("mod_vlan_vid:{vid}", "mod_vlan_pcp:{pcp}", "strip_vlan", "push_vlan:0x8100"),
    *("push_vlan:0x88a8,set_field:4116->vlan_vid", "pop_queue", "note:00.11", "ct_clear"),
    *("push:NXM_NX_REG0[],pop:NXM_NX_REG1[]", "push:NXM_OF_ETH_TYPE[],pop:NXM_NX_REG2[0..15]"),
    *("resubmit(,{later})", "resubmit({port},{later})", "resubmit(,{later})", "exit"),
    *("clone(mod_dl_src:{new_source},output:{port})", "clone(resubmit(,{later}))"),
    *("check_pkt_larger({size})->NXM_NX_REG0[0]", "multipath(eth_src,50,modulo_n,2,0,reg1[0..7])"),
    *("push_mpls:0x8847", "push_mpls:0x8847,set_field:{label}->mpls_label", "load:{port}->reg0[]"),
    "sample(probability=65535,collector_set_id=1)",
)
_LEARNING = (
    "learn(table={later},NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
    "learn(table={later},priority=7,NXM_OF_VLAN_TCI[0..11],load:{n}->NXM_NX_REG0[0..7])",
    "learn(table={later},limit=3,cookie=9,NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])",
    "learn(table={later},delete_learned,cookie=8,NXM_OF_ETH_SRC[],load:2->NXM_NX_REG2[])",
)
_TRACKING = (
    *("ct(table={later})", "ct(table={later},zone={zone})", "ct(commit,zone={zone})", "ct(commit)"),
    *("ct(commit,exec(set_field:{n}->ct_mark))", "ct(nat,table={later})"),
    *("ct(commit,nat(src=172.16.0.1),table={later})", "ct(commit,nat(dst={ip}),table={later})"),
)
_IP_STEPS = ("dec_ttl", "mod_nw_tos:{tos}", "mod_nw_ecn:{ecn}", "mod_nw_ttl:{ttl}", *_TRACKING)
_IP4_STEPS = (
    *("mod_nw_src:{ip}", "mod_nw_dst:{ip}", "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]", *_IP_STEPS),
    "multipath(symmetric_l4,1,hrw,4,0,NXM_NX_REG0[0..3])",
)
_IP6_STEPS = ("set_field:{ip6}->ipv6_dst", "set_field:0x123->ipv6_label", *_IP_STEPS)
_TP_STEPS = ("mod_tp_src:{tp}", "mod_tp_dst:{tp}")
_ARP_STEPS = ("set_field:{op}->arp_op", "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]")
_ND_STEPS = ("set_field:{ip6}->nd_target", "set_field:{mac}->nd_sll", *_IP6_STEPS)
_MPLS_STEPS = (
    *("dec_mpls_ttl", "set_mpls_label:{label}", "set_mpls_ttl:{ttl}", "pop_mpls:0x8847"),
    *("pop_mpls:0x0800", "pop_mpls:0x0800,resubmit(,{later})", "pop_mpls:0x0800,dec_ttl"),
)
_ENDS = (
    *("goto_table:{later}", "write_actions(output:{port}),goto_table:{later}", "clear_actions"),
    *(
        "write_actions(mod_dl_src:{new_source},group:{group})",
        "write_metadata:{n},goto_table:{later}",
    ),
)

_KIND_STEPS: Mapping[str, Sequence[str]] = {
    "arp": _ARP_STEPS,
    "ip": _IP4_STEPS,
    "tcp": (*_IP4_STEPS, *_TP_STEPS, "fin_timeout(idle_timeout=5)"),
    "udp": (*_IP4_STEPS, *_TP_STEPS),
    "sctp": (*_IP4_STEPS, *_TP_STEPS),
    "icmp": (*_IP4_STEPS, "set_field:0->icmp_type"),
    "ipv6": _IP6_STEPS,
    "tcp6": (*_IP6_STEPS, *_TP_STEPS),
    "udp6": (*_IP6_STEPS, *_TP_STEPS),
    "icmp6,icmpv6_type=135,icmpv6_code=0": _ND_STEPS,
    "mpls": _MPLS_STEPS,
}

_LAST_RESORTS = (
    *("NORMAL", "NORMAL", "goto_table:{later}", "resubmit(,{later})", "output:{port}", "drop"),
    *("FLOOD", "CONTROLLER", "load:{n}->NXM_NX_REG0[0..3],resubmit(,{later})", "group:{group}"),
)

_CONJUNCTIONS = (
    "priority=50,ip,nw_src={ip_masked},actions=conjunction(7,1/2)",
    "priority=50,ip,nw_dst={ip_masked},actions=conjunction(7,1/2)",
    "priority=50,tcp,tp_dst={tp_masked},actions=conjunction(7,2/2)",
    "priority=50,udp,tp_dst={tp_masked},actions=conjunction(7,2/2)",
    "priority=50,conj_id=7,ip,actions=output:{port}",
)

GROUPS = (
    "group_id=1,type=all,bucket=output:1,bucket=mod_dl_src:02:00:00:00:00:09,output:2",
    "group_id=2,type=indirect,bucket=output:3",
    "group_id=3,type=ff,bucket=watch_port:1,output:1,bucket=watch_port:2,output:2",
    "group_id=4,type=select,bucket=weight:3,output:2,bucket=weight:1,output:3",
    "group_id=5,type=select,selection_method=hash,fields(ip_src),bucket=output:1,bucket=output:4",
)

METERS = (
    "meter=1,pktps,burst,stats,bands=type=drop,rate=5,burst_size=3",
    "meter=2,kbps,bands=type=drop,rate=5,type=dscp_remark,rate=1,prec_level=1",
    "meter=3,pktps,bands=type=dscp_remark,rate=2,prec_level=2",
    "meter=controller,pktps,bands=type=drop,rate=9",
    "meter=slowpath,pktps,burst,bands=type=drop,rate=9,burst_size=20",
)
"""They take a bridge with ``other_config:openflow-full=true``."""

_METER_ODDS = 0.15

_WORD = re.compile(r"\{(\w+)\}")


class FlowTables:
    """A supply of flows and packets, the same for the same stream of chance.

    ``loops``: a flow may resubmit to any table, its own and those before it too. ``meters``: flows
    may have one of :data:`METERS`.
    """

    def __init__(
        self, chance: Stream, *, loops: bool = False, n_ports: int = N_PORTS, meters: bool = False
    ) -> None:
        self._chance = chance
        self._loops = loops
        self._meters = meters
        self._pools = _POOLS | {"port": tuple(map(str, range(1, n_ports + 1)))}

    def flows(self, count: int) -> list[str]:
        """Flows to add one by one, spread over the tables, and most tables' last resort.

        Sometimes those of a conjunction as well.
        """
        texts = [self.flow() for _ in range(count)]
        texts += [self.last_resort(table) for table in range(N_TABLES)]
        return texts + self.conjunction() if self._chance.random() < 0.3 else texts

    def last_resort(self, table: int) -> str:
        """What a table does with packets that no other flow wants."""
        actions = self._chance.choice(_LAST_RESORTS)
        return self._filled(f"table={table},priority=0,actions={actions}", table)

    def conjunction(self) -> list[str]:
        """The flows of a conjunctive match."""
        return [self._filled(text, 0) for text in _CONJUNCTIONS]

    def flow(self) -> str:
        """One flow."""
        chance = self._chance
        table = chance.choice((0, 0, *range(N_TABLES)))
        kind = chance.choice(tuple(_MATCHES))
        matches = [kind] if kind else []
        matches += self._some(_MATCHES[kind] or _ANY_MATCHES, (0, 0, 1, 1, 2))
        matches += self._some(_ANY_MATCHES, (0, 0, 0, 1, 1, 2))
        steps = _STEPS + tuple(_KIND_STEPS.get(kind, ())) * 2 + _LEARNING
        actions = self._some(steps, (0, 0, 1, 1, 2, 3)) + self._some(_OUTPUTS, (1,))
        actions += self._some(_ENDS, (0, 0, 0, 1))
        if self._meters and chance.random() < _METER_ODDS:
            actions.insert(0, "meter:{meter}")
        if len(actions) > 1 and "drop" in actions:
            actions.remove("drop")
        priority = chance.choice((0, 1, 10, 10, 100))
        text = f"table={table},priority={priority},{','.join([*matches, ''])}"
        return self._filled(f"{text}actions={','.join(actions)}", table)

    def packet(self) -> str:
        """All that is said of a packet: a match of which nothing is masked."""
        kind = self._chance.choice(tuple(_PACKETS))
        source, target = self._chance.sample(MACS, 2)
        if self._chance.random() < 0.2:
            target = "{group_mac}"
        tag = self._chance.choice(("", "", "dl_vlan={vid},dl_vlan_pcp={pcp}"))
        parts = (kind, f"dl_src={source}", f"dl_dst={target}", tag, *_PACKETS[kind])
        return self._filled(",".join(filter(None, parts)), 0)

    def port(self) -> str:
        """A port for a packet to come in by."""
        return f"p{self._chance.choice(_POOLS['port'])}"

    def _some(self, of: Sequence[str], counts: Sequence[int]) -> list[str]:
        return [self._chance.choice(of) for _ in range(self._chance.choice(counts))]

    def _filled(self, template: str, table: int) -> str:
        first = 0 if self._loops else table + 1
        later = tuple(map(str, range(first, max(first + 1, N_TABLES))))

        def value(found: re.Match[str]) -> str:
            return self._chance.choice(later if found[1] == "later" else self._pools[found[1]])

        return _WORD.sub(value, template)
