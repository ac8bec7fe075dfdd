"""A demo world made from icons that people drew: data, training, meter, gate. Not shipped: docs/dev/decisions.md."""
