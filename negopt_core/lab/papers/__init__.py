"""A paper in one command: data, supervised start, reinforcement learning, comparison; resumable stage by stage."""
