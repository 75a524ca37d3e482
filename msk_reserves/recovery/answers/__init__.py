"""What to expect of an open claim: probabilities of states and days still off, with intervals."""
