"""A binary trie of prefixes, to tell how much of an address a lookup had to see.

A classifier keeps one for an address field, with a prefix for each rule. Looked up with a
packet's address it says which prefix lengths may have a rule for it at all, and how many of
its leading bits prove that. Paths without branches are one node.
"""

from __future__ import annotations


class _Node:
    """A prefix of ``length`` bits, with ``n_rules`` of its own and longer ones below: ``low`` and
    ``high``, by their next bit."""

    __slots__ = ("bits", "high", "length", "low", "n_rules")

    def __init__(self, bits: int, length: int, n_rules: int) -> None:
        self.bits = bits
        self.length = length
        self.n_rules = n_rules
        self.low: _Node | None = None
        self.high: _Node | None = None


class PrefixTrie:
    """Prefixes of values of ``width`` bits, each with the number of rules that have it."""

    __slots__ = ("_nodes", "_root", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self._root: _Node | None = None
        self._nodes: dict[int, _Node] = {}
        """Those that rules have, by their bits with a one in front: most rules share prefixes."""

    def lookup(self, value: int) -> tuple[int, int]:
        """How many leading bits of ``value`` had to be seen, and which lengths may match.

        The second is a set of bits: bit *n* for prefixes of length *n*.
        """
        width = self.width
        node = self._root
        lengths = seen = 0
        while node is not None:
            difference = (value >> (width - node.length)) ^ node.bits
            if difference:
                return node.length - difference.bit_length() + 1, lengths
            seen = node.length
            if node.n_rules:
                lengths |= 1 << seen
            if seen == width:
                break
            low, high = node.low, node.high
            node = high if value >> (width - seen - 1) & 1 else low
            if node is None and low is not high:
                return seen + 1, lengths
        return seen, lengths

    def insert(self, value: int, length: int) -> None:
        """One more rule with the first ``length`` (not 0) bits of ``value``."""
        bits = value >> (self.width - length)
        known = self._nodes.get(bits | 1 << length)
        if known is not None:
            known.n_rules += 1
        else:
            self._nodes[bits | 1 << length] = self._insert_node(bits, length)

    def _insert_node(self, bits: int, length: int) -> _Node:
        parent: _Node | None = None
        node = self._root
        while node is not None:
            shorter = length if length < node.length else node.length
            difference = (bits >> (length - shorter)) ^ (node.bits >> (node.length - shorter))
            common = shorter - difference.bit_length()
            if common < node.length:
                return self._fork(parent, node, common, bits, length)
            if common == length:
                node.n_rules = 1
                return node
            parent = node
            node = node.high if bits >> (length - node.length - 1) & 1 else node.low
        made = _Node(bits, length, 1)
        self._put_at(parent, made, made)
        return made

    def _fork(
        self, parent: _Node | None, node: _Node, common: int, bits: int, length: int
    ) -> _Node:
        """A new prefix parts from a node's after ``common`` bits, or ends there."""
        fork = _Node(node.bits >> (node.length - common), common, 0)
        self._put_at(fork, node, node)
        self._put_at(parent, fork, fork)
        if common == length:
            fork.n_rules = 1
            return fork
        made = _Node(bits, length, 1)
        self._put_at(fork, made, made)
        return made

    def remove(self, value: int, length: int) -> None:
        """One rule less with this prefix, which must be there."""
        key = value >> (self.width - length) | 1 << length
        known = self._nodes[key]
        known.n_rules -= 1
        if not known.n_rules:
            del self._nodes[key]
            self._remove_node(known, value)

    def _remove_node(self, known: _Node, value: int) -> None:
        """Take a node out that no rule has any more, and those above that forked for it."""
        path: list[_Node] = []
        node = self._root
        while node is not known:
            assert node is not None
            path.append(node)
            node = node.high if value >> (self.width - node.length - 1) & 1 else node.low
        while node is not None and not node.n_rules:
            low, high = node.low, node.high
            if low is not None and high is not None:
                return
            heir = high if low is None else low
            parent = path.pop() if path else None
            if heir is not None or parent is None:
                self._put_at(parent, node, heir)
                return
            self._put_at(parent, node, None)
            node = parent

    def _put_at(self, parent: _Node | None, place: _Node, node: _Node | None) -> None:
        """Let ``node`` stand where ``place`` belongs below ``parent``."""
        if parent is None:
            self._root = node
        elif place.bits >> (place.length - parent.length - 1) & 1:
            parent.high = node
        else:
            parent.low = node
