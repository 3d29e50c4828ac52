"""``ofproto/trace``: what would become of a packet, line by line, in Open vSwitch's own layout."""
