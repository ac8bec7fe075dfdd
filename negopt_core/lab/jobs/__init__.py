"""Long runs: checkpoints, progress, several processes."""
