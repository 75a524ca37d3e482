"""What may happen: simulated futures of every open claim."""
