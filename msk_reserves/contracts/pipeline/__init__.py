"""In which order: terms of an episode, of a category and of a pool."""
