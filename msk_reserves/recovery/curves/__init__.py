"""Without a law: product-limit curves, occupation of states, and groups compared."""
