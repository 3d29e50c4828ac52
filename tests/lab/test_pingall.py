"""Pings among many machines: who pings whom, how many at a time, what is said of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vnet.base.errors import UsageError
from vnet.guest.apps.app import App
from vnet.lab.classes import machine_classes
from vnet.lab.lab import Lab
from vnet.lab.pingall import Note, PingAll, all_pairs, class_pairs

RACK = """
version: 1
name: rack
hosts:
  h: {count: 3, nics: {eth0: {ip: 192.0.2.1/24}}, switches: {br0: }}
routers: {r: {nics: {eth0: {ip: 10.0.255.1/16}}}}
switches: {tor: {count: 2}, spine: }
vms:
  vm: {host: 'h*', count: 12, vnics: [{ip: 10.0.0.1/16}]}
  lone: {host: h1, vnics: [{ip: 10.0.1.1/16}]}
  mute: {host: h1, count: 2, vnics: [{}]}
links:
  - {ends: ['h*:eth0', 'tor*:p*'], latency: 1us}
  - {ends: ['tor*:up', 'spine:p*'], latency: 1us}
  - {ends: ['r:eth0', 'spine:r'], latency: 1us}
"""
VMS = [f"vm{number}" for number in range(1, 13)]


@pytest.fixture
def rack() -> Lab:
    return Lab.from_text(RACK)


def classes_of(lab: Lab, names: list[str]) -> dict[str, tuple[str, ...]]:
    return {one.name: one.machines for one in machine_classes(lab.network, names)}


def test_all_pairs_answer_and_are_counted(rack: Lab) -> None:
    app = rack.pingall(VMS[:4])
    assert sorted(app.outcomes) == sorted(all_pairs(VMS[:4]))
    assert app.seen() == {"sent": 12, "received": 12, "lost": 0}
    assert str(app) == "12 sent, 12 received, 0 lost"


def test_those_without_an_address_are_no_loss(rack: Lab) -> None:
    app = rack.pingall(["vm1", "mute1"])
    assert app.outcomes["vm1", "mute1"].note is Note.NO_ADDRESS
    assert app.outcomes["mute1", "vm1"].lost, "it has nothing to send from"
    assert app.losses == [("mute1", "vm1")]
    assert app.seen() == {"sent": 1, "received": 0, "lost": 1}


def test_nobody_to_ping_ends_at_once(rack: Lab) -> None:
    app = rack.pingall(["mute1", "mute2"])
    assert app.done
    assert rack.now_ns == 0
    assert app.seen() == {"sent": 0, "received": 0, "lost": 0}


def test_only_so_many_are_under_way_and_none_is_left_out(rack: Lab) -> None:
    pairs = all_pairs(VMS)
    app = PingAll(rack.network, pairs, under_way=5)
    most = 0

    def watch() -> None:
        nonlocal most
        seen = app.seen()
        most = max(most, seen["sent"] - seen["received"])
        if not app.done:
            rack.scheduler.after(100, watch)

    watch()
    rack.wait_for(app)
    assert most == 5
    assert list(app.outcomes) != pairs, "they ended as they were answered"
    assert sorted(app.outcomes) == sorted(pairs)
    assert app.seen() == {"sent": 132, "received": 132, "lost": 0}


def test_an_app_cut_short_counts_what_was_under_way_as_lost(rack: Lab) -> None:
    app = PingAll(rack.network, [("vm1", "vm12"), ("vm1", "vm11"), ("vm1", "vm2")], under_way=2)
    ended: list[App] = []
    app.on_done = ended.append
    app.start()
    assert app.seen() == {"sent": 2, "received": 0, "lost": 2}
    app.finish()
    assert ended == [app]
    assert app.losses == [("vm1", "vm12"), ("vm1", "vm11")]
    assert app.seen() == {"sent": 2, "received": 0, "lost": 2}


# --- classes ---


def test_machines_of_one_template_in_one_place_are_alike(rack: Lab) -> None:
    assert classes_of(rack, [*VMS, "lone"]) == {
        "vm*@h1": ("vm1", "vm2", "vm3", "vm4"),
        "vm*@h2": ("vm5", "vm6", "vm7", "vm8"),
        "vm*@h3": ("vm9", "vm10", "vm11", "vm12"),
        "lone": ("lone",),
    }


def test_hosts_of_one_switch_are_alike(rack: Lab) -> None:
    assert classes_of(rack, ["h1", "h2", "h3", "r"]) == {
        "h*@tor1": ("h1", "h2"),
        "h*@tor2": ("h3",),
        "r": ("r",),
    }


def test_two_of_each_class_speak_for_it(rack: Lab) -> None:
    pairs = class_pairs(machine_classes(rack.network, [*VMS[:8], "lone"]))
    assert pairs[0, 0] == [("vm1", "vm4"), ("vm4", "vm1")]
    assert pairs[0, 1] == [("vm1", "vm5"), ("vm1", "vm8"), ("vm4", "vm5"), ("vm4", "vm8")]
    assert pairs[2, 0] == [("lone", "vm1"), ("lone", "vm4")]
    assert pairs[2, 2] == []
    app = rack.pingall([*VMS[:8], "lone"], classes=True)
    assert app.seen() == {"sent": 20, "received": 20, "lost": 0}


def test_one_of_each_class_speaks_where_two_would_be_too_many(
    monkeypatch: pytest.MonkeyPatch, rack: Lab
) -> None:
    monkeypatch.setattr("vnet.lab.pingall.MOST_PINGS", 12)
    pairs = class_pairs(machine_classes(rack.network, VMS))
    assert pairs[0, 1] == [("vm1", "vm8")]
    assert pairs[1, 1] == [("vm5", "vm8"), ("vm8", "vm5")]
    monkeypatch.setattr("vnet.lab.pingall.MOST_PINGS", 11)
    with pytest.raises(UsageError, match="pingall: 3 classes make 12 pings"):
        rack.pingall(VMS, classes=True)


# --- samples ---


def test_a_sample_is_drawn_from_the_seed() -> None:
    def sample(seed: int) -> list[tuple[str, str]]:
        with Lab.from_text(RACK, seed=seed) as lab:
            return list(lab.pingall(VMS, sample=20).outcomes)

    assert sample(1) == sample(1)
    assert sample(1) != sample(2)
    assert len(set(sample(1))) == 20
    assert all(source != target for source, target in sample(1))


def test_a_sample_of_more_than_there_are_is_all_of_them(rack: Lab) -> None:
    assert sorted(rack.pingall(VMS[:3], sample=1_000).outcomes) == sorted(all_pairs(VMS[:3]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda lab: lab.pingall(["vm1"]), "pingall: it takes two to ping"),
        (lambda lab: lab.pingall(["vm1", "vm1"]), "pingall: it takes two to ping"),
        (lambda lab: lab.pingall(["vm1", "vm99"]), "there is no machine vm99"),
        (lambda lab: lab.pingall(sample=0), "a sample of 0 cannot be"),
        (lambda lab: lab.pingall(classes=True, sample=2), "are two ways"),
    ],
)
def test_what_cannot_be_is_refused(call: Callable[[Lab], PingAll], message: str, rack: Lab) -> None:
    with pytest.raises(UsageError, match=message):
        call(rack)
