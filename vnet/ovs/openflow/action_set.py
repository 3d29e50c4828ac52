"""The action set of OpenFlow 1.1 and later: what may be written into it, and in which order it
is carried out (OpenFlow 1.5.1 section 5.6; ovs-actions(7), "Action Sets").
"""

from __future__ import annotations

from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.ofpacts import Ofpact, Ofpacts

ONCE: tuple[type[Ofpact], ...] = (
    ofpacts.CopyTtlIn,
    ofpacts.StripVlan,
    ofpacts.PopPbb,
    ofpacts.PopMpls,
    ofpacts.Decap,
    ofpacts.Encap,
    ofpacts.PushMpls,
    ofpacts.PushPbb,
    ofpacts.PushVlan,
    ofpacts.CopyTtlOut,
    ofpacts.DecTtl,
    ofpacts.DecMplsTtl,
    ofpacts.DecNshTtl,
)
"""Carried out first, in this order; of several of a kind only the last counts."""

FINAL: tuple[type[Ofpact], ...] = (
    ofpacts.Ct,
    ofpacts.CtClear,
    ofpacts.Resubmit,
    ofpacts.Output,
    ofpacts.Group,
)
"""Where the packet goes. One is carried out, at the end: the last of the kind that stands last
here. Without one the whole set is not carried out.
"""

EVERY: frozenset[type[Ofpact]] = frozenset(
    (
        ofpacts.SetField,
        ofpacts.RegMove,
        ofpacts.SetEthDst,
        ofpacts.SetEthSrc,
        ofpacts.SetIpDscp,
        ofpacts.SetIpEcn,
        ofpacts.SetIpTtl,
        ofpacts.SetIpv4Dst,
        ofpacts.SetIpv4Src,
        ofpacts.SetL4DstPort,
        ofpacts.SetL4SrcPort,
        ofpacts.SetMplsLabel,
        ofpacts.SetMplsTc,
        ofpacts.SetMplsTtl,
        ofpacts.SetQueue,
        ofpacts.SetTunnel,
        ofpacts.SetVlanPcp,
        ofpacts.SetVlanVid,
    )
)
"""Carried out between the two, all of them, in the order in which they were written."""

ALLOWED: frozenset[type[Ofpact]] = EVERY.union(ONCE, FINAL)
"""What ``write_actions`` may hold."""


def action_list(action_set: Ofpacts) -> Ofpacts:
    """The actions to carry out for an action set, given as they were written into it."""
    once: dict[type[Ofpact], Ofpact] = {}
    every: list[Ofpact] = []
    final: Ofpact | None = None
    rank = 0
    for action in action_set:
        kind = type(action)
        if kind in EVERY:
            every.append(action)
        elif kind in FINAL:
            if FINAL.index(kind) >= rank:
                final, rank = action, FINAL.index(kind)
        else:
            once[kind] = action
    if final is None:
        return ()
    return (*(once[kind] for kind in ONCE if kind in once), *every, final)
