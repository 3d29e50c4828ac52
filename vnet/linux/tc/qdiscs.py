"""The qdiscs of a device: which there are, and what becomes of a request to change them.

The rules are the kernel's: a request names a place by its parent and perhaps a handle, and
whether it makes a discipline, changes the one that is there, or is refused, follows from both
and from the verb. tc-qdisc(8) tells half of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from vnet.base.chance import Chance
from vnet.linux.tc.errors import refused
from vnet.linux.tc.handles import INGRESS, INGRESS_HANDLE, ROOT, class_text, major, minor
from vnet.linux.tc.kinds.table import NOQUEUE, Making, Wanted, check
from vnet.netdev.device import NetDevice
from vnet.sim.netem import Netem
from vnet.sim.qdisc.discipline import Discipline, Noop
from vnet.sim.qdisc.htb_queue import HtbQueue
from vnet.sim.qdisc.ingress import Ingress
from vnet.sim.qdisc.netem import NetemQueue, NetemSettings
from vnet.sim.qdisc.root import DeviceQueue

_BEFORE_FIRST_HANDLE, _STEP = 0x80000000, 0x10000

CANNOT_FIND = "Failed to find specified qdisc"
EXCLUSIVE = "Exclusivity flag on, cannot modify"
OVERRIDE = "NLM_F_REPLACE needed to override"
OTHER_NAME = "Invalid qdisc name: must match existing qdisc"


class Verb(Enum):
    """What ``tc qdisc`` and its like are told to do."""

    ADD = auto()
    CHANGE = auto()
    REPLACE = auto()
    LINK = auto()

    @property
    def creates(self) -> bool:
        return self in (Verb.ADD, Verb.REPLACE)

    @property
    def replaces(self) -> bool:
        return self in (Verb.REPLACE, Verb.LINK)


class Placed(NamedTuple):
    """A discipline, and the class that it hangs on; :data:`ROOT` for the first."""

    parent: int
    qdisc: Discipline


@dataclass(frozen=True, slots=True)
class Request:
    """A place and what shall be there. ``handle`` and ``parent`` are 0 where they are left out."""

    verb: Verb
    parent: int
    handle: int
    wanted: Wanted


class TrafficControl:
    """What a machine's kernel keeps for the qdiscs of all its devices.

    ``is_own`` tells the MACs of the machine's IP stack, whose frames have priorities.
    """

    def __init__(self, chance: Chance, is_own: Callable[[bytes], bool]) -> None:
        self._chance = chance
        self._is_own = is_own
        self._handle = _BEFORE_FIRST_HANDLE
        self._police = 0

    def next_police_index(self) -> int:
        """Number a policer."""
        self._police += 1
        return self._police

    # -- what is there

    def queue_of(self, device: NetDevice) -> DeviceQueue | None:
        """The tree of a device, where somebody gave it one."""
        return device.qdisc if isinstance(device.qdisc, DeviceQueue) else None

    def placed(self, device: NetDevice, *, with_defaults: bool = False) -> Iterator[Placed]:
        """Every qdisc of the tree that has a handle, those below behind those above; and those
        ``with_defaults`` that classes have by themselves."""
        queue = self.queue_of(device)
        if queue is not None:
            yield from _below(ROOT, queue.root, with_defaults=with_defaults)

    def find(self, device: NetDevice, handle: int) -> Placed | None:
        """The qdisc with a handle."""
        return next((p for p in self.placed(device) if p.qdisc.handle == handle), None)

    # -- changes

    def modify(self, device: NetDevice, request: Request) -> None:
        """``tc qdisc add``, ``change`` and ``replace``. Raises :class:`TcError`."""
        if request.parent == INGRESS:
            return self._modify_ingress(device, request)
        there = self._there(device, request)
        if there is None or self._is_another(there, request):
            if there is None and not request.verb.creates:
                raise refused("Qdisc not found. To create specify NLM_F_CREATE flag")
            return self._create(device, request)
        return self._change(device, there, request)

    def _there(self, device: NetDevice, request: Request) -> Discipline | None:
        """What is at the place of a request. None: nothing that anybody asked for."""
        if not request.parent:
            if not request.handle:
                raise refused("Handle cannot be zero")
            found = self.find(device, request.handle)
            if found is None:
                raise refused("Specified qdisc not found")
            return found.qdisc
        found_there = self._at(device, request.parent, CANNOT_FIND)
        return found_there if found_there is not None and found_there.handle else None

    def _at(self, device: NetDevice, parent: int, complaint: str) -> Discipline | None:
        """What hangs on a class, be it only there by default."""
        queue = self.queue_of(device)
        if parent == ROOT:
            return None if queue is None else queue.root
        holder = self.find(device, major(parent))
        if holder is None:
            raise refused(complaint)
        return self._leaf(holder.qdisc, minor(parent))

    @staticmethod
    def _leaf(holder: Discipline, number: int) -> Discipline | None:
        if not holder.has_classes:
            raise refused("Parent qdisc is not classful")
        if isinstance(holder, NetemQueue) and not holder.children:
            return None
        children = holder.children
        if len(children) == 1 and not isinstance(holder, HtbQueue):
            # tbf and netem have one class, and take any number for it.
            return next(iter(children.values()))
        if number not in children:
            raise refused("Specified class not found")
        return children[number]

    @staticmethod
    def _is_another(there: Discipline, request: Request) -> bool:
        """Whether a request is for a new discipline in the place of one that is there."""
        if not request.parent or request.handle == there.handle:
            return False
        if request.handle:
            if not request.verb.replaces:
                raise refused(OVERRIDE)
            return True
        differs = bool(request.wanted.kind) and request.wanted.kind != there.kind
        return differs and request.verb is not Verb.LINK

    def _change(self, device: NetDevice, there: Discipline, request: Request) -> None:
        if request.verb is Verb.ADD:
            raise refused(EXCLUSIVE)
        if request.wanted.kind and request.wanted.kind != there.kind:
            raise refused(OTHER_NAME)
        if request.wanted.kind:
            kind = check(request.wanted)
            self._check_copies(device, request.wanted, there)
            kind.change(there, request.wanted.settings, device.scheduler.now_ns)

    def _create(self, device: NetDevice, request: Request) -> None:
        if request.handle and self.find(device, request.handle) is not None:
            raise refused("Cannot move an existing qdisc to a different parent")
        if request.wanted.kind == NOQUEUE and request.parent == ROOT:
            return self.remove_root(device)
        kind = check(request.wanted)
        self._check_copies(device, request.wanted, None)
        queue = self.queue_of(device) or self._new_queue(device)
        handle = request.handle or self._free_handle(device)
        where = f"netem {device.label} {class_text(request.parent)}"
        making = Making(queue, handle, device.scheduler.now_ns, lambda: Netem(self._chance, where))
        self._graft(device, queue, request.parent, kind.make(making, request.wanted.settings))
        return None

    def _check_copies(self, device: NetDevice, wanted: Wanted, there: Discipline | None) -> None:
        """Copies come in at the top of the tree: two netems there could make ever more of them."""
        settings = wanted.settings
        if not isinstance(settings, NetemSettings):
            return
        for placed in self.placed(device):
            other = placed.qdisc
            if not isinstance(other, NetemQueue) or other is there:
                continue
            if settings.impairments.duplicate or other.settings.impairments.duplicate:
                raise refused("netem: cannot mix duplicating netems with other netems in tree")

    def _new_queue(self, device: NetDevice) -> DeviceQueue:
        if device.qdisc is not None:
            # Another owner has its own discipline here, as Open vSwitch has for its QoS.
            raise refused(EXCLUSIVE)
        return DeviceQueue(device.scheduler, device, self._is_own)

    def _free_handle(self, device: NetDevice) -> int:
        while True:
            self._handle += _STEP
            if self._handle == INGRESS_HANDLE:
                self._handle = _BEFORE_FIRST_HANDLE + _STEP
            if self.find(device, self._handle) is None:
                return self._handle

    def _graft(
        self, device: NetDevice, queue: DeviceQueue, parent: int, new: Discipline | None
    ) -> None:
        now_ns = device.scheduler.now_ns
        if parent != ROOT:
            holder = self.find(device, major(parent))
            assert holder is not None, "its class was looked at before"
            number = next(iter(holder.qdisc.children), 1)
            if len(holder.qdisc.children) > 1 or isinstance(holder.qdisc, HtbQueue):
                number = minor(parent)
            holder.qdisc.graft(number, new, now_ns)
            return
        if device.qdisc is queue:
            queue.purge()
        if new is None:
            device.qdisc = None
        else:
            queue.root = new
            device.qdisc = queue

    def remove_root(self, device: NetDevice) -> None:
        """The device is as it was when nobody had given it a qdisc."""
        queue = self.queue_of(device)
        if queue is not None:
            self._graft(device, queue, ROOT, None)

    def delete(self, device: NetDevice, parent: int, handle: int, kind: str) -> None:
        """``tc qdisc del``. Raises :class:`TcError`."""
        if parent == INGRESS:
            return self._delete_ingress(device, kind)
        if not parent:
            found = self.find(device, handle)
            if found is None:
                raise refused("Failed to find qdisc with specified handle")
            there: Discipline | None = found.qdisc
        else:
            there = self._at(device, parent, "Failed to find qdisc with specified classid")
        here = 0 if there is None else there.handle
        if parent and handle and handle != here:
            raise refused("Invalid handle")
        if kind and there is not None and kind != there.kind:
            raise refused(OTHER_NAME)
        if not parent:
            raise refused("Classid cannot be zero")
        if not here:
            raise refused("Cannot delete qdisc with handle of zero")
        queue = self.queue_of(device)
        assert queue is not None
        return self._graft(device, queue, parent, None)

    # -- what comes in

    def _modify_ingress(self, device: NetDevice, request: Request) -> None:
        if device.ingress is not None:
            if request.verb is Verb.ADD:
                raise refused(EXCLUSIVE)
            if request.wanted.kind != device.ingress.kind:
                raise refused(OTHER_NAME)
            return
        if not request.verb.creates:
            raise refused("Qdisc not found. To create specify NLM_F_CREATE flag")
        device.ingress = Ingress(device.scheduler, device)

    def _delete_ingress(self, device: NetDevice, kind: str) -> None:
        if device.ingress is None:
            raise refused("Cannot find specified qdisc on specified device")
        if kind != device.ingress.kind:
            raise refused(OTHER_NAME)
        device.ingress = None


def _below(parent: int, qdisc: Discipline, *, with_defaults: bool) -> Iterator[Placed]:
    is_shown = qdisc.handle or (with_defaults and not isinstance(qdisc, Noop))
    if not is_shown:
        return
    yield Placed(parent, qdisc)
    # The kernel finds the newest first.
    for number, child in reversed(list(qdisc.children.items())):
        yield from _below(qdisc.handle | number, child, with_defaults=with_defaults)
