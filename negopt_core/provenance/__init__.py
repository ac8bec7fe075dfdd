"""Where a picture comes from: the record in its file, and what other programs wrote there."""
