"""What became of the frames: captures and drops."""

from __future__ import annotations

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, quote
from vnet.base.units import duration_text
from vnet.lab.reasons import explained, explained_word
from vnet.shell.context import ShellContext, capture_points, reason_words
from vnet.shell.options import Arguments, whole_number
from vnet.shell.output import Output, columns, plural
from vnet.shell.registry import Group, command
from vnet.shell.tail import TAIL_FRAMES
from vnet.topology.devices import NLMON

_FRAMES_SHOWN = 10


@command(
    "captures",
    "[POINT [N]]",
    "capture points and their frames; of a point, the last N frames",
    group=Group.WATCHING,
    words=(0, 2),
    options={},
    examples=["captures", "captures vm1:eth0", "captures h1:peth0 3"],
    completes=[capture_points],
)
def captures(context: ShellContext, arguments: Arguments) -> Output:
    """`>` is out of the device, `<` into it."""
    counts = dict(context.lab.report().captures)
    point = arguments.word(0)
    if point is None:
        if not counts:
            return "nothing is captured in this lab"
        return columns(("POINT", "FRAMES"), counts.items(), numbers=(1,))
    if point not in counts:
        hint = did_you_mean(point, list(counts), "points are") or "nothing is captured here"
        raise UsageError(f"there is no capture point {quote(point)}", hint)
    if point.endswith(f":{NLMON}"):
        raise UsageError(
            f"{point} holds rtnetlink messages, which have no summary here",
            "open the capture file in Wireshark",
        )
    try:
        most = whole_number(1, TAIL_FRAMES)(arguments.word(1) or str(_FRAMES_SHOWN))
    except ValueError as error:
        raise UsageError(f"captures: {error}") from None
    frames = list(context.tails[point].frames)[-most:]
    if not frames:
        earlier = counts[point]
        return f"{point}: {plural(earlier, 'frame')} before this session, none in it"
    return "\n".join(f"{duration_text(f.time_ns):>12}  {f.summary()}" for f in frames)


@command(
    "drops",
    "[WORD]",
    "frames that were thrown away: where, why, and what helps; or what a reason means",
    group=Group.WATCHING,
    words=(0, 1),
    options={},
    examples=["drops", "drops no-neighbor"],
    completes=[reason_words],
)
def drops(context: ShellContext, arguments: Arguments) -> Output:
    """Every loss is counted; those marked routine happen in any healthy network."""
    word = arguments.word(0)
    if word is not None:
        return explained_word(word)
    rows = context.lab.report().drops
    if not rows:
        return "nothing was dropped"
    table = columns(
        ("PLACE", "FRAMES", "REASON", ""),
        [
            (row.place, row.frames, row.reason.word, "routine" if row.reason.routine else "")
            for row in rows
        ],
        numbers=(1,),
    )
    lines = [table]
    for reason in sorted({row.reason for row in rows}, key=lambda reason: reason.word):
        lines += ["", explained(reason)]
    return "\n".join(lines)
