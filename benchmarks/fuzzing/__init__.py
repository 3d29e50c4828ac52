"""Hostile frames: seeds, mutations, the nodes they are thrown at, and the books that must balance.

Shared by ``python -m benchmarks.fuzz_frames`` and the tests, so that both keep the same books.
"""
