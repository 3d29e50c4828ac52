"""OpenFlow as it is spoken on a connection (openflow-spec 1.5.1, sections 6 and 7).

``message`` cuts a stream into messages. ``kinds`` has every kind of them, ``recognition`` finds
out which a message is, and ``packing`` makes one of a kind. What bodies say is read and written in
a room for each subject (``flow/``, ``group/``, ``packet/``, ``port/`` and so on), from values of
``openflow.messages`` and back. Matches (``match/``, of single fields ``oxm``) and ``actions/``
stand in many of them, and ``parts/`` in most.
"""
