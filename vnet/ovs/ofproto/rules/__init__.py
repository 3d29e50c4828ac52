"""Rules: the flows of a bridge, table by table, how they are changed, and how they end."""
