"""Settings that each device has of its own, with ``default`` for those to come and ``all``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from vnet.linux.netns.sysctl.knob import Spread, Value, changed, knobs_of

ConfT = TypeVar("ConfT")


class DeviceTree(Generic[ConfT]):
    """One group of settings: for ``all``, for ``default``, and each device's own.

    A device starts with a copy of ``default``. Where devices ``follow``, a later change of
    ``default`` reaches them, too, unless the setting was set on the device or the device has been
    settled, as an address does it (devinet_copy_dflt_conf() of the kernel).
    """

    __slots__ = (
        "_default_follows",
        "_in_force",
        "_set",
        "_settled",
        "default",
        "everywhere",
        "own",
    )

    def __init__(
        self,
        everywhere: ConfT,
        default: ConfT,
        in_force: Callable[[ConfT, ConfT], ConfT],
        *,
        follow: bool,
    ) -> None:
        self.everywhere = everywhere
        self.default = default
        self.own: dict[str, ConfT] = {}
        self._in_force = in_force
        self._default_follows = follow
        # Ten thousand machines set nothing, and then share the empty sets.
        self._set: frozenset[tuple[str, str]] = frozenset()
        self._settled: frozenset[str] = frozenset()

    def in_force(self, device: str) -> ConfT:
        """What holds on a device, ``all`` and its own taken together."""
        return self._in_force(self.everywhere, self.own[device])

    # -- devices

    def add(self, device: str) -> None:
        """A device appeared."""
        self.own[device] = self.default

    def remove(self, device: str) -> None:
        """A device went, and its settings with it."""
        del self.own[device]
        self._settled -= {device}
        self._set = frozenset((name, knob) for name, knob in self._set if name != device)

    def rename(self, device: str, new: str) -> None:
        """A device has another name, and the same settings."""
        self.own[new] = self.own.pop(device)
        if device in self._settled:
            self._settled = self._settled - {device} | {new}
        self._set = frozenset((new if name == device else name, knob) for name, knob in self._set)

    def settle(self, device: str) -> None:
        """From now on the device keeps what it has, whatever becomes of ``default``."""
        if self._default_follows:
            self._settled |= {device}

    # -- settings

    def set_all(self, name: str, value: Value) -> None:
        """Set one for ``all``, and for those that it is passed on to."""
        self.everywhere = changed(self.everywhere, name, value)
        spread = knobs_of(type(self.everywhere))[name].spread
        if spread is Spread.DEVICES_AND_DEFAULT:
            self.default = changed(self.default, name, value)
        if spread is not Spread.NOWHERE:
            for device in self.own:
                self.set_own(device, name, value)

    def set_default(self, name: str, value: Value) -> None:
        """Set one for devices to come, and for those that still follow."""
        self.default = changed(self.default, name, value)
        follows = knobs_of(type(self.default))[name].spread is Spread.NOWHERE
        if not (follows and self._default_follows):
            return
        for device, conf in self.own.items():
            if device not in self._settled and (device, name) not in self._set:
                self.own[device] = changed(conf, name, value)

    def set_own(self, device: str, name: str, value: Value) -> None:
        """Set one of a device's own."""
        self.own[device] = changed(self.own[device], name, value)
        if self._default_follows:
            self._set |= {(device, name)}
