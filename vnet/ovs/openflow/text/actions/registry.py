"""All kinds of actions, by their class and by the words that they are written with."""

from __future__ import annotations

from vnet.ovs.openflow.ofpacts import Ofpact
from vnet.ovs.openflow.text.actions import (
    choice,
    conntrack,
    encap,
    fields,
    header,
    learn,
    metadata,
    mpls,
    openflow_full,
    output,
    tables,
    vlan,
)
from vnet.ovs.openflow.text.actions.kind import AnyKind, Parse

_OF_OPEN_VSWITCH: tuple[AnyKind, ...] = (
    *output.KINDS,
    *choice.KINDS,
    *fields.KINDS,
    *vlan.KINDS,
    *header.KINDS,
    *mpls.KINDS,
    *encap.KINDS,
    *metadata.KINDS,
    *tables.KINDS,
    *learn.KINDS,
    *conntrack.KINDS,
)

KINDS: dict[type[Ofpact], AnyKind] = {
    kind.action: kind for kind in (*_OF_OPEN_VSWITCH, *openflow_full.KINDS)
}


def _words(kinds: tuple[AnyKind, ...]) -> dict[str, Parse]:
    return {word: parse for kind in kinds for word, parse in kind.words.items()}


WORDS: dict[str, Parse] = _words(_OF_OPEN_VSWITCH)
"""Lower case; Open vSwitch knows them in any."""

FULL_WORDS: dict[str, Parse] = _words(openflow_full.KINDS)
"""What bridges take besides that speak OpenFlow whole."""
