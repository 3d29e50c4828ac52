"""What `pingall --classes` and `pingall --sample` print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vnet.lab.lab import Lab

RACK = """
version: 1
name: rack
hosts: {h: {count: 2, nics: {eth0: }, switches: {br0: }}}
vms:
  vm: {host: 'h*', count: 6, vnics: [{ip: 10.0.0.1/16}]}
  far: {host: h1, vnics: [{ip: 10.9.0.1/16}]}
links: [{ends: ['h1:eth0', 'h2:eth0'], latency: 1ms}]
"""


def test_a_matrix_of_classes_names_them_and_their_sizes(shell: Callable[..., Any]) -> None:
    assert shell(Lab.from_text(RACK), "pingall --classes").out.splitlines() == [
        "ms      machines         1  2      3",
        "vm*@h1         3  1  0.000  X  3.000",
        "far            1  2      X  -      X",
        "vm*@h2         3  3  3.000  X  0.000",
        "20 pings, 12 answered, 8 lost",
    ]


def test_a_class_with_some_losses_counts_the_answers(shell: Callable[..., Any]) -> None:
    lab = Lab.from_text(RACK)
    lab.vm("vm6").namespace.set_down("eth0")
    lines = shell(lab, "pingall vm1 vm2 vm3 vm4 vm5 vm6 --classes").out.splitlines()
    assert lines[1:] == [
        "vm*@h1         3  1  0.000  2/4",
        "vm*@h2         3  2    2/4    X",
        "12 pings, 6 answered, 6 lost",
    ]


def test_a_sample_shows_losses_and_figures(shell: Callable[..., Any]) -> None:
    lines = shell(Lab.from_text(RACK), "pingall vm1 vm2 far --sample 6").out.splitlines()
    assert lines[0] == "from  to"
    assert sorted(lines[1:5]) == ["far   vm1", "far   vm2", "vm1   far", "vm2   far"]
    assert lines[5:] == [
        "6 pings, 2 answered, 4 lost",
        "rtt min/median/max = 0.000/0.000/0.000 ms",
    ]


def test_a_sample_without_losses_has_no_table(shell: Callable[..., Any]) -> None:
    lines = shell(Lab.from_text(RACK), "pingall vm1 vm4 --sample 2").out.splitlines()
    assert lines[0] == "2 pings, 2 answered, 0 lost"


def test_classes_and_a_sample_exclude_each_other(shell: Callable[..., Any]) -> None:
    ran = shell(Lab.from_text(RACK), "pingall --classes --sample 3")
    assert (ran.code, ran.err) == (2, "pingall: classes and a sample are two ways (choose one)\n")
