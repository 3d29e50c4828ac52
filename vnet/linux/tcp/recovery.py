"""What a sender does about loss: the four moods of Linux, and how it gets from one to another.

    OPEN      all is well; acknowledgements let the window grow
    DISORDER  something arrived out of order, or was sent again; wait and see
    RECOVERY  something is lost: send it again while the window shrinks to half (RFC 6675, 6582)
    LOSS      the timer fired: begin with one segment, and watch whether that was needless (F-RTO)

Loss is found by :mod:`~vnet.linux.tcp.rack` where the peer speaks SACK, by three duplicate
acknowledgements and partial ones where it does not (NewReno, RFC 6582).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vnet.linux.tcp.sender import Sender


class Mood(Enum):
    OPEN = "open"
    DISORDER = "disorder"
    RECOVERY = "recovery"
    LOSS = "loss"


class News(NamedTuple):
    """What one acknowledgement told."""

    delivered: int
    """Segments that are known to have arrived, and were not before."""
    advanced: bool
    """SND.UNA moved."""
    sacked: bool
    """A block reported something new."""
    duplicate: bool
    """It said nothing at all: no data, no window, nothing acknowledged."""
    repeated: bool
    """It reported data that had arrived twice (RFC 2883)."""
    original: bool
    """Data arrived that was never sent again, and was out when trouble began."""
    echo_ms: int | None
    """Our clock at the time of what it answers, by its timestamp echo."""
    now_ns: int


class Next(Enum):
    """What is to be sent once the window has been set."""

    NOTHING = 0
    LOST = 1
    NEW = 2


class Recovery:
    """The mood of a sender, and the mark up to which it lasts."""

    __slots__ = (
        "_first_resend_ms",
        "_sender",
        "_undo_resends",
        "_undoable",
        "high",
        "mood",
        "watching",
    )

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.mood = Mood.OPEN
        self.high = 0
        """SND.NXT when the present trouble began: it ends when this is acknowledged."""
        self.watching = False
        """F-RTO: whether the timeout was needless is not known yet (RFC 5682)."""
        self._undoable = False
        self._undo_resends = 0
        """Retransmissions of this episode that are not known to have been needless."""
        self._first_resend_ms: int | None = None
        """The timestamp of its first retransmission."""

    @property
    def shrinking(self) -> bool:
        return self.mood is Mood.RECOVERY

    # -- what was sent again

    def resent(self, timestamp_ms: int) -> None:
        """A retransmission left."""
        if self._first_resend_ms is None:
            self._first_resend_ms = timestamp_ms
        if self._undoable:
            self._undo_resends += 1

    def repeated(self) -> None:
        """The peer reports that it got something twice."""
        if self._undoable and self._undo_resends > 0:
            self._undo_resends -= 1

    # -- an acknowledgement

    def acknowledged(self, news: News) -> Next:
        """Judge the scoreboard after an acknowledgement."""
        if self.mood is Mood.OPEN:
            if not (news.duplicate or news.sacked or news.repeated):
                return Next.NOTHING
            self._first_resend_ms = None
        elif self._sender.una >= self.high and self.mood is Mood.RECOVERY:
            if not self._leave(news.echo_ms):
                return Next.NOTHING
            self._sender.reno.end_reduction()
        if self.mood is Mood.RECOVERY:
            return self._in_recovery(news)
        if self.mood is Mood.LOSS:
            return self._in_loss(news)
        return self._at_ease(news)

    def _at_ease(self, news: News) -> Next:
        self._count_duplicates(news)
        if news.repeated and self._undone(None):
            self._calm_down()
        self._sender.find_lost(news.now_ns, partial=False)
        if not self._sender.board.lost_out:
            self._calm_down()
            return Next.NOTHING
        self._begin()
        return Next.LOST

    def _in_recovery(self, news: News) -> Next:
        if not news.advanced:
            self._count_duplicates(news)
        elif self._undone_in_part(news.echo_ms):
            return Next.LOST
        if news.repeated and self._undone(None):
            self._calm_down()
        self._sender.find_lost(news.now_ns, partial=news.advanced)
        return Next.LOST

    def _in_loss(self, news: News) -> Next:
        sender = self._sender
        recovered = sender.una >= self.high
        if news.advanced and self._undone(news.echo_ms):
            return self._at_ease(news)
        if self.watching:
            if news.original and self._undo():
                return self._at_ease(news)
            if sender.nxt > self.high:
                # New data was sent, and did not arrive where it should: the loss is real.
                self.watching = not (news.sacked or news.duplicate)
            elif news.advanced and not recovered:
                self.high = sender.nxt
                if sender.may_send_new:
                    return Next.NEW
                self.watching = False
        if recovered:
            self._leave(news.echo_ms)
            return Next.NOTHING
        if news.advanced:
            sender.forget_duplicates()
        elif sender.nxt > self.high:
            self._count_duplicates(news)
        sender.find_lost(news.now_ns, partial=False)
        return Next.LOST

    def _count_duplicates(self, news: News) -> None:
        """Without SACK each duplicate stands for a segment that has left the network."""
        if self._sender.sack:
            return
        if news.advanced:
            self._sender.forget_duplicates()
        elif news.duplicate:
            self._sender.count_duplicate()

    # -- from mood to mood

    def found_lost(self) -> None:
        """Time alone has shown that something is lost."""
        if self.mood in (Mood.OPEN, Mood.DISORDER):
            self._begin()

    def _begin(self) -> None:
        sender = self._sender
        self.mood = Mood.RECOVERY
        self.high = sender.nxt
        self._mark_undoable()
        sender.reno.begin_reduction()

    def timed_out(self) -> bool:
        """The retransmission timer fired; False if it did so while nothing had come through."""
        sender = self._sender
        afresh = self.mood in (Mood.OPEN, Mood.DISORDER) or sender.una >= self.high
        if afresh:
            self._mark_undoable()
        self.watching = True
        self.mood = Mood.LOSS
        self.high = sender.nxt
        return afresh

    def path_narrowed(self) -> None:
        """Segments were lost to their size, which says nothing of congestion."""
        if self.mood is not Mood.LOSS:
            self.high = self._sender.nxt
            self._undoable = False
            self.mood = Mood.LOSS

    def _mark_undoable(self) -> None:
        self._undoable = True
        self._undo_resends = self._sender.board.resent_out
        self._first_resend_ms = None

    def _calm_down(self) -> None:
        board = self._sender.board
        troubled = board.sacked_out or board.lost_out or board.resent_out
        mood = Mood.DISORDER if troubled else Mood.OPEN
        if mood is not self.mood:
            self.mood = mood
            self.high = self._sender.nxt

    def _leave(self, echo_ms: int | None) -> bool:
        """All that was out when the trouble began has arrived; False to stay in this mood."""
        self._undone(echo_ms)
        sender = self._sender
        if not sender.sack:
            sender.forget_duplicates()
            if sender.una == self.high:
                # Duplicates of what was sent again would begin a new recovery (RFC 6582).
                return False
        self.mood = Mood.OPEN
        self._undoable = False
        self.watching = False
        return True

    # -- undoing

    def _is_needless(self, echo_ms: int | None) -> bool:
        """Whether the originals arrived: all copies were reported twice, or the acknowledgement
        was caused by what was sent before any copy (RFC 3522)."""
        if not self._undoable:
            return False
        if self._undo_resends == 0 and self._first_resend_ms is not None:
            return True
        return self._answers_original(echo_ms)

    def _answers_original(self, echo_ms: int | None) -> bool:
        return (
            echo_ms is not None
            and self._first_resend_ms is not None
            and echo_ms < self._first_resend_ms
        )

    def _undone(self, echo_ms: int | None) -> bool:
        return self._is_needless(echo_ms) and self._undo()

    def _undone_in_part(self, echo_ms: int | None) -> bool:
        """A partial acknowledgement that an original caused: slow down no further."""
        if not (self._undoable and self._answers_original(echo_ms)):
            return False
        self._sender.rack.reordering_seen = True
        if self._sender.board.resent_out:
            return True
        self._undo()
        self._calm_down()
        return True

    def _undo(self) -> bool:
        """Back to the window from before; what was marked lost is on its way again."""
        if not self._undoable:
            return False
        sender = self._sender
        sender.board.unmark_losses()
        sender.reno.undo()
        self._undoable = False
        self.watching = False
        self.mood = Mood.OPEN
        return True
