"""Why TCP throws a segment away."""

from __future__ import annotations

from vnet.base.drops import drop_reason

OPTIONS_MALFORMED = drop_reason(
    "tcp-options-malformed",
    cause="a TCP option has a length below two, or runs past the header",
    cure="mend the sender",
)
OUT_OF_WINDOW = drop_reason(
    "tcp-out-of-window",
    cause="the segment lies outside the receive window",
    cure="nothing after a loss; else look for a sender out of step, or for forged segments",
)
OLD_DATA = drop_reason(
    "tcp-old-data",
    cause="all the data in the segment had arrived before",
    cure="nothing: the sender had to believe it lost",
    routine=True,
)
OLD_TIMESTAMP = drop_reason(
    "tcp-old-timestamp",
    cause="the segment's timestamp is older than one already seen (PAWS, RFC 7323)",
    cure="nothing after reordering; otherwise look for a sender whose clock jumps",
)
BAD_ACK = drop_reason(
    "tcp-bad-ack",
    cause="the segment acknowledges what was never sent, or lies too far back",
    cure="look for a sender that is out of step, or forged segments",
)
NO_ACK = drop_reason(
    "tcp-no-ack",
    cause="a segment without ACK, SYN or RST reached a connection",
    cure="mend the sender",
)
CHALLENGED = drop_reason(
    "tcp-challenged",
    cause="a SYN or RST that might be forged reached a connection, which asked back (RFC 5961)",
    cure="nothing: an honest peer's answer settles it",
)
LISTEN_QUEUE_FULL = drop_reason(
    "tcp-listen-queue-full",
    cause="more connections wait than the server's backlog lets wait",
    cure="accept faster, listen with a larger backlog, or look for a SYN flood",
)
AFTER_CLOSE = drop_reason(
    "tcp-after-close",
    cause="data came for a connection whose program had closed it; the peer was reset",
    cure="have the receiving program read to the end before it closes",
)
