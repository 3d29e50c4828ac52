"""Apps that come with vnet, each an example; ``@learning-switch`` is ``learning_switch.py``."""
