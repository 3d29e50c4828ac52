"""What people run in a guest: ping, arping, UDP echo and streams, raw frames.

An app never waits: it starts, reacts to events, and says when it is done. Waiting for it is
the lab's business.
"""
