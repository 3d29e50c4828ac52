"""Two captures compared by meaning.

``dissect/`` cuts a frame into fields, each byte into exactly one; ``normal`` makes them comparable,
with what a kernel chooses freely as labels; ``align`` finds which frame of one capture is which
of the other; ``diff`` puts it all together, and ``report`` says it.
"""
