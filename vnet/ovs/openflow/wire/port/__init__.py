"""Ports and their queues: what they are, how they are changed, what they count."""
