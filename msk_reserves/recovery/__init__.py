"""When they return: time in each state of the path back to work."""
