"""Finding the rule that a packet matches, and how little of the packet that takes."""
