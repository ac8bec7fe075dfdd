"""`make bench`: times the main parts side by side in one run and writes docs/benchmarks.md."""
