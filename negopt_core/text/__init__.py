"""DF-Prompts: their text, schedules, what of them can act, other programs' notations. Standard library only."""
