"""What we know: claims, validated and frozen as of a valuation date."""
