"""Apps: which functions hear of what, and how mistakes in them are told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vnet.base.errors import Terminated, UsageError
from vnet.controller import PacketIn, PortStatus, SwitchConnected, actions, match, on
from vnet.controller.app import App, AppError
from vnet.controller.shipped import resolve_app, shipped_apps
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.ofpacts import Output

HEARS = """\
from vnet.controller import PacketIn, PortStatus, SwitchConnected, on
heard = []

@on(SwitchConnected)
def first(event):
    heard.append(("first", event))

@on(SwitchConnected, PortStatus)
def second(event):
    heard.append(("second", event))
"""


def app(folder: Path, text: str, name: str = "app.py") -> App:
    (folder / name).write_text(text, encoding="utf-8")
    return App(folder / name)


def connected() -> SwitchConnected:
    switch: Any = SimpleNamespace()
    return SwitchConnected(switch)


def test_functions_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    made = app(tmp_path, HEARS)
    event = connected()
    made.tell(event)
    (heard,) = [value for value in made.definitions if isinstance(value, list)]
    assert heard == [("first", event), ("second", event)]
    assert not list(tmp_path.glob("__pycache__")), "nothing is left beside the app"


def test_each_run_of_a_file_is_an_app_of_its_own(tmp_path: Path) -> None:
    one, two = app(tmp_path, HEARS), App(tmp_path / "app.py")
    one.tell(connected())
    (heard,) = [value for value in two.definitions if isinstance(value, list)]
    assert heard == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n", "app.py:1: invalid syntax"),
        ("\nimport nowhere_at_all\n", "app.py:2: ModuleNotFoundError: No module named"),
        ("import sys\nsys.exit(3)\n", "app.py:2: SystemExit: 3"),
        ("x = 1\n", "app.py: nothing in it wants to be told of anything"),
        (
            "from vnet.controller import on\n@on(str)\ndef f(event): ...\n",
            "app.py:2: TypeError: @on(str) names no event; there are SwitchConnected, ",
        ),
    ],
)
def test_a_file_that_cannot_be_run_is_told_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(AppError) as failure:
        app(tmp_path, text)
    assert failure.value.what.startswith(message)


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match=r"there is no app nowhere\.py"):
        App(Path("nowhere.py"))


def test_what_goes_wrong_is_told_at_the_line_of_the_app(tmp_path: Path) -> None:
    text = HEARS + "\n@on(PacketIn)\ndef deep(event):\n    inner(event)\n"
    made = app(tmp_path, text + "\ndef inner(event):\n    return event.packet.nothing[1]\n")
    switch: Any = SimpleNamespace()
    packet_in: Any = None
    with pytest.raises(AppError) as failure:
        made.tell(PacketIn(switch, packet_in))
    assert failure.value.what == (
        "app.py:17: AttributeError: 'NoneType' object has no attribute 'frame'"
    )
    assert failure.value.__suppress_context__, "no traceback of ours"


def test_who_ends_the_process_ends_it_within_an_app_too(tmp_path: Path) -> None:
    made = app(tmp_path, HEARS)

    def terminate() -> None:
        raise Terminated(143)

    with pytest.raises(Terminated):
        made.call(terminate)


def test_only_events_can_be_wanted() -> None:
    with pytest.raises(TypeError, match=r"^@on\(int\) names no event"):
        on(int)

    @on(PacketIn, PortStatus)
    def fine(_event: object) -> None: ...

    assert callable(fine)


def test_apps_that_come_along_go_by_name() -> None:
    assert resolve_app("@learning-switch") == shipped_apps()["learning-switch"]
    assert resolve_app("own.py") == Path("own.py")
    with pytest.raises(UsageError, match="no shipped app @learning-swich") as refused:
        resolve_app("@learning-swich")
    assert refused.value.hint == "did you mean 'learning-switch'?"


def test_the_learning_switch_is_an_example_of_forty_lines() -> None:
    text = shipped_apps()["learning-switch"].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    assert App(shipped_apps()["learning-switch"]).name == "learning_switch.py"


def test_records_can_be_made_of_texts() -> None:
    assert actions("output:2") == (Output(OfpPort(2)),)
    assert match("in_port=1") != match("in_port=2")
