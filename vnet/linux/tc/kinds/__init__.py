"""The kinds of qdiscs that tc knows here: how the options of each are read and shown."""
