"""A group as a bridge keeps it: its buckets, how one of them is chosen, and what they have seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from vnet.ovs.dpif.actions import HashAlgorithm
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.ofproto.groups.dp_hash import slots_of_buckets
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.openflow.messages import Bucket, GroupMod, GroupModCommand, GroupType


class SelectionMethod(Enum):
    """How a select group chooses a bucket."""

    DEFAULT = "default"  # a hash of the headers in userspace, a flow at a time
    HASH = "hash"  # the same, of the fields that the controller names
    DP_HASH = "dp_hash"  # a hash that the datapath computes


@dataclass(slots=True)
class BucketStats:
    """What went through a bucket."""

    n_packets: int = 0
    n_bytes: int = 0


_HASH_ALGORITHMS = (HashAlgorithm.L4, HashAlgorithm.SYM_L4)


class GroupEntry:
    """A group. To change one is to put a new entry, with counters at 0, in its place.

    ``mod`` is the request that made it what it is, and ``buckets`` what it came to have. ``rules``
    are the flows that output to it, with how often each does.
    """

    __slots__ = (
        "bucket_stats",
        "buckets",
        "created_ns",
        "fields",
        "group_id",
        "hash_algorithm",
        "hash_basis",
        "hash_slots",
        "modified_ns",
        "n_bytes",
        "n_packets",
        "rules",
        "selection",
        "selection_method",
        "selection_method_param",
        "type",
    )

    def __init__(self, mod: GroupMod, buckets: tuple[Bucket, ...], now_ns: int) -> None:
        self.group_id = mod.group_id
        self.type = mod.type
        self.buckets = buckets
        self.created_ns = now_ns
        self.modified_ns = now_ns
        self.selection_method = mod.selection_method
        self.selection_method_param = mod.selection_method_param
        self.fields = mod.fields
        self.n_packets = 0
        self.n_bytes = 0
        self.bucket_stats = [BucketStats() for _ in buckets]
        self.rules: dict[Rule, int] = {}
        self.selection = SelectionMethod.DEFAULT
        self.hash_algorithm = HashAlgorithm.SYM_L4
        self.hash_basis = 0
        self.hash_slots: tuple[int, ...] = ()
        """For a dp_hash: the position in ``buckets`` for each hash, masked to this length."""
        if mod.type is GroupType.SELECT:
            self._choose_selection(mod.buckets)

    @property
    def ref_count(self) -> int:
        """How many actions of flows output to it."""
        return sum(self.rules.values())

    def refer(self, rule: Rule, change: int) -> None:
        """An action of a flow outputs to it from now on (1), or no longer (-1)."""
        count = self.rules.get(rule, 0) + change
        if count:
            self.rules[rule] = count
        else:
            del self.rules[rule]

    def as_mod(self) -> GroupMod:
        """The request that would make it anew."""
        return GroupMod(
            GroupModCommand.ADD,
            self.group_id,
            self.type,
            self.buckets,
            selection_method=self.selection_method,
            selection_method_param=self.selection_method_param,
            fields=self.fields,
        )

    def bucket(self, bucket_id: int) -> Bucket | None:
        """A bucket by its identifier."""
        return next((b for b in self.buckets if b.bucket_id == bucket_id), None)

    def credit(self, bucket_id: int | None, stats: FlowStats) -> None:
        """Packets went through one bucket, or (None) through all of them."""
        self.n_packets += stats.n_packets
        self.n_bytes += stats.n_bytes
        for bucket, seen in zip(self.buckets, self.bucket_stats, strict=True):
            if bucket_id is None or bucket.bucket_id == bucket_id:
                seen.n_packets += stats.n_packets
                seen.n_bytes += stats.n_bytes

    def _choose_selection(self, given: Sequence[Bucket]) -> None:
        """What the controller asked for, as far as the buckets' weights allow it.

        Open vSwitch 3.1 looks only at the buckets that the request gives, not at those that a
        group keeps from before. So inserted buckets get all of the datapath's hashes, and a
        group that lost a bucket goes by the default.
        """
        if self.selection_method == "hash":
            if self.fields:
                self.selection = SelectionMethod.HASH
            return
        positions = {bucket.bucket_id: n for n, bucket in enumerate(self.buckets)}
        slots = slots_of_buckets([bucket.weight for bucket in given])
        self.hash_slots = tuple(positions[given[slot].bucket_id] for slot in slots)
        if self.selection_method == "dp_hash":
            algorithm = self.selection_method_param >> 32
            known = algorithm < len(_HASH_ALGORITHMS)
            self.hash_algorithm = _HASH_ALGORITHMS[algorithm if known else 0]
            self.hash_basis = self.selection_method_param & 0xFFFF_FFFF
        if self.hash_slots:
            self.selection = SelectionMethod.DP_HASH

    def __repr__(self) -> str:
        return f"GroupEntry({self.group_id}, {self.type.value}, {len(self.buckets)} buckets)"
