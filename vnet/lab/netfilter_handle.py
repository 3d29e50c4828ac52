"""What a Python user asks of a machine's netfilter: the real programs' words, and their answers."""

from __future__ import annotations

from vnet.lab.arguments import spelt
from vnet.linux.netns.namespace import Namespace


class NetfilterHandle:
    """Part of a machine's handle. Each raises :class:`UsageError` in the words of its program."""

    @property
    def namespace(self) -> Namespace:
        """The machine's network namespace."""
        raise NotImplementedError

    def iptables(self, command: str) -> str:
        """iptables(8), as typed: ``-t nat -A POSTROUTING -o eth0 -j MASQUERADE``. Returns what
        it prints."""
        return self._run("iptables", command)

    def ip6tables(self, command: str) -> str:
        """The same of IPv6."""
        return self._run("ip6tables", command)

    def iptables_save(self, options: str = "", *, ipv6: bool = False) -> str:
        """iptables-save(8): ``-c`` with what was counted, ``-t nat`` of one table."""
        return self._run("ip6tables-save" if ipv6 else "iptables-save", options)

    def iptables_restore(self, text: str, options: str = "", *, ipv6: bool = False) -> None:
        """iptables-restore(8): rules from the text that iptables-save prints; ``-n`` keeps those
        that are there."""
        program = "ip6tables-restore" if ipv6 else "iptables-restore"
        self._run(program, options, spelt("text", text))

    def nft(self, command: str) -> str:
        """nft(8), which lists: ``list ruleset``."""
        return self._run("nft", command)

    def conntrack(self, command: str = "-L") -> str:
        """conntrack(8), as typed: ``-L -p tcp``, ``-D -s 10.0.0.1``. Returns what it prints."""
        return self._run("conntrack", command)

    def _run(self, program: str, command: str, text: str = "") -> str:
        # Labs without rules do without all that reads and writes them.
        from vnet.linux.netfilter.tools import NetfilterTools, printed
        from vnet.linux.netfilter.xtables.quoting import split_words

        # As iptables-restore parts words: quotes hold what is between them together.
        words = [word for word, _column in split_words(spelt("command", command))]
        return printed(NetfilterTools(self.namespace).run(program, words, text))
