"""Training data: pairs, splits that do not leak, PAE's split at the first comma, its noise, its confidence filter."""
