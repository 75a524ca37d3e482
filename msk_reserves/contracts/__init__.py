"""Who pays: terms that turn an episode into payments."""
