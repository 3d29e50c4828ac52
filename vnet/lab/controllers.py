"""The controllers in a lab's own process: who controls which bridge, and by what app."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vnet.base.errors import UsageError
from vnet.controller.app import App, AppError
from vnet.controller.local import ALL_VERSIONS, LocalController
from vnet.controller.shipped import resolve_app
from vnet.lab.ovs_commands import BridgeCommands
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.openflow.version import OpenFlowVersion, versions_listed
from vnet.sim.scheduler import Scheduler


class Controllers:
    """Those of one lab. Bridges go by their labels: ``sw1``, ``h1:br0``.

    An app that controls several bridges is one app: what it learns of one it knows of all.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._by_label: dict[str, LocalController] = {}

    def all(self) -> list[LocalController]:
        """The controllers, in the order in which they came."""
        return [controller for controller in self._by_label.values() if controller.is_open]

    def of(self, label: str) -> LocalController | None:
        """The controller of a bridge, if it has one."""
        found = self._by_label.get(label)
        return found if found is not None and found.is_open else None

    def attach(
        self,
        label: str,
        commands: BridgeCommands,
        app: str | Path | None = None,
        *,
        versions: str | None = None,
        tell_error: Callable[[AppError], None],
    ) -> LocalController:
        """Become the controller of a bridge, by an app's file or ``@name``; None for no app.

        ``versions`` are as ovs-ofctl's -O has them: ``OpenFlow10,OpenFlow13``. Raises
        :class:`UsageError` for a bridge that has a controller here, and for bad apps.
        """
        if self.of(label) is not None:
            raise UsageError(f"{label} has a controller already")
        bridge = commands.machine.vswitchd.running.get(commands.name)
        if bridge is None:
            raise UsageError(f"the bridge {label} was deleted")
        runs = None if app is None else self._app(resolve_app(app))
        made = LocalController(
            *(bridge, label, self._scheduler, runs),
            versions=ALL_VERSIONS if versions is None else _versions(versions),
            tell_error=tell_error,
        )
        self._by_label.pop(label, None)
        self._by_label[label] = made
        return made

    def _app(self, path: Path) -> App:
        for controller in self.all():
            app = controller.app
            if app is not None and app.path.resolve() == path.resolve():
                return app
        return App(path)


def _versions(text: str) -> tuple[OpenFlowVersion, ...]:
    try:
        return versions_listed(text)
    except OvsTextError as error:
        raise UsageError(error.what, "OpenFlow10 to OpenFlow15") from None
