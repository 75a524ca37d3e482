"""The path: every move between states, its covariates, its laws and their draws."""
