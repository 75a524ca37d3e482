"""What to try it on: synthetic portfolios whose truth is known, and one of real claims."""
