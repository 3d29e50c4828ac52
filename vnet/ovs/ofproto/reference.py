"""The reference page of fields and actions, made from the tables that the switch works by.

``docs/ovs.md`` is what :func:`markdown` returns. A row says "works" where nothing is known to be
missing; what is missing is listed here, by name, with a word of what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import getdoc

from vnet.ovs.flow.field import Field
from vnet.ovs.flow.fields import FIELDS, FULL_FIELDS
from vnet.ovs.flow.prerequisites import Prerequisite
from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.ofpacts import FULL_ONLY, Ofpact
from vnet.ovs.openflow.text.actions.registry import KINDS

WORKS = "works"
BAR = "\\|"

_NO_SUCH_TUNNELS = "partly: matched, set and printed; no tunnel carries it"

FIELD_LIMITS = {
    **{
        name: _NO_SUCH_TUNNELS
        for name in FIELDS
        if name.startswith(("tun_gbp", "tun_erspan", "tun_gtpu"))
    },
    **dict.fromkeys(("tun_ttl", "tun_tos"), "no: shown of packets; flows cannot name it"),
    **{
        name: "partly: flows may name it once mapped; only packets that controllers send have any"
        for name, field in FIELDS.items()
        if field.is_tun_metadata
    },
    "nd_options_type": "partly: as in Open vSwitch 3.1, moving it reads 0",
}

ACTION_LIMITS: dict[type[Ofpact], str] = {
    ofpacts.Sample: "partly: accepted; there are no collectors to sample for",
    ofpacts.DeleteField: "partly: accepted; no packet has tunnel options to delete",
    ofpacts.Ct: "partly: all but timeout policies",
    ofpacts.Group: "partly: all but watching the controller's port",
}

ACTION_DEEDS: dict[type[Ofpact], str] = {
    ofpacts.Output: "sends the packet as it is by now, by a port or what a name stands for",
    ofpacts.Group: "hands it to a group: all its buckets, or one",
    ofpacts.Controller: "sends a copy to the controller",
    ofpacts.Enqueue: "sends it by a queue of a port",
    ofpacts.OutputReg: "sends it by the port that a field names",
    ofpacts.OutputTrunc: "sends no more than its first bytes",
    ofpacts.Bundle: "chooses a port by a hash; sends by it, or writes it to a field",
    ofpacts.SetField: "writes a value to a field, or to some of its bits",
    ofpacts.SetVlanVid: "writes the VLAN of the outer tag",
    ofpacts.SetVlanPcp: "writes the priority of the outer tag",
    ofpacts.StripVlan: "takes the outer tag off",
    ofpacts.PushVlan: "puts a tag around",
    ofpacts.SetEthSrc: "writes the MAC address it comes from",
    ofpacts.SetEthDst: "writes the MAC address it goes to",
    ofpacts.SetIpv4Src: "writes the IPv4 address it comes from",
    ofpacts.SetIpv4Dst: "writes the IPv4 address it goes to",
    ofpacts.SetIpDscp: "writes the DSCP",
    ofpacts.SetIpEcn: "writes the two bits of ECN",
    ofpacts.SetIpTtl: "writes the TTL or hop limit",
    ofpacts.SetL4SrcPort: "writes the port of TCP, UDP or SCTP that it comes from",
    ofpacts.SetL4DstPort: "writes the port of TCP, UDP or SCTP that it goes to",
    ofpacts.RegMove: "copies bits from a field to another",
    ofpacts.StackPush: "puts a field's value on the stack",
    ofpacts.StackPop: "takes the stack's topmost value into a field",
    ofpacts.DecTtl: "counts the TTL down; at 1 the packet goes to controllers and no further",
    ofpacts.SetMplsLabel: "writes the outer label",
    ofpacts.SetMplsTc: "writes the outer label's traffic class",
    ofpacts.SetMplsTtl: "writes the outer label's TTL",
    ofpacts.DecMplsTtl: "counts the outer label's TTL down, as `dec_ttl` does",
    ofpacts.PushMpls: "puts a label around",
    ofpacts.PopMpls: "takes the outer label off, and says what was under it",
    ofpacts.DecNshTtl: "counts the service header's TTL down",
    ofpacts.DeleteField: "takes a tunnel option out",
    ofpacts.Encap: "puts an Ethernet, service or MPLS header around",
    ofpacts.Decap: "takes the outermost header off",
    ofpacts.SetTunnel: "writes the tunnel's key",
    ofpacts.SetQueue: "chooses the queue for the outputs to come",
    ofpacts.PopQueue: "goes back to the queue that it had",
    ofpacts.FinTimeout: "shortens the flow's timeouts once TCP ends the connection",
    ofpacts.Resubmit: "looks it up in a table, does what is found, and comes back",
    ofpacts.Learn: "makes a flow out of the packet",
    ofpacts.Conjunction: "makes its flow one of several that have to match together",
    ofpacts.Multipath: "hashes fields to a number and writes that to a field",
    ofpacts.Note: "does nothing: a note to whoever reads the flow",
    ofpacts.Exit: "ends all actions, those of the callers too",
    ofpacts.Sample: "hands some of the packets to collectors",
    ofpacts.Ct: "has the connection tracked, committed, translated; goes on in a table",
    ofpacts.CtClear: "forgets what the tracker said",
    ofpacts.Clone: "does the actions within on a copy",
    ofpacts.CheckPktLarger: "writes to a bit whether the packet is larger",
    ofpacts.DebugRecirc: "looks it up anew, for no reason",
    ofpacts.DebugSlow: "lets userspace do the rest, for no reason",
    ofpacts.Meter: "drops what a meter says is too much",
    ofpacts.ClearActions: "empties the action set",
    ofpacts.WriteActions: "adds to the action set, which is carried out at the end",
    ofpacts.WriteMetadata: "writes bits of the metadata",
    ofpacts.GotoTable: "goes on in a later table",
    ofpacts.PushPbb: "puts a backbone header around: the same addresses, and a service tag",
    ofpacts.PopPbb: "takes the backbone header off, with its tags",
    ofpacts.CopyTtlOut: "copies the TTL to the outermost label or IP header from the next inside",
    ofpacts.CopyTtlIn: "copies the TTL of the outermost label or IP header to the next inside",
}

NOT_WRITTEN = frozenset({ofpacts.Nat, ofpacts.UnrollXlate})
"""Part of ``ct``, and made by translation alone."""

_HEAD = """\
# Open vSwitch's switch

A switch with `type: ovs` treats every frame as the userspace datapath of Open vSwitch 3.1 does:
exact-match cache, megaflows, upcall, translation, installed megaflow. Flows, groups and meters are
written as for `ovs-ofctl`; [topologies.md](topologies.md) shows where. This page is what
`vnet openflow` prints, made from the switch's own tables.

## How it was compared

* 153 recorded bridges of all kinds, and fresh ones made for the purpose, give the same frames, flow
  and group statistics, learned stations, port counters, connections and refusals as Open vSwitch.
* The 339 traces in Open vSwitch's own test suite that need no tunnels give the same datapath
  actions, and 338 of them the same megaflow; the last one's looks at more.
* Recorded bridges with mirrors, meters, bonds, LACP, multicast snooping, spanning trees, samples
  and tunnels, 7 to 30 of each, send the same frames and say the same of themselves, step by step
  (`python -m tests.ovs.recorded.record` makes more).
* 40 recorded tunnel packets of VXLAN, NVGRE, GRE and Geneve, and those of random tunnels, are put
  together and taken apart byte for byte; of the 55 traces of Open vSwitch's own test suite with
  tunnels, 36 read the same, and the others are of kinds or options that are not there.
* Random flows are parsed, refused and printed as by `ovs-ofctl parse-flows`; random frames are
  taken apart as by `ovs-ofctl parse-pcap`; random traces read like `ofproto/trace`, word for word.
* The recorded bridges answer the real `ovs-ofctl`, too, as Open vSwitch does; messages of OpenFlow
  1.0 to 1.5 are read, refused and written to the byte as it does, and os-ken reads them.
* Of 103 cases of a conformance suite for OpenFlow 1.0, and 478 for 1.3, all hold on a bridge with
  `openflow-full`; any other fails those of 1.3 that Open vSwitch fails, and no more.
* Port scans and crowds of clients leave the same megaflows (`python -m benchmarks.megaflows`).
* A switch with caches sends and counts what one does that decides about every frame anew: random
  flows, frames and changes, and frames that nobody would send.

The reference is Debian's 3.1.0-2+deb12u1, with its fixes of translation and classifier.

## What is known to differ

* There is no CFM, BFD or LLDP.
* Timers of STP are looked at once a second; Open vSwitch looks at them then at the latest, and
  whenever else its daemon wakes. What two bridges say over a patch port crosses one turn later.
* RSTP runs over patch ports, too. There the daemon of Open vSwitch 3.1 waits for itself for ever.
* A bond that balances by connection gives its 256 hash values to its links in turn, where Open
  vSwitch draws a link for each; `lb-output-action` is accepted, and the bond works without. What
  Open vSwitch leaves to the order of a hash table of pointers, as which of several links becomes
  the active one, goes by the order in which they are written.
* Of the types of QoS there are `linux-htb` and `linux-noop`.
* Floods go out in an order of their own; Open vSwitch's is that of a hash table of pointers.
* A copy that has to be looked up again (`ct`, `recirc`) leaves after the others where that lookup
  takes an upcall, and in its turn where it does not. Open vSwitch waits for the upcall.
* NAT chooses within a range of addresses by the lab's seed; Open vSwitch draws a number at start.
* Tunnels are VXLAN, GRE and Geneve, over IPv4 and IPv6. There is no ERSPAN, GTP-U or STT, and
  options of Geneve are mapped to fields, but not looked at.
* A trace without a packet sends no ARP request for the far end of a tunnel; Open vSwitch's does.
* Flows time out in the very millisecond. Open vSwitch looks for them now and then.
* A trace of a packet that recirculates for ever ends.

## What is odd, and the same

* A megaflow that counts down the TTL of an MPLS label looks at that TTL alone, but writes the whole
  label: a later frame with another label leaves with the first one's.
* Frames that a megaflow forwards teach (`NORMAL`, `learn`) when their statistics are fetched,
  twice a second, and not as they pass. So what a change of a spanning tree has made a bridge
  forget, frames just before it make it learn again.
* Where a spanning tree is, floods do not leave by ports that come later and take no part, as all
  internal ones; and once it is switched off, by none that took part, until `mod-port` says
  `no-flood` and `flood`.
* `stp-hello-time` is in milliseconds, the other times of STP are in seconds. A hold timer that a
  hello starts counts the second before it, so that an answer may follow at once.
* Between bridges that speak RSTP, an alternate port never agrees to a proposal; the port opposite
  takes itself for an edge three seconds later.
* A multicast group whose last member has left stays, without any, until it is the one that was
  joined longest ago.
* What a tunnel sends counts at its port twice: once as it comes, and once with the headers.
* `dump-flows` by OpenFlow 1.0 fails for a flow with `write_metadata` behind other actions.
"""


_FULL = """\
A bridge with `other_config:openflow-full=true` does, besides, what OpenFlow 1.3 says and Open
vSwitch does not. The words are our own: `ovs-ofctl` has none for these fields and actions, so they
come from controllers, or are told to the bridge in topologies, scenarios, Python and the shell.
Without the setting each of them is refused with Open vSwitch's error. With `vnet up`, `ovs-ofctl
dump-flows` of Open vSwitch cannot read a table that has such flows; `ovs-appctl bridge/dump-flows`
shows it.

* The fields and actions below.
* `set_field` may write `eth_type`, `nw_proto` and `mpls_bos`. The packet is looked up again then,
  as what it has become; a change of `nw_proto` goes into the checksums.
* `push_vlan` copies VLAN and priority of the tag that is there, as the specification has it. The
  first `push_mpls` makes a label of value and class 0, with the TTL of IP, or else 0.
* Meters have bands of the type `dscp_remark`. Without a burst size they let no more than a quarter
  of a second's worth through at once, where Open vSwitch takes a second's; and 0 reads back as 0.
* A group of type `select` chooses by all addresses and ports in a packet, those of Ethernet and ARP
  too, unless the controller says by what.
* What a header was taken off by `pop_pbb` or `pop_mpls` is filled up with zeros to the least that
  Ethernet carries, 60 bytes.

`ipv6_exthdr` has a bit for each thing that there is: no next header (0x1), ESP (0x2),
authentication (0x4), destination options (0x8), fragment (0x10), routing (0x20), hop-by-hop options
(0x40), a header that came too often (0x80) or out of its turn (0x100).
"""


def markdown() -> str:
    """The page ``docs/ovs.md``."""
    fields = _table(
        ("field", "bits", "mask", "write", "needs", "NXM or OXM", "state"),
        (_field_row(field) for field in FIELDS.values()),
    )
    action_heads = ("action", "written as", "what it does", "state")
    of_open_vswitch = (action for action in KINDS if action not in FULL_ONLY)
    actions = _table(action_heads, _action_rows(of_open_vswitch))
    full_fields = _table(
        ("field", "bits", "mask", "write", "needs", "OXM", "state"),
        (_field_row(field) for field in FULL_FIELDS.values()),
    )
    full_actions = _table(action_heads, _action_rows(a for a in KINDS if a in FULL_ONLY))
    return (
        f"{_HEAD}\n## Fields\n\nAs ovs-fields(7) has them; after a slash, an older name.\n\n"
        f"{fields}\n## Actions and instructions\n\nAs ovs-actions(7) has them.\n\n{actions}"
        f"\n## OpenFlow whole\n\n{_FULL}\n{full_fields}\n{full_actions}"
    )


def _field_row(field: Field) -> tuple[str, ...]:
    name = f"`{field.name}`" + (f" / `{field.alias}`" if field.alias else "")
    needs = "" if field.prerequisite is Prerequisite.NONE else field.prerequisite.value
    headers = ", ".join(f"`{header.name}`" for header in field.headers)
    return (
        name,
        str(field.n_bits),
        field.maskable.value,
        "yes" if field.writable else "no",
        needs,
        headers,
        FIELD_LIMITS.get(field.name, WORKS),
    )


def _action_rows(actions: Iterable[type[Ofpact]]) -> Iterator[tuple[str, ...]]:
    for action in actions:
        if action not in NOT_WRITTEN:
            state = ACTION_LIMITS.get(action, WORKS)
            yield f"`{KINDS[action].name}`", _first_sentence(action), ACTION_DEEDS[action], state


def _first_sentence(action: type[Ofpact]) -> str:
    text = " ".join((getdoc(action) or "").replace("``", "`").split())
    return text.split(". ")[0].split("; ")[0].rstrip(".")


def _table(heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    heads = tuple(heads)
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', BAR) for cell in row)} |\n" for row in lines)
