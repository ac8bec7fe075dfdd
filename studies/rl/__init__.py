"""What reinforcement learning does on the demo world: algorithms, windows, and what supervised training is for."""
