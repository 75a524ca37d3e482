"""What to show: plots, tables and the page an actuary files."""
