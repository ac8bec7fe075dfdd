"""A demo world made from icons that people drew: data, training, meter. Not shipped yet: docs/dev/decisions.md."""
