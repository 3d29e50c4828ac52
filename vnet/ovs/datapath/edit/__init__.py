"""Rewriting headers: for each part of a frame that ``set`` writes, the edit of its bytes.

An edit is made for a layout, once, so that it knows all its offsets when a frame comes.
"""
