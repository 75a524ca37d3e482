"""What it costs: medical care along the path, and the benefits the law owes."""
