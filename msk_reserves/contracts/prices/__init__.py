"""What an episode is worth: bases of a target price and the factors on them."""
