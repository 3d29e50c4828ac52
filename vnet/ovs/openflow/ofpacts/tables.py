"""Actions that look into flow tables, or change them."""

from __future__ import annotations

from enum import Enum

from vnet.base.record import record
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.flow_hash import HashFields
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.ofpacts.ofpact import Ofpact

TABLE_ALL = 0xFF
"""Any table; in ``resubmit`` the present one."""


@record(frozen=True, slots=True)
class Resubmit(Ofpact):
    """``resubmit([PORT],[TABLE][,ct])``; ``in_port`` OFPP_IN_PORT and ``table_id`` TABLE_ALL
    mean the present ones. Form 1 is NXAST_RESUBMIT, which names no table.
    """

    in_port: OfpPort
    table_id: int = TABLE_ALL
    with_ct_orig: bool = False
    form: int = 2


class LearnTarget(Enum):
    """What a learn specification does with its source."""

    MATCH = "match"
    LOAD = "load"
    OUTPUT = "output"


@record(frozen=True, slots=True)
class LearnSpec:
    """One ``FIELD=SOURCE``, ``load:SOURCE->FIELD`` or ``output:FIELD`` of ``learn``.

    The source is a subfield, or ``immediate``, an integer of ``n_bits``; exactly one is set.
    ``destination`` is None for ``output``.
    """

    target: LearnTarget
    n_bits: int
    source: Subfield | None
    immediate: int | None
    destination: Subfield | None


@record(frozen=True, slots=True)
class Learn(Ofpact):
    """``learn(...)``; times in whole seconds, ``limit`` 0 for none. Form 2 is NXAST_LEARN2."""

    specs: tuple[LearnSpec, ...]
    idle_timeout_s: int = 0
    hard_timeout_s: int = 0
    priority: int = 32768
    table_id: int = 1
    cookie: int = 0
    send_flow_rem: bool = False
    delete_learned: bool = False
    fin_idle_timeout_s: int = 0
    fin_hard_timeout_s: int = 0
    limit: int = 0
    result_destination: Subfield | None = None
    form: int = 1


@record(frozen=True, slots=True)
class Conjunction(Ofpact):
    """``conjunction(ID,CLAUSE/N)``; ``clause`` counts from 0 here and from 1 in text."""

    conj_id: int
    clause: int
    n_clauses: int


class MultipathAlgorithm(Enum):
    """How ``multipath`` turns a hash into a link; the value is its text."""

    MODULO_N = "modulo_n"
    HASH_THRESHOLD = "hash_threshold"
    HIGHEST_RANDOM_WEIGHT = "hrw"
    ITER_HASH = "iter_hash"


@record(frozen=True, slots=True)
class Multipath(Ofpact):
    """``multipath(...)``; ``max_link`` is the number of links minus 1."""

    fields: HashFields
    basis: int
    algorithm: MultipathAlgorithm
    max_link: int
    argument: int
    destination: Subfield
