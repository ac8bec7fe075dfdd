"""The commands of `python -m negopt_core`, one file each: `add` declares the arguments, `run` does the work."""
