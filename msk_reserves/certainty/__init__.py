"""What the bundle buys: two reserves on the same futures, compared."""
