"""What is said about commands of tc in a file."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        (
            "routers: {r1: {nics: {eth0: {tc: ^qdisc add root tbf rate 1mbit burst 1k}}}}",
            'tc: tbf: either "limit" or "latency" is required. (Usage: ... tbf limit BYTES burst '
            "BYTES[/BYTES] rate KBPS [ mtu BYTES[/BYTES] ] [ peakrate KBPS ] [ latency TIME ] "
            "[ overhead BYTES ] [ linklayer TYPE ])",
        ),
        (
            "routers: {r1: {nics: {eth0: {tc: [qdisc add root pfifo, ^'qdisc add parent 1:1 prio']"
            "}}}}",
            "tc: Error: Failed to find specified qdisc.",
        ),
        (
            "routers: {r1: {nics: {eth0: {tc: ^{qdisc add root handle 1: pfifo}}}}}",
            "a command of tc is text, not a map (one with ': ' in it needs quotes)",
        ),
        (
            "routers: {r1: {nics: {eth0: {tc: ^qdisc show}}}}",
            'tc: "qdisc show" changes nothing',
        ),
        (
            "routers: {r1: {nics: {eth0: }}}\n"
            "scenario: [{tc: {device: 'r1:eth0', command: ^qdisc add root netem loss 1x}}]",
            'tc: Illegal "loss percent"',
        ),
        (
            "routers: {r1: {nics: {eth0: }}}\nscenario: [{tc: {device: 'r1:eth0', handle: ^x}}]",
            "'x' is no handle of a qdisc (for example '1:'; '1:10' is a class)",
        ),
        (
            "routers: {r1: {nics: {eth0: }}}\n"
            "scenario: [{tc: {device: 'r1:eth0', handle: ^'1:20'}}]",
            "'1:20' is no handle of a qdisc (for example '1:'; '1:10' is a class)",
        ),
    ],
)
def test_a_mistake_is_told_at_its_place(
    assert_problem: Callable[[str, str], None], marked: str, message: str
) -> None:
    assert_problem(f"version: 1\n{marked}\n", message)
