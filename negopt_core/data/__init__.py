"""Training data: taking prompts apart. `prompt_split` is PAE's split at the first comma."""
