"""``-m comment``: says something and asks nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.xtables.extension import Match, Test
from vnet.linux.netfilter.xtables.option import Given, Option, text
from vnet.linux.netfilter.xtables.quoting import quoted

_MOST_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class CommentMatch(Match):
    """Up to 255 characters."""

    NAME: ClassVar[str] = "comment"
    PER_FLOW: ClassVar[bool] = True
    OPTIONS: ClassVar[tuple[Option, ...]] = (Option("comment", text, required=True),)

    comment: str

    @classmethod
    def read(cls, given: Given) -> CommentMatch:
        return cls(given.get("comment")[:_MOST_CHARACTERS])

    def saved(self) -> str:
        return f"--comment {quoted(self.comment)}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"/* {self.comment} */"

    def nft(self) -> str | None:
        return ""

    def test(self, netfilter: Netfilter) -> Test:  # noqa: ARG002
        return lambda _: True
