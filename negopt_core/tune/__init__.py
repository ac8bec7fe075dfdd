"""Learning which words help on one's own model, from pictures and clicks: what to paint next, and what is known."""
