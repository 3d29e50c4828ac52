"""The machine's own network as a topology file.

``netlink`` reads what there is, as the plain values of ``machine``; ``devices`` decides what each
device becomes; ``cards``, ``bridges`` and ``routes`` say it in the words of a topology,
``document`` writes it down, and ``settings`` adds the kernel's settings that differ from a lab's.
What a topology cannot say is a note, never left out silently.
"""
