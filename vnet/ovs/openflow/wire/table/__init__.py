"""Tables of flows: what they can do, how they are set up, what they have seen."""
