"""With a law: families of time in a state, their likelihoods and their fits."""
