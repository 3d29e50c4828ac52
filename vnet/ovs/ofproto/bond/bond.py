"""A bond: its links, which of them may be used, and which one is the active one.

Time is an argument. :meth:`Bond.run` does what is due and must be called after anything was told
to the bond; what it says about flows holds from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vnet.base.ids import MAC_ZERO
from vnet.l2.lacp.aggregation import Negotiation
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.flow_hash import hash_5tuple
from vnet.ovs.flow.hashing import hash_mac
from vnet.ovs.ofproto.bond.log import BondLog
from vnet.ovs.ofproto.bond.member import BUCKET_MASK, N_BUCKETS, Bucket, Member
from vnet.ovs.ofproto.bond.settings import BondMode, BondSettings
from vnet.ovs.ofproto.ports.ofport import OfPort


class Bond:
    """The links of a port that has several.

    ``buckets`` is the hash table; a bond that uses one link at a time has none. ``recirc_id`` is
    what frames are looked up again by where it balances by connection, else 0. ``changed`` is set
    when flows may have to leave another way, and reset by whoever sees to that;
    ``must_announce`` when the stations behind the switch should be announced anew.
    """

    def __init__(self, settings: BondSettings, now_ns: int, log: BondLog | None = None) -> None:
        self.settings = settings
        self._log = log or BondLog()
        self.members: dict[OfPort, Member] = {}
        self.active: Member | None = None
        self.active_mac = MAC_ZERO
        """The address of the active link; that of the last one is how a bond remembers it."""
        self.negotiation = Negotiation.OFF
        self.buckets: list[Bucket] = []
        self.recirc_id = 0
        self.next_rebalance_ns = 0
        self.changed = False
        self.must_announce = False
        self.on_traffic: Callable[[], None] = _nothing
        """Called when a frame is sent by the bond that no datapath flow stands for yet."""
        self._enabled: list[Member] = []
        self._reset_buckets(now_ns)

    # -- what it is

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def mode(self) -> BondMode:
        return self.settings.mode

    @property
    def is_falling_back(self) -> bool:
        """Whether it is active-backup only because LACP finds no partner."""
        return (
            self.settings.fallback
            and self.mode is not BondMode.ACTIVE_BACKUP
            and self.negotiation is Negotiation.CONFIGURED
        )

    @property
    def recirculates(self) -> bool:
        """Whether the datapath is to choose the link, by a second look at each frame."""
        is_tcp = self.mode is BondMode.BALANCE_TCP
        return is_tcp and self.recirc_id != 0 and not self.is_falling_back

    @property
    def is_balanced(self) -> bool:
        """Whether load is moved between the links."""
        return (
            self.settings.rebalance_interval_ns > 0
            and self.mode is not BondMode.ACTIVE_BACKUP
            and not self.is_falling_back
        )

    def member_named(self, name: str) -> Member | None:
        """A link by its name."""
        return next((member for member in self.members.values() if member.name == name), None)

    def remembered(self) -> Member | None:
        """The link that is, or was last, the active one."""
        members = self.members.values()
        return next((member for member in members if member.mac == self.active_mac), None)

    @property
    def has_load(self) -> bool:
        """Whether anything was sent lately, as far as that has been counted."""
        return any(bucket.tx_bytes for bucket in self.buckets)

    # -- configuration

    def configure(self, settings: BondSettings, now_ns: int) -> None:
        """Take settings over. Where they change how frames are spread, the hash table is new."""
        old, self.settings = self.settings, settings
        if self.changed or _spreading(old) != _spreading(settings):
            self.changed = True
            self._reset_buckets(now_ns)
        elif (self.mode is BondMode.ACTIVE_BACKUP) == bool(self.buckets):
            self._reset_buckets(now_ns)

    def set_members(self, ports: Iterable[OfPort], now_ns: int) -> None:
        """These are the links from now on. A new one with a carrier may be used at once."""
        wanted = tuple(ports)
        for port in [port for port in self.members if port not in wanted]:
            self._remove(port, now_ns)
        for port in wanted:
            if port not in self.members:
                member = self.members[port] = Member(port)
                self.changed = True
                self.enable(member, member.has_carrier)
            member = self.members[port]
            member.is_primary = member.name == self.settings.primary

    def _remove(self, port: OfPort, now_ns: int) -> None:
        member = self.members[port]
        self.changed = True
        self.enable(member, False)
        for bucket in self.buckets:
            if bucket.member is member:
                bucket.member = None
        del self.members[port]
        if self.active is member:
            self._choose_active(now_ns)
            self.must_announce = True

    def _reset_buckets(self, now_ns: int) -> None:
        if self.mode is BondMode.ACTIVE_BACKUP or self.is_falling_back:
            self.buckets = []
        else:
            self.buckets = [Bucket() for _ in range(N_BUCKETS)]
            self.next_rebalance_ns = now_ns + self.settings.rebalance_interval_ns

    # -- links

    def run(self, negotiation: Negotiation, now_ns: int) -> None:
        """Do what is due: links whose delay is over, and the choice of the active one."""
        if negotiation is not self.negotiation:
            self.negotiation = negotiation
            self.changed = True
            if self.is_falling_back or not self.buckets:
                self._reset_buckets(now_ns)
        for member in self.members.values():
            self._follow_link(member, now_ns)
        preferred = self._preferred()
        is_unusable = self.active is None or not self.active.enabled
        if is_unusable or (preferred is not None and self.active is not preferred):
            self._choose_active(now_ns)

    def next_due_ns(self) -> int | None:
        """When the delay of a link ends, if one runs."""
        times = [m.due_ns for m in self.members.values() if m.due_ns is not None]
        return min(times, default=None)

    def enable(self, member: Member, enabled: bool) -> None:
        """Let a link be used from now on, or not; whatever delay there was is over."""
        member.due_ns = None
        if enabled == member.enabled:
            return
        self.changed = True
        member.enabled = enabled
        if enabled:
            self._enabled.append(member)
        else:
            self._enabled.remove(member)
            self.must_announce = True
        self._log.enabled(member.name, enabled)

    def make_active(self, member: Member) -> None:
        """Use this link, which is enabled, until it fails."""
        self.changed = self.must_announce = True
        self.active = member
        self.active_mac = member.mac
        self._log.made_active(self.name, member.name)

    def take_changed(self) -> bool:
        """Whether flows may leave another way than when this was last asked."""
        changed, self.changed = self.changed, False
        return changed

    def _follow_link(self, member: Member, now_ns: int) -> None:
        up = member.is_up
        if (up == member.enabled) != (member.due_ns is None):
            settings = self.settings
            delay_ns = settings.updelay_ns if up else settings.downdelay_ns
            member.due_ns = None if up == member.enabled else now_ns + delay_ns
            self._log.link(member.name, up, member.enabled, delay_ns)
        if member.due_ns is not None and now_ns >= member.due_ns:
            self.enable(member, up)

    def _preferred(self) -> Member | None:
        """The primary link, where there is one that works and the mode heeds it."""
        if self.mode is not BondMode.ACTIVE_BACKUP:
            return None
        return next((m for m in self.members.values() if m.is_primary and m.enabled), None)

    def _choose_active(self, now_ns: int) -> None:
        old, self.active = self.active, self._best()
        if self.active is not None:
            skipped_ns = None
            if not self.active.enabled:
                skipped_ns = (self.active.due_ns or now_ns) - now_ns
            self._log.active(self.name, self.active.name, skipped_ns)
            if skipped_ns is not None:
                self.enable(self.active, True)
            self.must_announce = True
        elif old is not None:
            self._log.none_active(self.name)
        if self.active is not old:
            self.active_mac = MAC_ZERO if self.active is None else self.active.mac

    def _best(self) -> Member | None:
        """Who is to be active: the primary, the last one, any that works, or else the one that
        will do so soonest: with no link left its delay is not waited for.
        """
        members = self.members.values()
        enabled = [member for member in members if member.enabled]
        primary = next((member for member in enabled if member.is_primary), None)
        remembered = self.remembered()
        if primary is not None:
            return primary
        if remembered is not None and remembered.enabled:
            return remembered
        if enabled:
            return enabled[0]
        coming = [m for m in members if m.due_ns is not None and m.may_enable]
        return min(coming, key=lambda member: member.due_ns or 0, default=None)

    # -- the hash table

    def hash(self, key: int, vlan: int) -> int:
        """The hash of a flow that leaves in ``vlan``."""
        basis = self.settings.hash_basis
        if self.mode is BondMode.BALANCE_TCP:
            return hash_5tuple(key, basis)
        return hash_mac(Flow.dl_src.of(key), vlan, basis)

    def bucket_of(self, key: int, vlan: int) -> Bucket:
        """The entry of a flow; only a bond that spreads frames has any."""
        return self.buckets[self.hash(key, vlan) & BUCKET_MASK]

    def next_enabled(self) -> Member | None:
        """The links that work, one after the other, over and over."""
        if not self._enabled:
            return None
        member = self._enabled.pop(0)
        self._enabled.append(member)
        return member

    def account(self, key: int, vlan: int, n_bytes: int) -> None:
        """So many bytes of a flow were sent."""
        if self.is_balanced and self.buckets:
            self.bucket_of(key, vlan).tx_bytes += n_bytes


def _nothing() -> None:
    return None


def _spreading(settings: BondSettings) -> tuple[object, ...]:
    """The settings that decide which way a flow takes."""
    return (
        settings.fallback,
        settings.rebalance_interval_ns,
        settings.mode,
        settings.hash_basis,
        settings.primary,
    )
