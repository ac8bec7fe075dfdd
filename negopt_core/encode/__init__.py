"""From text to what a denoiser reads: chunks of tokens, weights, one batch of embeddings."""
