"""What a failed test says about its labs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.testing.report import captured, frames, section, sections

Run = Callable[..., pytest.RunResult]

pytestmark = pytest.mark.usefixtures("narrow")

TOO_LARGE = 'lab.vm("vm1").ping("vm2", count=2, size=1472, df=True, timeout="1s")'

# -- what is told


def test_a_failed_test_tells_how_the_last_frame_died(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile(
        test_it=f"""
        import pytest

        @pytest.mark.vnet_seeds(7)
        def test_large_pings(vnet_lab):
            lab = vnet_lab("narrow.yaml")
            assert {TOO_LARGE}.received == 2
        """
    )
    result = inner_pytest()
    result.assert_outcomes(failed=1)
    shown = section(result)
    assert shown[0] == "lab narrow, seed 7, 2s of virtual time"
    assert shown[1] == "again:     pytest 'test_it.py::test_large_pings[seed=7]'"
    assert shown[3:7] == [
        "dropped:   link-mtu, 2 at link h1:eth0",
        "           the frame is larger than the link's mtu;",
        "           raise the link's mtu, or lower the senders'",
        "The last frame that died; 1 died before it:",
    ]
    assert [line.split()[1] for line in shown[7:]] == [
        "vm1:eth0",
        "h1:vnet0",
        "h1:eth0",
        "h1:eth0--h2:eth0",
    ]
    assert shown[-1].endswith("lost: link-mtu, the frame is larger than the link's mtu")
    # The lab was still running when the test failed, and yet everything is in the file.
    assert [len(data) for data in frames(captured(shown))].count(1514) == 2


def test_where_nothing_died_nothing_is_invented(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile("""
        def test_it(vnet_lab):
            assert vnet_lab("narrow.yaml").vm("vm1").ping("vm2", count=1).received == 2
    """)
    shown = section(inner_pytest())
    assert shown[3:] == ["No frame died."]
    assert len(frames(captured(shown))) == 8


def test_several_reasons_are_all_named_and_the_last_has_its_tree(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile(f"""
        def test_it(vnet_lab):
            lab = vnet_lab("narrow.yaml")
            lab.vm("vm1").ping("vm2", count=1, size=2000, df=True)
            {TOO_LARGE}
            lab.vm("vm1").ping("10.0.0.99", count=1)
            raise ValueError
    """)
    shown = section(inner_pytest())
    words = [line.split()[1] for line in shown if line.startswith("dropped:")]
    assert words == ["fragmentation-needed,", "link-mtu,", "no-neighbor,"]
    at = next(n for n, line in enumerate(shown) if line.startswith("The last frame that died; "))
    assert "waits for the next hop's MAC" in shown[at + 1]
    assert any("dropped: no-neighbor" in line for line in shown[at + 2 :])
    others = shown[shown.index("Before it, for other reasons:") + 1 :]
    assert [re.search(r": ([a-z-]+),", line)[1] for line in others] == [  # type: ignore[index]
        "link-mtu",
        "fragmentation-needed",
    ]


def test_out_of_a_large_tree_only_the_road_to_the_drop_is_shown(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makefile(
        ".yaml",
        crowd="""
            version: 1
            hosts: {h1: {hypervisor: kvm, switches: {br0: }}}
            vms: {vm: {host: h1, count: 30, vnics: [{ip: 10.0.0.1/24}]}}
        """,
    )
    pytester.makepyfile("""
        def test_it(vnet_lab):
            lab = vnet_lab("crowd.yaml")
            lab.vm("vm1").ping("10.0.0.99", count=1)
            raise ValueError
    """)
    shown = section(inner_pytest())
    tree = shown[shown.index("The last frame that died:") + 1 :]
    assert re.fullmatch(r"\(out of a tree of \d{3} nodes\)", tree[0])
    assert [line.split()[1] for line in tree[1:]] == ["vm1:eth0", "vm1:eth0"]
    assert "waits for the next hop's MAC" in tree[1]
    assert "dropped: no-neighbor" in tree[2]


def test_of_a_long_road_both_ends_are_shown(pytester: pytest.Pytester, inner_pytest: Run) -> None:
    pytester.makefile(
        ".yaml",
        ring="""
            version: 1
            hosts: {h1: {hypervisor: kvm, nics: {eth0: }, switches: {br0: {uplink: eth0}}}}
            vms:
              vm1:
                host: h1
                vnics: [{ip: 10.0.0.1/24}]
                routes: [{to: default, via: 10.0.0.254}]
            routers:
              r1:
                nics: {eth0: {ip: 10.0.0.254/24}, eth1: {ip: 10.1.0.1/24}}
                routes: [{to: default, via: 10.1.0.2}]
              r2: {nics: {eth1: {ip: 10.1.0.2/24}}, routes: [{to: default, via: 10.1.0.1}]}
            links:
              - {ends: ['h1:eth0', 'r1:eth0'], latency: 10us}
              - {ends: ['r1:eth1', 'r2:eth1'], latency: 10us}
        """,
    )
    pytester.makepyfile("""
        def test_it(vnet_lab):
            assert vnet_lab("ring.yaml").vm("vm1").ping("10.9.0.1", count=1).received == 1
    """)
    shown = section(inner_pytest())
    tree = shown[shown.index("The last frame that died:") + 2 :]
    assert len(tree) == 41
    assert "vm1:eth0          waits for the next hop's MAC" in tree[0]
    assert tree[20].strip() == "…"
    assert "dropped: ttl-exceeded" in tree[-1]


@pytest.mark.slow
def test_after_a_storm_the_beginning_and_the_end_are_shown(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makefile(
        ".yaml",
        loop="""
            version: 1
            hosts: {h1: {hypervisor: kvm, nics: {eth0: }, switches: {br0: {uplink: eth0}}}}
            vms: {vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}}
            switches: {s1: {ports: 3}, s2: {ports: 2}}
            links:
              - {ends: ['s1:p1', 's2:p1'], latency: 10us, bandwidth: 10mbit, queue: 3}
              - {ends: ['s1:p2', 's2:p2'], latency: 10us, bandwidth: 10mbit, queue: 3}
              - {ends: ['h1:eth0', 's1:p3'], latency: 10us}
        """,
    )
    pytester.makepyfile("""
        def test_it(vnet_lab):
            lab = vnet_lab("loop.yaml")
            lab.vm("vm1").vnic().send(bytes([255] * 6 + [2, 0, 0, 0, 0, 1, 0x88, 0xB5]) + bytes(46))
            lab.advance("300ms")
            raise ValueError
    """)
    shown = section(inner_pytest())
    at = next(n for n, line in enumerate(shown) if line.startswith("The last frame that died; "))
    assert re.fullmatch(r"\((its trace was cut at|out of a tree of) \d+ nodes.*\)", shown[at + 1])
    assert shown[at + 2].split()[1:3] == ["vm1:eth0", "sent"]
    assert re.search(r" dropped\b.*: [a-z-]+, ", shown[-1])
    assert len(shown) < 30


def test_a_scenario_that_failed_is_told_step_by_step(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile("""
        from pathlib import Path

        STEPS = '''
        scenario:
          - ping: {from: vm1, to: vm2, count: 1}
            expect: {received: 1}
          - ping: {from: vm1, to: 10.0.0.99, count: 1}
            expect: {received: 1, lost: 0}
          - wait: 1s
        '''.replace("\\n        ", "\\n")

        def test_to_its_end(vnet_lab):
            lab = vnet_lab(text=Path("narrow.yaml").read_text() + STEPS)
            assert lab.run().held

        def test_half(vnet_lab):
            lab = vnet_lab(text=Path("narrow.yaml").read_text() + STEPS)
            assert lab.run("1s").held
    """)
    result = inner_pytest()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "E * where False = <Report of narrow at *: 1 of 3 NOT held: ping vm1 → 10.0.0.99 ×1: "
            "expected received == 1, saw 0, expected lost == 0, saw 1>.held"
        ]
    )
    told = [line for line in section(result) if not line.startswith(("dropped", " "))]
    assert told[3] == "not held:  ping vm1 → 10.0.0.99 ×1 (line 13)"
    assert "           expected received == 1, saw 0, expected lost == 0, saw 1" in section(result)
    assert "           10.0.0.1 Destination Host Unreachable" in section(result)
    half = section(result, 1)
    assert "           not yet ended" in half
    assert "           not yet begun" in half


def test_every_lab_of_a_test_is_told_of(pytester: pytest.Pytester, inner_pytest: Run) -> None:
    pytester.makepyfile("""
        def test_it(vnet_lab):
            vnet_lab("narrow.yaml")
            vnet_lab("@two-vms", seed=4, pcap_dir=None)
            raise ValueError
    """)
    result = inner_pytest()
    assert sections(result) == 2
    assert section(result, 0)[0] == "lab narrow, seed 1, 0s of virtual time"
    assert section(result, 1)[0] == "lab two-vms, seed 4, 0s of virtual time"
    assert section(result, 1)[2] == "captured:  nothing to a file"


def test_frames_that_were_not_followed_are_not_said_to_live(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile(f"""
        def test_it(vnet_lab):
            lab = vnet_lab("narrow.yaml", follow=False)
            {TOO_LARGE}
            raise ValueError
    """)
    assert section(inner_pytest())[-1] == "The frames that died were not followed."


# -- when it is told


def test_failures_of_set_up_and_tear_down_are_told_as_well(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile(
        test_it=f"""
        import pytest

        @pytest.fixture
        def early(vnet_lab):
            lab = vnet_lab("narrow.yaml")
            {TOO_LARGE}
            raise ValueError

        @pytest.fixture
        def late(vnet_lab):
            lab = vnet_lab("narrow.yaml")
            yield lab
            {TOO_LARGE}
            raise ValueError

        @pytest.fixture
        def outer():
            yield
            raise ValueError

        def test_early(early):
            pass

        def test_late(late):
            pass

        def test_after_the_labs_were_closed(outer, vnet_lab):
            lab = vnet_lab("narrow.yaml")
            {TOO_LARGE}
        """
    )
    result = inner_pytest()
    result.assert_outcomes(passed=2, errors=3)
    assert sections(result) == 3
    for number in range(3):
        shown = section(result, number)
        assert shown[-1].endswith("lost: link-mtu, the frame is larger than the link's mtu")
        assert len(frames(captured(shown))) > 4


def test_a_lab_that_the_test_has_closed_is_told_of(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile(f"""
        def test_it(vnet_lab):
            with vnet_lab("narrow.yaml") as lab:
                {TOO_LARGE}
            raise ValueError
    """)
    shown = section(inner_pytest())
    assert "link-mtu" in shown[-1]
    assert len(frames(captured(shown))) > 4


def test_a_test_that_fails_twice_is_told_of_once(
    pytester: pytest.Pytester, inner_pytest: Run
) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.fixture
        def late():
            yield
            raise ValueError

        def test_it(late, vnet_lab):
            vnet_lab("@two-vms")
            raise ValueError
    """)
    result = inner_pytest()
    result.assert_outcomes(failed=1, errors=1)
    assert sections(result) == 1


@pytest.mark.slow
def test_the_section_comes_home_from_a_worker(pytester: pytest.Pytester, inner_pytest: Run) -> None:
    pytest.importorskip("xdist")
    pytester.makepyfile(f"""
        import pytest

        @pytest.mark.vnet_seeds(1, 2)
        def test_it(vnet_lab):
            lab = vnet_lab("narrow.yaml")
            {TOO_LARGE}
            raise ValueError
    """)
    result = inner_pytest("-n1")
    result.assert_outcomes(failed=2)
    assert sections(result) == 2
    assert "link-mtu" in section(result, 0)[-1]
    assert captured(section(result, 0)).exists()
