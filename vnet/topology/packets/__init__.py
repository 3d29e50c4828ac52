"""Packets as data: expressions of a file, and the Scapy packets they become."""
