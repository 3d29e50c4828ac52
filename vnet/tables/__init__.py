"""Floor 2: state that ages. Time is always an argument; nothing here keeps a clock."""
