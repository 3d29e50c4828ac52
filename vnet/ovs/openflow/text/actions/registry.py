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
    output,
    tables,
    vlan,
)
from vnet.ovs.openflow.text.actions.kind import AnyKind, Parse

_ALL: tuple[AnyKind, ...] = (
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

KINDS: dict[type[Ofpact], AnyKind] = {kind.action: kind for kind in _ALL}

WORDS: dict[str, Parse] = {word: parse for kind in _ALL for word, parse in kind.words.items()}
"""Lower case; Open vSwitch knows them in any."""
