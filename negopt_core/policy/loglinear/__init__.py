"""`negopt`, the default policy: a log-linear model over phrases, from knowledge, people and pictures.

`tables` reads the data files, `knowledge` holds them, `lexicon` finds concepts in words, `reading` reads a prompt,
`model` adds up effects and chooses, `policy` is what `load_policy` gives. Standard library, and numpy for the vectors.
"""
