"""``vnet pcap``: what can be done with captures, whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from vnet.base.errors import EXIT_EXPECTATION_FAILED, EXIT_HELD, UsageError
from vnet.base.text import one_of
from vnet.cli.durations import duration


@click.group()
def pcap() -> None:
    """Work with captures, pcap or pcapng, whoever wrote them."""


@pcap.command()
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--within",
    metavar="DUR",
    default="0s",
    callback=duration,
    help="Frames no further apart, in both captures, may come in either order.  [default: 0s]",
)
@click.option(
    "--ignore",
    metavar="EXPR",
    multiple=True,
    help="Leave out the frames that match a filter of tcpdump's language; repeatable.",
)
@click.option(
    "--no-periodic",
    is_flag=True,
    help="Leave out what kernels say by themselves: hellos of spanning tree, reports of group "
    "members, router solicitations, unicast ARP and ND refreshes with their answers.",
)
@click.option("--point", metavar="NAME", multiple=True, help="Compare this point; repeatable.")
@click.option("--macs", is_flag=True, help="MAC addresses are labels, too; see below.")
@click.option(
    "--label",
    metavar="FIELD",
    multiple=True,
    help="Compare a field as a label; repeatable, as are --exact and --skip.",
)
@click.option("--exact", metavar="FIELD", multiple=True, help="Compare a field by its value.")
@click.option("--skip", metavar="FIELD", multiple=True, help="Do not compare a field.")
@click.option(
    "--max",
    "most_shown",
    metavar="N",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Show at most N differences of a point.",
)
@click.option("-a", "--all", "every", is_flag=True, help="Show every difference.")
@click.option("-q", "--brief", is_flag=True, help="Show only the summary.")
@click.option("-s", "--report-same", is_flag=True, help="Show the summary of equal captures, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole comparison as JSON.")
def diff(
    first: Path,
    second: Path,
    within: int,
    ignore: tuple[str, ...],
    no_periodic: bool,
    point: tuple[str, ...],
    macs: bool,
    label: tuple[str, ...],
    exact: tuple[str, ...],
    skip: tuple[str, ...],
    most_shown: int,
    every: bool,
    brief: bool,
    report_same: bool,
    as_json: bool,
) -> int:
    """Compare two captures by what their frames mean.

    A and B are files, or folders of files with a point each. Points are found by the names of
    pcapng's interfaces, or of files; two captures of one point are compared whatever it is called.

    What a kernel chooses freely is compared as labels, of which it only counts which are equal:
    IP ids, ephemeral ports, initial TCP sequence numbers, ids of ICMP, DHCP and DNS, source ports
    of tunnels, flow labels. Of checksums it counts whether they hold. Times do not count, but
    the order does; TCP's timestamps and ping's time of sending do not either.

    Lines begin with `-` for a frame that only A has, `+` for one that only B has, `!` for one with
    fields that differ, and `~` for one in another order; then come number and time in A | in B.
    FIELD is a name as shown there (ip.ttl, tcp.window), or a pattern (dhcp.option.*).

    Exit codes are those of diff(1): 0 for the same, 1 for different, 2 for trouble.
    """
    from vnet.base.collector import collector_paused
    from vnet.compare.capture import Reading, point_name, read_capture
    from vnet.compare.diff import compare
    from vnet.compare.report import as_json as data_of
    from vnet.compare.report import lines, summary
    from vnet.compare.rules import Rules

    filters = _filters(ignore)
    rules = Rules(exact=exact, labels=label, skip=skip, macs=macs)
    reading = Reading(rules, filters, no_periodic, frozenset(point_name(name) for name in point))
    with collector_paused():
        here, there = read_capture(first, reading), read_capture(second, reading)
        found = compare(here, there, within_ns=within)
    unknown = sorted(reading.points - here.keys() - there.keys())
    if unknown:
        raise UsageError(f"neither capture has the point {one_of(unknown)}")
    if as_json:
        import json

        click.echo(json.dumps(data_of(found), indent=2, ensure_ascii=False))
    elif brief or (report_same and found.is_same):
        click.echo("\n".join(summary(found)))
    else:
        for line in lines(found, str(first), str(second), None if every else most_shown):
            click.echo(line)
    return EXIT_HELD if found.is_same else EXIT_EXPECTATION_FAILED


def _filters(texts: tuple[str, ...]) -> tuple[Callable[[bytes], bool], ...]:
    from vnet.wire.filter import FilterError, compile_filter

    try:
        return tuple(compile_filter(text) for text in texts)
    except FilterError as error:
        raise click.BadParameter(str(error), param_hint="--ignore") from None
