"""A binary trie of prefixes, to tell how much of an address a lookup had to see.

A classifier keeps one for an address field, with a prefix for each rule. Looked up with a
packet's address it says which prefix lengths may have a rule for it at all, and how many of
its leading bits prove that. Paths without branches are one node.
"""

from __future__ import annotations


class _Node:
    """A prefix of ``length`` bits, with ``n_rules`` of its own and longer ones below."""

    __slots__ = ("bits", "children", "length", "n_rules")

    def __init__(self, bits: int, length: int, n_rules: int) -> None:
        self.bits = bits
        self.length = length
        self.n_rules = n_rules
        self.children: list[_Node | None] = [None, None]


class PrefixTrie:
    """Prefixes of values of ``width`` bits, each with the number of rules that have it."""

    __slots__ = ("_root", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self._root: _Node | None = None

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
            children = node.children
            node = children[value >> (width - seen - 1) & 1]
            if node is None and (children[0] is not None or children[1] is not None):
                return seen + 1, lengths
        return seen, lengths

    def insert(self, value: int, length: int) -> None:
        """One more rule with the first ``length`` (not 0) bits of ``value``."""
        bits = value >> (self.width - length)
        parent: _Node | None = None
        node = self._root
        while node is not None:
            shorter = min(length, node.length)
            difference = (bits >> (length - shorter)) ^ (node.bits >> (node.length - shorter))
            common = shorter - difference.bit_length()
            if common < node.length:
                fork = _Node(node.bits >> (node.length - common), common, 0)
                fork.children[node.bits >> (node.length - common - 1) & 1] = node
                self._put(parent, fork)
                if common == length:
                    fork.n_rules = 1
                else:
                    self._put(fork, _Node(bits, length, 1))
                return
            if common == length:
                node.n_rules += 1
                return
            parent, node = node, node.children[bits >> (length - node.length - 1) & 1]
        self._put(parent, _Node(bits, length, 1))

    def remove(self, value: int, length: int) -> None:
        """One rule less with this prefix, which must be there."""
        path: list[_Node] = []
        node = self._root
        while node is not None and node.length < length:
            path.append(node)
            node = node.children[value >> (self.width - node.length - 1) & 1]
        assert node is not None
        node.n_rules -= 1
        while node is not None and not node.n_rules:
            low, high = node.children
            if low is not None and high is not None:
                return
            heir = high if low is None else low
            parent = path.pop() if path else None
            if heir is not None or parent is None:
                self._put_at(parent, node, heir)
                return
            self._put_at(parent, node, None)
            node = parent

    def _put(self, parent: _Node | None, node: _Node) -> None:
        self._put_at(parent, node, node)

    def _put_at(self, parent: _Node | None, place: _Node, node: _Node | None) -> None:
        """Let ``node`` stand where ``place`` belongs below ``parent``."""
        if parent is None:
            self._root = node
        else:
            parent.children[place.bits >> (place.length - parent.length - 1) & 1] = node
