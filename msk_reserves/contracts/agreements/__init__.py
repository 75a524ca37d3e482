"""What two sides agree: prices and terms in their order, settled on actual episodes."""
