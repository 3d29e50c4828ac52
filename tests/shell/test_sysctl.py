"""sysctl as procps 4.0 prints it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Shell = Callable[..., Any]
NO_SUCH = "sysctl: cannot stat /proc/sys/net/ipv4/nosuch: No such file or directory\n"


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("net.ipv4.ip_forward", "net.ipv4.ip_forward = 0\n"),
        ("-n net/ipv4/ip_forward", "0\n"),
        ("-N net.ipv4.ip_forward", "net.ipv4.ip_forward\n"),
        ("-w net.ipv4.ip_forward=1", "net.ipv4.ip_forward = 1\n"),
        ("-n net.ipv4.ip_forward=1", "1\n"),
        ("-q net.ipv4.ip_forward=1", ""),
        ("-e net.ipv4.nosuch", ""),
        ("-a -r ip_forward$", "net.ipv4.ip_forward = 0\n"),
        (
            "-aN -r conf.lo.forw",
            "net.ipv4.conf.lo.forwarding\nnet.ipv6.conf.lo.forwarding\n",
        ),
        ("-a -r nosuchpattern", ""),
        ("-w 'net.ipv4.tcp_rmem=4096 131072 6291456'", "net.ipv4.tcp_rmem = 4096 131072 6291456\n"),
        ("net.ipv4.ip_local_port_range", "net.ipv4.ip_local_port_range = 32768\t60999\n"),
        ("-n net.ipv4.ip_forward net.ipv4.nosuch net.ipv4.ip_default_ttl", f"0\n{NO_SUCH}64\n"),
    ],
)
def test_what_is_printed(shell: Shell, command: str, printed: str) -> None:
    assert shell("two-vms", f"vm1 sysctl {command}").out.strip("\n") == printed.strip("\n")


def test_a_directory_stands_for_what_is_in_it(shell: Shell) -> None:
    lines = shell("two-vms", "vm1 sysctl net.ipv4.conf.lo").out.splitlines()
    assert len(lines) > 20
    assert all(line.startswith("net.ipv4.conf.lo.") for line in lines)


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("net.ipv4.nosuch", NO_SUCH.strip()),
        ("net.ipv4.nosuch=1", NO_SUCH.strip()),
        ("net.ipv4.ip_forward=abc", 'sysctl: setting key "net.ipv4.ip_forward": Invalid argument'),
        ("-w net.ipv4.ip_local_port_range='60000 100'", 'ip_local_port_range": Invalid argument'),
        ("-w net.ipv4.ip_default_ttl=300", 'setting key "net.ipv4.ip_default_ttl": Invalid arg'),
        ("-w net.ipv4.ip_forward = 1", "sysctl: command line(0): invalid syntax, continuing..."),
        ("-a -r '('", "is no regular expression"),
    ],
)
def test_what_is_refused(shell: Shell, command: str, complaint: str) -> None:
    assert complaint in shell("two-vms", f"vm1 sysctl {command}").err
