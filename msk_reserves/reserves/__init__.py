"""What to hold: the distribution of unpaid cost, with bands."""
