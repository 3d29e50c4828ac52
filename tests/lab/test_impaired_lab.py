"""Impaired links in whole labs: repeatable, independent, settable, counted and reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vnet import Lab, VnetError
from vnet.base.errors import UsageError
from vnet.sim.link import LINK_LOSS
from vnet.sim.netem import GilbertElliott, Impairments
from vnet.wire.pcapng import read_pcapng

EVERYTHING = (
    "latency: 2ms, jitter: 1500us, loss: {p: 5%, r: 30%, 1-h: 90%, 1-k: 1%}, "
    "duplicate: 10%, reorder: 10%, corrupt: 10%"
)

PAIR = """\
version: 1
name: impaired
hosts:
  h1: {hypervisor: kvm, nics: {eth0: }, switches: {br0: }}
  h2: {hypervisor: kvm, nics: {eth0: }, switches: {br0: }}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  vm2: {host: h2, vnics: [{ip: 10.0.0.2/24}]}
links: [{ends: ['h1:eth0', 'h2:eth0'], %s}]
captures: ['vm1:eth0', 'h1:eth0', 'h2:eth0']
scenario:
  - udp: {from: vm1, to: vm2, count: 300, interval: 1ms}
"""

TWO_PAIRS = """\
version: 1
name: pairs
hosts:
  a1: {nics: {eth0: }, switches: {br0: }}
  a2: {nics: {eth0: }}
  b1: {nics: {eth0: }, switches: {br0: }}
  b2: {nics: {eth0: }}
vms: {a: {host: a1, vnics: [{}]}, b: {host: b1, vnics: [{}]}}
links:
  - {ends: ['a1:eth0', 'a2:eth0'], latency: 5ms, jitter: 3ms, %s}
  - {ends: ['b1:eth0', 'b2:eth0'], latency: 5ms, jitter: 3ms, loss: 10%%, duplicate: 5%%}
captures: ['a2:eth0', 'b1:eth0', 'b2:eth0']
scenario:
  - at: 1s
    send: {from: a, packet: 'Ether(dst="02:00:00:00:00:99")/"a"', count: 400, interval: 1ms}
  - at: 1s
    send: {from: b, packet: 'Ether(dst="02:00:00:00:00:99")/"b"', count: 400, interval: 1ms}
  - wait: 1s
"""


def run_into(folder: Path, text: str, **options: Any) -> bytes:
    with Lab.from_text(text, pcap_dir=folder, **options) as lab:
        lab.run()
    return next(folder.glob("*.pcapng")).read_bytes()


def heard(text: str) -> dict[str, list[tuple[float, bytes]]]:
    """Every frame with its time, by capture point."""
    with Lab.from_text(text) as lab:
        lab.run()
        return {
            name: [(float(packet.time), bytes(packet)) for packet in packets]
            for name, packets in lab.captures.items()
        }


# Repeatable, and independent of each other


def test_with_every_impairment_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    text = PAIR % EVERYTHING
    one, same, other = (
        run_into(tmp_path / name, text, seed=seed)
        for name, seed in (("one", 5), ("same", 5), ("other", 6))
    )
    assert one == same
    assert one != other


def test_every_impairment_shows_in_the_run(tmp_path: Path) -> None:
    with Lab.from_text(PAIR % EVERYTHING, pcap_dir=tmp_path) as lab:
        lab.run()
    for row in json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["links"]:
        assert {"duplicated", "reordered", "corrupted"} < set(row)
        assert row["drops"]["link-loss"] > 0
        arrived = row["frames"] + row["duplicated"] - row["drops"]["link-loss"]
        device = lab.network.device(*row["to"].split(":"))
        assert device is not None
        assert arrived == device.rx_packets + sum(device.drops.values())


def test_another_loss_on_one_link_leaves_the_other_link_alone() -> None:
    few, many = heard(TWO_PAIRS % "loss: 1%"), heard(TWO_PAIRS % "loss: 60%, corrupt: 5%")
    assert few["b1:eth0"] == many["b1:eth0"]
    assert few["b2:eth0"] == many["b2:eth0"]
    assert 300 < len(few["b2:eth0"]) < 400 < len(few["b1:eth0"]) + 20
    assert len(many["a2:eth0"]) < len(few["a2:eth0"]) - 100


def test_frames_that_survive_more_loss_arrive_when_they_did_before() -> None:
    few, many = heard(TWO_PAIRS % "loss: 1%"), heard(TWO_PAIRS % "loss: 60%")
    assert len(many["a2:eth0"]) > 100
    assert set(many["a2:eth0"]) <= set(few["a2:eth0"])


def test_a_link_that_did_nothing_of_the_kind_is_reported_as_before() -> None:
    with Lab.from_text(PAIR % "latency: 1ms, loss: 0, duplicate: 0%") as lab:
        (row, _) = lab.run().as_json()["links"]
    assert list(row) == ["from", "to", "frames", "bytes", "drops"]


def test_a_lost_frame_says_so_in_the_capture_of_its_sender(tmp_path: Path) -> None:
    run_into(tmp_path, PAIR % "loss: 100%")
    with (tmp_path / "impaired.pcapng").open("rb") as stream:
        comments = {(p.interface.name, p.comment) for p in read_pcapng(stream) if p.comment}
    lost = f"dropped: link-loss: {LINK_LOSS.cause}"
    # The host h2 has something to say as well: that its bridge listens to a group.
    assert comments == {("h1:eth0", lost), ("h2:eth0", lost)}


# By hand


def test_a_link_is_set_by_the_words_of_a_file() -> None:
    with Lab.from_text(PAIR % "latency: 1ms") as lab:
        handle = lab.link("h2:eth0")
        handle.set(
            loss="5%",
            jitter="2ms",
            latency="3ms",
            bandwidth="1gbit",
            queue=9,
            mtu=1400,
            duplicate="1%",
            reorder="2%",
            corrupt="3%",
        )
        link = handle.link
        assert link.impairments == Impairments(2_000_000, 0.05, 0.01, 0.02, 0.03)
        assert (link.latency_ns, link.bandwidth_bps) == (3_000_000, 10**9)
        assert (link.queue_frames, link.mtu_bytes) == (9, 1400)
        handle.set(loss={"p": "1%", "r": "20%"}, bandwidth=None)
        assert link.impairments.loss == GilbertElliott(0.01, 0.2)
        assert (link.bandwidth_bps, link.queue_frames) == (None, 9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": 5}, "5 has no unit (for example 1%)"),
        ({"loss": "105%"}, "'105%' is more than 100%"),
        ({"loss": {"p": "1%", "q": "1%"}}, "unknown key 'q' (known here: p, r, 1-h, 1-k)"),
        ({"jitter": "soon"}, "'soon' is not a duration"),
        ({"queue": "9"}, "queue wants a whole number, not the text '9'"),
        ({"los": "1%"}, "unknown key 'los' (did you mean 'loss'?)"),
        (
            {"corrupt": "1%", "latency": "0", "reorder": "1%"},
            "frames cannot be reordered on h1:eth0--h2:eth0, which has no delay "
            "(give it a latency or a jitter)",
        ),
    ],
)
def test_what_a_link_cannot_be_set_to_is_the_callers_mistake(
    settings: dict[str, Any], message: str
) -> None:
    with Lab.from_text(PAIR % "latency: 1ms") as lab:
        handle = lab.link("h1:eth0")
        with pytest.raises(UsageError) as caught:
            handle.set(**settings)
        assert str(caught.value).startswith(message)
        assert (handle.link.impairments, handle.link.latency_ns) == (Impairments(), 1_000_000)


def test_a_link_that_is_not_there_is_named() -> None:
    with (
        Lab.from_text(PAIR % "latency: 1ms") as lab,
        pytest.raises(VnetError, match=r"no link at h1:eth9 \(there are h1:eth0, h2:eth0"),
    ):
        lab.link("h1:eth9")


def test_a_cable_that_is_pulled_and_plugged_in_by_hand() -> None:
    with Lab.from_text(PAIR % "latency: 1ms") as lab:
        assert lab.vm("vm1").ping("10.0.0.2", count=1).received == 1
        lab.link("h1:eth0").down()
        assert lab.vm("vm1").ping("10.0.0.2", count=1, timeout="1s").received == 0
        lab.link("h1:eth0").up()
        assert lab.vm("vm1").ping("10.0.0.2", count=1).received == 1


def test_a_link_counts_what_it_did_in_each_direction() -> None:
    with Lab.from_text(PAIR % "latency: 1ms") as lab:
        # By then the hosts have told twice what groups their bridges listen to.
        lab.vm("vm1").ping("10.0.0.2", count=3)
        handle = lab.link("h1:eth0")
        handle.set(duplicate="100%")
        result = lab.vm("vm1").ping("10.0.0.2", count=3)
        there, back = handle.directions
        assert (there.source, there.target, there.impaired) == (
            "h1:eth0",
            "h2:eth0",
            {"duplicated": 3},
        )
        # Each of the two requests that arrive is answered, and each answer doubled.
        assert back.impaired == {"duplicated": 6}
        assert (result.received, result.duplicates) == (3, 9)
