"""Training: supervised fine-tuning, rollouts, PPO, and the run folder that survives being stopped."""
